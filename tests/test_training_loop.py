"""The loop: chunks, interruption, divergence, schedules, going on, what callbacks are told."""

from __future__ import annotations

import copy
import pickle
import threading
import time
import warnings
from _thread import interrupt_main

import numpy as np
import pytest
import scipy.optimize
from helpers_rejection import parameters_of, state_of
from numpy.testing import assert_allclose, assert_array_equal, assert_equal
from sklearn.base import clone
from sklearn.neural_network import MLPClassifier as Peer

from fastmlp import DivergenceError, EpochRecord, MLPClassifier, MLPRegressor
from fastmlp.backends import BACKENDS, get_backend
from fastmlp.plan.layout import make_plan
from fastmlp.training import loop

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

RNG = np.random.RandomState(0)
X = RNG.normal(size=(150, 5))
Y = np.sin(X[:, 0]) + 0.1 * X[:, 1]
LABELS = (Y > 0).astype(int)


@pytest.fixture(params=BACKENDS)
def backend_name(request):
    return request.param


def regressor(backend="numpy", **parameters):
    defaults = {"hidden_layer_sizes": (8,), "max_iter": 6, "random_state": 0, "batch_size": 16}
    return MLPRegressor(backend=backend, **{**defaults, **parameters})


def assert_unchanged(model, before):
    assert {"coefs_", "intercepts_", "loss_curve_", "t_", "n_iter_"} <= before.keys()
    assert_equal(state_of(model), before)


# -- chunks ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("solver", ["sgd", "adam"])
def test_cutting_an_epoch_changes_nothing(solver, backend_name, monkeypatch):
    models = []
    for n_batches in (1, 10**9):  # in a call
        monkeypatch.setattr(loop, "batches_per_call", lambda *_, n=n_batches: n)
        model = regressor(backend_name, solver=solver, dropout=0.3, n_threads=2).fit(X, Y)
        models.append(model)
    assert_array_equal(*map(parameters_of, models))
    assert_allclose(models[0].loss_curve_, models[1].loss_curve_, rtol=1e-14)


@pytest.mark.parametrize(
    ("sizes", "batch_size", "expected"),
    [
        ([2, 1], 1, 3999),  # nothing but overhead
        ([784, 512, 512, 10], 128, 9),
        ([512, 1536, 1536, 20], 512, 4),
        ([784, 4096, 4096, 10], 10_000, 1),
    ],
)
def test_batches_per_call(sizes, batch_size, expected):
    plan = make_plan(sizes, ["relu"] * (len(sizes) - 2), "squared_error")
    assert loop.batches_per_call(plan, batch_size) == expected


# -- Ctrl-C ----------------------------------------------------------------------------------------


def stop_in(epoch):
    def callback(record):
        if record.epoch == epoch:
            raise KeyboardInterrupt

    return callback


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_interruption_keeps_what_was_learnt(solver, backend_name):
    model = regressor(backend_name, solver=solver, max_iter=50, callbacks=[stop_in(3)])
    with pytest.warns(UserWarning, match="interrupted"):
        model.fit(X, Y)
    assert model.n_iter_ == 3
    assert len(model.loss_curve_) == 3
    short = regressor(backend_name, solver=solver, max_iter=3).fit(X, Y)
    assert_array_equal(parameters_of(model), parameters_of(short))


class Interrupted:
    """A backend, or its executor, in whose ``n``-th training call Ctrl-C is pressed."""

    def __init__(self, wrapped, n):
        self._wrapped, self._left = wrapped, n

    def __getattr__(self, name):
        work = getattr(self._wrapped, name)
        if name == "bind":
            return lambda *arguments: Interrupted(work(*arguments), self._left)
        if name not in ("train", "gradient"):
            return work

        def counted(*arguments):
            self._left -= 1
            if self._left == 0:
                raise KeyboardInterrupt
            return work(*arguments)

        return counted


def interrupted_fit(model, n, monkeypatch):
    """Return the model after a fit that is interrupted in its n-th call of the backend."""
    backend = Interrupted(get_backend(model.backend), n)
    monkeypatch.setattr("fastmlp.estimators.answers.get_backend", lambda _: backend)
    with pytest.warns(UserWarning, match="interrupted"):
        model.fit(X, Y)
    monkeypatch.undo()
    return model


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_interruption_before_the_first_epoch_ends(solver, backend_name, monkeypatch):
    model = interrupted_fit(regressor(backend_name, solver=solver), 1, monkeypatch)
    assert model.n_iter_ == 0
    assert model.loss_curve_ == []
    assert np.isnan(model.loss_)
    assert np.isfinite(model.predict(X)).all()


def test_interruption_within_an_epoch_counts_finished_calls(backend_name, monkeypatch):
    monkeypatch.setattr("fastmlp.training.loop.batches_per_call", lambda *_: 1)
    model = regressor(backend_name, solver="adam", batch_size=10)
    model = interrupted_fit(model, 4, monkeypatch)
    assert model.n_iter_ == 0
    assert model.t_ == 30


def test_interruption_under_early_stopping_restores_the_best(backend_name):
    model = regressor(
        backend_name,
        learning_rate_init=0.3,
        early_stopping=True,
        max_iter=50,
        callbacks=[stop_in(9)],
        n_iter_no_change=50,
    )
    noise = np.random.RandomState(1).normal(size=len(X))  # nothing to learn but by heart
    with pytest.warns(UserWarning, match="interrupted"):
        model.fit(X, noise)
    best_epoch = int(np.argmax(model.validation_scores_)) + 1
    assert len(model.validation_scores_) == 9
    assert best_epoch < 9  # else the test would show nothing
    model.set_params(callbacks=[stop_in(best_epoch)])
    with pytest.warns(UserWarning, match="interrupted"):
        again = clone(model).fit(X, noise)
    assert_array_equal(parameters_of(model), parameters_of(again))


def test_a_real_signal_ends_a_long_fit(backend_name):
    regressor(backend_name).fit(X, Y)  # compiles, where there is something to compile
    model = regressor(backend_name, max_iter=10**9, tol=0, n_iter_no_change=np.inf)
    timer = threading.Timer(0.4, interrupt_main)
    began = time.perf_counter()
    timer.start()
    with pytest.warns(UserWarning, match="interrupted"):
        model.fit(X, Y)
    assert time.perf_counter() - began < 30
    assert model.n_iter_ > 0
    assert np.isfinite(parameters_of(model)).all()


# -- divergence ------------------------------------------------------------------------------------

EXPLOSIVE = {"solver": "sgd", "learning_rate_init": 1e12, "activation": "identity"}


def test_divergence_names_the_epoch(backend_name):
    model = regressor(backend_name, **EXPLOSIVE)
    with pytest.raises(DivergenceError, match=r"in epoch 1\. Try a smaller learning_rate_init"):
        model.fit(X, Y)
    assert not hasattr(model, "coefs_")
    assert not hasattr(model, "n_features_in_")


def test_divergence_in_the_last_update_is_seen(backend_name):
    model = regressor(backend_name, **EXPLOSIVE, max_iter=1, batch_size=len(X))
    model.set_params(learning_rate_init=1e300, dtype="float64")
    with pytest.raises(DivergenceError, match="parameters became infinite or NaN in epoch 1"):
        model.fit(X, Y * 1e10)


@pytest.mark.parametrize("way", ["partial_fit", "warm_start"])
def test_divergence_leaves_the_earlier_network_alone(way, backend_name):
    model = regressor(backend_name, solver="sgd", learning_rate_init=0.01).fit(X, Y)
    model.partial_fit(X, Y)
    before, twin = state_of(model), pickle.loads(pickle.dumps(model))
    model.set_params(learning_rate_init=1e12, warm_start=way == "warm_start")
    with pytest.raises(DivergenceError):
        (model.fit if way == "warm_start" else model.partial_fit)(X, 1e6 * Y)
    assert_unchanged(model, before)
    model.set_params(learning_rate_init=0.01, warm_start=False)
    for continued in (model, twin):  # moments and counters are intact too
        continued.partial_fit(X, Y)
    assert_array_equal(parameters_of(model), parameters_of(twin))


# -- going on --------------------------------------------------------------------------------------


@pytest.mark.parametrize("solver", ["sgd", "adam", "adamw"])
@pytest.mark.parametrize("how", [copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))])
def test_a_copy_goes_on_like_the_original(how, solver, backend_name):
    model = regressor(backend_name, solver=solver, dropout=0.2)
    for _ in range(3):
        model.partial_fit(X, Y)
    twin = how(model)
    assert_array_equal(twin.predict(X), model.predict(X))
    for continued in (model, twin):
        continued.partial_fit(X, Y)
    assert_array_equal(parameters_of(twin), parameters_of(model))
    twin.coefs_[0][...] = 0
    assert parameters_of(model).any()
    assert not twin.coefs_[0].any()


def test_partial_fits_are_epochs_of_a_fit(backend_name):
    # Without shuffling: a fit shuffles the order of the epoch before, a partial fit begins anew.
    pieces = regressor(backend_name, shuffle=False)
    for _ in range(6):
        pieces.partial_fit(X, Y)
    whole = regressor(backend_name, shuffle=False).fit(X, Y)
    assert_array_equal(parameters_of(pieces), parameters_of(whole))
    assert_array_equal(pieces.loss_curve_, whole.loss_curve_)
    assert (pieces.n_iter_, whole.n_iter_) == (1, 6)
    assert pieces.t_ == whole.t_ == 6 * len(X)


def test_a_changed_solver_forgets_the_memory_of_the_old_one():
    model = regressor(solver="adam").fit(X, Y)
    fresh = regressor(solver="sgd", warm_start=True).fit(X, Y)
    model.set_params(solver="sgd")
    fresh.coefs_[0][...], fresh.coefs_[1][...] = model.coefs_
    fresh.intercepts_[0][...], fresh.intercepts_[1][...] = model.intercepts_
    model.set_params(warm_start=True).fit(X, Y)
    fresh.fit(X, Y)
    assert_array_equal(parameters_of(model), parameters_of(fresh))


def test_parameters_handed_out_earlier_stay_as_they_were():
    model = regressor().fit(X, Y)
    held = model.coefs_[0]
    copied = held.copy()
    model.partial_fit(X, Y)
    assert_array_equal(held, copied)
    assert not np.array_equal(model.coefs_[0], copied)


# -- what a fit reports ----------------------------------------------------------------------------


@pytest.mark.parametrize("solver", ["sgd", "lbfgs"])
def test_callbacks_hear_of_every_epoch(solver, backend_name):
    records = []
    model = regressor(backend_name, solver=solver, alpha=0.5, callbacks=[records.append])
    model.fit(X, Y)
    assert [record.epoch for record in records] == list(range(1, model.n_iter_ + 1))
    assert [record.loss for record in records] == model.loss_curve_
    assert [record.cost for record in records] == model.cost_curve_
    assert all(record.cost < record.loss for record in records)
    assert all(isinstance(record, EpochRecord) and record.max_iter == 6 for record in records)
    assert np.all(np.diff([record.seconds for record in records]) >= 0)


def test_callbacks_hear_scores_and_rates():
    records = []
    model = MLPClassifier((4,), max_iter=4, solver="sgd", learning_rate="invscaling")
    model.set_params(early_stopping=True, backend="numpy", callbacks=[records.append])
    model.fit(X, LABELS)
    assert [record.validation_score for record in records] == model.validation_scores_
    n_train = model.t_ // model.n_iter_
    expected = [0.001 / (n_train * epoch + 1) ** 0.5 for epoch in range(1, 5)]
    assert_allclose([record.learning_rate for record in records], expected)


@pytest.mark.parametrize(
    "parameters",
    [
        {"tol": 0.5, "max_iter": 50},
        {"tol": 0.1, "max_iter": 50, "early_stopping": True},
        {"tol": 0.5, "max_iter": 300, "solver": "sgd", "learning_rate": "adaptive"},
    ],
    ids=["stalls", "stops early", "adapts"],
)
def test_verbose_prints_what_scikit_learn_prints(parameters, capsys):
    settings = {"hidden_layer_sizes": (4,), "random_state": 0, "verbose": True, **parameters}
    Peer(**settings).fit(X, LABELS)
    expected = capsys.readouterr().out
    model = MLPClassifier(**settings, dtype="float64").fit(X, LABELS)
    assert capsys.readouterr().out == expected
    assert expected.splitlines()[-1] == model.stop_reason_


def test_verbose_says_that_there_were_too_few_epochs(capsys):
    model = regressor(verbose=True, max_iter=2).fit(X, Y)
    assert capsys.readouterr().out.splitlines()[2:] == [model.stop_reason_]
    assert model.stop_reason_ == "max_iter=2 epochs are done."


def test_silence_without_verbose(capsys):
    regressor().fit(X, Y)
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
@pytest.mark.filterwarnings("default::sklearn.exceptions.ConvergenceWarning")
def test_too_few_epochs_are_told(solver):
    with pytest.warns(UserWarning, match="has not converged"):
        regressor(solver=solver, max_iter=2).fit(X, Y)


def test_too_large_a_batch_is_clipped_with_a_warning():
    with pytest.warns(UserWarning, match="batch_size=151 is clipped to the 150 rows"):
        model = regressor(batch_size=151).fit(X, Y)
    assert_array_equal(parameters_of(model), parameters_of(regressor(batch_size=150).fit(X, Y)))


@pytest.mark.filterwarnings("default::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize(
    "parameters",
    [
        {"max_iter": 2},
        {"max_iter": 2, "solver": "lbfgs"},
        {"callbacks": [stop_in(1)]},
        {"callbacks": [stop_in(1)], "solver": "lbfgs"},
        {"batch_size": 151, "tol": 1e9, "n_iter_no_change": 1},
    ],
)
def test_warnings_point_at_the_line_that_fits(parameters):
    with pytest.warns(UserWarning, match="converged|interrupted|clipped") as caught:
        regressor(**parameters).fit(X, Y)
    assert {warning.filename for warning in caught} == {__file__}
    texts = [str(warning.message) for warning in caught]
    assert len(set(texts)) == len(texts)


# -- the end by a callback -------------------------------------------------------------------------


@pytest.mark.filterwarnings("error::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize(
    "parameters",
    [{}, {"solver": "lbfgs"}, {"early_stopping": True}, {"learning_rate_init": 1e-30}],
    ids=["adam", "lbfgs", "early stopping", "worse than a constant"],
)
@pytest.mark.parametrize("kind", [bool, np.bool_])
def test_a_callback_ends_the_fit(parameters, kind, backend_name, capsys):
    heard = []
    ending = [lambda record: kind(record.epoch == 3), heard.append]
    model = regressor(backend_name, callbacks=ending, verbose=True, **parameters).fit(X, Y)
    assert (model.n_iter_, len(heard)) == (3, 3)
    assert model.stop_reason_ == "A callback returned True."
    assert capsys.readouterr().out.splitlines()[-1] == "A callback returned True."
    if "early_stopping" in parameters:
        assert model.best_validation_score_ == max(model.validation_scores_)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        short = regressor(backend_name, max_iter=3, **parameters).fit(X, Y)
    assert_array_equal(parameters_of(model), parameters_of(short))


@pytest.mark.parametrize("answer", [1, 1.0, "stop", [0], np.ones(1), np.array([True]), object()])
@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_other_answers_end_nothing(answer, solver):
    model = regressor(solver=solver, callbacks=[lambda record: answer]).fit(X, Y)
    assert model.n_iter_ == 6


def test_verbose_says_why_a_search_ended(capsys):
    model = regressor(solver="lbfgs", verbose=True).fit(X, Y)
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(",")[0] for line in lines] == [
        *(f"Iteration {n}" for n in range(1, model.n_iter_ + 1)),
        model.stop_reason_,
    ]
    assert model.stop_reason_.startswith("L-BFGS ended after 6 steps: ")


@pytest.mark.parametrize(("max_iter", "is_level"), [(3, False), (2000, True)])
def test_a_failed_line_search_is_no_trouble_on_a_level(monkeypatch, max_iter, is_level):
    def failing(*arguments, **options):
        result = minimize(*arguments, **options)
        result.status, result.message = 2, "ABNORMAL: "
        return result

    minimize = scipy.optimize.minimize
    monkeypatch.setattr(scipy.optimize, "minimize", failing)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model = regressor(solver="lbfgs", alpha=1.0, tol=0.0, max_iter=max_iter).fit(X, Y)
    assert ("no step changes the objective" in model.stop_reason_) == is_level
    assert any("ABNORMAL" in str(each.message) for each in caught) != is_level
