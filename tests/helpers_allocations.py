"""One allocation that fails, anywhere in a call: what is raised, and whether all goes on after it.

A program of its own, into which ``failing_malloc.c`` is preloaded: ``report(most, folder)`` fails
so many allocations of each act at most, evenly spread, and prints what came of it as JSON. Models
are written to the folder, where a process that an allocation ends may leave some.
"""

from __future__ import annotations

import ctypes
import json
import os
import pickle
import sys
import traceback
import warnings
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from helpers_children import run_child
from helpers_quick import spread
from scipy import sparse
from sklearn.exceptions import NotFittedError

import fastmlp
from fastmlp import MLPClassifier, MLPRegressor, Predictor, TabularRegressor

X = np.random.default_rng(0).normal(size=(40, 4)).astype(np.float32)
LABELS, NUMBERS = X[:, 0] > 0, X[:, 0] + X[:, 1] ** 2
TABLE = [[float(row[0]), "ab"[i % 2], float(row[2]), "x"] for i, row in enumerate(X)]
#: More allocations than any act makes.
NONE_FAILS = 1 << 60

#: What a child writes: the act was done, MemoryError, another library's error, or a fault of ours.
DONE, NO_MEMORY, OTHERS_ERROR, FAULT = b"dmof"
NAMES = {DONE: "done", NO_MEMORY: "MemoryError", OTHERS_ERROR: "others' error", FAULT: "fault"}

#: Its library is written in Rust, which ends the process when an allocation of its own fails.
ENDS_THE_PROCESS = f"{os.sep}safetensors{os.sep}"


class Act(NamedTuple):
    """What is done to a new model, and what shows what a model is worth."""

    new: Callable[[], Any]
    do: Callable[[Any], Any]
    #: Of a model that was there before, and after an act that was done.
    said: Callable[[Any], Any]
    #: Puts a model that has seen an error to use; what it then says must not depend on the error.
    use: Callable[[Any], Any]


def classifier(**named: Any) -> MLPClassifier:
    """Return a small one."""
    return MLPClassifier((5,), **{"max_iter": 3, "n_threads": 2, "random_state": 0, **named})


def regressor(**named: Any) -> MLPRegressor:
    """Return a small one that takes other ways."""
    given = {"hidden_layer_sizes": (5,), "solver": "lbfgs", "max_iter": 3, "random_state": 0}
    return MLPRegressor(**{**given, **named})


def tabular() -> TabularRegressor:
    """Return a small model of raw tables."""
    recipe = fastmlp.tabular.Recipe(hidden_layer_sizes=(4,), max_iter=2, batch_size=16)
    return TabularRegressor(recipe=recipe, n_folds=1, random_state=0)


def probabilities(model: MLPClassifier) -> bytes:
    """Return what a classifier predicts."""
    return bytes(model.predict_proba(X).tobytes())


def predictions(model: Any, X: Any = X) -> bytes:
    """Return what a regressor predicts."""
    return bytes(np.asarray(model.predict(X)).tobytes())


def fit(model: Any) -> Any:
    """Fit a classifier anew."""
    return model.fit(X, LABELS)


def fitting(new: Callable[[], Any], do: Callable[[Any], Any] = fit) -> Act:
    """Return an act of a classifier that learns, and can learn again afterwards."""
    return Act(new, do, probabilities, lambda model: probabilities(fit(model)))


def acts(folder: Path) -> dict[str, Act]:
    """Return what may run short of memory, by name."""
    fitted = pickle.dumps(classifier().fit(X, LABELS))
    return {
        **fits(fitted),
        **partial_fits(),
        **predictions_of(fitted),
        **files(fitted, folder),
    }


def fits(fitted: bytes) -> dict[str, Act]:
    """Return fits of each way through the package."""

    def learn(model: Any) -> Any:
        return model.fit(X, NUMBERS)

    def learn_table(model: Any) -> Any:
        return model.fit(TABLE, NUMBERS)

    def with_options() -> MLPClassifier:
        return classifier(early_stopping=True, averaging="ema", normalization="batch")

    return {
        "fit": fitting(lambda: pickle.loads(fitted)),
        "first fit": fitting(classifier),
        "fit by L-BFGS": Act(
            lambda: regressor().fit(X, -NUMBERS),
            learn,
            predictions,
            lambda model: predictions(learn(model)),
        ),
        "fit with all options": fitting(with_options),
        "fit of a table": Act(
            tabular,
            learn_table,
            lambda model: predictions(model, TABLE),
            lambda model: predictions(learn_table(model), TABLE),
        ),
    }


def partial_fits() -> dict[str, Act]:
    """Return the first partial fit, and one of a stream."""
    streaming = classifier().partial_fit(X, LABELS, classes=[False, True])
    learning = pickle.dumps(streaming.partial_fit(X, LABELS))
    return {
        "first partial_fit": fitting(
            classifier, lambda model: model.partial_fit(X, LABELS, classes=[False, True])
        ),
        "partial_fit": fitting(
            lambda: pickle.loads(learning), lambda model: model.partial_fit(X, LABELS)
        ),
    }


def predictions_of(fitted: bytes) -> dict[str, Act]:
    """Return ways to predict."""
    rows, cells, predict = sparse.csr_array(X), X.tolist(), Predictor(pickle.loads(fitted))

    def predicts(call: Callable[[Any], Any]) -> Act:
        return Act(
            lambda: pickle.loads(fitted),
            call,
            probabilities,
            lambda model: np.asarray(call(model)).tobytes(),
        )

    return {
        "predict": predicts(lambda model: model.predict(X)),
        "predict_proba of lists": predicts(lambda model: model.predict_proba(cells)),
        "predict_proba of sparse rows": predicts(lambda model: model.predict_proba(rows)),
        "Predictor": predicts(lambda model: Predictor(model)(X)),
        "call of a Predictor": predicts(lambda model: predict(X)),
        "pickle": predicts(lambda model: pickle.loads(pickle.dumps(model)).predict_proba(X)),
    }


def files(fitted: bytes, folder: Path) -> dict[str, Act]:
    """Return what is done with model files, of which each process has its own."""

    def path() -> Path:
        return folder / f"{os.getpid()}.fastmlp"

    def save(model: Any) -> Any:
        model.save(path())
        return model

    def saved(model: Any) -> bytes:
        return probabilities(fastmlp.load(path()))

    def with_file() -> Any:
        return save(pickle.loads(fitted))

    return {
        "save": Act(with_file, save, saved, lambda model: saved(save(model))),
        "load": Act(with_file, lambda _: fastmlp.load(path()), probabilities, saved),
    }


class Allocator:
    """The allocator that can be made to fail."""

    def __init__(self) -> None:
        library = ctypes.CDLL(None)
        self._fail, self._stop = library.fail_allocation, library.no_more_failures
        self._fail.argtypes, self._stop.restype = [ctypes.c_long], ctypes.c_long

    def __call__(self, number: int, do: Callable[[Any], Any], model: Any) -> int:
        """Do something whose allocation of this number fails; return how many it made."""
        self._fail(number)
        try:
            do(model)
        finally:
            left = self._stop()
        return number - left


def value(what: Callable[[Any], Any], model: Any) -> Any:
    """Return what a model says, or that it says nothing."""
    try:
        return what(model)
    except NotFittedError:
        return None


def kind_of(error: BaseException) -> int:
    """Return whose error it is.

    Where an allocation fails, some functions of NumPy, Python and OpenSSL return nothing and say
    nothing (SystemError), or say it in words of their own. What our code raises is our fault: it
    has taken the lack of memory for something else.
    """
    if isinstance(error, MemoryError):
        return NO_MEMORY
    innermost = traceback.extract_tb(error.__traceback__)[-1]
    by_us = innermost.filename.startswith(str(Path(fastmlp.__file__).parent))
    return FAULT if by_us and "raise" in (innermost.line or "") else OTHERS_ERROR


def fate(act: Act, number: int, allocator: Allocator, wanted: tuple[Any, Any]) -> tuple[int, str]:
    """Return what came of an act whose allocation of this number failed, and what to say of it."""
    model, (done, used) = act.new(), wanted
    before = value(act.said, model)
    code, said = DONE, ""
    try:
        allocator(number, act.do, model)
    except BaseException as error:
        code = kind_of(error)
        frames = traceback.extract_tb(error.__traceback__)
        said = f"{type(error).__name__}: {error} in {frames[-1].filename}:{frames[-1].lineno}"
    after = value(act.said, model)
    if after not in ([done] if code == DONE else [before, done]):
        return FAULT, f"the model is neither the old nor the new one ({said})"
    if act.use(model) != used:
        return FAULT, f"the model is of no use afterwards ({said})"
    return code, said


def child(act: Act, numbers: Sequence[int], pipe: int) -> None:
    """Go through failing allocations; write a line for each."""
    allocator = Allocator()
    fresh = act.new()
    act.do(fresh)
    wanted = act.said(fresh), act.use(act.new())
    for number in numbers:
        code, said = fate(act, number, allocator, wanted)
        told = said.replace("\n", " ") if code in (OTHERS_ERROR, FAULT) else ""
        os.write(pipe, b"%c%s\n" % (code, told.encode()))


def spoil(act: Act, most: int) -> dict[str, Any]:
    """Let allocations of an act fail; return how many it makes and what came of it."""
    allocator = Allocator()
    for _ in range(3):  # whatever is kept for the next call is there then
        act.use(act.new())
        n_made = allocator(NONE_FAILS, act.do, act.new())
    numbers = list(range(1, n_made + 1))
    chosen = spread(numbers, most)
    outcomes: Counter[str] = Counter()
    others: Counter[str] = Counter()
    faults, done = [], 0
    while done < len(chosen):
        heard, how, where = run_child(partial(child, act, chosen[done:]))
        for number, line in zip(chosen[done:], heard.decode().splitlines(), strict=False):
            code, said = ord(line[0]), line[1:]
            outcomes[NAMES[code]] += 1
            if code == FAULT:
                faults.append(f"allocation {number}: {said}")
            elif code == OTHERS_ERROR:
                others[said] += 1
            done += 1
        if done < len(chosen):
            if ENDS_THE_PROCESS in where:
                outcomes["process ended by safetensors"] += 1
            else:
                faults.append(f"allocation {chosen[done]} ends the process: {how}, {where}")
            done += 1
    return {"made": n_made, "outcomes": outcomes, "faults": faults, "others": others}


def report(most: int, folder: str, *names: str) -> None:
    """Let allocations of each act fail, or of all acts, and print what came of it."""
    warnings.simplefilter("ignore")
    sys.unraisablehook = lambda _: None
    chosen = {name: act for name, act in acts(Path(folder)).items() if name in names or not names}
    print(json.dumps({name: spoil(act, most) for name, act in chosen.items()}))
