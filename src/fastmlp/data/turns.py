"""The order in which the parts of a source are read: drawn anew each time, several at once.

Parts that are read one after the other lie far apart in the source. Drawn independently, some of
them would be neighbours by chance, and so alike where rows are sorted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import TypeVar

import numpy as np

__all__ = ["in_turns", "spread_order"]

T = TypeVar("T")


def in_turns(
    order: Sequence[int], read: Callable[[int], Iterator[T]], n_open: int
) -> Iterator[tuple[int, T]]:
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
    piece : object
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


def spread_order(n_parts: int, rng: np.random.Generator) -> np.ndarray:
    """Return the numbers (n_parts,) of parts in a random order that is even wherever it is cut.

    The halves of the source take turns, and so do the halves of each half, and so on: of 2ᵏ parts
    that follow one another, hardly two lie in the same 2ᵏ-th of the source. Which half begins
    is drawn. These are the ranks of van der Corput's sequence with digits scrambled as by Owen,
    "Randomly permuted (t, m, s)-nets and (t, s)-sequences", 1995.
    """
    order = np.zeros(1, np.int64)
    while len(order) < n_parts:
        second = rng.integers(0, 2, len(order))
        order = np.concatenate([2 * order + second, 2 * order + 1 - second])
    return np.argsort(np.argsort(order[:n_parts]))


def _next_of(waiting: Iterator[int]) -> list[int]:
    """Return the next part in a list, or an empty one."""
    part = next(waiting, None)
    return [] if part is None else [part]
