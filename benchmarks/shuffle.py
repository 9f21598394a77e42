"""What the order and the gather of rows cost: ``python benchmarks/shuffle.py --help``.

An epoch on shuffled rows is set beside one on rows as they lie; the difference is what the order
costs, and the part of it that is not drawing the order is the gather.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import click
import numpy as np
from matplotlib.figure import Figure
from options import console_for_tables, outputs, rounds, threads
from rich import box
from rich.table import Table

from fastmlp.backends import get_backend
from fastmlp.cli.epochs import GRID, EpochRun
from fastmlp.cli.report import write_json
from fastmlp.cli.timing import Timing, WrongResultError, interleave
from fastmlp.threads import default_threads
from fastmlp.training.shuffling import shuffle

TARGET = 0.10
#: A network as small as any that one trains on so many rows: the gather shows most.
CELL = replace(GRID["tab64"], name="shuffle", n_samples=1_000_000)
WAYS = ("shuffled", "as they lie", "order alone")


@dataclass(frozen=True)
class Row:
    """Seconds of an epoch on X as one type; shares are of the shuffled epoch."""

    name: str
    timings: dict[str, Timing]

    def _median(self, way: str) -> float:
        return self.timings[way].median

    @property
    def order_share(self) -> float:
        """Share of the epoch in which the order is drawn."""
        return self._median("order alone") / self._median("shuffled")

    @property
    def whole_share(self) -> float:
        """Share of the epoch that rows as they lie would spare: order and gather."""
        return 1 - self._median("as they lie") / self._median("shuffled")

    def as_dict(self) -> dict[str, Any]:
        """Return what a JSON report keeps."""
        shares = {"order_share": self.order_share, "whole_share": self.whole_share}
        timings = {way: timing.as_dict() for way, timing in self.timings.items()}
        return asdict(self) | shares | {"timings": timings}


@click.command(context_settings={"show_default": True})
@click.option("--samples", type=click.IntRange(min=256), default=CELL.n_samples)
@threads
@rounds(7)
@outputs("shuffle")
def main(samples: int, threads: int | None, rounds: int, json_path: Path, output: Path) -> None:
    """Train 16-64-64-1 on rows of every type, shuffled and as they lie, in turn."""
    console, n_threads = console_for_tables(), threads or default_threads()
    with TemporaryDirectory() as folder:
        rows = measure(samples, n_threads, rounds, Path(folder))
    console.print(table_of(rows, samples, n_threads))
    write_json(json_path, {"n_samples": samples, "n_threads": n_threads, "rows": rows})
    draw(rows, output)
    console.print(f"figures: {json_path}, picture: {output}")


def measure(n_samples: int, n_threads: int, n_rounds: int, folder: Path) -> list[Row]:
    """Time the epochs on every type of X; all hold the same values, so the losses are the same."""
    inputs = inputs_of(n_samples, folder)
    rows, first_losses = [], {}
    for name, X in inputs.items():
        calls, first_losses[name] = calls_on(X, n_threads)
        rows.append(Row(name, interleave(calls, n_rounds=n_rounds)))
    if len(set(first_losses.values())) > 1:
        raise WrongResultError(f"the same values give different losses: {first_losses}")
    return rows


def inputs_of(n_samples: int, folder: Path) -> Mapping[str, np.ndarray]:
    """Return X (N, 16) with the same small whole numbers in every type, and in a memory map."""
    shape = (n_samples, CELL.layer_sizes[0])
    whole = np.random.default_rng(0).integers(0, 4, size=shape, dtype=np.uint8)
    mapped = np.memmap(folder / "X.bin", np.float32, "w+", shape=shape)
    mapped[...] = whole
    mapped.flush()
    return {
        "uint8": whole,
        "float32": whole.astype(np.float32),
        "float64": whole.astype(np.float64),
        "float32, mapped": np.memmap(folder / "X.bin", np.float32, "r", shape=shape),
    }


def calls_on(X: np.ndarray, n_threads: int) -> tuple[dict[str, Any], float]:
    """Return the epochs to time, and the loss of a first one in each order."""
    cell = replace(CELL, n_samples=len(X))
    shuffled, in_order = (
        EpochRun(cell, get_backend("compiled"), np.dtype(np.float32), n_threads) for _ in range(2)
    )
    shuffled.X = in_order.X = X
    loss = shuffled() + in_order.on_order(np.arange(len(X)))
    rng, order = np.random.RandomState(0), np.arange(len(X))
    as_they_lie = np.arange(len(X))
    calls = {
        "shuffled": shuffled,
        "as they lie": lambda: in_order.on_order(as_they_lie),
        "order alone": lambda: shuffle(rng, order),
    }
    return calls, loss


def table_of(rows: Sequence[Row], n_samples: int, n_threads: int) -> Table:
    """Return a line per type."""
    title = (
        f"16-64-64-1, {n_samples:,} rows, batch {CELL.batch_size}, {n_threads} thread(s) "
        f"(target: order and gather ≤ {100 * TARGET:g} % of the epoch)"
    )
    table = Table(title=title, title_justify="left", box=box.HORIZONTALS)
    table.add_column("X")
    for heading in (*WAYS, "widest spread", "order", "gather", "together"):
        table.add_column(heading, justify="right")
    for row in rows:
        times = [f"{1e3 * row.timings[way].median:.4g} ms" for way in WAYS]
        spread = max(timing.spread for timing in row.timings.values())
        shares = (row.order_share, row.whole_share - row.order_share, row.whole_share)
        percent = [f"{100 * share:.1f} %" for share in shares]
        table.add_row(row.name, *times, f"{100 * spread:.0f} %", *percent)
    return table


def draw(rows: Sequence[Row], path: Path) -> None:
    """Draw the shares of order and gather, stacked."""
    figure = Figure(figsize=(8, 1.4 + 0.4 * len(rows)), layout="constrained")
    ax = figure.subplots()
    names = [row.name for row in rows]
    orders = [100 * row.order_share for row in rows]
    gathers = [100 * (row.whole_share - row.order_share) for row in rows]
    ax.barh(names, orders, label="drawing the order")
    ax.barh(names, gathers, left=orders, label="gathering the rows")
    ax.axvline(100 * TARGET, color="black", linewidth=0.8, linestyle=":")
    ax.set_xlabel("percent of the epoch (dotted: target)")
    ax.invert_yaxis()
    ax.legend(frameon=False)
    ax.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=120)


if __name__ == "__main__":
    main()
