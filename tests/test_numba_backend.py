"""What is special to the Numba backend: its mathematics, its threads, its cache.

That it computes what the other backends compute is tested with them.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import numba
import numpy as np
import pytest
from helpers_process import run_python

from fastmlp.backends import Rows
from fastmlp.backends.numba_jit import NumbaBackend, dropout, exponential, jit, network
from fastmlp.backends.numba_jit import threading_layer as layers
from fastmlp.optimizers import SGD
from fastmlp.plan.layout import make_plan
from fastmlp.plan.parameters import aligned_zeros
from fastmlp.plan.records import make_settings
from fastmlp.registry import ACTIVATIONS, LOSSES
from fastmlp.training.updates import UpdateRule

# -- exp and tanh -------------------------------------------------------------------------------


@jit.entry_point
def exp_all(x, out):
    for i in range(x.size):
        out[i] = exponential.exp(x[i])


@jit.entry_point
def tanh_all(x, out):
    for i in range(x.size):
        out[i] = exponential.tanh(x[i])


def apply(function, x):
    out = np.empty_like(x)
    function(x, out)
    return out


def ulps(computed, exact):
    """Return the errors in units of the last place of the exact result."""
    return np.abs(computed - exact) / np.spacing(np.abs(exact).astype(computed.dtype))


def exact(function, x):
    """Return a function's values in the widest type that NumPy has."""
    return function(x.astype(np.longdouble))


@pytest.mark.parametrize(("low", "high"), [(-1, 1), (-700, 700), (-87, 88)])
def test_exp_is_within_two_ulp(low, high, dtype):
    limit = 87 if dtype == np.float32 else 708  # beyond lie subnormal numbers and infinity
    x = np.linspace(max(low, -limit), min(high, limit), 100_001).astype(dtype)
    assert ulps(apply(exp_all, x), exact(np.exp, x)).max() < 2


@pytest.mark.parametrize("width", [1e-6, 1e-2, 1, 5, 30])
def test_tanh_is_within_four_ulp(width, dtype):
    x = np.linspace(-width, width, 100_001).astype(dtype)
    x = x[x != 0]
    assert ulps(apply(tanh_all, x), exact(np.tanh, x)).max() < 4


def test_exp_at_the_edges(dtype):
    x = np.array([0, -0.0, np.inf, -np.inf, np.nan, 1e6, -1e6], dtype=dtype)
    expected = np.array([1, 1, np.inf, 0, np.nan, np.inf, 0])
    np.testing.assert_array_equal(apply(exp_all, x), expected)


def test_exp_reaches_subnormal_numbers(dtype):
    info = np.finfo(dtype)
    x = np.log(np.longdouble(info.tiny) / 8).astype(dtype)
    result = apply(exp_all, np.array([x]))
    assert 0 < result[0] < info.tiny
    np.testing.assert_allclose(result, exact(np.exp, np.array([x])).astype(dtype), rtol=1e-4)


def test_tanh_at_the_edges(dtype):
    x = np.array([0, np.inf, -np.inf, np.nan, 1e6, -1e6], dtype=dtype)
    np.testing.assert_array_equal(apply(tanh_all, x), np.array([0, 1, -1, np.nan, 1, -1]))


@pytest.mark.parametrize("activation", ACTIVATIONS.names)
def test_nan_stays_visible(activation, dtype):
    z = np.full((1, 17), np.nan, dtype=dtype)
    h, slope = np.zeros_like(z), np.zeros_like(z)
    NumbaBackend().activate(ACTIVATIONS[activation].code, z, h, slope)
    assert np.isnan(h).all()


@pytest.mark.parametrize("position", [0, 1, 4])
def test_a_nan_logit_makes_its_loss_nan(position, dtype):
    logits = np.zeros((2, 5), dtype=dtype)
    logits[0, position] = np.nan
    values, gradient = np.zeros(2, dtype=dtype), np.zeros_like(logits)
    row = LOSSES["softmax_cross_entropy"]
    NumbaBackend().loss_and_gradient(
        row.code,
        row.default_parameters,
        logits,
        np.zeros((2, 1), dtype=dtype),
        None,
        values,
        gradient,
    )
    np.testing.assert_array_equal(np.isnan(values), [True, False])


# -- dropout bits -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        (0, (0x5F6FB709, 0x0D893F64, 0x4F121F81, 0x4F730A48)),
        (0xFFFFFFFF, (0x5207DDC2, 0x45165E59, 0x4D8EE751, 0x8C52F662)),
    ],
)
def test_philox_known_answers(word, expected):
    """Philox-4×32, 7 rounds, of the known answers that Random123 publishes."""
    assert dropout.philox(*[np.uint64(word)] * 6) == expected


# -- threads ------------------------------------------------------------------------------------


def test_team_restores_the_users_threads():
    before = numba.get_num_threads()
    with layers.team(1000, flops=1e12) as n_workers:
        assert n_workers == 1000
        assert numba.get_num_threads() == numba.config.NUMBA_NUM_THREADS
    assert numba.get_num_threads() == before


def test_team_restores_the_users_threads_after_an_error():
    before = numba.get_num_threads()
    interrupted = layers.team(2, flops=1e12)
    interrupted.__enter__()
    numba.set_num_threads(1)
    assert not interrupted.__exit__(KeyboardInterrupt, KeyboardInterrupt(), None)
    assert numba.get_num_threads() == before


@pytest.mark.parametrize(("n_threads", "flops"), [(1, 1e12), (4, 1.0)])
def test_small_work_and_one_thread_enter_no_parallel_loop(n_threads, flops):
    with layers.team(n_threads, flops) as n_workers:
        assert n_workers == 1


@pytest.mark.parametrize("user", [{}, {"GOMP_SPINCOUNT": "17"}, {"OMP_WAIT_POLICY": "active"}])
def test_launching_leaves_the_environment_as_it_was(user, monkeypatch):
    for name in ("GOMP_SPINCOUNT", "OMP_WAIT_POLICY"):
        monkeypatch.delenv(name, raising=False)
    for name, value in user.items():
        monkeypatch.setenv(name, value)
    before, seen = dict(os.environ), {}
    monkeypatch.setattr(layers, "threading_layer", _not_loaded_once("omp"))
    monkeypatch.setattr(layers.numba, "get_num_threads", lambda: seen.update(os.environ))
    assert layers.launch() == "omp"
    assert dict(os.environ) == before
    assert ("GOMP_SPINCOUNT" in seen) == ("OMP_WAIT_POLICY" not in user)
    assert seen.get("GOMP_SPINCOUNT") in (layers._SPIN_COUNT, user.get("GOMP_SPINCOUNT"))


def _not_loaded_once(name):
    answers = iter([ValueError("Threading layer is not initialized."), name])

    def threading_layer():
        answer = next(answers)
        if isinstance(answer, ValueError):
            raise answer
        return answer

    return threading_layer


PREAMBLE = """
import os, sys, threading
import numpy as np
from fastmlp.backends.numba_jit import NumbaBackend, threading_layer
from fastmlp.backends import Rows
from fastmlp.optimizers import Adam
from fastmlp.plan.layout import make_plan
from fastmlp.plan.records import make_settings
from fastmlp.training.updates import UpdateRule

threading_layer._WORTH_A_TEAM = dict.fromkeys(threading_layer._WORTH_A_TEAM, 0)
backend = NumbaBackend()
plan = make_plan([30, 40, 3], ["tanh"], "softmax_cross_entropy", [0.1, 0.2])
rng = np.random.default_rng(0)
X = rng.standard_normal((500, 30), dtype=np.float32)
target = rng.integers(0, 3, (500, 1)).astype(np.float32)
start = 0.1 * rng.standard_normal(plan.n_parameters, dtype=np.float32)
settings = make_settings("adam", l2=0.1, seed=7)
updates = UpdateRule(Adam()).numbers(0, 5, 1e-3)

def fit(n_threads, n_epochs=5):
    parameters, moments = start.copy(), np.zeros((2, start.size), np.float32)
    executor = backend.bind(plan, settings, np.dtype(np.float32), 100, n_threads)
    for _ in range(n_epochs):
        executor.train(parameters, moments, Rows(X, target), np.arange(500), 100, updates)
    return parameters

expected = fit(1)

def child_agrees(n_threads):
    child = os.fork()
    if child == 0:
        os._exit(0 if np.array_equal(fit(n_threads), expected) else 1)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
"""

TWO_THREADS_FIT_AT_ONCE = """
results = [None] * 4

def work(i):
    results[i] = fit(2, n_epochs=5)

threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
assert all(np.array_equal(result, expected) for result in results)
"""

FORK_AFTER_USE = """
assert np.array_equal(fit(2), expected)
assert child_agrees(2)
assert np.array_equal(fit(2), expected)
assert child_agrees(1)
"""

FORK_BEFORE_USE = """
assert child_agrees(2)
assert np.array_equal(fit(3), expected)
"""

FORK_WHILE_ANOTHER_THREAD_FITS = """
busy = threading.Thread(target=fit, args=(2, 200))
busy.start()
assert child_agrees(2)
busy.join()
"""

NEEDS_FORK = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")


@pytest.mark.parametrize("layer", ["default", "workqueue"])
@pytest.mark.parametrize(
    "script",
    [
        TWO_THREADS_FIT_AT_ONCE,
        pytest.param(FORK_AFTER_USE, marks=NEEDS_FORK),
        pytest.param(FORK_BEFORE_USE, marks=NEEDS_FORK),
        pytest.param(FORK_WHILE_ANOTHER_THREAD_FITS, marks=NEEDS_FORK),
    ],
    ids=["two threads fit", "fork after use", "fork before use", "fork during use"],
)
def test_threads_and_forks(layer, script):
    """In a process of its own: what this is about ends the process when it goes wrong."""
    run_python(PREAMBLE + script, NUMBA_THREADING_LAYER=layer, NUMBA_NUM_THREADS="2")


# -- memory and cache ---------------------------------------------------------------------------


def test_kernels_cannot_allocate():
    @jit.entry_point
    def allocate(n):
        return np.zeros(n)[0]

    with pytest.raises(numba.core.errors.TypingError, match="zeros"):
        allocate(3)


def test_a_change_of_any_source_makes_the_cache_stale(tmp_path, monkeypatch):
    package = Path(jit.__file__).parent
    for source in package.glob("*.py"):
        (tmp_path / source.name).write_bytes(source.read_bytes())
    monkeypatch.setattr(jit, "__file__", str(tmp_path / "jit.py"))
    before = jit._source_stamp()
    with (tmp_path / "activations.py").open("a") as file:
        file.write("# changed\n")
    assert jit._source_stamp() != before
    # Numba must ask for our stamp where it compares.
    assert network.train._cache._cache_file._source_stamp == jit._STAMP


class Gone:
    """What an earlier version named in its cache."""


def test_a_cache_that_names_what_is_gone_is_empty(tmp_path, monkeypatch):
    cache_file = jit.entry_point(lambda x: x + 1)._cache._cache_file
    monkeypatch.setattr(cache_file, "_index_path", str(tmp_path / "index.nbi"))
    cache_file._save_index({"signature": Gone()})
    assert list(cache_file._load_index()) == ["signature"]
    monkeypatch.delattr(sys.modules[__name__], "Gone")
    assert cache_file._load_index() == {}


def test_one_compiled_function_serves_all_types_of_input(dtype):
    backend = NumbaBackend()
    plan = make_plan([3, 4, 2], ["relu"], "softmax_cross_entropy")
    parameters = aligned_zeros(plan.n_parameters, dtype)
    executor = backend.bind(plan, make_settings("sgd"), dtype, 5, 1)
    updates = UpdateRule(SGD()).numbers(0, 3, 1e-3)
    target, weights = np.zeros((5, 1), dtype=dtype), np.ones(5, dtype=dtype)

    def train(X, sample_weight):
        moments = np.zeros((1, plan.n_parameters), dtype=dtype)
        rows = Rows(X, target, sample_weight)
        executor.train(parameters, moments, rows, np.arange(5), 2, updates)

    train(np.ones((5, 3), dtype=np.float32), None)
    n_compiled = len(network.train.signatures)
    for kind in (np.uint8, np.float32, np.float64):
        X = np.ones((5, 3), dtype=kind)
        train(X, weights)
        X.flags.writeable = False
        train(X, None)
    assert len(network.train.signatures) == n_compiled


# -- blocks of rows -----------------------------------------------------------------------------


@pytest.mark.parametrize("n_rows", [1, 32, 64, 500])
def test_a_small_workspace_changes_the_objective_by_rounding_only(n_rows, dtype):
    """Rows beyond the workspace go through it in blocks, with the dropout bits of their place."""
    backend, rng = NumbaBackend(), np.random.default_rng(5)
    plan = make_plan([6, 9, 2], ["tanh"], "squared_error", [0.3, 0.4])
    X, target = rng.standard_normal((150, 6)).astype(dtype), rng.random((150, 2)).astype(dtype)
    parameters = rng.standard_normal(plan.n_parameters).astype(dtype)
    settings = make_settings(l2=0.3, l1=0.2, seed=3)

    def objective(size):
        gradient = np.empty_like(parameters)
        executor = backend.bind(plan, settings, dtype, size, 1)
        totals = executor.gradient(parameters, Rows(X, target), gradient, step=4)
        return np.array(totals), gradient

    totals, gradient = objective(n_rows)
    expected_totals, expected_gradient = objective(150)
    np.testing.assert_array_equal(totals, expected_totals)
    tolerance = 64 * np.finfo(dtype).eps
    np.testing.assert_allclose(gradient, expected_gradient, rtol=tolerance, atol=tolerance)
