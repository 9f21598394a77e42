# mypy: disable-error-code="no-untyped-def,no-untyped-call"
# (compiled functions take their types from their arguments)
"""Logarithms without branches or calls: LLVM turns a loop over them into vectors."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import types
from numba.extending import overload

from fastmlp.backends.numba_jit.exponential import split_ln2
from fastmlp.backends.numba_jit.jit import scalar_kernel

__all__ = ["log", "log1p_unit"]


def _make_log1p(real: Any, n_terms: int) -> Any:
    """Return u ↦ 2 artanh(s) with s = u/(2 + u) ≤ 1/3, by the power series of artanh."""
    coefficients = np.array([2 / (2 * k + 1) for k in reversed(range(n_terms))], dtype=real)
    two, n_steps = real(2), n_terms - 1

    @scalar_kernel
    def log1p(u):
        s = u / (u + two)
        square = s * s
        series = coefficients[0]
        for k in range(n_steps):
            series = series * square + coefficients[k + 1]
        return s * series

    return log1p


_LOG1P = {types.float32: _make_log1p(np.float32, 8), types.float64: _make_log1p(np.float64, 17)}


def _make_log(real: Any, integer: Any, mantissa_bits: int, split_bits: int, n_terms: int) -> Any:
    """Return x ↦ log x = k ln 2 + 2 artanh((m − 1)/(m + 1)), x = 2ᵏ m with m in [√½, √2)."""
    coefficients = np.array([2 / (2 * k + 1) for k in reversed(range(n_terms))], dtype=real)
    root_half, one, n_steps = real(np.sqrt(0.5)).view(integer), real(1), n_terms - 1
    ln2_high, ln2_low = map(real, split_ln2(split_bits))
    shift = integer(mantissa_bits)

    @scalar_kernel
    def log_of_normal(x):
        bits = real(x).view(integer)
        # Less the bits of √½, the exponent is carried into exactly when m would be below it.
        k = integer(integer(bits - root_half) >> shift)
        m = integer(bits - (k << shift)).view(real)
        s = (m - one) / (m + one)
        square = s * s
        series = coefficients[0]
        for i in range(n_steps):
            series = series * square + coefficients[i + 1]
        return real(k) * ln2_high + (real(k) * ln2_low + s * series)

    return log_of_normal


_LOG = {
    types.float32: _make_log(np.float32, np.int32, 23, 9, 5),
    types.float64: _make_log(np.float64, np.int64, 52, 32, 11),
}


def log1p_unit(u: Any) -> Any:
    """Return log(1 + u) in the precision of u, 0 ≤ u ≤ 1."""
    return np.log1p(u)


@overload(log1p_unit, jit_options={"forceinline": True})
def _overload_log1p_unit(u):
    return _LOG1P[u].py_func


def log(x: Any) -> Any:
    """Return log x in the precision of x, which is positive, finite and not subnormal."""
    return np.log(x)


@overload(log, jit_options={"forceinline": True})
def _overload_log(x):
    return _LOG[x].py_func
