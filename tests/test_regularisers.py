"""Regularisers as an estimator's user meets them."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.linear_model import ElasticNet

from fastmlp import MLPClassifier, MLPRegressor
from fastmlp.backends import BACKENDS

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

RNG = np.random.RandomState(0)
X = RNG.normal(size=(120, 6))
Y = X[:, 0] * 2 - X[:, 2] + 0.1 * RNG.normal(size=120)
LABELS = (Y > 0).astype(int)


@pytest.fixture(params=BACKENDS)
def backend(request):
    return request.param


def regressor(backend, **parameters):
    defaults = {"hidden_layer_sizes": (12, 7), "max_iter": 4, "random_state": 0, "batch_size": 40}
    return MLPRegressor(backend=backend, **{**defaults, **parameters})


def classifier(backend, **parameters):
    defaults = {"hidden_layer_sizes": (12, 7), "max_iter": 4, "random_state": 0, "batch_size": 40}
    return MLPClassifier(backend=backend, **{**defaults, **parameters})


def weights_of(model):
    return np.concatenate([w.ravel() for w in (*model.coefs_, *model.intercepts_)])


OPTIONS = [
    {"max_norm": 0.5},
    {"input_noise": 0.5},
    {"gradient_noise": 0.1},
    {"gradient_noise": 0.1, "gradient_noise_decay": 0.55},
    {"clip_value": 1e-3},
    {"clip_norm": 1e-3},
    {"dropout": [0.0, 0.5]},
    {"dropout": [0.5, 0.0]},
    {"input_dropout": 0.3},
]


@pytest.mark.parametrize("option", OPTIONS, ids=str)
@pytest.mark.parametrize("solver", ["sgd", "adam", "adamw"])
def test_every_option_acts_and_repeats(backend, solver, option):
    for make, target in ((regressor, Y), (classifier, LABELS)):
        plain = make(backend, solver=solver, epsilon=1e-3).fit(X, target)
        model = make(backend, solver=solver, epsilon=1e-3, **option)
        first = weights_of(model.fit(X, target))
        assert np.abs(first - weights_of(plain)).max() > 1e-5
        assert_array_equal(weights_of(model.fit(X, target)), first)


@pytest.mark.parametrize("option", OPTIONS, ids=str)
def test_backends_agree_on_every_option(backend, option):
    fits = [regressor(name, solver="sgd", dtype="float64", **option) for name in (backend, "numpy")]
    actual, expected = (weights_of(model.fit(X, Y)) for model in fits)
    assert_allclose(actual, expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("option", [{"input_noise": 0.5}, {"gradient_noise": 0.1}], ids=str)
def test_noise_follows_random_state_and_goes_on_in_partial_fits(backend, option):
    vectors = [weights_of(regressor(backend, random_state=s, **option).fit(X, Y)) for s in (0, 1)]
    assert not np.array_equal(*vectors)
    model = regressor(backend, **option)
    models = [model.partial_fit(X, Y).predict(X) for _ in range(2)]
    assert not np.array_equal(*models)
    assert_array_equal(model.predict(X), models[1])


def test_without_noise_no_number_is_drawn(backend):
    """Else fits would no longer follow scikit-learn's stream of random numbers."""
    plain = regressor(backend).fit(X, Y)
    bounded = regressor(backend, max_norm=1e6, clip_value=1e6, gradient_noise_decay=1.0).fit(X, Y)
    assert_array_equal(weights_of(bounded), weights_of(plain))


def test_max_norm_bounds_hidden_units_only(backend):
    model = regressor(backend, max_norm=0.3, learning_rate_init=0.05).fit(X, Y)
    *hidden, last = (np.linalg.norm(w, axis=0) for w in model.coefs_)
    for norms in hidden:
        assert norms.max() < 0.3 * (1 + 1e-6)
    assert last.max() > 0.4


def test_clip_norm_bounds_a_step_of_plain_descent(backend):
    model = regressor(
        backend, solver="sgd", momentum=0, batch_size=120, max_iter=1, clip_norm=0.5,
        learning_rate_init=0.1, dtype="float64",
    )  # fmt: skip
    before = weights_of(model.fit(X, 100 * Y))
    step = weights_of(model.partial_fit(X, 100 * Y)) - before
    assert_allclose(np.linalg.norm(step), 0.1 * 0.5, rtol=1e-5)


def test_clip_value_bounds_each_element_of_a_step(backend):
    model = regressor(
        backend, solver="sgd", momentum=0, batch_size=120, max_iter=1, clip_value=0.25,
        learning_rate_init=0.1, dtype="float64",
    )  # fmt: skip
    before = weights_of(model.fit(X, 100 * Y))
    step = weights_of(model.partial_fit(X, 100 * Y)) - before
    assert_allclose(np.abs(step).max(), 0.1 * 0.25, rtol=1e-9)


@pytest.mark.parametrize("option", [{"clip_norm": 1.0}, {"clip_value": 0.1}], ids=str)
def test_clipping_saves_a_fit_that_diverges(backend, option):
    steep = {"solver": "sgd", "learning_rate_init": 0.05, "max_iter": 30, "momentum": 0.0}
    with pytest.raises(ValueError, match="infinite or NaN"):
        regressor(backend, **steep).fit(X, 1e4 * Y)
    model = regressor(backend, **steep, **option).fit(X, 1e4 * Y)
    assert np.isfinite(model.loss_curve_).all()


def test_alpha_and_l1_are_the_elastic_net(backend):
    """On one full batch: l1 = N a r and alpha = N a (1 − r)."""
    strength, ratio, n = 0.3, 0.6, len(X)
    expected = ElasticNet(alpha=strength, l1_ratio=ratio, tol=1e-12, max_iter=100_000).fit(X, Y)
    model = regressor(
        backend, hidden_layer_sizes=(), solver="sgd", momentum=0.0, learning_rate_init=0.3,
        alpha=n * strength * (1 - ratio), l1=n * strength * ratio, batch_size=n, max_iter=500,
        tol=0, dtype="float64", n_iter_no_change=np.inf,
    ).fit(X, Y)  # fmt: skip
    assert_allclose(model.coefs_[0][:, 0], expected.coef_, rtol=0, atol=1e-10)
    assert_allclose(model.intercepts_[0], expected.intercept_, atol=1e-10)
    assert 0 < np.count_nonzero(model.coefs_[0]) < X.shape[1]
    penalty = strength * (ratio * np.abs(expected.coef_).sum())
    penalty += strength * (1 - ratio) / 2 * (expected.coef_**2).sum()
    assert_allclose(model.objective(X, Y) - model.cost(X, Y), penalty, rtol=1e-9)


@pytest.mark.parametrize("position", [0, 1, 2])
def test_dropout_of_one_layer_leaves_the_other_layers_units(backend, position):
    """Dropping nearly all inputs of a layer stops its weights' gradients in most batches."""
    dropouts = [0.0, 0.0, 0.0]
    dropouts[position] = 0.999
    model = regressor(
        backend, activation="tanh", alpha=0.0, solver="sgd", momentum=0.0, batch_size=1, max_iter=1,
        input_dropout=dropouts[0], dropout=dropouts[1:], hidden_layer_sizes=(5, 4),
    )  # fmt: skip
    few = X[:3]
    before = [w.copy() for w in model.fit(few, Y[:3]).coefs_]
    model.partial_fit(few, Y[:3])
    changed = [np.mean(w != old) for w, old in zip(model.coefs_, before, strict=True)]
    assert changed[position] < 0.5
    # What is dropped also cuts off the layers below; those above still learn from biases.
    assert all(share < 0.5 for share in changed[:position])
