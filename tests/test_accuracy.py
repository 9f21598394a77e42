"""The error of every element-wise function over its whole range, in ulp of the true value.

One ulp is the distance between neighbouring numbers of the type at the true value (below the
normal numbers, the distance between subnormal ones). ``BOUNDS`` is what we promise. The figures
beside it are the largest errors found over the instruction sets v2, v3 and v4 and the Numba
backend: for logistic, tanh and binary cross-entropy among a third of all float32 numbers from 2⁻⁹
to 110 and six million float64 ones; for softmax and its loss among twelve million float32 logits
and 120,000 float64 ones; elsewhere at the points of this test.
"""

from __future__ import annotations

from typing import NamedTuple

import mpmath
import numpy as np
import pytest
from helpers_accuracy import (
    DIGITS,
    Rows,
    Truth,
    class_numbers,
    evaluate,
    logit_rows,
    pairs,
    real_line,
    shifted_rows,
    true_on_line,
    true_softmax,
    true_squared_error,
    ulp_distance,
)

from fastmlp.backends.protocol import Backend
from fastmlp.registry import ACTIVATIONS, LOSSES, Activation


class Bound(NamedTuple):
    """|error| ≤ float32 or float64, as the type is, times the ulp of max(|true value|, at_least).

    With ``flushes``, a result that should be subnormal may be 0.
    """

    float32: float
    float64: float
    at_least: float = 0
    flushes: bool = False


BOUNDS = {
    # activations                                             largest error found: float32, float64
    "identity": Bound(0, 0),
    "relu": Bound(0, 0),
    "logistic": Bound(2.75, 2.5, flushes=True),  #                                 2.48, 2.36
    "tanh": Bound(3, 3),  #                                                        2.58, 2.83
    "leaky_relu": Bound(1, 1),  #                                                  0.84, 0.68
    "elu": Bound(1.5, 1.75),  #                                                    1.14, 1.34
    "selu": Bound(2.5, 2.25),  #                                                   1.96, 1.73
    "softplus": Bound(3.5, 3.25),  #                                               3.09, 2.81
    "gelu": Bound(7.5, 7),  #                                                      6.69, 6.06
    "gelu_tanh": Bound(9, 7, at_least=2**-6),  #                                   7.70, 5.30
    "silu": Bound(3.25, 3),  #                                                     3.06, 2.84
    "mish": Bound(4, 4),  #                                                        3.37, 3.23
    "hard_sigmoid": Bound(1, 1),  #                                                1.00, 1.00
    "hard_swish": Bound(2.75, 2.5),  #                                             2.43, 2.14
    "softsign": Bound(2.25, 2.25),  #                                              1.95, 1.79
    # slopes; those that cross 0 in ulp of 1
    "leaky_relu slope": Bound(0.25, 0.25),  #                                      0.24, 0.12
    "elu slope": Bound(1.25, 1.25),  #                                             1.04, 1.00
    "selu slope": Bound(2.25, 2),  #                                               1.86, 1.53
    "softplus slope": Bound(3, 2.75),  #                                           2.60, 2.15
    "gelu slope": Bound(2.25, 2.25, at_least=1),  #                                2.03, 1.59
    "gelu_tanh slope": Bound(2.5, 2.25, at_least=1),  #                            2.03, 1.73
    "silu slope": Bound(2.25, 2.25, at_least=1),  #                                1.78, 1.52
    "mish slope": Bound(2.25, 2.25, at_least=1),  #                                2.11, 1.78
    "hard_sigmoid slope": Bound(0.5, 0.5),  #                                      0.33, 0.33
    "hard_swish slope": Bound(1.5, 1.5, at_least=1),  #                            1.33, 1.33
    "softsign slope": Bound(4, 3.75),  #                                           3.49, 3.23
    # slopes, as an expression of the value h that the same call returned
    "identity slope": Bound(0, 0),
    "relu slope": Bound(0, 0),
    "logistic slope": Bound(1.5, 1.5),  #                                          1.50, 1.50
    "tanh slope": Bound(0.4, 0.4, at_least=1),  #                                  0.37, 0.37
    # links; the sum in softmax rounds once per logit, so the bound depends on their number
    "identity link": Bound(0, 0),
    "logistic link": Bound(2.75, 2.5, flushes=True),  #                            2.48, 2.19
    "exp link": Bound(2.5, 2.5, flushes=True),
    "softmax link of 5": Bound(5, 4.5),  #                                         4.36, 3.70
    "softmax link of 37": Bound(11, 9),  #                                         9.27, 6.63
    # losses of one sample (labels 0 and 1; 5 or 37 classes), and their gradients by the logits
    "softmax_cross_entropy of 5": Bound(2.75, 2.5, at_least=1),  #                 2.23, 1.97
    "softmax_cross_entropy of 37": Bound(6, 5, at_least=1),  #                     4.61, 3.36
    "softmax_cross_entropy of 5 gradient": Bound(2.5, 2.25, at_least=1),  #        2.06, 1.85
    "softmax_cross_entropy of 37 gradient": Bound(5, 5, at_least=1),  #            3.75, 3.17
    "binary_cross_entropy": Bound(4, 4),  #                                        3.67, 3.51
    "binary_cross_entropy gradient": Bound(0.8, 0.8, at_least=1),  #               0.75, 0.75
    "squared_error": Bound(2.25, 2.25),  #                                         1.91, 1.90
    "squared_error gradient": Bound(0.5, 0.5),  #                                  0.50, 0.50
}

#: Where the slope is computed from h: f'(z) by h = f(z), for float64 arrays and mpmath's numbers.
SLOPES_BY_VALUE = {
    "identity": lambda h: 0 * h + 1,
    "relu": lambda h: (h > 0) * 1.0,
    "logistic": lambda h: h * (1 - h),
    "tanh": lambda h: 1 - h * h,
}

SELU_RIGHT, SELU_LEFT = 1.0507009873554805, 1.7580993408473769
EDGE_POINTS = (-np.inf, -0.0, 0.0, np.inf, np.nan)
#: h and slope at these points.
EDGES = {
    "identity": ([-np.inf, -0.0, 0.0, np.inf, np.nan], [1, 1, 1, 1, 1]),
    "relu": ([0, 0, 0, np.inf, np.nan], [0, 0, 0, 1, 0]),
    "logistic": ([0, 0.5, 0.5, 1, np.nan], [0, 0.25, 0.25, 0, np.nan]),
    "tanh": ([-1, -0.0, 0.0, 1, np.nan], [0, 1, 1, 0, np.nan]),
    "leaky_relu": ([-np.inf, -0.0, 0.0, np.inf, np.nan], [0.01, 0.01, 0.01, 1, 0.01]),
    "elu": ([-1, -0.0, 0.0, np.inf, np.nan], [0, 1, 1, 1, np.nan]),
    "selu": (
        [-SELU_LEFT, -0.0, 0.0, np.inf, np.nan],
        [0, SELU_LEFT, SELU_LEFT, SELU_RIGHT, np.nan],
    ),
    "softplus": ([0, np.log(2), np.log(2), np.inf, np.nan], [0, 0.5, 0.5, 1, np.nan]),
    "gelu": ([-0.0, -0.0, 0.0, np.inf, np.nan], [-0.0, 0.5, 0.5, 1, np.nan]),
    "gelu_tanh": ([-0.0, -0.0, 0.0, np.inf, np.nan], [-0.0, 0.5, 0.5, 1, np.nan]),
    "silu": ([-0.0, -0.0, 0.0, np.inf, np.nan], [-0.0, 0.5, 0.5, 1, np.nan]),
    "mish": ([-0.0, -0.0, 0.0, np.inf, np.nan], [-0.0, 0.6, 0.6, 1, np.nan]),
    "hard_sigmoid": ([0, 0.5, 0.5, 1, np.nan], [0, 1 / 6, 1 / 6, 0, 0]),
    "hard_swish": ([0, -0.0, 0.0, np.inf, np.nan], [0, 0.5, 0.5, 1, np.nan]),
    "softsign": ([-1, -0.0, 0.0, 1, np.nan], [0, 1, 1, 0, np.nan]),
}

#: Shorter and longer than any vector register: kernels treat the two differently.
ROW_LENGTHS = (5, 37)

every_activation = pytest.mark.parametrize("activation", ACTIVATIONS, ids=ACTIVATIONS.names)


def softmax_rows(test):
    """Run a test on exact and rounded shifts, short and long rows."""
    lengths = pytest.mark.parametrize("length", ROW_LENGTHS)
    return pytest.mark.parametrize("rows_of", [logit_rows, shifted_rows])(lengths(test))


def assert_accurate(name: str, actual: np.ndarray, truth: Truth, extra: np.ndarray | float = 0):
    """Assert the error that ``BOUNDS[name]`` allows, plus ``extra`` ulp."""
    bound, limits = BOUNDS[name], np.finfo(actual.dtype)
    distance = ulp_distance(actual, truth, bound.at_least)
    if bound.flushes:
        distance[(actual == 0) & (np.abs(truth.high) < limits.tiny)] = 0
    allowed = getattr(bound, actual.dtype.name) + extra
    assert np.all(distance <= allowed), f"{name}: {np.nanmax(distance - extra):.3f} ulp"


def activate(backend: Backend, activation: Activation, z: np.ndarray):
    h, slope = np.full_like(z, np.nan), np.full_like(z, np.nan)
    backend.activate(activation.code, z[np.newaxis], h[np.newaxis], slope[np.newaxis])
    return h, slope


def true_slope(activation: str, h: np.ndarray) -> Truth:
    """Return f'(z) on the real line: by h = f(z) where that is how it is computed, else by z."""
    if activation in SLOPES_BY_VALUE:
        return evaluate(SLOPES_BY_VALUE[activation], h)
    return true_on_line(f"{activation} slope", h.dtype)


def loss_and_gradient(backend: Backend, loss: str, logits: np.ndarray, target: np.ndarray):
    values, gradient = np.full(len(logits), np.nan, logits.dtype), np.full_like(logits, np.nan)
    row = LOSSES[loss]
    backend.loss_and_gradient(
        row.code, row.default_parameters, logits, target, None, values, gradient
    )
    return values, gradient


def link(backend: Backend, loss: str, logits: np.ndarray) -> np.ndarray:
    out = np.full_like(logits, np.nan)
    backend.link(LOSSES[loss].code, LOSSES[loss].default_parameters, logits, out)
    return out


#: Losses that are held against true values here; all are held to bounds against the float64
#: reference in test_kernels_losses.py.
MEASURED_LOSSES = ("softmax_cross_entropy", "binary_cross_entropy", "squared_error")


def test_every_operation_has_a_bound():
    names = [name + part for name in ACTIVATIONS.names for part in ("", " slope")]
    for loss in map(LOSSES.__getitem__, MEASURED_LOSSES):
        lengths = [f" of {n}" for n in ROW_LENGTHS] if loss.link == "softmax" else [""]
        names += [loss.name + n + part for n in lengths for part in ("", " gradient")]
        names += [f"{loss.link} link{n}" for n in lengths]
    names.append("exp link")
    assert sorted(BOUNDS) == sorted(names)


@every_activation
def test_activation(threaded_backend: Backend, dtype, activation):
    h, slope = activate(threaded_backend, activation, real_line(dtype))
    assert_accurate(activation.name, h, true_on_line(activation.name, dtype))
    assert_accurate(f"{activation.name} slope", slope, true_slope(activation.name, h))


@every_activation
def test_activation_at_the_edges(threaded_backend: Backend, dtype, activation):
    actual = np.array(activate(threaded_backend, activation, np.array(EDGE_POINTS, dtype)))
    expected = np.array(EDGES[activation.name])
    rounded = np.isfinite(expected) & (expected != expected.astype(np.float16))
    np.testing.assert_array_equal(actual[~rounded], expected[~rounded])
    two_ulp = 2 * np.finfo(dtype).eps
    np.testing.assert_allclose(actual[rounded], expected[rounded], rtol=two_ulp)


@every_activation
def test_sign_of_zero(compiled_backend: Backend, dtype, activation):
    # Only here: Numba's kernels are compiled with `nsz`, which gives this sign up.
    actual = activate(compiled_backend, activation, np.array(EDGE_POINTS, dtype))
    zeros = np.equal(EDGES[activation.name], 0)
    np.testing.assert_array_equal(
        np.signbit(actual)[zeros], np.signbit(EDGES[activation.name])[zeros]
    )


@pytest.mark.parametrize(
    "loss",
    [loss for loss in LOSSES if loss.link in ("identity", "logistic", "exp")],
    ids=lambda loss: loss.name,
)
def test_link_of_one_logit(threaded_backend: Backend, dtype, loss):
    out = link(threaded_backend, loss.name, real_line(dtype)[:, np.newaxis])
    assert_accurate(f"{loss.link} link", out[:, 0], true_on_line(loss.link, dtype))


def of_the_shift(rows: np.ndarray, softmax: Truth) -> np.ndarray:
    """Return the ulp (n, C) that rounding z - max z can cost softmax.

    A relative error of eps/2 in s = z - max z is one of |s| eps/2, or |s| ulp at most, in exp(s),
    and one of Σ softmax · |s| ulp in the sum of them.
    """
    wide = rows.astype(np.float64)
    shifts = wide.max(axis=1, keepdims=True) - wide
    return shifts + np.sum(softmax.high * shifts, axis=1, keepdims=True)


@softmax_rows
def test_softmax_link(threaded_backend: Backend, dtype, rows_of: Rows, length):
    rows, (softmax, _) = rows_of(dtype, length), true_softmax(rows_of, dtype, length)
    extra = 0 if rows_of is logit_rows else of_the_shift(rows, softmax)
    out = link(threaded_backend, "softmax_cross_entropy", rows)
    assert_accurate(f"softmax link of {length}", out, softmax, extra)


@softmax_rows
def test_softmax_cross_entropy(threaded_backend: Backend, dtype, rows_of: Rows, length):
    name, rows = "softmax_cross_entropy", rows_of(dtype, length)
    target = class_numbers(rows)
    values, gradient = loss_and_gradient(threaded_backend, name, rows, target)
    softmax, logarithm = true_softmax(rows_of, dtype, length)
    own_class = np.arange(length) == target
    assert_accurate(f"{name} of {length}", values, -logarithm[own_class])
    expected = Truth(softmax.high - own_class, softmax.low)
    assert_accurate(f"{name} of {length} gradient", gradient, expected)


@pytest.mark.parametrize("label", [0, 1])
def test_binary_cross_entropy(threaded_backend: Backend, dtype, label):
    name, sign = "binary_cross_entropy", 1 - 2 * label
    logits = dtype.type(sign) * real_line(dtype)[:, np.newaxis]
    target = np.full_like(logits, label)
    values, gradient = loss_and_gradient(threaded_backend, name, logits, target)
    assert_accurate(name, values, true_on_line("softplus", dtype))
    expected = true_on_line("logistic", dtype)
    assert_accurate(f"{name} gradient", dtype.type(sign) * gradient[:, 0], expected)


def test_squared_error(threaded_backend: Backend, dtype):
    name = "squared_error"
    values, gradient = loss_and_gradient(threaded_backend, name, *pairs(dtype))
    half_square, difference = true_squared_error(dtype)
    assert_accurate(name, values, half_square[:, 0])
    assert_accurate(f"{name} gradient", gradient, difference)


def true_turns(turns: np.ndarray) -> list[Truth]:
    """Return cos 2πu and sin 2πu of finite numbers u (n,), by mpmath."""
    with mpmath.workdps(DIGITS):
        twice = [2 * mpmath.mpf(u) for u in turns.tolist()]
        values = [list(map(function, twice)) for function in (mpmath.cospi, mpmath.sinpi)]
        high = np.array(values, float)
        low = [
            [float(v - h) for v, h in zip(*pair, strict=True)]
            for pair in zip(values, high, strict=True)
        ]
    return [Truth(*pair) for pair in zip(high, np.array(low), strict=True)]


def test_cosine_and_sine_of_turns(compiled_backend, dtype):
    """Near the zeros of either too, and however many turns there are."""
    rng = np.random.default_rng(0)
    eighths = np.arange(-16, 17) / 8
    near = (eighths[:, None] + np.array([0, 1e-7, -1e-7, 1e-3, -1e-3])).ravel()
    spread = np.concatenate([rng.uniform(-size, size, 300) for size in (0.13, 1, 50, 1e6)])
    huge = [2.0**k + 0.25 for k in range(15, 60, 3)] + [1e30, -1e30]
    turns = np.concatenate([near, spread, huge]).astype(dtype)
    found = np.empty((2, len(turns)), dtype)
    compiled_backend.kernels(dtype).cosine_and_sine(turns, *found)
    for values, truth in zip(found, true_turns(turns), strict=True):
        assert ulp_distance(values, truth).max() < 2.5  # largest found: 2.16, 1.86
    edges = np.array([np.inf, -np.inf, np.nan], dtype)
    found = np.empty((2, 3), dtype)
    compiled_backend.kernels(dtype).cosine_and_sine(edges, *found)
    assert np.isnan(found).all()
