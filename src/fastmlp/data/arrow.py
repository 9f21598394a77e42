"""Parquet files and datasets of Arrow as a source of rows; pyarrow does the reading."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from fastmlp import validation
from fastmlp.data.source import Piece, Reading, Source
from fastmlp.kept import kept_property

__all__ = ["from_arrow", "from_parquet"]


#: What is read of a column of a Parquet file at a time.
_BYTES_AT_ONCE = 1 << 16


class _Columns:
    """Which columns of a dataset are X, the target and the weights."""

    def __init__(
        self, names: Sequence[str], target: str | Sequence[str] | None, weight: str | None
    ) -> None:
        self.targets = [target] if isinstance(target, str) else list(target or ())
        self.several = not (target is None or isinstance(target, str))
        self.weight = weight
        self.of_x = list(names)

    @property
    def all(self) -> list[str]:
        """Names of all that are read."""
        return [*self.of_x, *self.targets, *([self.weight] if self.weight else [])]

    def piece(self, table: Any, place: str) -> Piece:
        """Return a table's rows."""
        y = None
        if self.targets:
            y = np.column_stack([_plain(table, name, place) for name in self.targets])
            y = y if self.several else y[:, 0]
        weights = _plain(table, self.weight, place).astype(np.float64) if self.weight else None
        return Piece(table.select(self.of_x), y, weights, place)


def _plain(table: Any, name: str, place: str) -> np.ndarray:
    """Return a column (n,) of targets or weights."""
    column = table.column(name)
    validation.check_no_nulls(name, column.null_count, place)
    values: np.ndarray = column.to_numpy()
    return values


class _ArrowSource(Source):
    """Rows of which Arrow knows the columns."""

    def __init__(self, columns: _Columns, reading: Reading) -> None:
        self.columns, self.reading = columns, reading
        self.has_target = bool(columns.targets)

    @property
    def n_columns(self) -> int:
        return len(self.columns.of_x)


class _DatasetSource(_ArrowSource):
    """See ``from_parquet``: a part is a row group of a file, or a fragment of other datasets."""

    def __init__(self, dataset: Any, columns: _Columns, keep: Any, reading: Reading) -> None:
        super().__init__(columns, reading)
        self.dataset, self.keep = dataset, keep

    @kept_property
    def _parts(self) -> list[Any]:
        parts: list[Any] = []
        for fragment in self.dataset.get_fragments():
            with validation.naming_piece(_place(fragment)):
                split = getattr(fragment, "split_by_row_group", None)
                parts += split() if split else [fragment]
        return parts

    @property
    def n_parts(self) -> int:
        return len(self._parts)

    @property
    def bytes_of_part(self) -> int:
        sizes = [
            group.total_byte_size
            for part in self._parts
            for group in getattr(part, "row_groups", None) or ()
        ]
        return max(sizes, default=0)

    def read(self, part: int, n_rows: int) -> Iterator[Piece]:
        import pyarrow as pa  # noqa: PLC0415 - an extra

        fragment = self._parts[part]
        place = _place(fragment)
        with validation.naming_piece(place):
            physical = fragment.physical_schema
            validation.check_same_columns(self.columns.all, physical.names, place)
            batches = fragment.to_batches(
                schema=self.dataset.schema,
                columns=self.columns.all,
                filter=self.keep,
                batch_size=n_rows,
                batch_readahead=0,
                fragment_readahead=0,
                use_threads=False,
                fragment_scan_options=_page_by_page(fragment),
            )
            for batch in batches:
                if len(batch):
                    yield self.columns.piece(pa.Table.from_batches([batch]), place)


class _ReaderSource(_ArrowSource):
    """The batches of a stream of Arrow's, which can be read only once."""

    once = True
    read_before = False

    def __init__(self, reader: Any, columns: _Columns, reading: Reading) -> None:
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


def _page_by_page(fragment: Any) -> Any:
    """Return options by which no whole row group of a Parquet file is in memory; else None."""
    import pyarrow.dataset as ds  # noqa: PLC0415 - an extra

    if not isinstance(fragment, ds.ParquetFileFragment):
        return None
    return ds.ParquetFragmentScanOptions(
        use_buffered_stream=True, buffer_size=_BYTES_AT_ONCE, pre_buffer=False
    )


def _place(fragment: Any) -> str:
    """Return where a fragment's rows lie."""
    path = getattr(fragment, "path", "") or "a fragment"
    groups = getattr(fragment, "row_groups", None) or []
    return f"{path}, row group {groups[0].id}" if len(groups) == 1 else str(path)


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

    Each epoch draws another order of the row groups. Several are read at the same time, a piece of
    each in turn, into a buffer whose rows are shuffled. So neighbours in a sorted file do not meet
    in one batch, though no row is read out of turn.

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
        Rows that are shuffled among one another; None for as many as 32 MiB hold.
    n_open : int, default=None
        Row groups that are read at the same time; None for as many as 128 MiB hold, from 2 to 16.
        The more there are, the better sorted rows are mixed, and the more memory they take.
    prefetch : int, default=1
        Buffers that are read ahead, in a thread beside the training; 0 for none.
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
    reading = Reading(buffer_rows, n_open, prefetch, sample_rows)
    return _of_dataset(dataset, target, columns, weight, filter, reading)


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
        If there is no such column, or an argument is not as it must be.

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
    return _of_dataset(dataset, target, columns, weight, filter, reading)


def _of_dataset(
    dataset: Any, target: Any, columns: Any, weight: Any, keep: Any, reading: Reading
) -> Source:
    """Return a dataset's source once its arguments are checked."""
    chosen = _columns(dataset.schema, target, columns, weight, reading)
    return _DatasetSource(dataset, chosen, keep, reading)


def _columns(schema: Any, target: Any, columns: Any, weight: Any, reading: Reading) -> _Columns:
    """Return what the columns of a schema are."""
    validation.check_reading(vars(reading))
    names = validation.check_columns_to_stream(schema.names, target, columns, weight)
    return _Columns(names, target, weight)
