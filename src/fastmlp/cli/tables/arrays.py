"""Tables in archives of NumPy's arrays."""

from __future__ import annotations

import io
import zipfile
import zlib

import numpy as np
import pyarrow as pa

from fastmlp.cli.tables.refusals import raise_kind, raise_unreadable

__all__ = ["read_arrays"]

#: What reading a damaged, encrypted or untrue archive raises.
_UNREADABLE = (
    *(EOFError, MemoryError, NotImplementedError, OSError, RuntimeError, ValueError),
    *(zipfile.BadZipFile, zlib.error),
)


def read_arrays(name: str, content: bytes) -> tuple[pa.Table, list[str]]:
    """Return the arrays of an npz file as a table, and what is to be said of others.

    An array (N,) is a column by its own name, and one (N, I) is I columns: name_1, name_2, … The
    table has as many rows as its longest array, and shorter ones are left out.
    """
    arrays = _arrays(name, content)
    n_rows = max((len(each) for each in arrays.values()), default=0)
    if not n_rows:
        raise_unreadable(name, "it has no arrays with rows", "write some with numpy.savez")
    others = [each for each in arrays if len(arrays[each]) != n_rows]
    columns: dict[str, pa.Array] = {}
    for each, array in arrays.items():
        if each not in others:
            columns.update(_columns(name, each, array))
    are = "is" if len(others) == 1 else "are"
    told = [f"{name}: {', '.join(others)} {are} shorter than the table, and so left out"]
    return pa.table(columns), told if others else []


def _arrays(name: str, content: bytes) -> dict[str, np.ndarray]:
    """Return the arrays of one or two dimensions."""
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as archive:
            arrays = {each: archive[each] for each in archive.files}
    except _UNREADABLE as error:
        raise_unreadable(name, str(error), "write plain arrays with numpy.savez")
    plain = {each: array for each, array in arrays.items() if isinstance(array, np.ndarray)}
    return {each: array for each, array in plain.items() if array.ndim in (1, 2)}


def _columns(name: str, label: str, array: np.ndarray) -> dict[str, pa.Array]:
    if array.dtype.kind not in "biufUSM":
        raise_kind(name, f"an archive whose array {label} holds {array.dtype}")
    if array.dtype.kind == "S":
        array = array.astype(str)
    if array.ndim == 1:
        return {label: pa.array(array, from_pandas=True)}  # NaN is a gap
    return {
        f"{label}_{i + 1}": pa.array(column, from_pandas=True) for i, column in enumerate(array.T)
    }
