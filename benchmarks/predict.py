"""Time predictions beside the peers: ``python benchmarks/predict.py --help``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import click
import numpy as np
from candidates import PEERS, PREDICTORS, PeerProcess, Registration
from comparison import PeerMeasurement
from options import outputs, rounds, slices, threads
from pairs import Report, compare
from results_file import Slice

from fastmlp.cli.epochs import CELLS
from fastmlp.cli.measure import attainable_of, peak_of
from fastmlp.cli.timing import Timing, WrongResultError, rounds_of
from fastmlp.threads import default_threads

#: Outputs of networks that were trained for one epoch in float32 differ by rounding.
OUTPUT_TOLERANCE = 1e-3
#: Products of numbers that are rounded to 8 bits, in two or three layers.
ROUNDED_OUTPUT_TOLERANCE = 3e-2
MIN_SECONDS = 0.1


@click.command(context_settings={"show_default": True})
@click.option("--cell", type=click.Choice(list(CELLS)), default="digits")
@click.option("--rows", type=click.IntRange(min=1), multiple=True, default=[1, 20_000])
@click.option("--peer", "peers", type=click.Choice(PREDICTORS), multiple=True, default=PREDICTORS)
@slices(*PREDICTORS)
@threads
@rounds(5)
@outputs("predict")
def main(
    cell: str,
    rows: tuple[int, ...],
    peers: tuple[str, ...],
    cut: Slice,
    threads: int | None,
    rounds: int,
    json_path: Path,
    output: Path,
) -> None:
    """Predict with probabilities on every peer that is there, in interleaved rounds."""
    n_threads = threads or default_threads()
    tasks = [PredictTask(cell, n_rows) for n_rows in rows]
    title = f"Prediction by {CELLS[cell].describe()}, {n_threads} thread(s)"
    compare(tasks, peers, n_threads, rounds, cut, Report(title, json_path, output))


class PredictTask(NamedTuple):
    """Prediction of so many rows by the network of a cell."""

    cell: str
    n_rows: int

    @property
    def name(self) -> str:
        """The cell and the rows."""
        return f"{self.cell}, {self.n_rows:,} row{'s' if self.n_rows > 1 else ''}"

    def can_be_done_by(self, peer: Registration) -> bool:
        """Return whether the peer can predict by the cell."""
        return peer.can_predict(CELLS[self.cell])

    def measure(
        self, processes: Mapping[str, PeerProcess], n_threads: int, n_rounds: int
    ) -> PeerMeasurement:
        """Compare the outputs, then time calls in turn."""
        cell, n_rows = CELLS[self.cell], self.n_rows
        first = {name: process.predict(self.cell, n_rows, 0) for name, process in processes.items()}
        check_outputs(self.cell, {name: each.outputs for name, each in first.items()})
        times: dict[str, list[float]] = {name: [] for name in processes}
        for name in rounds_of(list(processes), n_rounds):
            seconds = processes[name].predict(self.cell, n_rows, MIN_SECONDS).seconds
            times[name].append(seconds)
        layers = cell.plan.layers
        return PeerMeasurement(
            name=self.name,
            detail="-".join(str(size) for size in cell.layer_sizes),
            n_elements=n_rows,
            flops=2 * n_rows * int((layers["fan_in"] * layers["fan_out"]).sum()),
            n_bytes=0,
            n_threads=n_threads,
            peak=peak_of(np.dtype(cell.dtype)),
            attainable=attainable_of(np.dtype(cell.dtype)),
            timings={name: Timing(tuple(values)) for name, values in times.items()},
            settings={name: prediction.setting for name, prediction in first.items()},
            compile_seconds={name: each.compile_seconds for name, each in first.items()},
        )


def check_outputs(cell: str, outputs: Mapping[str, np.ndarray]) -> None:
    """Raise WrongResultError unless all peers put out what the first does."""
    n_outputs = CELLS[cell].layer_sizes[-1]
    reference = next(iter(outputs))
    for name, rows in outputs.items():
        exact = PEERS[name].is_exact and PEERS[reference].is_exact
        allowed = OUTPUT_TOLERANCE if exact else ROUNDED_OUTPUT_TOLERANCE
        expected = outputs[reference].reshape(-1, n_outputs)
        if not np.allclose(rows.reshape(expected.shape), expected, rtol=0, atol=allowed):
            raise WrongResultError(f"{cell}: the outputs of {name} differ from the first peer's")


if __name__ == "__main__":
    main()
