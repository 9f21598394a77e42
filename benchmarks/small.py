"""What a second thread does to small fits: ``python benchmarks/small.py --help``.

An epoch on all threads is set beside the same epoch on one. Where the data is too little for a team
to pay for its start, none should be started, and the two take the same time.
"""

from __future__ import annotations

from pathlib import Path

import click
import numpy as np
from options import outputs, rounds, threads
from variants import Row, report, time_in_turn

from fastmlp.backends import get_backend
from fastmlp.cli.epochs import GRID, EpochRun, GridCell
from fastmlp.cli.timing import WrongResultError
from fastmlp.threads import default_threads

#: Of the epoch on one thread.
TARGET = 1.1
CELLS = {
    "tiny": GridCell("tiny", 20, (4, 4, 2), 20),
    "iris": GridCell("iris", 150, (4, 16, 3), 150),
    "digits": GRID["digits"],
}
#: Of a variant in each round: what pays is found out in the first of its epochs.
MIN_SECONDS = 0.1


@click.command(context_settings={"show_default": True})
@click.option("--cell", "cells", type=click.Choice(list(CELLS)), multiple=True, default=list(CELLS))
@threads
@rounds(11)
@outputs("small")
def main(
    cells: tuple[str, ...], threads: int | None, rounds: int, json_path: Path, output: Path
) -> None:
    """Time epochs on one and on all threads in turn."""
    n_threads = threads or default_threads()
    rows = [measure(CELLS[name], n_threads, rounds) for name in cells]
    title = f"Small fits on {n_threads} thread(s)"
    report(rows, title, TARGET, {"n_threads": n_threads}, json_path, output)


def measure(cell: GridCell, n_threads: int, n_rounds: int) -> Row:
    """Check that both ways learn the same to the last bit, then time the next epochs in turn."""
    sizes = {"one thread": 1, f"{n_threads} threads": n_threads}
    runs = {
        name: EpochRun(cell, get_backend("compiled"), np.dtype(np.float32), size)
        for name, size in sizes.items()
    }
    losses = {name: run() for name, run in runs.items()}
    if len(set(losses.values())) > 1:
        raise WrongResultError(f"{cell.name}: the loss depends on the threads: {losses}")
    return time_in_turn(cell.name, runs, n_rounds, min_seconds=MIN_SECONDS)


if __name__ == "__main__":
    main()
