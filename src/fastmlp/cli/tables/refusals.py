"""What is wrong with a file that should hold a table, and what to do: every text, in one place."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NoReturn

from fastmlp.cli.errors import TableError
from fastmlp.validation.wording import brief, one_line

__all__ = [
    "check_any_rows",
    "check_names",
    "listed",
    "raise_cell",
    "raise_empty",
    "raise_kind",
    "raise_no_column",
    "raise_not_text",
    "raise_odd_rows",
    "raise_unreadable",
]

#: At most so many names are listed.
MOST_NAMES = 12


def raise_unreadable(name: str, why: str, remedy: str) -> NoReturn:
    """Raise for a file that holds no table."""
    raise TableError(f"{name} can't be read: {one_line(why)}; {remedy}") from None


def raise_empty(name: str) -> NoReturn:
    """Raise for a file without a table."""
    raise TableError(f"{name} is empty: a table needs a heading and rows")


def raise_kind(name: str, kind: str) -> NoReturn:
    """Raise for a file of a kind that is no table, or none that is read here."""
    raise TableError(
        f"{name} is {kind}, which is not read here: save it as CSV, Parquet, Arrow or npz"
    )


def raise_not_text(name: str, encoding: str, place: int, *, given: bool) -> NoReturn:
    """Raise for bytes that are no text in an encoding."""
    remedy = "another --encoding" if given else "its --encoding, such as cp1252 or latin-1"
    raise TableError(f"{name} is no {encoding} text (see byte {place + 1}): give {remedy}")


def raise_odd_rows(
    name: str, rows: Sequence[tuple[int | None, int, int]], delimiter: str
) -> NoReturn:
    """Raise for rows (number, wanted, found) with more or fewer cells than the heading."""
    number, wanted, found = rows[0]
    where = "a row" if number is None else f"row {number}"
    more = f" (and {len(rows) - 1} more)" if len(rows) > 1 else ""
    raise TableError(
        f"{name}: {where}{more} has {found} cells and the first row {wanted}: quote cells that "
        f"contain {brief(delimiter)}, or give the right --delimiter"
    )


def check_any_rows(name: str, n_rows: int, n_columns: int) -> None:
    """Raise for a table without rows or columns."""
    if n_columns == 0:
        raise_empty(name)
    if n_rows == 0:
        raise TableError(
            f"{name} has a heading but no rows; if that row is one of data, give --no-header"
        )


def check_names(name: str, names: Sequence[str]) -> None:
    """Raise for columns that share a name."""
    twice = [each for each, times in Counter(names).items() if times > 1]
    if twice:
        raise TableError(
            f"{name} has more than one column called {listed(twice)}: rename one; if the first "
            "row is one of data, give --no-header"
        )


def raise_no_column(name: str, wanted: Sequence[str], names: Sequence[str]) -> NoReturn:
    """Raise for columns that a table does not have."""
    what = "column" if len(wanted) == 1 else "columns"
    remedy = (
        "check --delimiter"
        if len(names) == 1
        else "if the first row is one of data, give --no-header"
    )
    raise TableError(f"{name} has no {what} {listed(wanted)}, but {listed(names)}; {remedy}")


def raise_cell(name: str, column: str, cell: str, row: int, wanted: str, remedy: str) -> NoReturn:
    """Raise for a cell that is not what its column must hold; rows count from 1."""
    raise TableError(
        f"{name}: column {brief(column)} must hold {wanted}, but row {row} has "
        f"{brief(cell, 40)}: {remedy}"
    )


def listed(names: Sequence[str]) -> str:
    """Return the first of some names, and how many more there are."""
    shown = ", ".join(brief(name, 40) for name in names[:MOST_NAMES])
    more = len(names) - MOST_NAMES
    return shown if more <= 0 else f"{shown} and {more} more"
