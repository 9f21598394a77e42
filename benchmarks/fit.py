"""Time training beside the peers: ``python benchmarks/fit.py --help``."""

from __future__ import annotations

from pathlib import Path

import click
import numpy as np
from candidates import PEERS, TRAINERS, PeerProcess, open_peers
from comparison import PeerMeasurement
from options import chosen_cells, console_for_tables, outputs, rounds, threads, training

from fastmlp.cli.epochs import CELLS
from fastmlp.cli.measure import peak_of
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
#: With dropout each peer draws other units.
DROPOUT_LOSS_TOLERANCE = 5e-2
MIN_EPOCHS, MAX_EPOCHS = 3, 200


@click.command(context_settings={"show_default": True})
@training
@click.option("--peer", "peers", type=click.Choice(TRAINERS), multiple=True, default=TRAINERS)
@threads
@rounds(5)
@outputs("fit")
def main(
    shapes: str,
    cells: tuple[str, ...],
    seconds: float,
    peers: tuple[str, ...],
    threads: int | None,
    rounds: int,
    json_path: Path,
    output: Path,
) -> None:
    """Train every network on every peer that is there, in interleaved rounds, and compare."""
    console, n_threads = console_for_tables(), threads or default_threads()
    rows = []
    with open_peers(peers, n_threads, console.print) as processes:
        for cell in chosen_cells(shapes, cells):
            with console.status(f"{cell}: {CELLS[cell].describe()}"):
                rows.append(measure(cell, processes, n_threads, rounds, seconds))
            for note in rows[-1].notes():
                console.print(note)
    title = f"One training epoch, {n_threads} thread(s)"
    console.print(product_table(title, rows))
    write_json(json_path, {"n_threads": n_threads, "rows": rows})
    draw_epochs(rows, title, output)
    console.print(f"figures: {json_path}, picture: {output}")


def measure(
    cell: str, processes: dict[str, PeerProcess], n_threads: int, n_rounds: int, seconds: float
) -> PeerMeasurement:
    """Compare the first epoch's loss, then time fits in turn, of those that can train the cell."""
    able = {name: p for name, p in processes.items() if PEERS[name].can_train(CELLS[cell])}
    first = {name: process.fit(cell, 1) for name, process in able.items()}
    check_losses(cell, {name: fit.loss_curve[0] for name, fit in first.items()})
    # The first fit compiled what is compiled on first use; the second says how long an epoch is.
    second = {name: process.fit(cell, 1) for name, process in able.items()}
    compile_seconds = {
        name: fit.compile_seconds + max(0.0, first[name].seconds_per_epoch - fit.seconds_per_epoch)
        for name, fit in second.items()
    }
    slowest = max(fit.seconds_per_epoch for fit in second.values())
    n_epochs = int(np.clip(seconds / slowest, MIN_EPOCHS, MAX_EPOCHS))
    times: dict[str, list[float]] = {name: [] for name in able}
    for name in rounds_of(list(able), n_rounds):
        times[name].append(able[name].fit(cell, n_epochs).seconds_per_epoch)
    return PeerMeasurement(
        name=cell,
        detail=f"{CELLS[cell].describe()}; {n_epochs} epochs",
        n_elements=CELLS[cell].n_samples,
        flops=CELLS[cell].flops,
        n_bytes=0,
        n_threads=n_threads,
        peak=peak_of(np.dtype(CELLS[cell].dtype)),
        timings={name: Timing(tuple(values)) for name, values in times.items()},
        settings={name: fit.setting for name, fit in second.items()},
        compile_seconds=compile_seconds,
    )


def check_losses(cell: str, losses: dict[str, float]) -> None:
    """Raise WrongResultError unless all peers agree on the first epoch's loss."""
    exact = [loss for name, loss in losses.items() if name not in CLIPPING_PEERS]
    middle = float(np.nanmedian(exact or list(losses.values())))
    for name, loss in losses.items():
        if not abs(loss - middle) <= _loss_tolerance(cell, name) * middle:
            raise WrongResultError(f"{cell}: {name} ends its first epoch with {losses}")


def _loss_tolerance(cell: str, peer: str) -> float:
    if CELLS[cell].dropout:
        return DROPOUT_LOSS_TOLERANCE
    return CLIPPED_LOSS_TOLERANCE if peer in CLIPPING_PEERS else LOSS_TOLERANCE


if __name__ == "__main__":
    main()
