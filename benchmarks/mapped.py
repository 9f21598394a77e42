"""Predict rows of a memory map beside a copy of them: ``python benchmarks/mapped.py --help``.

A tiny network needs so few operations that memory decides: a prediction reads the rows, a copy
reads and writes them. Both are of rows in memory, of rows of a map whose pages have been touched
before, and of a map that is made anew.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import click
import numpy as np
from matplotlib.figure import Figure
from options import console_for_tables, outputs, rounds, threads
from rich import box
from rich.table import Table

from fastmlp import MLPRegressor, Predictor
from fastmlp.cli.measure import attainable_of
from fastmlp.cli.report import write_json
from fastmlp.cli.timing import Timing, WrongResultError, interleave
from fastmlp.threads import default_threads

N_FEATURES = 16
#: Of the bandwidth of a copy.
TARGET = 0.8
TOLERANCE = 1e-5

#: From a way to hold the rows to a call that yields them.
Ways = Mapping[str, Callable[[], np.ndarray]]


@dataclass(frozen=True)
class Row:
    """Predictions of one network, and copies, by the way in which the rows are held.

    Attributes
    ----------
    read_bytes, n_outputs : int
        Bytes of the rows; numbers that are put out.
    flops : int
    attainable : float
        GFLOP/s of one thread's microkernel.
    """

    name: str
    n_threads: int
    read_bytes: int
    n_outputs: int
    flops: int
    attainable: float
    predictions: dict[str, Timing]
    copies: dict[str, Timing]

    def gbytes(self, way: str) -> float:
        """Return what a prediction reads and writes, in GB/s."""
        return (self.read_bytes + 4 * self.n_outputs) / self.predictions[way].median / 1e9

    def copied_gbytes(self, way: str) -> float:
        """Return what a copy reads and writes, in GB/s."""
        return 2 * self.read_bytes / self.copies[way].median / 1e9

    def bandwidth_fraction(self, way: str) -> float:
        """Return the prediction's traffic over the copy's."""
        return self.gbytes(way) / self.copied_gbytes(way)

    def attainable_fraction(self, way: str) -> float:
        """Return the speed over ``n_threads`` times the microkernel's rate."""
        gflops = self.flops / self.predictions[way].median / 1e9
        return gflops / (self.attainable * self.n_threads)

    def as_dict(self) -> dict[str, Any]:
        """Return what a JSON report keeps."""
        timings = {
            what: {way: timing.as_dict() for way, timing in getattr(self, what).items()}
            for what in ("predictions", "copies")
        }
        ratios = {way: self.bandwidth_fraction(way) for way in self.predictions}
        return asdict(self) | timings | {"bandwidth_fractions": ratios}


@click.command(context_settings={"show_default": True})
@click.option("--rows", "n_rows", type=click.IntRange(min=1), default=1_000_000)
@click.option("--hidden", type=click.IntRange(min=1), multiple=True, default=[4, 8, 16])
@threads
@rounds(7)
@outputs("mapped")
def main(
    n_rows: int,
    hidden: tuple[int, ...],
    threads: int | None,
    rounds: int,
    json_path: Path,
    output: Path,
) -> None:
    """Time predictions by tiny networks, and copies of their rows, in turn."""
    console, n_threads = console_for_tables(), threads or default_threads()
    with tempfile.TemporaryDirectory() as folder:
        ways = ways_to_hold(n_rows, Path(folder) / "rows.npy")
        rows = [measure(width, ways, n_threads, rounds) for width in hidden]
    console.print(table_of(rows))
    write_json(json_path, {"n_threads": n_threads, "rows": rows})
    draw(rows, output)
    console.print(f"figures: {json_path}, picture: {output}")


def ways_to_hold(n_rows: int, path: Path) -> Ways:
    """Return calls that yield X (N, I) in memory, from a map, and from a map made anew."""
    X = np.random.default_rng(0).standard_normal((n_rows, N_FEATURES), dtype=np.float32)
    np.save(path, X)
    mapped = np.load(path, mmap_mode="r")
    return {
        "in memory": lambda: X,
        "mapped": lambda: mapped,
        "mapped anew": lambda: np.load(path, mmap_mode="r"),
    }


def measure(width: int, ways: Ways, n_threads: int, n_rounds: int) -> Row:
    """Check that all ways lead to the same predictions, then time them and copies in turn."""
    X = ways["in memory"]()
    model = MLPRegressor(hidden_layer_sizes=(width,), max_iter=1, random_state=0)
    model.partial_fit(X[:1000], X[:1000, 0])
    predict = Predictor(model, n_threads)
    check({way: predict(rows()).ravel() for way, rows in ways.items()}, model.predict(X))
    copies = Copies(X, n_threads)
    calls: dict[str, Callable[[], object]] = {}
    for way, rows in ways.items():
        calls[f"predict {way}"] = lambda rows=rows: predict(rows())  # type: ignore[misc]
        calls[f"copy {way}"] = lambda rows=rows: copies(rows())  # type: ignore[misc]
    timings = interleave(calls, n_rounds=n_rounds)
    return Row(
        name=f"{N_FEATURES}-{width}-1",
        n_threads=n_threads,
        read_bytes=X.nbytes,
        n_outputs=len(X),
        flops=2 * len(X) * (N_FEATURES + 1) * width,
        attainable=attainable_of(np.dtype(np.float32)),
        predictions={way: timings[f"predict {way}"] for way in ways},
        copies={way: timings[f"copy {way}"] for way in ways},
    )


def check(predictions: Mapping[str, np.ndarray], expected: np.ndarray) -> None:
    """Raise WrongResultError unless all predictions are the expected ones."""
    for way, predicted in predictions.items():
        if not np.allclose(predicted, expected, rtol=0, atol=TOLERANCE):
            raise WrongResultError(f"predictions of rows {way} differ from the model's")


class Copies:
    """Copies of X (N, I) into memory that is there, by each thread a part."""

    def __init__(self, X: np.ndarray, n_threads: int) -> None:
        self._out, self._pool = np.empty_like(X), ThreadPoolExecutor(n_threads)
        edges = np.linspace(0, len(X), n_threads + 1).astype(int)
        self._parts = [slice(*pair) for pair in pairwise(edges)]

    def __call__(self, X: np.ndarray) -> None:
        """Copy all rows."""
        jobs = [self._pool.submit(np.copyto, self._out[part], X[part]) for part in self._parts]
        for job in jobs:
            job.result()


def table_of(rows: Sequence[Row]) -> Table:
    """Return a line per network and way."""
    title = (
        f"Predictions of {rows[0].n_outputs:,} rows on {rows[0].n_threads} thread(s) "
        f"(target: ≥ {100 * TARGET:g} % of a copy where memory decides)"
    )
    table = Table(title=title, title_justify="left", box=box.HORIZONTALS)
    table.add_column("network")
    table.add_column("rows")
    for heading in ("median", "spread", "GB/s", "of a copy", "of attainable"):
        table.add_column(heading, justify="right")
    for line in lines_of(rows):
        table.add_row(*line)
    return table


def lines_of(rows: Sequence[Row]) -> Iterator[list[str]]:
    """Yield the table's lines."""
    for row in rows:
        for way, timing in row.predictions.items():
            yield [
                row.name,
                way,
                f"{1e3 * timing.median:.3g} ms",
                f"{100 * timing.spread:.0f} %",
                f"{row.gbytes(way):.1f}",
                f"{100 * row.bandwidth_fraction(way):.0f} %",
                f"{100 * row.attainable_fraction(way):.0f} %",
            ]


def draw(rows: Sequence[Row], path: Path) -> None:
    """Draw each network's traffic in percent of a copy's."""
    figure = Figure(figsize=(8, 1.8 + 0.5 * len(rows)), layout="constrained")
    ax = figure.subplots()
    for way in rows[0].predictions:
        percent = [100 * row.bandwidth_fraction(way) for row in rows]
        ax.plot(percent, [row.name for row in rows], "o", label=way)
    ax.axvline(100 * TARGET, color="black", linewidth=0.8, linestyle=":")
    ax.set_xlim(left=0)
    ax.set_xlabel("percent of a copy's bandwidth (dotted: target)")
    ax.invert_yaxis()
    ax.spines[["top", "right"]].set_visible(False)
    figure.legend(loc="outside lower center", ncols=3, frameon=False)
    figure.suptitle(f"Predictions of {rows[0].n_outputs:,} rows")
    figure.savefig(path, dpi=120)


if __name__ == "__main__":
    main()
