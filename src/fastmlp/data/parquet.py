"""Row groups of Parquet files, of which only the pages are in memory that are read just now."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from fastmlp import validation

__all__ = ["bytes_while_read", "read_row_group"]

#: What is read of a column's bytes in the file at a time.
_BYTES_AT_ONCE = 1 << 14

#: What pages and dictionaries take at most, where the writer's settings are the usual ones.
_BYTES_OF_PAGE = 1 << 20


def read_row_group(
    fragment: Any, columns: Sequence[str], schema: Any, keep: Any, n_rows: int
) -> Iterator[Any]:
    """Yield tables of up to ``n_rows`` rows of the one row group of a fragment.

    A scanner of Arrow's would decode the whole row group before it gives the first row.

    Parameters
    ----------
    fragment : pyarrow.dataset.ParquetFileFragment
    columns : sequence of str
    schema : pyarrow.Schema
        The types that the columns of all fragments are given.
    keep : pyarrow.dataset.Expression or None
        Which rows are wanted.
    n_rows : int
    """
    import pyarrow as pa  # noqa: PLC0415 - an extra
    import pyarrow.parquet as pq  # noqa: PLC0415

    names = [name for name in schema.names if name in columns or _may_ask_for(keep, name)]
    stored = [name for name in names if name in fragment.physical_schema.names]
    group = fragment.row_groups[0]
    file = pq.ParquetFile(
        fragment.open(),
        metadata=fragment.metadata,
        read_dictionary=list(fragment.format.read_options.dictionary_columns),
        buffer_size=_BYTES_AT_ONCE,
        pre_buffer=False,
        page_checksum_verification=True,
    )
    batches = file.iter_batches(n_rows, row_groups=[group.id], columns=stored, use_threads=False)
    n_left = group.num_rows
    while n_left > 0:
        with validation.reading_pages():
            batch = validation.check_rows_are_there(next(batches, None))
        n_left -= len(batch)
        if n_left == 0:
            file = batches = None  # what they hold, nobody needs while the last rows are used
        table = _completed(pa.Table.from_batches([batch]), names, schema, fragment)
        if keep is not None:
            table = table.filter(keep)
        if len(table):
            yield table.select(columns)


def _may_ask_for(keep: Any, name: str) -> bool:
    """Return whether a filter may look at a column: more than it asks for do no harm."""
    text = "" if keep is None else str(keep)
    return name in text or "FieldPath(" in text


def _completed(table: Any, names: Sequence[str], schema: Any, fragment: Any) -> Any:
    """Return those columns in the types of ``schema``, also those that folders' names give."""
    import pyarrow as pa  # noqa: PLC0415 - an extra
    import pyarrow.dataset as ds  # noqa: PLC0415

    keys = ds.get_partition_keys(fragment.partition_expression)
    columns = []
    for name in names:
        kind = schema.field(name).type
        if name in table.column_names:
            column = table.column(name)
            with validation.naming_column(name):
                columns.append(column if column.type == kind else column.cast(kind))
        else:
            columns.append(pa.repeat(pa.scalar(keys.get(name), kind), len(table)))
    return pa.table(columns, names=list(names))


def bytes_while_read(fragment: Any, columns: Sequence[str]) -> int:
    """Return about how much memory Arrow takes while it reads a fragment's one row group.

    Of each column it keeps a page and, if the values are kept in a dictionary, this twice.
    """
    group = fragment.metadata.row_group(fragment.row_groups[0].id)
    total = 0
    for number in range(group.num_columns):
        column = group.column(number)
        if column.path_in_schema in columns:
            n_kept = 2 if column.has_dictionary_page else 1
            total += n_kept * min(column.total_uncompressed_size, _BYTES_OF_PAGE) + _BYTES_AT_ONCE
    return total
