"""Ctrl-C at random moments of fits; a program of its own.

``report(name, count)`` interrupts fits of a kind and prints what came of it as JSON. The alarm is a
timer's signal, since it can ring within microseconds; its handler is that of Ctrl-C.
"""

from __future__ import annotations

import json
import random
import signal
import sys
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from fastmlp import MLPClassifier, MLPRegressor, TabularRegressor
from fastmlp.tabular import Recipe

RNG = np.random.default_rng(0)
X = RNG.normal(size=(400, 20)).astype(np.float32)
Y = X[:, 0] + X[:, 1] ** 2
SIGNS = X[:, 0] > 0
TABLE = [[float(row[0]), "abc"[i % 3], float(row[2])] for i, row in enumerate(X[:60])]


class Case(NamedTuple):
    """A model, what is done to it, and what it says then."""

    new: Callable[[], Any]
    do: Callable[[Any], Any]
    said: Callable[[Any], bytes]
    #: Whether it is one fit, after which there is the old model or the new one.
    is_whole: bool = True


def said_by(X: Any) -> Callable[[Any], bytes]:
    """Return what shows what a model has learnt."""
    return lambda model: np.ascontiguousarray(model.predict(X)).tobytes()


def cases() -> dict[str, Case]:
    """Return fits of each way through the package, by name."""
    quick = {"random_state": 0, "n_threads": 2}

    def fits(model: Callable[[], Any], X: Any, y: Any) -> Case:
        return Case(lambda: model().fit(X, -y), lambda model: model.fit(X, y), said_by(X))

    def small() -> Any:
        return MLPRegressor(hidden_layer_sizes=(8,), max_iter=2, **quick)

    def long() -> Any:
        return MLPRegressor(hidden_layer_sizes=(64, 64), max_iter=20, early_stopping=True, **quick)

    def searching() -> Any:
        return MLPRegressor(hidden_layer_sizes=(32,), solver="lbfgs", max_iter=20, **quick)

    def racing() -> Any:
        recipe = Recipe(hidden_layer_sizes=(8,), max_iter=3, batch_size=16)
        return TabularRegressor(recipe=recipe, n_folds=2, random_state=0)

    learning = MLPClassifier((8,), **quick)

    def steps(model: Any) -> Any:
        for _ in range(5):
            model.partial_fit(X, SIGNS, classes=[False, True])

    return {
        "small": fits(small, X[:40], Y[:40]),
        "long": fits(long, X, Y),
        "L-BFGS": fits(searching, X, Y),
        "table": fits(racing, TABLE, Y[:60]),
        "partial_fit": Case(
            lambda: MLPClassifier(**learning.get_params()), steps, said_by(X), False
        ),
    }


def once(case: Case, delay: float, wanted: bytes) -> str:
    """Return "finished", "interrupted" or "kept", or what happened that must not."""
    model, ending = case.new(), "finished"
    before = said_or_nothing(case, model)
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        try:
            signal.setitimer(signal.ITIMER_REAL, delay)
            case.do(model)
            signal.setitimer(signal.ITIMER_REAL, 0)
        except KeyboardInterrupt:
            ending = "interrupted"
        except BaseException as error:
            frame = traceback.extract_tb(error.__traceback__)[-1]
            return f"{type(error).__name__}: {error} ({frame.filename}:{frame.lineno})"
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
    if any("interrupted" in str(warning.message) for warning in told):
        ending = "kept"
    after = said_or_nothing(case, model)
    if ending == "interrupted" and case.is_whole and after not in (before, wanted):
        return "interrupted, but neither the model before nor that after"
    if ending == "finished" and after != wanted:
        return "finished, but another model"
    return ending


def said_or_nothing(case: Case, model: Any) -> bytes | None:
    """Return what a model says, if it has learnt anything."""
    return case.said(model) if model.__sklearn_is_fitted__() else None


def report(name: str, count: int) -> None:
    """Interrupt, and print what came of it."""
    warnings.simplefilter("ignore")
    sys.unraisablehook = lambda _: None  # where Python can't raise, the fit goes on
    signal.signal(signal.SIGALRM, signal.default_int_handler)
    case, draw = cases()[name], random.Random(0)
    value_and_time(case)  # what is imported or kept takes no time again
    wanted, seconds = value_and_time(case)
    outcomes: Counter[str] = Counter()
    faults = []
    for number in range(count):
        ending = once(case, draw.uniform(1e-6, seconds), wanted)
        if ending in ("finished", "interrupted", "kept"):
            outcomes[ending] += 1
        else:
            faults.append(f"{number}: {ending}")
        if number % 10 == 0 and value_and_time(case)[0] != wanted:
            faults.append(f"{number}: the next fit is another one ({ending})")
    print(json.dumps({"seconds": seconds, "outcomes": outcomes, "faults": faults[:20]}))


def value_and_time(case: Case) -> tuple[bytes, float]:
    """Return what an undisturbed model says, and how long it learns."""
    model, began = case.new(), time.perf_counter()
    case.do(model)
    return case.said(model), time.perf_counter() - began
