"""What dropout costs on top of a layer: ``python benchmarks/dropout.py --help``.

An epoch with dropout on the hidden layers is set beside the same epoch without; the difference is
divided by the number of hidden activations, each of which is dropped or kept once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import click
import numpy as np
from matplotlib.figure import Figure
from options import console_for_tables, outputs, rounds
from rich import box
from rich.table import Table

from fastmlp.backends import get_backend
from fastmlp.cli.epochs import CELLS, EpochRun, GridCell
from fastmlp.cli.measure import EPOCH_TOLERANCE
from fastmlp.cli.report import write_json
from fastmlp.cli.timing import Timing, WrongResultError, interleave

TARGET_NS = 0.1
DEFAULT_CELLS = ("plain", "float64", "digits", "deep128", "mnist512")


@dataclass(frozen=True)
class Row:
    """An epoch with and without dropout; ``n_elements`` hidden activations."""

    name: str
    n_elements: int
    without: Timing
    dropped: Timing

    @property
    def nanoseconds(self) -> float:
        """Nanoseconds that dropout adds for each hidden activation."""
        return 1e9 * (self.dropped.median - self.without.median) / self.n_elements

    def as_dict(self) -> dict[str, Any]:
        """Return what a JSON report keeps."""
        return asdict(self) | {
            "without": self.without.as_dict(),
            "dropped": self.dropped.as_dict(),
            "ns_per_element": self.nanoseconds,
        }


@click.command(context_settings={"show_default": True})
@click.option(
    "--cell", "cells", type=click.Choice(list(CELLS)), multiple=True, default=DEFAULT_CELLS
)
@click.option("--probability", type=click.FloatRange(0, 1, max_open=True), default=0.2)
@click.option("--threads", type=click.IntRange(min=1), default=1)
@rounds(11)
@outputs("dropout")
def main(
    cells: tuple[str, ...],
    probability: float,
    threads: int,
    rounds: int,
    json_path: Path,
    output: Path,
) -> None:
    """Time epochs with and without dropout in turn."""
    console = console_for_tables()
    rows = [measure(CELLS[name], probability, threads, rounds) for name in cells]
    title = f"Dropout {probability:g} of the hidden layers, {threads} thread(s)"
    console.print(table_of(rows, title))
    write_json(json_path, {"probability": probability, "n_threads": threads, "rows": rows})
    draw(rows, title, output)
    console.print(f"figures: {json_path}, picture: {output}")


def measure(cell: GridCell, probability: float, n_threads: int, n_rounds: int) -> Row:
    """Check the first epoch with dropout against the reference, then time both in turn."""
    dtype, backend = np.dtype(cell.dtype), get_backend("compiled")
    dropping = replace(cell, dropout=probability)
    without = EpochRun(replace(cell, dropout=0.0), backend, dtype, n_threads)
    dropped = EpochRun(dropping, backend, dtype, n_threads)
    loss, expected = dropped(), EpochRun(dropping, get_backend("numpy"), dtype, n_threads)()
    if not abs(loss - expected) <= EPOCH_TOLERANCE * expected:
        raise WrongResultError(f"{cell.name} ends with loss {loss}, the reference with {expected}")
    timings = interleave({"without": without, "dropped": dropped}, n_rounds=n_rounds)
    n_elements = cell.n_samples * sum(cell.layer_sizes[1:-1])
    return Row(cell.name, n_elements, timings["without"], timings["dropped"])


def table_of(rows: Sequence[Row], title: str) -> Table:
    """Return a line per network."""
    title = f"{title} (target: ≤ {TARGET_NS:g} ns an element)"
    table = Table(title=title, title_justify="left", box=box.HORIZONTALS)
    table.add_column("cell")
    for heading in ("without", "spread", "with", "spread", "with ÷ without", "ns/element"):
        table.add_column(heading, justify="right")
    for row in rows:
        figures = [
            figure
            for timing in (row.without, row.dropped)
            for figure in (f"{1e3 * timing.median:.4g} ms", f"{100 * timing.spread:.0f} %")
        ]
        ratio = row.dropped.median / row.without.median
        table.add_row(row.name, *figures, f"{ratio:.3f}", f"{row.nanoseconds:.3f}")
    return table


def draw(rows: Sequence[Row], title: str, path: Path) -> None:
    """Draw nanoseconds per element."""
    figure = Figure(figsize=(8, 1.4 + 0.4 * len(rows)), layout="constrained")
    ax = figure.subplots()
    ax.barh([row.name for row in rows], [row.nanoseconds for row in rows])
    ax.axvline(TARGET_NS, color="black", linewidth=0.8, linestyle=":")
    ax.set_xlabel("ns per hidden activation on top of the layer (dotted: target)")
    ax.invert_yaxis()
    ax.spines[["top", "right"]].set_visible(False)
    figure.suptitle(title)
    figure.savefig(path, dpi=120)


if __name__ == "__main__":
    main()
