"""What an activation written in Python costs: ``python benchmarks/custom.py --help``.

An epoch with tanh as ``custom_activation`` makes it of Python functions is set beside the same
epoch with the built-in one.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click
import numpy as np
from matplotlib.figure import Figure
from options import console_for_tables, outputs, rounds
from rich import box
from rich.table import Table

from fastmlp import custom_activation
from fastmlp.backends import get_backend
from fastmlp.cli.epochs import CELLS, EpochRun, GridCell
from fastmlp.cli.measure import EPOCH_TOLERANCE
from fastmlp.cli.report import write_json
from fastmlp.cli.timing import Timing, WrongResultError, interleave

#: Of the epoch with the built-in activation.
TARGET = 1.5
BUILT_IN = "built-in tanh"
DEFAULT_CELLS = ("plain", "float64", "deep128")


def tanh(z: float) -> float:
    """Return tanh z."""
    return math.tanh(z)


def tanh_slope(z: float) -> float:
    """Return the slope of tanh at z."""
    return 1 - math.tanh(z) ** 2


def tanh_of_exp(z: float) -> float:
    """Return tanh z as textbooks define it."""
    return (math.exp(z) - math.exp(-z)) / (math.exp(z) + math.exp(-z))


def tanh_of_exp_slope(z: float) -> float:
    """Return the slope of tanh at z."""
    t = (math.exp(z) - math.exp(-z)) / (math.exp(z) + math.exp(-z))
    return 1.0 - t * t


@dataclass(frozen=True)
class Row:
    """Epochs of one network, by the activation."""

    name: str
    timings: dict[str, Timing]

    def ratio(self, name: str) -> float:
        """Return the median time over that with the built-in activation."""
        return self.timings[name].median / self.timings[BUILT_IN].median

    def as_dict(self) -> dict[str, Any]:
        """Return what a JSON report keeps."""
        timings = {name: timing.as_dict() for name, timing in self.timings.items()}
        return {"name": self.name, "timings": timings, "ratios": dict(map(self._pair, timings))}

    def _pair(self, name: str) -> tuple[str, float]:
        return name, self.ratio(name)


@click.command(context_settings={"show_default": True})
@click.option(
    "--cell", "cells", type=click.Choice(list(CELLS)), multiple=True, default=DEFAULT_CELLS
)
@click.option("--backend", type=click.Choice(["compiled", "numba"]), default="compiled")
@click.option("--threads", type=click.IntRange(min=1), default=1)
@rounds(11)
@outputs("custom")
def main(
    cells: tuple[str, ...],
    backend: str,
    threads: int,
    rounds: int,
    json_path: Path,
    output: Path,
) -> None:
    """Time epochs with the built-in and the custom activations in turn."""
    console = console_for_tables()
    rows = [measure(CELLS[name], backend, threads, rounds) for name in cells]
    title = f"An activation written in Python, {backend}, {threads} thread(s)"
    console.print(table_of(rows, title))
    write_json(json_path, {"backend": backend, "n_threads": threads, "rows": rows})
    draw(rows, title, output)
    console.print(f"figures: {json_path}, picture: {output}")


def measure(cell: GridCell, backend: str, n_threads: int, n_rounds: int) -> Row:
    """Check that the first epochs end alike, then time the next ones in turn."""
    activations: dict[str, Any] = {
        BUILT_IN: "tanh",
        "math.tanh": custom_activation(tanh, tanh_slope),
        "math.exp": custom_activation(tanh_of_exp, tanh_of_exp_slope),
    }
    runs = {
        name: EpochRun(
            replace(cell, activation=activation),
            get_backend(backend),
            np.dtype(cell.dtype),
            n_threads,
        )
        for name, activation in activations.items()
    }
    losses = {name: run() for name, run in runs.items()}
    for name, loss in losses.items():
        if not abs(loss - losses[BUILT_IN]) <= EPOCH_TOLERANCE * losses[BUILT_IN]:
            raise WrongResultError(f"{cell.name} with {name} ends with loss {loss}: {losses}")
    return Row(cell.name, interleave(runs, n_rounds=n_rounds))


def table_of(rows: Sequence[Row], title: str) -> Table:
    """Return a line per network."""
    table = Table(
        title=f"{title} (target: ≤ {TARGET:g})", title_justify="left", box=box.HORIZONTALS
    )
    table.add_column("cell")
    for name in rows[0].timings:
        table.add_column(name, justify="right")
        table.add_column("spread", justify="right")
        if name != BUILT_IN:
            table.add_column("÷ built-in", justify="right")
    for row in rows:
        figures = []
        for name, timing in row.timings.items():
            figures += [f"{1e3 * timing.median:.4g} ms", f"{100 * timing.spread:.0f} %"]
            figures += [] if name == BUILT_IN else [f"{row.ratio(name):.2f}"]
        table.add_row(row.name, *figures)
    return table


def draw(rows: Sequence[Row], title: str, path: Path) -> None:
    """Draw the time of an epoch over that with the built-in activation."""
    figure = Figure(figsize=(8, 1.8 + 0.5 * len(rows)), layout="constrained")
    ax = figure.subplots()
    for name in rows[0].timings:
        ax.plot([row.ratio(name) for row in rows], [row.name for row in rows], "o", label=name)
    ax.axvline(TARGET, color="black", linewidth=0.8, linestyle=":")
    ax.set_xlim(left=0)
    ax.set_xlabel("time of an epoch ÷ that with the built-in tanh (dotted: target)")
    ax.invert_yaxis()
    ax.spines[["top", "right"]].set_visible(False)
    figure.legend(loc="outside lower center", ncols=3, frameon=False)
    figure.suptitle(title)
    figure.savefig(path, dpi=120)


if __name__ == "__main__":
    main()
