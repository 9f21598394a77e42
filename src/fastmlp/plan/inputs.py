"""What a row of X is, and the one function that gathers the numbers of chosen rows.

A network multiplies rows of real numbers, as many as its first layer is wide. Where they come from
is X's descriptor: an array, of a type that backends convert as they read it, is one itself, and
``SparseRows`` is the other. A further kind needs ``len``, ``shape``, ``dtype``, slices of rows, a
case in ``gather``, and one in each backend's own gather.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array

__all__ = ["INPUT_DTYPES", "Inputs", "SparseRows", "gather", "matrix_of", "mean_squares"]

#: What the numbers of X may be: backends read these without a conversion of all of X.
INPUT_DTYPES = (np.dtype(np.uint8), np.dtype(np.float32), np.dtype(np.float64))


@dataclass(frozen=True, eq=False, slots=True)
class SparseRows:
    """A table (N, I) that stores Z of its numbers, row after row; all others are 0.

    Attributes
    ----------
    values : ndarray of uint8, float32 or float64, shape (Z,)
    columns : ndarray of int32 or int64, shape (Z,)
        Of the values; ascending in each row.
    starts : ndarray of int64, shape (N + 1,)
        Row r is what lies from ``starts[r]`` to ``starts[r + 1]``. Of a slice of the table, the
        first need not be 0.
    n_columns : int
        I.
    """

    values: np.ndarray
    columns: np.ndarray
    starts: np.ndarray
    n_columns: int

    def __len__(self) -> int:
        return len(self.starts) - 1

    @property
    def shape(self) -> tuple[int, int]:
        """Number of rows and of columns."""
        return len(self), self.n_columns

    @property
    def dtype(self) -> np.dtype:
        """Type of the numbers."""
        return self.values.dtype

    def __getitem__(self, rows: slice) -> SparseRows:
        """Return some rows, one after the other, without a copy of what they store."""
        first, last, _ = rows.indices(len(self))
        starts = self.starts[first : max(first, last) + 1]
        return SparseRows(self.values, self.columns, starts, self.n_columns)

    def entries_of(self, rows: np.ndarray) -> np.ndarray:
        """Return where the stored numbers of ``rows`` (K,) lie, (Z,) int64, row after row."""
        first, counts = self.starts[rows], self.starts[rows + 1] - self.starts[rows]
        gaps = first - (np.cumsum(counts) - counts)
        entries: np.ndarray = np.arange(counts.sum()) + np.repeat(gaps, counts)
        return entries


#: A table X (N, I): a C-contiguous array of one of ``INPUT_DTYPES``, or ``SparseRows``.
Inputs = np.ndarray | SparseRows


def gather(X: Inputs, rows: np.ndarray | slice, dtype: np.dtype) -> np.ndarray:
    """Return the chosen rows of X (N, I) as a new array (K, I) of real numbers."""
    if isinstance(X, np.ndarray):
        return X[rows].astype(dtype)
    chosen = np.arange(len(X))[rows]
    entries = X.entries_of(chosen)
    dense = np.zeros((len(chosen), X.n_columns), dtype)
    counts = X.starts[chosen + 1] - X.starts[chosen]
    # Added to zeros, as a stored −0 is 0 in a dense copy, too.
    dense[np.repeat(np.arange(len(chosen)), counts), X.columns[entries]] += X.values[entries]
    return dense


def matrix_of(X: Inputs, rows: np.ndarray | None = None) -> np.ndarray | csr_array:
    """Return all or the chosen rows (K,) of X (N, I) as users' functions know tables, (K, I)."""
    if isinstance(X, np.ndarray):
        return X if rows is None else X[rows]
    rows = np.arange(len(X)) if rows is None else rows
    entries, counts = X.entries_of(rows), X.starts[rows + 1] - X.starts[rows]
    starts = np.concatenate([[0], np.cumsum(counts)])
    parts = X.values[entries], X.columns[entries], starts
    return csr_array(parts, shape=(len(rows), X.n_columns))


def mean_squares(X: Inputs, rows: np.ndarray) -> np.ndarray:
    """Return the mean square (I,) of each column over the chosen rows (K,) of X (N, I)."""
    if isinstance(X, np.ndarray):
        squares: np.ndarray = np.mean(np.square(X[rows], dtype=np.float64), axis=0)
        return squares
    entries = X.entries_of(rows)
    weights = np.square(X.values[entries], dtype=np.float64)
    return np.bincount(X.columns[entries], weights, minlength=X.n_columns) / len(rows)
