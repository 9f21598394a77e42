"""Rosenblatt's rule in every backend: exact numbers, and the same bits everywhere."""

from __future__ import annotations

from fractions import Fraction
from functools import cache

import numpy as np
from helpers import REFERENCE, SIZES, offset_array
from helpers_looped import looped
from helpers_tolerances import assert_within, dot_bound

from fastmlp.backends.protocol import Backend


def problem(n_rows: int, fan_in: int, units: int, dtype: np.dtype, scale: float = 1.0):
    """Return x (N, I), target (N, K), rates (N,), order (2N,), w (K, I) and b (K,)."""
    rng = np.random.default_rng(0)
    arrays = (
        rng.normal(scale=scale, size=(n_rows, fan_in)),
        rng.integers(2, size=(n_rows, units)),
        rng.choice([0, 0.1, 0.7], size=n_rows),
    )
    x, target, rates = (offset_array(a.astype(dtype)) for a in arrays)
    order = np.concatenate([rng.permutation(n_rows) for _ in range(2)])
    w, b = rng.normal(size=(units, fan_in)).astype(dtype), rng.normal(size=units).astype(dtype)
    return x, target, rates, order, offset_array(w), offset_array(b)


def scores(backend: Backend, x: np.ndarray, w: np.ndarray, b: np.ndarray) -> np.ndarray:
    out = offset_array(np.full((len(x), len(w)), np.nan, x.dtype))
    backend.perceptron_scores(x, w, b, out)
    return out


@looped("fan_in", [*SIZES, 784])
def test_scores_are_the_same_bits_everywhere(backend: Backend, dtype, fan_in):
    x, _, _, _, w, b = problem(7, fan_in, 3, dtype)
    actual = scores(backend, x, w, b)
    np.testing.assert_array_equal(actual, scores(REFERENCE, x, w, b))
    exact = x.astype(np.float64) @ w.T.astype(np.float64) + b
    assert_within(actual, exact, 2 * dot_bound(x, w.T, b, dtype))


@cache
def epoch_of_the_reference(fan_in: int, units: int, dtype: np.dtype):
    """Return the number of mistakes, w and b; Python's loop takes long, and is the same for all."""
    x, target, rates, order, w, b = problem(60, fan_in, units, dtype)
    return REFERENCE.perceptron_epoch(x, target, rates, order, w, b), w, b


@looped("fan_in", [*SIZES, 784])
@looped("units", [1, 3])
def test_an_epoch_is_the_same_bits_everywhere(backend: Backend, dtype, fan_in, units):
    # Irrational steps and inputs: every product and sum is rounded.
    x, target, rates, order, w, b = problem(60, fan_in, units, dtype)
    mistakes = backend.perceptron_epoch(x, target, rates, order, w, b)
    expected, expected_w, expected_b = epoch_of_the_reference(fan_in, units, dtype)
    assert mistakes == expected > 0
    np.testing.assert_array_equal(w, expected_w)
    np.testing.assert_array_equal(b, expected_b)


def test_an_epoch_by_rational_arithmetic(backend: Backend, dtype):
    """Small whole numbers are exact: the rule itself, in a plain loop over fractions."""
    rng = np.random.default_rng(1)
    x = rng.integers(-3, 4, size=(40, 5)).astype(dtype)
    target = (x[:, :2] + x[:, 2:4] > 0).astype(dtype)
    w, b = np.zeros((2, 5), dtype), np.zeros(2, dtype)
    order, rates = np.tile(np.arange(40), 3), rng.choice([0, 1, 2], 40).astype(dtype)
    mistakes = backend.perceptron_epoch(x, target, rates, order, w, b)

    exact = [[Fraction(0)] * 6 for _ in range(2)]
    expected = 0
    for r in order.tolist():
        inputs = [Fraction(value) for value in x[r].tolist()] + [Fraction(1)]
        for unit, weights in enumerate(exact):
            fires = sum(a * v for a, v in zip(weights, inputs, strict=True)) > 0
            error = int(target[r, unit]) - int(fires)
            if error and rates[r]:
                expected += 1
                step = int(rates[r]) * error
                exact[unit] = [a + step * v for a, v in zip(weights, inputs, strict=True)]
    assert mistakes == expected
    np.testing.assert_array_equal(np.column_stack([w, b]), np.array(exact, dtype))


def test_a_row_of_rate_zero_is_passed_over(backend: Backend, dtype):
    x, target, _, order, w, b = problem(10, 4, 2, dtype)
    before = w.copy(), b.copy()
    assert backend.perceptron_epoch(x, target, np.zeros(10, dtype), order, w, b) == 0
    np.testing.assert_array_equal(w, before[0])
    np.testing.assert_array_equal(b, before[1])


def test_zero_does_not_fire(backend: Backend, dtype):
    """σ(0) = 0: an untrained unit is right about all zeros and learns from the first one."""
    x, order = np.ones((2, 3), dtype), np.array([0, 1])
    w, b, rates = np.zeros((1, 3), dtype), np.zeros(1, dtype), np.ones(2, dtype)
    assert backend.perceptron_epoch(x, np.zeros((2, 1), dtype), rates, order, w, b) == 0
    assert backend.perceptron_epoch(x, np.ones((2, 1), dtype), rates, order, w, b) == 1
    np.testing.assert_array_equal(w, 1)


def test_read_only_input(backend: Backend, dtype):
    x, target, rates, order, w, b = problem(10, 4, 2, dtype)
    for array in (x, target, rates, order):
        array.flags.writeable = False
    assert backend.perceptron_epoch(x, target, rates, order, w, b) > 0
    w.flags.writeable = b.flags.writeable = False
    assert np.isfinite(scores(backend, x, w, b)).all()
