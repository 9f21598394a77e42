"""The levels of a category: which there are in a column, and which each row has.

A level is known by its text. So 3, 3.0 and "3" are one level, and it does not matter in which of
these types a column comes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from decimal import Decimal
from itertools import count
from typing import Any, NamedTuple

import numpy as np

from fastmlp.validation.tables import is_missing

__all__ = ["Levels", "levels_of_coded", "levels_of_numbers", "levels_of_objects", "levels_of_times"]


class Levels(NamedTuple):
    """The levels of a column.

    Attributes
    ----------
    codes : ndarray of int64, shape (N,)
        The place of each row's level in ``texts``; −1 for a missing one.
    texts : list of str, length U
        Each is there once; a level without a row is possible.
    """

    codes: np.ndarray
    texts: list[str]

    def counts(self) -> np.ndarray:
        """Return how many rows each level has, (U,)."""
        return np.bincount(self.codes[self.codes >= 0], minlength=len(self.texts))


def levels_of_objects(values: Iterable[Any], n_rows: int) -> Levels:
    """Return the levels of Python objects (N,), None and the like being missing."""
    number = _Numbering()
    codes = np.fromiter(map(number.of, values), np.int64, n_rows)
    return levels_of_coded(codes, list(number))


def levels_of_coded(codes: np.ndarray, values: Sequence[Any]) -> Levels:
    """Return the levels of rows that have ``codes`` (N,) of ``values`` (U,), or −1.

    Two values may have one text, and a value may be a missing one.
    """
    others = [i for i, value in enumerate(values) if type(value) is not str]
    if all(is_missing(values[i]) for i in others):  # distinct texts need no second look
        return _of_distinct_texts(codes, values, others)
    number = _Numbering()
    of_text = number.of
    known = [-1 if is_missing(value) else of_text(_text(value)) for value in values]
    return Levels(np.array([*known, -1], np.int64)[codes], list(number))


def _of_distinct_texts(codes: np.ndarray, values: Sequence[Any], missing: list[int]) -> Levels:
    """Return the levels of rows (N,) of which all values (U,) but some are distinct texts."""
    if not missing:
        return Levels(codes, list(values))
    is_text = np.ones(len(values) + 1, bool)
    is_text[[*missing, -1]] = False
    renumbered = np.where(is_text, np.cumsum(is_text) - 1, -1)
    return Levels(renumbered[codes], [value for value in values if type(value) is str])


def levels_of_numbers(values: np.ndarray, as_text: Callable[[Any], str] | None = None) -> Levels:
    """Return the levels of numbers (N,), NaN being missing."""
    there = ~np.isnan(values)
    codes = np.full(len(values), -1, np.int64)
    distinct, codes[there] = np.unique(values[there], return_inverse=True)
    return levels_of_coded(codes, [(as_text or _text)(value) for value in distinct])


def levels_of_times(values: np.ndarray) -> Levels:
    """Return the levels of points in time (N,), NaT being missing."""
    there = ~np.isnat(values)
    codes = np.full(len(values), -1, np.int64)
    distinct, codes[there] = np.unique(values[there], return_inverse=True)
    return levels_of_coded(codes, np.datetime_as_string(distinct).tolist())


class _Numbering:
    """Numbers 0, 1, … for what is asked for, in the order of the first question."""

    def __init__(self) -> None:
        self._numbers: defaultdict[Any, int] = defaultdict(count().__next__)
        self.of = self._numbers.__getitem__  # the map over all cells must not enter Python

    def __iter__(self) -> Iterator[Any]:
        return iter(self._numbers)


def _text(value: Any) -> str:
    """Return the text by which a level is known."""
    if type(value) is str:
        return value
    if isinstance(value, bytes):
        return value.decode(errors="backslashreplace")
    if isinstance(value, (float, np.floating)) and value.is_integer():
        return str(int(value))
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    return str(value)
