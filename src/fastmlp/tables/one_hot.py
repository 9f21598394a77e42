"""An input for each level of each category."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fastmlp.tables.encoded import EncodedTable

__all__ = ["OneHot", "fit_levels"]

#: Place of a level that has no input.
_NOWHERE = -1


@dataclass(frozen=True, eq=False)
class OneHot:
    """Which input each code has.

    Attributes
    ----------
    places : ndarray of int32, shape (S,)
        The input of each code of the first category, then of the second one, and so on; −1 for a
        code that the fit did not see.
    firsts : ndarray of int64, shape (C,)
        Where the codes of each category begin among ``places``.
    codes : ndarray of int64, shape (L,)
        The code of each input; −1 for one that several share.
    categories : ndarray of int64, shape (L,)
        The category of each input.
    """

    places: np.ndarray
    firsts: np.ndarray
    codes: np.ndarray
    categories: np.ndarray

    @property
    def n_outputs(self) -> int:
        """L."""
        return len(self.codes)

    def names(self, columns: tuple[str, ...]) -> tuple[str, ...]:
        """Return the names of the inputs, given those of the categories (C,)."""
        pairs = zip(self.categories.tolist(), self.codes.tolist(), strict=True)
        return tuple(f"{columns[c]}_{'others' if code < 0 else code}" for c, code in pairs)

    def places_of(self, categories: np.ndarray) -> np.ndarray:
        """Return the input of each code (N, C), or −1."""
        places: np.ndarray = self.places[categories + self.firsts]
        return places

    def transform(self, categories: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
        """Return codes (N, C) as inputs (N, L), float32, in ``out`` if it is given."""
        if out is None:
            out = np.empty((len(categories), self.n_outputs), np.float32)
        out[...] = 0
        places = self.places_of(categories)
        rows, columns = np.nonzero(places != _NOWHERE)
        out[rows, places[rows, columns]] = 1
        return out


def fit_levels(table: EncodedTable, max_levels: int | None) -> OneHot:
    """Return inputs for the codes that a table has.

    ``max_levels`` are the inputs of a category at most; the least frequent codes share the last.
    """
    places, codes = [], []
    n_inputs = 0
    for c, size in enumerate(table.sizes):
        counts = np.bincount(table.categories[:, c], minlength=size)
        own, shared = _shared_out(counts, max_levels)
        its = np.full(size, _NOWHERE, np.int32)
        its[own] = n_inputs + np.arange(len(own))
        its[shared] = n_inputs + len(own)
        places.append(its)
        codes.append(np.append(own, _NOWHERE) if len(shared) else own)
        n_inputs += len(codes[-1])
    return OneHot(
        np.concatenate(places),
        np.cumsum([0, *table.sizes[:-1]]),
        np.concatenate(codes),
        np.repeat(np.arange(len(codes)), list(map(len, codes))),
    )


def _shared_out(counts: np.ndarray, most: int | None) -> tuple[np.ndarray, np.ndarray]:
    """Return which codes have an input of their own, and which share one, by their counts (U,)."""
    seen = np.flatnonzero(counts)
    if most is None or len(seen) <= most:
        return seen, seen[:0]
    by_frequency = seen[np.argsort(-counts[seen], kind="stable")]
    return np.sort(by_frequency[: most - 1]), by_frequency[most - 1 :]
