"""What one pass over a source shows: how many rows there are, which labels, and some rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from fastmlp import validation
from fastmlp.data.source import Piece, Source
from fastmlp.data.stacks import chosen, stacked

__all__ = ["Drawn", "Survey", "are_among", "counting", "survey"]


@dataclass(frozen=True)
class Drawn:
    """Random numbers of rows, the same each time and in pieces of any size.

    Attributes
    ----------
    seed : int
    """

    seed: int

    def of_part(self, part: int) -> np.random.Generator:
        """Return what draws a number for each row of a part, one after the other."""
        return np.random.Generator(np.random.Philox(np.random.SeedSequence([self.seed, part])))


def are_among(numbers: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """Return which of ``numbers`` (n,) are among those ``chosen`` (V,), which are ascending."""
    if not len(chosen):
        return np.zeros(len(numbers), bool)
    places = np.minimum(np.searchsorted(chosen, numbers), len(chosen) - 1)
    found: np.ndarray = chosen[places] == numbers
    return found


@dataclass(frozen=True, eq=False)
class Survey:
    """What is known of a source after one pass.

    Attributes
    ----------
    n_rows : int
    sample : Piece
        Rows that were drawn at random, in the order of what they drew.
    keys : ndarray of float64, shape (S,)
        What they drew, ascending.
    firsts : dict of label to Piece
        The first row of each label, if the target holds labels (n,).
    counts : dict of label to int
        How many rows have each label.
    """

    n_rows: int
    sample: Piece
    keys: np.ndarray
    firsts: dict[Any, Piece]
    counts: dict[Any, int]


@dataclass
class _Sample:
    """The rows with the least numbers so far, and the first one of each label."""

    most: int
    has_labels: bool
    pieces: list[Piece] = field(default_factory=list)
    keys: list[np.ndarray] = field(default_factory=list)
    n_kept: int = 0
    bound: float = np.inf
    labels: dict[Any, Piece] = field(default_factory=dict)
    counts: dict[Any, int] = field(default_factory=dict)

    def add(self, piece: Piece, keys: np.ndarray) -> None:
        """Look at a piece (n,) whose rows drew ``keys`` (n,)."""
        if self.has_labels and piece.y is not None and piece.y.ndim == 1:
            self._add_labels(piece)
        kept = np.flatnonzero(keys < self.bound)
        if len(kept):
            self.pieces.append(chosen(piece, kept))
            self.keys.append(keys[kept])
            self.n_kept += len(kept)
        if self.n_kept > 2 * self.most:
            self._trim()

    def _add_labels(self, piece: Piece) -> None:
        assert piece.y is not None
        labels, first, counts = np.unique(piece.y, return_index=True, return_counts=True)
        for label, row, count in zip(labels.tolist(), first, counts.tolist(), strict=True):
            if label not in self.labels:
                self.labels[label] = chosen(piece, np.array([row]))
            self.counts[label] = self.counts.get(label, 0) + count

    def _trim(self) -> None:
        """Keep the rows with the least numbers, as many as there may be, in their order."""
        keys = np.concatenate(self.keys)
        order = np.argsort(keys, kind="stable")[: self.most]
        self.pieces, self.keys = [chosen(stacked(self.pieces), order)], [keys[order]]
        self.n_kept = len(order)
        if self.n_kept == self.most:
            self.bound = float(keys[order[-1]])

    def finish(self, n_rows: int) -> Survey:
        """Return what has been seen of so many rows."""
        self._trim()
        return Survey(n_rows, self.pieces[0], self.keys[0], self.labels, self.counts)


def survey(
    source: Source,
    drawn: Drawn,
    most: Callable[[int], int],
    *,
    has_labels: bool,
    look: Callable[[Piece], None] | None = None,
) -> Survey:
    """Read all rows once.

    Parameters
    ----------
    source : Source
    drawn : Drawn
    most : callable
        Maps the number of columns to the number of rows to draw, where the source does not say it.
    has_labels : bool
        Whether the target holds class labels, where it is (n,).
    look : callable, optional
        Is shown the rows of each piece that count; what it raises is told with their place.

    Raises
    ------
    ValueError, OSError
        If there are no rows, or they can't be read.
    """
    sample, n_rows = _Sample(0, has_labels), 0
    first: Piece | None = None
    for part in range(source.n_parts):
        rng = drawn.of_part(part)
        for piece in source.read(part, source.rows_of_piece):
            sample.most = sample.most or source.reading.sample_rows or most(piece.X.shape[1])
            first = first or piece
            validation.check_like_first(first, piece, piece.place)
            validation.check_brings_target(piece.y, piece.place)
            keys = rng.random(len(piece))
            keep = counting(piece)
            n_rows += len(keep)
            if not len(keep):
                continue
            with validation.naming_piece(piece.place):
                if len(keep) < len(piece):
                    piece, keys = chosen(piece, keep), keys[keep]  # noqa: PLW2901 - those that count
                if look is not None:
                    look(piece)
                sample.add(piece, keys)
    validation.check_any_row_to_stream(n_rows)
    with validation.naming_unlike_pieces():
        return sample.finish(n_rows)


def counting(piece: Piece) -> np.ndarray:
    """Return the rows (k,) of a piece whose weight is not 0."""
    return np.arange(len(piece)) if piece.weights is None else np.flatnonzero(piece.weights)
