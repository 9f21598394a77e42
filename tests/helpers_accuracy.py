"""Where to look at a function, its true values there, and how far a result is from them in ulp.

The true value for a float32 argument is computed in float64, that for a float64 argument by mpmath
with 40 digits: the oracle's own error is far below one ulp of the argument's type.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache
from typing import Any, NamedTuple

import mpmath
import numpy as np
from helpers_activations import EXACT, WIDE, table
from scipy.special import expit, log_softmax

DIGITS = 40
#: How many points of each kind, by bytes of a number: mpmath needs some 20 µs for one.
N_POINTS = {4: 60_000, 8: 1_500}
N_BOUNDARIES = {4: 320, 8: 100}
N_LOGITS = {4: 100_000, 8: 2_500}

#: Functions of one real have reached their limits by then. mpmath would write exp(1e300) in full.
FAR_OUT = 2000

Rows = Callable[[np.dtype, int], np.ndarray]


class Truth(NamedTuple):
    """True values as sums high + low of two float64 arrays of one shape."""

    high: np.ndarray
    low: np.ndarray

    def __getitem__(self, index: Any) -> Truth:
        return Truth(self.high[index], self.low[index])

    def __neg__(self) -> Truth:
        return Truth(-self.high, -self.low)


def ulp_of(values: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """Return the distance between neighbours of type ``dtype`` in the binade of each value.

    Below the normal numbers that is the distance between subnormal ones.
    """
    limits = np.finfo(dtype)
    exponents = np.clip(np.frexp(values)[1] - 1, limits.minexp, limits.maxexp - 1)
    return np.ldexp(1.0, exponents - limits.nmant)


def ulp_distance(actual: np.ndarray, truth: Truth, at_least: float = 0) -> np.ndarray:
    """Return |actual - truth| in ulp, in the type of ``actual``, of max(|truth|, at_least).

    Where the truth is beyond the type's numbers, infinity of its sign is 0 ulp from it.
    """
    largest = np.finfo(actual.dtype).max
    with np.errstate(invalid="ignore"):
        error = np.abs((actual.astype(np.float64) - truth.high) - truth.low)
    error[(np.abs(truth.high) > largest) & (actual == np.copysign(np.inf, truth.high))] = 0
    return error / ulp_of(np.maximum(np.abs(truth.high), at_least), actual.dtype)


# -- arguments ------------------------------------------------------------------------------------


def magnitudes(dtype: np.dtype) -> np.ndarray:
    """Return numbers (n,) from the smallest subnormal to the largest, equally many a binade."""
    integer = np.dtype(f"i{dtype.itemsize}")
    last = int(np.array(np.finfo(dtype).max).view(integer))
    step = last // N_POINTS[dtype.itemsize]
    return np.append(np.arange(1, last, step, dtype=integer), integer.type(last)).view(dtype)


def widest_exponent(dtype: np.dtype) -> float:
    """Return the x beyond which exp(-x) is 0."""
    limits = np.finfo(dtype)
    return float(np.log(2) * (limits.nmant + 1 - limits.minexp))


def reduction_boundaries(dtype: np.dtype) -> np.ndarray:
    """Return numbers (n,) beside those x for which x or 2x changes its n in x = n ln 2 + r.

    Besides these, the last arguments before exp overflows, turns subnormal or becomes 0.
    """
    limits, widest = np.finfo(dtype), widest_exponent(dtype)
    n = np.linspace(0, widest / np.log(2) + 1, N_BOUNDARIES[dtype.itemsize]).astype(int)
    boundaries = (np.unique(n) + 0.5) * np.log(2)
    ends = [np.log(float(limits.max)), -np.log(float(limits.tiny)), widest]
    centres = np.concatenate([boundaries, boundaries / 2, ends]).astype(dtype)
    bits = centres.view(f"i{dtype.itemsize}")
    return (bits[:, np.newaxis] + np.arange(-5, 6)).astype(bits.dtype).view(dtype).ravel()


@cache
def real_line(dtype: np.dtype) -> np.ndarray:
    """Return arguments (n,) of both signs: every size, dense where functions bend, edges, ±0."""
    rng = np.random.default_rng(0)
    widths = (0.5, 2, 20, widest_exponent(dtype) + 5)
    random = [rng.uniform(0, width, N_POINTS[dtype.itemsize]) for width in widths]
    positive = [np.zeros(1), magnitudes(dtype), reduction_boundaries(dtype), *random]
    line = np.concatenate([part.astype(dtype) for part in positive])
    return np.concatenate([-line[::-1], line])


@cache
def logit_rows(dtype: np.dtype, length: int) -> np.ndarray:
    """Return rows (n, length) whose largest logit is 0: z - max z is exact. The others spread."""
    rng = np.random.default_rng(1)
    widths = np.array([0.1, 1, 10, 40, widest_exponent(dtype) + 5])
    n_rows = N_LOGITS[dtype.itemsize] // length
    rows = -rng.uniform(0, rng.choice(widths, size=(n_rows, 1)), size=(n_rows, length))
    rows[np.arange(n_rows), rng.integers(length, size=n_rows)] = 0
    return rows.astype(dtype)


@cache
def shifted_rows(dtype: np.dtype, length: int) -> np.ndarray:
    """Return rows (n, length) of which z - max z must be rounded."""
    n_rows = N_LOGITS[dtype.itemsize] // length
    return np.random.default_rng(2).normal(scale=30, size=(n_rows, length)).astype(dtype)


def class_numbers(rows: np.ndarray) -> np.ndarray:
    """Return a class for each of the rows (n, C), (n, 1)."""
    rng = np.random.default_rng(3)
    return rng.integers(rows.shape[1], size=(len(rows), 1)).astype(rows.dtype)


@cache
def pairs(dtype: np.dtype) -> tuple[np.ndarray, np.ndarray]:
    """Return predictions and targets, (n, 1) each, far apart and close, whose square is finite."""
    line = real_line(dtype)
    z = line[np.abs(line) < np.sqrt(np.finfo(dtype).max) / 4, np.newaxis]
    return z, (z * np.random.default_rng(4).uniform(-2, 2, z.shape)).astype(dtype)


# -- true values ----------------------------------------------------------------------------------

_WIDE: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "identity": lambda z: z,
    "relu": lambda z: np.maximum(z, 0),
    "logistic": expit,
    "tanh": np.tanh,
    "exp": lambda z: np.exp(np.minimum(z, 700)),  # all beyond is infinite in float32
} | table(WIDE)
_EXACT: dict[str, Callable[[Any], Any]] = {
    "identity": lambda z: z,
    "relu": lambda z: max(z, 0),
    "logistic": lambda z: 1 / (1 + mpmath.exp(-max(z, -FAR_OUT))),
    "tanh": lambda z: mpmath.tanh(min(max(z, -FAR_OUT), FAR_OUT)),
    "exp": lambda z: mpmath.exp(min(max(z, -FAR_OUT), FAR_OUT)),
} | table(EXACT)


def _split(values: Iterable[Any], shape: tuple[int, ...]) -> Truth:
    exact = list(values)
    high = [float(value) for value in exact]
    low = [float(value - part) for value, part in zip(exact, high, strict=True)]
    return Truth(np.array(high).reshape(shape), np.array(low).reshape(shape))


def evaluate(function: Callable[..., Any], *arguments: np.ndarray) -> Truth:
    """Return an expression of float32 arrays in float64, of float64 arrays by mpmath."""
    if arguments[0].dtype == np.float32:
        high = np.asarray(function(*(a.astype(np.float64) for a in arguments)), np.float64)
        return Truth(high, np.zeros_like(high))
    with mpmath.workdps(DIGITS):
        numbers = zip(*(map(mpmath.mpf, a.ravel().tolist()) for a in arguments), strict=True)
        return _split((function(*each) for each in numbers), arguments[0].shape)


@cache
def true_on_line(function: str, dtype: np.dtype) -> Truth:
    """Return the true values (n,) of a function of one real on ``real_line(dtype)``."""
    functions = _WIDE if dtype == np.float32 else _EXACT
    return evaluate(functions[function], real_line(dtype))


def _logarithms_of_softmax(row: list[float]) -> list[Any]:
    shifts = [mpmath.mpf(z) - max(row) for z in row]
    log_sum = mpmath.log(mpmath.fsum(map(mpmath.exp, shifts)))
    return [shift - log_sum for shift in shifts]


@cache
def true_softmax(rows_of: Rows, dtype: np.dtype, length: int) -> tuple[Truth, Truth]:
    """Return softmax and its logarithm, (n, length) each, of ``rows_of(dtype, length)``."""
    rows = rows_of(dtype, length)
    if dtype == np.float32:
        high = log_softmax(rows.astype(np.float64), axis=1)
        return Truth(np.exp(high), np.zeros_like(high)), Truth(high, np.zeros_like(high))
    with mpmath.workdps(DIGITS):
        logarithms = [log_q for row in rows.tolist() for log_q in _logarithms_of_softmax(row)]
        return _split(map(mpmath.exp, logarithms), rows.shape), _split(logarithms, rows.shape)


@cache
def true_squared_error(dtype: np.dtype) -> tuple[Truth, Truth]:
    """Return half the square (n, 1) of the difference, and the difference, of ``pairs(dtype)``."""
    z, y = pairs(dtype)
    return evaluate(lambda z, y: (z - y) ** 2 / 2, z, y), evaluate(lambda z, y: z - y, z, y)
