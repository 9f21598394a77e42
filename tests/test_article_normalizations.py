"""Fact 28: batch, layer, instance and group normalisation, each against its formula."""

from __future__ import annotations

import numpy as np
import pytest

from fastmlp import MLPRegressor
from fastmlp.backends import BACKENDS

X = np.random.default_rng(0).normal(size=(40, 5))
Y = np.sin(X[:, :2])

every_backend = pytest.mark.parametrize("backend", BACKENDS)


def fitted(normalization, backend="compiled", max_iter=7, **parameters) -> MLPRegressor:
    model = MLPRegressor(
        hidden_layer_sizes=(12,),
        activation="identity",
        normalization=normalization,
        backend=backend,
        dtype="float64",
        max_iter=max_iter,
        batch_size=40,
        learning_rate_init=0.01,
        tol=0,
        random_state=0,
        **parameters,
    )
    with pytest.warns(match="not converged"):
        return model.fit(X, Y)


def expected_output(model: MLPRegressor, normalized: np.ndarray) -> np.ndarray:
    y = model.norm_gains_[0] * normalized + model.norm_shifts_[0]
    return y @ model.coefs_[1] + model.intercepts_[1]


def standardized(z: np.ndarray, axis) -> np.ndarray:
    mean, variance = z.mean(axis=axis, keepdims=True), z.var(axis=axis, keepdims=True)
    return (z - mean) / np.sqrt(variance + 1e-5)


@every_backend
def test_fact_28_layer_norm(backend):
    model = fitted("layer", backend)
    z = X @ model.coefs_[0] + model.intercepts_[0]
    expected = expected_output(model, standardized(z, axis=1))
    np.testing.assert_allclose(model.predict(X), expected, rtol=0, atol=1e-12)


@every_backend
@pytest.mark.parametrize(("name", "groups"), [("group", 3), ("instance", 6)])
def test_fact_28_group_and_instance_norm(backend, name, groups):
    model = fitted(name, backend, n_groups=3, n_channels=6)
    z = X @ model.coefs_[0] + model.intercepts_[0]
    # Channels × positions: six channels of two positions, so three groups of two channels.
    normalized = standardized(z.reshape(len(z), groups, -1), axis=2).reshape(z.shape)
    expected = expected_output(model, normalized)
    np.testing.assert_allclose(model.predict(X), expected, rtol=0, atol=1e-12)


@every_backend
def test_fact_28_batch_norm(backend):
    # With momentum 1 the running statistics are those of the one batch that an epoch has.
    model = fitted("batch", backend, batch_norm_momentum=1.0)
    before = fitted("batch", backend, batch_norm_momentum=1.0, max_iter=6)
    z = X @ before.coefs_[0] + before.intercepts_[0]
    mean, variance = model.running_means_[0], model.running_variances_[0]
    np.testing.assert_allclose(mean, z.mean(axis=0), rtol=1e-10, atol=1e-13)
    np.testing.assert_allclose(variance, z.var(axis=0, ddof=1), rtol=1e-10)
    z = X @ model.coefs_[0] + model.intercepts_[0]
    expected = expected_output(model, (z - mean) / np.sqrt(variance + 1e-5))
    np.testing.assert_allclose(model.predict(X), expected, rtol=0, atol=1e-12)


@every_backend
def test_fact_28_one_group_is_layer_norm(backend):
    one, layer = fitted("group", backend, n_groups=1), fitted("layer", backend)
    np.testing.assert_array_equal(one.predict(X), layer.predict(X))


@every_backend
def test_fact_28_a_group_for_each_channel_is_instance_norm(backend):
    group = fitted("group", backend, n_groups=4, n_channels=4)
    instance = fitted("instance", backend, n_channels=4)
    np.testing.assert_array_equal(group.predict(X), instance.predict(X))


@pytest.mark.parametrize("name", ["layer", "instance", "group"])
def test_fact_28_the_scale_of_the_weights_does_not_matter(name):
    """What saves a deep network from a bad beginning."""
    model = fitted(name, n_groups=2, n_channels=2)
    expected = model.predict(X)
    model.coefs_[0][:] *= 1000
    model.intercepts_[0][:] *= 1000
    np.testing.assert_allclose(model.predict(X), expected, rtol=0, atol=1e-3)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_fact_28_a_bad_beginning_is_learnt_from():
    """Logistic units saturate under large weights: without a norm their gradients vanish."""
    costs = {}
    for name in (None, "batch", "layer", "group"):
        model = MLPRegressor(
            hidden_layer_sizes=(32, 32, 32),
            activation="logistic",
            normalization=name,
            n_groups=4,
            init="normal",
            init_std=30.0,
            max_iter=150,
            tol=0,
            batch_size=20,
            learning_rate_init=0.01,
            random_state=0,
        )
        costs[name] = model.fit(X, Y).cost_curve_[-1]
    assert max(costs[name] for name in ("batch", "layer", "group")) < costs[None] / 20
