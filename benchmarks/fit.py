"""Time training beside the peers: ``python benchmarks/fit.py --help``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import click
import numpy as np
from candidates import PEERS, TRAINERS, PeerProcess, Registration
from comparison import PeerMeasurement
from options import chosen_cells, outputs, rounds, slices, threads, training
from pairs import Report, compare
from results_file import Slice

from fastmlp.cli.epochs import CELLS
from fastmlp.cli.measure import attainable_of, peak_of
from fastmlp.cli.timing import Timing, WrongResultError, rounds_of
from fastmlp.threads import default_threads

#: All train on the same batches from the same start, so the first epoch's losses differ only by
#: rounding in float32; training carries that to some 1e-4 (784-512-512-10), a wrong formula is
#: far beyond.
LOSS_TOLERANCE = 2e-3
#: scikit-learn clips probabilities at the real type's eps before it takes their logarithm, so it
#: reports less where the first steps of a wide network are confidently wrong: 0.8 % on wide2048.
CLIPPED_LOSS_TOLERANCE = 2e-2
CLIPPING_PEERS = frozenset({"scikit-learn", "sklearn SkylakeX"})
#: With dropout each peer draws other units.
DROPOUT_LOSS_TOLERANCE = 5e-2
#: With factors rounded to 8 bits, losses of the cells differ by up to 0.16 % (tab32 by autocast).
ROUNDED_LOSS_TOLERANCE = 5e-3
MIN_EPOCHS, MAX_EPOCHS = 5, 200


@click.command(context_settings={"show_default": True})
@training
@click.option("--peer", "peers", type=click.Choice(TRAINERS), multiple=True, default=TRAINERS)
@slices(*TRAINERS)
@threads
@rounds(5)
@outputs("fit")
def main(
    shapes: str,
    cells: tuple[str, ...],
    seconds: float,
    peers: tuple[str, ...],
    cut: Slice,
    threads: int | None,
    rounds: int,
    json_path: Path,
    output: Path,
) -> None:
    """Train every network on every peer that is there, in interleaved rounds, and compare."""
    n_threads = threads or default_threads()
    tasks = [FitTask(cell, seconds) for cell in chosen_cells(shapes, cells)]
    title = f"One training epoch, {n_threads} thread(s)"
    compare(tasks, peers, n_threads, rounds, cut, Report(title, json_path, output))


class FitTask(NamedTuple):
    """Training of a cell; ``seconds`` is about how long the slowest peer's fit is."""

    cell: str
    seconds: float

    @property
    def name(self) -> str:
        """The cell's name."""
        return self.cell

    def can_be_done_by(self, peer: Registration) -> bool:
        """Return whether the peer can train the cell."""
        return peer.can_train(CELLS[self.cell])

    def measure(
        self, processes: Mapping[str, PeerProcess], n_threads: int, n_rounds: int
    ) -> PeerMeasurement:
        """Compare the first epoch's loss, then time fits in turn."""
        cell = CELLS[self.cell]
        first = {name: process.fit(self.cell, 1) for name, process in processes.items()}
        check_losses(self.cell, {name: fit.loss_curve[0] for name, fit in first.items()})
        # The first fit compiled what is compiled on first use; the second tells an epoch's length.
        second = {name: process.fit(self.cell, 1) for name, process in processes.items()}
        compile_seconds = {
            name: fit.compile_seconds
            + max(0.0, first[name].seconds_per_epoch - fit.seconds_per_epoch)
            for name, fit in second.items()
        }
        slowest = max(fit.seconds_per_epoch for fit in second.values())
        n_epochs = int(np.clip(self.seconds / slowest, MIN_EPOCHS, MAX_EPOCHS))
        times: dict[str, list[float]] = {name: [] for name in processes}
        for name in rounds_of(list(processes), n_rounds):
            times[name].append(processes[name].fit(self.cell, n_epochs).seconds_per_epoch)
        return PeerMeasurement(
            name=self.name,
            detail=cell.describe(),
            n_elements=cell.n_samples,
            flops=cell.flops,
            n_bytes=0,
            n_threads=n_threads,
            peak=peak_of(np.dtype(cell.dtype)),
            attainable=attainable_of(np.dtype(cell.dtype)),
            timings={name: Timing(tuple(values)) for name, values in times.items()},
            settings={name: fit.setting for name, fit in second.items()},
            compile_seconds=compile_seconds,
        )


def check_losses(cell: str, losses: Mapping[str, float]) -> None:
    """Raise WrongResultError unless all peers agree with the first on the first epoch's loss."""
    reference = next(iter(losses))
    for name, loss in losses.items():
        allowed = max(_loss_tolerance(cell, one) for one in (reference, name))
        if not abs(loss - losses[reference]) <= allowed * losses[reference]:
            raise WrongResultError(f"{cell}: {name} ends its first epoch with {losses}")


def _loss_tolerance(cell: str, peer: str) -> float:
    if CELLS[cell].dropout:
        return DROPOUT_LOSS_TOLERANCE
    if not PEERS[peer].is_exact:
        return ROUNDED_LOSS_TOLERANCE
    return CLIPPED_LOSS_TOLERANCE if peer in CLIPPING_PEERS else LOSS_TOLERANCE


if __name__ == "__main__":
    main()
