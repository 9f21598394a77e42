"""Facts 24 and 29 of the article: what the gallery's figures on capacity show, in numbers."""

from __future__ import annotations

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from fastmlp import MLPRegressor

NOISE = 0.3
X = (np.arange(20)[:, np.newaxis] + 0.5) / 2 - 5
GRID = np.linspace(-5, 5, 101)[:, np.newaxis]


@pytest.fixture(autouse=True)
def _one_blas_thread():
    """L-BFGS calls BLAS on short vectors, whose threads would fight with the other workers'."""
    with threadpool_limits(1, user_api="blas"):
        yield


def wave(x):
    """Return the truth (N,) at x (N, 1)."""
    return np.sin(2 * np.pi * x.ravel() / 10)


def fit(width, y, alpha=0.0, activation="tanh", seed=0, tol=1e-3):
    """Return the curve on GRID of a network trained on y (N,) at X, or at GRID if y is as long."""
    model = MLPRegressor(
        hidden_layer_sizes=(width,),
        activation=activation,
        solver="lbfgs",
        alpha=alpha,
        max_iter=5000,
        tol=tol,
        dtype="float64",
        n_threads=1,
        random_state=seed,
    )
    return model.fit(X if len(y) == len(X) else GRID, y).predict(GRID)


def parts_of_the_error(width, alpha):
    """Return bias², variance, and the error against the noiseless truth, over 20 samples."""
    rng = np.random.default_rng(0)
    curves = np.array([fit(width, wave(X) + NOISE * rng.normal(size=20), alpha) for _ in range(20)])
    bias = np.mean((curves.mean(axis=0) - wave(GRID)) ** 2)
    return bias, curves.var(axis=0).mean(), np.mean((curves - wave(GRID)) ** 2)


def test_fact_24_error_is_bias_and_variance_which_regularisation_lowers():
    stiff, free, held = (parts_of_the_error(*case) for case in ((1, 1e-3), (20, 1e-3), (20, 0.3)))
    for bias, variance, error in (stiff, free, held):
        np.testing.assert_allclose(bias + variance, error, rtol=1e-10)
    assert stiff[0] > 5 * free[0]
    assert free[1] > 2 * stiff[1]
    assert held[1] < free[1] / 1.5
    assert held[2] < min(stiff[2], free[2])


def test_fact_29_wider_layers_come_closer_to_a_continuous_function():
    x = GRID.ravel()
    target = np.sin(1.5 * x) + np.abs(x - 1) / 4  # waves and a kink

    def error(width, activation):
        curves = [fit(width, target, 0.0, activation, seed, tol=1e-6) for seed in range(3)]
        return np.median([np.sqrt(np.mean((curve - target) ** 2)) for curve in curves])

    errors = [error(width, "tanh") for width in (1, 4, 16)]
    assert errors[0] > 3 * errors[1] > 9 * errors[2]
    # Without an activation no width helps: the best straight line remains.
    line = np.polyval(np.polyfit(x, target, 1), x)
    best = np.sqrt(np.mean((line - target) ** 2))
    np.testing.assert_allclose([error(w, "identity") for w in (1, 16)], best, rtol=1e-3)
