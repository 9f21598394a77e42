"""Epochs of a network in several variants, each set beside the first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure
from options import console_for_tables
from rich import box
from rich.table import Table

from fastmlp.cli.epochs import EpochRun
from fastmlp.cli.measure import EPOCH_TOLERANCE
from fastmlp.cli.report import write_json
from fastmlp.cli.timing import Timing, WrongResultError, interleave

__all__ = ["Row", "report", "require_same_loss", "time_in_turn"]


@dataclass(frozen=True)
class Row:
    """Epochs of one network, by the variant; the first is what the others are measured by."""

    name: str
    timings: dict[str, Timing]

    @property
    def first(self) -> str:
        """Name of the first variant."""
        return next(iter(self.timings))

    def ratio(self, variant: str) -> float:
        """Return the median time over that of the first variant."""
        return self.timings[variant].median / self.timings[self.first].median

    def as_dict(self) -> dict[str, Any]:
        """Return what a JSON report keeps."""
        return {
            "name": self.name,
            "timings": {name: timing.as_dict() for name, timing in self.timings.items()},
            "ratios": {name: self.ratio(name) for name in self.timings},
        }


def require_same_loss(what: str, loss: float, expected: float) -> None:
    """Raise WrongResultError unless an epoch's loss is the one expected."""
    if not abs(loss - expected) <= EPOCH_TOLERANCE * expected:
        raise WrongResultError(f"{what} ends with loss {loss}, which should be {expected}")


def time_in_turn(
    name: str, runs: Mapping[str, EpochRun], n_rounds: int, min_seconds: float = 0.0
) -> Row:
    """Time the variants of a network, of which one epoch each has been checked.

    Each runs at least one epoch, and so many as ``min_seconds`` take, in each round.
    """
    return Row(name, interleave(runs, n_rounds=n_rounds, min_seconds=min_seconds))


def report(
    rows: Sequence[Row],
    title: str,
    target: float,
    settings: Mapping[str, Any],
    json_path: Path,
    output: Path,
) -> None:
    """Print the table, write the figures and the picture."""
    console = console_for_tables()
    console.print(_table_of(rows, f"{title} (target: ≤ {target:g})"))
    write_json(json_path, {**settings, "rows": rows})
    _draw(rows, title, target, output)
    console.print(f"figures: {json_path}, picture: {output}")


def _table_of(rows: Sequence[Row], title: str) -> Table:
    table = Table(title=title, title_justify="left", box=box.HORIZONTALS)
    table.add_column("cell")
    for name in rows[0].timings:
        table.add_column(name, justify="right")
        table.add_column("spread", justify="right")
        if name != rows[0].first:
            table.add_column(f"÷ {rows[0].first}", justify="right")
    for row in rows:
        figures = []
        for name, timing in row.timings.items():
            figures += [f"{1e3 * timing.median:.4g} ms", f"{100 * timing.spread:.0f} %"]
            figures += [] if name == row.first else [f"{row.ratio(name):.2f}"]
        table.add_row(row.name, *figures)
    return table


def _draw(rows: Sequence[Row], title: str, target: float, path: Path) -> None:
    figure = Figure(figsize=(8, 1.8 + 0.5 * len(rows)), layout="constrained")
    ax = figure.subplots()
    for name in rows[0].timings:
        ax.plot([row.ratio(name) for row in rows], [row.name for row in rows], "o", label=name)
    ax.axvline(target, color="black", linewidth=0.8, linestyle=":")
    ax.set_xlim(left=0)
    ax.set_xlabel(f"time of an epoch ÷ that with {rows[0].first} (dotted: target)")
    ax.invert_yaxis()
    ax.spines[["top", "right"]].set_visible(False)
    figure.legend(loc="outside lower center", ncols=len(rows[0].timings), frameon=False)
    figure.suptitle(title)
    figure.savefig(path, dpi=120)
