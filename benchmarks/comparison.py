"""What a comparison with peers adds to a measurement: settings, ratios, their table and picture.

The first candidate of a measurement is the one that all others are set beside.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from candidates import PEERS
from matplotlib.figure import Figure
from rich import box
from rich.table import Table

from fastmlp.cli.measure import Measurement

__all__ = ["PeerMeasurement", "draw_ratios", "ratio_table"]


@dataclass(frozen=True)
class PeerMeasurement(Measurement):
    """A measurement whose candidates are peers.

    Attributes
    ----------
    settings : dict of peer to str
        What was chosen for this network because it was fastest.
    compile_seconds : dict of peer to float
        What compilation and the rest of the warm-up took, before the timing.
    """

    settings: dict[str, str]
    compile_seconds: dict[str, float]

    @property
    def reference(self) -> str:
        """Name of the candidate that all others are set beside."""
        return next(iter(self.timings))

    def ratios(self) -> dict[str, float]:
        """Return each candidate's median time over the reference's."""
        unit = self.timings[self.reference].median
        return {name: timing.median / unit for name, timing in self.timings.items()}

    def best_rival(self) -> str | None:
        """Return the fastest of the peers that are not our own, if there is one."""
        rivals = {name: r for name, r in self.ratios().items() if not PEERS[name].is_ours}
        return min(rivals, key=rivals.__getitem__, default=None)

    def notes(self) -> Iterator[str]:
        """Yield a line for each peer that had a choice or something to compile."""
        for name, setting in self.settings.items():
            seconds = self.compile_seconds[name]
            parts = [setting] if setting else []
            parts += [f"warm-up and compilation {seconds:.1f} s"] if seconds >= 0.1 else []
            if parts:
                yield f"[dim]{self.name}: {name}: {'; '.join(parts)}[/]"

    def as_dict(self) -> dict[str, Any]:
        """Return what a JSON report keeps."""
        return super().as_dict() | {"ratios": self.ratios(), "best_rival": self.best_rival()}


def ratio_table(rows: Sequence[PeerMeasurement]) -> Table:
    """Return a column per measurement and a line per peer."""
    table = Table(
        title="Median time as a multiple of the first candidate's (1 in its column)",
        title_justify="left",
        title_style="bold",
        box=box.HORIZONTALS,
    )
    table.add_column("", no_wrap=True)
    for row in rows:
        table.add_column(row.name, justify="right")
    for name in _names(rows):
        ratios = [row.ratios().get(name) for row in rows]
        table.add_row(name, *(f"{ratio:.3g}" if ratio else "" for ratio in ratios))
    table.add_section()
    table.add_row("best rival", *(row.best_rival() or "" for row in rows))
    table.add_row("the first: GFLOP/s", *(f"{row.gflops(row.reference):.3g}" for row in rows))
    percent = [f"{100 * row.peak_fraction(row.reference):.0f} %" for row in rows]
    table.add_row("of the FMA peak", *percent)
    return table


def draw_ratios(rows: Sequence[PeerMeasurement], title: str, path: Path) -> None:
    """Draw each peer's time over the reference's: a line per measurement, a dot per peer."""
    figure = Figure(figsize=(9, 2.2 + 0.4 * len(rows)), layout="constrained")
    ax = figure.subplots()
    for name in _names(rows):
        ratios = [row.ratios().get(name, np.nan) for row in rows]
        ax.plot(ratios, np.arange(len(rows)), "o", label=name)
    ax.axvline(1, color="black", linewidth=0.8)
    ax.set_xscale("log")
    ax.xaxis.set_major_formatter("{x:g}")
    references = " or ".join(dict.fromkeys(row.reference for row in rows))
    ax.set_xlabel(f"time over that of {references} (left of 1: faster)")
    ax.set_yticks(np.arange(len(rows)), [row.name for row in rows])
    ax.set_ylim(-0.5, len(rows) - 0.5)
    ax.invert_yaxis()
    ax.grid(linewidth=0.4)
    ax.spines[["top", "right"]].set_visible(False)
    figure.suptitle(title)
    figure.legend(loc="outside lower center", ncols=4, frameon=False)
    figure.savefig(path, dpi=120)


def _names(rows: Sequence[PeerMeasurement]) -> list[str]:
    """Return every candidate once, in the order of registration."""
    return [name for name in PEERS if any(name in row.timings for row in rows)]
