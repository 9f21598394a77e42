"""A table from a file, whatever kind of file it is."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
from pyarrow import ipc, parquet

from fastmlp.cli.tables.arrays import read_arrays
from fastmlp.cli.tables.dialect import Dialect, decoded, found
from fastmlp.cli.tables.opening import Opened, opened
from fastmlp.cli.tables.refusals import (
    check_any_rows,
    check_names,
    raise_empty,
    raise_kind,
    raise_no_column,
    raise_unreadable,
)
from fastmlp.cli.tables.text import read_text
from fastmlp.validation.wording import counted

__all__ = ["Table", "read_table"]

#: What pandas calls an index that it has written as a column.
_INDEX = re.compile(r"__index_level_\d+__")


@dataclass(frozen=True, eq=False)
class Table:
    """A table and what is known of the file that it was in.

    Attributes
    ----------
    name : str
        What texts call it.
    columns : pyarrow Table, of N rows
        Of a text, all columns are texts.
    dialect : Dialect or None
        How a text was written; None for other files.
    remarks : tuple of str
        What is to be said of the file.
    unit : str
        What the numbers of the rows count: "line" or "row".
    numbers : ndarray of int, shape (N,), or None
        Of the rows in their file; None if it is all of them, from 1 on.
    """

    name: str
    columns: pa.Table
    dialect: Dialect | None = None
    remarks: tuple[str, ...] = ()
    unit: str = "row"
    numbers: np.ndarray | None = None

    def __len__(self) -> int:
        return int(self.columns.num_rows)

    @property
    def names(self) -> list[str]:
        """The columns' names."""
        return list(self.columns.column_names)

    @property
    def told(self) -> str:
        """Return its size, and how a text is written, in a line."""
        width = self.columns.num_columns
        how = f" ({self.dialect.told})" if self.dialect is not None else ""
        return f"{self.name}: {counted(len(self), 'row')}, {counted(width, 'column')}{how}"

    def place_of(self, row: int) -> str:
        """Return where in its file a row is, in words."""
        return f"{self.unit} {row + 1 if self.numbers is None else self.numbers[row]}"

    def rows(self, which: np.ndarray) -> Table:
        """Return some rows (K,), by their places."""
        numbers = np.arange(1, len(self) + 1) if self.numbers is None else self.numbers
        return replace(self, columns=self.columns.take(which), numbers=numbers[which])

    def require(self, names: Sequence[str], *, option: str = "", why: str = "") -> None:
        """Raise unless the table has these columns.

        ``option`` is what has named them, and ``why`` who wants them; see ``raise_no_column``.
        """
        missing = [name for name in names if name not in self.names]
        if missing:
            told = {"option": option, "why": why}
            raise_no_column(self.name, missing, self.names, has_heading=self.has_heading, **told)

    @property
    def has_heading(self) -> bool:
        """Whether the columns' names were cells of a text."""
        return self.dialect is not None and self.dialect.header


def read_table(path: str, dialect: Dialect) -> Table:
    """Return the table in a file, or in standard input for ``-``.

    Raises
    ------
    TableError
        There is none, or it is not as it must be.
    """
    file = opened(path)
    table = _READERS[file.kind](file, dialect)
    kept = [name for name in table.names if not _INDEX.fullmatch(name)]
    check_any_rows(table.name, len(table), kept, has_heading=table.has_heading)
    check_names(table.name, kept, has_heading=table.has_heading)
    return replace(table, columns=table.columns.select(kept))


def _of_text(file: Opened, given: Dialect) -> Table:
    text = decoded(file.name, file.content, given.encoding)
    if not text.strip():
        raise_empty(file.name)
    dialect = found(text, given)
    columns, lines = read_text(file.name, text, dialect)
    unit = "row" if lines is None else "line"
    return Table(file.name, columns, dialect, unit=unit, numbers=lines)


def _by_arrow(read: Callable[[pa.BufferReader], pa.Table]) -> Callable[[Opened, Dialect], Table]:
    def reader(file: Opened, given: Dialect) -> Table:
        try:
            columns = read(pa.BufferReader(file.content))
            columns.validate(full=True)
        except (pa.ArrowException, OSError, ValueError) as error:
            raise_unreadable(file.name, str(error), "it may be damaged: write it again")
        return Table(file.name, columns)

    return reader


def _of_arrays(file: Opened, given: Dialect) -> Table:
    columns, remarks = read_arrays(file.name, file.content)
    return Table(file.name, columns, None, tuple(remarks))


def _of_one_array(file: Opened, given: Dialect) -> Table:
    raise_kind(file.name, "a single array of NumPy")


def _feather(source: pa.BufferReader) -> pa.Table:
    from pyarrow import feather

    return feather.read_table(source)


_READERS: dict[str, Callable[[Opened, Dialect], Table]] = {
    "text": _of_text,
    "parquet": _by_arrow(lambda source: parquet.ParquetFile(source).read()),
    "arrow": _by_arrow(_feather),
    "stream": _by_arrow(lambda source: ipc.open_stream(source).read_all()),
    "npz": _of_arrays,
    "npy": _of_one_array,
}
