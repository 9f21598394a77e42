"""The same bits for every number of threads, on repetition, beside other threads and after fork."""

from __future__ import annotations

import multiprocessing
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from helpers import Problem, make_problem, objective_and_gradient, predict, train
from helpers_hard import HARD

from fastmlp.backends import get_backend
from fastmlp.backends.compiled import CompiledBackend
from fastmlp.backends.protocol import Backend

ADAM = {"optimizer": "adam", "learning_rate": 0.01, "l2": 0.1}

REGULARISERS = {
    "dropouts": (0.1, 0.2, 0),
    "input_noise": 0.2,
    "gradient_noise": 0.05,
    "clip_value": 0.1,
    "clip_norm": 0.5,
    "max_norm": 0.95,
}

SHAPES = {
    "tiny": {"layer_sizes": (2, 3, 1), "loss": "squared_error", "batch_size": 5},
    "no hidden layer": {"layer_sizes": (70, 9), "batch_size": 64},
    "odd": {"layer_sizes": (13, 37, 53, 3), "dropouts": (0.2, 0.5, 0.1), "batch_size": 61},
    "wide": {"layer_sizes": (96, 520, 130, 10), "dropouts": (0, 0.2, 0), "batch_size": 128},
    "one row": {"layer_sizes": (33, 65, 4), "batch_size": 1, "n_rows": 20},
    "eight groups": {"layer_sizes": (9, 20, 36, 4), "batch_size": 300, "n_rows": 700},
    "wide batch": {"layer_sizes": (5, 140, 3), "batch_size": 2048, "n_rows": 4200},
    "regularised": {"layer_sizes": (13, 37, 53, 3), **REGULARISERS, "batch_size": 150},
    "wide regularised": {"layer_sizes": (96, 520, 130, 10), **REGULARISERS, "batch_size": 61},
    "norms": {"layer_sizes": (13, 37, 53, 5, 3), "normalizations": ["batch", "layer", "batch"]},
    "norms by tiles": {
        "layer_sizes": (64, 160, 96, 10),
        "normalizations": "batch",
        "batch_size": 330,
        "weighted": True,
    },
    "norms of a wide batch": {
        "layer_sizes": (5, 140, 7, 3),
        "normalizations": ["layer", "batch"],
        "batch_size": 2048,
        "n_rows": 4200,
    },
    "scheduled": {
        "layer_sizes": (13, 37, 53, 3),
        "loss": "soft_cross_entropy",
        "dropouts": (0.1, 0.2, 0),
        "scheduled": {"learning_rate": 0.02, "dropout": 2.0, "label_smoothing": 0.5},
    },
    "lamb": {"layer_sizes": (13, 37, 53, 3), "optimizer": "lamb", "batch_size": 150},
    "wide lamb": {"layer_sizes": (96, 520, 130, 10), "optimizer": "lamb", "batch_size": 61},
    "wide lamb regularised": {
        "layer_sizes": (96, 520, 130, 10),
        **REGULARISERS,
        "optimizer": "lamb",
        "batch_size": 61,
    },
    "parametric": {
        "layer_sizes": (13, 37, 53, 5, 3),
        "parametric": [True, False, True],
        "dropouts": (0.1, 0.2, 0, 0.3),
        "batch_size": 150,
    },
    "wide parametric": {
        "layer_sizes": (64, 160, 96, 10),
        "parametric": True,
        "normalizations": ["batch", "layer"],
        "batch_size": 330,
        "clip_norm": 0.5,
    },
    "weights": {"layer_sizes": (13, 37, 3), "weighted": True, "l1": 0.05, "batch_size": 200},
}

every_shape = pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)


def problem_of(shape: dict, dtype: np.dtype | type = np.float32) -> Problem:
    return make_problem(dtype=dtype, **{"n_rows": 333, "n_epochs": 1, **ADAM, **shape})


def everything(backend: Backend, problem: Problem, n_threads: int) -> list[np.ndarray]:
    """Return all that a backend computes of a problem."""
    trained = train(backend, problem, n_threads)
    totals, gradient = objective_and_gradient(backend, problem, n_threads)
    predictions = predict(backend, problem, n_threads=n_threads)
    sums = np.array([*trained.totals, *totals])
    return [trained.parameters, trained.moments, sums, gradient, predictions]


def assert_same_bits(actual: list[np.ndarray], expected: list[np.ndarray]) -> None:
    for one, other in zip(actual, expected, strict=True):
        np.testing.assert_array_equal(one, other)


@every_shape
def test_every_number_of_threads(threaded_backend: Backend, dtype, shape):
    problem = problem_of(shape, dtype)
    expected = everything(threaded_backend, problem, 1)
    for n_threads in range(2, 9) if HARD else (2, 3, 5):
        assert_same_bits(everything(threaded_backend, problem, n_threads), expected)


@pytest.mark.parametrize("layer_sizes", [(64, 512, 96, 10), (784, 33, 300, 20, 3)], ids=str)
@pytest.mark.parametrize("n_threads", [2, 3, 5])
def test_members_keep_to_their_rows(compiled_backend: Backend, dtype, layer_sizes, n_threads):
    """Layers of unequal widths, gathered rows and several members share one scratch memory."""
    problem = make_problem(layer_sizes, dtype=dtype, n_rows=1500)
    rows = np.random.default_rng(0).permutation(1500)
    expected = predict(compiled_backend, problem, rows)
    for _ in range(5):
        actual = predict(compiled_backend, problem, rows, n_threads=n_threads)
        np.testing.assert_array_equal(actual, expected)


def test_repetition(backend: Backend, dtype):
    problem = problem_of(SHAPES["odd"], dtype)
    assert_same_bits(everything(backend, problem, 2), everything(backend, problem, 2))


def test_another_seed_drops_other_units(backend: Backend):
    problem = problem_of(SHAPES["odd"])
    first = train(backend, problem).parameters
    problem.settings["seed"] += np.uint64(1)
    assert np.mean(train(backend, problem).parameters != first) > 0.5


@pytest.mark.parametrize("name", ["compiled", "numba"])
def test_python_threads_side_by_side(name):
    backend = get_backend(name)
    shapes = ("odd", "wide", "weights", "norms") * 2
    problems = [problem_of(SHAPES[shape]) for shape in shapes]
    expected = [everything(backend, problem, 1) for problem in problems]
    with ThreadPoolExecutor(8) as pool:
        runs = [pool.submit(everything, backend, problem, 2) for problem in problems]
        for run, alone in zip(runs, expected, strict=True):
            assert_same_bits(run.result(timeout=120), alone)


def _run_in_child(name: str, problem: Problem, expected: list[np.ndarray]) -> None:
    assert_same_bits(everything(get_backend(name), problem, 2), expected)


@pytest.mark.skipif(sys.platform == "win32", reason="there is no fork on Windows")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")  # forking is what is tested
@pytest.mark.parametrize("name", ["compiled", "numba"])
def test_forked_child(name):
    problem = problem_of(SHAPES["odd"])
    expected = everything(get_backend(name), problem, 2)
    child = multiprocessing.get_context("fork").Process(
        target=_run_in_child, args=(name, problem, expected)
    )
    child.start()
    child.join(timeout=60)
    hangs = child.is_alive()
    child.kill()
    child.join()
    assert not hangs, "the child hangs: it waits for threads that fork did not copy"
    assert child.exitcode == 0
    assert_same_bits(everything(get_backend(name), problem, 2), expected)


@pytest.mark.parametrize("n_threads", [2, 5])
def test_measuring_the_pace_changes_no_bit(dtype, n_threads):
    """The team comes and goes within a call as it pays; the results know nothing of it."""
    problem = problem_of({"layer_sizes": (9, 33, 3), "n_rows": 4000, "batch_size": 20}, dtype)
    expected = everything(CompiledBackend(measures_pace=False), problem, 1)
    assert_same_bits(everything(CompiledBackend(), problem, n_threads), expected)
