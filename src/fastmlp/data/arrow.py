"""Parquet files and datasets of Arrow as a source of rows; pyarrow does the reading."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from fastmlp import validation
from fastmlp.data.columns import Columns, common_schema, is_of_parquet, place_of
from fastmlp.data.parquet import bytes_while_read, read_row_group
from fastmlp.data.source import Piece, Reading, Source
from fastmlp.kept import kept_property

__all__ = ["from_arrow", "from_parquet"]


class _ArrowSource(Source):
    """Rows of which Arrow knows the columns."""

    def __init__(self, columns: Columns, reading: Reading) -> None:
        self.columns, self.reading = columns, reading
        self.has_target = bool(columns.targets)

    @property
    def n_columns(self) -> int:
        return len(self.columns.of_x)

    def _what(self) -> str:
        return "a stream of Arrow, which can be read once"

    def __repr__(self) -> str:
        columns = self.columns
        more = f", target {columns.targets}" if columns.targets else ""
        more += f", weight {columns.weight!r}" if columns.weight else ""
        return f"<source: {self._what()}; {len(columns.of_x)} columns of X{more}>"


class _DatasetSource(_ArrowSource):
    """See ``from_parquet``: a part is a row group of a file, or a fragment of other datasets.

    ``complete`` says whether files must have no columns but those of the first one.
    """

    def __init__(
        self, dataset: Any, columns: Columns, keep: Any, reading: Reading, complete: bool
    ) -> None:
        super().__init__(columns, reading)
        self.dataset, self.keep, self.complete = dataset, keep, complete

    def _what(self) -> str:
        files = getattr(self.dataset, "files", None)
        return "a table or dataset of Arrow" if files is None else f"{len(files)} file(s)"

    @kept_property
    def _schema_and_parts(self) -> tuple[Any, list[Any]]:
        fragments, parts = list(validation.fragments_of(self.dataset)), []
        schema = common_schema(self.dataset.schema, fragments, self.columns.all, self.complete)
        for fragment in fragments:
            if is_of_parquet(fragment):
                parts += fragment.split_by_row_group(self.keep, schema=schema)
            else:
                parts.append(fragment)
        return schema, parts

    @property
    def n_parts(self) -> int:
        return len(self._schema_and_parts[1])

    @kept_property
    def bytes_of_part(self) -> int:
        groups = [part for part in self._schema_and_parts[1] if is_of_parquet(part)]
        if not groups:
            return 0
        largest = max(groups, key=lambda part: part.row_groups[0].total_byte_size)
        return bytes_while_read(largest, self.columns.all)

    def of_part(self, number: int) -> Source:
        """Return a source of one part, which knows nothing of other files when it is pickled."""
        schema, parts = self._schema_and_parts
        one = _DatasetSource(None, self.columns, self.keep, self.reading, self.complete)
        vars(one)["_schema_and_parts"] = schema, [parts[number]]
        return one

    def read(self, part: int, n_rows: int) -> Iterator[Piece]:
        schema, parts = self._schema_and_parts
        fragment = parts[part]
        place = place_of(fragment)
        read = read_row_group if is_of_parquet(fragment) else _read_fragment
        with validation.naming_piece(place):
            for table in read(fragment, self.columns.all, schema, self.keep, n_rows):
                yield self.columns.piece(table, place)
        self.rest()

    def rest(self) -> None:
        import pyarrow as pa  # noqa: PLC0415 - an extra

        pa.default_memory_pool().release_unused()


class _ReaderSource(_ArrowSource):
    """The batches of a stream of Arrow's, which can be read only once."""

    once = True
    read_before = False

    def __init__(self, reader: Any, columns: Columns, reading: Reading) -> None:
        super().__init__(columns, reading)
        self.reader = reader

    @property
    def n_parts(self) -> int:
        return 1

    def read(self, part: int, n_rows: int) -> Iterator[Piece]:
        import pyarrow as pa  # noqa: PLC0415 - an extra

        validation.check_unread(self.read_before)
        self.read_before = True
        for number, batch in enumerate(self.reader):
            place = f"batch {number}"
            for first in range(0, len(batch), n_rows):
                table = pa.Table.from_batches([batch.slice(first, n_rows)])
                yield self.columns.piece(table, place)


def _read_fragment(
    fragment: Any, columns: Sequence[str], schema: Any, keep: Any, n_rows: int
) -> Iterator[Any]:
    """Yield tables of up to ``n_rows`` rows of what is no Parquet file."""
    import pyarrow as pa  # noqa: PLC0415 - an extra

    batches = fragment.to_batches(
        schema=schema,
        columns=list(columns),
        filter=keep,
        batch_size=n_rows,
        batch_readahead=0,
        fragment_readahead=0,
        use_threads=False,
    )
    for batch in batches:
        if len(batch):
            yield pa.Table.from_batches([batch])


def from_parquet(
    paths: Any,
    *,
    target: str | Sequence[str] | None = None,
    columns: Sequence[str] | None = None,
    weight: str | None = None,
    filter: Any = None,
    buffer_rows: int | None = None,
    n_open: int | None = None,
    prefetch: int = 1,
    sample_rows: int | None = None,
) -> Source:
    """Read Parquet files row group by row group (``pip install "fastmlp[parquet]"``).

    Each epoch draws another order of the row groups, in which neighbours of the file lie far apart.
    Several are read at the same time, a piece of each in turn. Their rows go through a buffer,
    where each new one takes the place of one that is drawn at random. So also rows of a sorted
    file are well mixed, if it has many more row groups than are read at the same time.

    Parameters
    ----------
    paths : str, path, or sequence of these
        A file, a folder of files, a pattern such as ``"data/part-*.parquet"``, or several files.
    target : str or sequence of str, default=None
        The column of labels or real targets, or the columns of several; None for rows that are
        only predicted.
    columns : sequence of str, default=None
        The columns of X; None for all others.
    weight : str, default=None
        The column of the rows' weights.
    filter : pyarrow.dataset.Expression, default=None
        Which rows to read, such as ``pyarrow.dataset.field("year") > 2020``.
    buffer_rows : int, default=None
        Rows that the buffer holds; None for as many as fit into 32 MiB.
    n_open : int, default=None
        Row groups that are read at the same time; None for as many as 24 MiB hold, from 2 to 16.
        The more there are, the better sorted rows are mixed, and the more memory they take.
    prefetch : int, default=1
        How far a thread beside the training reads ahead, in eighths of the buffer; 0 for no thread.
    sample_rows : int, default=None
        Rows that the first pass of a fit draws at random, all of which are in memory; None for up
        to 100,000, of models of raw tables 50,000.

    Returns
    -------
    Source

    Raises
    ------
    ImportError
        Without pyarrow.
    FileNotFoundError
        If there is no such file.
    ValueError, TypeError
        If a file is not a Parquet file, if there is no such column, or if an argument is not as it
        must be.
    """
    validation.check_library("pyarrow", "Reading Parquet and Arrow", "parquet")
    import pyarrow.dataset as ds  # noqa: PLC0415 - an extra

    files = validation.check_paths_to_stream(paths)
    with validation.naming_piece("paths"):
        dataset = ds.dataset(files, format="parquet")
    validation.check_any_file(dataset.files, paths)
    reading = Reading(buffer_rows, n_open, prefetch, sample_rows)
    chosen = _columns(dataset.schema, target, columns, weight, reading)
    return _DatasetSource(dataset, chosen, filter, reading, complete=columns is None)


def from_arrow(
    data: Any,
    *,
    target: str | Sequence[str] | None = None,
    columns: Sequence[str] | None = None,
    weight: str | None = None,
    filter: Any = None,
    buffer_rows: int | None = None,
    n_open: int | None = None,
    prefetch: int = 1,
    sample_rows: int | None = None,
) -> Source:
    """Read what Arrow reads: a dataset, a table, or a stream of batches.

    Parameters
    ----------
    data : pyarrow.dataset.Dataset, pyarrow.Table or pyarrow.RecordBatchReader
        A reader can be read once only, which is enough for ``partial_fit`` and predictions, but
        not for ``fit``; it takes no ``filter``.
    target, columns, weight, filter, buffer_rows, n_open, prefetch, sample_rows
        As those of :func:`from_parquet`.

    Returns
    -------
    Source

    Raises
    ------
    ImportError
        Without pyarrow.
    ValueError, TypeError
        If there is no such column, or an argument is wrong.

    Examples
    --------
    >>> import pyarrow as pa
    >>> from fastmlp.data import from_arrow
    >>> table = pa.table({"size": [1.0, 2.0, 3.0], "price": [10.0, 20.0, 30.0]})
    >>> [piece.y.tolist() for piece in from_arrow(table, target="price").pieces(2)]
    [[10.0, 20.0], [30.0]]
    """
    validation.check_library("pyarrow", "Reading Parquet and Arrow", "parquet")
    import pyarrow as pa  # noqa: PLC0415 - an extra
    import pyarrow.dataset as ds  # noqa: PLC0415

    validation.check_arrow_to_stream(data, filter)
    reading = Reading(buffer_rows, n_open, prefetch, sample_rows)
    if isinstance(data, pa.RecordBatchReader):
        return _ReaderSource(data, _columns(data.schema, target, columns, weight, reading), reading)
    dataset = ds.dataset(data) if isinstance(data, pa.Table) else data
    chosen = _columns(dataset.schema, target, columns, weight, reading)
    return _DatasetSource(dataset, chosen, filter, reading, complete=False)


def _columns(schema: Any, target: Any, columns: Any, weight: Any, reading: Reading) -> Columns:
    """Return what the columns of a schema are."""
    validation.check_reading(vars(reading))
    names = validation.check_columns_to_stream(schema.names, target, columns, weight)
    return Columns(names, target, weight)
