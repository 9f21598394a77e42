# mypy: disable-error-code="no-untyped-def,no-untyped-call"
# (compiled functions take their types from their arguments)
"""Measures of information of whole arrays: rows p and q (B, K) give (B, K) or, reduced, (B,)."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba.extending import overload
from numba.np.numpy_support import as_dtype

from fastmlp.backends.numba_jit.jit import entry_point, kernel
from fastmlp.backends.numba_jit.losses_of_classes import exponentials_row, softmax_row
from fastmlp.registry import MEASURES

__all__ = ["measure_each", "measure_rows"]

_SELF_INFORMATION = MEASURES["self_information"].code
_ENTROPY = MEASURES["entropy"].code
_CROSS_ENTROPY = MEASURES["cross_entropy"].code
_KL_DIVERGENCE = MEASURES["kl_divergence"].code
_SOFTMAX = MEASURES["softmax"].code
_LOG_SOFTMAX = MEASURES["log_softmax"].code


@kernel
def _logarithm(p):
    """Return log p, −∞ at 0 without asking the library, which would set its error flags."""
    return math.log(p) if p != type(p)(0) else -type(p)(np.inf)


def _tiny(x: Any) -> Any:
    """Return the smallest normal number of x's type."""
    return np.finfo(x).tiny


@overload(_tiny)
def _overload_tiny(x):
    smallest = as_dtype(x).type(np.finfo(as_dtype(x)).tiny)
    return lambda x: smallest


@kernel
def _log_ratio(p, q):
    """Return log(p / q), with all its digits where p is close to q."""
    two = type(p)(2)
    if q < two * p and p < two * q:
        return math.log1p((p - q) / q)  # the difference is exact
    if q > type(q)(0):
        ratio = p / q
        if _tiny(ratio) <= ratio and math.isfinite(ratio):
            return math.log(ratio)
    return _logarithm(p) - _logarithm(q)  # this is large, so that little is lost


@kernel
def _term(measure, p, q):
    """Return what one outcome adds; 0 where p is, but for q = NaN."""
    zero = type(p)(0)
    if p == zero:
        return q * zero
    if measure == _KL_DIVERGENCE:
        return p * _log_ratio(p, q)
    return -p * _logarithm(q)


@kernel
def _add(total, rest, term):
    """Return total + (term + rest) and what rounding takes from it (Kahan 1965)."""
    term += rest
    new = total + term
    added = new - total
    lost = (total - (new - added)) + (term - added)
    return new, type(lost)(0) if math.isnan(lost) else lost  # NaN once the total is infinite


@entry_point
def measure_rows(measure, p, q, out):
    """Set out (B,) = Σ_j of the terms of p and q (B, K)."""
    zero = p.dtype.type(0)
    for row in range(p.shape[0]):
        total, rest = zero, zero
        for j in range(p.shape[1]):
            total, rest = _add(total, rest, _term(measure, p[row, j], q[row, j]))
        out[row] = total + rest


@kernel
def _log_softmax(z, out):
    """Set out = (z − max z) − log(1 + u), u the sum of all exponentials but a largest one's."""
    largest, _ = exponentials_row(z, out)
    one, zero = z.dtype.type(1), z.dtype.type(0)
    others, rest, ties = zero, zero, -one
    for j in range(z.size):
        if out[j] < one:
            others, rest = _add(others, rest, out[j])
        else:
            ties += out[j]  # 1, or NaN
    log_sum = math.log1p((others + rest) + ties)
    for j in range(z.size):
        out[j] = (z[j] - largest) - log_sum


@entry_point
def measure_each(measure, p, out):
    """Set out (B, K) to a measure that gives a number for each outcome of p (B, K)."""
    for row in range(p.shape[0]):
        if measure == _SELF_INFORMATION:
            for j in range(p.shape[1]):
                out[row, j] = p.dtype.type(0) - _logarithm(p[row, j])
        elif measure == _SOFTMAX:
            softmax_row(p[row], out[row])
        elif measure == _LOG_SOFTMAX:
            _log_softmax(p[row], out[row])
