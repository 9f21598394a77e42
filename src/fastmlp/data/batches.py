"""Batches that a user's function yields, as a source of rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np

from fastmlp import validation
from fastmlp.data.source import Piece, Reading, Source

__all__ = ["from_batches"]


class _BatchSource(Source):
    """See ``from_batches``."""

    def __init__(self, batches: Callable[[], Any], reading: Reading) -> None:
        self.batches, self.reading = batches, reading
        self.has_target = True

    def __repr__(self) -> str:
        return f"<source: batches of {getattr(self.batches, '__qualname__', self.batches)}>"

    @property
    def n_parts(self) -> int:
        return 1

    def read(self, part: int, n_rows: int) -> Iterator[Piece]:
        batches = self.batches()
        validation.check_batches_begin(batches)
        for number, batch in enumerate(batches):
            place = f"batch {number}"
            X, y, weights = validation.check_batch(batch, place)
            for first in range(0, len(X), n_rows):
                rows = slice(first, first + n_rows)
                yield Piece(
                    _some_rows(X, rows),
                    None if y is None else y[rows],
                    None if weights is None else weights[rows],
                    place,
                )


def _some_rows(X: Any, rows: slice) -> Any:
    """Return those rows of a data frame or an array X (N, I)."""
    if isinstance(X, np.ndarray):
        return X[rows]
    return nw.from_native(X, eager_only=True)[rows].to_native()


def from_batches(
    batches: Callable[[], Any],
    *,
    buffer_rows: int | None = None,
    prefetch: int = 1,
    sample_rows: int | None = None,
) -> Source:
    """Read the batches that a function of your own yields.

    The batches come in the order in which they are yielded, and a buffer shuffles their rows: if
    far more neighbours are alike than it holds, let the function draw a new order each time. But
    with early stopping every call must yield the rows in the same order, because their order tells
    which ones are held out.

    Parameters
    ----------
    batches : callable
        Called without arguments, once to survey the rows and once for each epoch; returns an
        iterator of ``(X, y)`` or ``(X, y, sample_weight)``, or of X alone if the rows are only for
        prediction. X is an array or a data frame; batches may differ in their numbers of rows.
    buffer_rows : int, default=None
        Number of rows that a buffer shuffles; None means as many as fit into 32 MiB.
    prefetch : int, default=1
        How far a thread reads ahead during training, in eighths of the buffer; 0 for no thread.
        That thread calls the function.
    sample_rows : int, default=None
        Rows that the first pass of a fit draws at random, all of which are in memory; None for up
        to 100,000, of models of raw tables 50,000.

    Returns
    -------
    Source

    Raises
    ------
    TypeError, ValueError
        If ``batches`` can't be called, or a number is out of range.

    Examples
    --------
    >>> import numpy as np
    >>> from fastmlp.data import from_batches
    >>> source = from_batches(lambda: iter([(np.zeros((4, 2)), np.ones(4))]))
    >>> [len(piece) for piece in source.pieces(3)]
    [3, 1]
    """
    reading = Reading(buffer_rows, prefetch=prefetch, sample_rows=sample_rows)
    validation.check_reading(vars(reading))
    validation.check_batches(batches)
    return _BatchSource(batches, reading)
