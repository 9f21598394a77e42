"""Time the three products of a layer beside others': ``python benchmarks/gemm.py --help``.

One thread each, every candidate in a process of its own, because OpenBLAS reads its settings when
it is loaded. NumPy and PyTorch are asked for the product alone; the core adds the bias, or sums up
the bias's gradient, as well.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import click
import numpy as np
from candidates.blas import blas_kernels
from candidates.workers import FREE_CHOICE, start_process
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from options import console_for_tables, outputs, rounds, slices
from products import (
    KINDS,
    Call,
    Operands,
    Shape,
    check,
    core_call,
    numpy_call,
    packed_call,
    torch_call,
)
from results_file import Results, Slice, circumstances
from rich import box
from rich.table import Table

from fastmlp.backends.compiled import available_isas
from fastmlp.cli.measure import attainable_of, peak_of
from fastmlp.cli.timing import Timing, interleave, rounds_of

SIZES = (16, 32, 37, 53, 64, 97, 128, 131, 256, 512, 1000, 1024, 2048)
SQUARES = tuple(Shape(n, n, n) for n in SIZES)
#: Layers of networks: those of the grid and some odd ones.
LAYERS = tuple(
    Shape(*sizes)
    for sizes in (
        (64, 8, 32),
        (64, 32, 32),
        (64, 32, 1),
        (32, 13, 37),
        (32, 37, 53),
        (4096, 37, 53),
        (256, 16, 64),
        (256, 64, 64),
        (200, 64, 100),
        (200, 100, 10),
        (256, 128, 128),
        (200, 784, 100),
        (128, 784, 512),
        (128, 512, 512),
        (1024, 784, 2048),
        (1024, 2048, 2048),
    )
)
SHAPES = [*SQUARES, *LAYERS]
OURS = {"fastmlp": core_call, "fastmlp packed": packed_call}
RIVALS = {"NumPy": numpy_call, "NumPy SkylakeX": numpy_call, "PyTorch": torch_call}
CALLS = OURS | RIVALS
#: What ours are meant to reach of the best rival, and of the attainable rate from this size on.
TARGET, LEAST_SIZE = 0.95, 256
#: How long a value lasts at least, so that the clock and the call from Python do not matter.
MIN_SECONDS = 0.01


@dataclass(frozen=True)
class Row:
    """One product of one shape: seconds per call of each candidate."""

    kind: str
    shape: Shape
    dtype: str
    peak: float
    attainable: float
    timings: dict[str, Timing]

    @property
    def key(self) -> tuple[str, str, str]:
        """What is measured once."""
        return self.kind, str(self.shape), self.dtype

    def gflops(self, name: str) -> float:
        """Return the median speed in GFLOP/s."""
        return self.shape.flops / self.timings[name].median / 1e9

    def percent(self, name: str) -> float:
        """Return the percentage of the FMA peak."""
        return 100 * self.gflops(name) / self.peak

    def best(self, ours: bool) -> float:
        """Return the speed of our best candidate, or of the best rival, in GFLOP/s."""
        return max(self.gflops(name) for name in self.timings if (name in OURS) == ours)

    @property
    def over_rival(self) -> float:
        """Our best speed over the best rival's."""
        return self.best(ours=True) / self.best(ours=False)

    @property
    def attained(self) -> float:
        """Our best speed over the attainable one."""
        return self.best(ours=True) / self.attainable

    def as_dict(self) -> dict[str, Any]:
        """Return what the file of figures keeps."""
        timings = {name: timing.as_dict() for name, timing in self.timings.items()}
        return asdict(self) | {"timings": timings}


def restored(row: dict[str, Any]) -> Row:
    """Return the row of which the file of figures keeps this."""
    timings = {name: Timing(tuple(kept["seconds"])) for name, kept in row["timings"].items()}
    return Row(**row | {"shape": Shape(*row["shape"]), "timings": timings})


@click.command(context_settings={"show_default": True})
@click.option("--size", "sizes", type=click.IntRange(min=1), multiple=True, help="Squares only.")
@click.option("--dtype", "dtypes", multiple=True, default=["float32", "float64"])
@slices()
@rounds(7)
@outputs("gemm")
def main(
    sizes: tuple[int, ...],
    dtypes: tuple[str, ...],
    cut: Slice,
    rounds: int,
    json_path: Path,
    output: Path,
) -> None:
    """Check and time the products of squares and of typical layers."""
    console = console_for_tables()
    shapes = {str(shape): shape for shape in [Shape(n, n, n) for n in sizes] or SHAPES}
    results = Results(json_path, circumstances(1, ["torch"]), restored).continued(cut)
    keys = [(kind, shape, dtype) for dtype in dtypes for shape in shapes for kind in KINDS]
    with open_candidates() as processes:
        for name, process in processes.items():
            console.print(f"[bold]{name}[/]: {process.submit(blas_kernels).result()}")
        for kind, shape, dtype in results.lacking(keys):
            with console.status(f"{kind} {shape}, {dtype}"):
                results.add(measure(processes, kind, shapes[shape], dtype, rounds))
    rows = sorted(
        (row for row in results.entries if row.key in keys), key=lambda r: keys.index(r.key)
    )
    console.print(table_of(rows))
    console.print("\n".join(summary(rows)))
    draw(rows, output)
    console.print(f"figures: {json_path}, picture: {output}")
    results.end(keys, console)


@contextmanager
def open_candidates() -> Iterator[dict[str, ProcessPoolExecutor]]:
    """Start a process for each candidate, our own first, and end them after."""
    environments: dict[str, Mapping[str, str | None]] = dict.fromkeys(OURS, FREE_CHOICE)
    environments["NumPy"] = FREE_CHOICE
    if "v4" in available_isas() and "SkylakeX" not in blas_kernels():
        environments["NumPy SkylakeX"] = FREE_CHOICE | {"OPENBLAS_CORETYPE": "SkylakeX"}
    if find_spec("torch"):
        environments["PyTorch"] = FREE_CHOICE
    processes = {name: start_process(changes, 1) for name, changes in environments.items()}
    try:
        yield processes
    finally:
        for process in processes.values():
            process.shutdown()


def measure(
    processes: Mapping[str, ProcessPoolExecutor],
    kind: str,
    shape: Shape,
    dtype: str,
    n_rounds: int,
) -> Row:
    """Check each candidate's result, then time them in turn."""
    able = [
        name
        for name, process in processes.items()
        if process.submit(check_product, name, kind, shape, dtype).result()
    ]
    times: dict[str, list[float]] = {name: [] for name in able}
    for name in rounds_of(able, n_rounds):
        job = processes[name].submit(time_product, name, kind, shape, dtype)
        times[name].append(job.result())
    timings = {name: Timing(tuple(values)) for name, values in times.items()}
    speeds = (speed_of(np.dtype(dtype)) for speed_of in (peak_of, attainable_of))
    return Row(kind, shape, dtype, *speeds, timings)


@lru_cache(maxsize=1)
def _operands(shape: Shape, dtype: str) -> Operands:
    return Operands(shape, np.dtype(dtype))


@lru_cache(maxsize=1)
def _call(name: str, kind: str, shape: Shape, dtype: str) -> Call | None:
    return CALLS[name](kind, _operands(shape, dtype))


def check_product(name: str, kind: str, shape: Shape, dtype: str) -> bool:
    """Return whether this process's candidate has such a product, and see that it is right."""
    call = _call(name, kind, shape, dtype)
    if call is not None:
        check(kind, _operands(shape, dtype), call, name)
    return call is not None


def time_product(name: str, kind: str, shape: Shape, dtype: str) -> float:
    """Return the seconds per call, in this process."""
    call = _call(name, kind, shape, dtype)
    assert call is not None
    return interleave({name: call.run}, n_rounds=1, min_seconds=MIN_SECONDS)[name].median


def table_of(rows: Sequence[Row]) -> Table:
    """Return a line per product: percent of the FMA peak, our best beside what it could be."""
    names = _names(rows)
    table = Table(title="Percent of the FMA peak, one thread", title_justify="left")
    table.box = box.HORIZONTALS
    table.add_column("B×I×O", no_wrap=True)
    for heading in ("type", "product"):
        table.add_column(heading)
    for heading in (*names, "ours ÷ best rival", "÷ attainable", "widest spread"):
        table.add_column(heading, justify="right")
    for row in rows:
        percent = [f"{row.percent(name):.1f}" if name in row.timings else "" for name in names]
        spread = max(timing.spread for timing in row.timings.values())
        ratios = f"{row.over_rival:.2f}", f"{row.attained:.2f}"
        table.add_row(
            str(row.shape), row.dtype, row.kind, *percent, *ratios, f"{100 * spread:.0f} %"
        )
    return table


def summary(rows: Sequence[Row]) -> Iterator[str]:
    """Yield how many products reach what they are meant to."""
    ahead = sum(row.over_rival >= TARGET for row in rows)
    yield f"at least {100 * TARGET:g} % of the best rival: {ahead} of {len(rows)} products"
    large = [row for row in rows if min(row.shape) >= LEAST_SIZE]
    reached = sum(row.attained >= TARGET for row in large)
    yield (
        f"at least {100 * TARGET:g} % of the attainable rate: {reached} of {len(large)} products "
        f"from {LEAST_SIZE} up"
    )


def _names(rows: Sequence[Row]) -> list[str]:
    return list(dict.fromkeys(name for row in rows for name in row.timings))


def draw(rows: Sequence[Row], path: Path) -> None:
    """Draw a column per product and a row per real type and group of shapes."""
    lines = list(dict.fromkeys((row.dtype, row.shape in SQUARES) for row in rows))
    size = (15, 1 + 3.6 * len(lines))
    figure = Figure(figsize=size, layout="constrained")
    axes = figure.subplots(len(lines), len(KINDS), squeeze=False)
    for line, (dtype, is_square) in zip(axes, lines, strict=True):
        for ax, kind in zip(line, KINDS, strict=True):
            part = [r for r in rows if (r.dtype, r.shape in SQUARES) == (dtype, is_square)]
            _draw_lines(ax, [r for r in part if r.kind == kind], _names(rows), is_square)
            ax.set_title(f"{kind}, {dtype}", fontsize=10)
        line[0].set_ylabel("percent of the FMA peak")
    handles, labels = axes[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=4, frameon=False)
    figure.suptitle("The products of a layer, one thread")
    figure.savefig(path, dpi=110)


def _draw_lines(ax: Axes, rows: Sequence[Row], names: Sequence[str], is_square: bool) -> None:
    for name in names:
        percent = [row.percent(name) if name in row.timings else np.nan for row in rows]
        ax.plot(percent, "o-" if is_square else "o", label=name, markersize=4)
    labels = [str(row.shape.rows) if is_square else str(row.shape) for row in rows]
    ax.set_xticks(range(len(rows)), labels, rotation=90, fontsize=7)
    ax.set_ylim(0, 105)
    ax.axhline(100, color="black", linewidth=0.8)
    ax.grid(linewidth=0.4)
    ax.spines[["top", "right"]].set_visible(False)


if __name__ == "__main__":
    main()
