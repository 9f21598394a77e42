"""Measurements as tables, as a picture and as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from operator import methodcaller
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from rich import box
from rich.table import Table

from fastmlp.cli.measure import Measurement
from fastmlp.cli.output import save_figure, writing
from fastmlp.config import config_dict

__all__ = [
    "draw_measurements",
    "elementwise_table",
    "product_table",
    "write_json",
]


def product_table(title: str, rows: Sequence[Measurement]) -> Table:
    """Return time, GFLOP/s, percent of the FMA peak and of the microkernel's rate per candidate."""
    table = _table(title, rows, "GFLOP/s", "of peak", "of attainable")
    for row in rows:
        gflops = [f"{row.gflops(name):.3g}" for name in row.timings]
        percent = [f"{100 * row.peak_fraction(name):.1f} %" for name in row.timings]
        attained = [f"{100 * row.attainable_fraction(name):.1f} %" for name in row.timings]
        _add(table, row, gflops, percent, attained)
    return table


def elementwise_table(title: str, rows: Sequence[Measurement]) -> Table:
    """Return time, ns per element and GB/s per candidate."""
    table = _table(title, rows, "ns/element", "GB/s")
    for row in rows:
        nanoseconds = [f"{row.nanoseconds(name):.3g}" for name in row.timings]
        gbytes = [f"{row.gbytes(name):.3g}" for name in row.timings]
        _add(table, row, nanoseconds, gbytes)
    return table


def _table(title: str, rows: Sequence[Measurement], *figures: str) -> Table:
    """Return an empty table; all rows have the same first candidate, the others' measure."""
    table = Table(title=title, title_justify="left", title_style="bold", box=box.HORIZONTALS)
    table.pad_edge = False
    table.add_column("what", overflow="fold", min_width=12)
    table.add_column("on", no_wrap=True)
    for heading in ("median", "spread", f"÷ {rows[0].reference}", *figures):
        table.add_column(heading, justify="right", no_wrap=True)
    return table


def _add(table: Table, row: Measurement, *figures: Sequence[str]) -> None:
    """Add a measurement: a line per candidate within one row of the table."""
    timings = row.timings.values()
    columns = (
        row.timings,
        [_duration(timing.median) for timing in timings],
        [f"{100 * timing.spread:.0f} %" for timing in timings],
        [f"{row.ratio(name):.3g}" for name in row.timings],
        *figures,
    )
    table.add_row(
        f"{row.name.replace('_', ' ')}\n[dim]{row.detail}[/]",
        *("\n".join(column) for column in columns),
    )
    table.add_section()


def _duration(seconds: float) -> str:
    for unit, factor in (("s", 1.0), ("ms", 1e3)):
        if seconds * factor >= 1:
            return f"{seconds * factor:.3g} {unit}"
    return f"{seconds * 1e6:.3g} µs"


def write_json(path: Path, results: Mapping[str, Any]) -> None:
    """Write results with the machine's and the build's description beside them."""
    document = {"config": config_dict(), **results}
    text = json.dumps(document, indent=1, default=methodcaller("as_dict")) + "\n"
    with writing(path):
        path.write_text(text)


def draw_measurements(
    products: Sequence[Measurement],
    others: Sequence[Measurement],
    title: str,
    path: Path,
) -> None:
    """Draw products and epochs in percent of the peak, element-wise kernels in ns per element."""
    figure = Figure(figsize=(13, 1.8 + 0.42 * max(len(products), len(others))))
    figure.set_layout_engine("constrained", w_pad=0.12, h_pad=0.08)
    left, right = figure.subplots(1, 2)
    _draw_peak_fractions(left, products)
    nanoseconds = {
        row.name: {name: row.nanoseconds(name) for name in row.timings} for row in others
    }
    _draw_dots(right, nanoseconds, "ns per element (less is better)")
    _finish(figure, left, title, path)


def _draw_peak_fractions(ax: Axes, rows: Sequence[Measurement]) -> None:
    percent = {
        row.name: {name: 100 * row.peak_fraction(name) for name in row.timings} for row in rows
    }
    _draw_bars(ax, percent, "percent of the FMA peak (more is better)")
    ax.axvline(100, color="black", linewidth=0.8)


def _finish(figure: Figure, ax: Axes, title: str, path: Path) -> None:
    """Add what stands once a figure, title and legend, and write the file."""
    figure.suptitle(title)
    handles, labels = ax.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=len(labels), frameon=False)
    save_figure(figure, path)


def _draw_bars(ax: Axes, values: Mapping[str, Mapping[str, float]], xlabel: str) -> None:
    """Draw one group of bars a row, one bar a candidate, from top to bottom."""
    names = list(dict.fromkeys(name for row in values.values() for name in row))
    height = 0.8 / len(names)
    for i, name in enumerate(names):
        position = np.arange(len(values)) + (i - (len(names) - 1) / 2) * height
        ax.barh(position, [row.get(name, np.nan) for row in values.values()], height, label=name)
    _label_rows(ax, list(values), xlabel)


def _draw_dots(ax: Axes, values: Mapping[str, Mapping[str, float]], xlabel: str) -> None:
    """Draw one dot a candidate on a logarithmic scale, where a bar would start nowhere."""
    for name in next(iter(values.values())):
        ax.plot([row[name] for row in values.values()], np.arange(len(values)), "o", label=name)
    ax.set_xscale("log")
    ax.grid(axis="y", linewidth=0.4)
    _label_rows(ax, list(values), xlabel)


def _label_rows(ax: Axes, rows: Sequence[str], xlabel: str) -> None:
    ax.set_yticks(np.arange(len(rows)), rows)
    ax.invert_yaxis()
    ax.set_xlabel(xlabel)
    ax.spines[["top", "right"]].set_visible(False)
    ax.grid(axis="x", linewidth=0.4)
    ax.set_axisbelow(True)
