"""fastmlp beside every peer, in training and prediction: ``python benchmarks/peers.py --help``."""

from __future__ import annotations

from pathlib import Path

import click
from candidates import PEERS, PeerProcess, open_peers
from comparison import PeerMeasurement, draw_ratios, ratio_table
from fit import measure as measure_fit
from options import chosen_cells, console_for_tables, outputs, rounds, threads, training
from predict import measure as measure_prediction
from rich.console import Console

from fastmlp.cli.epochs import CELLS
from fastmlp.cli.report import write_json
from fastmlp.threads import default_threads


@click.command(context_settings={"show_default": True})
@training
@click.option("--rows", type=click.IntRange(min=1), multiple=True, default=[1, 20_000])
@click.option("--predict-cell", type=click.Choice(list(CELLS)), default="digits")
@click.option("--peer", "names", type=click.Choice(list(PEERS)), multiple=True, default=list(PEERS))
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
    threads: int | None,
    rounds: int,
    json_path: Path,
    output: Path,
) -> None:
    """Train every cell and predict on every peer that is there; one table of ratios."""
    console, n_threads = console_for_tables(), threads or default_threads()
    results = []
    in_order = [name for name in PEERS if name in names]  # the first is the reference
    with open_peers(in_order, n_threads, console.print) as processes:
        trainers, predictors = _able(processes, "trains"), _able(processes, "predicts")
        for cell in chosen_cells(shapes, cells):
            results.append(measure_fit(cell, trainers, n_threads, rounds, seconds))
            _report(console, results[-1])
        for n_rows in rows:
            results.append(measure_prediction(predict_cell, n_rows, predictors, n_threads, rounds))
            _report(console, results[-1])
    console.print(ratio_table(results))
    write_json(json_path, {"n_threads": n_threads, "rows": results})
    draw_ratios(results, f"Whole fits and predictions, {n_threads} thread(s)", output)
    console.print(f"figures: {json_path}, picture: {output}")


def _able(processes: dict[str, PeerProcess], task: str) -> dict[str, PeerProcess]:
    """Return those that can be asked for the task, ``"trains"`` or ``"predicts"``."""
    return {name: process for name, process in processes.items() if getattr(PEERS[name], task)}


def _report(console: Console, row: PeerMeasurement) -> None:
    for note in row.notes():
        console.print(note)


if __name__ == "__main__":
    main()
