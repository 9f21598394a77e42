"""What a barrier costs, and training on a busy machine: ``python benchmarks/busy.py --help``.

While as many processes as there are threads do nothing but use the cores, the scheduler owes a fit
half of each core: its fair share is twice its time on an idle machine.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from time import perf_counter, sleep
from typing import Any

import click
import numpy as np
from matplotlib.figure import Figure
from options import chosen_cells, console_for_tables, outputs, rounds, threads
from rich import box
from rich.table import Table

from fastmlp.backends import get_backend
from fastmlp.backends.compiled import barrier_seconds
from fastmlp.cli.epochs import CELLS, EpochRun
from fastmlp.cli.report import write_json
from fastmlp.cli.timing import Timing, WrongResultError
from fastmlp.threads import default_threads

TARGET_BARRIER, TARGET_SHARE = 1e-6, 1.3
#: The scheduler needs some of its time slices to share a core out evenly.
SECONDS_TO_SETTLE = 0.05
USE_A_CORE = "while True: pass"


@dataclass(frozen=True)
class Row:
    """A cell's epoch on an idle and on a busy machine."""

    name: str
    idle: Timing
    busy: Timing

    @property
    def over_fair_share(self) -> float:
        """Time on the busy machine over twice the time on the idle one."""
        return self.busy.median / (2 * self.idle.median)

    def as_dict(self) -> dict[str, Any]:
        """Return what a JSON report keeps."""
        return asdict(self) | {
            "idle": self.idle.as_dict(),
            "busy": self.busy.as_dict(),
            "over_fair_share": self.over_fair_share,
        }


@click.command(context_settings={"show_default": True})
@click.option(
    "--cell", "cells", type=click.Choice(list(CELLS)), multiple=True, help="Default: the grid."
)
@threads
@rounds(7)
@click.option("--seconds", type=float, default=0.5, help="About how long a value lasts, idle.")
@outputs("busy")
def main(
    cells: tuple[str, ...],
    threads: int | None,
    rounds: int,
    seconds: float,
    json_path: Path,
    output: Path,
) -> None:
    """Time barriers, then epochs while the cores are idle and while other processes use them."""
    console, n_threads = console_for_tables(), threads or default_threads()
    names = chosen_cells("grid", cells)
    with busy_processes(n_threads) as others:
        barriers = measure_barriers(others, n_threads, rounds)
        console.print(barrier_table(barriers))
        rows = [measure(name, others, n_threads, rounds, seconds) for name in names]
    console.print(share_table(rows, n_threads))
    write_json(json_path, {"n_threads": n_threads, "barriers": barriers, "rows": rows})
    draw(rows, n_threads, output)
    console.print(f"figures: {json_path}, picture: {output}")


class Others:
    """Processes that use the cores, or are stopped."""

    def __init__(self, processes: Sequence[subprocess.Popen[bytes]]) -> None:
        self._processes = processes

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Let them run inside the block."""
        self._signal(signal.SIGCONT)
        sleep(SECONDS_TO_SETTLE)
        try:
            yield
        finally:
            self._signal(signal.SIGSTOP)

    def _signal(self, which: signal.Signals) -> None:
        for process in self._processes:
            os.kill(process.pid, which)


@contextmanager
def busy_processes(n: int) -> Iterator[Others]:
    """Start ``n`` processes that wait for ``at_work``, and end them after."""
    processes = [subprocess.Popen([sys.executable, "-c", USE_A_CORE]) for _ in range(n)]
    for process in processes:
        os.kill(process.pid, signal.SIGSTOP)
    try:
        yield Others(processes)
    finally:
        for process in processes:
            process.kill()
            process.wait()


def measure_barriers(others: Others, n_threads: int, n_rounds: int) -> dict[str, Timing]:
    """Return seconds per barrier for teams up to one member more than threads make sense."""
    sizes = range(2, n_threads + 2)
    times: dict[str, list[float]] = {}
    for _ in range(n_rounds):
        for n in sizes:
            times.setdefault(f"{n} threads, idle", []).append(barrier_seconds(n))
            with others.at_work():
                times.setdefault(f"{n} threads, busy", []).append(barrier_seconds(n))
    return {name: Timing(tuple(values)) for name, values in times.items()}


def measure(cell: str, others: Others, n_threads: int, n_rounds: int, seconds: float) -> Row:
    """Time epochs on the idle and on the busy machine in turn; their losses must be the same."""
    runs = {way: _Epochs(cell, n_threads) for way in ("idle", "busy")}
    n_epochs = max(1, round(seconds / runs["idle"](1)))
    runs["busy"](1)
    times: dict[str, list[float]] = {"idle": [], "busy": []}
    for _ in range(n_rounds):
        times["idle"].append(runs["idle"](n_epochs))
        with others.at_work():
            times["busy"].append(runs["busy"](n_epochs))
    if runs["idle"].losses != runs["busy"].losses:
        raise WrongResultError(f"{cell}: the losses depend on the machine's load")
    return Row(cell, *(Timing(tuple(times[way])) for way in ("idle", "busy")))


class _Epochs:
    """A network in training that keeps its losses."""

    def __init__(self, cell: str, n_threads: int) -> None:
        dtype = np.dtype(CELLS[cell].dtype)
        self._run = EpochRun(CELLS[cell], get_backend("compiled"), dtype, n_threads)
        self.losses: list[float] = []

    def __call__(self, n_epochs: int) -> float:
        """Return the seconds per epoch."""
        start = perf_counter()
        self.losses += [self._run() for _ in range(n_epochs)]
        return (perf_counter() - start) / n_epochs


def barrier_table(barriers: dict[str, Timing]) -> Table:
    """Return a line per team."""
    title = f"One barrier (target: two threads on an idle machine < {1e6 * TARGET_BARRIER:g} µs)"
    table = Table(
        "team", "median", "spread", title=title, title_justify="left", box=box.HORIZONTALS
    )
    for name, timing in barriers.items():
        median, least = (f"{1e6 * s:.3g} µs" for s in (timing.median, min(timing.seconds)))
        table.add_row(name, median, f"{100 * timing.spread:.0f} %", least)
    return table


def share_table(rows: Sequence[Row], n_threads: int) -> Table:
    """Return a line per cell."""
    title = (
        f"An epoch by {n_threads} thread(s) while {n_threads} processes use the cores "
        f"(target: ≤ {TARGET_SHARE:g} × the fair share)"
    )
    columns = ("cell", "idle", "spread", "busy", "spread", "over fair share")
    table = Table(*columns, title=title, title_justify="left", box=box.HORIZONTALS)
    for row in rows:
        figures = [
            figure
            for timing in (row.idle, row.busy)
            for figure in (f"{1e3 * timing.median:.3g} ms", f"{100 * timing.spread:.0f} %")
        ]
        table.add_row(row.name, *figures, f"{row.over_fair_share:.2f}")
    return table


def draw(rows: Sequence[Row], n_threads: int, path: Path) -> None:
    """Draw each cell's time over its fair share."""
    figure = Figure(figsize=(8, 1.4 + 0.4 * len(rows)), layout="constrained")
    ax = figure.subplots()
    ax.barh([row.name for row in rows], [row.over_fair_share for row in rows])
    ax.axvline(1, color="black", linewidth=0.8)
    ax.axvline(TARGET_SHARE, color="black", linewidth=0.8, linestyle=":")
    ax.set_xlabel("time over the fair share of a busy machine (1: nothing is lost; dotted: target)")
    ax.invert_yaxis()
    ax.spines[["top", "right"]].set_visible(False)
    figure.suptitle(f"{n_threads} thread(s) beside {n_threads} other processes")
    figure.savefig(path, dpi=120)


if __name__ == "__main__":
    main()
