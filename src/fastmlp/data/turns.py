"""The order in which the parts of a source are read: drawn anew each time, several at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import islice

from fastmlp.data.source import Piece

__all__ = ["in_turns"]


def in_turns(
    order: Sequence[int], read: Callable[[int], Iterator[Piece]], n_open: int
) -> Iterator[tuple[int, Piece]]:
    """Yield pieces of ``n_open`` parts in turn; a part that has ended makes room for the next one.

    Parameters
    ----------
    order : sequence of int, length P
        Parts, in the order in which they are opened.
    read : callable
        Returns the pieces of a part.
    n_open : int

    Yields
    ------
    part : int
    piece : Piece
    """
    waiting = iter(order)
    opened = [(part, read(part)) for part in islice(waiting, n_open)]
    while opened:
        still = []
        for part, pieces in opened:
            piece = next(pieces, None)
            if piece is not None:
                yield part, piece
                still.append((part, pieces))
            else:
                still += [(part, read(part)) for part in _next_of(waiting)]
        opened = still


def _next_of(waiting: Iterator[int]) -> list[int]:
    """Return the next part in a list, or an empty one."""
    part = next(waiting, None)
    return [] if part is None else [part]
