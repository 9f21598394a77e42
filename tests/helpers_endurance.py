"""What a process keeps of many small fits; forks during fits; threads and processes at once.

Programs of their own: each ``report_…`` prints JSON.
"""

from __future__ import annotations

import gc
import json
import os
import pickle
import random
import threading
import time
import tracemalloc
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from helpers_children import run_child
from helpers_custom import half_square, half_square_slope, tanh, tanh_slope

import fastmlp
from fastmlp import MLPClassifier, MLPRegressor, Predictor
from fastmlp.custom import custom_activation, custom_loss

RNG = np.random.default_rng(0)
X = RNG.normal(size=(200, 8)).astype(np.float32)
Y = X[:, 0] + X[:, 1] ** 2
BANDS = np.digitize(X[:, 0], [-0.5, 0.5])


def resident_bytes() -> int:
    """Return how much memory the process has, on Linux."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


#: A stream of partial fits remembers so many of them.
LONGEST_HISTORY = 1100

# -- many small fits ------------------------------------------------------------------------------


def small_fits() -> dict[str, Callable[[int], Any]]:
    """Return ways to make the i-th small model, by name."""
    own = custom_activation(tanh, tanh_slope)
    own_loss = custom_loss(half_square, half_square_slope)
    quick: dict[str, Any] = {"max_iter": 1, "random_state": 0, "n_threads": 2}
    streaming = MLPClassifier((3,), **quick)
    users = MLPRegressor(own_loss, activation=own, **quick)
    searching = MLPRegressor(hidden_layer_sizes=(3,), solver="lbfgs", **quick)
    once = MLPRegressor(hidden_layer_sizes=(4,), **quick).fit(X[:10], Y[:10])

    def shapes(i: int) -> Any:
        sizes, columns, rows = (1 + i % 37, 1 + i % 11), 1 + i % 8, 5 + i % 60
        return MLPRegressor(hidden_layer_sizes=sizes, **quick).fit(X[:rows, :columns], Y[:rows])

    def bytes_and_back(i: int) -> Any:
        return pickle.loads(pickle.dumps(Predictor(once)))(X[: 1 + i % 50])

    return {
        "the same": lambda i: MLPClassifier((3,), **quick).fit(X[:12], BANDS[:12]),
        "changing shapes": shapes,
        "users' functions": lambda i: users.fit(X[:9], Y[:9]),
        "L-BFGS": lambda i: searching.fit(X[:9], Y[:9]),
        "partial fits": lambda i: streaming.partial_fit(X[:12], BANDS[:12], classes=[0, 1, 2]),
        "Predictors": bytes_and_back,
    }


def report_memory(name: str, count: int) -> None:
    """Make small fits; print by how many bytes the second half of them has grown the process.

    Then the same with Python's count of its objects' bytes, of a tenth of the fits.
    """
    warnings.simplefilter("ignore")
    make = small_fits()[name]
    run(make, count // 2 + (LONGEST_HISTORY if name == "partial fits" else 0))
    resident, began = resident_bytes(), time.perf_counter()
    run(make, count - count // 2)
    seconds, grown = time.perf_counter() - began, resident_bytes() - resident
    tracemalloc.start()
    n_traced = max(count // 10, LONGEST_HISTORY if name == "partial fits" else 100)
    run(make, n_traced)  # what caches keep is replaced by traced bytes
    traced = tracemalloc.get_traced_memory()[0]
    run(make, n_traced)
    kept = tracemalloc.get_traced_memory()[0] - traced
    print(json.dumps({"resident": grown, "seconds": 2 * seconds, "objects": kept, "fits": count}))


def run(make: Callable[[int], Any], count: int) -> None:
    """Make so many models, and let them go."""
    for i in range(count):
        make(i)
    gc.collect()


# -- forks during fits ----------------------------------------------------------------------------


def fits_in_training(stop: threading.Event, wanted: dict[str, bytes], faults: list[str]) -> None:
    """Fit until told to stop; each time the result must be the same."""
    while not stop.is_set():
        for name, fit in fits().items():
            if fit() != wanted.get(name) and name in wanted:
                faults.append(f"the parent's fit {name!r} is another one")


def fits() -> dict[str, Callable[[], bytes]]:
    """Return fits by name, as what their models predict."""

    def of(model: Any, y: np.ndarray = Y) -> bytes:
        return np.ascontiguousarray(model.fit(X, y).predict(X)).tobytes()

    quick: dict[str, Any] = {"max_iter": 5, "random_state": 0, "n_threads": 2}
    return {
        "batches": lambda: of(MLPClassifier((32, 32), **quick), BANDS),
        "L-BFGS": lambda: of(MLPRegressor(hidden_layer_sizes=(16,), solver="lbfgs", **quick)),
        "nadam": lambda: of(MLPRegressor(hidden_layer_sizes=(16,), solver="nadam", **quick)),
        "any seed": lambda: of(
            MLPRegressor(hidden_layer_sizes=(16,), **{**quick, "random_state": None})
        ),
    }


def in_child(wanted: dict[str, bytes], pipe: int) -> None:
    """Fit by every way; write a letter for each."""
    for name, fit in fits().items():
        os.write(pipe, b"." if fit() == wanted.get(name) or name not in wanted else b"x")


def report_forks(count: int) -> None:
    """Fork at random moments of two threads' fits, and print how the children ended."""
    warnings.simplefilter("ignore")
    fits()["L-BFGS"]()  # SciPy's BLAS is there
    wanted = {name: fit() for name, fit in fits().items() if name != "any seed"}
    stop, faults, draw = threading.Event(), [], random.Random(0)
    fitters = [
        threading.Thread(target=fits_in_training, args=(stop, wanted, faults)) for _ in range(2)
    ]
    for thread in fitters:
        thread.start()
    began = time.perf_counter()
    for number in range(count):
        time.sleep(draw.uniform(0, 0.01))
        heard, how, where = run_child(partial(in_child, wanted))
        if heard != b"." * len(fits()) or how:
            faults.append(f"child {number}: {heard!r} {how} {where}")
    stop.set()
    for thread in fitters:
        thread.join()
    print(json.dumps({"faults": faults, "seconds": time.perf_counter() - began}))


# -- threads and processes at once ----------------------------------------------------------------


def jobs(path: Path, shared: Any) -> Iterator[Callable[[], bytes]]:
    """Yield what a thread does in turn, each time with the same result."""
    yield from fits().values()

    def by_file() -> bytes:
        shared.save(path)
        return fastmlp.load(path).predict(X).tobytes()

    yield by_file
    yield lambda: pickle.loads(pickle.dumps(shared)).predict(X).tobytes()
    yield lambda: shared.predict(X).tobytes()
    yield lambda: Predictor(shared, n_threads=2)(X).tobytes()


def report_threads(path: str, seconds: float) -> None:
    """Let eight threads work at once, which share a model and a file, and print how much."""
    warnings.simplefilter("ignore")
    shared = MLPRegressor(hidden_layer_sizes=(32,), max_iter=3, random_state=0, n_threads=2).fit(
        X, Y
    )
    works = [work for i, work in enumerate(jobs(Path(path), shared)) if i != 3]  # any seed
    wanted = [work() for work in works]
    end, counts, faults = time.monotonic() + seconds, [], []

    def go_on(seed: int) -> None:
        draw, count = random.Random(seed), 0
        while time.monotonic() < end:
            which = draw.randrange(len(works))
            if works[which]() != wanted[which]:
                faults.append(f"work {which}")
            count += 1
        counts.append(count)

    with ThreadPoolExecutor(8) as pool:
        for done in [pool.submit(go_on, seed) for seed in range(8)]:
            done.result()
    print(json.dumps({"done": sum(counts), "least": min(counts), "faults": faults}))
