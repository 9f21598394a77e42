"""Columns of NumPy arrays and of Python objects, which are what their cells are."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Hashable, Mapping
from decimal import Decimal
from numbers import Complex, Real
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from fastmlp import validation
from fastmlp.tables.columns import Column, Nature
from fastmlp.tables.levels import Levels, levels_of_objects
from fastmlp.validation.tables import MISSING, is_missing

__all__ = ["column_of_array", "dates_column", "numbers_column", "texts_column"]

_NO_VALUES = np.empty(0)

#: Types of cells and what they are, the first that fits. NumPy's spans of time are its integers.
_KINDS: tuple[tuple[Any, str], ...] = (
    ((bool, np.bool_), "boolean"),
    ((dt.timedelta, np.timedelta64), "duration"),
    ((Real, Decimal, np.number), "number"),
    ((str, bytes), "text"),
    ((dt.date, np.datetime64), "date"),
    (dt.time, "time"),
)

#: The same for types of pandas, by their names.
_NAMED_KINDS = {"Period": "period", "Interval": "interval"}


def column_of_array(
    label: str | int, dtype: str, values: np.ndarray, zone: str | None = None
) -> Column:
    """Return an array (N,) of any type as a column.

    ``zone`` is the time zone in which dates with a zone are wanted; without it they are in UTC.
    """
    kind = values.dtype.kind
    if kind in "biuf":
        return _plain(label, dtype, values)
    if kind == "M":
        return dates_column(label, dtype, values)
    if kind == "m":
        return _durations(label, dtype, values)
    if kind in "SUTO":
        return _of_objects(label, dtype, values.astype(object), zone)
    validation.raise_wrong_cells(label, dtype, values)


def _plain(label: str | int, dtype: str, values: np.ndarray) -> Column:
    """Return booleans or numbers (N,) as a column."""
    if values.dtype.kind == "b":
        return Column(label, dtype, Nature.BOOLEANS, values.astype(np.float32))
    return numbers_column(label, dtype, Nature.NUMBERS, values)


def numbers_column(label: str | int, dtype: str, nature: Nature, values: np.ndarray) -> Column:
    """Return numbers, booleans as numbers, or seconds (N,) as a column."""
    if values.dtype.kind == "f" and np.isnan(values).all():
        return Column(label, dtype, Nature.NOTHING, _NO_VALUES)
    return Column(label, dtype, nature, values)


def dates_column(
    label: str | int, dtype: str, values: np.ndarray, zone: str | None = None
) -> Column:
    """Return dates (N,), in the time of their zone if they have one, as a column."""
    if np.isnat(values).all():
        return Column(label, dtype, Nature.NOTHING, _NO_VALUES)
    validation.check_years(label, values)
    return Column(label, dtype, Nature.DATES, values.astype("datetime64[us]"), zone=zone)


def texts_column(label: str | int, dtype: str, levels: Levels, **details: Any) -> Column:
    """Return levels as a column; ``details`` are others of its attributes."""
    nature = Nature.TEXTS if (levels.codes >= 0).any() else Nature.NOTHING
    return Column(label, dtype, nature, _NO_VALUES, levels, **details)


def _durations(label: str | int, dtype: str, values: np.ndarray) -> Column:
    try:
        seconds = values / np.timedelta64(1, "s")
    except TypeError:  # a month has no number of seconds
        validation.raise_wrong_cells(label, dtype, values)
    return numbers_column(label, dtype, Nature.DURATIONS, seconds)


def _texts(label: str | int, dtype: str, values: Any, remark: str = "") -> Column:
    return texts_column(label, dtype, levels_of_objects(values, len(values)), remark=remark)


def _of_objects(label: str | int, dtype: str, values: np.ndarray, zone: str | None) -> Column:
    """Return objects (N,) as a column of the one kind that they are of, else as texts."""
    kinds = _kinds_of(label, dtype, values)
    if not kinds:
        return Column(label, dtype, Nature.NOTHING, _NO_VALUES)
    if len(kinds) > 1:
        return _mixed(label, dtype, values, sorted(kinds))
    kind = kinds.pop()
    if kind == "date":
        return _dates(label, dtype, values, zone)
    make = _MAKERS.get(kind)
    return _texts(label, dtype, values) if make is None else make(label, dtype, values)


def _kinds_of(label: str | int, dtype: str, values: np.ndarray) -> set[str]:
    """Return the kinds of objects (N,) that are not missing; booleans beside numbers are such."""
    found = {each: _kind(each) for each in set(map(type, values))}
    wrong = tuple(each for each, kind in found.items() if kind == "")
    if wrong:
        validation.raise_wrong_cells(label, dtype, values, wrong)
    kinds = set(found.values()) - {"missing"}
    if "number" in kinds and len(kinds) > 1:
        types = tuple(each for each, kind in found.items() if kind == "number")
        if all(is_missing(value) for value in values if type(value) in types):
            kinds.remove("number")  # NaN beside other things
    return kinds - {"boolean"} if kinds == {"number", "boolean"} else kinds


def _kind(kind: type) -> str:
    """Return what cells of a type are; "" if they are nothing that a column may hold."""
    if kind.__name__ in MISSING:
        return "missing"
    known = [name for types, name in _KINDS if issubclass(kind, types)]
    if known:
        return known[0]
    if kind.__name__ in _NAMED_KINDS:
        return _NAMED_KINDS[kind.__name__]
    container = issubclass(kind, (tuple, frozenset)) or not issubclass(kind, Hashable)
    wrong = container or not _has_text(kind) or issubclass(kind, (Complex, np.complexfloating))
    return "" if wrong else "object"


def _has_text(kind: type) -> bool:
    """Return whether the text of an object says more than where it lies in memory."""
    texts = ("__str__", "__repr__")
    return any(getattr(kind, each) is not getattr(object, each) for each in texts)


def _mixed(label: str | int, dtype: str, values: np.ndarray, kinds: list[str]) -> Column:
    """Return objects (N,) of several kinds as texts."""
    listed = " and ".join(f"{kind}s" for kind in kinds)
    # True and 1 are one key of a dictionary, but two texts.
    texts = [str(value) if isinstance(value, (bool, np.bool_)) else value for value in values]
    return _texts(label, dtype, texts, f"{listed} mixed")


def _numbers(label: str | int, dtype: str, values: np.ndarray) -> Column:
    try:
        return _plain(label, dtype, _floats(values))
    except (OverflowError, ValueError) as error:
        validation.raise_unreadable_cells(label, error)


def _floats(values: np.ndarray) -> np.ndarray:
    """Return objects (N,) that are numbers or missing as float64."""
    try:
        return np.asarray(values, np.float64)
    except TypeError:  # pandas.NA
        return np.array([np.nan if is_missing(each) else float(each) for each in values])


def _booleans(label: str | int, dtype: str, values: np.ndarray) -> Column:
    numbers = np.array([np.nan if is_missing(each) else float(each) for each in values], np.float32)
    return Column(label, dtype, Nature.BOOLEANS, numbers)


def _dates(label: str | int, dtype: str, values: np.ndarray, zone: str | None) -> Column:
    """Return dates (N,) as a column; those with a zone, in the time of ``zone`` or in UTC."""
    there = [None if is_missing(value) else value for value in values]
    aware = [getattr(value, "tzinfo", None) is not None for value in there if value is not None]
    if any(aware):
        if not all(aware):
            validation.raise_zones_mixed(label)
        zone = zone or "UTC"
        there = _in_zone(there, ZoneInfo(zone), label)
    return dates_column(label, dtype, _array_of(there, label), zone if any(aware) else None)


def _in_zone(values: list[Any], zone: ZoneInfo, label: str | int) -> list[Any]:
    """Return dates with a zone, or None (N,), as those of ``zone`` without it."""
    try:
        local = [None if value is None else value.astimezone(zone) for value in values]
    except OverflowError as error:  # before the year 1, or after 9999
        validation.raise_unreadable_cells(label, error)
    return [None if value is None else value.replace(tzinfo=None) for value in local]


def _array_of(values: list[Any], label: str | int) -> np.ndarray:
    try:
        return np.array(values, dtype="datetime64[us]")
    except (OverflowError, TypeError, ValueError) as error:
        validation.raise_unreadable_cells(label, error)


def _periods(label: str | int, dtype: str, values: np.ndarray) -> Column:
    """Return pandas's periods (N,) as the dates of their beginnings."""
    try:
        starts = [None if is_missing(value) else value.to_timestamp() for value in values]
    except (OverflowError, ValueError) as error:
        validation.raise_unreadable_cells(label, error)
    return dates_column(label, dtype, _array_of(starts, label))


def _spans(label: str | int, dtype: str, values: np.ndarray) -> Column:
    """Return spans of time (N,) as their seconds."""
    second = np.timedelta64(1, "s")
    try:
        seconds = [np.nan if is_missing(each) else np.timedelta64(each) / second for each in values]
    except (OverflowError, TypeError, ValueError) as error:  # a month has no number of seconds
        validation.raise_unreadable_cells(label, error)
    return Column(label, dtype, Nature.DURATIONS, np.array(seconds))


def _times(label: str | int, dtype: str, values: np.ndarray) -> Column:
    """Return times of day (N,) as the seconds since midnight."""
    seconds = [
        np.nan
        if is_missing(value)
        else 3600 * value.hour + 60 * value.minute + value.second + 1e-6 * value.microsecond
        for value in values
    ]
    return Column(label, dtype, Nature.DURATIONS, np.array(seconds))


def _intervals(label: str | int, dtype: str, values: np.ndarray) -> Column:
    """Return pandas's intervals (N,) as what their middles are."""
    middles = np.empty(len(values), object)
    middles[:] = [None if is_missing(value) else value.mid for value in values]
    return _of_objects(label, dtype, middles, None)


#: Kind of cells → what makes a column of them; others become texts.
_MAKERS: Mapping[str, Callable[[str | int, str, np.ndarray], Column]] = {
    "number": _numbers,
    "boolean": _booleans,
    "period": _periods,
    "duration": _spans,
    "time": _times,
    "interval": _intervals,
}
