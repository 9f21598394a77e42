"""Fits of files that are larger than the memory: ``python benchmarks/stream.py memory --help``.

Each command asks one question: what a fit adds to the process, how fast it is beside one of the
same rows in memory, and how good the model is if the file is sorted in the worst way.
"""

from __future__ import annotations

import resource
import tempfile
import warnings
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from time import perf_counter
from typing import Any

import click
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from learning_data import prepared
from memory import MIB, reset_peak, resident
from options import console_for_tables
from rich.table import Table
from stream_epochs import compared
from table_data import TABLES

from fastmlp import MLPClassifier, MLPRegressor
from fastmlp.cli.report import write_json
from fastmlp.cli.timing import WrongResultError
from fastmlp.data import from_parquet
from fastmlp.training.windows import BUFFER_BYTES, WINDOWS_OF_BUFFER

#: The buffer and two windows: one is learnt from, the next one filled.
ROWS_BYTES = BUFFER_BYTES + 2 * BUFFER_BYTES // WINDOWS_OF_BUFFER
#: What a fit may add beyond these and its network.
ALLOWANCE = 64 * MIB
GIB = 2**30
#: Rows of the table that are made, and written, at a time.
ROWS_AT_ONCE = 1 << 18
REPEATS = 50

folder = click.option(
    "--folder", type=click.Path(path_type=Path, file_okay=False), help="Where the file is made."
)
columns = click.option("--columns", type=click.IntRange(min=3), default=50)
row_group = click.option(
    "--row-group", type=click.IntRange(min=1), default=16_384, help="Rows of a row group."
)
dictionary = click.option(
    "--dictionary/--no-dictionary", default=True, help="As pyarrow writes if nobody says otherwise."
)
group = click.group(context_settings={"show_default": True})


@group
def main() -> None:
    """Measure fits of Parquet files."""
    warnings.simplefilter("ignore")  # that few epochs do not converge


@main.command()
@click.option("--gigabytes", type=float, default=0.5, help="Of numbers.")
@click.option("--file", type=click.Path(path_type=Path), help="Made if it is not there, and kept.")
@click.option("--dtype", type=click.Choice(["float32", "float64"]), default="float32")
@click.option("--limit", type=float, default=2.0, help="GiB of address space for the fit.")
@click.option("--json", "path", type=click.Path(path_type=Path), default="bench-stream-memory.json")
@columns
@row_group
@dictionary
@folder
def memory(
    gigabytes: float,
    file: Path | None,
    dtype: str,
    limit: float,
    path: Path,
    columns: int,
    row_group: int,
    dictionary: bool,
    folder: Path | None,
) -> None:
    """Fit one epoch of a file in a process of little address space."""
    with tempfile.TemporaryDirectory(dir=folder) as place:
        file = file or Path(place) / "table.parquet"
        if not file.exists():
            n_rows = int(gigabytes * 1e9 / np.dtype(dtype).itemsize / (columns + 1))
            options = {"row_group_size": row_group, "use_dictionary": dictionary}
            write(file, n_rows, columns, dtype, **options)
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
            found = process.submit(added_by_fit, file, limit).result()
        found |= {"rows": pq.read_metadata(file).num_rows, "file": file.stat().st_size}
        found |= {"limit": limit, "dtype": dtype, "row_group": row_group, "dictionary": dictionary}
    table = Table(
        "rows", "file", "parts", "read at once", "fit adds", "of it Arrow", "allowed", "s"
    )
    table.add_row(
        f"{found['rows']:,}",
        f"{found['file'] / 1e9:.1f} GB",
        str(found["parts"]),
        str(found["open"]),
        *(f"{found[what] / MIB:.0f} MiB" for what in ("added", "arrow", "allowed")),
        f"{found['seconds']:.0f}",
    )
    console_for_tables().print(table)
    write_json(path, {"rows": [found]})


def added_by_fit(file: Path, limit: float) -> dict[str, Any]:
    """Return what a fit adds to the resident memory at its peak, of a process with a limit.

    The limit is of the address space, which counts what is reserved and never touched as well, and
    so is more than one of resident memory.
    """
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory() as place:
        few = Path(place) / "few.parquet"
        write(few, 1000, 3)
        model().fit(from_parquet(few, target="y"))  # loads the code
    resource.setrlimit(resource.RLIMIT_AS, (int(limit * GIB), int(limit * GIB)))
    before, start = reset_peak(), perf_counter()
    source = from_parquet(file, target="y")
    fitted = model().fit(source)
    seconds, added = perf_counter() - start, resident("VmHWM") - before
    network = 4 * 4 * sum(weights.size for weights in fitted.coefs_)  # with Adam's moments
    return {
        "seconds": seconds,
        "added": added,
        "allowed": ROWS_BYTES + network + ALLOWANCE,
        "arrow": pa.default_memory_pool().max_memory(),
        "parts": source.n_parts,
        "open": source.n_open,
    }


def model() -> MLPRegressor:
    """Return a network that costs little, so that reading shows."""
    return MLPRegressor(hidden_layer_sizes=(32,), max_iter=1, batch_size=256, random_state=0)


def write(file: Path, n_rows: int, n_columns: int, dtype: str = "float32", **options: Any) -> None:
    """Write numbers x0, x1, …, with a target y."""
    names = [*(f"x{number}" for number in range(n_columns)), "y"]
    kind = pa.from_numpy_dtype(dtype)
    schema = pa.schema([(name, kind) for name in names])
    row_group_size = options.pop("row_group_size", None)
    rng = np.random.default_rng(0)
    with pq.ParquetWriter(file, schema, **options) as writer:
        for first in range(0, n_rows, ROWS_AT_ONCE):
            count = min(ROWS_AT_ONCE, n_rows - first)
            X = rng.standard_normal((n_columns, count), dtype=np.float32)
            values = [*X, np.sin(X[0]) + X[1] * X[2]]
            table = pa.table([each.astype(dtype) for each in values], schema=schema)
            writer.write_table(table, row_group_size=row_group_size)


@main.command()
@click.option("--rows", "n_rows", type=click.IntRange(min=1), default=400_000)
@click.option("--threads", type=click.IntRange(min=1), default=2)
@click.option("--rounds", type=click.IntRange(min=1), default=3)
@click.option("--json", "path", type=click.Path(path_type=Path), default="bench-stream-rate.json")
@columns
@row_group
@dictionary
@folder
def rate(
    n_rows: int,
    threads: int,
    rounds: int,
    path: Path,
    columns: int,
    row_group: int,
    dictionary: bool,
    folder: Path | None,
) -> None:
    """Time epochs of a 256 x 3 network, of a file and of the same rows in memory, in turn."""
    with tempfile.TemporaryDirectory(dir=folder) as place:
        file = Path(place) / "table.parquet"
        write(file, n_rows, columns, row_group_size=row_group, use_dictionary=dictionary)
        network = MLPRegressor(
            hidden_layer_sizes=(256, 256, 256), batch_size=256, n_threads=threads, random_state=0
        )
        source = from_parquet(file, target="y")
        found = compared(network, source, columns, rounds)
    table = Table("threads", "rows in memory", "rows of a file", "ratio", "epoch waits for windows")
    table.add_row(
        str(threads),
        f"{n_rows / found['in memory']:,.0f} / s",
        f"{n_rows / found['of a file']:,.0f} / s",
        f"{found['in memory'] / found['of a file']:.0%}",
        f"{found['first wait']:.3f} + {found['later waits']:.3f} of {found['of a file']:.2f} s",
    )
    console_for_tables().print(table)
    write_json(path, {"rows": [found | {"threads": threads, "n_rows": n_rows}]})


@main.command()
@click.option(
    "--table",
    "names",
    type=click.Choice(list(TABLES)),
    multiple=True,
    default=["california", "adult", "protein"],
)
@click.option("--seeds", type=click.IntRange(min=2), default=3)
@click.option("--buffer-rows", type=click.IntRange(min=1), help="The library's if none.")
@click.option("--json", "path", type=click.Path(path_type=Path), default="bench-stream-score.json")
@row_group
@folder
def accuracy(
    names: tuple[str, ...],
    seeds: int,
    buffer_rows: int | None,
    path: Path,
    row_group: int,
    folder: Path | None,
) -> None:
    """Fit tables, 50 times over, as a file sorted by its target and as shuffled rows in memory."""
    table = Table("table", "rows", "shuffled in memory", "sorted file", "difference")
    rows = []
    for name in names:
        with tempfile.TemporaryDirectory(dir=folder) as place:
            found = scores(name, seeds, Path(place) / "sorted.parquet", row_group, buffer_rows)
        rows.append(found)
        memory, file = (np.array(found[way]) for way in ("in memory", "of a file"))
        table.add_row(
            name,
            f"{found['rows']:,}",
            *(f"{each.mean():.4f} ± {each.std(ddof=1):.4f}" for each in (memory, file)),
            f"{file.mean() - memory.mean():+.4f}",
        )
    console_for_tables().print(table)
    write_json(path, {"row_group": row_group, "buffer_rows": buffer_rows, "rows": rows})


def scores(
    name: str, n_seeds: int, file: Path, row_group: int, buffer_rows: int | None
) -> dict[str, Any]:
    """Return the test scores of both ways, a number a seed; one epoch of the rows repeated."""
    data = prepared(name)
    classes = TABLES[name]().is_classification
    rows = np.tile(np.arange(len(data.y)), REPEATS)
    by_target = rows[np.argsort(data.y[rows], kind="stable")]
    write_rows(file, data.X, data.y, by_target, row_group)
    shuffled = np.random.default_rng(0).permutation(rows)
    found: dict[str, Any] = {"table": name, "rows": len(rows), "in memory": [], "of a file": []}
    for seed in range(n_seeds):
        options = {"hidden_layer_sizes": (128, 128), "batch_size": 256, "max_iter": 1}
        network = (
            MLPClassifier(**options, random_state=seed)
            if classes
            else MLPRegressor(**options, standardize_target=True, random_state=seed)
        )
        for way, fit in (
            ("in memory", lambda: network.fit(data.X[shuffled], data.y[shuffled])),  # noqa: B023
            (
                "of a file",
                lambda: network.fit(  # noqa: B023
                    from_parquet(file, target="y", buffer_rows=buffer_rows)
                ),
            ),
        ):
            found[way].append(float(fit().score(data.X_test, data.y_test)))
    if min(found["in memory"]) < 0.5:
        raise WrongResultError(f"{name} was not learnt in memory")
    return found


def write_rows(file: Path, X: np.ndarray, y: np.ndarray, order: np.ndarray, row_group: int) -> None:
    """Write the rows of X (N, I) and y (N,) in an order (K,)."""
    names = [f"x{number}" for number in range(X.shape[1])]
    schema = pa.schema([*((name, pa.float32()) for name in names), ("y", pa.array(y[:1]).type)])
    with pq.ParquetWriter(file, schema) as writer:
        for rows in in_steps(order, row_group):
            columns = np.ascontiguousarray(X[rows].T)
            writer.write_table(pa.table([*columns, pa.array(y[rows])], schema=schema), len(rows))


def in_steps(order: np.ndarray, n: int) -> Iterator[np.ndarray]:
    """Yield an order (K,) in steps of up to ``n``."""
    for first in range(0, len(order), n):
        yield order[first : first + n]


if __name__ == "__main__":
    main()
