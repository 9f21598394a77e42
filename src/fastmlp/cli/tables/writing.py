"""Tables as files: CSV, Parquet, Arrow or npz, by how the file's name ends."""

from __future__ import annotations

import csv
import gzip
import io
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from fastmlp.cli.errors import RefusedError
from fastmlp.cli.output import write_whole
from fastmlp.cli.tables.dialect import Dialect
from fastmlp.cli.tables.opening import STANDARD, named

__all__ = ["check_ending", "write_table"]


def check_ending(path: str) -> None:
    """Raise RefusedError if no format goes with a file's name."""
    if path != STANDARD and _ending(path) is None:
        endings = ", ".join(_WRITERS)
        raise RefusedError(f"{named(path)} must end with one of {endings}, or be - for CSV")


def write_table(path: str, columns: Mapping[str, pa.Array], dialect: Dialect | None) -> None:
    """Write columns (N,) by name; ``dialect`` says how CSV is written.

    Raises
    ------
    CommandError
        The disk is full, or the like.
    """
    ending = ".csv" if path == STANDARD else _ending(path)
    assert ending is not None
    content = _WRITERS[ending](columns, dialect or Dialect(delimiter=",", decimal="."))
    if path == STANDARD:
        sys.stdout.write(content.decode())
        return
    write_whole(Path(path), content)


def _ending(path: str) -> str | None:
    name = path.lower()
    if Path(path).exists() and not Path(path).is_file():
        return ".csv"  # a device
    return next((each for each in _WRITERS if name.endswith(each)), None)


def _csv(columns: Mapping[str, pa.Array], dialect: Dialect) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=dialect.delimiter or ",", lineterminator="\n")
    writer.writerow(columns)
    cells = [_texts(column, dialect.decimal or ".") for column in columns.values()]
    writer.writerows(zip(*cells, strict=True))
    return text.getvalue().encode()


def _texts(column: pa.Array, decimal: str) -> list[object]:
    cells: list[object] = column.to_pylist()
    if decimal == "," and pa.types.is_floating(column.type):
        return ["" if cell is None else repr(cell).replace(".", ",") for cell in cells]
    return ["" if cell is None else cell for cell in cells]


def _gzip(columns: Mapping[str, pa.Array], dialect: Dialect) -> bytes:
    return gzip.compress(_csv(columns, dialect), mtime=0)


def _parquet(columns: Mapping[str, pa.Array], _: Dialect) -> bytes:
    from pyarrow import parquet

    sink = io.BytesIO()
    parquet.write_table(pa.table(dict(columns)), sink)
    return sink.getvalue()


def _arrow(columns: Mapping[str, pa.Array], _: Dialect) -> bytes:
    from pyarrow import feather

    sink = io.BytesIO()
    feather.write_feather(pa.table(dict(columns)), sink, compression="uncompressed")
    return sink.getvalue()


def _npz(columns: Mapping[str, pa.Array], _: Dialect) -> bytes:
    sink = io.BytesIO()
    arrays = {name: np.asarray(column.to_pylist()) for name, column in columns.items()}
    plain: dict[str, Any] = {
        n: a.astype(str) if a.dtype.kind == "O" else a for n, a in arrays.items()
    }
    np.savez(sink, **plain)
    return sink.getvalue()


_WRITERS: dict[str, Callable[[Mapping[str, pa.Array], Dialect], bytes]] = {
    ".csv": _csv,
    ".csv.gz": _gzip,
    ".parquet": _parquet,
    ".arrow": _arrow,
    ".feather": _arrow,
    ".npz": _npz,
}
