"""A fitted model is read by the parameters of its fit, whatever is set for the next one."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest
from helpers_rejection import LABELS, X, Y, assert_rejected, classifier, regressor
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.neural_network import MLPRegressor as Peer

from fastmlp import MLPRegressor
from fastmlp.backends import BACKENDS

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

every_backend = pytest.mark.parametrize("backend", BACKENDS)
POSITIVE = np.abs(Y) + 0.1
INDICATORS = np.c_[Y > 0, X[:, 0] > 0, X[:, 1] > 0].astype(int)
SHARES = np.abs(X) / np.abs(X).sum(axis=1, keepdims=True)


def all_of(model, y):
    """Return everything that a fitted model says of ``X`` and ``y``."""
    said = [model.predict(X), model.score(X, y), model.loss_per_sample(X, y)]
    said += [model.cost(X, y), model.objective(X, y)]
    if hasattr(model, "predict_proba"):
        said += [model.predict_proba(X), model.decision_function(X)]
    return said


@pytest.mark.parametrize(
    ("make", "y", "fitted", "later"),
    [
        (regressor, Y, {"loss": "pinball", "quantiles": [0.2, 0.8]}, {"quantiles": 0.5}),
        (regressor, Y, {"loss": "pinball", "quantiles": 0.2}, {"quantiles": [0.2, 0.8]}),
        (regressor, Y, {"loss": "pinball", "quantiles": [0.2]}, {"quantiles": 0.2}),
        (regressor, Y, {"loss": "pinball", "quantiles": [0.2]}, {"loss": "poisson"}),
        (regressor, Y, {"loss": "huber"}, {"loss": "gamma", "huber_delta": 3.0}),
        (regressor, POSITIVE, {"loss": "tweedie"}, {"tweedie_power": 2, "loss": "pinball"}),
        (regressor, Y, {"alpha": 0.5, "l1": 0.2}, {"alpha": 0.0, "l1": 0.0}),
        (classifier, LABELS, {"label_smoothing": 0.3}, {"label_smoothing": 0.0}),
        (classifier, INDICATORS, {"label_smoothing": 0.3}, {"loss": "kl_divergence"}),
        (classifier, LABELS, {}, {"loss": "focal", "label_smoothing": 0.4}),
        (classifier, SHARES, {}, {"loss": "multi_margin"}),
        (classifier, INDICATORS, {}, {"loss": "kl_divergence"}),
    ],
)
def test_parameters_of_the_next_fit_change_nothing_yet(make, y, fitted, later):
    model = make(**fitted, random_state=0).fit(X, y)
    before = all_of(model, y)
    for twin in (model, pickle.loads(pickle.dumps(model)), copy.deepcopy(model)):
        for now, then in zip(all_of(twin.set_params(**later), y), before, strict=True):
            assert_array_equal(now, then)


def test_errors_name_the_loss_of_the_fit():
    model = regressor(loss="poisson").fit(X, POSITIVE).set_params(loss="gaussian_nll")
    text = "needs a model fitted with loss='gaussian_nll'; this one has 'poisson'"
    assert_rejected(model, (X,), ValueError, text, method="predict", return_std=True)
    assert_rejected(model, (X, -POSITIVE), ValueError, "^loss='poisson' needs", method="cost")


def test_a_warm_start_reads_the_parameters_anew():
    model = regressor(loss="pinball", quantiles=0.5, warm_start=True, standardize_target=False)
    model.fit(X, Y).set_params(quantiles=[0.5]).fit(X, Y)
    assert model.predict(X).shape == (40, 1)
    model.set_params(alpha=2.0).partial_fit(X, Y)
    squares = sum((w.astype(float) ** 2).sum() for w in model.coefs_)
    assert_allclose(model.objective(X, Y) - model.cost(X, Y), squares / 40, rtol=1e-6)


# -- going on with another loss --------------------------------------------------------------------


@pytest.mark.parametrize("early_stopping", [False, True])
@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"loss": "smooth_l1"}, {"loss": "squared_error"}),
        ({"loss": "smooth_l1", "smooth_l1_beta": 100.0}, {"smooth_l1_beta": 0.1}),
        ({"loss": "pinball", "quantiles": 0.99}, {"quantiles": 0.5}),
    ],
)
def test_the_best_of_another_loss_is_forgotten(before, after, early_stopping):
    """Otherwise the second fit has less than that to beat, and ends after each epoch."""
    settings = {"max_iter": 60, "tol": 0.1, "n_iter_no_change": 4, "warm_start": True}
    model = regressor(random_state=0, early_stopping=early_stopping, **settings, **before)
    model.fit(X, 10 * Y)
    model.set_params(**after, tol=0, max_iter=20, n_iter_no_change=19).fit(X, 10 * Y)
    assert model.n_iter_ == 20
    if early_stopping:
        assert model.best_validation_score_ == max(model.validation_scores_[-20:])
    else:
        assert model.best_loss_ == min(model.loss_curve_[-20:])


def test_the_best_of_another_label_smoothing_is_forgotten():
    model = classifier(random_state=0, warm_start=True, max_iter=30, learning_rate_init=0.05)
    model.fit(X, LABELS)
    model.set_params(label_smoothing=0.5, n_iter_no_change=2, max_iter=20).fit(X, LABELS)
    assert model.best_loss_ == min(model.loss_curve_[30:])


def test_lbfgs_forgets_it_too():
    model = regressor(loss="smooth_l1", smooth_l1_beta=100.0, solver="lbfgs", warm_start=True)
    model.fit(X, Y)
    least = model.loss_
    model.set_params(loss="squared_error").fit(X, Y)
    assert model.best_loss_ == min(model.loss_curve_[-model.n_iter_ :]) > least
    best = model.best_loss_
    assert model.fit(X, Y).best_loss_ <= best


# -- the objective ---------------------------------------------------------------------------------


@every_backend
@pytest.mark.parametrize("loss", ["squared_error", "pinball"])
def test_the_objective_is_what_the_curve_reports(loss, backend):
    """Of several outputs too, and as scikit-learn reports it."""
    y = np.c_[Y, -2 * Y, Y + 1]
    still = {"solver": "sgd", "learning_rate_init": 1e-300, "max_iter": 1, "batch_size": 40}
    model = MLPRegressor(loss, (4,), alpha=0.7, quantiles=(0.1, 0.5), dtype="float64", **still)
    model.set_params(backend=backend, random_state=0).fit(X, y)
    assert_allclose(model.loss_curve_[0], model.objective(X, y), rtol=1e-12)
    assert_allclose(model.best_loss_, model.objective(X, y), rtol=1e-12)
    if loss == "squared_error":
        peer = Peer(hidden_layer_sizes=(4,), alpha=0.7, random_state=0, **still).fit(X, y)
        assert_allclose(model.loss_, peer.loss_, rtol=1e-12)


@every_backend
def test_lbfgs_minimises_the_sum_over_targets(backend):
    """A linear network, so that the least objective is known in closed form."""
    y, alpha = np.c_[Y, 3 * X[:, 2]], 4.0
    model = MLPRegressor(
        "squared_error", (), alpha=alpha, solver="lbfgs", tol=1e-10, dtype="float64", max_iter=500
    )
    model.set_params(backend=backend, random_state=0).fit(X, y)
    inputs, targets = X - X.mean(axis=0), y - y.mean(axis=0)
    weights = np.linalg.solve(inputs.T @ inputs + alpha * np.eye(3), inputs.T @ targets)
    assert_allclose(model.coefs_[0], weights, rtol=0, atol=1e-4)


@pytest.mark.parametrize("form", [sparse.csr_array, sparse.csc_matrix, np.ndarray.tolist])
@pytest.mark.parametrize("method", ["cost", "objective", "loss_per_sample"])
def test_forms_of_indicators(form, method):
    model = classifier(random_state=0).fit(X, INDICATORS)
    expected = getattr(model, method)(X, INDICATORS)
    assert_array_equal(getattr(model, method)(X, form(INDICATORS)), expected)


@pytest.mark.parametrize("method", ["cost", "objective"])
def test_wrong_weights(method):
    model = regressor().fit(X, Y)
    text = "^sample_weight must not be negative; got -1"
    assert_rejected(model, (X, Y, np.full(40, -1.0)), ValueError, text, method=method)


@pytest.mark.parametrize("quantiles", [0.5, [0.1, 0.9]])
def test_wrong_input_of_the_score_of_quantiles(quantiles):
    model = regressor(loss="pinball", quantiles=quantiles).fit(X, Y)
    for arguments, text in [
        ((X, Y[:-1]), "X and y must have the same number of rows; got 40 and 39"),
        ((X, np.c_[Y, Y]), "y has 2 columns, but the network was made for 1"),
        ((X, Y, np.full(40, -1.0)), "sample_weight must not be negative; got -1"),
    ]:
        assert_rejected(model, arguments, ValueError, text, method="score")


# -- partial fits ----------------------------------------------------------------------------------


def test_partial_fits_shuffle_as_scikit_learns_do():
    """An integer ``random_state`` begins each call with the same draws, there as here."""
    settings = {"solver": "sgd", "batch_size": 7, "random_state": 3, "learning_rate_init": 0.05}
    model, peer = (
        MLPRegressor("squared_error", (4,), dtype="float64", **settings),
        Peer(hidden_layer_sizes=(4,)),
    )
    peer.set_params(**settings)
    for _ in range(4):
        model.partial_fit(X, Y)
        peer.partial_fit(X, Y)
        assert_allclose(model.coefs_[0], peer.coefs_[0], rtol=1e-9, atol=1e-12)
