"""Sources of rows that are read piece by piece: their arguments, and what is read."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from fastmlp.validation.wording import a_kind_of, brief, one_line

__all__ = [
    "check_any_file",
    "check_any_row_to_stream",
    "check_arrays_to_stream",
    "check_arrow_to_stream",
    "check_batch",
    "check_batches",
    "check_batches_begin",
    "check_brings_target",
    "check_columns_to_stream",
    "check_like_first",
    "check_no_new_columns",
    "check_no_nulls",
    "check_paths_to_stream",
    "check_reading",
    "check_rows_are_there",
    "check_same_columns",
    "check_same_held_out",
    "check_stream_length",
    "check_streamed_arguments",
    "check_streamed_refit",
    "check_streams",
    "check_unread",
    "common_type",
    "fragments_of",
    "naming_column",
    "naming_piece",
    "naming_unlike_pieces",
    "reading_pages",
    "rows_unmixed",
]


def check_reading(options: Mapping[str, Any]) -> None:
    """Raise unless the options of reading are whole numbers that make sense."""
    least = {"buffer_rows": 1, "n_open": 1, "prefetch": 0, "sample_rows": 2}
    for name, value in options.items():
        if value is None and name != "prefetch":
            continue
        whole = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
        if not whole or value < least[name]:
            error = ValueError if whole else TypeError
            raise error(f"{name} must be a whole number from {least[name]} on; got {brief(value)}.")


def check_paths_to_stream(paths: Any) -> str | list[str]:
    """Return the folder or the files that ``paths`` names; an error if there are none."""
    if isinstance(paths, (str, os.PathLike)):
        text = os.fspath(paths)
        if os.path.isdir(text):
            return text
        files = sorted(glob.glob(text)) if glob.has_magic(text) else [text]
    elif isinstance(paths, Sequence) and all(isinstance(p, (str, os.PathLike)) for p in paths):
        files = [os.fspath(path) for path in paths]
    else:
        raise TypeError(
            "paths must be a file, a folder, a pattern such as 'data/*.parquet', or a list of "
            f"files; got {brief(paths)}."
        )
    if not files:
        what = f"no file matches {brief(paths)}" if paths else "the list of files is empty"
        raise FileNotFoundError(f"paths: {what}.")
    missing = [path for path in files if not os.path.isfile(path)]
    if missing:
        raise FileNotFoundError(f"paths: there is no file {brief(missing[0])}.")
    return files


def check_any_file(files: Sequence[str], paths: Any) -> None:
    """Raise FileNotFoundError for a folder without data."""
    if not files:
        raise FileNotFoundError(f"paths: there is no file in the folder {brief(str(paths))}.")


def check_arrow_to_stream(data: Any, keep: Any) -> None:
    """Raise unless Arrow can read ``data``, and filter it if it is to be filtered."""
    import pyarrow as pa  # noqa: PLC0415 - an extra
    import pyarrow.dataset as ds  # noqa: PLC0415

    if not isinstance(data, (ds.Dataset, pa.Table, pa.RecordBatchReader)):
        raise TypeError(
            "data must be a pyarrow Dataset, Table or RecordBatchReader; got "
            f"{a_kind_of(data)}: from_parquet reads files, from_batches calls a function."
        )
    if keep is not None and isinstance(data, pa.RecordBatchReader):
        raise ValueError("filter needs a dataset or a table: filter the reader's batches before.")


def check_columns_to_stream(
    names: Sequence[str], target: Any, columns: Any, weight: Any
) -> list[str]:
    """Return the columns of X among ``names``; an error for those that are not there."""
    if len(set(names)) < len(names):
        double = next(name for name in names if list(names).count(name) > 1)
        raise ValueError(f"The data has two columns named {brief(double)}: rename one of them.")
    for argument, value in (("target", target), ("columns", columns)):
        if not (value is None or isinstance(value, Sequence)):
            raise TypeError(f"{argument} must be names of columns; got {brief(value)}.")
    if isinstance(columns, str):
        raise TypeError(f"columns must be a list of names; got {brief(columns)}.")
    if not (weight is None or isinstance(weight, str)):
        raise TypeError(f"weight must be the name of a column; got {brief(weight)}.")
    targets = [target] if isinstance(target, str) else list(target or ())
    others = [*targets, *([] if weight is None else [weight])]
    chosen = [name for name in names if name not in others] if columns is None else list(columns)
    named = (("target", targets), ("weight", others[len(targets) :]), ("columns", chosen))
    for argument, wanted in named:
        absent = [name for name in wanted if name not in names]
        if absent:
            raise ValueError(
                f"{argument}: there is no column {brief(absent[0])}; the columns are "
                f"{one_line(', '.join(map(str, names[:20])))}."
            )
    if not chosen:
        raise ValueError("columns: no column is left for X.")
    every = [*chosen, *others]
    repeated = [name for name in every if every.count(name) > 1]
    if repeated:
        raise ValueError(
            f"Column {brief(repeated[0])} is named twice: a column is of X, a target or the weight."
        )
    return chosen


def check_arrays_to_stream(X: Any, y: Any, sample_weight: Any) -> None:
    """Raise unless X (N, I) is an array of rows, and y and the weights have as many."""
    if not isinstance(X, np.ndarray) or X.ndim != 2:
        raise TypeError(
            "X must be an array of two dimensions, such as np.load('X.npy', mmap_mode='r'); got "
            f"{brief(X)}."
        )
    for name, values in (("y", y), ("sample_weight", sample_weight)):
        if values is None:
            continue
        if not isinstance(values, np.ndarray):
            raise TypeError(f"{name} must be an array; got {a_kind_of(values)}.")
        if len(values) != len(X):
            raise ValueError(f"X has {len(X)} rows, but {name} has {len(values)}.")


def check_batches(batches: Any) -> None:
    """Raise TypeError unless ``batches`` can be called."""
    if not callable(batches):
        raise TypeError(
            "batches must be a function that returns an iterator of (X, y), so that the data can "
            f"be read again in each epoch; got {a_kind_of(batches)}."
        )


def check_batches_begin(batches: Any) -> None:
    """Raise TypeError unless what the user's function returned can be iterated over."""
    if not hasattr(batches, "__iter__"):
        raise TypeError(
            f"batches() must return an iterator of (X, y); it returned {a_kind_of(batches)}."
        )


def check_batch(batch: Any, place: str) -> tuple[Any, np.ndarray | None, np.ndarray | None]:
    """Return X (n, I), y (n,) or (n, T) and weights (n,) of a batch of the user's."""
    parts = batch if isinstance(batch, (tuple, list)) else (batch,)
    if not 1 <= len(parts) <= 3:
        raise ValueError(f"{place}: batches must be (X, y) or (X, y, sample_weight).")
    X, y, weights = (*parts, None, None)[:3]
    if hasattr(X, "tocsr"):
        raise TypeError(
            f"{place}: X is sparse, but sources hold arrays and data frames: X.toarray()."
        )
    X = X if hasattr(X, "columns") else np.asarray(X)
    if len(X.shape) == 2 and X.shape[1] == 0:
        raise ValueError(f"{place}: X has no column.")
    if isinstance(X, np.ndarray) and X.ndim != 2:
        raise ValueError(f"{place}: X must have two dimensions; got {X.ndim}.")
    y = None if y is None else np.asarray(y)
    weights = None if weights is None else np.asarray(weights, np.float64)
    for name, values in (("y", y), ("sample_weight", weights)):
        if values is not None and len(values) != len(X):
            raise ValueError(f"{place}: X has {len(X)} rows, but {name} has {len(values)}.")
    return X, y, weights


def check_no_nulls(name: str, n_nulls: int, place: str) -> None:
    """Raise ValueError if a target or a weight is missing."""
    if n_nulls:
        raise ValueError(
            f"{place}: column {brief(name)} lacks {n_nulls} values, but each row needs one: leave "
            "such rows out by filter=."
        )


def check_same_columns(wanted: Sequence[str], present: Sequence[str], place: str) -> None:
    """Raise ValueError if a part lacks a column that the others have."""
    absent = [name for name in wanted if name not in present]
    if absent:
        raise ValueError(f"{place}: there is no column {brief(absent[0])}, which other parts have.")


def check_no_new_columns(known: Sequence[str], present: Sequence[str], place: str) -> None:
    """Raise ValueError if a part has a column that the first one lacks."""
    new = [name for name in present if name not in known]
    if new:
        raise ValueError(
            f"{place}: there is a column {brief(new[0])}, which the first file lacks: say by "
            "columns= which ones are X."
        )


def common_type(name: str, one: Any, other: Any, place: str) -> Any:
    """Return the type of Arrow's that holds the values of two; ValueError if there is none."""
    import pyarrow as pa  # noqa: PLC0415 - an extra

    schemas = [pa.schema([(name, kind)]) for kind in (one, other)]
    try:
        return pa.unify_schemas(schemas, promote_options="permissive").field(name).type
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError):
        raise ValueError(
            f"{place}: column {brief(name)} holds values of type {other}, but of type {one} in "
            "other parts: write it alike everywhere."
        ) from None


def fragments_of(dataset: Any) -> Any:
    """Return the fragments of a dataset; ValueError for one that has been filtered."""
    try:
        return dataset.get_fragments()
    except ValueError as error:
        raise ValueError(
            "data: the dataset has been filtered or projected; pass it as it was, with filter= and "
            "columns=."
        ) from error


def check_rows_are_there(batch: Any) -> Any:
    """Return the next rows; OSError if there are none, although the file's footer counts more."""
    if batch is None:
        raise OSError("there are fewer rows than the footer says")
    return batch


@contextmanager
def naming_column(name: str) -> Iterator[None]:
    """Say which column has values that do not fit the type that it has in other parts."""
    try:
        yield
    except (ValueError, TypeError, NotImplementedError) as error:
        raise ValueError(f"column {brief(name)}: {one_line(str(error))}") from error


def check_like_first(first: Any, piece: Any, place: str) -> None:
    """Raise ValueError for a piece with other columns, or another target, than the first one."""
    if piece.X.shape[1] != first.X.shape[1]:
        raise ValueError(
            f"{place}: X has {piece.X.shape[1]} columns, but {first.X.shape[1]} at first."
        )
    if list(getattr(piece.X, "columns", ())) != list(getattr(first.X, "columns", ())) and (
        isinstance(piece.X, type(first.X)) and hasattr(piece.X, "dtypes")
    ):
        raise ValueError(
            f"{place}: the columns of X have other names, or another order, than at first."
        )
    for name in ("y", "weights"):
        one, other = getattr(piece, name), getattr(first, name)
        if (one is None) != (other is None) or (
            one is not None and one.shape[1:] != other.shape[1:]
        ):
            raise ValueError(f"{place}: {name} is of another form than at first.")


def check_brings_target(y: Any, place: str) -> None:
    """Raise ValueError for rows without a target, to learn from or to score."""
    if y is None:
        raise ValueError(f"{place} brings no y: yield (X, y).")


def check_unread(read_before: bool) -> None:
    """Raise ValueError for a stream of batches that has been read already."""
    if read_before:
        raise ValueError(
            "This stream of batches has been read already, and can be read only once: make another "
            "one."
        )


def check_any_row_to_stream(n_rows: int) -> None:
    """Raise ValueError for a source without rows."""
    if n_rows == 0:
        raise ValueError("The source has no rows.")


def check_same_held_out(first: Mapping[int, int], now: Mapping[int, int]) -> None:
    """Raise ValueError if other rows were held out than in the first epoch, by their digests."""
    if first != now:
        raise ValueError(
            "The source's rows came in another order than before, so early stopping can't know "
            "those that it holds out: give them in the same order each time, or give X_val and "
            "y_val."
        )


def check_stream_length(n_seen: int, n_rows: int) -> None:
    """Raise ValueError if an epoch had more or fewer rows than the first pass."""
    if n_seen != n_rows:
        raise ValueError(
            f"The source had {n_rows} rows at first and {n_seen} in this epoch: data must not "
            "change during a fit."
        )


def rows_unmixed(found: float, by_chance: float) -> str:
    """Return what to say of a source whose windows' targets differ by ``found`` deviations."""
    return (
        "The rows of this source could not be mixed: targets of rows that are learnt from at about "
        f"the same time differ from those of others by {found:.2f} standard deviations "
        f"({by_chance:.2f} if rows were shuffled), which makes a worse model. Write files of "
        "smaller row groups, shuffle the rows once, or let buffer_rows be larger."
    )


def check_streamed_refit(own: tuple[Any, Any, Any], *, refit: Any) -> None:
    """Raise ValueError if ``own``, X_val and so on, are to be learnt from beside a source."""
    if refit and own[0] is not None:
        raise ValueError(
            "refit=True learns from X_val as well, but a source is learnt from alone: set it to "
            "False, or put these rows into the source."
        )


def check_streams(parameters: Mapping[str, Any]) -> None:
    """Raise ValueError for parameters of a fit that need all rows at once."""
    if parameters["early_stopping"] and parameters["validation_split"] is not None:
        raise ValueError(
            "validation_split splits rows in memory, but a source is read piece by piece: use "
            "validation_fraction, or give X_val and y_val."
        )
    if parameters["solver"] == "lbfgs":
        raise ValueError(
            "solver='lbfgs' needs all rows at once, but a source is read piece by piece: choose "
            "'adam' or another one that learns from batches."
        )


def check_streamed_arguments(source: Any, y: Any, sample_weight: Any, *, again: bool) -> None:
    """Raise unless a source can be learnt from, alone; ``again`` if it is read more than once."""
    if y is not None or sample_weight is not None:
        raise TypeError("A source brings y and sample_weight itself: leave them out.")
    if not source.has_target:
        raise ValueError("The source has no target: name it by target=, or give y.")
    if again and source.once:
        raise ValueError(
            "A stream of batches can be read only once, but this reads it several times: pass a "
            "dataset, or, to learn from it, call partial_fit."
        )


@contextmanager
def naming_piece(place: str) -> Iterator[None]:
    """Say where rows lie that can't be read, or are wrong."""
    try:
        yield
    except (OSError, ValueError, TypeError, NotImplementedError) as error:
        text = str(error)
        if text.startswith(place) or _has_a_meaning_of_its_own(error):
            raise
        kind = _kind_of(error)
        raise kind(f"{_file_meant(place, text)}: {_plainer(text)}") from error


def _file_meant(place: str, text: str) -> str:
    """Return the place, or the file that an error of Arrow's is about."""
    file = re.search(r"Could not open Parquet input source '(.+?)':", text)
    return f"{place}: {brief(file[1])}" if file and file[1] not in place else place


def _plainer(text: str) -> str:
    """Return on one line what is wrong, in plain words where Arrow's are known."""
    if "Parquet magic bytes not found" in text or "Parquet file size is" in text:
        return "this is no Parquet file, or its end is missing."
    if "No such file or directory" in text:
        return "the file is not there any more."
    return one_line(text)


@contextmanager
def reading_pages() -> Iterator[None]:
    """Say what it means that bytes are not what the footer of a file, read before, says."""
    try:
        yield
    except FileNotFoundError:
        raise
    except OSError as error:
        raise OSError(
            "the rows can't be read: the file is damaged, or has been changed since it was opened "
            f"({one_line(str(error))})."
        ) from error


@contextmanager
def naming_unlike_pieces() -> Iterator[None]:
    """Say that pieces can't be put together, whose columns or labels are of different types."""
    try:
        yield
    except Exception as error:
        raise ValueError(
            f"The source's parts can't be put together; their types differ: {one_line(str(error))}"
        ) from error


def _has_a_meaning_of_its_own(error: Exception) -> bool:
    """Return whether a ValueError is of a class that users may catch, such as DivergenceError."""
    kind = type(error)
    return isinstance(error, ValueError) and not (
        kind is ValueError or kind.__module__.startswith("pyarrow")
    )


def _kind_of(error: Exception) -> Callable[[str], Exception]:
    """Return the class of the error that a text with a place is raised as."""
    for kind in (FileNotFoundError, OSError, TypeError):
        if isinstance(error, kind):
            return kind
    return ValueError
