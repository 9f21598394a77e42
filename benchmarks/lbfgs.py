"""What an iteration of L-BFGS costs: ``python benchmarks/lbfgs.py --help``.

A gradient of all rows is set beside an epoch in batches of 200 rows, whose operations are the same,
and beside an iteration of ``solver="lbfgs"`` and one of scikit-learn's. An iteration is a fit over
its number of iterations, so the fit's other costs and line searches of several gradients are in it.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from unittest.mock import patch

import click
import numpy as np
from options import outputs, rounds, threads
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier as SklearnClassifier
from variants import Row, report

from fastmlp import MLPClassifier
from fastmlp.backends import get_backend
from fastmlp.backends.compiled import CompiledExecutor
from fastmlp.backends.row_blocks import rows_to_bind
from fastmlp.cli.epochs import EpochRun, GridCell
from fastmlp.cli.timing import Timing, WrongResultError, interleave
from fastmlp.plan.records import make_settings
from fastmlp.threads import default_threads

#: Of a gradient's time, for an iteration.
TARGET = 1.15
CELLS = {
    "letters": GridCell("letters", 16_000, (16, 200, 200, 26), 200),
    "classes": GridCell("classes", 16_000, (64, 100, 10), 200),
}
#: Of a short call in each round.
MIN_SECONDS = 0.2
SKLEARN = "scikit-learn"


@click.command(context_settings={"show_default": True})
@click.option("--cell", "cells", type=click.Choice(list(CELLS)), multiple=True, default=list(CELLS))
@click.option("--iterations", type=click.IntRange(min=2), default=40)
@click.option("--dtype", type=click.Choice(["float32", "float64"]), default="float32")
@threads
@rounds(5)
@outputs("lbfgs")
def main(
    cells: tuple[str, ...],
    iterations: int,
    dtype: str,
    threads: int | None,
    rounds: int,
    json_path: Path,
    output: Path,
) -> None:
    """Time gradients, epochs, and iterations of both libraries in turn."""
    n_threads = threads or default_threads()
    found = [measure(CELLS[name], iterations, dtype, n_threads, rounds) for name in cells]
    rows = [row for row, _ in found]
    counts = ", ".join(f"{count:.3g} for {row.name}" for row, count in found)
    settings = {"n_threads": n_threads, "n_iterations": iterations, "dtype": dtype}
    title = f"L-BFGS on {n_threads} thread(s), {dtype}; gradients an iteration: {counts}"
    report(rows, title, TARGET, settings, json_path, output)


def measure(
    cell: GridCell, n_iterations: int, dtype: str, n_threads: int, n_rounds: int
) -> tuple[Row, float]:
    """Check what is computed, then time all in turn; return as well the gradients an iteration."""
    X, y = cell.data(np.dtype(dtype))
    epoch = EpochRun(cell, get_backend("compiled"), np.dtype(dtype), n_threads)
    require_gradient(epoch)
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:  # its BLAS polls there
        fits = {
            "iteration": lambda: fit(cell, X, y, n_iterations, n_threads),
            SKLEARN: lambda: process.submit(fit_sklearn, cell, X, y, n_iterations).result(),
        }
        n_gradients = count_gradients(fits)
        calls = {
            "gradient": gradient_of(epoch, "compiled", n_threads),
            f"batches of {cell.batch_size}": epoch,
            **fits,
        }
        timings = interleave(calls, n_rounds=n_rounds, min_seconds=MIN_SECONDS)
    counts = {name: n_iterations if name in fits else 1 for name in timings}
    each = {name: of_one(timing, counts[name]) for name, timing in timings.items()}
    return Row(cell.name, each), n_gradients / n_iterations


def count_gradients(fits: Mapping[str, Callable[[], float]]) -> int:
    """Return how many gradients our fit takes; WrongResultError if its loss is not like theirs."""
    plain = CompiledExecutor.gradient
    with patch.object(CompiledExecutor, "gradient", autospec=True, side_effect=plain) as spy:
        ours, theirs = (call() for call in fits.values())
    if not ours < 1.2 * theirs:
        raise WrongResultError(f"our loss ends at {ours}, scikit-learn's at {theirs}")
    return spy.call_count


def of_one(timing: Timing, n: int) -> Timing:
    """Return the timing of one of n iterations that a call makes."""
    return Timing(tuple(seconds / n for seconds in timing.seconds))


def gradient_of(epoch: EpochRun, backend: str, n_threads: int) -> Callable[[], np.ndarray]:
    """Return what computes the gradient of an epoch's rows where it stands now."""
    plan, parameters = epoch.plan, epoch.network.parameters.copy()
    gradient = np.empty(plan.n_parameters, parameters.dtype)
    n_at_once = rows_to_bind(plan, len(epoch.rows.X))
    executor = get_backend(backend).bind(
        plan, make_settings(), parameters.dtype, n_at_once, n_threads
    )

    def call() -> np.ndarray:
        executor.gradient(parameters, epoch.rows, gradient)
        return gradient

    return call


def require_gradient(epoch: EpochRun) -> None:
    """Raise WrongResultError unless the gradient is the reference's."""
    gradient, expected = (gradient_of(epoch, name, 1)() for name in ("compiled", "numpy"))
    error = np.abs(gradient - expected).max() / np.abs(expected).max()
    if not error <= 1e-4:  # by no norm, as that wakes OpenBLAS's threads
        raise WrongResultError(f"the gradient is off by {error} of its largest element")


def fit(cell: GridCell, X: np.ndarray, y: np.ndarray, n_iterations: int, n_threads: int) -> float:
    """Search for so many iterations and return the loss."""
    model = MLPClassifier(
        hidden_layer_sizes=cell.layer_sizes[1:-1],
        solver="lbfgs",
        max_iter=n_iterations,
        tol=0.0,
        random_state=0,
        dtype=X.dtype,
        n_threads=n_threads,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return float(model.fit(X, y).loss_)


def fit_sklearn(cell: GridCell, X: np.ndarray, y: np.ndarray, n_iterations: int) -> float:
    """Search for so many iterations by scikit-learn, in the type of X, and return the loss."""
    model = SklearnClassifier(
        hidden_layer_sizes=cell.layer_sizes[1:-1],
        solver="lbfgs",
        max_iter=n_iterations,
        tol=0.0,
        random_state=0,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return float(model.fit(X, y).loss_)


if __name__ == "__main__":
    main()
