"""A table from a file, whatever kind of file it is."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

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
    """

    name: str
    columns: pa.Table
    dialect: Dialect | None = None
    remarks: tuple[str, ...] = ()

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
        return f"{self.name}: {len(self):,} rows, {width:,} columns{how}"

    def require(self, names: list[str]) -> None:
        """Raise TableError unless the table has these columns."""
        missing = [name for name in names if name not in self.names]
        if missing:
            raise_no_column(self.name, missing, self.names)


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
    check_any_rows(table.name, len(table), len(kept))
    check_names(table.name, kept)
    return Table(table.name, table.columns.select(kept), table.dialect, table.remarks)


def _of_text(file: Opened, given: Dialect) -> Table:
    text = decoded(file.name, file.content, given.encoding)
    if not text.strip():
        raise_empty(file.name)
    dialect = found(text, given)
    return Table(file.name, read_text(file.name, text, dialect), dialect)


def _by_arrow(read: Callable[[pa.BufferReader], pa.Table]) -> Callable[[Opened, Dialect], Table]:
    def reader(file: Opened, given: Dialect) -> Table:
        try:
            columns = read(pa.BufferReader(file.content))
            columns.validate(full=True)
        except (pa.ArrowException, OSError, ValueError) as error:
            raise_unreadable(file.name, str(error), "it may be damaged: write it once more")
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
