# mypy: disable-error-code="no-untyped-def,no-untyped-call"
# (compiled functions take their types from their arguments)
"""log(1 + u) for 0 ≤ u ≤ 1 without branches or calls: LLVM turns a loop over it into vectors."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import types
from numba.extending import overload

from fastmlp.backends.numba_jit.jit import scalar_kernel

__all__ = ["log1p_unit"]


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


def log1p_unit(u: Any) -> Any:
    """Return log(1 + u) in the precision of u, 0 ≤ u ≤ 1."""
    return np.log1p(u)


@overload(log1p_unit, jit_options={"forceinline": True})
def _overload_log1p_unit(u):
    return _LOG1P[u].py_func
