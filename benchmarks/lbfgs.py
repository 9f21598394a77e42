"""An iteration of L-BFGS beside a gradient of all rows: ``python benchmarks/lbfgs.py --help``.

The gradient of all rows needs the operations of an epoch of mini-batches, and should need its time.
An iteration is the difference of two fits, one of which goes on for longer; so what a fit does once
is no part of it, but what a line search adds is.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from time import sleep
from typing import Any

import click
import numpy as np
from matplotlib.figure import Figure
from options import console_for_tables, outputs, rounds, threads
from rich import box
from rich.table import Table
from sklearn import neural_network
from threadpoolctl import threadpool_limits

import fastmlp
from fastmlp.backends import get_backend
from fastmlp.backends.row_blocks import rows_to_bind
from fastmlp.cli.epochs import EpochRun, GridCell
from fastmlp.cli.measure import attainable_of
from fastmlp.cli.report import write_json
from fastmlp.cli.timing import Timing, WrongResultError, interleave
from fastmlp.plan.records import make_settings
from fastmlp.threads import default_threads

CELLS = {
    cell.name: cell
    for cell in (
        GridCell("letters", 16_000, (16, 200, 200, 26), 256),
        GridCell("digits", 1_797, (64, 100, 10), 200),
    )
}
GRADIENT, EPOCH = "gradient", "epoch of mini-batches"
OURS, THEIRS = "iteration", "scikit-learn's iteration"
#: What an iteration, and an epoch of as many operations, may take, in gradients.
TARGETS = {OURS: 1.15, EPOCH: 1.05}
#: A fit goes through so many iterations, and another through so many more.
FEW, MORE = 3, 10
#: OpenBLAS's threads keep a core busy for so long after scikit-learn's fits; it is in both of them.
SECONDS_TO_REST = 0.1
#: How long a value of a gradient or an epoch lasts.
MIN_SECONDS = 0.2
#: Both descend from one start, in float32; the losses after ``FEW`` iterations differ by rounding.
LOSS_TOLERANCE = 1e-2


@dataclass(frozen=True)
class Row:
    """Seconds of a network's gradient, epoch and iterations."""

    name: str
    n_threads: int
    flops: int
    attainable: float
    timings: dict[str, Timing]

    def ratio(self, what: str) -> float:
        """Return the median time over a gradient's."""
        return self.timings[what].median / self.timings[GRADIENT].median

    def attainable_fraction(self, what: str) -> float:
        """Return the useful speed over all threads' attainable rate."""
        gflops = self.flops / self.timings[what].median / 1e9
        return gflops / (self.attainable * self.n_threads)

    def as_dict(self) -> dict[str, Any]:
        """Return what a JSON report keeps."""
        timings = {what: timing.as_dict() for what, timing in self.timings.items()}
        ratios = {what: self.ratio(what) for what in self.timings}
        return asdict(self) | {"timings": timings, "ratios": ratios}


@click.command(context_settings={"show_default": True})
@click.option("--cell", "cells", type=click.Choice(list(CELLS)), multiple=True, default=["letters"])
@threads
@rounds(5)
@outputs("lbfgs")
def main(
    cells: tuple[str, ...], threads: int | None, rounds: int, json_path: Path, output: Path
) -> None:
    """Time a gradient, an epoch, and iterations of fastmlp and of scikit-learn, in turn."""
    warnings.simplefilter("ignore")  # that fits have not converged is no news
    console, n_threads = console_for_tables(), threads or default_threads()
    with threadpool_limits(n_threads):
        rows = [measure(CELLS[name], n_threads, rounds) for name in cells]
    console.print(table_of(rows))
    write_json(json_path, {"n_threads": n_threads, "rows": rows})
    draw(rows, output)
    console.print(f"figures: {json_path}, picture: {output}")


def measure(cell: GridCell, n_threads: int, n_rounds: int) -> Row:
    """Check the gradient and the first losses, then time everything in turn."""
    fits = {
        OURS: fit_of(fastmlp.MLPClassifier, cell, n_threads=n_threads),
        THEIRS: fit_of(neural_network.MLPClassifier, cell, max_fun=10**6),
    }
    check_losses(cell, *(float(fit(FEW).loss_) for fit in fits.values()))
    calls: dict[str, Callable[[], object]] = {
        GRADIENT: gradient_of(cell, "compiled", n_threads)[0],
        EPOCH: EpochRun(cell, get_backend("compiled"), np.dtype(cell.dtype), n_threads),
    }
    for what, fit in fits.items():
        calls[f"{what}, few"] = lambda fit=fit: fit(FEW)  # type: ignore[misc]
        calls[f"{what}, more"] = lambda fit=fit: fit(FEW + MORE)  # type: ignore[misc]
    check_gradient(cell, n_threads)
    timings = interleave(calls, n_rounds=n_rounds, min_seconds=MIN_SECONDS)
    iterations = {
        what: difference(timings[f"{what}, few"], timings[f"{what}, more"]) for what in fits
    }
    epochs = {what: timings[what] for what in (GRADIENT, EPOCH)}
    speed = attainable_of(np.dtype(cell.dtype))
    return Row(cell.name, n_threads, cell.flops, speed, epochs | iterations)


def difference(few: Timing, more: Timing) -> Timing:
    """Return the seconds of one iteration in each round."""
    pairs = zip(few.seconds, more.seconds, strict=True)
    return Timing(tuple((long - short) / MORE for short, long in pairs))


def fit_of(kind: type, cell: GridCell, **options: Any) -> Callable[[int], Any]:
    """Return a call that fits a new model for so many iterations, and returns it."""
    X, y = cell.data(np.dtype(cell.dtype))
    sizes = cell.layer_sizes[1:-1]

    def fit(n_iterations: int) -> Any:
        model = kind(
            hidden_layer_sizes=sizes,
            solver="lbfgs",
            alpha=0.0,
            max_iter=n_iterations,
            random_state=0,
            **options,
        )
        model.fit(X, y)
        sleep(SECONDS_TO_REST)
        return model

    return fit


def gradient_of(
    cell: GridCell, backend: str, n_threads: int
) -> tuple[Callable[[], object], np.ndarray]:
    """Return a call of the gradient of all rows where an epoch's training begins, and its array."""
    dtype = np.dtype(cell.dtype)
    start = EpochRun(cell, get_backend("numpy"), dtype, 1)
    n_at_once = rows_to_bind(start.plan, cell.n_samples)
    settings = make_settings(cell.optimizer)
    executor = get_backend(backend).bind(start.plan, settings, dtype, n_at_once, n_threads)
    gradient = np.zeros(start.plan.n_parameters, dtype)
    parameters = start.network.parameters
    return lambda: executor.gradient(parameters, start.rows, gradient), gradient


def check_gradient(cell: GridCell, n_threads: int) -> None:
    """Raise WrongResultError unless the gradient is the reference's."""
    calls = [gradient_of(cell, name, n_threads) for name in ("compiled", "numpy")]
    for call, _ in calls:
        call()
    ours, expected = (gradient for _, gradient in calls)
    if not np.allclose(ours, expected, rtol=0, atol=1e-4 * np.abs(expected).max()):
        raise WrongResultError(f"{cell.name}: the gradient is not the reference's")


def check_losses(cell: GridCell, ours: float, theirs: float) -> None:
    """Raise WrongResultError unless both have come as far."""
    if not abs(ours - theirs) <= LOSS_TOLERANCE * theirs:
        raise WrongResultError(f"{cell.name}: a loss of {ours}, scikit-learn's is {theirs}")


def table_of(rows: Sequence[Row]) -> Table:
    """Return a line per network and piece of work."""
    targets = ", ".join(f"{what} ≤ {most:g}" for what, most in TARGETS.items())
    table = Table(
        title=f"L-BFGS on {rows[0].n_threads} thread(s) (targets, in gradients: {targets})",
        title_justify="left",
        box=box.HORIZONTALS,
    )
    table.add_column("network")
    table.add_column("what")
    for heading in ("median", "spread", "÷ gradient", "of attainable"):
        table.add_column(heading, justify="right")
    for row in rows:
        for what, timing in row.timings.items():
            table.add_row(
                row.name,
                what,
                f"{1e3 * timing.median:.3g} ms",
                f"{100 * timing.spread:.0f} %",
                f"{row.ratio(what):.2f}",
                f"{100 * row.attainable_fraction(what):.0f} %",
            )
    return table


def draw(rows: Sequence[Row], path: Path) -> None:
    """Draw each piece of work in gradients."""
    figure = Figure(figsize=(8, 1.8 + 0.5 * len(rows)), layout="constrained")
    ax = figure.subplots()
    for what in rows[0].timings:
        ax.plot([row.ratio(what) for row in rows], [row.name for row in rows], "o", label=what)
    ax.set_xlim(left=0)
    ax.set_xlabel("time ÷ that of a gradient of all rows")
    ax.spines[["top", "right"]].set_visible(False)
    figure.legend(loc="outside lower center", ncols=2, frameon=False)
    figure.suptitle("L-BFGS")
    figure.savefig(path, dpi=120)


if __name__ == "__main__":
    main()
