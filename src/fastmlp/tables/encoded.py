"""A raw table as numbers and codes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

__all__ = ["EncodedTable"]


@dataclass(frozen=True, eq=False)
class EncodedTable:
    """The rows of a raw table, encoded.

    Attributes
    ----------
    numbers : ndarray of float32 or float64, shape (N, F)
        C-contiguous; NaN where a value is missing, and infinities as they came.
    categories : ndarray of int32, shape (N, C)
        C-contiguous. 0: a level that the fit did not see, or saw too seldom. 1: a missing one. Then
        the levels, the most frequent first.
    number_names : tuple of str, length F
    category_names : tuple of str, length C
    sizes : tuple of int, length C
        How many codes each category has, 0 and 1 among them.
    """

    numbers: np.ndarray
    categories: np.ndarray
    number_names: tuple[str, ...]
    category_names: tuple[str, ...]
    sizes: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.numbers)

    def joined(self, other: EncodedTable) -> EncodedTable:
        """Return these rows and those of another table that the same reader has read."""
        return EncodedTable(
            np.concatenate([self.numbers, other.numbers]),
            np.concatenate([self.categories, other.categories]),
            self.number_names,
            self.category_names,
            self.sizes,
        )

    def rows(self, chosen: np.ndarray | slice) -> EncodedTable:
        """Return some rows, by their numbers (K,), a mask (N,) or a slice."""
        return EncodedTable(
            np.ascontiguousarray(self.numbers[chosen]),
            np.ascontiguousarray(self.categories[chosen]),
            self.number_names,
            self.category_names,
            self.sizes,
        )
