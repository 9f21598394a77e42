"""What a comparison with peers adds to a measurement: settings, ratios, their table and picture.

The first candidate of a measurement is the one that all others are set beside.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from candidates import PEERS
from matplotlib.figure import Figure

from fastmlp.cli.measure import Measurement
from fastmlp.cli.timing import Timing

__all__ = [
    "PeerMeasurement",
    "best_rivals",
    "draw_ratios",
    "merged",
    "restored",
    "write_markdown",
]


@dataclass(frozen=True)
class PeerMeasurement(Measurement):
    """A measurement whose candidates are peers.

    Attributes
    ----------
    settings : dict of peer to str
        What was chosen for this network because it was fastest.
    compile_seconds : dict of peer to float
        What compilation and the rest of the warm-up took, before the timing.
    ratios : dict of peer to float
        Each one's median time over that of the reference, with which it took turns.
    """

    settings: dict[str, str]
    compile_seconds: dict[str, float]
    ratios: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.ratios:
            unit = self.timings[self.reference].median
            self.ratios.update({name: t.median / unit for name, t in self.timings.items()})

    @property
    def key(self) -> tuple[str, str]:
        """The work, and the peer beside the reference."""
        return self.name, next(reversed(self.timings))

    def ratio(self, name: str) -> float:
        """Return a candidate's median time over the reference's, with which it took turns."""
        return self.ratios[name]

    def best_rival(self, is_exact: bool = True) -> str | None:
        """Return the fastest of the peers that are not our own, if there is one.

        Those whose products round float32 are a race of their own.
        """
        rivals = [
            name
            for name in self.ratios
            if not PEERS[name].is_ours and PEERS[name].is_exact == is_exact
        ]
        return min(rivals, key=self.ratio, default=None)

    def notes(self) -> Iterator[str]:
        """Yield a line for each peer that had a choice or something to compile."""
        for name, setting in self.settings.items():
            seconds = self.compile_seconds[name]
            parts = [setting] if setting else []
            parts += [f"warm-up and compilation {seconds:.1f} s"] if seconds >= 0.1 else []
            if parts:
                yield f"[dim]{self.name}: {name}: {'; '.join(parts)}[/]"


def restored(row: dict[str, Any]) -> PeerMeasurement:
    """Return the measurement of which a file of figures keeps ``row``."""
    timings = {name: Timing(tuple(kept["seconds"])) for name, kept in row["timings"].items()}
    return PeerMeasurement(**row | {"timings": timings})


def merged(rows: Sequence[PeerMeasurement]) -> PeerMeasurement:
    """Return several measurements of one piece of work, with one reference, as one.

    The reference has the values of all; ratios stay those of peers that took turns.
    """
    reference = rows[0].reference
    seconds = [each for row in rows for each in row.timings[reference].seconds]

    def together(attribute: str) -> dict[str, Any]:
        return {name: value for row in rows for name, value in getattr(row, attribute).items()}

    return replace(
        rows[0],
        timings=together("timings") | {reference: Timing(tuple(seconds))},
        settings=together("settings"),
        compile_seconds=together("compile_seconds"),
        ratios=together("ratios"),
        peak=max(row.peak for row in rows),
        attainable=max(row.attainable for row in rows),
    )


def ratio_rows(rows: Sequence[PeerMeasurement]) -> Iterator[list[str]]:
    """Yield headings, then a line per measurement: each peer's ratio, and the reference's speed."""
    names = _names(rows)
    yield ["", *names, "GFLOP/s of the first", "of peak", "of attainable"]
    for row in rows:
        ratios = [f"{row.ratio(name):.3g}" if name in row.ratios else "" for name in names]
        percent = (row.peak_fraction(row.reference), row.attainable_fraction(row.reference))
        speed = f"{row.gflops(row.reference):.3g}"
        yield [row.name, *ratios, speed, *(f"{100 * part:.0f} %" for part in percent)]


def best_rivals(rows: Sequence[PeerMeasurement]) -> Iterator[str]:
    """Yield a line for each measurement that has a rival."""
    for row in rows:
        rivals = {
            "": row.best_rival(),
            ", in reduced precision": row.best_rival(is_exact=False),
        }
        told = [f"{name}{how} {row.ratio(name):.2f}" for how, name in rivals.items() if name]
        if told:
            yield f"{row.name}: best rival {'; '.join(told)}"


def write_markdown(rows: Sequence[PeerMeasurement], path: Path) -> None:
    """Write the ratios as a table of Markdown."""
    headings, *lines = ratio_rows(rows)
    lines = [headings, ["---"] * len(headings), *lines]
    path.write_text("".join(f"| {' | '.join(line)} |\n" for line in lines), encoding="utf-8")


def draw_ratios(rows: Sequence[PeerMeasurement], title: str, path: Path) -> None:
    """Draw each peer's time over the reference's: a line per measurement, a dot per peer."""
    figure = Figure(figsize=(9, 2.2 + 0.4 * len(rows)), layout="constrained")
    ax = figure.subplots()
    for name in _names(rows):
        ratios = [row.ratios.get(name, np.nan) for row in rows]
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
