# mypy: disable-error-code="no-untyped-def,no-untyped-call"
# (compiled functions take their types from their arguments)
"""The three matrix products of a dense layer: one walk over register tiles.

=============  ==========  ================  =======
product        left        right             scaled
=============  ==========  ================  =======
x · W + b      x (B, I)    W (I, O)          no
dz · Wᵀ        dz (B, O)   Wᵀ (O, I)         by ∂h/∂z
xᵀ · dz        xᵀ (I, B)   dz (B, O)         no
=============  ==========  ================  =======

The right operand is read in *panels* of ``panel_width`` columns. W and Wᵀ are copied into panels,
one after the other, so that the inner loop reads them in a stream whatever the width; dz needs no
copy, its panels lie side by side. All operands are padded: rows to ``TILE_ROWS``, columns to whole
vectors. What is computed for the padding is never read.
"""

from __future__ import annotations

from typing import Any

from fastmlp.backends.numba_jit.jit import entry_point
from fastmlp.backends.numba_jit.microkernel import TILE_ROWS, VECTOR_BYTES, VECTORS, make_tile
from fastmlp.backends.numba_jit.stretches import copy

__all__ = [
    "add_column_sums",
    "multiply",
    "multiply_scaled",
    "pack",
    "pack_transposed",
    "padded_rows",
    "padded_width",
    "panel_width",
]


def panel_width(itemsize: int) -> int:
    """Return the columns of a panel."""
    return VECTORS * VECTOR_BYTES // itemsize


def padded_width(width: int, itemsize: int) -> int:
    """Return the row stride of a buffer with ``width`` columns.

    Whole vectors, a multiple of ``TILE_ROWS`` (rows of xᵀ), and no multiple of 1 KiB: rows that far
    apart would compete for the same few lines of the cache.
    """
    step = max(VECTOR_BYTES // itemsize, TILE_ROWS)
    stride = -(-width // step) * step
    return stride if stride * itemsize % 1024 else stride + step


def padded_rows(n_rows: int) -> int:
    """Return ``n_rows`` rounded up to whole register tiles."""
    return -(-n_rows // TILE_ROWS) * TILE_ROWS


def _make_multiply(scale: bool) -> Any:
    """Return the product of two matrices, in place of ``out`` or as its factor."""
    narrow_tile, wide_tile = make_tile(1, scale), make_tile(VECTORS, scale)

    @entry_point
    def multiply(left, right, panel_stride, first, out, n_rows, n_columns, n_k):
        a, a_start, a_row, a_k = left
        b, b_start, b_k = right
        c, c_start, c_row = first
        y, y_start, y_row = out
        lanes = VECTOR_BYTES // y.itemsize
        for column in range(0, n_columns, VECTORS * lanes):
            panel = (b, b_start + column // (VECTORS * lanes) * panel_stride, b_k)
            for row in range(0, n_rows, TILE_ROWS):
                rows = (a, a_start + row * a_row, a_row, a_k)
                start = (c, c_start + row * c_row + column, c_row)
                result = (y, y_start + row * y_row + column, y_row)
                if n_columns - column <= lanes:
                    narrow_tile(rows, panel, start, result, n_k)
                else:
                    wide_tile(rows, panel, start, result, n_k)

    return multiply


#: ``multiply(left, right, panel_stride, first, out, n_rows, n_columns, n_k)`` sets
#: out (n_rows, n_columns) = first + left (n_rows, n_k) · right (n_k, n_columns). ``left`` is
#: (array, start, row stride, k stride), the others are (array, start, row stride), and
#: ``panel_stride`` leads from one panel of ``right`` to the next.
multiply = _make_multiply(scale=False)
#: Likewise out = out · (first + left · right), element by element.
multiply_scaled = _make_multiply(scale=True)


@entry_point
def pack(weights, n_rows, n_columns, first_row, last_row, panels):
    """Copy rows ``first_row`` … ``last_row`` of W (n_rows, n_columns), flat, into its panels."""
    width = VECTORS * VECTOR_BYTES // weights.itemsize
    for column in range(0, n_columns, width):
        panel = panels[column * n_rows : (column + width) * n_rows]
        used = min(width, n_columns - column)
        for row in range(first_row, last_row):
            source = weights[row * n_columns + column : row * n_columns + column + used]
            copy(source, panel[row * width : row * width + used])


@entry_point
def pack_transposed(weights, n_rows, n_columns, first_row, last_row, panels):
    """Copy rows ``first_row`` … ``last_row`` of W (n_rows, n_columns), flat, into panels of Wᵀ."""
    width = VECTORS * VECTOR_BYTES // weights.itemsize
    row = first_row
    while row < last_row:
        lane = row % width
        used = min(width - lane, last_row - row)
        panel = panels[(row - lane) * n_columns : (row - lane + width) * n_columns]
        block = weights[row * n_columns : (row + used) * n_columns]
        for column in range(n_columns):
            target = panel[column * width + lane : column * width + lane + used]
            for k in range(used):
                target[k] = block[k * n_columns + column]
        row += used


@entry_point
def add_column_sums(matrix, start, stride, n_rows, sums):
    """sums (O,) += the sums of n_rows rows of ``matrix``, in row order."""
    for row in range(n_rows):
        values = matrix[start + row * stride : start + row * stride + sums.size]
        for column in range(sums.size):
            sums[column] += values[column]
