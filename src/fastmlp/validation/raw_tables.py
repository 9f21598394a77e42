"""What is wrong with a raw table: no table at all, its names, or the cells of a column."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from os import PathLike
from typing import Any, NoReturn

import numpy as np
from scipy.sparse import issparse

from fastmlp.validation.shapes import UNREADABLE, check_is_array, wrong_shape
from fastmlp.validation.wording import a_kind_of, brief, one_line

__all__ = [
    "check_any_varies",
    "check_columns_there",
    "check_is_table",
    "check_known_levels",
    "check_n_columns",
    "check_names",
    "check_not_lazy",
    "check_row_lengths",
    "check_table_size",
    "check_years",
    "check_zone",
    "columns_without_values",
    "raise_unreadable_cells",
    "raise_wrong_cells",
    "raise_wrong_kind",
    "raise_zones_mixed",
    "reading_column",
]

#: Years that dates may have, those of Python's own.
FIRST_YEAR, LAST_YEAR = 1, 9999

#: What is read.
_TABLE = "a data frame of pandas, polars or pyarrow, a NumPy array or a list of rows"

#: The functions of pandas that make dates or durations of a column.
_MAKERS_OF = {"dates": "to_datetime", "durations": "to_timedelta"}

#: At most so many names are written into a text.
MOST_NAMES = 5


def check_is_table(X: Any) -> None:
    """Raise for what is no table: ``X`` is neither a data frame nor a two-dimensional array."""
    if issparse(X):
        raise TypeError("X is a sparse matrix, which is not supported: pass X.toarray().")
    if isinstance(X, (str, bytes, PathLike)):
        raise TypeError(f"X must be {_TABLE}; got {brief(X)}. pandas.read_csv reads a file.")
    check_is_array("X", X if not isinstance(X, np.ma.MaskedArray) else np.empty((0, 0)), _TABLE)
    text = wrong_shape("X", X) if hasattr(X, "shape") else None
    if text is not None:
        raise ValueError(text)
    if isinstance(X, (list, tuple)) and not all(map(_is_row, X)):
        odd = next(row for row in X if not _is_row(row))
        remedy = "use pandas.DataFrame(X)" if isinstance(odd, dict) else "give a list of rows"
        raise ValueError(
            "X must have two dimensions, (n_samples, n_features); got a list that holds "
            f"{brief(odd)}, which is not a row: {remedy}."
        )
    if not isinstance(X, (list, tuple, np.ndarray)) and not hasattr(X, "__array__"):
        raise TypeError(f"X must be {_TABLE}; got {brief(X)}.")


def check_not_lazy(X: Any) -> None:
    """Raise TypeError for a data frame that is not computed yet; its names alone may cost much."""
    if hasattr(X, "collect") and hasattr(X, "collect_schema"):
        raise TypeError("X is a lazy data frame, which has no rows yet: pass X.collect().")
    if hasattr(X, "rows_of_piece"):
        raise TypeError(
            "X is a source of fastmlp.data, which only fit, score and the methods that predict "
            "read: pass a data frame."
        )


def _is_row(row: Any) -> bool:
    return isinstance(row, (list, tuple, np.ndarray)) and getattr(row, "ndim", 1) == 1


def check_row_lengths(rows: Sequence[Sequence[Any]]) -> None:
    """Raise ValueError unless all rows of a list are equally long."""
    lengths = set(map(len, rows))
    if len(lengths) > 1:
        odd = next(i for i, row in enumerate(rows) if len(row) != len(rows[0]))
        raise ValueError(
            f"X must have rows of the same length; row 0 has {len(rows[0])} entries and row {odd} "
            f"has {len(rows[odd])}."
        )


def check_table_size(n_rows: int, n_columns: int) -> None:
    """Raise ValueError, in part in scikit-learn's words, for a table without rows or columns."""
    shape = f"(shape=({n_rows}, {n_columns})) while a minimum of 1 is required."
    if n_rows == 0:
        raise ValueError(f"X is a table without rows: it has 0 sample(s) {shape}")
    if n_columns == 0:
        raise ValueError(f"X is a table without columns: it has 0 feature(s) {shape}")


def check_names(names: Sequence[Any]) -> None:
    """Raise ValueError if two columns have the same name, or if only some names are texts."""
    twice = [name for name, times in Counter(names).items() if times > 1]
    if twice:
        raise ValueError(
            f"X must have a different name for each column; {_listed(twice)} "
            f"{'is' if len(twice) == 1 else 'are'} used more than once: rename or drop columns."
        )
    kinds = sorted({type(name).__name__ for name in names})
    if len(kinds) > 1 and any(isinstance(name, str) for name in names):
        raise ValueError(
            f"The column names of X must all be strings, or X must have none; got names of type "
            f"{', '.join(kinds)}: use X.rename(columns=str)."
        )


def check_columns_there(wanted: Iterable[str], names: Iterable[str]) -> None:
    """Raise ValueError if a column that the fit saw is not in X."""
    there = set(names)
    missing = [name for name in wanted if name not in there]
    if missing:
        raise ValueError(
            f"X must have the columns that it had in fit, but {_listed(missing)} "
            f"{'is' if len(missing) == 1 else 'are'} missing."
        )


def check_n_columns(n_columns: int, n_wanted: int, owner: str) -> None:
    """Raise ValueError, in scikit-learn's words, if a table without names has another width."""
    if n_columns != n_wanted:
        raise ValueError(
            f"X has {n_columns} features, but {owner} is expecting {n_wanted} features as input."
        )


def check_any_varies(n_outputs: int, n_rows: int) -> None:
    """Raise ValueError if no column of X tells one row from another."""
    if n_outputs:
        return
    reason = (
        "X has 1 sample" if n_rows == 1 else "all columns are constant, empty, rare or left out"
    )
    raise ValueError(f"X has no column that tells rows apart: {reason}.")


def columns_without_values(labels: Sequence[str | int]) -> str:
    """Return what to say of columns that have no values."""
    one = len(labels) == 1
    what = f"Column{'' if one else 's'} {_listed(labels)} {'has' if one else 'have'} no values"
    return f"{what} and {'is' if one else 'are'} left out."


def check_years(label: str | int, dates: np.ndarray) -> None:
    """Raise ValueError for dates (N,) beyond the years that there are in Python."""
    years = dates.astype("datetime64[Y]").astype(np.int64) + 1970
    wrong = ~np.isnat(dates) & ((years < FIRST_YEAR) | (years > LAST_YEAR))
    if wrong.any():
        row = int(np.argmax(wrong))
        raise ValueError(
            f"{_of(label)} must hold dates in the years {FIRST_YEAR} to {LAST_YEAR}; got the year "
            f"{years[row]} in row {row}: correct it, or make it a missing value."
        )


def check_zone(label: str | int, zone: str | None, wanted: str | None) -> None:
    """Raise ValueError if dates have a time zone and those of the fit had none, or vice versa."""
    if (zone is None) == (wanted is None):
        return
    if wanted is None:
        raise ValueError(
            f"{_of(label)} had dates without a time zone in fit; got some in {zone}: remove the "
            "zone."
        )
    raise ValueError(
        f"{_of(label)} had dates in the time zone {wanted} in fit; got some without a zone: "
        "localize them first."
    )


def check_known_levels(label: str | int, levels: Iterable[str], order: Iterable[str]) -> None:
    """Raise ValueError if the order given to a column lacks a level, or has one twice."""
    order = list(order)
    twice = [level for level, times in Counter(order).items() if times > 1]
    if twice:
        raise ValueError(f"ordinal_features[{brief(label)}] has {_listed(twice)} more than once.")
    unknown = sorted(set(levels) - set(order))
    if unknown:
        raise ValueError(
            f"ordinal_features[{brief(label)}] must list all levels of the column, but "
            f"{_listed(unknown)} {'is' if len(unknown) == 1 else 'are'} missing."
        )


def raise_wrong_cells(
    label: str | int, dtype: str, values: Sequence[Any] | np.ndarray, types: tuple[type, ...] = ()
) -> NoReturn:
    """Raise for cells (N,) that are neither numbers, texts nor dates.

    ``types`` are the wrong ones among objects; without any, all cells are wrong.
    """
    wrong = ((type(each) in types) if types else each is not None for each in values)
    row = next((i for i, each in enumerate(wrong) if each), 0)
    value = values[row] if len(values) else None
    # scikit-learn wants a ValueError for complex numbers.
    is_complex = isinstance(value, (complex, np.complexfloating))
    raise (ValueError if is_complex else TypeError)(
        f"{_of(label)} must hold numbers, texts, booleans, dates or durations; got "
        f"{_cell(value)} in row {row} (dtype {one_line(dtype, 40)}): {_advice(value)}."
    )


def _cell(value: Any) -> str:
    """Return the text of a cell, or its type if it has none."""
    try:
        return one_line(str(value), 40) if isinstance(value, np.generic) else brief(value, 40)
    except UNREADABLE:
        return a_kind_of(value)


def _advice(value: Any) -> str:
    if isinstance(value, (complex, np.complexfloating)):
        return "Complex data not supported; use the real and the imaginary parts as two columns"
    if isinstance(value, (list, tuple, dict, set, frozenset, np.ndarray)):
        return "make columns of its entries, or drop the column"
    if isinstance(value, np.timedelta64):
        return "give durations in days or shorter units"
    return "convert it to one of these, or drop the column"


def raise_unreadable_cells(label: str | int, cause: Exception) -> NoReturn:
    """Raise ValueError for a column that another library can't read."""
    raise ValueError(f"{_of(label)} can't be read: {one_line(str(cause))}.") from cause


@contextmanager
def reading_column(label: str | int) -> Iterator[None]:
    """Make what another library raises of a column a ValueError that names it."""
    try:
        yield
    except UNREADABLE as error:
        if str(error).startswith(_of(label)):
            raise
        raise_unreadable_cells(label, error)


def raise_zones_mixed(label: str | int) -> NoReturn:
    """Raise ValueError for dates of which only some have a time zone."""
    raise ValueError(
        f"{_of(label)} has dates with and without a time zone: give all of them a time zone."
    )


def raise_wrong_kind(label: str | int, was: str, now: str, dtype: str, example: Any) -> NoReturn:
    """Raise TypeError for a column of another kind than in fit."""
    cell = "" if example is None else f", such as {brief(example, 40)}"
    access = f"X[{brief(label)}]" if isinstance(label, str) else f"X[:, {label}]"
    advice = f": pandas.to_numeric({access}) makes numbers" if now == "texts" else ""
    if was in _MAKERS_OF:
        advice = f": pandas.{_MAKERS_OF[was]}({access}) makes {was}"
    raise TypeError(
        f"{_of(label)} held {was} in fit; got {now} (dtype {one_line(dtype, 40)}{cell}){advice}."
    )


def _of(label: str | int) -> str:
    """Return how a column is called in a text."""
    return f"X, column {brief(label)},"


def _listed(names: Sequence[Any]) -> str:
    """Return the first of some names, and how many more there are."""
    shown = ", ".join(brief(name) for name in names[:MOST_NAMES])
    more = len(names) - MOST_NAMES
    return shown if more <= 0 else f"{shown} and {more} more"
