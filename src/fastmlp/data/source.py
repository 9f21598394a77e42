"""What a source of rows is: parts, each of which is read piece by piece."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = ["Piece", "Reading", "Source"]

#: Rows that are read at a time, within the bytes that their numbers take in float64.
MOST_ROWS, FEWEST_ROWS, PIECE_BYTES = 4096, 64, 1 << 21

#: What parts that are read at the same time may take in memory, and how many they are.
OPEN_BYTES, FEWEST_OPEN, MOST_OPEN = 24 << 20, 2, 16


@dataclass(frozen=True, eq=False)
class Piece:
    """Some rows that lie one after the other.

    Attributes
    ----------
    X : ndarray or data frame, shape (n, I)
    y : ndarray, shape (n,) or (n, T), or None
        None where the source has no target.
    weights : ndarray of float64, shape (n,), or None
    place : str
        Where the rows come from, as errors say it.
    """

    X: Any
    y: np.ndarray | None
    weights: np.ndarray | None
    place: str

    def __len__(self) -> int:
        return len(self.X)


@dataclass(frozen=True)
class Reading:
    """How the rows of a source are shuffled and read ahead.

    Attributes
    ----------
    buffer_rows : int or None
        Rows of the buffer that mixes them; None for as many as ``BUFFER_BYTES`` hold.
    n_open : int or None
        Parts that are read at the same time, a piece of each in turn, so that the buffer has rows
        of several; None for as many as ``OPEN_BYTES`` hold.
    prefetch : int
        Windows that are read ahead, in a thread beside the training; 0 for no such thread.
    sample_rows : int or None
        Rows that the first pass of a fit draws; None lets the model decide.
    """

    buffer_rows: int | None = None
    n_open: int | None = None
    prefetch: int = 1
    sample_rows: int | None = None


class Source(ABC):
    """Rows that are read piece by piece, as often as they are needed.

    Parts are what can be read in any order, such as the row groups of Parquet files. The rows of
    a part come in the order in which they lie.

    Attributes
    ----------
    reading : Reading
    has_target : bool
        Whether each row comes with a target.
    once : bool
        Whether the rows can be read only once.
    """

    reading: Reading
    has_target: bool
    once: bool = False

    @property
    @abstractmethod
    def n_parts(self) -> int:
        """How many parts there are."""

    @property
    def rows_of_piece(self) -> int:
        """How many rows are read at a time."""
        return int(np.clip(PIECE_BYTES // (8 * self.n_columns), FEWEST_ROWS, MOST_ROWS))

    @property
    def n_columns(self) -> int:
        """How many columns X has; 1 where nobody knows before it is read."""
        return 1

    @property
    def n_open(self) -> int:
        """How many parts are read at the same time, where the order of the rows is free."""
        if self.reading.n_open is not None:
            return self.reading.n_open
        return int(np.clip(OPEN_BYTES // max(self.bytes_of_part, 1), FEWEST_OPEN, MOST_OPEN))

    @property
    def bytes_of_part(self) -> int:
        """About how much memory the largest part takes while it is read; 0 for next to nothing."""
        return 0

    @abstractmethod
    def read(self, part: int, n_rows: int) -> Iterator[Piece]:
        """Yield a part's rows in pieces of up to ``n_rows``.

        Raises
        ------
        OSError, ValueError
            If they can't be read, or are not as the others; the text says where they lie.
        """

    def rest(self) -> None:  # noqa: B027 - most have nothing to give back
        """Give back to the system what reading has taken and needs no more."""

    def pieces(self, n_rows: int) -> Iterator[Piece]:
        """Yield all rows in their order, in pieces of up to ``n_rows``."""
        for part in range(self.n_parts):
            yield from self.read(part, n_rows)
