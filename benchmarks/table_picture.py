"""Error against time of models of raw tables, a panel for each table."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter
from table_results import Reached

from fastmlp.plots.style import CATEGORIES, FAINT, INK

__all__ = ["draw_panels", "front"]

#: Ours have one colour, and are joined by a line; each peer has a colour and a shape.
OURS, *PEERS = CATEGORIES[:-1]
PEERS = [*PEERS, INK, FAINT]
OUR_SHAPES, THEIR_SHAPES = "v^o", "sDXPp<>h"
MOST_COLUMNS = 4

Looks = dict[str, dict[str, Any]]


def front(points: Sequence[Reached]) -> list[Reached]:
    """Return those than which none is as good and faster or as fast and better, fastest first."""
    kept: list[Reached] = []
    for each in sorted(points, key=lambda point: (point.fit_seconds, point.error)):
        if not kept or each.error < kept[-1].error:
            kept.append(each)
    return kept


def draw_panels(means: Sequence[Reached], models: Sequence[str]) -> Figure:
    """Return the picture; looks follow the models' order in ``models``."""
    tables = list(dict.fromkeys(each.table for each in means))
    n_columns = max(min(MOST_COLUMNS, len(tables)), 1)
    n_rows = max(ceil(len(tables) / n_columns), 1)
    size = max(3.3 * n_columns, 6) + 0.5, 2.7 * n_rows + 1.3
    figure = Figure(figsize=size, layout="constrained")
    panels = figure.subplots(n_rows, n_columns, squeeze=False).ravel()
    looks = _looks(models)
    for axes, table in zip(panels, tables, strict=False):
        _draw(axes, [each for each in means if each.table == table], looks)
        axes.set_title(table)
    for axes in panels[len(tables) :]:
        axes.set_visible(False)
    for axes in panels[::n_columns]:
        axes.set_ylabel("error")
    for axes in panels[max(len(tables) - n_columns, 0) : len(tables)]:
        axes.set_xlabel("seconds of a fit")
    ncols = 3 if n_columns < 3 else 4
    figure.legend(handles=_handles(looks), loc="outside lower center", ncols=ncols, frameon=False)
    return figure


def _looks(models: Sequence[str]) -> Looks:
    ours = [name for name in models if name.startswith("fastmlp")]
    peers = [name for name in models if name not in ours]
    shapes = {name: OUR_SHAPES[i % len(OUR_SHAPES)] for i, name in enumerate(ours)}
    looks = {name: {"color": OURS, "marker": shape} for name, shape in shapes.items()}
    for i, name in enumerate(peers):
        color, shape = PEERS[i % len(PEERS)], THEIR_SHAPES[i % len(THEIR_SHAPES)]
        looks[name] = {"color": color, "marker": shape}
    return looks


def _handles(looks: Looks) -> list[Line2D]:
    points = [Line2D([], [], linestyle="", label=name, **look) for name, look in looks.items()]
    return [*points, Line2D([], [], color=FAINT, label="none is better and faster")]


def _draw(axes: Axes, points: Sequence[Reached], looks: Looks) -> None:
    """Draw a table's panel."""
    best = front(points)
    axes.step(
        [each.fit_seconds for each in best],
        [each.error for each in best],
        where="post",
        color=FAINT,
        linewidth=1,
        zorder=0,
    )
    ours = [each for each in points if each.model.startswith("fastmlp")]
    axes.plot([p.fit_seconds for p in ours], [p.error for p in ours], color=OURS, linewidth=1)
    for each in points:
        axes.errorbar(
            each.fit_seconds,
            each.error,
            yerr=each.spread,
            capsize=2,
            elinewidth=1,
            **looks[each.model],
        )
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(LogLocator(numticks=8))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda seconds, _: f"{seconds:g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.margins(x=0.15, y=0.1)
    axes.spines[["top", "right"]].set_visible(False)
