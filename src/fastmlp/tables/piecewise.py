"""Piecewise-linear encoding: a number as how far it fills each of some bins.

After Gorishniy, Rubachev and Babenko, "On Embeddings for Numerical Features in Tabular Deep
Learning", NeurIPS 2022. A number in the bin from b to b + w gives 1 for all bins below it,
(x − b) / w for its own and 0 for those above.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fastmlp.tables.quantiles import quantiles
from fastmlp.tables.scaling import smoothly_clipped

__all__ = ["PiecewiseEncoding", "fit_piecewise"]

#: Outputs that are worked out at a time.
BLOCK = 2**16

#: Bins among the rest of a column hold at least so many rows, from which their slopes are learnt.
ROWS_OF_BIN = 128


@dataclass(frozen=True, eq=False)
class PiecewiseEncoding:
    """The bins of all columns, side by side.

    Attributes
    ----------
    columns : ndarray of int64, shape (T,)
        To which column each bin belongs.
    starts, widths : ndarray of float64, shape (T,)
        Where it begins and how wide it is.
    firsts, lasts : ndarray of int64, shape (K,)
        The outer bins of each column that has bins.
    is_open : bool
        Whether outer bins go on beyond the values of the fit: linearly at first, and then less and
        less, by 3 of their widths at most. Else their outputs end at 0 and 1.
    """

    columns: np.ndarray
    starts: np.ndarray
    widths: np.ndarray
    firsts: np.ndarray
    lasts: np.ndarray
    is_open: bool

    @property
    def n_outputs(self) -> int:
        """T, the number of bins."""
        return len(self.columns)

    def names(self, columns: tuple[str, ...]) -> tuple[str, ...]:
        """Return the names of the outputs, given those of the columns (F,)."""
        number = np.arange(self.n_outputs) - np.repeat(self.firsts, self.lasts + 1 - self.firsts)
        return tuple(
            f"{columns[i]}_bin{k}"
            for i, k in zip(self.columns.tolist(), number.tolist(), strict=True)
        )

    def transform(
        self, X: np.ndarray, out: np.ndarray | None = None, scale: float = 1.0
    ) -> np.ndarray:
        """Return columns (N, F) as bins (N, T), float32; all are 0 where a value is missing.

        They are multiplied by ``scale``, and written into ``out`` if it is given.
        """
        if out is None:
            out = np.empty((len(X), self.n_outputs), np.float32)
        height = max(1, BLOCK // max(self.n_outputs, 1))
        for first in range(0, len(X), height):
            rows = slice(first, first + height)
            np.multiply(self._of_rows(X[rows]), scale, out=out[rows], casting="same_kind")
        return out

    def _of_rows(self, X: np.ndarray) -> np.ndarray:
        """Return the bins (B, T) of so few rows (B, F) that they stay in cache, float64."""
        z = X.astype(np.float64).take(self.columns, axis=1)
        with np.errstate(over="ignore"):
            z -= self.starts
            z /= self.widths
        below, above = np.minimum(z[:, self.firsts], 0), np.maximum(z[:, self.lasts] - 1, 0)
        np.clip(z, 0, 1, out=z)
        if self.is_open:
            z[:, self.firsts] += smoothly_clipped(below)
            z[:, self.lasts] += smoothly_clipped(above)
        if np.isnan(X).any():
            z[np.isnan(z)] = 0
        return z


def fit_piecewise(X: np.ndarray, n_bins: int, *, is_open: bool = True) -> PiecewiseEncoding:
    """Return at most ``n_bins`` bins for each column (N, F), between its distinct quantiles.

    Quantiles are values that occur, so that in a column of few values bins end at these. Where a
    value is so frequent that it is several of them, the others are quantiles of the rest of the
    column: of payments that are mostly 0, of those that were made. A column without two finite
    values has no bin.
    """
    edges = np.ascontiguousarray(quantiles(X, np.linspace(0, 1, n_bins + 1), of_data=True).T)
    for j in np.flatnonzero((edges[:, 1:] == edges[:, :-1]).any(axis=1)):
        edges[j] = _among_the_rest(edges[j], X[:, j])
    columns, number = np.nonzero(edges[:, 1:] > edges[:, :-1])
    starts = edges[columns, number]
    with np.errstate(over="ignore"):
        widths = np.minimum(edges[columns, number + 1] - starts, np.finfo(np.float64).max)
    new = np.flatnonzero(np.diff(columns)) + 1
    ends = [len(columns)] if len(columns) else []
    firsts = np.array([0, *new][: len(new) + len(ends)], np.int64)
    lasts = np.array([*new, *ends], np.int64) - 1
    return PiecewiseEncoding(columns, starts, widths, firsts, lasts, is_open)


def _among_the_rest(edges: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Return edges (E,) of which those that are not repeated are quantiles of the rest of x (N,).

    There are as many of these as have enough rows between them, or as there were before; then the
    last one is repeated.
    """
    repeated = np.unique(edges[1:][edges[1:] == edges[:-1]])
    rest = x[np.isfinite(x) & ~np.isin(x, repeated)]
    n_rest = min(len(edges) - len(repeated), len(rest) // ROWS_OF_BIN + 1)
    n_rest = max(n_rest, len(np.unique(edges)) - len(repeated), 2)
    if len(rest):
        further = quantiles(rest[:, None], np.linspace(0, 1, n_rest), of_data=True)
        repeated = np.union1d(repeated, further)
    return np.append(repeated, np.repeat(repeated[-1], len(edges) - len(repeated)))
