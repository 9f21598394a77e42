"""What ``matmul_precision`` costs in accuracy: ``python benchmarks/precision.py``.

Each precision learns the same tables and digits from the same seeds, with the same settings. The
variable ``FASTMLP_DATA`` names the folder that holds the data.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from time import perf_counter
from typing import Any, NamedTuple

import click
import numpy as np
from learning_data import Data, digits, mnist, prepared
from rich.console import Console
from rich.table import Table

from fastmlp import MLPClassifier, MLPRegressor
from fastmlp.backends import get_backend
from fastmlp.config import config_dict
from fastmlp.registry import MATMUL_PRECISIONS


class Case(NamedTuple):
    """What is learnt, and how."""

    data: Callable[[], Data]
    kind: type
    settings: Mapping[str, Any]


CASES = {
    "mnist": Case(
        mnist,
        MLPClassifier,
        {"hidden_layer_sizes": (512, 512), "batch_size": 128, "max_iter": 10},
    ),
    "california": Case(
        lambda: prepared("california"),
        MLPRegressor,
        {
            "hidden_layer_sizes": (256, 256),
            "batch_size": 256,
            "max_iter": 40,
            "standardize_target": True,
        },
    ),
    "letter": Case(
        lambda: prepared("letter"),
        MLPClassifier,
        {"hidden_layer_sizes": (256, 256), "batch_size": 256, "max_iter": 30},
    ),
    "digits": Case(
        digits,
        MLPClassifier,
        {"hidden_layer_sizes": (256, 256), "max_iter": 20},
    ),
}


@click.command(context_settings={"show_default": True})
@click.option("--case", "cases", type=click.Choice(list(CASES)), multiple=True, help="All if none.")
@click.option("--seeds", type=click.IntRange(min=1), default=5)
@click.option("--threads", type=click.IntRange(min=1), help="Default: what the machine allows.")
@click.option("--resume", is_flag=True, help="Keep the fits that the file has.")
@click.option("--json", "path", type=click.Path(path_type=Path), default="bench-precision.json")
def main(cases: tuple[str, ...], seeds: int, threads: int | None, resume: bool, path: Path) -> None:
    """Fit each case once a seed and a precision, of those that run here."""
    fits = json.loads(path.read_text())["rows"] if resume and path.is_file() else []
    for name in cases or CASES:
        data = CASES[name].data()
        for seed in range(seeds):
            for precision in running():
                if not any(is_of(fit, name, precision) and fit["seed"] == seed for fit in fits):
                    fits.append(fit_once(name, data, seed, precision, threads))
                    path.write_text(json.dumps({"config": config_dict(), "rows": fits}, indent=1))
    report(fits)


def running() -> list[str]:
    """Return the precisions that this machine has products for."""
    backend = get_backend("compiled")
    names = list(MATMUL_PRECISIONS)
    return [name for name in names if backend.runs_as(name, np.dtype(np.float32)) == name]


def is_of(fit: Mapping[str, Any], case: str, precision: str) -> bool:
    """Return whether a fit is one of those of a cell of the table."""
    return bool(fit["case"] == case and fit["precision"] == precision)


def fit_once(
    name: str, data: Data, seed: int, precision: str, threads: int | None
) -> dict[str, Any]:
    """Return how long a fit takes, and how good it is on the test rows."""
    case = CASES[name]
    options = {"tol": 0.0, "random_state": seed, "n_threads": threads} | dict(case.settings)
    model = case.kind(**options, matmul_precision=precision)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that the epochs asked for were reached
        start = perf_counter()
        model.fit(data.X, data.y)
        seconds = perf_counter() - start
    score = float(model.score(data.X_test, data.y_test))
    return {
        "case": name,
        "precision": precision,
        "seed": seed,
        "score": score,
        "seconds_per_epoch": seconds / model.n_iter_,
    }


def report(fits: list[dict[str, Any]]) -> None:
    """Print the mean score of each cell, and how far seeds are apart."""
    shown = Table("case", "precision", "seeds", "score", "spread of seeds", "s per epoch")
    for case in CASES:
        for precision in MATMUL_PRECISIONS:
            cell = [fit for fit in fits if is_of(fit, case, precision)]
            if not cell:
                continue
            scores = [fit["score"] for fit in cell]
            seconds = np.median([fit["seconds_per_epoch"] for fit in cell])
            shown.add_row(
                case,
                precision,
                str(len(cell)),
                f"{np.mean(scores):.4f}",
                f"{np.std(scores, ddof=len(scores) > 1):.4f}",
                f"{seconds:.3f}",
            )
    Console().print(shown)


if __name__ == "__main__":
    main()
