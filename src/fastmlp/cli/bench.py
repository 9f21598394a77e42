"""``fastmlp bench``: kernels and epochs on every backend, beside this machine's FMA peak."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rich.console import Console

from fastmlp.cli.epochs import GRID
from fastmlp.cli.kernels import kernel_cases
from fastmlp.cli.measure import (
    Effort,
    Measurement,
    attainable_of,
    measure_epoch,
    measure_kernel,
    peak_of,
)
from fastmlp.cli.report import draw_measurements, elementwise_table, product_table, write_json
from fastmlp.validation.wording import counted

__all__ = ["Bench", "run"]


@dataclass(frozen=True)
class Bench:
    """What to measure, on what, and where to write it."""

    backends: tuple[str, ...]
    cells: tuple[str, ...]
    dtype: np.dtype
    n_threads: int
    effort: Effort
    picture: Path
    json: Path | None


def run(bench: Bench, console: Console) -> None:
    """Measure, print the tables, write the picture and the JSON file.

    Raises
    ------
    WrongResultError
        A backend's result differs from the reference's.
    """
    name = bench.dtype.name
    with console.status("measuring the FMA peak") as status:
        peak, attainable = peak_of(bench.dtype), attainable_of(bench.dtype)
        kernels = _measure_kernels(bench, status.update)
        epochs = _measure_epochs(bench, status.update)
    products = [row for row in kernels if row.flops]
    others = [row for row in kernels if not row.flops]
    console.print(f"FMA peak of one thread, {name}: [bold]{peak:.0f} GFLOP/s[/]")
    console.print(f"attained by the microkernel alone: [bold]{attainable:.0f} GFLOP/s[/]\n")
    console.print(product_table(f"Matrix products, {name}, one thread", products))
    console.print(elementwise_table(f"Element-wise kernels, {name}, one thread", others))
    console.print(product_table(f"Epochs, {name}, {counted(bench.n_threads, 'thread')}", epochs))
    title = f"{name}; one thread's FMA peak is {peak:.0f} GFLOP/s"
    draw_measurements(products + epochs, others, title, bench.picture)
    console.print(f"picture: {bench.picture}")
    if bench.json is not None:
        speeds = {"fma_peak_gflops": peak, "attainable_gflops": attainable}
        write_json(bench.json, {**speeds, "rows": [*kernels, *epochs]})
        console.print(f"figures: {bench.json}")


def _measure_kernels(bench: Bench, say: Callable[[str], None]) -> list[Measurement]:
    rows = []
    for case in kernel_cases(bench.dtype):
        say(f"{case.name} on {', '.join(bench.backends)}")
        rows.append(measure_kernel(case, bench.backends, bench.effort))
    return rows


def _measure_epochs(bench: Bench, say: Callable[[str], None]) -> list[Measurement]:
    rows = []
    for name in bench.cells:
        say(f"epochs of {name} on {', '.join(bench.backends)}")
        rows.append(
            measure_epoch(GRID[name], bench.backends, bench.dtype, bench.n_threads, bench.effort)
        )
    return rows
