"""Tables that do not fit into memory: what networks learn from when the race on a sample is over.

A ``WholeTable`` is the seam: it knows where the rows are. One is here, whose rows come from a
source of ``fastmlp.data``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from fastmlp import validation
from fastmlp.data.source import Piece, Source
from fastmlp.data.stacks import chosen, stacked
from fastmlp.data.survey import Drawn, Survey, counting, survey
from fastmlp.estimators.preparation import ValidationRows
from fastmlp.estimators.sampling import prepare_on_sample, seed_of
from fastmlp.estimators.streaming import with_rows
from fastmlp.tables import TableReader
from fastmlp.tables.inputs import Inputs
from fastmlp.tabular.split import Split
from fastmlp.tabular.transforms import Transform
from fastmlp.training import clock

__all__ = [
    "AllRows",
    "Encoding",
    "Lesson",
    "Sampled",
    "StreamedTable",
    "Targets",
    "WholeTable",
    "rows_to_draw",
]

#: Rows that race, within the bytes that their numbers take in float64.
FEWEST_DRAWN, MOST_DRAWN, BYTES_DRAWN = 3_000, 50_000, 1 << 26


class Targets(Protocol):
    """What is known of y once the sample has been looked at."""

    def encoded(
        self, y: Any, weights: np.ndarray | None, n_rows: int
    ) -> tuple[np.ndarray, np.ndarray | None]:
        """Return what is learnt, (n, …), of y (n,) or (n, T), and what the rows count, (n,)."""

    def judging(
        self, y: Any, sample_weight: Any, n_rows: int
    ) -> tuple[np.ndarray, np.ndarray | None]:
        """Return the same of rows that the user judges by, after all checks."""

    def n_counting(self, found: Survey) -> int:
        """Return how many rows there are whose weight is not 0."""


@dataclass(frozen=True, eq=False)
class Encoding:
    """How rows of the raw table become what a network learns from; it can be pickled.

    Attributes
    ----------
    reader : TableReader
    targets : Targets
    inputs : Inputs
    transform : Transform or None
    """

    reader: TableReader
    targets: Targets
    inputs: Inputs
    transform: Transform | None

    def __call__(self, piece: Piece) -> Piece:
        """Return the inputs (n, I) in the place of X, float32, with targets and weights.

        Raises
        ------
        ValueError, TypeError
            If the rows are not as they were in the sample; the text says where they lie.
        """
        with validation.naming_piece(piece.place):
            table = self.reader.transform(piece.X)
            y, weights = self.targets.encoded(piece.y, piece.weights, len(table))
            y = y if self.transform is None else self.transform.forth(y)
        X = self.inputs.matrix_or_zeros(table)
        return Piece(X if isinstance(X, np.ndarray) else X.toarray(), y, weights, piece.place)


@dataclass(frozen=True, eq=False)
class Lesson:
    """What one network is to learn from all rows.

    Attributes
    ----------
    encode : callable
        Maps a piece of the raw table to one of the network's inputs.
    sample : Piece
        Rows, encoded, that stand for all wherever a fit looks at all rows at once.
    held : ndarray of float64, shape (V,)
        What the rows drew (``Drawn``) that must not be learnt from, ascending.
    n_rows : int
        How many rows of a weight there are, without these.
    judged : ValidationRows
        What judges the network, encoded; without rows, nothing does.
    """

    encode: Callable[[Piece], Piece]
    sample: Piece
    held: np.ndarray
    n_rows: int
    judged: ValidationRows


class WholeTable(Protocol):
    """All rows of a table, wherever they are.

    Attributes
    ----------
    found : Survey
        Of the raw table.
    """

    @property
    def found(self) -> Survey:
        """What one pass over them has shown."""

    def teach(self, network: Any, lesson: Lesson) -> None:
        """Fit a network of ``estimators`` to all rows that a lesson is about."""


@dataclass(frozen=True, eq=False)
class Sampled:
    """Rows of a whole table that race.

    Attributes
    ----------
    rows : Piece, of S rows
    keys : ndarray of float64, shape (S,)
        What they drew.
    whole : WholeTable or None
        None if there are no other rows.
    """

    rows: Piece
    keys: np.ndarray
    whole: WholeTable | None

    @classmethod
    def of(cls, whole: WholeTable) -> Sampled:
        """Return the rows that were drawn, and a row of each label that none of them has.

        These drew infinity.
        """
        found = whole.found
        have = set(np.unique(np.asarray(found.sample.y)).tolist()) if found.firsts else set()
        rare = [piece for label, piece in found.firsts.items() if label not in have]
        with validation.naming_unlike_pieces():
            rows = stacked([found.sample, *rare])
        return cls(rows, np.concatenate([found.keys, np.full(len(rare), np.inf)]), whole)


@dataclass(frozen=True, eq=False)
class StreamedTable:
    """A table that a source reads piece by piece.

    Attributes
    ----------
    source : Source
    drawn : Drawn
    found : Survey
    """

    source: Source
    drawn: Drawn
    found: Survey

    @classmethod
    def of(
        cls,
        source: Source,
        random_state: Any,
        look: Callable[[Piece], None],
        *,
        has_labels: bool,
    ) -> StreamedTable:
        """Return the table of a source after a pass over it; ``look`` is shown all pieces."""
        drawn = Drawn(seed_of(random_state))
        found = survey(source, drawn, rows_to_draw, has_labels=has_labels, look=look)
        return cls(source, drawn, found)

    def sampled(self) -> Sampled:
        """Return the rows that race: those drawn, or all in their order if no more were drawn."""
        if len(self.found.sample) < self.found.n_rows:
            return Sampled.of(self)
        pieces = self.source.pieces(self.source.rows_of_piece)
        with validation.naming_unlike_pieces():
            rows = stacked([chosen(piece, counting(piece)) for piece in pieces])
        return Sampled(rows, self.found.keys, None)

    def teach(self, network: Any, lesson: Lesson) -> None:
        """See :class:`WholeTable`."""
        fitting = prepare_on_sample(network, lesson.sample, clock.now(), lesson.judged)
        source = _EncodedSource(self.source, lesson.encode)
        network._run(
            with_rows(fitting, source, self.drawn, lesson.held, lesson.n_rows), source, None, None
        )


class _EncodedSource(Source):
    """A raw table's source whose pieces are encoded as they are read."""

    has_target = True

    def __init__(self, raw: Source, encode: Callable[[Piece], Piece]) -> None:
        self.raw, self.encode, self.reading = raw, encode, raw.reading

    @property
    def n_parts(self) -> int:
        return self.raw.n_parts

    @property
    def n_open(self) -> int:
        return self.raw.n_open

    def read(self, part: int, n_rows: int) -> Iterator[Piece]:
        return map(self.encode, self.raw.read(part, n_rows))


@dataclass(frozen=True, eq=False)
class AllRows:
    """A whole table, with all that follows from its sample.

    Attributes
    ----------
    whole : WholeTable
    reader : TableReader
    targets : Targets
    keys : ndarray of float64, shape (S,)
        What the sample's rows drew, as far as they count; infinite for those that joined it.
    """

    whole: WholeTable
    reader: TableReader
    targets: Targets
    keys: np.ndarray

    @classmethod
    def of(cls, sampled: Sampled, reader: TableReader, targets: Targets) -> AllRows | None:
        """Return what follows from a sample; None if there are no other rows."""
        if sampled.whole is None:
            return None
        rows, keys = sampled.rows, sampled.keys
        _, weights = targets.encoded(rows.y, rows.weights, len(keys))
        keys = keys if weights is None else keys[weights > 0]
        return cls(sampled.whole, reader, targets, keys)

    @property
    def n_rows(self) -> int:
        """How many rows count."""
        return self.targets.n_counting(self.whole.found)

    def teach(
        self,
        network: Any,
        inputs: Inputs,
        transform: Transform | None,
        split: Split,
        sample: Piece,
        judged: ValidationRows,
    ) -> None:
        """Fit a network to all rows but those that a split of the sample holds out.

        ``sample`` and ``judged`` are the split's rows, encoded by ``inputs`` and ``transform``.
        """
        own = split.held[split.held < len(self.keys)]  # the others are the user's validation rows
        held = np.sort(self.keys[own])
        encode = Encoding(self.reader, self.targets, inputs, transform)
        self.whole.teach(network, Lesson(encode, sample, held, self.n_rows - len(held), judged))


def rows_to_draw(n_columns: int) -> int:
    """Return how many rows of so many columns race, where the source does not say it."""
    return int(np.clip(BYTES_DRAWN // (8 * n_columns), FEWEST_DRAWN, MOST_DRAWN))
