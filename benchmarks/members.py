"""What members of a network cost: ``python benchmarks/members.py --help``.

An epoch of TabM-mini with k members, which is k · N virtual rows, is set beside an epoch of a plain
network of the same widths on k · N rows, with batches as large and with batches of as many virtual
rows.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import click
import numpy as np
from options import outputs, rounds
from variants import Row, report, require_same_loss, time_in_turn

from fastmlp.backends import get_backend
from fastmlp.cli.epochs import EpochRun, GridCell

#: Of the plain network's time: 70 % of its rate.
TARGET = 1 / 0.7

#: Small tables, since each row counts k times.
CELLS = {
    cell.name: cell
    for cell in (
        GridCell("table256", 1_024, (10, 256, 256, 256, 1), 256),
        GridCell("dropout", 1_024, (10, 256, 256, 256, 1), 256, dropout=0.15),
        GridCell("classes", 2_048, (54, 128, 128, 7), 256),
    )
}


@click.command(context_settings={"show_default": True})
@click.option("--cell", "cells", type=click.Choice(list(CELLS)), multiple=True, default=CELLS)
@click.option("--members", type=click.IntRange(min=2), default=32)
@click.option("--threads", type=click.IntRange(min=1), default=1)
@rounds(11)
@outputs("members")
def main(
    cells: tuple[str, ...],
    members: int,
    threads: int,
    rounds: int,
    json_path: Path,
    output: Path,
) -> None:
    """Time epochs of a plain network and of one with members in turn."""
    rows = [measure(CELLS[name], members, threads, rounds) for name in cells]
    title = f"{members} members of a network, {threads} thread(s)"
    settings = {"n_members": members, "n_threads": threads}
    report(rows, title, TARGET, settings, json_path, output)


def measure(cell: GridCell, n_members: int, n_threads: int, n_rounds: int) -> Row:
    """Check an epoch of a batch beside the reference, then time whole ones in turn."""
    many = replace(cell, n_samples=n_members * cell.n_samples)
    cells = {
        "plain": many,
        "plain, large batches": replace(many, batch_size=n_members * cell.batch_size),
        "members": replace(cell, n_members=n_members),
    }
    batch = replace(cells["members"], n_samples=cell.batch_size)
    loss, expected = (run_of(batch, name, n_threads)() for name in ("compiled", "numpy"))
    require_same_loss(f"{cell.name} with members", loss, expected)
    runs = {name: run_of(each, "compiled", n_threads) for name, each in cells.items()}
    return time_in_turn(cell.name, runs, n_rounds)


def run_of(cell: GridCell, backend: str, n_threads: int) -> EpochRun:
    """Return the training of a cell."""
    return EpochRun(cell, get_backend(backend), np.dtype(cell.dtype), n_threads)


if __name__ == "__main__":
    main()
