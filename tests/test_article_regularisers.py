"""More of the introductory article's facts: penalties with every solver, and max-norm's place."""

from __future__ import annotations

import numpy as np
import pytest
from helpers import all_weights, make_recipe
from helpers_tolerances import eps

from fastmlp.backends.protocol import Backend
from fastmlp.registry import OPTIMIZERS

WEIGHTS = [1.0, -2.0, 3.0, -0.5]
GRADIENT = [0.5, 0.25, -1.0, 2.0]


def steps(backend: Backend, dtype, solver: str, n_steps: int = 1, **fields: float) -> np.ndarray:
    """Return w after steps along GRADIENT; penalties are divided by a weight sum of 4."""
    w = np.array(WEIGHTS, dtype)
    moments = np.zeros((OPTIMIZERS[solver].n_moments, len(w)), dtype)
    recipe = make_recipe(solver, learning_rate=0.25, **fields)
    for update in recipe.updates(n_steps):
        gradient = np.array(GRADIENT, dtype)
        backend.optimizer_update(
            recipe.settings, update, w, gradient, moments, *all_weights(len(w)), 4.0
        )
    return w


def test_fact_26_one_sgd_step_is_the_formula(backend: Backend, dtype):
    w, gradient = np.array(WEIGHTS, dtype), np.array(GRADIENT, dtype)
    expected = w * dtype.type(1 - 0.25 * 0.125) - dtype.type(0.25) * gradient
    np.testing.assert_array_equal(steps(backend, dtype, "sgd", weight_decay=0.125), expected)
    np.testing.assert_array_equal(steps(backend, dtype, "sgd", l2=4 * 0.125), expected)


def test_fact_26_l2_and_decay_coincide_for_plain_sgd(backend: Backend, dtype):
    penalised = steps(backend, dtype, "sgd", 20, l2=4 * 0.125)
    decayed = steps(backend, dtype, "sgd", 20, weight_decay=0.125)
    np.testing.assert_allclose(penalised, decayed, rtol=40 * eps(dtype))


@pytest.mark.parametrize("solver", ["adam", "adamw"])
def test_fact_26_adam_divides_the_penalty_by_the_gradients_size_but_not_the_decay(
    backend: Backend, dtype, solver
):
    """Adam's first step is the learning rate along the sign of each element, whatever its size."""
    w, signs = np.array(WEIGHTS), np.sign(GRADIENT)
    decayed = steps(backend, dtype, solver, weight_decay=0.125)
    np.testing.assert_allclose(decayed, w * (1 - 0.25 * 0.125) - 0.25 * signs, rtol=1e-6)
    # With the penalty the gradient is (0.625, 0, -0.625, 1.9375): of the second nothing is left.
    penalised = steps(backend, dtype, solver, l2=4 * 0.125)
    expected = w - 0.25 * np.array([1, 0, -1, 1])
    np.testing.assert_allclose(penalised, expected, rtol=1e-6)


@pytest.mark.parametrize("solver", OPTIMIZERS.names)
def test_fact_26_decay_alone_shrinks_weights_geometrically(backend: Backend, dtype, solver):
    w = np.array(WEIGHTS, dtype)
    moments = np.zeros((OPTIMIZERS[solver].n_moments, len(w)), dtype)
    recipe = make_recipe(solver, learning_rate=0.25, weight_decay=0.5)
    for update in recipe.updates(10):
        gradient = np.zeros(len(w), dtype)
        backend.optimizer_update(
            recipe.settings, update, w, gradient, moments, *all_weights(len(w)), 4.0
        )
    # A step along the decay alone is scaled to the weights' norm by a trust ratio: then lr is all.
    factor = 0.75 if OPTIMIZERS[solver].has_trust_ratio else 0.875
    expected = np.array(WEIGHTS) * factor**10
    np.testing.assert_allclose(w, expected, rtol=20 * eps(dtype))


@pytest.mark.parametrize("solver", OPTIMIZERS.names)
def test_fact_25_l1_gives_exact_zeros_with_every_solver(backend: Backend, dtype, solver):
    w = np.array(WEIGHTS, dtype)
    moments = np.zeros((OPTIMIZERS[solver].n_moments, len(w)), dtype)
    for fields, n_zeros in [({"l1": 4.0}, 4), ({"l1": 4.0, "l2": 1.0}, 4), ({"l2": 4.0}, 0)]:
        after, memory = w.copy(), moments.copy()
        recipe = make_recipe(solver, learning_rate=0.25, **fields)
        for update in recipe.updates(13):
            gradient = np.zeros(4, dtype)
            backend.optimizer_update(
                recipe.settings, update, after, gradient, memory, *all_weights(4), 4.0
            )
        assert np.sum(after == 0) == n_zeros
