"""Time the element-wise kernels from caches to memory: ``python benchmarks/kernels.py --help``.

Activations, losses, dropout and optimisers, as the registry lists them, on one thread, beside the
bandwidth of a copy within as many bytes. The products have a command of their own: ``gemm.py``.
"""

from __future__ import annotations

from pathlib import Path

import click
import numpy as np
from bandwidth import copy_bandwidth
from matplotlib.figure import Figure
from options import console_for_tables, outputs
from rich import box
from rich.table import Table

from fastmlp.backends import BACKENDS
from fastmlp.cli.kernels import KernelCase, elementwise_cases
from fastmlp.cli.measure import Effort, Measurement, measure_kernel
from fastmlp.cli.report import write_json

#: Rows × width: in the first cache, in the second, and beyond all of them. The losses have as many
#: rows, but ten columns.
SIZES = {"L1": (64, 32), "L2": (1024, 32), "memory": (2**18, 64)}
#: Of a copy's bandwidth, for activations beyond the caches.
TARGET = 70


@click.command(context_settings={"show_default": True})
@click.option("--size", "sizes", type=click.Choice(list(SIZES)), multiple=True, default=list(SIZES))
@click.option(
    "--backend", "backends", type=click.Choice(list(BACKENDS)), multiple=True, default=["compiled"]
)
@click.option("--dtype", type=click.Choice(["float32", "float64"]), default="float32")
@click.option("--quick", is_flag=True, help="Fewer and shorter runs.")
@outputs("kernels")
def main(
    sizes: tuple[str, ...],
    backends: tuple[str, ...],
    dtype: str,
    quick: bool,
    json_path: Path,
    output: Path,
) -> None:
    """Check and time every element-wise kernel at every size on every backend."""
    console, effort = console_for_tables(), Effort.quick() if quick else Effort()
    rows: dict[str, list[Measurement]] = {}
    for size in sizes:
        with console.status(size):
            cases = element_wise_cases(size, np.dtype(dtype))
            rows[size] = [measure_kernel(case, backends, effort) for case in cases]
    copies = {size: copy_bandwidth(set_bytes(size, dtype), 1) for size in sizes}
    console.print(table_of(rows, copies, dtype))
    write_json(json_path, {"copy_gbytes": copies, "rows": rows})
    draw(rows, copies, dtype, output)
    console.print(f"figures: {json_path}, picture: {output}")


def element_wise_cases(size: str, dtype: np.dtype) -> list[KernelCase]:
    """Return the cases of one size; an optimiser's parameters are as many as the elements."""
    n_rows, width = SIZES[size]
    return list(elementwise_cases(dtype, n_rows, width, n_weights=n_rows * width))


def set_bytes(size: str, dtype: str) -> int:
    """Return the bytes of z, h and the slope: what an activation reads and writes."""
    n_rows, width = SIZES[size]
    return 3 * n_rows * width * np.dtype(dtype).itemsize


def table_of(rows: dict[str, list[Measurement]], copies: dict[str, float], dtype: str) -> Table:
    """Return a line per kernel and backend; for each size ns per element and percent of a copy."""
    title = f"Element-wise kernels, {dtype}, one thread: ns per element, percent of a copy"
    table = Table(title=title, title_justify="left", box=box.HORIZONTALS)
    table.add_column("kernel", no_wrap=True)
    table.add_column("on")
    for size, copy in copies.items():
        table.add_column(f"{size}: ns", justify="right")
        table.add_column(f"of {copy:.0f} GB/s", justify="right")
        table.add_column("spread", justify="right")
    for same_kernel in zip(*rows.values(), strict=True):
        for backend in same_kernel[0].timings:
            figures = []
            for row, copy in zip(same_kernel, copies.values(), strict=True):
                figures += [
                    f"{row.nanoseconds(backend):.3f}",
                    f"{100 * row.gbytes(backend) / copy:.0f} %",
                    f"{100 * row.timings[backend].spread:.0f} %",
                ]
            table.add_row(same_kernel[0].name, backend, *figures)
    return table


def draw(
    rows: dict[str, list[Measurement]], copies: dict[str, float], dtype: str, path: Path
) -> None:
    """Draw each kernel's traffic in percent of a copy's, a panel per size."""
    n_kernels = len(next(iter(rows.values())))
    figure = Figure(figsize=(5 + 3.2 * len(rows), 1.8 + 0.3 * n_kernels), layout="constrained")
    for ax, (size, measured) in zip(
        np.ravel(figure.subplots(1, len(rows), sharey=True)), rows.items(), strict=True
    ):
        for backend in measured[0].timings:
            percent = [100 * row.gbytes(backend) / copies[size] for row in measured]
            ax.plot(percent, [row.name for row in measured], "o", label=backend)
        ax.axvline(TARGET, color="black", linewidth=0.8, linestyle=":")
        ax.set_title(f"{size}: percent of a copy", fontsize=10)
        ax.set_xlim(left=0)
        ax.grid(linewidth=0.4)
        ax.spines[["top", "right"]].set_visible(False)
    ax.invert_yaxis()
    handles, labels = ax.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=4, frameon=False)
    figure.suptitle(f"Element-wise kernels, {dtype}, one thread")
    figure.savefig(path, dpi=120)


if __name__ == "__main__":
    main()
