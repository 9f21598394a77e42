"""What an activation written in Python costs: ``python benchmarks/custom.py --help``.

An epoch with tanh as ``custom_activation`` makes it of Python functions is set beside the same
epoch with the built-in one.
"""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
import numpy as np
from options import outputs, rounds
from variants import Row, report, require_same_loss, time_in_turn

from fastmlp import custom_activation
from fastmlp.backends import get_backend
from fastmlp.cli.epochs import CELLS, EpochRun, GridCell

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
    rows = [measure(CELLS[name], backend, threads, rounds) for name in cells]
    title = f"An activation written in Python, {backend}, {threads} thread(s)"
    report(rows, title, TARGET, {"backend": backend, "n_threads": threads}, json_path, output)


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
    expected, *others = ((name, run()) for name, run in runs.items())
    for name, loss in others:
        require_same_loss(f"{cell.name} with {name}", loss, expected[1])
    return time_in_turn(cell.name, runs, n_rounds)


if __name__ == "__main__":
    main()
