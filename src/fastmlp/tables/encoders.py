"""What a fit remembers of a column, to make numbers or codes of others like it.

An encoder never changes, so threads can share it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import Any, Protocol

import numpy as np

from fastmlp import validation
from fastmlp.tables.calendar import DAYS, part, varying
from fastmlp.tables.columns import Column, Nature, levels_of
from fastmlp.tables.levels import Levels

__all__ = [
    "FIRST_CODE",
    "MISSING_CODE",
    "RARE_CODE",
    "CalendarEncoder",
    "CategoryEncoder",
    "Encoder",
    "NumberEncoder",
    "RankEncoder",
    "fit_calendar",
    "fit_category",
    "fit_rank",
]

#: Codes of levels that the fit did not see or saw too seldom, and of missing ones; then come the
#: levels, the most frequent first.
RARE_CODE, MISSING_CODE, FIRST_CODE = 0, 1, 2

#: Of these, one is read as the other.
_PLAIN = (Nature.NUMBERS, Nature.BOOLEANS)


class Encoder(Protocol):
    """What makes numbers or codes of a column."""

    def encode(self, column: Column, n_rows: int) -> np.ndarray:
        """Return numbers (N, P), or codes (N,), of a column (N,)."""
        ...


@dataclass(frozen=True, eq=False)
class NumberEncoder:
    """A column that is one number: a boolean, a number or a duration in seconds."""

    nature: Nature

    @property
    def is_plain(self) -> bool:
        """Whether columns that are numbers by their type need no look at their cells."""
        return self.nature in _PLAIN

    def encode(self, column: Column, n_rows: int) -> np.ndarray:
        """Return the numbers (N, 1) of a column (N,)."""
        if column.nature is Nature.NOTHING:
            return np.full((n_rows, 1), np.nan)
        if not _are_alike(column.nature, self.nature):
            _raise_wrong_kind(column, self.nature)
        return column.values[:, None]


@dataclass(frozen=True, eq=False)
class CalendarEncoder:
    """A column of dates.

    Attributes
    ----------
    parts : tuple of str
        Those that varied, and the days.
    start : datetime64
        The first date of the fit.
    zone : str or None
    """

    parts: tuple[str, ...]
    start: np.datetime64
    zone: str | None

    def encode(self, column: Column, n_rows: int) -> np.ndarray:
        """Return the parts (N, P) of dates (N,)."""
        if column.nature is Nature.NOTHING:
            return np.full((n_rows, len(self.parts)), np.nan)
        if column.nature is not Nature.DATES:
            _raise_wrong_kind(column, Nature.DATES)
        validation.check_zone(column.label, column.zone, self.zone)
        return np.column_stack([part(name, column.values, self.start) for name in self.parts])


@dataclass(frozen=True, eq=False)
class CategoryEncoder:
    """A column of levels without an order."""

    codes: Mapping[str, int]

    def encode(self, column: Column, n_rows: int) -> np.ndarray:
        """Return the codes (N,) of a column (N,), int32."""
        levels = levels_of(column, n_rows)
        return _looked_up(levels, self.codes, RARE_CODE, MISSING_CODE, np.int32)


@dataclass(frozen=True, eq=False)
class RankEncoder:
    """A column of levels with an order; its number is the level's place in it, from 0."""

    ranks: Mapping[str, int]

    def encode(self, column: Column, n_rows: int) -> np.ndarray:
        """Return the ranks (N, 1) of a column (N,); NaN for missing and unknown levels."""
        levels = levels_of(column, n_rows)
        return _looked_up(levels, self.ranks, np.nan, np.nan, np.float64)[:, None]


def fit_category(levels: Levels, min_count: int) -> CategoryEncoder:
    """Return an encoder that knows the levels with at least ``min_count`` rows."""
    counts = levels.counts()
    frequent = sorted(np.flatnonzero(counts >= min_count).tolist(), key=levels.texts.__getitem__)
    order = np.argsort(-counts[frequent], kind="stable").tolist() if frequent else []
    texts = [levels.texts[frequent[i]] for i in order]
    return CategoryEncoder({text: FIRST_CODE + i for i, text in enumerate(texts)})


def fit_rank(order: Sequence[str]) -> RankEncoder:
    """Return an encoder for the levels in this order."""
    return RankEncoder({text: i for i, text in enumerate(order)})


def fit_calendar(column: Column) -> CalendarEncoder | None:
    """Return an encoder of dates (N,), None if they are all missing, or one and none missing."""
    there = column.values[~np.isnat(column.values)]
    if not len(there) or (len(there) == len(column.values) and (there == there[0]).all()):
        return None
    start = there.min()
    return CalendarEncoder((*varying(there), DAYS), start, column.zone)


def _looked_up(
    levels: Levels, known: Mapping[str, int], unknown: float, missing: float, dtype: Any
) -> np.ndarray:
    """Return what is ``known`` of the levels of rows, (N,)."""
    found = np.empty(len(levels.texts) + 1, dtype)
    found[:-1] = np.fromiter(
        map(known.get, levels.texts, repeat(unknown)), dtype, len(levels.texts)
    )
    found[-1] = missing  # where the code is −1
    rows: np.ndarray = found[levels.codes]
    return rows


def _are_alike(nature: Nature, wanted: Nature) -> bool:
    """Return whether a column can be read where the fit saw ``wanted``."""
    return nature is wanted or (nature in _PLAIN and wanted in _PLAIN)


def _raise_wrong_kind(column: Column, was: Nature) -> None:
    example = column.levels.texts[0] if column.levels and column.levels.texts else None
    validation.raise_wrong_kind(column.label, was.value, column.nature.value, column.dtype, example)
