"""Raw tables as they come: data frames through Narwhals, NumPy arrays, lists of rows."""

from __future__ import annotations

from collections.abc import Iterator
from types import MappingProxyType
from typing import Any, Protocol
from zoneinfo import ZoneInfo

import narwhals.stable.v2 as nw
import numpy as np

from fastmlp import validation
from fastmlp.tables.cells import column_of_array, dates_column, numbers_column, texts_column
from fastmlp.tables.columns import Column, Nature
from fastmlp.tables.levels import Levels, levels_of_coded, levels_of_objects

__all__ = ["RawTable", "open_table"]


class RawTable(Protocol):
    """A table (N, I) whose columns are asked for by their places.

    Attributes
    ----------
    n_rows, n_columns : int
    names : tuple of str, length I, or None
        None for a table whose columns have no names.
    labels : tuple, length I, or None
        Other names of the columns, such as integers, by which they are told apart.
    dtypes : list of str, length I
        As the table's library writes them.
    are_numbers, are_booleans : ndarray of bool, shape (I,)
        Which columns are so by their type; ``numbers`` reads these.
    """

    n_rows: int
    n_columns: int
    names: tuple[str, ...] | None
    labels: tuple[Any, ...] | None
    dtypes: list[str]
    are_numbers: np.ndarray
    are_booleans: np.ndarray

    def numbers(self, places: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yield blocks of the columns at ``places`` (K,), which are numbers or booleans.

        Yields
        ------
        which : ndarray of int, shape (k,)
            Indices into ``places``; those of all blocks are 0 … K − 1.
        block : ndarray of integers or floats, shape (N, k)
            NaN for missing ones.
        """
        ...

    def column(self, place: int, zone: str | None = None) -> Column:
        """Return a column (N,) of any kind, dates with a time zone in ``zone``."""
        ...


def open_table(X: Any) -> RawTable:
    """Return a raw table; TypeError or ValueError if X (N, I) is none."""
    labels: tuple[Any, ...] | None = None
    with validation.naming("X"):
        validation.check_not_lazy(X)
        X = _whole(X)
        names = _names(X)
    if names is not None:
        validation.check_names(names)
        if not all(isinstance(name, str) for name in names) and hasattr(X, "set_axis"):
            X = X.set_axis(list(map(str, range(len(names)))), axis=1)
            labels, names = tuple(names), None
    with validation.naming("X"):
        frame = nw.from_native(X, eager_only=True, pass_through=True)
    if isinstance(frame, nw.DataFrame):
        validation.check_table_size(*frame.shape)
        return _Frame(frame, None if names is None else tuple(map(str, names)), labels)
    validation.check_is_table(X)
    array = _array(X)
    validation.check_table_size(*array.shape)
    return _Array(array)


def _whole(X: Any) -> Any:
    """Return a batch of Arrow's as a table of it, which Narwhals knows; all else as it is."""
    pyarrow = nw.dependencies.get_pyarrow()
    if pyarrow is not None and isinstance(X, pyarrow.RecordBatch):
        return pyarrow.Table.from_batches([X])
    return X


def _names(X: Any) -> list[Any] | None:
    """Return the names of a data frame's columns, None for other tables."""
    names = getattr(X, "column_names", None)  # of Arrow
    if names is None:
        names = getattr(X, "columns", None)
    return None if names is None or callable(names) else list(names)


def _array(X: Any) -> np.ndarray:
    """Return an array, or a list of rows, as an array (N, I)."""
    if isinstance(X, np.ma.MaskedArray):
        return _filled(X)
    if not isinstance(X, (list, tuple)):
        with validation.naming("X"):
            array = np.asarray(X)
        return array.astype(object) if array.dtype.kind in "SUT" else array
    validation.check_row_lengths(X)
    columns = [np.fromiter(column, object, len(X)) for column in zip(*X, strict=True)]
    return np.stack(columns, axis=1) if columns else np.empty((len(X), 0))


def _filled(X: np.ma.MaskedArray) -> np.ndarray:
    """Return a masked array (N, I) with NaN, NaT or None for masked entries."""
    array, mask = np.asarray(X.data), np.ma.getmaskarray(X)
    if array.dtype.kind in "biuf":
        return np.where(mask, np.array(np.nan, np.float16), array)
    if array.dtype.kind in "mM":
        return np.where(mask, np.array("NaT", array.dtype), array)
    objects = array.astype(object)
    objects[mask] = None
    return objects


class _Array:
    """An array (N, I) of any type; in one of objects, each column is what its cells are."""

    def __init__(self, array: np.ndarray) -> None:
        self._array = array
        self.n_rows, self.n_columns = array.shape
        self.names: tuple[str, ...] | None = None
        self.labels: tuple[Any, ...] | None = None
        self.dtypes = [str(array.dtype)] * self.n_columns
        self.are_numbers = np.full(self.n_columns, array.dtype.kind in "iuf")
        self.are_booleans = np.full(self.n_columns, array.dtype.kind == "b")

    def numbers(self, places: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        if len(places):
            every = len(places) == self.n_columns and bool((np.diff(places) == 1).all())
            yield np.arange(len(places)), self._array if every else self._array[:, places]

    def column(self, place: int, zone: str | None = None) -> Column:
        return column_of_array(place, self.dtypes[place], self._array[:, place], zone)


#: Type of Narwhals's → how a block of such columns is read.
_BLOCKS: MappingProxyType[Any, str] = MappingProxyType(
    {
        **dict.fromkeys((nw.Int8, nw.Int16, nw.Int32, nw.Int64), "as it is"),
        **dict.fromkeys((nw.UInt8, nw.UInt16, nw.UInt32, nw.UInt64), "as it is"),
        **dict.fromkeys((nw.Float32, nw.Float64), "as it is"),
        **dict.fromkeys((nw.Int128, nw.UInt128, nw.Decimal), "float"),
        nw.Boolean: "boolean",
    }
)

#: What to do first, so that NumPy gets numbers.
_CASTS: MappingProxyType[str, Any] = MappingProxyType({"float": nw.Float64, "boolean": nw.Int8})


class _Frame:
    """A data frame of pandas, polars, pyarrow or another library that Narwhals knows."""

    def __init__(
        self,
        frame: nw.DataFrame[Any],
        names: tuple[str, ...] | None,
        labels: tuple[Any, ...] | None,
    ) -> None:
        self._frame = frame
        self._columns = frame.columns
        self.n_rows, self.n_columns = frame.shape
        self.names, self.labels = names, labels
        self.dtypes, self._types = _types_of(frame)
        ways = [_BLOCKS.get(type(each), "") for each in self._types]
        self.are_booleans = np.array([way == "boolean" for way in ways])
        self.are_numbers = np.array([way != "" for way in ways]) & ~self.are_booleans

    def numbers(self, places: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yield a block for each type among the columns, so that none is converted to another."""
        groups: dict[tuple[str, str], list[int]] = {}
        for index, place in enumerate(places.tolist()):
            way = _BLOCKS[type(self._types[place])]
            groups.setdefault((way, self.dtypes[place]), []).append(index)
        for (way, _), group in groups.items():
            which = np.array(group)
            names = [self._columns[place] for place in places[which]]
            if way in _CASTS:
                part = self._frame.select(nw.col(*names).cast(_CASTS[way]))
            else:
                part = self._frame.select(*names)
            yield which, part.to_numpy()

    def column(self, place: int, zone: str | None = None) -> Column:
        label = place if self.names is None else self.names[place]
        with validation.reading_column(label):
            return self._read(place, label, zone)

    def _read(self, place: int, label: str | int, zone: str | None) -> Column:
        series, kind = self._frame.get_column(self._columns[place]), self._types[place]
        dtype = self.dtypes[place]
        if isinstance(kind, (nw.Categorical, nw.Enum)):
            return _of_category(label, dtype, series)
        if isinstance(kind, nw.String):
            return texts_column(label, dtype, _levels(series))
        if isinstance(kind, (nw.Date, nw.Datetime)):
            return _of_dates(label, dtype, series, zone)
        if isinstance(kind, (nw.List, nw.Array, nw.Struct)):
            validation.raise_wrong_cells(label, dtype, series.to_list())
        if _BLOCKS.get(type(kind)) in _CASTS:
            [(_, block)] = self.numbers(np.array([place]))
            nature = Nature.BOOLEANS if isinstance(kind, nw.Boolean) else Nature.NUMBERS
            return numbers_column(label, dtype, nature, block[:, 0])
        return column_of_array(label, dtype, series.to_numpy(), zone)


def _types_of(frame: nw.DataFrame[Any]) -> tuple[list[str], list[Any]]:
    """Return the types (I,) of columns in the words of their own library, and as Narwhals's.

    Of many columns few types are different, and only these are asked for.
    """
    native = frame.to_native()
    dtypes: Any = getattr(native, "dtypes", None)
    if dtypes is None:  # Arrow
        dtypes = native.schema.types
    first: dict[Any, int] = {}
    for place, dtype in enumerate(dtypes):
        first.setdefault(dtype, place)
    columns = frame.columns
    texts = {dtype: str(dtype) for dtype in first}
    # Narwhals looks into columns of objects, which we do ourselves, each alone.
    known = {
        dtype: nw.Object() if text == "object" else frame.get_column(columns[first[dtype]]).dtype
        for dtype, text in texts.items()
    }
    return [texts[dtype] for dtype in dtypes], [known[dtype] for dtype in dtypes]


def _of_dates(label: str | int, dtype: str, series: nw.Series[Any], zone: str | None) -> Column:
    own = getattr(series.dtype, "time_zone", None)
    if own is not None:
        zone = zone or (own if _has_a_name(own) else "UTC")
        series = series.dt.convert_time_zone(zone).dt.replace_time_zone(None)
    return dates_column(label, dtype, series.to_numpy(), None if own is None else zone)


def _has_a_name(zone: str) -> bool:
    """Return whether every library knows a time zone; a mere offset is written in many ways."""
    try:
        ZoneInfo(zone)
    except (KeyError, OSError, ValueError):
        return False
    return True


def _of_category(label: str | int, dtype: str, series: nw.Series[Any]) -> Column:
    native = series.to_native()
    if hasattr(getattr(native, "dtype", None), "pyarrow_dtype"):  # whose levels pandas can't list
        series = nw.from_native(native.array.__arrow_array__(), series_only=True)
        native = series.to_native()
    own = getattr(native, "dtype", None) or getattr(native, "type", None)
    ordered = isinstance(series.dtype, nw.Enum) or bool(getattr(own, "ordered", False))
    levels = _levels(series)
    names = series.cat.get_categories().to_list()
    order = tuple(levels_of_coded(np.empty(0, np.int64), names).texts)
    return texts_column(label, dtype, levels, order=order, is_ordered=ordered)


def _levels(series: nw.Series[Any]) -> Levels:
    """Return the levels of texts or categories, by the library's own way if it has a fast one."""
    native = series.to_native()
    if hasattr(native, "factorize"):  # pandas
        codes, values = native.factorize()
        return levels_of_coded(np.asarray(codes, np.int64), list(values))
    if hasattr(native, "dictionary_encode"):  # Arrow
        return _levels_of_arrow(native)
    texts = series.cast(nw.String).to_list()
    return levels_of_objects(texts, len(texts))


def _levels_of_arrow(native: Any) -> Levels:
    """Return the levels of Arrow's chunks, after they have been given one dictionary."""
    chunks = native.dictionary_encode().unify_dictionaries().chunks
    codes = [each.indices.cast("int64").fill_null(-1).to_numpy() for each in chunks]
    return levels_of_coded(np.concatenate(codes), chunks[0].dictionary.to_pylist())
