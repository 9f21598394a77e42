"""Gradients of many rows go through a workspace for few: blocks of rows, one after the other."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from helpers import REFERENCE, make_problem, objective_and_gradient
from helpers_hard import HARD
from helpers_memory import peak_bytes
from helpers_tolerances import eps
from scipy import sparse

from fastmlp import MLPRegressor
from fastmlp.backends import get_backend
from fastmlp.backends.protocol import Backend
from fastmlp.backends.row_blocks import ROW_UNIT, rows_to_bind
from fastmlp.plan.front import Column
from fastmlp.plan.layout import make_plan
from fastmlp.validation.sparse import sparse_rows

DROPPING = {"dropouts": (0.3, 0.5, 0.2), "input_noise": 0.2, "step": 5}
PENALTIES = {"l1": 0.3, "l2": 0.7}
#: 33 kB of float64 parameters are within, 150 kB beyond what small networks may have.
LARGE = {"layer_sizes": (40, 130, 100, 3)}
NORMS = {"layer_sizes": (6, 8, 8, 3), "n_channels": 4, "n_groups": 2}

CASES = {
    "plain": {},
    "large": {**LARGE, **PENALTIES},
    "dropout": {**DROPPING, "weighted": True},
    "large with dropout": {**LARGE, **DROPPING, **PENALTIES, "weighted": True},
    "row norms": {**NORMS, "normalizations": ["layer", "group"], **DROPPING, **PENALTIES},
    "large, row norms": {**LARGE, "normalizations": ["layer", "layer"], "weighted": True},
    "parametric": {"parametric": True, **DROPPING, "weighted": True},
    "large, parametric": {**LARGE, "parametric": True, **PENALTIES},
}

FRONTS = {
    "scales": {"n_scales": 1, **DROPPING, **PENALTIES},
    "columns": {
        "layer_sizes": (4, 13, 5, 3),
        "columns": (
            Column("table", n_terms=5, width=3),
            Column("one_hot", n_terms=4),
            Column("periodic", n_terms=7, width=3, beside=True),
            Column("piecewise", n_terms=2, width=2, edges=(-1.0, 0.0, 1.0)),
        ),
        "dropouts": (0.3, 0.5, 0.2),
        **PENALTIES,
        "weighted": True,
    },
    "shared members": {"n_members": 4, "n_scales": 4, **DROPPING, **PENALTIES, "weighted": True},
    "members": {"n_members": 3, "n_shared": 0, **DROPPING, **PENALTIES, "weighted": True},
    "large members": {**LARGE, "n_members": 3, "n_shared": 1, **PENALTIES},
}

every_case = pytest.mark.parametrize("case", CASES.values(), ids=CASES)
#: 61 rows are a block and a row, a few blocks and some rows, or all but a few of a block.
every_block = pytest.mark.parametrize("workspace_rows", [8, 24, 32, 56, 64])


def problem_of(case, dtype):
    problem = make_problem(dtype=dtype, **{"n_rows": 61, **case})
    if problem.sample_weight is not None:
        problem.sample_weight[30:50] = 0  # some blocks have no row that counts
    return problem


def assert_like_the_reference(backend, problem, workspace_rows, order=None):
    expected_totals, expected = objective_and_gradient(REFERENCE, problem.as_float64(), order=order)
    tolerance = 100 * eps(problem.dtype)
    for n_threads in (1, 3):
        totals, gradient = objective_and_gradient(
            backend, problem, n_threads, order, workspace_rows
        )
        np.testing.assert_allclose(gradient, expected, rtol=0, atol=tolerance)
        np.testing.assert_allclose(totals, expected_totals, rtol=tolerance)


@every_block
@every_case
def test_blocks_add_up_to_the_gradient(backend: Backend, dtype, case, workspace_rows):
    assert_like_the_reference(backend, problem_of(case, dtype), workspace_rows)


@every_block
@pytest.mark.parametrize("case", FRONTS.values(), ids=FRONTS)
def test_blocks_of_fronts_and_members(front_backend: Backend, dtype, case, workspace_rows):
    assert_like_the_reference(front_backend, problem_of(case, dtype), workspace_rows)


def test_penalties_of_earlier_batches_are_not_counted():
    problem = make_problem(n_rows=61, **FRONTS["members"])
    expected, _ = objective_and_gradient(REFERENCE, problem)
    backend = get_backend("compiled")
    executor = backend.bind(problem.plan, problem.settings, problem.dtype, 16, 1)
    order, updates = np.arange(16), problem.recipe.updates(1, 0)
    parameters, moments = problem.parameters.copy(), problem.moments.copy()
    executor.train(parameters, moments, problem.rows, order, 16, updates)
    gradient = np.empty(problem.plan.n_parameters)
    totals = executor.gradient(
        problem.parameters.copy(), problem.rows, gradient, problem.recipe.step
    )
    # The first block has no row of the last member.
    np.testing.assert_allclose(totals, expected, rtol=1e-12)


@pytest.mark.parametrize("n_rows", [1, 7, 8, 15, 16, 17, 31, 32, 33, 40])
@pytest.mark.parametrize("case", [CASES["dropout"], CASES["large with dropout"]], ids=str)
def test_any_number_of_rows_in_any_order(backend: Backend, dtype, case, n_rows):
    problem = problem_of(case, dtype)
    order = np.random.RandomState(0).permutation(len(problem.X))[:n_rows]
    assert_like_the_reference(backend, problem, 16, order)


@pytest.mark.parametrize(
    "case",
    [
        CASES["dropout"],
        CASES["large with dropout"],
        CASES["row norms"],
        {**LARGE, "n_rows": 700, "dropouts": (0, 0.2, 0)},
        {"layer_sizes": (6, 300, 40, 3), "n_rows": 2000, "workspace_rows": 1000},  # wide batches
    ],
    ids=str,
)
def test_every_number_of_threads(threaded_backend: Backend, dtype, case):
    case = dict(case)
    workspace_rows = case.pop("workspace_rows", 32)
    problem = problem_of(case, dtype)
    expected_totals, expected = objective_and_gradient(
        threaded_backend, problem, workspace_rows=workspace_rows
    )
    for n_threads in range(2, 9) if HARD else (2, 3, 4):
        totals, gradient = objective_and_gradient(
            threaded_backend, problem, n_threads, workspace_rows=workspace_rows
        )
        np.testing.assert_array_equal(gradient, expected)
        assert totals == expected_totals


def test_sparse_rows_have_the_bits_of_dense_ones(backend: Backend, dtype):
    problem = problem_of(CASES["large with dropout"], dtype)
    problem = replace(problem, X=problem.X * (problem.X > 0.5))
    twin = replace(problem, X=sparse_rows(sparse.csr_array(problem.X), problem.dtype, None))
    expected_totals, expected = objective_and_gradient(backend, problem, workspace_rows=16)
    totals, gradient = objective_and_gradient(backend, twin, 3, workspace_rows=16)
    np.testing.assert_array_equal(gradient, expected)
    assert totals == expected_totals


# -- how many rows are a block ------------------------------------------------------------------


def plan_of(*layer_sizes, **parts):
    activations = ["relu"] * (len(layer_sizes) - 2)
    return make_plan(layer_sizes, activations, "squared_error", None, **parts)


@pytest.mark.parametrize(
    "sizes", [(3, 2), (16, 200, 200, 26), (512, 1536, 1536, 20), (10**6, 5, 1)]
)
@pytest.mark.parametrize("n_rows", [1, 7, 8, 511, 512, 513, 16_000, 1_000_001])
def test_blocks_are_whole_units_of_rows_and_nearly_alike(sizes, n_rows):
    length = rows_to_bind(plan_of(*sizes), n_rows)
    assert 1 <= length <= n_rows
    assert length == n_rows or length % ROW_UNIT == 0
    blocks = -(-n_rows // length)
    assert length - n_rows / blocks < ROW_UNIT
    values = sum(sizes) + sum(sizes[1:-1])  # of a row
    assert (length - ROW_UNIT) * values < max(2**19, 512 * values)


def test_batch_norm_needs_all_rows():
    assert rows_to_bind(plan_of(3, 4, 2, normalizations=["batch"]), 10**6) == 10**6
    assert rows_to_bind(plan_of(3, 4, 2, normalizations=["layer"]), 10**6) < 10**6


def test_members_share_a_block():
    plan = plan_of(600, 900, 500, n_members=16, n_scales=16)
    assert rows_to_bind(plan, 10**6) * 16 == pytest.approx(512, rel=0.1)


# -- in use -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["compiled", "numba"])
def test_memory_does_not_grow_with_the_rows(name):
    backend, peaks = get_backend(name), []
    for n_rows in (40_000, 120_000):
        problem = make_problem((4, 64, 3), dtype=np.float32, n_rows=n_rows, n_epochs=1)
        given = backend, problem, 2, None, rows_to_bind(problem.plan, n_rows)
        objective_and_gradient(*given)  # what is compiled takes memory once
        peaks.append(peak_bytes(lambda given=given: objective_and_gradient(*given)))
    # At once, 80,000 rows more take 60 MB. Blocks differ by 200 kB, and Numba orders rows.
    assert peaks[1] - peaks[0] < 12 * 80_000


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("name", ["compiled", "numba"])
def test_fits_and_slopes_of_many_rows(name):
    """Rows beyond one block, against the reference, which has no blocks."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((3001, 5))
    y = np.tanh(X @ rng.standard_normal(5))
    models = [
        MLPRegressor(
            hidden_layer_sizes=(70, 40),
            solver="lbfgs",
            max_iter=4,
            random_state=0,
            dtype="float64",
            backend=backend,
        )
        for backend in (name, "numpy")
    ]
    assert rows_to_bind(models[0].fit(X, y)._learnt.network.plan, len(X)) < len(X)
    ours, theirs = (model.fit(X, y) for model in models)
    np.testing.assert_allclose(ours.loss_curve_, theirs.loss_curve_, rtol=1e-9)
    for our, their in zip(ours.gradient(X, y).coefs, theirs.gradient(X, y).coefs, strict=True):
        np.testing.assert_allclose(our, their, rtol=0, atol=1e-7)
