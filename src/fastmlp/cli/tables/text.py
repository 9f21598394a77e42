"""Tables written as text: CSV and its relatives. All cells come as texts."""

from __future__ import annotations

import csv
import io
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv as arrow_csv

from fastmlp.cli.tables.dialect import Dialect
from fastmlp.cli.tables.lines import lines_of
from fastmlp.cli.tables.refusals import check_any_rows, raise_odd_rows, raise_unreadable

__all__ = ["read_text"]

#: The largest block that Arrow takes; a table is one block, unless it is longer.
LARGEST_BLOCK = 2**31 - 1

_BLANKS = " \t\r\n\xa0"


def read_text(name: str, text: str, dialect: Dialect) -> tuple[pa.Table, np.ndarray | None]:
    """Return the columns of a text, and the lines in which its rows (N,) begin, if it is known.

    Cells are texts without blanks around them; None if missing.
    """
    lines = lines_of(text, dialect.delimiter or ",")
    names = _names(name, text, dialect)
    table = _parsed(name, text, len(names), dialect, lines)
    check_any_rows(name, table.num_rows, names, has_heading=dialect.header)
    _check_quotes(name, text, table)
    _check_behind_quotes(name, text, dialect.delimiter or ",")
    missing = pa.array(dialect.all_missing, pa.large_string())
    columns = [_cleaned(column, missing) for column in table.columns]
    lines = lines[int(dialect.header) :]
    known = lines if len(lines) == table.num_rows else None
    return pa.Table.from_arrays(columns, names=names), known


def _check_quotes(name: str, text: str, table: pa.Table) -> None:
    """Raise TableError if a quote is open at the end, so that a cell has swallowed rows."""
    [last] = table.slice(table.num_rows - 1).to_pylist()
    if text.count('"') % 2 and any("\n" in cell for cell in last.values()):
        raise_unreadable(name, "a quote is never closed", "close it, or write it twice in a cell")


def _check_behind_quotes(name: str, text: str, delimiter: str) -> None:
    """Raise TableError for text behind a closing quote: two stray quotes swallow rows."""
    if '"' not in text:
        return
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        for _ in rows:
            pass
    except csv.Error as error:
        if "expected after" in str(error):
            what = f"text follows a closing quote in line {rows.line_num}"
            raise_unreadable(name, what, "write a quote within a cell twice, and quote the cell")


def _cleaned(column: pa.ChunkedArray, missing: pa.Array) -> pa.ChunkedArray:
    trimmed = pc.utf8_trim(column, characters=_BLANKS)
    nothing = pa.scalar(None, pa.large_string())
    return pc.if_else(pc.is_in(trimmed, value_set=missing), nothing, trimmed)


def _names(name: str, text: str, dialect: Dialect) -> list[str]:
    """Return the names in the first row, column1, column2, … where there are none."""
    text = text.lstrip("\r\n")
    rows = csv.reader(
        io.StringIO(text, newline=""), delimiter=dialect.delimiter or ",", skipinitialspace=True
    )
    try:
        first = next(rows, [])
    except csv.Error as error:
        raise_unreadable(name, str(error), "check --delimiter and quotes")
    cells = [cell.strip(_BLANKS) if dialect.header else "" for cell in first]
    return [cell or f"column{place + 1}" for place, cell in enumerate(cells)]


def _parsed(name: str, text: str, n_columns: int, dialect: Dialect, lines: np.ndarray) -> pa.Table:
    """Return all rows but a heading, by places; cells as they are."""
    odd: list[tuple[str, int, int]] = []

    def note(row: Any) -> str:
        known = row.number is not None and row.number <= len(lines)
        where = f"line {lines[row.number - 1]}" if known else "a row"
        odd.append((where, row.expected_columns, row.actual_columns))
        return "skip"

    content = text.lstrip("\r\n").encode()
    places = [str(place) for place in range(n_columns)]
    reading = arrow_csv.ReadOptions(
        use_threads=False,  # else rows have no numbers
        block_size=min(len(content) + 64, LARGEST_BLOCK),
        column_names=places,
        skip_rows_after_names=int(dialect.header),
    )
    parsing = arrow_csv.ParseOptions(
        delimiter=dialect.delimiter, newlines_in_values=True, invalid_row_handler=note
    )
    types = dict.fromkeys(places, pa.large_string())
    converting = arrow_csv.ConvertOptions(column_types=types, strings_can_be_null=False)
    try:
        table = arrow_csv.read_csv(io.BytesIO(content), reading, parsing, converting)
    except (pa.ArrowException, ValueError) as error:
        raise_unreadable(name, str(error), "check --delimiter and quotes")
    if odd:
        raise_odd_rows(name, odd, dialect.delimiter or ",")
    return table
