"""Rows that come in an order of their own, mixed by a buffer that is never emptied before the end.

```
pieces ──▶ buffer of n rows, full: each new row takes the place of a row drawn at random
                     └──▶ the rows that made room
```

So rows of a piece leave over a long time, and meet rows that were read long before and long
after. Windows that are filled anew one by one would keep a row's neighbours together: a network
would learn from a part of a sorted file, all copies of these rows at a time, and then from another.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from fastmlp.backends import Rows

__all__ = ["mixed", "unevenness"]


def mixed(pieces: Iterable[Rows], n_rows: int, rng: np.random.Generator) -> Iterator[Rows]:
    """Yield the rows of pieces in a random order, as far as a buffer of ``n_rows`` rows allows.

    Parameters
    ----------
    pieces : iterable of Rows
        Of any number of rows.
    n_rows : int
    rng : numpy.random.Generator
        Draws which rows leave.

    Yields
    ------
    Rows
        Each row once, in arrays of their own; what is left at the end comes in random order.
    """
    buffer: list[np.ndarray] = []
    filled, most = 0, 1
    for piece in pieces:
        arrays: list[Any] = [each for each in piece if each is not None]
        if not buffer:
            buffer = [np.empty((n_rows, *each.shape[1:]), each.dtype) for each in arrays]
        most = max(most, len(piece.target))
        first = min(n_rows - filled, len(piece.target))
        for kept, new in zip(buffer, arrays, strict=True):
            kept[filled : filled + first] = new[:first]
        filled += first
        for start in range(first, len(piece.target), n_rows):
            yield _exchanged(buffer, [each[start : start + n_rows] for each in arrays], rng)
    order = rng.permutation(filled)
    for start in range(0, filled, most):
        yield Rows(*[kept[order[start : start + most]] for kept in buffer])


def _exchanged(buffer: list[np.ndarray], new: list[np.ndarray], rng: np.random.Generator) -> Rows:
    """Put ``new`` rows in the place of as many that are drawn, and return these."""
    places = rng.choice(len(buffer[0]), len(new[0]), replace=False, shuffle=False)
    gone = [kept[places] for kept in buffer]
    for kept, rows in zip(buffer, new, strict=True):
        kept[places] = rows
    return Rows(*gone)


def unevenness(windows: np.ndarray, target: np.ndarray) -> float:
    """Return by how much the targets of windows differ, in deviations of the target.

    Parameters
    ----------
    windows : ndarray of shape (K, T)
        Mean targets of windows.
    target : ndarray of shape (S, T)
        Targets that were drawn from all.

    Returns
    -------
    float
        The root of the windows' mean squared difference from their mean over the standard deviation
        of the target, of the column where it is largest. Windows of n shuffled rows have n^-1/2.
    """
    deviations = np.std(target, axis=0, dtype=np.float64)
    varies = deviations > 0
    of_windows = np.std(windows, axis=0, dtype=np.float64)[varies]
    return float(np.max(of_windows / deviations[varies], initial=0.0))
