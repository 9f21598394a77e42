"""The products of one layer alone: pad the arrays, run the network's own functions, copy back."""

from __future__ import annotations

import numpy as np

from fastmlp.backends.numba_jit.products import (
    add_column_sums,
    multiply,
    pack,
    pack_transposed,
    padded_rows,
    padded_width,
    panel_width,
)

__all__ = ["backward_input", "backward_weights", "forward"]


def _padded(matrix: np.ndarray) -> np.ndarray:
    """Return a copy of ``matrix`` (R, C) with zeros to whole register tiles."""
    n_rows, n_columns = matrix.shape
    shape = padded_rows(n_rows), padded_width(n_columns, matrix.itemsize)
    result = np.zeros(shape, dtype=matrix.dtype)
    result[:n_rows, :n_columns] = matrix
    return result


def _panels(weights: np.ndarray, transposed: bool) -> np.ndarray:
    """Return the panels of W (I, O), or of Wᵀ."""
    n_rows, n_columns = weights.shape
    n_k, width = (n_columns, n_rows) if transposed else (n_rows, n_columns)
    step = panel_width(weights.itemsize)
    panels = np.zeros(n_k * (-(-width // step) * step), dtype=weights.dtype)
    flat = np.array(weights).reshape(-1)
    (pack_transposed if transposed else pack)(flat, n_rows, n_columns, 0, n_rows, panels)
    return panels


def _multiply_by_panels(
    left: np.ndarray, panels: np.ndarray, first: np.ndarray, out: np.ndarray
) -> None:
    """Set out (B, O) = first (O,) + left (B, K) · the matrix (K, O) in ``panels``."""
    n_rows, n_k = left.shape
    n_columns, step = out.shape[1], panel_width(out.itemsize)
    a, y = _padded(left), np.zeros_like(_padded(out))
    c = _padded(first[np.newaxis])
    multiply(
        (a.reshape(-1), 0, a.shape[1], 1),
        (panels, 0, step),
        n_k * step,
        (c.reshape(-1), 0, 0),
        (y.reshape(-1), 0, y.shape[1]),
        n_rows,
        n_columns,
        n_k,
    )
    out[:] = y[:n_rows, :n_columns]


def forward(x: np.ndarray, w: np.ndarray, b: np.ndarray, out: np.ndarray) -> None:
    """Set out (B, O) = x (B, I) · w (I, O) + b (O,)."""
    _multiply_by_panels(x, _panels(w, transposed=False), b, out)


def backward_input(dz: np.ndarray, w: np.ndarray, out: np.ndarray) -> None:
    """Set out (B, I) = dz (B, O) · w (I, O)ᵀ."""
    zeros = np.zeros(out.shape[1], dtype=out.dtype)
    _multiply_by_panels(dz, _panels(w, transposed=True), zeros, out)


def backward_weights(x: np.ndarray, dz: np.ndarray, dw: np.ndarray, db: np.ndarray) -> None:
    """Set dw (I, O) = x (B, I)ᵀ · dz (B, O) and db (O,) = column sums of dz."""
    a, b, y = _padded(x), _padded(dz), np.zeros_like(_padded(dw))
    zeros = np.zeros(y.shape[1], dtype=y.dtype)
    multiply(
        (a.reshape(-1), 0, 1, a.shape[1]),
        (b.reshape(-1), 0, b.shape[1]),
        panel_width(y.itemsize),
        (zeros, 0, 0),
        (y.reshape(-1), 0, y.shape[1]),
        dw.shape[0],
        dw.shape[1],
        x.shape[0],
    )
    dw[:] = y[: dw.shape[0], : dw.shape[1]]
    db[:] = 0
    add_column_sums(b.reshape(-1), 0, b.shape[1], x.shape[0], db)
