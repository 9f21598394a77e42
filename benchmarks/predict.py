"""Time predictions beside the peers: ``python benchmarks/predict.py --help``."""

from __future__ import annotations

from pathlib import Path

import click
import numpy as np
from candidates import PREDICTORS, PeerProcess, open_peers
from comparison import PeerMeasurement, draw_ratios
from options import console_for_tables, outputs, rounds, threads

from fastmlp.cli.epochs import CELLS
from fastmlp.cli.measure import peak_of
from fastmlp.cli.report import product_table, write_json
from fastmlp.cli.timing import Timing, WrongResultError, rounds_of
from fastmlp.threads import default_threads

#: Outputs of networks that were trained for one epoch in float32 differ by rounding.
OUTPUT_TOLERANCE = 1e-3
MIN_SECONDS = 0.1


@click.command(context_settings={"show_default": True})
@click.option("--cell", type=click.Choice(list(CELLS)), default="digits")
@click.option("--rows", type=click.IntRange(min=1), multiple=True, default=[1, 20_000])
@click.option("--peer", "peers", type=click.Choice(PREDICTORS), multiple=True, default=PREDICTORS)
@threads
@rounds(5)
@outputs("predict")
def main(
    cell: str,
    rows: tuple[int, ...],
    peers: tuple[str, ...],
    threads: int | None,
    rounds: int,
    json_path: Path,
    output: Path,
) -> None:
    """Predict with probabilities on every peer that is there, in interleaved rounds."""
    console, n_threads = console_for_tables(), threads or default_threads()
    with open_peers(peers, n_threads, console.print) as processes:
        results = [measure(cell, n_rows, processes, n_threads, rounds) for n_rows in rows]
    for note in (note for row in results for note in row.notes()):
        console.print(note)
    title = f"Prediction by {CELLS[cell].describe()}, {n_threads} thread(s)"
    console.print(product_table(title, results))
    write_json(json_path, {"n_threads": n_threads, "rows": results})
    draw_ratios(results, title, output)
    console.print(f"figures: {json_path}, picture: {output}")


def measure(
    cell: str, n_rows: int, processes: dict[str, PeerProcess], n_threads: int, n_rounds: int
) -> PeerMeasurement:
    """Compare the outputs, then time calls in turn."""
    first = {name: process.predict(cell, n_rows, 0) for name, process in processes.items()}
    expected = next(iter(first.values())).outputs.reshape(-1, CELLS[cell].layer_sizes[-1])
    for name, prediction in first.items():
        outputs = prediction.outputs.reshape(expected.shape)
        if not np.allclose(outputs, expected, rtol=0, atol=OUTPUT_TOLERANCE):
            raise WrongResultError(f"{cell}: the outputs of {name} differ from the first peer's")
    times: dict[str, list[float]] = {name: [] for name in processes}
    for name in rounds_of(list(processes), n_rounds):
        times[name].append(processes[name].predict(cell, n_rows, MIN_SECONDS).seconds)
    layers = CELLS[cell].plan.layers
    return PeerMeasurement(
        name=f"predict {n_rows:,}",
        detail="-".join(str(size) for size in CELLS[cell].layer_sizes),
        n_elements=n_rows,
        flops=2 * n_rows * int((layers["fan_in"] * layers["fan_out"]).sum()),
        n_bytes=0,
        n_threads=n_threads,
        peak=peak_of(np.dtype(CELLS[cell].dtype)),
        timings={name: Timing(tuple(values)) for name, values in times.items()},
        settings={name: prediction.setting for name, prediction in first.items()},
        compile_seconds={name: prediction.compile_seconds for name, prediction in first.items()},
    )


if __name__ == "__main__":
    main()
