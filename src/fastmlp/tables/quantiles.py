"""Quantiles of many columns at once, whose missing values differ."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

__all__ = ["quantiles"]

#: Values that are sorted at a time.
BLOCK = 2**22


def quantiles(X: np.ndarray, shares: np.ndarray, *, of_data: bool = False) -> np.ndarray:
    """Return quantiles of each column's finite values.

    Parameters
    ----------
    X : ndarray of float, shape (N, F)
    shares : ndarray of float, shape (Q,)
        Between 0 and 1.
    of_data : bool, default=False
        Whether to take the value that is closest in rank; else values in between are interpolated.

    Returns
    -------
    ndarray of float64, shape (Q, F)
        NaN where a column has no finite value.
    """
    out = np.empty((len(shares), X.shape[1]))
    for columns in _blocks(*X.shape):
        part = X[:, columns].T.astype(np.float64)
        part[~np.isfinite(part)] = np.nan
        part.sort(axis=1)  # NaN last
        out[:, columns] = _of_sorted(part, shares, of_data)
    return out


def _blocks(n_rows: int, n_columns: int) -> Iterator[slice]:
    width = max(1, BLOCK // max(n_rows, 1))
    for first in range(0, n_columns, width):
        yield slice(first, min(first + width, n_columns))


def _of_sorted(values: np.ndarray, shares: np.ndarray, of_data: bool) -> np.ndarray:
    """Return quantiles (Q, F) of sorted rows (F, N)."""
    last = np.maximum((~np.isnan(values)).sum(axis=1) - 1, 0)
    places = shares[:, None] * last
    if of_data:
        return _at(values, np.rint(places))
    below = _at(values, np.floor(places))
    above = _at(values, np.ceil(places))
    share = places - np.floor(places)
    between: np.ndarray = (1 - share) * below + share * above  # no difference that may overflow
    return between


def _at(values: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Return the values (F, N) at ``places`` (Q, F), as (Q, F)."""
    return np.take_along_axis(values, places.T.astype(np.int64), axis=1).T
