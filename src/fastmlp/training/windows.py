"""Rows that do not fit into memory, in windows that do.

Several parts of the source are read at once, a buffer mixes their rows, and windows are cut of what
leaves it. The rows of a window are a multiple of the batch size, so that only the last batch of an
epoch is short, and are shuffled once more.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any
from zlib import crc32

import numpy as np

from fastmlp import validation
from fastmlp.backends import Rows
from fastmlp.data.beside import beside
from fastmlp.data.source import Piece, Source
from fastmlp.data.stacks import chosen
from fastmlp.data.survey import Drawn, are_among, counting
from fastmlp.data.turns import in_turns, spread_order
from fastmlp.notices import notify
from fastmlp.training.loop import TrainingData
from fastmlp.training.mixing import mixed, unevenness

__all__ = ["BUFFER_BYTES", "Streamed", "StreamedData", "windows_of"]

#: What the rows of the buffer take, where the user does not say how many there are.
BUFFER_BYTES = 1 << 25

#: A window has this part of the buffer's rows.
WINDOWS_OF_BUFFER = 8

#: A warning is worth it if windows' targets differ by more deviations than this, and so many times
#: as by chance.
UNEVEN, TIMES_CHANCE = 0.2, 4

#: Rows of a piece, of which the buffer holds several of each part that is open.
FEWEST, MOST = 256, 8192


@dataclass(frozen=True, eq=False)
class Streamed:
    """How a source becomes windows.

    Attributes
    ----------
    source : Source
    drawn : Drawn
        Gives each row a number.
    held : ndarray of float64, shape (V,)
        The numbers of the rows that are held out, ascending.
    encode : callable
        Returns a piece as ``Rows`` of the network's type.
    n_rows : int
        Rows of an epoch.
    buffer_rows : int
        Rows that are mixed.
    window_rows : int
    shuffles : bool
        Whether rows come in an order of their own in each epoch.
    """

    source: Source
    drawn: Drawn
    held: np.ndarray
    encode: Callable[[Piece], Rows]
    n_rows: int
    buffer_rows: int
    window_rows: int
    shuffles: bool
    _held_out: dict[int, int] = field(init=False, repr=False, default_factory=dict)

    def rows(self, epoch: int) -> Iterator[Rows]:
        """Yield the rows of an epoch in the order in which they are learnt from, encoded."""
        if not self.shuffles:
            return self._read(np.arange(self.source.n_parts), 1)
        rng = np.random.default_rng([self.drawn.seed, epoch])
        order = spread_order(self.source.n_parts, rng)
        return mixed(self._read(order, self.source.n_open), self.buffer_rows, rng)

    def _read(self, order: np.ndarray, n_open: int) -> Iterator[Rows]:
        """Yield what each piece of the parts has to learn from, ``n_open`` parts in turn."""
        size = int(np.clip(self.buffer_rows // (2 * n_open), FEWEST, MOST))
        digests: dict[int, int] = {}
        for part, (piece, keys) in in_turns(
            order.tolist(), lambda part: self._drawing(part, size), n_open
        ):
            with validation.naming_piece(piece.place):
                counts = counting(piece)
                if len(counts) < len(piece):
                    piece, keys = chosen(piece, counts), keys[counts]  # noqa: PLW2901 - as count
                if not len(piece):
                    continue
                held = are_among(keys, self.held)
                rows = self.encode(piece)
            keep = ~held
            if held.any():
                digests[part] = crc32(rows.target[held].tobytes(), digests.get(part, 0))
            yield rows if keep.all() else _chosen(rows, keep)
        # What was held out in the first epoch must be held out in all others.
        validation.check_same_held_out(self._held_out or digests, digests)
        self._held_out.update(digests)

    def _drawing(self, part: int, size: int) -> Iterator[tuple[Piece, np.ndarray]]:
        """Yield the pieces of a part, and what their rows draw."""
        rng = self.drawn.of_part(part)
        for piece in self.source.read(part, size):
            yield piece, rng.random(len(piece))

    def windows(self, epoch: int) -> Generator[Rows, None, None]:
        """Yield an epoch's windows, read ahead in a thread beside, as far as the source says."""
        n_ahead = self.source.reading.prefetch
        windows = windows_of(self.rows(epoch), self.window_rows, n_in_use=n_ahead + 1)
        return beside(windows, n_ahead)


def _chosen(rows: Rows, keep: np.ndarray) -> Rows:
    """Return the rows that are kept, by a mask (n,)."""
    X: Any = rows.X
    weights = None if rows.sample_weight is None else rows.sample_weight[keep]
    return Rows(X[keep], rows.target[keep], weights)


def windows_of(
    pieces: Iterable[Rows], n_rows: int, *, n_in_use: int
) -> Generator[Rows, None, None]:
    """Yield windows of ``n_rows`` rows each, but for the last one, of pieces of any size.

    The ``n_in_use`` th window after another one is put into the same memory: what is freed and
    taken anew would not go back to the system meanwhile.
    """
    buffers: deque[list[np.ndarray]] = deque()
    filled = 0
    for piece in pieces:
        first, parts = 0, [each for each in piece if each is not None]
        while first < len(parts[0]):
            if filled == 0:
                _have_room(buffers, parts, n_rows, n_in_use)
            count = min(n_rows - filled, len(parts[0]) - first)
            for buffer, part in zip(buffers[0], parts, strict=True):
                buffer[filled : filled + count] = part[first : first + count]
            filled, first = filled + count, first + count
            if filled == n_rows:
                yield Rows(*buffers[0])
                filled = 0
    if filled:
        yield Rows(*[buffer[:filled] for buffer in buffers[0]])


def _have_room(
    buffers: deque[list[np.ndarray]], parts: list[Any], n_rows: int, n_in_use: int
) -> None:
    """Put a buffer first that may be filled: a new one, or that which was filled longest ago."""
    if len(buffers) < n_in_use:
        new = [np.empty((n_rows, *part.shape[1:]), part.dtype) for part in parts]
        buffers.appendleft(new)
    else:
        buffers.rotate(1)


class StreamedData(TrainingData):
    """Rows to learn from that come in windows; ``rows`` are a sample of them."""

    def __init__(self, sample: TrainingData, streamed: Streamed) -> None:
        super().__init__(sample.rows, sample.order)
        self.streamed = streamed
        self._looks = streamed.shuffles

    @property
    def n_rows(self) -> int:
        """Rows of an epoch."""
        return self.streamed.n_rows

    def windows(self, epoch: int) -> Generator[TrainingData, None, None]:
        """Yield the rows of an epoch, window by window; ValueError unless they are all there."""
        n_seen, means = 0, []
        with closing(self.streamed.windows(epoch)) as windows:
            for rows in windows:
                n_seen += len(rows.target)
                if self._looks and len(rows.target) == self.streamed.window_rows:
                    means.append(rows.target.mean(axis=0, dtype=np.float64))
                yield TrainingData(rows, np.arange(len(rows.target), dtype=np.int64))
        validation.check_stream_length(n_seen, self.n_rows)
        if means:
            self._tell(np.array(means))

    def _tell(self, means: np.ndarray) -> None:
        """Warn, once, if rows of like targets stayed together: means (K, T) are of windows."""
        self._looks = False
        found = unevenness(means, self.rows.target)
        by_chance = self.streamed.window_rows**-0.5
        if found > max(UNEVEN, TIMES_CHANCE * by_chance):
            notify(validation.rows_unmixed(found, by_chance))
