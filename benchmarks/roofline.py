"""Where an epoch's time goes, and what it can't go below: ``python benchmarks/roofline.py --help``.

How to read it stands in ``benchmarks/README.md``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import click
import numpy as np
from matplotlib.figure import Figure
from options import chosen_cells, console_for_tables, outputs, rounds, slices, threads
from results_file import Results, Slice, circumstances
from rich import box
from rich.table import Table
from roofline_parts import PARTS, batch_seconds, exchange_of, n_batches, traffic_of

from fastmlp.backends import get_backend
from fastmlp.backends.compiled import Exchange
from fastmlp.cli.epochs import CELLS, EpochRun, GridCell
from fastmlp.cli.measure import EPOCH_TOLERANCE, attainable_of, peak_of
from fastmlp.cli.timing import Timing, WrongResultError, interleave
from fastmlp.threads import default_threads

SHUFFLED, IN_ORDER, ALONE = "shuffled", "rows as they lie", "one thread"
#: A call of one batch's kernels is repeated for so long.
MIN_SECONDS = 0.01


@dataclass(frozen=True)
class Row:
    """One cell: measured seconds of an epoch and of its parts.

    Attributes
    ----------
    flops_floor, attainable_floor : float
        Seconds of its operations at the FMA peak, and at the microkernel's rate, of all threads.
    epochs : dict of str to Timing
        Of ``n_threads`` threads shuffled, of one thread shuffled, of one thread in order.
    kernels : dict of part to float
        Seconds that an epoch's kernels take alone on one thread.
    exchange : Exchange
        What a batch moves between the threads' caches.
    """

    name: str
    n_threads: int
    n_updates: int
    flops_floor: float
    attainable_floor: float
    traffic: dict[str, float]
    epochs: dict[str, Timing]
    kernels: dict[str, float]
    exchange: Exchange

    @property
    def key(self) -> tuple[str]:
        """What is measured once."""
        return (self.name,)

    @property
    def seconds(self) -> float:
        """The epoch on all threads."""
        return self.epochs[SHUFFLED].median

    @property
    def bytes_floor(self) -> float:
        """Seconds to move what has to be moved."""
        return sum(self.traffic.values())

    def shares(self) -> dict[str, float]:
        """Return where the epoch's time goes; the shares add up to 1.

        What runs on one thread is divided by the number of threads. "gather" includes drawing the
        order; "rest" is what the epoch on one thread takes beyond its parts: packing weights,
        adding up gradients, keeping the books. "team" is what the threads lose together: barriers,
        traffic between their caches, uneven shares.
        """
        alone, in_order = (self.epochs[way].median for way in (ALONE, IN_ORDER))
        parts = dict(self.kernels)
        parts["gather"] = alone - in_order
        parts["rest"] = in_order - sum(self.kernels.values())
        shares = {name: part / self.n_threads / self.seconds for name, part in parts.items()}
        shares["team"] = 1 - alone / self.n_threads / self.seconds
        return shares

    def as_dict(self) -> dict[str, Any]:
        """Return what a JSON report keeps."""
        epochs = {name: timing.as_dict() for name, timing in self.epochs.items()}
        figures = {"seconds": self.seconds, "bytes_floor": self.bytes_floor}
        parts = {"epochs": epochs, "shares": self.shares(), "exchange": self.exchange._asdict()}
        return asdict(self) | figures | parts


def restored(row: dict[str, Any]) -> Row:
    """Return the row of which the file of figures keeps this."""
    kept = {each.name: row[each.name] for each in fields(Row)}
    epochs = {name: Timing(tuple(timing["seconds"])) for name, timing in row["epochs"].items()}
    return Row(**kept | {"epochs": epochs, "exchange": Exchange(**row["exchange"])})


@click.command(context_settings={"show_default": True})
@click.option(
    "--cell", "cells", type=click.Choice(list(CELLS)), multiple=True, help="Default: the grid."
)
@slices()
@threads
@rounds(7)
@outputs("roofline")
def main(
    cells: tuple[str, ...],
    cut: Slice,
    threads: int | None,
    rounds: int,
    json_path: Path,
    output: Path,
) -> None:
    """Measure epochs and their kernels in turn, and the floors by arithmetic and by traffic."""
    console, n_threads = console_for_tables(), threads or default_threads()
    results = Results(json_path, circumstances(n_threads, []), restored).continued(cut)
    keys = [(name,) for name in chosen_cells("grid", cells)]
    for (name,) in results.lacking(keys):
        with console.status(name):
            results.add(measure(CELLS[name], n_threads, rounds))
    rows = [row for row in results.entries if row.key in keys]
    console.print(table_of(rows))
    console.print(exchanges_of(rows))
    draw(rows, output)
    console.print(f"figures: {json_path}, picture: {output}")
    results.end(keys, console)


def measure(cell: GridCell, n_threads: int, n_rounds: int) -> Row:
    """Check the first epoch's loss against the reference; time epochs and kernels in turn."""
    calls = epochs_of(cell, n_threads)
    check(cell, {name: call() for name, call in calls.items() if name != IN_ORDER})
    epochs = interleave(calls, n_rounds=n_rounds)
    kernels = batch_seconds(cell, n_rounds, MIN_SECONDS)
    updates = n_batches(cell)

    def floor_at(gflops: float) -> float:
        return cell.flops / (gflops * n_threads * 1e9)

    return Row(
        name=cell.name,
        n_threads=n_threads,
        n_updates=updates,
        flops_floor=floor_at(peak_of(np.dtype(cell.dtype))),
        attainable_floor=floor_at(attainable_of(np.dtype(cell.dtype))),
        traffic={item.what: item.seconds(n_threads) for item in traffic_of(cell)},
        epochs=epochs,
        kernels={part: updates * kernels[part] for part in PARTS},
        exchange=exchange_of(cell, n_threads),
    )


def epochs_of(cell: GridCell, n_threads: int) -> dict[str, Any]:
    """Return the three epochs; ``IN_ORDER`` spares the order and the gather."""
    backend, dtype = get_backend("compiled"), np.dtype(cell.dtype)
    in_order, rows = EpochRun(cell, backend, dtype, 1), np.arange(cell.n_samples)
    return {
        SHUFFLED: EpochRun(cell, backend, dtype, n_threads),
        ALONE: EpochRun(cell, backend, dtype, 1),
        IN_ORDER: lambda: in_order.on_order(rows),
    }


def check(cell: GridCell, losses: Mapping[str, float]) -> None:
    """Raise WrongResultError unless the first epochs end as the reference's does."""
    expected = EpochRun(cell, get_backend("numpy"), np.dtype(cell.dtype), 1)()
    for name, loss in losses.items():
        if not abs(loss - expected) <= EPOCH_TOLERANCE * expected:
            raise WrongResultError(f"{cell.name}, {name}: loss {loss}, the reference's {expected}")


def table_of(rows: Sequence[Row]) -> Table:
    """Return a line per cell: floors, the epoch, and where its time goes in percent."""
    title = f"Floors of an epoch, the epoch on {rows[0].n_threads} thread(s), percent of its time"
    table = Table(title=title, title_justify="left", box=box.HORIZONTALS)
    table.add_column("cell")
    headings = ("by flops", "by bytes", "epoch", "spread", "of peak", "of attainable")
    for heading in (*headings, *rows[0].shares()):
        table.add_column(heading, justify="right")
    for row in rows:
        spread = max(timing.spread for timing in row.epochs.values())
        table.add_row(
            row.name,
            *(f"{1e3 * s:.3g} ms" for s in (row.flops_floor, row.bytes_floor, row.seconds)),
            f"{100 * spread:.0f} %",
            f"{100 * row.flops_floor / row.seconds:.0f} %",
            f"{100 * row.attainable_floor / row.seconds:.0f} %",
            *(f"{100 * share:.0f}" for share in row.shares().values()),
        )
    return table


def exchanges_of(rows: Sequence[Row]) -> Table:
    """Return a line per cell: the bytes that each thread reads of others, by each way."""
    title = f"What each of {rows[0].n_threads} thread(s) reads of the others, KiB per batch"
    table = Table(title=title, title_justify="left", box=box.HORIZONTALS)
    table.add_column("cell")
    for heading in (*rows[0].exchange.n_bytes, "groups"):
        table.add_column(heading, justify="right")
    table.add_column("what travels")
    for row in rows:
        by_way = (f"{n_bytes / 1024:.4g}" for n_bytes in row.exchange.n_bytes.values())
        table.add_row(row.name, *by_way, str(row.exchange.n_groups), row.exchange.way)
    return table


def draw(rows: Sequence[Row], path: Path) -> None:
    """Draw each epoch as a bar of its parts, 100 long, with both floors marked on it."""
    figure = Figure(figsize=(10, 1.8 + 0.5 * len(rows)), layout="constrained")
    ax = figure.subplots()
    names = [row.name for row in rows]
    left = np.zeros(len(rows))
    for part in rows[0].shares():
        width = np.array([100 * max(0.0, row.shares()[part]) for row in rows])
        ax.barh(names, width, left=left, label=part, height=0.6)
        left += width
    for label, marker, floors in (
        ("floor by flops", "|", [row.flops_floor / row.seconds for row in rows]),
        ("floor by bytes", "x", [row.bytes_floor / row.seconds for row in rows]),
    ):
        ax.plot(100 * np.array(floors), names, "k" + marker, markersize=14, label=label)
    ax.set_xlabel("percent of the epoch")
    ax.invert_yaxis()
    ax.spines[["top", "right"]].set_visible(False)
    figure.legend(loc="outside lower center", ncols=4, frameon=False)
    figure.suptitle(f"Where an epoch's time goes, {rows[0].n_threads} thread(s)")
    figure.savefig(path, dpi=120)


if __name__ == "__main__":
    main()
