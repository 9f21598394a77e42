"""What normalisations cost: ``python benchmarks/normalization.py --help``.

An epoch with a normalisation of all hidden layers is set beside the same epoch without.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import click
import numpy as np
from options import outputs, rounds
from variants import Row, report, require_same_loss, time_in_turn

from fastmlp.backends import get_backend
from fastmlp.cli.epochs import CELLS, EpochRun, GridCell

#: Of the epoch without.
TARGET = 1.25
NORMALIZATIONS = {"no norm": None, "batch": "batch", "layer": "layer"}
DEFAULT_CELLS = ("plain", "float64", "deep128")


@click.command(context_settings={"show_default": True})
@click.option(
    "--cell", "cells", type=click.Choice(list(CELLS)), multiple=True, default=DEFAULT_CELLS
)
@click.option("--threads", type=click.IntRange(min=1), default=1)
@rounds(11)
@outputs("normalization")
def main(cells: tuple[str, ...], threads: int, rounds: int, json_path: Path, output: Path) -> None:
    """Time epochs without, with batch and with layer norm in turn."""
    rows = [measure(CELLS[name], threads, rounds) for name in cells]
    title = f"Normalised hidden layers, {threads} thread(s)"
    report(rows, title, TARGET, {"n_threads": threads}, json_path, output)


def measure(cell: GridCell, n_threads: int, n_rounds: int) -> Row:
    """Check the first epochs against the reference, then time the next ones in turn."""
    runs = {}
    for name, normalization in NORMALIZATIONS.items():
        variant, dtype = replace(cell, normalization=normalization), np.dtype(cell.dtype)
        runs[name] = EpochRun(variant, get_backend("compiled"), dtype, n_threads)
        expected = EpochRun(variant, get_backend("numpy"), dtype, n_threads)()
        require_same_loss(f"{cell.name} with {name}", runs[name](), expected)
    return time_in_turn(cell.name, runs, n_rounds)


if __name__ == "__main__":
    main()
