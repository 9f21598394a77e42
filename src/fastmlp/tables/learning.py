"""From a raw table to what a fit remembers of its columns."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np

from fastmlp import validation
from fastmlp.tables.columns import Column, Nature, levels_of
from fastmlp.tables.encoders import (
    CalendarEncoder,
    Encoder,
    NumberEncoder,
    fit_calendar,
    fit_category,
    fit_rank,
)
from fastmlp.tables.levels import Levels, levels_of_coded
from fastmlp.tables.plain import Ranges, ranges_of
from fastmlp.tables.report import ColumnReport
from fastmlp.tables.roles import Roles
from fastmlp.tables.sources import RawTable

__all__ = ["AS_TEXTS", "EMPTY", "Learnt", "learn"]

#: What remarks say of texts that are numbers or dates, and what to do about them.
AS_TEXTS: Mapping[str, str] = MappingProxyType(
    {
        "numbers as texts": "pandas.to_numeric converts it",
        "dates as texts": "pandas.to_datetime converts it",
    }
)

#: Dates with a year of four digits at one end, and perhaps a time.
_DATE = re.compile(r"(\d{4}([-/.])\d\d?\2\d\d?|\d\d?([-/.])\d\d?\3\d{4})([ T]\d.*)?")

#: What remarks say of columns that are dropped.
EMPTY, _CONSTANT, _RARE = "no values", "constant", "no level is frequent"


class Learnt(NamedTuple):
    """What was learnt of a column: None for an encoder if it is dropped."""

    encoder: Encoder | None
    report: ColumnReport


def learn(table: RawTable, roles: Roles, min_count: int) -> tuple[list[Learnt], bool]:
    """Return what there is to know of each column, (I,), and whether float32 holds all numbers."""
    found: dict[int, Learnt] = {}
    plain = np.flatnonzero(table.are_numbers | table.are_booleans)
    plain = plain[~np.isin(plain, list(roles.chosen))] if roles.chosen else plain
    ranges = ranges_of(table, plain)
    found.update(zip(plain.tolist(), _of_numbers(table, plain, ranges), strict=True))
    single = bool(ranges.are_single[ranges.vary].all())
    for place in range(table.n_columns):
        if place in roles.dropped:
            found[place] = _dropped(_label(table, place), table.dtypes[place], "by drop=", np.nan)
        elif place not in found:
            column = table.column(place)
            found[place] = _of_column(column, place, table.n_rows, roles, min_count)
            single = single and _is_single(column, found[place].encoder)
    return [found[place] for place in range(table.n_columns)], single


def _label(table: RawTable, place: int) -> str | int:
    return place if table.names is None else table.names[place]


def _output(label: str | int, part: str = "") -> str:
    """Return the name of an output; columns without names are x0, x1, … as in scikit-learn."""
    name = label if isinstance(label, str) else f"x{label}"
    return f"{name}_{part}" if part else name


def _dropped(label: str | int, dtype: str, why: str, missing: float) -> Learnt:
    return Learnt(None, ColumnReport(label, dtype, "dropped", missing, None, None, (), why))


def _is_single(column: Column, encoder: Encoder | None) -> bool:
    """Return whether float32 holds what a column gives."""
    if isinstance(encoder, NumberEncoder):
        return bool(np.result_type(column.values.dtype, np.float32) == np.float32)
    return not isinstance(encoder, CalendarEncoder)


def _of_numbers(table: RawTable, places: np.ndarray, ranges: Ranges) -> list[Learnt]:
    """Return what there is to know of columns (K,) that are numbers by their type."""
    shares = (ranges.missing / table.n_rows).tolist()
    lows, highs, vary = ranges.low.tolist(), ranges.high.tolist(), ranges.vary.tolist()
    number, boolean = NumberEncoder(Nature.NUMBERS), NumberEncoder(Nature.BOOLEANS)
    learnt = []
    for i, place in enumerate(places.tolist()):
        label, dtype = _label(table, place), table.dtypes[place]
        if not vary[i]:
            why = EMPTY if lows[i] != lows[i] else _CONSTANT
            learnt.append(_dropped(label, dtype, why, shares[i]))
            continue
        encoder = boolean if table.are_booleans[place] else number
        taken = "boolean" if encoder is boolean else "number"
        ends, names = (lows[i], highs[i]), (_output(label),)
        report = ColumnReport(label, dtype, taken, shares[i], None, ends, names, "")
        learnt.append(Learnt(encoder, report))
    return learnt


def _of_column(column: Column, place: int, n_rows: int, roles: Roles, min_count: int) -> Learnt:
    """Return what there is to know of a column of any kind."""
    if place in roles.orders or (column.is_ordered and place not in roles.categories):
        return _of_ordinal(column, n_rows, roles.orders.get(place))
    if column.nature is Nature.NOTHING:
        return _dropped(column.label, column.dtype, EMPTY, 1.0)
    if place in roles.categories or column.levels is not None:
        return _of_category(column, n_rows, min_count, place in roles.categories)
    if column.nature is Nature.DATES:
        return _of_dates(column)
    return _of_number(column)


def _of_number(column: Column) -> Learnt:
    """Return what there is to know of objects that are numbers or booleans, or of durations."""
    values = column.values
    missing = float(np.isnan(values).mean()) if values.dtype.kind == "f" else 0.0
    low, high = float(np.fmin.reduce(values)), float(np.fmax.reduce(values))
    if missing == 1:
        return _dropped(column.label, column.dtype, EMPTY, missing)
    if low == high and not missing:
        return _dropped(column.label, column.dtype, _CONSTANT, missing)
    taken = column.nature.value.removesuffix("s")
    report = _report(column, taken, missing, None, (low, high), ("",))
    return Learnt(NumberEncoder(column.nature), report)


def _of_dates(column: Column) -> Learnt:
    there = column.values[~np.isnat(column.values)]
    missing = 1 - len(there) / len(column.values)
    encoder = fit_calendar(column)
    if encoder is None:
        why = _CONSTANT if len(there) else EMPTY
        return _dropped(column.label, column.dtype, why, missing)
    unit = "s" if "hour" in encoder.parts else "D"
    ends = tuple(map(str, np.array([there.min(), there.max()]).astype(f"datetime64[{unit}]")))
    return Learnt(encoder, _report(column, "date", missing, None, ends, encoder.parts))


def _of_category(column: Column, n_rows: int, min_count: int, is_chosen: bool) -> Learnt:
    levels = levels_of(column, n_rows)
    counts = levels.counts()
    n_levels, n_missing = int((counts > 0).sum()), n_rows - int(counts.sum())
    encoder = fit_category(levels, min_count)
    n_seen = len(encoder.codes) + (n_levels > len(encoder.codes)) + (n_missing > 0)
    remark = column.remark
    if n_levels > 1 and not is_chosen and not column.order and not remark:
        remark = _what_texts_are(levels.texts)
    if n_seen < 2 or not n_levels:
        rare = remark if remark in AS_TEXTS else _RARE
        why = EMPTY if not n_levels else _CONSTANT if n_levels == 1 else rare
        return _dropped(column.label, column.dtype, why, n_missing / n_rows)
    report = _report(column, "category", n_missing / n_rows, n_levels, None, ("",), remark)
    return Learnt(encoder, report)


def _of_ordinal(column: Column, n_rows: int, given: list[Any] | None) -> Learnt:
    levels = levels_of(column, n_rows)
    counts = levels.counts()
    seen = [text for text, count in zip(levels.texts, counts, strict=True) if count]
    missing = 1 - int(counts.sum()) / n_rows
    order = _order(column, levels, given, seen)
    if not seen or (len(seen) == 1 and not missing):
        why = _CONSTANT if seen else EMPTY
        return _dropped(column.label, column.dtype, why, missing)
    ends = (order[0], order[-1])
    report = _report(column, "ordinal", missing, len(order), ends, ("",))
    return Learnt(fit_rank(order), report)


def _order(
    column: Column, levels: Levels, given: list[Any] | None, seen: list[str]
) -> tuple[str, ...]:
    """Return all levels of an ordinal column from the lowest on."""
    if given is not None:
        coded = levels_of_coded(np.arange(len(given)), given)
        order = [coded.texts[code] for code in coded.codes if code >= 0]
        validation.check_known_levels(column.label, seen, order)
        return tuple(order)
    if column.order:
        return column.order
    if column.levels is not None and seen:
        validation.raise_no_order(column.label, seen)
    return tuple(levels.texts)  # of numbers and dates, which were sorted


def _report(
    column: Column,
    taken: str,
    missing: float,
    levels: int | None,
    ends: Any,
    parts: tuple[str, ...],
    remark: str = "",
) -> ColumnReport:
    outputs = tuple(_output(column.label, part) for part in parts)
    remark = remark or column.remark
    label, dtype = column.label, column.dtype
    return ColumnReport(label, dtype, taken, missing, levels, ends, outputs, remark)


def _what_texts_are(texts: list[str]) -> str:
    """Return a remark if all texts, of which there are some, are numbers or dates."""
    if _are_numbers(texts):
        return "numbers as texts"
    return "dates as texts" if all(map(_DATE.fullmatch, texts)) else ""


def _are_numbers(texts: list[str]) -> bool:
    """Return whether all texts, of which there are some, are numbers."""
    try:
        list(map(float, texts))
    except ValueError:
        return False
    return True
