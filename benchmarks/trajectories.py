"""Hold that nothing learns otherwise than before: ``python benchmarks/trajectories.py --help``.

``record`` fits random configurations with the library that Python finds and keeps what they learnt;
``compare`` fits them with another one, and names each that differs in a single bit. Only the public
interface is used, so one copy of this file serves both.
"""

from __future__ import annotations

import hashlib
import json
import sys
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import numpy as np
from drawn_configurations import Configuration, Data, draw_configuration, make_data

import fastmlp
from fastmlp import optimizers

#: What is kept of a configuration: numbers of the curves and digests of arrays.
Learnt = dict[str, Any]


def learn(seed: int, number: int, backend: str = "compiled") -> tuple[str, Learnt]:
    """Return the repr of a configuration, and what a model of it learns."""
    configuration = draw_configuration(seed, number, backend)
    data = make_data(configuration, seed, number)
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            model = _trained(configuration, data)
            return repr(configuration), _learnt(model, data[0])
    except fastmlp.DivergenceError:
        return repr(configuration), {"error": "DivergenceError"}


def _model(configuration: Configuration) -> Any:
    parameters = dict(configuration["parameters"])
    if isinstance(parameters["solver"], tuple):
        name, options = parameters["solver"]
        parameters["solver"] = getattr(optimizers, name)(**options)
    regressor = configuration["task"] == "regressor"
    return (fastmlp.MLPRegressor if regressor else fastmlp.MLPClassifier)(**parameters)


def _trained(configuration: Configuration, data: Data) -> Any:
    X, y, weights = data
    model = _model(configuration)
    if configuration["way"] == "partial fits":
        return _streamed(model, configuration["kind"], data)
    model.fit(X, y, sample_weight=weights)
    if configuration["way"] == "warm start":
        model.fit(X, y, sample_weight=weights)
    return model


def _streamed(model: Any, kind: str, data: Data) -> Any:
    """Return the model after partial fits of three parts of the data."""
    X, y, weights = data
    for part in (slice(0, len(y) // 2), slice(len(y) // 2, None), slice(None)):
        some = None if weights is None else weights[part]
        classes = {"classes": np.unique(y)} if kind in ("binary", "multiclass") else {}
        model.partial_fit(X[part], y[part], some, **classes)
    return model


def _learnt(model: Any, X: Any) -> Learnt:
    predictions = [model.predict(X)]
    predictions += [
        getattr(model, method)(X)
        for method in ("predict_proba", "decision_function")
        if hasattr(model, method)
    ]
    scores = getattr(model, "validation_scores_", None)
    return {
        "loss_curve_": [float(loss) for loss in getattr(model, "loss_curve_", [model.loss_])],
        "validation_scores_": None if scores is None else [float(score) for score in scores],
        "coefs_": _digest(model.coefs_),
        "intercepts_": _digest(model.intercepts_),
        "predictions": _digest(predictions),
    }


def _digest(arrays: list[np.ndarray]) -> str:
    """Return a hash of types, shapes and bytes."""
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(f"{array.dtype.str} {array.shape}".encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()[:16]


def differences(before: Learnt, now: Learnt) -> Iterator[str]:
    """Yield, in words, what two results do not have in common; NaN equals NaN."""
    for name in before.keys() | now.keys():
        old, new = before.get(name), now.get(name)
        if json.dumps(old) == json.dumps(new):
            continue
        if not (isinstance(old, list) and isinstance(new, list)):
            yield f"{name}: {old} → {new}"
        elif len(old) != len(new):
            yield f"{name}: {len(old)} epochs → {len(new)}"
        else:
            epoch = next(i for i, pair in enumerate(zip(old, new, strict=True)) if len({*pair}) > 1)
            yield f"{name} from epoch {epoch + 1} on: {old[epoch]!r} → {new[epoch]!r}"


@click.group()
def main() -> None:
    """Record what random configurations learn, or compare it with a recording."""


@main.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--configurations", type=click.IntRange(min=1), default=200, show_default=True)
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True)
@click.option(
    "--numba", type=click.IntRange(min=0), default=0, show_default=True, help="As many on Numba."
)
def record(file: Path, configurations: int, seed: int, numba: int) -> None:
    """Fit the configurations and keep in FILE what they learn.

    Those on Numba come in addition, and wait for a minute until its kernels are compiled.
    """
    start = time.perf_counter()
    learnt = dict(learn(seed, number) for number in range(configurations))
    learnt |= dict(learn(seed, number, "numba") for number in range(numba))
    numbers = {"compiled": configurations, "numba": numba}
    recording = {"seed": seed, "numbers": numbers, "learnt": learnt}
    file.write_text(json.dumps(recording, indent=1, ensure_ascii=False), encoding="utf-8")
    diverged = sum("error" in result for result in learnt.values())
    click.echo(
        f"{len(learnt)} configurations, {diverged} of which diverge, in "
        f"{time.perf_counter() - start:.0f} s by {fastmlp.__file__}"
    )


@main.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@click.option("--numba/--no-numba", default=True, show_default=True, help="Those on Numba too.")
def compare(file: Path, numba: bool) -> None:
    """Fit the configurations of FILE again; end with 1 if any learns something else."""
    recording = json.loads(file.read_text(encoding="utf-8"))
    total = n_different = 0
    for backend, number in _numbers(recording, numba):
        total += 1
        configuration, now = learn(recording["seed"], number, backend)
        if configuration not in recording["learnt"]:
            raise click.ClickException(f"{file} was recorded with other draws: no {configuration}")
        different = list(differences(recording["learnt"][configuration], now))
        if different:
            n_different += 1
            click.echo("\n".join([f"{number}: {configuration}", *(f"    {d}" for d in different)]))
    click.echo(f"{total - n_different} of {total} are the same to the last bit")
    click.echo(f"by {fastmlp.__file__}")
    sys.exit(n_different > 0)


def _numbers(recording: Any, numba: bool) -> Iterator[tuple[str, int]]:
    """Yield the backend and the number of each configuration."""
    for backend, count in recording["numbers"].items():
        if numba or backend != "numba":
            yield from ((backend, number) for number in range(count))


if __name__ == "__main__":
    main()
