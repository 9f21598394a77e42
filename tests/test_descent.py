"""The gradient descent laboratory: paths by hand, what becomes of them, bad input."""

from __future__ import annotations

import math
from fractions import Fraction

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
        total = np.sum(x)
        x *= 0
        return total

    start = np.ones(2)
    path = gradient_descent(moving, lambda x: np.ones(2), start, 0.5, 1)
    assert_array_equal(path.x, [[1, 1], [0.5, 0.5]])
    assert_array_equal(start, 1)


# -- the check of the gradient --------------------------------------------------------------------

TARGET = np.random.default_rng(0).normal(size=(30, 40))


def one_element_wrong(x):
    gradient = 2 * (x - TARGET)
    gradient[17, 33] *= 1.5
    return gradient


def lennard_jones(r):
    """Return the energy in joule of two argon atoms at a distance r in metres."""
    return 6.6e-21 * ((3.4e-10 / r) ** 12 - (3.4e-10 / r) ** 6)


def lennard_jones_slope(r):
    return 6.6e-21 / r * (6 * (3.4e-10 / r) ** 6 - 12 * (3.4e-10 / r) ** 12)


#: f, df and x₀, where df is wrong; and what the error says.
WRONG = {
    "factor": (f, lambda x: 7 * x, 2.0, "at x = 2 it gives 14, but differences of f give 16"),
    "a ten-thousandth": (f, lambda x: 8.001 * x, 2.0, "gives 16.002, but .* give 16"),
    "sign": (f, lambda x: -8 * x, 2.0, "gives -16, but differences of f give 16"),
    "nowhere but beyond x0": (
        lambda x: (x - 1) ** 2,
        lambda x: 2 * (x - 1) if x == 0 else 3 * (x - 1),
        0.0,
        r"at x = 0\.2 it gives -2\.4, but differences of f give -1\.6",
    ),
    "order": (
        lambda x: x[0] ** 2 + 3 * x[1],
        lambda x: np.array([3.0, 2 * x[0]]),
        [5.0, 1.0],
        "at x0, element 0, it gives 3, but differences of f give 10",
    ),
    "one of 1200 elements": (
        lambda x: np.sum((x - TARGET) ** 2),
        one_element_wrong,
        np.zeros((30, 40)),
        rf"at x0, element \(17, 33\), it gives {-3 * TARGET[17, 33]:.6g}",
    ),
    "beside a kink": (abs, lambda x: 1.5, 0.0, "it gives 1.5, but differences of f give 0"),
    "where nothing changes": (lambda x: max(0.0, x) + 1, np.ones_like, -0.01, "gives 1, .* give 0"),
    "small numbers": (lambda x: 1e-12 * x**2, lambda x: 3e-12 * x, 2.0, "6e-12, .* give 4e-12"),
    "small distances": (
        lennard_jones,
        lambda r: 2 * lennard_jones_slope(r),
        4e-10,
        "at x = 4e-10 it gives .* differences of f give 9.17",
    ),
    "near where f ends": (math.log, lambda x: -1 / x, 1e-7, "-1e.07, but .* give 1e.07"),
    "float32": (lambda x: np.float32(x) ** 2, lambda x: 2.2 * x, 0.3, "it gives 0.66, .* give 0.6"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_gradient_is_found(case):
    function, gradient, x0, text = WRONG[case]
    with pytest.raises(ValueError, match=f"^df is not the gradient of f: .*{text}") as caught:
        gradient_descent(function, gradient, x0, n_steps=1)
    assert str(caught.value).endswith("or pass check_gradient=False if it is meant to differ.")
    assert "\n" not in str(caught.value)
    path = gradient_descent(function, gradient, x0, n_steps=1, check_gradient=False)
    assert path.n_steps == 1


RNG = np.random.RandomState(0)

#: f, df and x₀, where df is right but hard to confirm.
RIGHT = {
    "kink": (abs, np.sign, 0.0),
    "close to a kink": (abs, np.sign, 1e-7),
    "many kinks": (lambda x: np.abs(x).sum(), np.zeros_like, np.zeros(50)),
    "step": (math.floor, lambda x: 0, 1.0),
    "third order": (lambda x: x**3, lambda x: 3 * x**2, 0.0),
    "end of the domain": (lambda x: x * math.sqrt(x), lambda x: 1.5 * math.sqrt(x), 0.0),
    "complex beyond the domain": (lambda x: float(x) ** 1.5, lambda x: 1.5 * float(x) ** 0.5, 0.0),
    "near a pole": (math.log, lambda x: 1 / x, 1e-9),
    "small distances": (lennard_jones, lennard_jones_slope, 4e-10),
    "waves": (lambda x: np.sin(1e9 * x), lambda x: 1e9 * np.cos(1e9 * x), 1e-9),
    "large offset": (lambda x: 1e12 + x**2, lambda x: 2 * x, 1.0),
    "large x": (lambda x: (x - 1) ** 2, lambda x: 2 * (x - 1), 1e10),
    "float32": (lambda x: np.float32(x) ** 2 + 1, lambda x: 2 * np.float32(x), 0.3),
    "float32 inside": (lambda x: float(np.tanh(np.float32(x))), lambda x: np.cosh(x) ** -2, 0.3),
    "noisy value": (lambda x: x**2 + 1e-3 * RNG.normal(), lambda x: 2 * x, 3.0),
    "noisy slope": (lambda x: x**2, lambda x: 2 * x + 1e-3 * RNG.normal(), 3.0),
    "nothing": (np.sum, np.ones_like, []),
}


@pytest.mark.parametrize("case", RIGHT)
def test_a_right_gradient_is_let_pass(case):
    function, gradient, x0 = RIGHT[case]
    assert gradient_descent(function, gradient, x0, 1e-24, n_steps=1).n_steps == 1


@pytest.mark.parametrize(("size", "calls"), [(1, 2), (10, 20), (11, 20), (1000, 20)])
def test_the_check_of_a_right_gradient_takes_few_calls(size, calls):
    seen = []

    def square(x):
        seen.append(x)
        return x @ x

    for n_steps, n_points in ((0, 1), (1, 2), (5, 2)):
        for check in (True, False):
            seen.clear()
            options = {"n_steps": n_steps, "check_gradient": check}
            gradient_descent(square, lambda x: 2 * x, np.ones(size), **options)
            assert len(seen) == 1 + n_steps + check * calls * n_points


def test_the_check_leaves_the_path_alone():
    for x0 in (2.0, -0.3):
        paths = [
            gradient_descent(f, df, x0, momentum=0.3, check_gradient=check)
            for check in (True, False)
        ]
        assert_array_equal(paths[0].x, paths[1].x)


# -- numbers and bad input ------------------------------------------------------------------------


def test_fractions_are_numbers():
    def square(x):
        return np.sum(4 * x**2)

    x0, options = [2.0, -1.0], {"momentum": Fraction(1, 2), "tol": Fraction(1)}
    path = gradient_descent(square, df, x0, Fraction(1, 10), 3, **options)
    plain = gradient_descent(square, df, x0, 0.1, 3, momentum=0.5, tol=1.0)
    assert path.x.dtype == np.float64
    assert_array_equal(path.x, plain.x)
    assert type(path.learning_rate) is type(path.tol) is float


def test_results_too_large_for_a_float_end_the_path():
    def huge(x):
        return 10**400 if x < 0 else 4 * x**2

    path = gradient_descent(huge, df, 2.0, 1.0)
    assert path.overflowed
    assert_array_equal(path.x, [2.0])


@pytest.mark.parametrize(
    ("options", "error", "text"),
    [
        ({"f": 3}, TypeError, "f must be a function of x; got 3"),
        ({"df": None}, TypeError, "df must be a function"),
        ({"x0": np.nan}, ValueError, "x0 must be finite; got nan"),
        ({"x0": [1.0, np.inf]}, ValueError, "x0 must be finite; got inf at index 1"),
        ({"x0": 1e200}, ValueError, "finite at x0"),
        ({"learning_rate": 0}, ValueError, "learning_rate must be a finite number > 0"),
        ({"learning_rate": "1"}, TypeError, "learning_rate must be"),
        (
            {"learning_rate": np.timedelta64(1, "s")},
            TypeError,
            "learning_rate must be a finite number",
        ),
        ({"learning_rate": 10**5000}, ValueError, "learning_rate must be a finite number > 0"),
        ({"learning_rate": Fraction(1, 10**400)}, ValueError, "must be a finite number > 0; got 0"),
        ({"n_steps": -1}, ValueError, "n_steps must be an integer ≥ 0"),
        ({"n_steps": 2.0}, TypeError, "n_steps must be an integer"),
        ({"n_steps": np.timedelta64(2, "s")}, TypeError, "n_steps must be an integer"),
        ({"momentum": 1}, ValueError, "momentum must be a number ≥ 0 and < 1"),
        ({"momentum": 1 - Fraction(1, 10**400)}, ValueError, "momentum must be .* < 1; got 1.0"),
        ({"tol": -1}, ValueError, "tol must be a finite number ≥ 0 or None"),
        ({"check_gradient": 1}, TypeError, "check_gradient must be True or False; got 1"),
        ({"f": lambda x: [x, x]}, ValueError, "f must return one real number"),
        ({"f": lambda x: x * 1j}, ValueError, "f must return one real number"),
        ({"f": lambda x: [1, [2]]}, ValueError, r"f must return one real number; got \[1, \[2\]"),
        ({"f": lambda x: np.ma.masked}, ValueError, "f must return one real number; got masked"),
        ({"f": lambda x: 10**400}, ValueError, "f and df must be finite at x0"),
        ({"df": lambda x: -(10**400)}, ValueError, "f and df must be finite at x0"),
        ({"df": lambda x: [x, x]}, ValueError, r"df must return real numbers of shape \(\)"),
        ({"df": lambda x: [1, [2]]}, ValueError, r"df must return real numbers of shape \(\)"),
        ({"df": lambda x: np.ma.masked}, ValueError, "df must return real numbers .*got masked"),
        ({"x0": [1.0, 2.0], "f": np.sum, "df": np.sum}, ValueError, r"of shape \(2,\), that of x0"),
    ],
)
def test_bad_input(options, error, text):
    with pytest.raises(error, match=text) as caught:
        gradient_descent(**{"f": f, "df": df, "x0": 2.0, **options})
    assert "\n" not in str(caught.value)
