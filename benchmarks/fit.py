"""Time training beside the peers over the grid: ``python benchmarks/fit.py --help``."""

from __future__ import annotations

from pathlib import Path

import click
import numpy as np
from candidates import TRAINERS, PeerProcess, open_peers
from comparison import PeerMeasurement
from rich.console import Console

from fastmlp.backends.compiled import fma_peak
from fastmlp.cli.epochs import GRID
from fastmlp.cli.report import draw_epochs, product_table, write_json
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
MIN_EPOCHS, MAX_EPOCHS = 3, 200


@click.command(context_settings={"show_default": True})
@click.option("--cell", "cells", type=click.Choice(list(GRID)), multiple=True, default=list(GRID))
@click.option("--peer", "peers", type=click.Choice(TRAINERS), multiple=True, default=TRAINERS)
@click.option("--threads", type=click.IntRange(min=1), help="Default: what the machine allows.")
@click.option("--rounds", type=click.IntRange(min=1), default=5)
@click.option(
    "--seconds", type=float, default=2.0, help="About how long the slowest peer's fit is."
)
@click.option("--json", "json_path", type=click.Path(path_type=Path), default="bench-fit.json")
@click.option("--output", type=click.Path(path_type=Path), default="bench-fit.png")
def main(
    cells: tuple[str, ...],
    peers: tuple[str, ...],
    threads: int | None,
    rounds: int,
    seconds: float,
    json_path: Path,
    output: Path,
) -> None:
    """Train every cell on every peer that is there, in interleaved rounds, and compare."""
    console, n_threads = Console(), threads or default_threads()
    rows = []
    with open_peers(peers, n_threads, console.print) as processes:
        for cell in cells:
            with console.status(f"{cell}: {GRID[cell].describe()}"):
                rows.append(measure(cell, processes, n_threads, rounds, seconds))
            for note in rows[-1].notes():
                console.print(note)
    peak = fma_peak(np.float32)
    console.print(product_table(f"One epoch, float32, {n_threads} thread(s)", rows, peak))
    write_json(json_path, {"fma_peak_gflops": peak, "rows": rows})
    draw_epochs(rows, peak, f"One training epoch, float32, {n_threads} thread(s)", output)
    console.print(f"figures: {json_path}, picture: {output}")


def measure(
    cell: str, processes: dict[str, PeerProcess], n_threads: int, n_rounds: int, seconds: float
) -> PeerMeasurement:
    """Compare the first epoch's loss, then time fits in turn."""
    first = {name: process.fit(cell, 1) for name, process in processes.items()}
    check_losses(cell, {name: fit.loss_curve[0] for name, fit in first.items()})
    # The first fit compiled what is compiled on first use; the second says how long an epoch is.
    second = {name: process.fit(cell, 1) for name, process in processes.items()}
    compile_seconds = {
        name: fit.compile_seconds + max(0.0, first[name].seconds_per_epoch - fit.seconds_per_epoch)
        for name, fit in second.items()
    }
    slowest = max(fit.seconds_per_epoch for fit in second.values())
    n_epochs = int(np.clip(seconds / slowest, MIN_EPOCHS, MAX_EPOCHS))
    times: dict[str, list[float]] = {name: [] for name in processes}
    for name in rounds_of(list(processes), n_rounds):
        times[name].append(processes[name].fit(cell, n_epochs).seconds_per_epoch)
    return PeerMeasurement(
        name=cell,
        detail=f"{GRID[cell].describe()}; {n_epochs} epochs",
        n_elements=GRID[cell].n_samples,
        flops=GRID[cell].flops,
        n_bytes=0,
        n_threads=n_threads,
        timings={name: Timing(tuple(values)) for name, values in times.items()},
        settings={name: fit.setting for name, fit in second.items()},
        compile_seconds=compile_seconds,
    )


def check_losses(cell: str, losses: dict[str, float]) -> None:
    """Raise WrongResultError unless all peers agree on the first epoch's loss."""
    exact = [loss for name, loss in losses.items() if name not in CLIPPING_PEERS]
    middle = float(np.nanmedian(exact or list(losses.values())))
    for name, loss in losses.items():
        tolerance = CLIPPED_LOSS_TOLERANCE if name in CLIPPING_PEERS else LOSS_TOLERANCE
        if not abs(loss - middle) <= tolerance * middle:
            raise WrongResultError(f"{cell}: {name} ends its first epoch with {losses}")


if __name__ == "__main__":
    main()
