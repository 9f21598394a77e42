"""What users hand to a fit on a cluster, as parts: tasks that make some of the rows each."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

import dask
import dask.array as da
import dask.dataframe as dd
import numpy as np
from dask.delayed import Delayed

from fastmlp import validation
from fastmlp.data import Source, from_parquet
from fastmlp.data.source import Piece

__all__ = ["Part", "Parts", "is_distributed", "parts_of", "parts_of_x", "source_of"]

_FRAMES = (dd.DataFrame, dd.Series)


@dataclass(frozen=True, eq=False)
class Part:
    """Some of the rows.

    Attributes
    ----------
    pieces : Delayed
        Makes a list of ``Piece``, those of the part in their order; of a part without rows it may
        be empty.
    place : str
        What texts call the part.
    """

    pieces: Delayed
    place: str


@dataclass(frozen=True, eq=False)
class Parts:
    """Rows in parts, in the place of a source.

    Attributes
    ----------
    parts : list of Part
    sample_rows : int or None
        Rows that the first pass of a fit draws; None lets the model decide.
    has_target, once : bool
        As those of a source.
    """

    parts: list[Part]
    sample_rows: int | None = None
    has_target: bool = True
    once: bool = False


def is_distributed(X: Any) -> bool:
    """Return whether X is one of the forms in which rows lie on workers, or are read by them."""
    kinds = (da.Array, dd.DataFrame, Source, str, os.PathLike)
    return isinstance(X, kinds) or _is_list_of_delayed(X)


def _is_list_of_delayed(X: Any) -> bool:
    return isinstance(X, (list, tuple)) and any(isinstance(each, Delayed) for each in X)


def parts_of(X: Any, y: Any, sample_weight: Any, owner: str, sibling: str) -> Parts:
    """Return the parts of X, y and the rows' weights, which have the same rows.

    Parameters
    ----------
    X : dask array or data frame, Source, path or paths of Parquet files, or list of Delayed
    y : the like, name or names of columns, or None
    sample_weight : the like, name of a column, or None
    owner, sibling : str
        Names of the estimator and of the one that learns from data in memory.

    Raises
    ------
    ValueError, TypeError
        If these are no such things, or do not go together.
    """
    source = source_of(X, y, sample_weight)
    if source is not None:
        validation.check_streamed_arguments(source, None, None, again=True)
        return Parts(_parts_of_source(source), source.reading.sample_rows)
    if isinstance(X, dd.DataFrame):
        X, y, sample_weight = _columns_apart(X, y, sample_weight)
    given = {"X": X, "y": y, "sample_weight": sample_weight}
    if y is None:
        if not _is_list_of_delayed(X):
            validation.raise_not_distributed("y", y, owner, sibling)
        validation.check_no_more_given("a list of delayed (X, y)", sample_weight=sample_weight)
    return Parts(_zipped(_each(X, given, owner, sibling)))


def parts_of_x(X: Any, owner: str, sibling: str) -> list[Part]:
    """Return the parts of rows that are predicted, whatever targets they bring."""
    source = source_of(X, None, None)
    return (
        _zipped(_each(X, {"X": X}, owner, sibling)) if source is None else _parts_of_source(source)
    )


# -- files -----------------------------------------------------------------------------------------


def source_of(X: Any, y: Any, sample_weight: Any) -> Source | None:
    """Return the source that workers read, of a source or of paths of Parquet files; else None."""
    if isinstance(X, Source):
        validation.check_no_more_given("a source", y=y, sample_weight=sample_weight)
        validation.check_readable_by_workers(hasattr(X, "of_part"))
        return X
    paths = [X] if isinstance(X, (str, os.PathLike)) else X
    if not isinstance(paths, (list, tuple)) or not paths:
        return None
    if not all(isinstance(path, (str, os.PathLike)) for path in paths):
        return None
    return from_parquet(X, target=y, weight=sample_weight)


def _parts_of_source(source: Any) -> list[Part]:
    """Return a part for each that the source has; workers read them."""
    read = dask.delayed(_read, pure=False)
    return [
        Part(read(dask.delayed(source.of_part(number), traverse=False)), f"part {number}")
        for number in range(source.n_parts)
    ]


def _read(source: Source) -> list[Piece]:
    """Return all pieces of a source."""
    return list(source.pieces(source.rows_of_piece))


# -- collections of Dask's -------------------------------------------------------------------------


def _columns_apart(X: Any, y: Any, sample_weight: Any) -> tuple[Any, Any, Any]:
    """Return X, y and weights, where a data frame has y or the weights by the names of columns."""
    y, of_y = _column(X, y, "y")
    weight, of_weight = _column(X, sample_weight, "sample_weight")
    taken = [*of_y, *of_weight]
    return (X.drop(columns=taken) if taken else X), y, weight


def _column(frame: Any, given: Any, name: str) -> tuple[Any, list[Any]]:
    """Return the columns of a frame that ``given`` names, and their names; else ``given``."""
    several = isinstance(given, (list, tuple)) and all(isinstance(each, str) for each in given)
    if not (isinstance(given, str) or (several and given)):
        return given, []
    names = list(given) if several else [given]
    validation.check_columns_of_frame(name, names, list(frame.columns))
    return frame[names if several else given], names


def _each(X: Any, given: dict[str, Any], owner: str, sibling: str) -> dict[str, list[Delayed]]:
    """Return the parts of each collection that is given, by its name."""
    given = {name: value for name, value in given.items() if value is not None}
    if _is_list_of_delayed(X):
        return {name: _checked_list(name, value) for name, value in given.items()}
    if not isinstance(X, (da.Array, dd.DataFrame)):
        validation.raise_not_distributed("X", X, owner, sibling)
    return {name: _parts_like(name, value, X) for name, value in given.items()}


def _checked_list(name: str, values: Any) -> list[Delayed]:
    """Return a list of delayed parts; an error if it is none."""
    if not isinstance(values, (list, tuple)):
        validation.check_alike_on_workers(name, values, "a list of delayed parts")
    validation.check_delayed_rows(name, values, Delayed)
    return list(values)


def _parts_like(name: str, values: Any, X: Any) -> list[Delayed]:
    """Return the parts of a collection, cut as X is where that can be known."""
    if isinstance(values, da.Array):
        validation.check_matrix_of_blocks(name, values, 1 if name == "sample_weight" else 2)
        values = _cut_alike(name, values, X)
        # Unoptimised, as an optimised graph may have other partitions than the collection.
        return list(values.to_delayed(optimize_graph=False).reshape(-1))
    if not isinstance(values, _FRAMES):
        validation.check_alike_on_workers(name, values, _kind(X))
    return list(values.to_delayed(optimize_graph=False))


def _cut_alike(name: str, values: Any, X: Any) -> Any:
    """Return an array that is cut along its rows only, where X is cut if both are known."""
    if values.ndim == 2:
        values = values.rechunk({1: -1})
    if isinstance(X, da.Array) and _knows_rows(X) and _knows_rows(values):
        validation.check_rows_of_collection(name, values.shape[0], X.shape[0])
        values = values.rechunk({0: X.chunks[0]})
    return values


def _knows_rows(array: Any) -> bool:
    return not np.isnan(array.shape[0])


def _kind(X: Any) -> str:
    return "a dask array" if isinstance(X, da.Array) else "a dask data frame"


# -- parts -----------------------------------------------------------------------------------------


def _zipped(several: dict[str, list[Delayed]]) -> list[Part]:
    """Return parts of those of X, y and the weights."""
    for name, parts in several.items():
        validation.check_number_of_parts(name, len(parts), len(several["X"]))
    joined = dask.delayed(_joined, pure=False)
    return [
        Part(joined(f"partition {number}", *values), f"partition {number}")
        for number, values in enumerate(zip(*several.values(), strict=True))
    ]


def _joined(place: str, *values: Any) -> list[Piece]:
    """Return a part's rows: X, y and the weights one by one, or all in one value."""
    batch = values if len(values) > 1 else values[0]
    X, y, weights = validation.check_batch(batch, place)
    return [Piece(X, y, weights, place)]
