"""Measurements as tables, as a picture and as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from rich.table import Table

from fastmlp.cli.measure import Measurement
from fastmlp.config import config_dict

__all__ = ["draw_measurements", "elementwise_table", "product_table", "write_json"]


def product_table(title: str, rows: Sequence[Measurement], peak: float) -> Table:
    """Return time, GFLOP/s and percent of the FMA peak (GFLOP/s of one thread) per backend."""
    table = _table(title, "GFLOP/s", "of peak")
    for row in rows:
        for backend in row.timings:
            _add(
                table,
                row,
                backend,
                f"{row.gflops(backend):.3g}",
                f"{100 * row.peak_fraction(backend, peak):.1f} %",
            )
        table.add_section()
    return table


def elementwise_table(title: str, rows: Sequence[Measurement]) -> Table:
    """Return time, ns per element and GB/s per backend."""
    table = _table(title, "ns/element", "GB/s")
    for row in rows:
        for backend in row.timings:
            _add(
                table,
                row,
                backend,
                f"{row.nanoseconds(backend):.3g}",
                f"{row.gbytes(backend):.3g}",
            )
        table.add_section()
    return table


def _table(title: str, *figures: str) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold")
    for name in ("what", "size", "backend"):
        table.add_column(name, overflow="fold")
    for name in ("median", "spread", *figures):
        table.add_column(name, justify="right", no_wrap=True)
    return table


def _add(table: Table, row: Measurement, backend: str, *figures: str) -> None:
    """Add a line; what is measured stands only in the first line of its section."""
    first = backend == next(iter(row.timings))
    timing = row.timings[backend]
    table.add_row(
        row.name if first else "",
        row.detail if first else "",
        backend,
        _duration(timing.median),
        f"{100 * timing.spread:.0f} %",
        *figures,
    )


def _duration(seconds: float) -> str:
    for unit, factor in (("s", 1.0), ("ms", 1e3)):
        if seconds * factor >= 1:
            return f"{seconds * factor:.3g} {unit}"
    return f"{seconds * 1e6:.3g} µs"


def write_json(path: Path, results: Mapping[str, Any]) -> None:
    """Write results with the machine's and the build's description beside them."""
    document = {"config": config_dict(), **results}
    path.write_text(json.dumps(document, indent=1, default=Measurement.as_dict) + "\n")


def draw_measurements(
    products: Sequence[Measurement],
    others: Sequence[Measurement],
    peak: float,
    title: str,
    path: Path,
) -> None:
    """Draw products and epochs in percent of the peak, element-wise kernels in ns per element."""
    figure = Figure(figsize=(12, 1.5 + 0.42 * max(len(products), len(others))))
    figure.set_layout_engine("constrained")
    left, right = figure.subplots(1, 2)
    percent = {
        row.name: {name: 100 * row.peak_fraction(name, peak) for name in row.timings}
        for row in products
    }
    _draw_bars(left, percent, "percent of the FMA peak")
    left.axvline(100, color="black", linewidth=0.8)
    _draw_bars(
        right,
        {row.name: {name: row.nanoseconds(name) for name in row.timings} for row in others},
        "ns per element",
    )
    right.set_xscale("log")
    figure.suptitle(title)
    handles, labels = left.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=len(labels), frameon=False)
    figure.savefig(path, dpi=120)


def _draw_bars(ax: Axes, values: dict[str, dict[str, float]], xlabel: str) -> None:
    """Draw one group of bars a row, one bar a backend, from top to bottom."""
    backends = list(next(iter(values.values())))
    position = np.arange(len(values))
    height = 0.8 / len(backends)
    for i, backend in enumerate(backends):
        ax.barh(
            position + (i - (len(backends) - 1) / 2) * height,
            [row[backend] for row in values.values()],
            height,
            label=backend,
            color=f"C{i}",
        )
    ax.set_yticks(position, list(values))
    ax.invert_yaxis()
    ax.set_xlabel(xlabel)
    ax.spines[["top", "right"]].set_visible(False)
    ax.grid(axis="x", linewidth=0.4)
    ax.set_axisbelow(True)
