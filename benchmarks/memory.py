"""Measure what a fit adds to the peak memory: ``python benchmarks/memory.py --data mnist.npz``.

Linux only: it resets the kernel's high-water mark of resident memory after the data are loaded.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import click
import numpy as np
from rich.console import Console
from rich.table import Table

from fastmlp.cli.data import DATA_VARIABLE, DataError, find_mnist
from fastmlp.cli.timing import WrongResultError

MIB = 2**20
#: Beyond one float32 copy of the input: libraries' code and their working memory.
ALLOWANCE = 64 * MIB
#: A fit on raw grey values ends above this, or nothing was learnt that is worth its memory.
LEAST_ACCURACY = 0.9


def fastmlp_model() -> Any:
    """Return fastmlp's classifier."""
    from fastmlp import MLPClassifier

    return MLPClassifier((512, 512), dropout=0.2, max_iter=2, random_state=0)


def sklearn_model() -> Any:
    """Return scikit-learn's classifier."""
    from sklearn.neural_network import MLPClassifier

    return MLPClassifier((512, 512), max_iter=2, random_state=0)


MODELS: dict[str, Callable[[], Any]] = {"fastmlp": fastmlp_model, "scikit-learn": sklearn_model}


@click.command()
@click.option("--data", type=click.Path(path_type=Path), help=f"MNIST; else ${DATA_VARIABLE}.")
def main(data: Path | None) -> None:
    """Fit in fresh processes on uint8, float32 and float64 input."""
    try:
        path = data or find_mnist()
    except DataError as error:
        raise click.UsageError(str(error)) from error
    if path is None:
        raise click.UsageError(f"needs MNIST: give --data FILE.npz or set {DATA_VARIABLE}")
    table = Table("model", "input", "input size", "fit adds at most", "allowed")
    for model in MODELS:
        for dtype in ("uint8", "float32", "float64"):
            with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
                size, added, allowed = process.submit(measure, model, path, dtype).result()
            sizes = (f"{n_bytes / MIB:.0f} MiB" for n_bytes in (size, added, allowed))
            table.add_row(model, dtype, *sizes)
    Console().print(table)


def measure(model_name: str, path: Path, dtype: str) -> tuple[int, int, int]:
    """Return the bytes of X, those that a fit adds at its peak, and those that it may add."""
    with np.load(path) as archive:
        X, y = archive["X_train"].astype(dtype), archive["y_train"]
    if dtype != "uint8":
        X /= 255
    model = MODELS[model_name]()
    before = reset_peak()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # two epochs do not converge
        model.fit(X, y)
    added = resident("VmHWM") - before
    accuracy = model.score(X[:5000], y[:5000])
    if not accuracy >= LEAST_ACCURACY:
        raise WrongResultError(f"{model_name} on {dtype} reads only {accuracy:.1%} of what it saw")
    return X.nbytes, added, X.size * np.dtype(np.float32).itemsize + ALLOWANCE


def reset_peak() -> int:
    """Forget the peak so far; return the resident bytes of now."""
    Path("/proc/self/clear_refs").write_text("5")
    return resident("VmRSS")


def resident(what: str) -> int:
    """Return VmRSS or VmHWM, the resident memory and its peak, in bytes."""
    match = re.search(rf"{what}:\s+(\d+) kB", Path("/proc/self/status").read_text())
    assert match is not None
    return int(match[1]) * 1024


if __name__ == "__main__":
    main()
