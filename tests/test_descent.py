"""The gradient descent laboratory: paths by hand, what becomes of them, bad input."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from fastmlp import gradient_descent


def f(x):
    return 4 * x**2


def df(x):
    return 8 * x


def descend(learning_rate, n_steps, **options):
    return gradient_descent(f, df, 2.0, learning_rate, n_steps, **options)


def test_fact_12_without_a_learning_rate_it_diverges():
    path = descend(1.0, 2)
    assert_array_equal(path.x, [2, -14, 98])
    assert_array_equal(path.f, [16, 784, 38416])
    assert_array_equal(path.gradient, [16, -112, 784])
    assert path.diverged
    assert not path.converged
    assert repr(path) == "<Descent: diverged after 2 steps, x: 2. → 98., f: 16 → 38416>"


@pytest.mark.parametrize(
    ("learning_rate", "factor", "status"),
    [
        (1, -7, "diverged"),
        (0.25, -1, "under way"),
        (0.24, -0.92, "converged"),
        (0.1, 0.2, "converged"),
    ],
)
def test_fact_13_learning_rates(learning_rate, factor, status):
    path = descend(learning_rate, 300)
    expected = 2 * float(factor) ** np.arange(path.n_steps + 1)
    assert_allclose(path.x, expected, rtol=1e-13 * 300)
    assert path.status == status


def test_an_overflow_is_reported_without_a_warning():
    path = descend(1.0, 10_000)  # warnings are errors here
    assert path.overflowed
    assert path.diverged
    # f = 4 · (2 · 7ⁿ)² is finite as long as it is below 2^1024.
    assert path.n_steps == math.floor((1024 - 4) / (2 * math.log2(7)))
    assert np.isfinite(path.f).all()
    assert "diverged by overflow after" in repr(path)


def test_functions_that_raise_where_numpy_overflows():
    path = gradient_descent(lambda x: math.exp(x * x), lambda x: 2 * x * math.exp(x * x), 2.0, 1.0)
    assert path.overflowed
    assert_array_equal(path.x, [2.0])


def test_a_function_that_ends():
    with np.errstate(all="raise"):
        path = gradient_descent(np.log, lambda x: 1 / x, 1.0, 3.0, 5)
    assert path.overflowed
    assert_array_equal(path.x, [1.0])


def test_arrays_of_any_shape():
    target = np.arange(6.0).reshape(2, 3)
    path = gradient_descent(
        lambda x: np.sum((x - target) ** 2), lambda x: 2 * (x - target), np.zeros((2, 3)), 0.25, 60
    )
    assert path.x.shape == path.gradient.shape == (61, 2, 3)
    assert path.f.shape == (61,)
    assert_allclose(path.x[1], target / 2)
    assert_allclose(path.x[-1], target, atol=1e-12)
    assert path.converged


def test_the_tolerance_ends_the_path():
    path = descend(0.1, 100, tol=1e-3)
    # 8 · 2 · 0.2ⁿ ≤ 1e-3 for n ≥ 6.02 only.
    assert path.n_steps == 7
    assert path.converged
    assert descend(0.1, 3, tol=1e-3).status == "under way"
    assert descend(0.1, 0).n_steps == 0


def test_a_path_that_comes_to_rest_higher_up_has_not_diverged():
    """One long step leads out of the valley onto the plain, where the gradient vanishes."""
    path = gradient_descent(
        lambda x: 1 - np.exp(-(x**2)), lambda x: 2 * x * np.exp(-(x**2)), 0.3, 100.0, 3, tol=1e-9
    )
    assert path.n_steps == 1
    assert path.f[-1] > path.f[0]
    assert path.converged
    assert not path.diverged
    assert path.status == "converged"


def test_a_start_at_the_minimum():
    path = gradient_descent(f, df, 0.0, 0.1, 3)
    assert_array_equal(path.x, np.zeros(4))
    assert path.converged
    assert gradient_descent(f, df, 0.0, tol=0).n_steps == 0


def test_momentum_by_hand():
    # v₁ = -0.1 · 16, x₁ = 0.4; v₂ = 0.5 · -1.6 - 0.1 · 3.2, x₂ = 0.4 - 1.12.
    assert_allclose(descend(0.1, 2, momentum=0.5).x, [2, 0.4, -0.72], rtol=1e-14)


def test_momentum_is_faster_along_a_narrow_valley():
    scale = np.array([1.0, 100.0])
    plain, heavy = (
        gradient_descent(
            lambda x: x @ (scale * x) / 2, lambda x: scale * x, [1.0, 1.0], 0.018, 150, momentum=m
        )
        for m in (0.0, 0.8)
    )
    assert heavy.f[-1] < 1e-5 * plain.f[-1]


def test_functions_cannot_move_the_path():
    def moving(x):
        x *= 0
        return 0.0

    start = np.ones(2)
    path = gradient_descent(moving, lambda x: np.ones(2), start, 0.5, 1)
    assert_array_equal(path.x, [[1, 1], [0.5, 0.5]])
    assert_array_equal(start, 1)


@pytest.mark.parametrize(
    ("options", "error", "text"),
    [
        ({"f": 3}, TypeError, "f must be a function of x; got 3"),
        ({"df": None}, TypeError, "df must be a function"),
        ({"x0": np.nan}, ValueError, "x0 must be finite"),
        ({"x0": "two"}, ValueError, "x0"),
        ({"x0": 1e200}, ValueError, "finite at x0"),
        ({"learning_rate": 0}, ValueError, "learning_rate must be a finite number > 0"),
        ({"learning_rate": "1"}, TypeError, "learning_rate must be"),
        ({"n_steps": -1}, ValueError, "n_steps must be an integer ≥ 0"),
        ({"n_steps": 2.0}, TypeError, "n_steps must be an integer"),
        ({"momentum": 1}, ValueError, "momentum must be a number ≥ 0 and < 1"),
        ({"tol": -1}, ValueError, "tol must be a finite number ≥ 0 or None"),
        ({"f": lambda x: [x, x]}, ValueError, "f must return one real number"),
        ({"f": lambda x: x * 1j}, ValueError, "f must return one real number"),
        ({"df": lambda x: [x, x]}, ValueError, r"df must return real numbers of shape \(\)"),
        ({"x0": [1.0, 2.0], "f": np.sum, "df": np.sum}, ValueError, r"of shape \(2,\), that of x0"),
    ],
)
def test_bad_input(options, error, text):
    with pytest.raises(error, match=text):
        gradient_descent(**{"f": f, "df": df, "x0": 2.0, **options})
