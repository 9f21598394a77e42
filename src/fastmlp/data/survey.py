"""What one pass over a source shows: how many rows there are, which labels, and some rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from fastmlp import validation
from fastmlp.data.source import Piece, Source
from fastmlp.data.stacks import chosen, stacked

__all__ = [
    "Drawn",
    "Survey",
    "are_among",
    "counting",
    "merged_surveys",
    "survey",
    "survey_of_part",
]


#: So many times the rows that are wanted are kept, before those beyond them are dropped.
TRIMMED_AT = 1.25

#: Pieces that are kept: of few rows, which is what a long source gives, each takes many times more
#: than its numbers do.
MOST_PIECES = 32


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
    """The rows with the least numbers so far, and the first one of each label.

    Attributes
    ----------
    most : callable
        Maps the number of columns to the number of rows to draw.
    has_labels : bool
        Whether the target holds class labels, where it is (n,).
    look : callable or None
        Is shown the rows of each piece that count.
    """

    most: Callable[[int], int]
    has_labels: bool
    look: Callable[[Piece], None] | None = None
    n_rows: int = 0
    first: Piece | None = None
    pieces: list[Piece] = field(default_factory=list)
    keys: list[np.ndarray] = field(default_factory=list)
    n_kept: int = 0
    bound: float = np.inf
    labels: dict[Any, Piece] = field(default_factory=dict)
    counts: dict[Any, int] = field(default_factory=dict)

    def see(self, pieces: Iterable[Piece], rng: np.random.Generator) -> None:
        """Look at the rows of a part, which draw their numbers from ``rng``."""
        for piece in pieces:
            self._compare(piece)
            validation.check_brings_target(piece.y, piece.place)
            keys, keep = rng.random(len(piece)), counting(piece)
            if not len(keep):
                continue
            with validation.naming_piece(piece.place):
                if len(keep) < len(piece):
                    self._add(chosen(piece, keep), keys[keep])
                else:
                    self._add(piece, keys)

    def add_survey(self, other: Survey) -> None:
        """Add what has been seen of parts that lie behind these."""
        self._compare(other.sample)
        self.n_rows += other.n_rows
        self.labels = {**other.firsts, **self.labels}
        for label, count in other.counts.items():
            self.counts[label] = self.counts.get(label, 0) + count
        self._keep(other.sample, other.keys)

    def _compare(self, piece: Piece) -> None:
        if not self.first:
            with validation.naming_piece(piece.place):
                self.first = chosen(piece, np.arange(min(1, len(piece))))
        validation.check_like_first(self.first, piece, piece.place)

    def _add(self, piece: Piece, keys: np.ndarray) -> None:
        """Look at a piece (n,) whose rows drew ``keys`` (n,)."""
        self.n_rows += len(piece)
        if self.look is not None:
            self.look(piece)
        if self.has_labels and piece.y is not None and piece.y.ndim == 1:
            self._add_labels(piece)
        self._keep(piece, keys)

    def _add_labels(self, piece: Piece) -> None:
        assert piece.y is not None
        if piece.y.dtype.hasobject:  # NumPy can't sort what is missing
            validation.check_labels(piece.y)
        labels, first, counts = np.unique(piece.y, return_index=True, return_counts=True)
        for label, row, count in zip(labels.tolist(), first, counts.tolist(), strict=True):
            if label not in self.labels:
                self.labels[label] = chosen(piece, np.array([row]))
            self.counts[label] = self.counts.get(label, 0) + count

    def _keep(self, piece: Piece, keys: np.ndarray) -> None:
        """Keep the rows (n,) whose ``keys`` (n,) are low enough."""
        kept = np.flatnonzero(keys < self.bound)
        if len(kept):
            self.pieces.append(chosen(piece, kept))
            self.keys.append(keys[kept])
            self.n_kept += len(kept)
        if self.n_kept > TRIMMED_AT * self._n_most:
            self._trim()
        elif len(self.pieces) > MOST_PIECES:
            self._join_latest()

    @property
    def _n_most(self) -> int:
        assert self.first is not None
        return self.most(self.first.X.shape[1])

    def _join_latest(self) -> None:
        """Make one piece of all but the first, which has the rows of the latest trimming."""
        keys = np.concatenate(self.keys[1:])
        self.pieces[1:] = [chosen(stacked(self.pieces[1:]), np.arange(len(keys)))]
        self.keys[1:] = [keys]

    def _trim(self) -> None:
        """Keep the rows with the least numbers, as many as there may be, in their order."""
        keys, most = np.concatenate(self.keys), self._n_most
        order = np.argsort(keys, kind="stable")[:most]
        self.pieces, self.keys = [chosen(stacked(self.pieces), order)], [keys[order]]
        self.n_kept = len(order)
        if self.n_kept == most:
            self.bound = float(keys[order[-1]])

    def finish(self) -> Survey:
        """Return what has been seen, some rows at least."""
        with validation.naming_unlike_pieces():
            self._trim()
        return Survey(self.n_rows, self.pieces[0], self.keys[0], self.labels, self.counts)


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
    n_drawn = source.reading.sample_rows
    sample = _Sample(most if n_drawn is None else lambda _: n_drawn, has_labels, look)
    for part in range(source.n_parts):
        sample.see(source.read(part, source.rows_of_piece), drawn.of_part(part))
    validation.check_any_row_to_stream(sample.n_rows)
    return sample.finish()


def survey_of_part(
    pieces: Iterable[Piece],
    rng: np.random.Generator,
    most: Callable[[int], int],
    *,
    has_labels: bool,
    look: Callable[[Piece], None] | None = None,
) -> Survey | None:
    """Return what the rows of one part show, which draw from ``rng``; None if none counts."""
    sample = _Sample(most, has_labels, look)
    sample.see(pieces, rng)
    return sample.finish() if sample.n_rows else None


def merged_surveys(surveys: Sequence[Survey], most: Callable[[int], int]) -> Survey:
    """Return what parts show together, by what each shows, in their order.

    Raises
    ------
    ValueError
        If they have other columns, or other forms of targets.
    """
    sample = _Sample(most, has_labels=True)
    for each in surveys:
        sample.add_survey(each)
    return sample.finish()


def counting(piece: Piece) -> np.ndarray:
    """Return the rows (k,) of a piece whose weight is not 0."""
    return np.arange(len(piece)) if piece.weights is None else np.flatnonzero(piece.weights)
