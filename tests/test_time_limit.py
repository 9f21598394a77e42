"""Fits that end when their time is over, by a clock that moves when the test says so."""

from __future__ import annotations

import numpy as np
import pytest
from helpers_clock import slow_clock
from numpy.testing import assert_array_equal
from sklearn.base import clone

from fastmlp import MLPClassifier, MLPRegressor
from fastmlp.schedules import OneCycle
from fastmlp.training import clock
from fastmlp.training.courses import Rates

pytestmark = pytest.mark.filterwarnings("error::sklearn.exceptions.ConvergenceWarning")

RNG = np.random.RandomState(0)
X = RNG.normal(size=(200, 3))
Y = np.sin(X[:, 0]) + 0.1 * X[:, 1]


@pytest.fixture
def slow(monkeypatch):
    """A clock of slow work, in calls of ten rows."""
    return slow_clock(monkeypatch)


def regressor(limit, **parameters):
    defaults = {"hidden_layer_sizes": (4,), "max_iter": 10**6, "random_state": 0, "batch_size": 10}
    defaults |= {"tol": 0.0, "n_iter_no_change": np.inf}
    return MLPRegressor(time_limit=limit, **{**defaults, **parameters})


def parameters_of(model):
    return np.concatenate([a.ravel() for a in model.coefs_ + model.intercepts_])


@pytest.mark.parametrize("parameters", [{}, {"early_stopping": True}, {"callbacks": [len]}])
@pytest.mark.parametrize("limit", [3.0, 7.7, 30.0])
@pytest.mark.parametrize("trained", [1.7e-3, 7e-3])
def test_a_fit_takes_as_long_as_it_may(slow, trained, limit, parameters):
    slow.trained, slow.predicted = trained, trained / 3
    began = slow.time
    model = regressor(limit, **parameters).fit(X, Y)
    assert slow.time - began == pytest.approx(limit, rel=0.05)
    assert model.stop_reason_ == f"time_limit={limit:g} seconds are over."


def test_the_end_is_that_of_the_nearest_call(slow):
    slow.trained = 0.1  # a second for each call
    for limit, n_calls in ((4.4, 4), (4.6, 5), (0.1, 1), (20.4, 20)):
        began = slow.calls
        model = regressor(limit).fit(X, Y)
        assert slow.calls - began == n_calls
        assert (model.t_, model.n_iter_) == (10 * n_calls, n_calls // 20)
        assert len(model.loss_curve_) == n_calls // 20


def test_what_was_learnt_is_kept_in_the_middle_of_an_epoch(slow):
    slow.trained = 0.1
    model = regressor(27.0).fit(X, Y)
    assert (model.n_iter_, model.t_) == (1, 270)
    # The first rows of the second epoch, of the same order, as a part of their own.
    order, rng = np.arange(200), np.random.RandomState(0)
    twin = regressor(None).set_params(random_state=rng, max_iter=1)
    with pytest.warns(UserWarning, match="not converged"):
        twin.fit(X, Y)
    rng_of_fit = np.random.RandomState(0)
    rng_of_fit.set_state(rng.get_state())
    first = np.random.RandomState(0)
    _draw_weights(first)
    first.shuffle(order)
    rng_of_fit.shuffle(order)
    twin.set_params(shuffle=False).partial_fit(X[order[:70]], Y[order[:70]])
    assert_array_equal(parameters_of(model), parameters_of(twin))


def _draw_weights(rng):
    """Draw what the first weights and biases of the network take."""
    for fan_in, fan_out in ((3, 4), (4, 1)):
        rng.uniform(size=(fan_in, fan_out))
        rng.uniform(size=fan_out)


def test_the_best_network_is_kept(slow):
    slow.trained = 0.01
    noise = np.random.RandomState(1).normal(size=200)  # nothing to learn but by heart
    parameters = {"early_stopping": True, "learning_rate_init": 0.01}
    model = regressor(36.0, **parameters).fit(X, noise)
    best = int(np.argmax(model.validation_scores_)) + 1
    assert 1 < best < model.n_iter_ == 20
    short = regressor(None, max_iter=best, **parameters)
    with pytest.warns(UserWarning, match="not converged"):
        short.fit(X, noise)
    assert_array_equal(parameters_of(model), parameters_of(short))


def test_scores_and_callbacks_take_time_too(slow):
    slow.predicted = 0.05  # 20 rows are held out: one second an epoch

    def wait(record):
        slow.time += 2

    began = slow.time
    model = regressor(31.0, early_stopping=True, callbacks=[wait]).fit(X, Y)
    assert slow.time - began == pytest.approx(30)
    assert model.n_iter_ == 10


def test_checks_of_the_data_take_time_too(slow):
    class Slow:
        def __array__(self, dtype=None, copy=None):
            slow.time = 1005.0
            return X

    slow.trained = 0.1
    model = regressor(10.0).fit(Slow(), Y)
    assert model.t_ == 50


def test_a_classifier_has_a_limit(slow):
    slow.trained = 0.1
    model = MLPClassifier((4,), time_limit=30.0, batch_size=10).fit(X, Y > 0)
    assert (model.n_iter_, model.t_) == (1, 300)


@pytest.mark.parametrize(("limit", "said"), [(0.5, " before the first epoch is done"), (25.0, "")])
def test_the_reason_says_if_no_epoch_was_done(slow, limit, said, capsys):
    slow.trained = 0.1
    model = regressor(limit, verbose=True).fit(X, Y)
    assert model.stop_reason_ == f"time_limit={limit:g} seconds are over{said}."
    assert capsys.readouterr().out.splitlines()[-1] == model.stop_reason_


def rates_of(monkeypatch):
    """Return a list to which the learning rates of each call are added."""
    rates, values = [], Rates._values

    def watched(self, clock):
        found = values(self, clock)
        if len(clock.update) > 0:
            rates.append(float(np.ravel(found)[-1]))
        return found

    monkeypatch.setattr(Rates, "_values", watched)
    return rates


@pytest.mark.parametrize("parameters", [{}, {"early_stopping": True}])
@pytest.mark.parametrize("limit", [4.3, 6.6, 9.9, 101.0])
def test_schedules_of_the_whole_fit_end_with_the_time(slow, limit, parameters, monkeypatch):
    slow.trained, slow.predicted = 0.005, 0.005  # one second an epoch
    rates = rates_of(monkeypatch)
    cycle = OneCycle(pct_start=0.25)
    began = slow.time
    model = regressor(limit, learning_rate=cycle, max_iter=5000, **parameters).fit(X, Y)
    assert int(limit) <= model.n_iter_ <= 1.03 * limit
    assert slow.time - began <= 1.03 * limit
    assert model.stop_reason_ == f"time_limit={limit:g} seconds are over."
    assert max(rates) > 0.9e-3
    assert rates[-1] < 0.02e-3
    steps = np.diff(np.log(rates[3 * len(rates) // 10 :]))  # beyond the top
    assert steps.max() < 0.05


@pytest.mark.parametrize("trained", [0.005, 0.02])
def test_epochs_that_last_longer_than_the_first_leave_the_schedule_whole(
    slow, trained, monkeypatch
):
    rates, calls = rates_of(monkeypatch), []

    def slower(record):
        calls.append(record.epoch)
        slow.trained = trained if len(calls) > 3 else 0.01

    slow.trained = 0.01  # two seconds an epoch, then one or four
    began = slow.time
    model = regressor(33.0, learning_rate="one_cycle", max_iter=50, callbacks=[slower])
    model.fit(X, Y)
    assert model.n_iter_ == len(calls) > 8
    assert 0.85 * 33 < slow.time - began <= 1.03 * 33
    assert rates[-1] < 0.02e-3


def test_within_an_epoch_schedules_end_with_the_time(slow, monkeypatch):
    slow.trained = 0.1  # twenty seconds an epoch
    rates = rates_of(monkeypatch)
    model = regressor(15.0, learning_rate=OneCycle(pct_start=0.25), max_iter=50).fit(X, Y)
    assert (model.n_iter_, model.t_) == (0, 150)
    assert max(rates) > 0.9e-3
    assert rates[-1] < 0.03e-3


def test_a_schedule_that_there_is_time_for_knows_no_limit(slow):
    slow.trained = 0.005
    parameters = {"learning_rate": "one_cycle", "max_iter": 12, "early_stopping": True}
    models = [
        regressor(limit, learning_rate_init=0.05, **parameters).fit(X, Y) for limit in (None, 12.5)
    ]
    assert models[0].stop_reason_ == models[1].stop_reason_ == "max_iter=12 epochs are done."
    assert_array_equal(*map(parameters_of, models))


@pytest.mark.parametrize("limit", [1.0, 2.0, 3.0])
def test_lbfgs_ends_between_evaluations(slow, limit):
    slow.evaluated = 0.125
    began = slow.time
    model = regressor(limit, solver="lbfgs").fit(X, Y)
    assert slow.time - began == pytest.approx(limit, abs=0.07)
    assert model.stop_reason_ == f"time_limit={limit:g} seconds are over."
    short = regressor(None, solver="lbfgs", max_iter=model.n_iter_)
    with pytest.warns(UserWarning, match="not converged"):
        short.fit(X, Y)
    assert_array_equal(parameters_of(model), parameters_of(short))


def test_a_fit_that_ends_before_knows_no_limit(slow):
    slow.trained = 0.001
    stalling = regressor(None, tol=0.2, n_iter_no_change=3, learning_rate_init=0.03)
    models = [clone(stalling).set_params(time_limit=limit).fit(X, Y) for limit in (None, 60.0)]
    assert models[0].stop_reason_ == models[1].stop_reason_
    assert "did not improve" in models[0].stop_reason_
    assert_array_equal(*map(parameters_of, models))


def test_partial_fits_have_no_limit(slow):
    slow.trained = 10.0
    model, plain = regressor(0.5), regressor(None)
    for part in (slice(0, 200), slice(0, 10), slice(10, 20)):
        for each in (model, plain):
            each.partial_fit(X[part], Y[part])
    assert model.stop_reason_ == "A partial fit is one epoch."
    assert_array_equal(parameters_of(model), parameters_of(plain))


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_without_a_limit_nothing_depends_on_the_clock(solver, monkeypatch):
    models = []
    for times in (range(10**6), np.random.RandomState(0).normal(size=10**6) * 1e9):
        monkeypatch.setattr(clock, "now", iter(times).__next__)
        model = regressor(None, solver=solver, max_iter=9, n_iter_no_change=10, tol=1e-3)
        with pytest.warns(UserWarning, match="not converged"):
            models.append(model.fit(X, Y))
    assert models[0].loss_curve_ == models[1].loss_curve_
    assert_array_equal(*map(parameters_of, models))
