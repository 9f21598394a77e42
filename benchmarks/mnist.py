"""Accuracy and seconds per epoch on MNIST: ``python benchmarks/mnist.py --data mnist.npz``."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import Any

import click
import numpy as np
from rich.console import Console
from rich.table import Table
from sklearn import neural_network

import fastmlp
from fastmlp.cli.data import DATA_VARIABLE, DataError, Digits, find_mnist, load
from fastmlp.cli.timing import Timing
from fastmlp.config import config_dict

HIDDEN, BATCH_SIZE = (512, 512), 128
#: What reads the test images best: momentum with a large step that shrinks once the loss falls by
#: less than ``tol`` an epoch, dropout on input and hidden units. The comparison of speed runs both
#: libraries on adam without dropout, which both have.
FOR_ACCURACY = {
    "solver": "sgd",
    "learning_rate": "adaptive",
    "learning_rate_init": 0.1,
    "tol": 4e-3,
    "n_iter_no_change": 1,
    "dropout": 0.2,
    "input_dropout": 0.2,
}


def model_of(kind: type, n_epochs: int, seed: int, **more: Any) -> Any:
    """Return a classifier of fastmlp or scikit-learn that runs ``n_epochs``."""
    parameters = {"max_iter": n_epochs, "n_iter_no_change": n_epochs, "random_state": seed} | more
    return kind(HIDDEN, batch_size=BATCH_SIZE, **parameters)


@click.command(context_settings={"show_default": True})
@click.option("--data", type=click.Path(path_type=Path), help=f"MNIST; else ${DATA_VARIABLE}.")
@click.option("--seeds", type=click.IntRange(min=1), default=3)
@click.option("--epochs", type=click.IntRange(1, 20), default=20)
@click.option("--speed-epochs", type=click.IntRange(min=1), default=3, help="Without dropout.")
@click.option("--threads", type=click.IntRange(min=1), help="Default: what the machine allows.")
@click.option("--json", "json_path", type=click.Path(path_type=Path), default="bench-mnist.json")
def main(
    data: Path | None,
    seeds: int,
    epochs: int,
    speed_epochs: int,
    threads: int | None,
    json_path: Path,
) -> None:
    """Train 784-512-512-10: with dropout for accuracy, without it beside scikit-learn for speed."""
    try:
        path = data or find_mnist()
        if path is None:
            raise click.UsageError(f"needs MNIST: give --data FILE.npz or set {DATA_VARIABLE}")
        digits = load(path)
    except DataError as error:
        raise click.UsageError(str(error)) from error
    ours, theirs = fastmlp.MLPClassifier, neural_network.MLPClassifier
    candidates: dict[str, Callable[[int], Any]] = {
        "fastmlp, dropout": lambda seed: model_of(
            ours, epochs, seed, n_threads=threads, **FOR_ACCURACY
        ),
        "fastmlp": lambda seed: model_of(ours, speed_epochs, seed, n_threads=threads),
        "scikit-learn": lambda seed: model_of(theirs, speed_epochs, seed),
    }
    report(run(candidates, digits, seeds), json_path)


def run(
    candidates: dict[str, Callable[[int], Any]], digits: Digits, n_seeds: int
) -> dict[str, list[dict[str, float]]]:
    """Fit every candidate once a seed, in turn."""
    results: dict[str, list[dict[str, float]]] = {name: [] for name in candidates}
    for seed in range(n_seeds):
        for name, make in candidates.items():
            model = make(seed)
            seconds = _fit(model, digits)
            results[name].append(
                {
                    "accuracy": model.score(digits.X_test, digits.y_test),
                    "epochs": model.n_iter_,
                    "seconds_per_epoch": seconds / model.n_iter_,
                }
            )
    return results


def _fit(model: Any, digits: Digits) -> float:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that the epochs asked for were reached
        start = perf_counter()
        model.fit(digits.X_train, digits.y_train)
        return perf_counter() - start


def report(results: dict[str, list[dict[str, float]]], json_path: Path) -> None:
    """Print a line per candidate and write the figures."""
    table = Table("model", "epochs", "test accuracy, mean", "lowest", "s per epoch", "spread")
    for name, fits in results.items():
        accuracy = [fit["accuracy"] for fit in fits]
        timing = Timing(tuple(fit["seconds_per_epoch"] for fit in fits))
        table.add_row(
            name,
            str(int(fits[0]["epochs"])),
            f"{100 * np.mean(accuracy):.2f} %",
            f"{100 * min(accuracy):.2f} %",
            f"{timing.median:.3f}",
            f"{100 * timing.spread:.0f} %",
        )
    Console().print(table)
    json_path.write_text(json.dumps({"config": config_dict(), **results}, indent=1) + "\n")


if __name__ == "__main__":
    main()
