"""From an encoded table to one matrix for models of other libraries, without any scaling."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fastmlp.tables.encoded import EncodedTable
from fastmlp.tables.one_hot import OneHot, fit_levels
from fastmlp.tables.quantiles import quantiles

__all__ = ["Unscaled", "fit_unscaled"]

#: The largest number that is handed on: most models square numbers, many of them in float32.
LARGEST = 1e18


@dataclass(frozen=True, eq=False)
class Unscaled:
    """How an encoded table becomes a matrix of numbers, then codes or an input for each level.

    Attributes
    ----------
    columns : ndarray of int, shape (F,)
        The numbers that had a finite value in the fit.
    low, high : ndarray, shape (F,)
        The least and the largest of them; what lies beyond is moved there.
    fills : ndarray, shape (F,), or None
        What stands for missing numbers; None leaves them NaN.
    levels : OneHot or None
        None for a table without categories, and where there are codes.
    n_codes : int
        Codes of each category at most, the least frequent levels being one; 0 if there are none.
    """

    columns: np.ndarray
    low: np.ndarray
    high: np.ndarray
    fills: np.ndarray | None
    levels: OneHot | None
    n_codes: int

    def matrix(self, table: EncodedTable) -> np.ndarray:
        """Return the matrix (N, I), float64 where the table is so; a column of zeros if empty."""
        numbers = np.clip(table.numbers[:, self.columns], self.low, self.high)
        if self.fills is not None:
            numbers = np.where(np.isnan(numbers), self.fills, numbers)
        parts = [numbers]
        if self.n_codes:
            codes = table.categories
            parts.append(np.where(codes < self.n_codes, codes, 0))
        elif self.levels is not None:
            parts.append(self.levels.transform(table.categories))
        matrix = np.concatenate(parts, axis=1, dtype=numbers.dtype)
        return matrix if matrix.shape[1] else np.zeros((len(table), 1))

    def is_category(self, n_inputs: int) -> np.ndarray:
        """Return which of ``n_inputs`` inputs hold codes, (I,)."""
        codes = np.arange(n_inputs) >= len(self.columns)
        return codes if self.n_codes else np.zeros(n_inputs, bool)


def fit_unscaled(table: EncodedTable, *, fills: bool, n_codes: int, max_levels: int) -> Unscaled:
    """Return the matrix that a table calls for.

    Parameters
    ----------
    table : EncodedTable
        Of the rows to be learnt from.
    fills : bool
        Whether the median takes the place of missing numbers.
    n_codes : int
        0 for an input for each level, else how many codes a category may have.
    max_levels : int
        Inputs of a category at most; the least frequent levels share one.
    """
    low, middle, high = quantiles(table.numbers, np.array([0.0, 0.5, 1.0]))
    columns = np.flatnonzero(np.isfinite(middle))
    low, middle, high = (np.clip(each[columns], -LARGEST, LARGEST) for each in (low, middle, high))
    has_categories = bool(table.category_names)
    levels = fit_levels(table, max_levels) if has_categories and not n_codes else None
    codes = n_codes if has_categories else 0
    return Unscaled(columns, low, high, middle if fills else None, levels, codes)
