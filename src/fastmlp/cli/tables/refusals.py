"""What is wrong with a file that should hold a table, and what to do: every text, in one place."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import NoReturn

from fastmlp.cli.errors import RefusedError, TableError
from fastmlp.validation.wording import brief, counted, did_you_mean, one_line

__all__ = [
    "check_any_rows",
    "check_names",
    "listed",
    "raise_cell",
    "raise_empty",
    "raise_kind",
    "raise_model",
    "raise_no_column",
    "raise_not_text",
    "raise_odd_rows",
    "raise_unreadable",
]

#: At most so many names are listed.
MOST_NAMES = 12

#: A cell that no column is called by: a number or a date.
_VALUE = re.compile(r"[+-]?(\d+[.,]?\d*|[.,]\d+)([eE][+-]?\d+)?|\d{4}-\d\d-\d\d.*")

_NO_HEADING = "if the first row is data rather than a heading, give --no-header"


def raise_unreadable(name: str, why: str, remedy: str) -> NoReturn:
    """Raise for a file that holds no table."""
    raise TableError(f"{name} can't be read: {one_line(why)}; {remedy}") from None


def raise_empty(name: str) -> NoReturn:
    """Raise for a file without a table."""
    raise TableError(f"{name} is empty: a table needs a heading and rows")


def raise_kind(name: str, kind: str) -> NoReturn:
    """Raise for a file of a kind that is no table, or none that is read here."""
    raise TableError(
        f"{name} is {kind}, which can't be read here: save the table as CSV, Parquet, Arrow or npz"
    )


def raise_model(name: str) -> NoReturn:
    """Raise for a model where a table is wanted."""
    raise TableError(f"{name} is a model, and a table is needed here: check which file is which")


def raise_not_text(name: str, encoding: str, place: int, *, given: bool) -> NoReturn:
    """Raise for bytes that are no text in an encoding."""
    remedy = "another --encoding" if given else "its --encoding, such as cp1252 or latin-1"
    raise TableError(f"{name} is not {encoding} text (see byte {place + 1}): give {remedy}")


def raise_odd_rows(name: str, rows: Sequence[tuple[str, int, int]], delimiter: str) -> NoReturn:
    """Raise for rows (place, wanted, found) with more or fewer cells than the first."""
    where, wanted, found = rows[0]
    more = "" if len(rows) == 1 else f", and {counted(len(rows) - 1, 'more row')} like it"
    raise TableError(
        f"{name}: {where} has {counted(found, 'cell')}, but the first row has {wanted}{more}: "
        f"quote cells that contain {brief(delimiter)}, or give the right --delimiter"
    )


def check_any_rows(name: str, n_rows: int, names: Sequence[str], *, has_heading: bool) -> None:
    """Raise for a table without rows or columns."""
    if not names:
        raise_empty(name)
    if n_rows == 0:
        hint = _heading_hint(names, has_heading=has_heading)
        raise TableError(f"{name} has a heading but no rows{hint}")


def check_names(name: str, names: Sequence[str], *, has_heading: bool) -> None:
    """Raise for columns that share a name."""
    twice = [each for each, times in Counter(names).items() if times > 1]
    if twice:
        hint = _heading_hint(names, has_heading=has_heading)
        raise TableError(f"{name} has several columns called {listed(twice)}: rename them{hint}")


def raise_no_column(
    name: str,
    wanted: Sequence[str],
    names: Sequence[str],
    *,
    option: str,
    why: str,
    has_heading: bool,
) -> NoReturn:
    """Raise for columns that a table does not have.

    Parameters
    ----------
    name : str
        Of the file.
    wanted, names : sequence of str
        The columns that it lacks, and those that it has.
    option : str
        What has named the columns; "" if the table is to blame, and not an option.
    why : str
        Who wants them, to be put behind them.
    has_heading : bool
    """
    what = "column" if len(wanted) == 1 else "columns"
    there = "its columns are" if len(names) > 1 else "its only column is"
    hint = (
        "; check --delimiter" if len(names) == 1 else _heading_hint(names, has_heading=has_heading)
    )
    guess = did_you_mean(wanted[0], names)
    who = f", {why}" if why else ""
    text = f"{name} has no {what} {listed(wanted)}{who}; {there} {listed(names)}{hint}"
    text += f".{guess}" if guess else ""
    if option:
        raise RefusedError(f"{option}: {text}")
    raise TableError(text)


def _heading_hint(names: Sequence[str], *, has_heading: bool) -> str:
    """Return a hint, if the names look like values of a table without a heading."""
    if not has_heading or not any(_VALUE.fullmatch(each) for each in names):
        return ""
    return f"; {_NO_HEADING}"


def raise_cell(name: str, column: str, cell: str, where: str, wanted: str, remedy: str) -> NoReturn:
    """Raise for a cell that is not what its column must hold."""
    raise TableError(
        f"{name}: column {brief(column)} must hold {wanted}, but {where} has {brief(cell, 40)}: "
        f"{remedy}"
    )


def listed(names: Sequence[str]) -> str:
    """Return the first of some names, and how many more there are."""
    shown = ", ".join(brief(name, 40) for name in names[:MOST_NAMES])
    more = len(names) - MOST_NAMES
    return shown if more <= 0 else f"{shown} and {more} more"
