"""The few forms in which every column is, whatever library its table comes from."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import numpy as np

from fastmlp.tables.levels import Levels, levels_of_numbers, levels_of_times

__all__ = ["Column", "Nature", "levels_of"]


class Nature(Enum):
    """What the cells of a column are; the values say it in an error text."""

    NUMBERS = "numbers"
    BOOLEANS = "booleans"
    TEXTS = "texts"
    DATES = "dates"
    DURATIONS = "durations"
    NOTHING = "no values"


@dataclass(frozen=True, eq=False)
class Column:
    """A column of a raw table.

    Attributes
    ----------
    label : str or int
        Its name, or its place in a table without names.
    dtype : str
        As the table's library writes it.
    nature : Nature
    values : ndarray, shape (N,)
        Numbers, booleans as 0 and 1, and durations in seconds: real, with NaN where none is. Dates:
        datetime64[us] with NaT, in the zone's own time if there is one. Empty for other natures.
    levels : Levels or None
        Of texts and of all columns with a type of category.
    order : tuple of str
        All levels in the order that the type gives them; empty if it has none.
    is_ordered : bool
        Whether the type says that the levels have an order.
    zone : str or None
        The time zone of dates.
    remark : str
        What a user should know of the cells.
    """

    label: str | int
    dtype: str
    nature: Nature
    values: np.ndarray
    levels: Levels | None = None
    order: tuple[str, ...] = ()
    is_ordered: bool = False
    zone: str | None = None
    remark: str = ""


def levels_of(column: Column, n_rows: int) -> Levels:
    """Return the levels of any column of ``n_rows`` rows."""
    if column.levels is not None:
        return column.levels
    if column.nature is Nature.NOTHING:
        return Levels(np.full(n_rows, -1, np.int64), [])
    if column.nature is Nature.DATES:
        return levels_of_times(column.values)
    if column.nature is Nature.BOOLEANS:
        return levels_of_numbers(column.values, lambda value: str(bool(value)))
    return levels_of_numbers(column.values)
