"""fastmlp beside every peer, in training and prediction: ``python benchmarks/peers.py --help``."""

from __future__ import annotations

from pathlib import Path

import click
import numpy as np
from candidates import PEERS, PeerProcess, open_peers
from comparison import PeerMeasurement, draw_ratios, ratio_table
from fit import measure as measure_fit
from predict import measure as measure_prediction
from rich.console import Console

from fastmlp.backends.compiled import fma_peak
from fastmlp.cli.epochs import GRID
from fastmlp.cli.report import write_json
from fastmlp.threads import default_threads

#: Columns of the table where nobody says how wide the paper is.
WIDTH = 132


@click.command(context_settings={"show_default": True})
@click.option("--cell", "cells", type=click.Choice(list(GRID)), multiple=True, default=list(GRID))
@click.option("--rows", type=click.IntRange(min=1), multiple=True, default=[1, 20_000])
@click.option("--predict-cell", type=click.Choice(list(GRID)), default="digits")
@click.option("--peer", "names", type=click.Choice(list(PEERS)), multiple=True, default=list(PEERS))
@click.option("--threads", type=click.IntRange(min=1), help="Default: what the machine allows.")
@click.option("--rounds", type=click.IntRange(min=1), default=5)
@click.option(
    "--seconds", type=float, default=2.0, help="About how long the slowest peer's fit is."
)
@click.option("--json", "json_path", type=click.Path(path_type=Path), default="bench-peers.json")
@click.option("--output", type=click.Path(path_type=Path), default="bench-peers.png")
def main(
    cells: tuple[str, ...],
    rows: tuple[int, ...],
    predict_cell: str,
    names: tuple[str, ...],
    threads: int | None,
    rounds: int,
    seconds: float,
    json_path: Path,
    output: Path,
) -> None:
    """Train every cell and predict on every peer that is there; one table of ratios."""
    console, n_threads = Console(), threads or default_threads()
    if not console.is_terminal:
        console = Console(width=WIDTH)
    results = []
    in_order = [name for name in PEERS if name in names]  # the first is the reference
    with open_peers(in_order, n_threads, console.print) as processes:
        trainers, predictors = _able(processes, "trains"), _able(processes, "predicts")
        for cell in cells:
            results.append(measure_fit(cell, trainers, n_threads, rounds, seconds))
            _report(console, results[-1])
        for n_rows in rows:
            results.append(measure_prediction(predict_cell, n_rows, predictors, n_threads, rounds))
            _report(console, results[-1])
    peak = fma_peak(np.float32)
    console.print(ratio_table(results, peak))
    write_json(json_path, {"fma_peak_gflops": peak, "rows": results})
    draw_ratios(results, f"float32, {n_threads} thread(s)", output)
    console.print(f"figures: {json_path}, picture: {output}")


def _able(processes: dict[str, PeerProcess], task: str) -> dict[str, PeerProcess]:
    """Return those that can be asked for the task, ``"trains"`` or ``"predicts"``."""
    return {name: process for name, process in processes.items() if getattr(PEERS[name], task)}


def _report(console: Console, row: PeerMeasurement) -> None:
    for note in row.notes():
        console.print(note)


if __name__ == "__main__":
    main()
