"""One thread fits a model again and again while others predict; a program of its own.

``report(n_refits, enough)`` prints what came of it, as JSON: a race in the core may end the
process.
"""

from __future__ import annotations

import json
import re
import sys
import threading
import warnings
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from fastmlp import MLPClassifier, MLPRegressor, Predictor

#: What a model of the other width may say.
OTHER_WIDTH = re.compile(r"X has \d+ features, but \w+ is expecting \d+ features")
QUICK = {"hidden_layer_sizes": (8,), "max_iter": 1, "random_state": 0, "batch_size": 50}
#: As often as Python can, so that a reader is interrupted between any two steps.
SECONDS_BETWEEN_SWITCHES = 1e-6

CLASSIFIER_CALLS: dict[str, Callable[[Any, np.ndarray], Any]] = {
    "predict": lambda model, X: model.predict(X),
    "predict_proba": lambda model, X: model.predict_proba(X),
    "decision_function": lambda model, X: model.decision_function(X),
    "Predictor": lambda model, X: Predictor(model)(X),
}
REGRESSOR_CALLS = {name: CLASSIFIER_CALLS[name] for name in ("predict", "Predictor")}


class Data(NamedTuple):
    """What a model is fitted on, and then asked about."""

    X: np.ndarray
    y: np.ndarray


def data_of(n_features: int, n_outputs: int, regression: bool, seed: int) -> Data:
    """Return real targets (50, n_outputs), or so many classes with names of their own."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(50, n_features)).astype(np.float32)
    if regression:
        return Data(X, rng.normal(size=(50, n_outputs)))
    return Data(X, np.array([f"{seed}-{i % n_outputs}" for i in range(50)]))


def watch(
    model: Any, part: Data, call: Callable[[Any, np.ndarray], Any], expected: np.ndarray
) -> str:
    """Return "right" or "refused", or what a call did that it must not."""
    try:
        found = call(model, part.X)
    except Exception as error:
        clean = isinstance(error, ValueError) and OTHER_WIDTH.match(str(error))
        return "refused" if clean else f"{type(error).__name__}: {error}"
    if found.shape != expected.shape:
        return f"shape {found.shape}, not {expected.shape}"
    return "right" if np.array_equal(found, expected) else "other values"


def run(
    model: Any,
    parts: Sequence[Data],
    calls: dict[str, Callable[[Any, np.ndarray], Any]],
    n: int,
    enough: int,
) -> Counter[str]:
    """Count what calls did during ``n`` fits on each part in turn, or more on a busy machine.

    There readers may seldom get their turn: fits go on until both answers that are allowed have
    been given ``enough`` times, or a hundred times as many fits have not brought it about.
    """
    expected = {
        (name, i): call(model.fit(*part), part.X)
        for i, part in enumerate(parts)
        for name, call in calls.items()
    }
    counts: Counter[str] = Counter()
    done = threading.Event()

    def read() -> None:
        while not done.is_set():
            for (name, i), values in expected.items():
                what = watch(model, parts[i], calls[name], values)
                counts[what if what in ("right", "refused") else f"{name}: {what}"] += 1

    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    try:
        for number in range(100 * n):
            if number >= n and min(counts["right"], counts["refused"]) >= enough:
                break
            for part in parts:
                model.fit(*part)
    finally:  # else a fit that fails would leave the readers for ever
        done.set()
    for reader in readers:
        reader.join()
    return counts


def report(n_refits: int, enough: int) -> None:
    """Refit, and print what came of it."""
    warnings.simplefilter("ignore")
    sys.setswitchinterval(SECONDS_BETWEEN_SWITCHES)
    counts = {}
    for kind, calls in ((MLPClassifier, CLASSIFIER_CALLS), (MLPRegressor, REGRESSOR_CALLS)):
        regression = kind is MLPRegressor
        parts = [data_of(3, 2, regression, 0), data_of(600, 5, regression, 1)]
        counts[kind.__name__] = run(kind(**QUICK), parts, calls, n_refits, enough)
    print(json.dumps(counts))
