"""Arrays, such as memory maps of files that are larger than the memory, as a source of rows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from fastmlp import validation
from fastmlp.data.source import Piece, Reading, Source

__all__ = ["from_arrays"]

#: Rows of a part: far more than a page of memory, far fewer than a buffer.
_ROWS_OF_PART = 8192


class _ArraySource(Source):
    """See ``from_arrays``; ``X`` is (N, I), ``y`` (N,) or (N, T), ``weights`` (N,)."""

    def __init__(
        self, X: np.ndarray, y: np.ndarray | None, weights: np.ndarray | None, reading: Reading
    ) -> None:
        self.X, self.y, self.weights, self.reading = X, y, weights, reading
        self.has_target = y is not None

    def __repr__(self) -> str:
        target = ", with a target" if self.has_target else ""
        return f"<source: arrays of {len(self.X)} rows; {self.X.shape[1]} columns of X{target}>"

    @property
    def n_columns(self) -> int:
        return self.X.shape[1] or 1

    @property
    def n_parts(self) -> int:
        return -(-len(self.X) // _ROWS_OF_PART)

    def read(self, part: int, n_rows: int) -> Iterator[Piece]:
        end = min((part + 1) * _ROWS_OF_PART, len(self.X))
        for first in range(part * _ROWS_OF_PART, end, n_rows):
            rows = slice(first, min(first + n_rows, end))
            y = None if self.y is None else np.array(self.y[rows])
            weights = None if self.weights is None else np.array(self.weights[rows], np.float64)
            yield Piece(np.array(self.X[rows]), y, weights, f"rows {rows.start} to {rows.stop - 1}")


def from_arrays(
    X: Any,
    y: Any = None,
    sample_weight: Any = None,
    *,
    buffer_rows: int | None = None,
    prefetch: int = 1,
    sample_rows: int | None = None,
) -> Source:
    """Read arrays slice by slice; meant for memory maps of files that do not fit into memory.

    Parameters
    ----------
    X : array of shape (n_samples, n_features)
        For example ``np.load("X.npy", mmap_mode="r")``.
    y : array of shape (n_samples,) or (n_samples, n_outputs), default=None
        Targets; None if the rows are only for prediction.
    sample_weight : array of shape (n_samples,), default=None
    buffer_rows : int, default=None
        Number of rows that a buffer shuffles; None means as many as fit into 32 MiB.
    prefetch : int, default=1
        How far a thread reads ahead during training, in eighths of the buffer; 0 for no thread.
    sample_rows : int, default=None
        Rows that the first pass of a fit draws at random, all of which are in memory; None for up
        to 100,000, of models of raw tables 50,000.

    Returns
    -------
    Source

    Raises
    ------
    TypeError, ValueError
        If an argument is not an array, the numbers of rows differ, or a number is out of range.

    Examples
    --------
    >>> import numpy as np
    >>> from fastmlp.data import from_arrays
    >>> from_arrays(np.zeros((100_000, 3), np.float32), np.zeros(100_000)).n_parts
    13
    """
    reading = Reading(buffer_rows, prefetch=prefetch, sample_rows=sample_rows)
    validation.check_reading(vars(reading))
    validation.check_arrays_to_stream(X, y, sample_weight)
    return _ArraySource(X, y, sample_weight, reading)
