# mypy: disable-error-code="no-untyped-def,no-untyped-call"
# (compiled functions take their types from their arguments)
"""A bound on the norm of each unit's incoming weights: Srivastava et al. 2014, section 5.1."""

from __future__ import annotations

import numpy as np

from fastmlp.backends.numba_jit.jit import kernel

__all__ = ["COLUMNS_AT_ONCE", "limit_columns"]

#: A few cache lines of each row of W.
COLUMNS_AT_ONCE = 64


@kernel
def _norm_of_column(w, n_rows, n_columns, column):
    """Return the norm of a column of W (n_rows, n_columns), flat; squares add up in float64."""
    squares = 0.0
    for row in range(n_rows):
        value = np.float64(w[row * n_columns + column])
        squares += value * value
    return np.sqrt(squares)


@kernel
def limit_columns(w, n_rows, n_columns, first, limit):
    """Scale those of up to COLUMNS_AT_ONCE columns that are longer than ``limit`` down to it."""
    for column in range(first, min(first + COLUMNS_AT_ONCE, n_columns)):
        norm = _norm_of_column(w, n_rows, n_columns, column)
        if norm > limit:
            factor = w.dtype.type(limit / norm)
            for row in range(n_rows):
                w[row * n_columns + column] *= factor
