"""Callbacks that act: they stop a fit, set rates, add metrics, keep copies, prune."""

from __future__ import annotations

import copy
import pickle
import sys

import numpy as np
import pytest
from helpers_rejection import state_of
from numpy.testing import assert_allclose, assert_array_equal, assert_equal

from fastmlp import EpochRecord, MLPRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

RNG = np.random.RandomState(0)
X = RNG.normal(size=(150, 5))
Y = np.sin(X[:, 0]) + 0.1 * X[:, 1]


def regressor(*callbacks, **parameters):
    defaults = {"hidden_layer_sizes": (8,), "max_iter": 6, "random_state": 0, "batch_size": 30}
    return MLPRegressor(callbacks=list(callbacks), **{**defaults, **parameters})


def parameters_of(model):
    return np.concatenate([a.ravel() for a in model.coefs_ + model.intercepts_])


def in_epoch(epoch, act):
    """Return a callback that acts on the record of one epoch."""
    return lambda record: act(record) if record.epoch == epoch else None


# -- the record ------------------------------------------------------------------------------------


def test_a_record_is_a_tuple_of_numbers():
    records = []
    regressor(records.append, max_iter=2).fit(X, Y)
    epoch, max_iter, loss, cost, score, rate, seconds = records[1]
    assert (epoch, max_iter, score, rate) == (2, 2, None, 0.001)
    assert loss > cost
    assert records[1] == (epoch, max_iter, loss, cost, score, rate, seconds)
    assert repr(records[1]).startswith("EpochRecord(epoch=2, max_iter=2, loss=")
    for twin in (copy.deepcopy(records[1]), pickle.loads(pickle.dumps(records[1]))):
        assert type(twin) is EpochRecord
        assert twin == records[1]


ACTIONS = {
    "stop": lambda record: record.stop(),
    "set_learning_rate": lambda record: record.set_learning_rate(0.1),
    "add_metric": lambda record: record.add_metric("f1", 0.5),
}


@pytest.mark.parametrize("name", ACTIONS)
@pytest.mark.parametrize("twin", [lambda record: record, copy.copy])
def test_a_record_acts_in_its_callback_only(name, twin):
    records = []
    regressor(lambda record: records.append(twin(record)), max_iter=1).fit(X, Y)
    with pytest.raises(RuntimeError, match=f"^{name} of an EpochRecord works only in the callback"):
        ACTIONS[name](records[0])


def test_a_record_is_closed_by_an_error_too():
    records = []

    def fail(record):
        records.append(record)
        raise OSError

    with pytest.raises(OSError):  # noqa: PT011 - it has no text
        regressor(fail).fit(X, Y)
    with pytest.raises(RuntimeError, match=r"^stop of an EpochRecord"):
        records[0].stop()


# -- the end ---------------------------------------------------------------------------------------


@pytest.mark.filterwarnings("error::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("parameters", [{}, {"solver": "lbfgs"}, {"early_stopping": True}])
def test_a_callback_stops_the_fit_for_its_reason(parameters, capsys):
    heard = []
    stopping = in_epoch(3, lambda record: record.stop("Enough."))
    model = regressor(stopping, heard.append, verbose=True, **parameters).fit(X, Y)
    assert (model.n_iter_, len(heard)) == (3, 3)
    assert model.stop_reason_ == "Enough."
    assert capsys.readouterr().out.splitlines()[-1] == "Enough."


@pytest.mark.filterwarnings("error::sklearn.exceptions.ConvergenceWarning")
def test_a_callback_stops_a_search_that_needed_no_step():
    model = regressor(ACTIONS["stop"], solver="lbfgs", tol=1e9).fit(X, Y)
    assert (model.n_iter_, model.stop_reason_) == (1, "A callback ended the fit.")


def test_the_first_demand_is_the_reason():
    def stop(record):
        record.stop("First.")
        record.stop("Second.")
        return True

    assert regressor(stop, lambda record: True).fit(X, Y).stop_reason_ == "First."
    assert regressor(ACTIONS["stop"]).fit(X, Y).stop_reason_ == "A callback ended the fit."
    # A loss that stalls in the same epoch is no demand.
    model = regressor(in_epoch(4, stop), tol=1e9, n_iter_no_change=2, max_iter=9).fit(X, Y)
    assert (model.n_iter_, model.stop_reason_) == (4, "First.")


@pytest.mark.parametrize(
    ("act", "error", "text"),
    [
        (lambda r: r.stop(True), TypeError, "^reason must be a text; got True"),
        (lambda r: r.stop(" "), ValueError, "^reason must not be empty"),
        (
            lambda r: r.set_learning_rate(0),
            ValueError,
            "^learning_rate must be a .* > 0",
        ),
        (lambda r: r.set_learning_rate("1"), TypeError, "^learning_rate must be .*: write 1"),
        (lambda r: r.set_learning_rate(np.nan), ValueError, "^learning_rate must be"),
        (lambda r: r.set_learning_rate(1e300), ValueError, "^learning_rate must be at most 3.4e"),
        (lambda r: r.add_metric(1, 2), TypeError, "^name must be a text; got 1"),
        (lambda r: r.add_metric("loss", 2), ValueError, "^name must not be 'loss'"),
        (lambda r: r.add_metric("f1", "2"), TypeError, "^value of 'f1' must be a number; got '2'"),
        (lambda r: r.add_metric("f1", True), TypeError, "^value of 'f1' must be a number"),
    ],
)
def test_wrong_demands_are_refused(act, error, text):
    model = regressor().fit(X, Y)
    before = state_of(model)
    with pytest.raises(error, match=text):
        model.set_params(callbacks=[act]).fit(X, Y)
    assert_equal(state_of(model), before)


# -- rates -----------------------------------------------------------------------------------------


def rates_of(model):
    return model.history_["learning_rate"]


@pytest.mark.parametrize("solver", ["sgd", "adam"])
def test_a_callback_sets_the_rate_of_what_follows(solver):
    halve = in_epoch(3, lambda record: record.set_learning_rate(np.float32(0.5)))
    model = regressor(halve, solver=solver).fit(X, Y)
    assert rates_of(model) == [0.001] * 3 + [0.5] * 3
    plain = regressor(solver=solver, max_iter=3, warm_start=True).fit(X, Y)
    assert plain.loss_curve_ == model.loss_curve_[:3]
    assert model.loss_curve_[3:] != regressor(solver=solver).fit(X, Y).loss_curve_[3:]


def test_a_rate_set_by_a_callback_is_that_of_a_fit_with_this_rate():
    """Over partial fits without momentum nothing else goes on, so both ways must agree."""
    parameters = {"solver": "sgd", "momentum": 0.0, "shuffle": False}
    acting = regressor(lambda record: record.set_learning_rate(0.25), **parameters)
    told = regressor(**parameters).partial_fit(X, Y).set_params(learning_rate_init=0.25)
    acting.partial_fit(X, Y).partial_fit(X, Y)
    assert_array_equal(parameters_of(acting), parameters_of(told.partial_fit(X, Y)))


def test_a_policy_goes_on_from_a_rate_that_was_set():
    double = in_epoch(2, lambda record: record.set_learning_rate(2 * record.learning_rate))
    policy = {"solver": "sgd", "learning_rate": "invscaling"}
    plain, doubled = (
        rates_of(regressor(**policy).fit(X, Y)),
        rates_of(regressor(double, **policy).fit(X, Y)),
    )
    assert_allclose(doubled, np.multiply(plain, [1, 1, 2, 2, 2, 2]), rtol=1e-14)
    policy = {"solver": "sgd", "learning_rate": "adaptive", "tol": 1e9, "n_iter_no_change": 1}
    records = []
    model = regressor(in_epoch(1, lambda r: r.set_learning_rate(0.1)), records.append, **policy)
    model.fit(X, Y)
    assert_allclose([r.learning_rate for r in records], [0.001, 0.1, 0.02, 0.02, 0.004, 0.004])


def test_lbfgs_has_no_rate():
    with pytest.raises(ValueError, match=r"^learning_rate can't be set: lbfgs chooses"):
        regressor(ACTIONS["set_learning_rate"], solver="lbfgs").fit(X, Y)


# -- checkpoints and pruning -----------------------------------------------------------------------


class Checkpoint:
    """Keeps a pickle of a model after every second epoch."""

    def __init__(self):
        self.model, self.pickles = None, []

    def __call__(self, record):
        if record.epoch % 2 == 0:
            self.pickles.append(pickle.dumps(self.model))

    def __reduce__(self):
        return Checkpoint, ()


@pytest.mark.parametrize("parameters", [{}, {"solver": "lbfgs"}, {"early_stopping": True}])
def test_a_checkpoint_is_the_model_of_its_epoch(parameters):
    checkpoint = Checkpoint()
    checkpoint.model = regressor(checkpoint, **parameters)
    checkpoint.model.fit(X, Y)
    models = [pickle.loads(each) for each in checkpoint.pickles]
    assert [model.n_iter_ for model in models] == [2, 4, 6]
    for model in models:
        assert model.stop_reason_ == "The fit is under way."
        if "early_stopping" not in parameters:  # which takes the best network in the end
            short = regressor(max_iter=model.n_iter_, **parameters).fit(X, Y)
            assert_array_equal(parameters_of(model), parameters_of(short))
        model.set_params(warm_start=True).fit(X, Y)


class TrialPruned(Exception):  # noqa: N818 - Optuna's name
    """What Optuna raises to end a trial."""


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
@pytest.mark.parametrize("fitted", [False, True])
def test_a_pruned_trial_leaves_the_model_as_it_was(solver, fitted):
    def prune(record):
        if record.epoch == 2:
            raise TrialPruned

    model = regressor(solver=solver)
    if fitted:
        model.fit(X, Y)
    before = state_of(model)
    with pytest.raises(TrialPruned):
        model.set_params(callbacks=[prune]).fit(X, Y)
    assert_equal(state_of(model), before)
    assert hasattr(model, "coefs_") == fitted


# -- scikit-learn's interface ---------------------------------------------------------------------


def test_an_older_scikit_learn_has_none(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn.callback", None)
    assert not hasattr(regressor(), "set_callbacks")
    with pytest.raises(AttributeError) as caught:
        regressor().set_callbacks()
    assert "needs scikit-learn 1.9 or later" in str(caught.value.__cause__)
    assert regressor().fit(X, Y).n_iter_ == 6


def test_a_record_is_not_assigned_to():
    def assign(record):
        record.learning_rate = 0.1

    text = r"^learning_rate of an EpochRecord can't be set: use set_learning_rate\.$"
    with pytest.raises(AttributeError, match=text):
        MLPRegressor(callbacks=[assign]).fit([[0.0], [1.0]], [0.0, 1.0])
