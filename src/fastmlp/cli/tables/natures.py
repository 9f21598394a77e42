"""What columns of texts hold: numbers, dates or texts.

A column is what all of its cells are, so that one odd cell is not lost but seen.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from fastmlp.cli.tables.reading import Table
from fastmlp.cli.tables.refusals import raise_cell
from fastmlp.tables import ColumnTable
from fastmlp.validation.wording import brief

__all__ = ["MOSTLY", "as_learnt", "is_text", "numbers_of", "share_of_numbers", "typed"]

_NUMBER = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$|^[+-]?(?i:inf|infinity)$"
_NUMBER_WITH_COMMA = _NUMBER.replace(r"\.", ",")
_WHOLE = r"^[+-]?\d+$"

#: Codes such as 00123, which a number would lose the zeros of.
_LEADING_ZERO = r"^[+-]?0\d"

#: A column of texts of which so many are numbers is worth a remark.
MOSTLY = 0.5

#: Types of dates, the plainer ones first.
_DATES = (pa.date32(), pa.timestamp("us"), pa.timestamp("us", "UTC"))

_FOR_NUMBERS = "fix the cell, or give --missing if it stands for a missing value"


class _Numbers(NamedTuple):
    """Texts as numbers are written for Arrow, and which of them are numbers."""

    texts: pa.ChunkedArray
    are: pa.ChunkedArray


def typed(table: Table, as_texts: Sequence[str] = ()) -> Table:
    """Return a table whose columns of texts are what their cells are.

    All cells are whole numbers, numbers, true or false, or dates as ISO 8601 writes them; else
    they are texts.
    Numbers with leading zeros are texts, and so are the columns in ``as_texts``.
    """
    if table.dialect is None:
        return table
    columns, remarks = [], list(table.remarks)
    for name in table.names:
        column = table.columns[name]
        if name not in as_texts:
            column, remark = _of_texts(name, column, table)
            remarks += [remark] if remark else []
        columns.append(column)
    whole = pa.Table.from_arrays(columns, names=table.names)
    return replace(table, columns=whole, remarks=tuple(remarks))


def _of_texts(name: str, texts: pa.ChunkedArray, table: Table) -> tuple[pa.ChunkedArray, str]:
    """Return a column as what its cells are, and a remark or nothing."""
    decimal = _decimal_of(table)
    n_cells = len(texts) - texts.null_count
    if not n_cells:
        return texts, ""
    numbers = _numbers(texts, decimal)
    n_numbers = pc.sum(numbers.are).as_py()
    if n_numbers == n_cells:
        return _cast(numbers.texts, texts), ""
    for cells in (_booleans(texts), _dates(texts)):
        if cells is not None:
            return cells, ""
    if n_numbers <= MOSTLY * n_cells:
        return texts, ""
    row = pc.index(numbers.are, False).as_py()
    return texts, (
        f"column {brief(name)} is read as text: {100 * n_numbers / n_cells:.3g} % of its cells are "
        f"numbers, but {brief(texts[row].as_py(), 40)} in {table.place_of(row)} is not; if that "
        "stands for a missing value, give it by --missing"
    )


def _decimal_of(table: Table) -> str:
    return "." if table.dialect is None else table.dialect.decimal or "."


def _numbers(texts: pa.ChunkedArray, decimal: str) -> _Numbers:
    pattern = _NUMBER if decimal == "." else _NUMBER_WITH_COMMA
    are = pc.match_substring_regex(texts, pattern)
    if decimal == ",":
        texts = pc.replace_substring(texts, ",", ".")
    return _Numbers(texts, are)


def _cast(numbers: pa.ChunkedArray, texts: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return texts that are numbers as integers if they are whole; with leading zeros as texts."""
    if pc.any(pc.match_substring_regex(numbers, _LEADING_ZERO)).as_py():
        return texts
    if pc.all(pc.match_substring_regex(numbers, _WHOLE)).as_py():
        try:
            return pc.cast(pc.utf8_ltrim(numbers, "+"), pa.int64())
        except pa.ArrowInvalid:  # beyond 64 bits
            pass
    return pc.cast(numbers, pa.float64())


def _dates(texts: pa.ChunkedArray) -> pa.ChunkedArray | None:
    for kind in _DATES:
        try:
            return pc.cast(texts, kind)
        except pa.ArrowInvalid:
            continue
    return None


def share_of_numbers(table: Table, name: str) -> float:
    """Return which share of a column of texts, none of them missing, are numbers."""
    return float(pc.mean(_numbers(table.columns[name], _decimal_of(table)).are).as_py())


def numbers_of(table: Table, name: str, remedy: str = _FOR_NUMBERS) -> pa.ChunkedArray:
    """Return a column as numbers, float64.

    Raises
    ------
    TableError
        A cell is none.
    """
    column = table.columns[name]
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if is_text(column.type):
        column = pc.utf8_trim_whitespace(column)
        numbers = _numbers(column, _decimal_of(table))
        row = pc.index(numbers.are, False).as_py()
        if row >= 0:
            where = table.place_of(row)
            raise_cell(table.name, name, column[row].as_py(), where, "numbers", remedy)
        return pc.cast(numbers.texts, pa.float64())
    try:
        return pc.cast(column, pa.float64(), safe=False)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        raise_cell(table.name, name, *_first_cell(table, column), "numbers", remedy)


def _first_cell(table: Table, column: pa.ChunkedArray) -> tuple[str, str]:
    """Return the first cell that is not missing, and where it is."""
    row = pc.index(pc.is_valid(column), True).as_py()
    return str(column[row].as_py()), table.place_of(row)


def as_learnt(table: Table, learnt: ColumnTable) -> Table:
    """Return a table whose columns of texts are what a model took them for.

    Raises
    ------
    TableError
        The table lacks a column, or a cell is not what the model must have.
    """
    wanted = [each for each in learnt if each.taken_for != "dropped"]
    table.require([str(each.name) for each in wanted], why="which the model needs")
    columns = {str(each.name): _as(table, str(each.name), each.taken_for) for each in wanted}
    # Of those that were dropped nothing is wanted, but the model is told what it has been told.
    return replace(table, columns=pa.table(columns))


def _as(table: Table, name: str, taken_for: str) -> pa.ChunkedArray:
    column = table.columns[name]
    if not is_text(column.type) or taken_for not in _READERS:
        return column
    return _READERS[taken_for](table, name)


def _booleans(texts: pa.ChunkedArray) -> pa.ChunkedArray | None:
    """Return a column of true and false, in any case; None if it has other cells."""
    words = pc.utf8_lower(texts)
    are = pc.is_in(words.drop_null(), value_set=pa.array(["true", "false"], words.type))
    return pc.equal(words, "true") if pc.all(are).as_py() else None


def _booleans_of(table: Table, name: str) -> pa.ChunkedArray:
    cells = _booleans(table.columns[name])
    return numbers_of(table, name) if cells is None else cells


def _dates_of(table: Table, name: str) -> pa.ChunkedArray:
    column = table.columns[name]
    dates = _dates(column)
    if dates is not None:
        return dates
    for row, cell in enumerate(column):
        if cell.is_valid and _dates(pa.chunked_array([[cell.as_py()]], column.type)) is None:
            remedy = "write it as 2024-12-31, or 2024-12-31 23:59:59"
            raise_cell(table.name, name, cell.as_py(), table.place_of(row), "dates", remedy)
    remedy = "give all of them a time zone, or none"
    raise_cell(table.name, name, *_first_cell(table, column), "dates of one kind", remedy)


def is_text(kind: pa.DataType) -> bool:
    """Return whether a column's type is that of texts."""
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


_READERS: dict[str, Callable[[Table, str], pa.ChunkedArray]] = {
    "number": numbers_of,
    "boolean": _booleans_of,
    "duration": numbers_of,
    "date": _dates_of,
}
