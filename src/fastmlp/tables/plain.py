"""Columns that are numbers by their type: all of them at once, so that 100,000 are no burden."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fastmlp.tables.sources import RawTable

__all__ = ["Ranges", "fill", "ranges_of"]


@dataclass(frozen=True, eq=False)
class Ranges:
    """What the values of columns are, each array (K,).

    Attributes
    ----------
    missing : ndarray of int64
        How many values each lacks.
    low, high : ndarray of float64
        The least and the largest value; NaN where there is none.
    are_single : ndarray of bool
        Whether float32 holds all that the column's type does.
    """

    missing: np.ndarray
    low: np.ndarray
    high: np.ndarray
    are_single: np.ndarray

    @property
    def vary(self) -> np.ndarray:
        """Whether rows can be told apart by the column, (K,)."""
        varies: np.ndarray = (self.low < self.high) | ((self.missing > 0) & ~np.isnan(self.low))
        return varies


def ranges_of(table: RawTable, places: np.ndarray) -> Ranges:
    """Return what the values of the columns at ``places`` (K,) are."""
    missing = np.zeros(len(places), np.int64)
    low, high = np.full((2, len(places)), np.nan)
    single = np.ones(len(places), bool)
    for which, block in table.numbers(places):
        if block.dtype.kind == "f":
            missing[which] = np.isnan(block).sum(axis=0)
        with np.errstate(over="ignore"):  # of numbers wider than float64
            low[which] = np.fmin.reduce(block, axis=0)
            high[which] = np.fmax.reduce(block, axis=0)
        single[which] = np.result_type(block.dtype, np.float32) == np.float32
    return Ranges(missing, low, high, single)


def fill(numbers: np.ndarray, slots: np.ndarray, table: RawTable, places: np.ndarray) -> None:
    """Put the columns at ``places`` (K,) into the columns ``slots`` (K,) of ``numbers`` (N, F)."""
    for which, block in table.numbers(places):
        chosen = slots[which]
        run = len(chosen) > 0 and bool((np.diff(chosen) == 1).all())
        where = slice(int(chosen[0]), int(chosen[-1]) + 1) if run else chosen
        with np.errstate(over="ignore"):  # too large for float32 is infinite
            numbers[:, where] = block
