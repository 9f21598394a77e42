"""What embeddings cost: ``python benchmarks/embeddings.py --help``.

An epoch with embedded columns is set beside the same network's epoch on the columns as they are;
one with a category of many levels beside one with a category of few.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import click
import numpy as np
from options import outputs, rounds
from variants import Row, report, require_same_loss, time_in_turn

from fastmlp.backends import get_backend
from fastmlp.cli.epochs import EpochRun, GridCell
from fastmlp.plan.front import Column
from fastmlp.plan.front_values import initialize_columns
from fastmlp.plan.layout import Plan, lay_out

#: Of the epoch without.
TARGET = 1.5
N_FEATURES = 10
#: Ends of bins of standard normal numbers.
EDGES = tuple(np.linspace(-2.5, 2.5, 33).tolist())
NUMBERS = {
    "raw": None,
    "PBLD": Column("periodic", n_terms=16, width=3, beside=True),
    "PLR": Column("waves", n_terms=16, width=8, rectified=True),
    "bins": Column("piecewise", n_terms=32, width=8, edges=EDGES),
}
LEVELS = {f"{n:,} levels": Column("table", n_terms=n, width=8) for n in (100, 10**5, 10**6)}


@dataclass(frozen=True)
class EmbeddedCell(GridCell):
    """A network with columns before its first layer."""

    columns: tuple[Column, ...] = ()

    @property
    def plan(self) -> Plan:
        """The network in the backends' form."""
        return lay_out(replace(super().plan.description, columns=self.columns))

    def data(self, dtype: np.dtype, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
        """Return X (N, I), with levels where columns are categories, and y (N,)."""
        X, y = super().data(dtype, seed)
        rng = np.random.default_rng(seed)
        for i, column in enumerate(self.columns):
            if column.kind == "table":
                X[:, i] = rng.integers(column.n_terms, size=len(X))
        return X, y


class EmbeddedRun(EpochRun):
    """A network with embeddings in training."""

    def __init__(self, cell: GridCell, backend: str, n_threads: int) -> None:
        super().__init__(cell, get_backend(backend), np.dtype(cell.dtype), n_threads)
        initialize_columns(self.plan, self.network.parameters, self.rng, sigma=0.1)


def numbers(depth: int, n_samples: int) -> dict[str, GridCell]:
    """Return networks of as many hidden layers on columns of numbers, by what becomes of these."""
    sizes = (N_FEATURES, *[256] * depth, 1)
    cell = EmbeddedCell(f"{N_FEATURES}-(256 × {depth})-1", n_samples, sizes, 256)
    return {
        name: cell if column is None else replace(cell, columns=(column,) * N_FEATURES)
        for name, column in NUMBERS.items()
    }


def levels(n_samples: int) -> dict[str, GridCell]:
    """Return networks whose first column is a category, by its levels."""
    cell = EmbeddedCell("a category", n_samples, (N_FEATURES, 256, 256, 1), 256)
    plain = (Column("plain", beside=True),) * (N_FEATURES - 1)
    return {name: replace(cell, columns=(column, *plain)) for name, column in LEVELS.items()}


@click.command(context_settings={"show_default": True})
@click.option("--samples", type=click.IntRange(min=256), default=20_000)
@click.option("--threads", type=click.IntRange(min=1), default=1)
@rounds(11)
@outputs("embeddings")
def main(samples: int, threads: int, rounds: int, json_path: Path, output: Path) -> None:
    """Time epochs without and with embeddings in turn."""
    settings = {"n_threads": threads, "n_samples": samples}
    rows = [measure(numbers(depth, samples), threads, rounds) for depth in (1, 2, 3)]
    report(rows, f"Embedded numbers, {threads} thread(s)", TARGET, settings, json_path, output)
    rows = [measure(levels(samples), threads, rounds)]
    json_path, output = (path.with_stem(f"{path.stem}_levels") for path in (json_path, output))
    report(rows, f"Levels of a category, {threads} thread(s)", TARGET, settings, json_path, output)


def measure(cells: dict[str, GridCell], n_threads: int, n_rounds: int) -> Row:
    """Check the first epochs of a few rows against the reference, then time epochs in turn."""
    runs = {}
    for name, cell in cells.items():
        few = replace(cell, n_samples=1024)
        one, other = (EmbeddedRun(few, backend, n_threads)() for backend in ("compiled", "numpy"))
        require_same_loss(f"{cell.name} with {name}", one, other)
        runs[name] = EmbeddedRun(cell, "compiled", n_threads)
    return time_in_turn(next(iter(cells.values())).name, runs, n_rounds)


if __name__ == "__main__":
    main()
