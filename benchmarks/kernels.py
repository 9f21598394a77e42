"""Time the three matrix products over sizes: ``python benchmarks/kernels.py --help``.

``fastmlp bench`` times every kernel at one size; this is the sweep over sizes, on one thread.
"""

from __future__ import annotations

from pathlib import Path

import click
import numpy as np
from rich.console import Console

from fastmlp.backends import BACKENDS
from fastmlp.backends.compiled import fma_peak
from fastmlp.cli.kernels import kernel_cases
from fastmlp.cli.measure import Effort, measure_kernel
from fastmlp.cli.report import product_table, write_json

#: Rows, fan-in and fan-out: powers of two, and odd sizes that no tile divides.
SIZES = (16, 32, 37, 64, 127, 128, 256, 512, 1000, 1024, 2048)


@click.command(context_settings={"show_default": True})
@click.option("--size", "sizes", type=click.IntRange(min=1), multiple=True, default=SIZES)
@click.option(
    "--backend",
    "backends",
    type=click.Choice(list(BACKENDS)),
    multiple=True,
    default=["compiled", "numpy"],
)
@click.option("--dtype", type=click.Choice(["float32", "float64"]), default="float32")
@click.option("--json", "json_path", type=click.Path(path_type=Path), default="bench-kernels.json")
def main(sizes: tuple[int, ...], backends: tuple[str, ...], dtype: str, json_path: Path) -> None:
    """Check and time square products of every size on every backend."""
    console, peak = Console(), fma_peak(np.dtype(dtype))
    rows = [
        measure_kernel(case, backends, Effort())
        for size in sizes
        for case in kernel_cases(np.dtype(dtype), size, size, size)
        if case.flops
    ]
    console.print(product_table(f"Products, {dtype}, one thread", rows, peak))
    write_json(json_path, {"fma_peak_gflops": peak, "rows": rows})
    console.print(f"figures: {json_path}")


if __name__ == "__main__":
    main()
