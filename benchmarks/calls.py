"""What a call costs beside its arithmetic: ``python benchmarks/calls.py --help``.

Partial fits by a fresh model are set beside those by a model that has seen a long stream, whose
cost must not have grown, and beside scikit-learn's. Of whole fits of a few rows it is what a fit
takes above its epochs, for parameters that no fit has had yet and for those of an earlier fit.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from itertools import count
from pathlib import Path

import click
import numpy as np
from options import outputs, rounds
from sklearn import neural_network
from variants import Row, report

import fastmlp
from fastmlp.cli.timing import Timing, WrongResultError, interleave

#: Of a partial fit by a fresh model.
TARGET = 1.1
#: Of a variant in each round.
MIN_SECONDS = 0.02
#: Columns of X and units of the only hidden layer.
N_FEATURES, N_HIDDEN = 6, 100
#: Rows of whole fits, and epochs of the longer one of two whose difference is epochs only.
N_ROWS, N_EPOCHS = 20, 21
SKLEARN = "scikit-learn"


@click.command(context_settings={"show_default": True})
@click.option("--stream", default=20_000, help="Partial fits before those that are timed.")
@rounds(11)
@outputs("calls")
def main(stream: int, rounds: int, json_path: Path, output: Path) -> None:
    """Time partial fits and predictions of one row, and what whole fits take above their epochs."""
    warnings.simplefilter("ignore")
    rows = [
        measure(f"{method} of one row, {kind}", kind, method, stream, rounds)
        for method in ("partial_fit", "predict", "predict_proba")
        for kind in ("classifier", "regressor")
        if (method, kind) != ("predict_proba", "regressor")
    ]
    rows += [measure_fits(kind, f"after {stream}", rounds) for kind in ("classifier", "regressor")]
    title = f"One row, {N_FEATURES}-{N_HIDDEN}-1"
    report(rows, title, TARGET, {"stream": stream}, json_path, output)


def measure(name: str, kind: str, method: str, stream: int, n_rounds: int) -> Row:
    """Check that a long stream has left a model that predicts, then time the calls in turn."""
    ours, theirs = (
        getattr(package, "MLPClassifier" if kind == "classifier" else "MLPRegressor")
        for package in (fastmlp, neural_network)
    )
    calls = {
        "fresh": call_of(ours, kind, method, 1),
        f"after {stream}": call_of(ours, kind, method, stream),
        SKLEARN: call_of(theirs, kind, method, 1),
    }
    return Row(name, interleave(calls, n_rounds=n_rounds, min_seconds=MIN_SECONDS))


def measure_fits(kind: str, repeated: str, n_rounds: int) -> Row:
    """Time fits of 1 and of more epochs in turn; return what they take above the epochs."""
    ours, theirs = (
        getattr(package, "MLPClassifier" if kind == "classifier" else "MLPRegressor")
        for package in (fastmlp, neural_network)
    )
    ways = {"fresh": (ours, True), repeated: (ours, False), SKLEARN: (theirs, False)}
    calls = {
        (name, n_epochs): fit_of(cls, kind, n_epochs, renewed=renewed)
        for name, (cls, renewed) in ways.items()
        for n_epochs in (1, N_EPOCHS)
    }
    times = interleave(calls, n_rounds=n_rounds, min_seconds=MIN_SECONDS)
    return Row(
        f"fit of {N_ROWS} rows above its epochs, {kind}",
        {name: above_epochs(times[name, 1], times[name, N_EPOCHS]) for name in ways},
    )


def above_epochs(short: Timing, long: Timing) -> Timing:
    """Return what fits take beside epochs, of which the longer ones have ``N_EPOCHS``."""
    pairs = zip(short.seconds, long.seconds, strict=True)
    return Timing(tuple(one - (many - one) / (N_EPOCHS - 1) for one, many in pairs))


def fit_of(cls: type, kind: str, n_epochs: int, *, renewed: bool) -> Callable[[], object]:
    """Return a fit of so many epochs, by other parameters each time if they are ``renewed``."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(N_ROWS, N_FEATURES)).astype(np.float32)
    y = X[:, 0] > 0 if kind == "classifier" else X[:, 0]
    model = cls(hidden_layer_sizes=(N_HIDDEN,), random_state=0, max_iter=n_epochs)
    model.set_params(n_iter_no_change=N_EPOCHS)
    numbers = count(1)

    def fit() -> object:
        if renewed:
            model.alpha = 1e-4 + 1e-9 * next(numbers)
        return model.fit(X, y)

    if not np.isfinite(fit().predict(X)).all():
        raise WrongResultError(f"{cls.__name__} predicts what is not finite")
    return fit


def call_of(cls: type, kind: str, method: str, n_before: int) -> Callable[[], object]:
    """Return a call with one row of a model that has had ``n_before`` partial fits."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(64, N_FEATURES)).astype(np.float32)
    y = X[:, 0] > 0 if kind == "classifier" else X[:, 0]
    rows = [(X[i : i + 1], y[i : i + 1]) for i in range(len(X))]
    model = cls(hidden_layer_sizes=(N_HIDDEN,), random_state=0)
    first = {"classes": [False, True]} if kind == "classifier" else {}
    model.partial_fit(*rows[0], **first)
    for i in range(n_before - 1):
        model.partial_fit(*rows[i % len(rows)])
    if not np.isfinite(model.predict(X)).all():
        raise WrongResultError(f"{cls.__name__} predicts what is not finite")
    arguments = rows[1] if method == "partial_fit" else rows[1][:1]
    return lambda: getattr(model, method)(*arguments)


if __name__ == "__main__":
    main()
