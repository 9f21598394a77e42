"""fastmlp beside every peer, in training and prediction: ``python benchmarks/peers.py --help``."""

from __future__ import annotations

from pathlib import Path

import click
from candidates import PEERS
from fit import FitTask
from options import chosen_cells, outputs, rounds, slices, threads, training
from pairs import Report, Task, compare
from predict import PredictTask
from results_file import Slice

from fastmlp.cli.epochs import CELLS
from fastmlp.threads import default_threads


@click.command(context_settings={"show_default": True})
@training
@click.option("--rows", type=click.IntRange(min=1), multiple=True, default=[1, 20_000])
@click.option("--predict-cell", type=click.Choice(list(CELLS)), default="digits")
@click.option("--peer", "names", type=click.Choice(list(PEERS)), multiple=True, default=list(PEERS))
@slices(*PEERS)
@threads
@rounds(5)
@outputs("peers")
def main(
    shapes: str,
    cells: tuple[str, ...],
    seconds: float,
    rows: tuple[int, ...],
    predict_cell: str,
    names: tuple[str, ...],
    cut: Slice,
    threads: int | None,
    rounds: int,
    json_path: Path,
    output: Path,
) -> None:
    """Train every cell and predict on every peer that is there; one table of ratios."""
    n_threads = threads or default_threads()
    tasks: list[Task] = [FitTask(cell, seconds) for cell in chosen_cells(shapes, cells)]
    tasks += [PredictTask(predict_cell, n_rows) for n_rows in rows]
    title = f"Whole fits and predictions, {n_threads} thread(s)"
    compare(tasks, names, n_threads, rounds, cut, Report(title, json_path, output))


if __name__ == "__main__":
    main()
