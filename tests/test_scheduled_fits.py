"""Fits whose learning rate, decay, momentum, dropout and label smoothing have schedules."""

from __future__ import annotations

import pickle
import re
import warnings

import numpy as np
import pytest
from helpers_rejection import LABELS, X, Y, assert_rejected, classifier, regressor
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import log_loss

from fastmlp import MLPRegressor
from fastmlp.backends.reference import ReferenceExecutor
from fastmlp.estimators.stream import Stream
from fastmlp.optimizers import SGD, Adam, AdamW, RMSprop
from fastmlp.schedules import (
    SCHEDULES,
    Adaptive,
    Clock,
    Constant,
    Cosine,
    CosineLog,
    Exponential,
    FlatCosine,
    InverseScaling,
    OneCycle,
    Polynomial,
    ReduceOnPlateau,
    Scaled,
    Schedule,
    Step,
    WarmUp,
)

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

# -- fits ------------------------------------------------------------------------------------------


@pytest.fixture
def records(monkeypatch):
    """Return the records of all updates of fits on the NumPy backend, in a growing list."""
    seen: list[np.ndarray] = []
    train = ReferenceExecutor.train

    def spy(self, parameters, moments, rows, order, batch_size, updates):
        seen.append(updates.copy())
        return train(self, parameters, moments, rows, order, batch_size, updates)

    monkeypatch.setattr(ReferenceExecutor, "train", spy)
    return seen


#: 40 rows: an epoch has five updates.
IN_FIVE = {
    "backend": "numpy", "batch_size": 8, "max_iter": 6, "tol": 0, "n_iter_no_change": np.inf,
    "random_state": 0,
}  # fmt: skip


def assert_same(model, other):
    for one, two in zip(model.coefs_, other.coefs_, strict=True):
        np.testing.assert_array_equal(one, two)


@pytest.mark.parametrize("solver", ["sgd", "adam", Adam(), "lion"])
def test_every_update_has_the_rate_of_its_time(records, solver):
    told: list[float] = []
    model = regressor(learning_rate=Cosine(), learning_rate_init=0.01, solver=solver, **IN_FIVE)
    model.set_params(callbacks=[lambda record: told.append(record.learning_rate)]).fit(X, Y)
    times = np.arange(30) / 30
    expected = 0.01 * (1 + np.cos(np.pi * times)) / 2
    np.testing.assert_allclose(np.concatenate(records)["learning_rate"], expected)
    np.testing.assert_allclose(told, [*expected[5::5], expected[-1]])


def test_a_function_hears_the_time(records):
    heard: list[Clock] = []

    def falling(clock):
        heard.append(clock)
        return 1 / (1 + clock.update)

    regressor(learning_rate=falling, learning_rate_init=0.5, **IN_FIVE).fit(X, Y)
    np.testing.assert_allclose(
        np.concatenate(records)["learning_rate"], 0.5 / (1 + np.arange(30.0))
    )
    assert Clock(update=7, epoch=1.4, n_epochs=6) in heard
    assert [type(part) for part in heard[-1]] == [int, float, int]


@pytest.mark.parametrize(
    ("schedule", "n_epochs"), [(lambda f: f, 6), (lambda f: WarmUp(f, total_iters=2), 4)]
)
def test_a_function_is_asked_for_updates_of_the_fit_only(schedule, n_epochs):
    """So that a list of a number per epoch will do, which a partial fit goes beyond."""
    told: list[float] = []
    factors = [1.0] * n_epochs
    rate = schedule(lambda clock: factors[int(clock.epoch)])
    model = regressor(learning_rate=rate, **IN_FIVE)
    model.set_params(callbacks=[lambda record: told.append(record.learning_rate)]).fit(X, Y)
    assert told[-1] == model.history_["learning_rate"][-1]
    with pytest.raises(IndexError):
        model.partial_fit(X, Y)


@pytest.mark.parametrize("schedule", [Cosine(), CosineLog(2)])
def test_a_callback_may_halve_a_rate_that_comes_to_zero(schedule):
    """In the end, and where a wave of logarithmic length ends with an epoch."""

    def halve(record):
        seen.append(record.learning_rate)
        record.set_learning_rate(0.5 * record.learning_rate)

    seen: list[float] = []
    parameters = {**IN_FIVE, "max_iter": 3, "learning_rate": schedule}
    model = regressor(callbacks=[halve], **parameters).fit(X, Y)
    assert (0 in seen) == isinstance(schedule, CosineLog)
    halved = np.cumsum([0, *np.sign(seen)])[:-1]
    expected = regressor(**parameters).fit(X, Y).history_["learning_rate"] / 2.0**halved
    np.testing.assert_allclose(model.history_["learning_rate"], expected)


def test_everything_that_may_have_a_schedule(records):
    model = classifier(
        solver="sgd",
        momentum=0.8 * Step(2, 0.5),
        weight_decay=0.1 * Polynomial(),
        dropout=0.5 * FlatCosine(),
        label_smoothing=Scaled(0.2, lambda clock: clock.progress),
        **IN_FIVE,
    )
    model.fit(X, np.digitize(Y, [-0.5, 0.5]))
    seen, times = np.concatenate(records), np.arange(30) / 5
    np.testing.assert_allclose(seen["coefficients"][:, 0], 0.8 * 0.5 ** (times // 2))
    np.testing.assert_allclose(seen["weight_decay"], 0.1 * (1 - times / 6))
    share = np.maximum(times / 6 - 0.5, 0) * 2
    np.testing.assert_allclose(seen["dropout"], (1 + np.cos(np.pi * share)) / 2, atol=2**-25)
    np.testing.assert_allclose(seen["label_smoothing"], 0.2 * times / 6)
    np.testing.assert_array_equal(seen["learning_rate"], 0.001)


@pytest.mark.parametrize(
    "solver", [SGD(0.5 * Step(1, 0.5)), RMSprop(momentum=0.5 * Step(1, 0.5)), AdamW()], ids=repr
)
def test_options_of_an_optimizer_have_schedules(records, solver):
    decay = 0.1 * Step(3, 0.5)
    model = regressor(solver=solver, **IN_FIVE).set_params(solver__weight_decay=decay)
    model.fit(X, Y)
    seen, epochs = np.concatenate(records), np.arange(30) // 5
    np.testing.assert_allclose(seen["weight_decay"], 0.1 * 0.5 ** (epochs // 3))
    if isinstance(solver, AdamW):
        return
    place = 0 if isinstance(solver, SGD) else 2
    np.testing.assert_allclose(seen["coefficients"][:, place], 0.5 * 0.5**epochs)


@pytest.mark.parametrize(
    ("name", "schedule"),
    [
        ("constant", Constant()),
        ("invscaling", InverseScaling(0.3)),
        ("adaptive", Adaptive()),
        ("coslog", CosineLog()),
    ],
)
def test_a_name_stands_for_the_object(name, schedule):
    same = {"solver": "sgd", "power_t": 0.3, "random_state": 0, "max_iter": 60, "tol": 0.01}
    by_name = regressor(**same).set_params(learning_rate=name).fit(X, Y)
    by_object = regressor(**same).set_params(learning_rate=schedule).fit(X, Y)
    assert_same(by_name, by_object)
    assert by_name.stop_reason_ == by_object.stop_reason_


def test_scikit_learns_names_are_for_sgd_and_objects_for_all():
    adam = regressor(random_state=0).fit(X, Y)
    assert_same(adam, regressor(random_state=0, learning_rate="invscaling").fit(X, Y))
    other = regressor(random_state=0, learning_rate=InverseScaling()).fit(X, Y)
    assert not np.array_equal(adam.coefs_[0], other.coefs_[0])


@pytest.mark.parametrize(
    ("name", "number"), [("weight_decay", 0.3), ("momentum", 0.7), ("dropout", 0.3)]
)
@pytest.mark.parametrize("backend", ["numpy", "compiled"])
def test_a_constant_schedule_is_the_number(backend, name, number):
    same = {"solver": "sgd", "random_state": 0, "learning_rate_init": 0.1, "backend": backend}
    plain = regressor(**same).set_params(**{name: number}).fit(X, Y)
    assert_same(plain, regressor(**same).set_params(**{name: number * Constant()}).fit(X, Y))
    other = regressor(**same).set_params(**{name: number * Step(1, 0.5)}).fit(X, Y)
    assert not np.array_equal(plain.coefs_[0], other.coefs_[0])


@pytest.mark.parametrize(
    "labels",
    [LABELS, np.digitize(Y, [-0.5, 0.5]), np.stack([Y > 0, Y > 1, Y < 0.5], axis=1).astype(int)],
    ids=["binary", "multiclass", "multilabel"],
)
@pytest.mark.parametrize("backend", ["numpy", "compiled"])
def test_constant_smoothing_is_the_number(backend, labels):
    same = {"solver": "sgd", "learning_rate_init": 0.5, "random_state": 0, "dtype": "float64"}
    same["backend"] = backend
    by_number = classifier(label_smoothing=0.3, **same).fit(X, labels)
    by_schedule = classifier(label_smoothing=0.3 * Constant(), **same).fit(X, labels)
    for one, two in zip(by_number.coefs_, by_schedule.coefs_, strict=True):
        np.testing.assert_allclose(one, two, rtol=0, atol=1e-12)
    np.testing.assert_allclose(by_number.loss_curve_, by_schedule.loss_curve_, rtol=1e-12)
    plain = classifier(**same).fit(X, labels)
    assert np.abs(plain.coefs_[0] - by_number.coefs_[0]).max() > 1e-3


@pytest.mark.parametrize("backend", ["numpy", "compiled"])
def test_smoothing_may_rise_from_nothing(backend):
    same = {"solver": "sgd", "learning_rate_init": 0.5, "random_state": 0, "dtype": "float64"}
    models = [
        classifier(label_smoothing=base * Cosine(eta_min=0.3), backend=backend, **same)
        for base in (0.0, 1e-12)
    ]
    one, two = (model.fit(X, np.digitize(Y, [-0.5, 0.5])) for model in models)
    np.testing.assert_allclose(one.coefs_[0], two.coefs_[0], rtol=0, atol=1e-8)


def test_scheduled_smoothing_is_of_updates_only():
    model = classifier(label_smoothing=0.3 * Constant(), dtype="float64", random_state=0)
    model.fit(X, LABELS, X_val=X, y_val=LABELS)
    plain = log_loss(LABELS, model.predict_proba(X))
    np.testing.assert_allclose(model.cost(X, LABELS), plain)
    np.testing.assert_allclose(model.history_["validation_loss"][-1], plain)


def test_a_plateau_lowers_the_rate_of_a_fit():
    rates: list[float] = []
    model = regressor(
        learning_rate=ReduceOnPlateau(0.5, patience=2, threshold=10, threshold_mode="abs"),
        callbacks=[lambda record: rates.append(record.learning_rate)],
        max_iter=9,
    )
    model.fit(X, Y)
    assert rates == [0.001] * 3 + [0.0005] * 3 + [0.00025] * 3


def test_a_plateau_is_of_the_scores_under_early_stopping():
    rates: list[float] = []
    model = regressor(
        learning_rate=ReduceOnPlateau(0.5, patience=0, threshold=10, threshold_mode="abs"),
        callbacks=[lambda record: rates.append(record.learning_rate)],
        early_stopping=True,
        learning_rate_init=1e-9,
        random_state=0,
    )
    model.fit(X, Y)
    assert rates == [1e-9, 5e-10, 2.5e-10]


def test_a_fit_does_not_end_in_the_epoch_that_reduces_the_rate():
    rates: list[float] = []
    same = {"tol": 100, "n_iter_no_change": 3, "max_iter": 40, "random_state": 0}
    plateau = ReduceOnPlateau(0.5, patience=3, threshold=100, threshold_mode="abs")
    model = regressor(learning_rate=plateau, **same)
    model.set_params(callbacks=[lambda record: rates.append(record.learning_rate)]).fit(X, Y)
    constant = regressor(**same).fit(X, Y)
    assert constant.n_iter_ == 5
    assert len(rates) == 40
    assert min(rates) == 0.001 * 0.5**9


@pytest.mark.filterwarnings("error")
def test_a_schedule_that_ends_with_the_fit_is_no_failure_to_converge():
    tail = {"max_iter": 5, "tol": 0, "n_iter_no_change": np.inf, "random_state": 0}
    same = {"learning_rate_init": 0.1, **tail}
    model = regressor(learning_rate=WarmUp(Cosine(), total_iters=1), **same).fit(X, Y)
    assert model.stop_reason_ == "max_iter=5 epochs are done."
    with pytest.warns(ConvergenceWarning, match="The fit has not converged: max_iter=5 epochs"):
        regressor(learning_rate=Step(), **same).fit(X, Y)


# -- partial fits ----------------------------------------------------------------------------------

STREAMED = {
    "learning_rate": Step(3, 0.5),
    "weight_decay": 0.1 * Exponential(0.9),
    "learning_rate_init": 0.01,
    "hidden_layer_sizes": (4,),
    "random_state": 0,
}


def test_partial_fits_are_epochs(records):
    model = MLPRegressor(backend="numpy", batch_size=10, **STREAMED)
    for _ in range(7):
        model.partial_fit(X[:20], Y[:20])
    seen = np.concatenate(records)
    epochs = np.arange(14) / 2
    np.testing.assert_allclose(seen["learning_rate"], 0.01 * 0.5 ** (epochs // 3))
    np.testing.assert_allclose(seen["weight_decay"], 0.1 * 0.9**epochs)


@pytest.mark.parametrize(
    "rate", [Step(3, 0.5), WarmUp(ReduceOnPlateau(0.5, patience=1)), Adaptive()]
)
def test_a_stream_follows_the_schedule(monkeypatch, rate):
    def teach(model, between=lambda model: model):
        for i in range(9):
            model = between(model).partial_fit(X[i : i + 1], Y[i : i + 1])
        return model.coefs_[0]

    model = MLPRegressor(**{**STREAMED, "learning_rate": rate})
    rows = teach(clone(model))
    again = teach(clone(model), lambda model: pickle.loads(pickle.dumps(model)))
    np.testing.assert_array_equal(rows, again)
    monkeypatch.setattr(Stream, "after", lambda *_: None)  # each by the long way
    np.testing.assert_array_equal(rows, teach(clone(model)))


def test_a_fit_begins_its_schedules_anew(records):
    model = regressor(learning_rate=Polynomial(), warm_start=True, **IN_FIVE).fit(X, Y)
    model.fit(X, Y)
    first, second = np.split(np.concatenate(records)["learning_rate"], 2)
    np.testing.assert_array_equal(first, second)


# -- what is wrong ---------------------------------------------------------------------------------

WRONG = [
    ("learning_rate", Step(0), ValueError, "learning_rate.step_size must be an integer ≥ 1"),
    ("learning_rate", Step(2.5), TypeError, "learning_rate.step_size must be an integer ≥ 1"),
    ("learning_rate", Step(gamma="a"), TypeError, "learning_rate.gamma must be a finite number"),
    (
        "learning_rate",
        Cosine(T_0=0),
        ValueError,
        "learning_rate.T_0 must be a finite number > 0 or",
    ),
    ("learning_rate", OneCycle(1.0), ValueError, "learning_rate.pct_start must be a number > 0"),
    ("learning_rate", OneCycle(anneal_strategy="exp"), ValueError, "must be one of cos, linear"),
    ("learning_rate", WarmUp(3), TypeError, "learning_rate.schedule must be an object of fastmlp"),
    ("learning_rate", WarmUp(Step(0)), ValueError, "learning_rate.schedule.step_size must be"),
    ("learning_rate", -1 * Step(), TypeError, "learning_rate takes a factor: write learning_rate_"),
    ("learning_rate", ReduceOnPlateau(1), ValueError, "learning_rate.factor must be a number > 0"),
    ("learning_rate", Cosine, TypeError, "learning_rate must be an object, not a class: write Cos"),
    (
        "learning_rate",
        0.001 * FlatCosine(0.25),
        TypeError,
        "learning_rate takes a factor: write learning_rate_init=0.001, learning_rate=FlatCosine(pc",
    ),
    ("learning_rate", 0.01, TypeError, "For a number, write learning_rate_init=0.01."),
    ("learning_rate", WarmUp(5), TypeError, "got 5: write WarmUp(total_iters=5)."),
    ("learning_rate", SGD(0.5), ValueError, "Did you mean solver=SGD(…)?"),
    ("learning_rate", SGD, TypeError, "Did you mean solver=SGD(…)?"),
    (
        "learning_rate_init",
        Step(3),
        TypeError,
        "Write learning_rate=Step(step_size=3, gamma=0.1), ",
    ),
    (
        "learning_rate_init",
        0.5 * Step(3),
        TypeError,
        "Write learning_rate_init=0.5, learning_rate=Step(step_size=3, gamma=0.1).",
    ),
    ("solver", Step(3), ValueError, "Did you mean learning_rate=Step(step_size=3, gamma=0.1)?"),
    ("solver", SGD, ValueError, "It must be an object, not a class: write SGD()."),
    (
        "learning_rate",
        lambda clock: -1,
        ValueError,
        "What learning_rate returns for Clock(update=0",
    ),
    ("learning_rate", lambda clock: "a", TypeError, "What learning_rate returns for Clock(update="),
    ("learning_rate", lambda clock: np.nan, ValueError, "must be a finite number ≥ 0; got nan"),
    ("dropout", FlatCosine(), TypeError, "dropout needs a number for the schedule to change: wri"),
    ("dropout", 1.5 * Step(), ValueError, "dropout.base must be a number ≥ 0 and < 1; got 1.5"),
    ("dropout", Scaled(0.5, lambda clock: 3), ValueError, "dropout must stay between 0 and 1; its"),
    ("dropout", 0.0 * Cosine(eta_min=0.3), ValueError, "dropout.base must be above 1/65536"),
    ("dropout", 1e-6 * Cosine(eta_min=0.3), ValueError, "its schedule makes dropout 0."),
    ("momentum", 0.5 * Adaptive(), ValueError, "momentum can't be adaptive"),
    ("momentum", 0.9 * (2.0 * Step()), ValueError, "momentum must stay between 0 and 1; its sched"),
    ("weight_decay", 1e300 * Step(), ValueError, "weight_decay must be at most 3.4e+38"),
    (
        "weight_decay",
        None * Step(),
        TypeError,
        "weight_decay.base must be a finite number",
    ),
    ("label_smoothing", 0.1 * Cosine(-1), ValueError, "label_smoothing.T_0 must be"),
    ("solver", SGD(momentum=Step()), TypeError, "solver.momentum needs a number for the sched"),
    ("alpha", 0.1 * Step(), TypeError, "alpha must be a finite number ≥ 0; got 0.1 * Step("),
]


def id_of(part):
    """Return a name without an address: every worker has to collect the same ones."""
    return re.sub(r" at 0x\w+", "", str(part))[:40]


@pytest.mark.parametrize(("name", "value", "error", "text"), WRONG, ids=id_of)
def test_wrong_schedules(name, value, error, text):
    model = classifier(solver="sgd")
    model.set_params(**{name: value})
    assert_rejected(model, (X, LABELS), error, re.escape(text))


def test_dropout_of_the_input_stays_below_one_too():
    model = classifier(dropout=0.2 * Cosine(eta_min=0.6), input_dropout=0.5)
    text = r"^input_dropout=0\.5 must stay below 1, but the schedule of dropout, .* makes it 1"
    assert_rejected(model, (X, LABELS), ValueError, text)
    model.set_params(dropout__schedule__eta_min=0.3).fit(X, LABELS)


def test_what_schedules_have_in_common_is_none():
    with pytest.raises(
        TypeError, match=r"^learning_rate must be one of the schedules, such as Cos"
    ):
        classifier(learning_rate=Schedule()).fit(X, LABELS)


def test_a_function_that_gives_rates():
    text = r"^learning_rate returns factors of learning_rate_init=0.001, but they were never abo"
    with pytest.warns(UserWarning, match=text):
        classifier(learning_rate=lambda clock: 0.01).fit(X, LABELS)
    classifier(learning_rate=lambda clock: 0.01 if clock.epoch < 2 else 0.1).fit(X, LABELS)
    classifier(learning_rate=lambda clock: 0.0).fit(X, LABELS)


@pytest.mark.parametrize(
    ("name", "value", "option"),
    [
        ("weight_decay", 0.1, "weight_decay"),
        ("momentum", 0.5, "momentum"),
        ("momentum", 0.5 * Step(), "momentum"),
        ("nesterovs_momentum", False, "nesterov"),
    ],
)
def test_options_beside_a_solver_with_its_own(name, value, option):
    model = classifier(solver=SGD(0.5), **{name: value})
    text = rf"^{name}=.* conflicts with the solver, which has .*: set {option} of SGD\("
    assert_rejected(model, (X, LABELS), ValueError, text)
    model = classifier(solver=SGD(0.5), beta_1=0.5)
    text = (
        r"^beta_1=0.5 can.t be used with solver=SGD\(.*\), which has no betas: leave beta_1 out\.$"
    )
    assert_rejected(model, (X, LABELS), ValueError, text)


@pytest.mark.parametrize(
    "schedule", [cls() for cls in SCHEDULES.values() if cls().spans_fit], ids=repr
)
def test_a_stream_has_no_end(schedule):
    for name, value in [("learning_rate", schedule), ("dropout", 0.1 * WarmUp(schedule))]:
        model = classifier().set_params(**{name: value})
        text = f"^partial_fit has no end, but {name}="
        assert_rejected(model, (X, LABELS), ValueError, text, "partial_fit", classes=["down", "up"])
    model = classifier(learning_rate="one_cycle")
    with pytest.raises(ValueError, match=r"^partial_fit has no end"):
        model.partial_fit(X, LABELS, classes=["down", "up"])


@pytest.mark.parametrize("value", ["cosine", Step(), lambda clock: 1.0])
def test_lbfgs_has_no_schedules(value):
    model = classifier(solver="lbfgs", learning_rate=value)
    assert_rejected(model, (X, LABELS), ValueError, "set learning_rate='constant'")
    model = classifier(solver="lbfgs", dropout=0.1 * Step())
    assert_rejected(model, (X, LABELS), ValueError, "set dropout=0 ")
    model = classifier(solver="lbfgs", label_smoothing=0.1 * Step())
    assert_rejected(model, (X, LABELS), ValueError, "has a schedule: make it a number")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        classifier(solver="lbfgs", learning_rate="invscaling").fit(X, LABELS)
