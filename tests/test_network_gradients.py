"""The gradient of whole networks against central differences, group by group, in float64."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from helpers import REFERENCE, Problem, make_problem, objective_and_gradient

from fastmlp.backends.protocol import Backend
from fastmlp.plan.layout import batch_norms
from fastmlp.plan.parameters import (
    alpha_views,
    bias_views,
    gain_views,
    shift_views,
    weight_views,
)
from fastmlp.registry import ACTIVATIONS, LOSSES, NORMALIZATIONS

STEP = 1e-6

#: For the norms: six units are three channels with two positions each, in one group.
GROUPS = {"n_channels": 3, "n_groups": 1}

CASES = {
    **{f"{name}-net": {"activations": name} for name in ACTIVATIONS.names},
    **{name: {"loss": name, "activations": ["tanh", "relu"]} for name in LOSSES.names},
    "no hidden layer": {"layer_sizes": (4, 3)},
    "one output": {"layer_sizes": (5, 4, 1), "loss": "binary_cross_entropy"},
    "weights": {"weighted": True},
    "hidden dropout": {"dropouts": (0, 0.5, 0.25)},
    "input dropout": {"dropouts": (0.4, 0, 0), "step": 3},
    **{
        f"{name} norm": {"layer_sizes": (4, 6, 6, 3), "normalizations": name, **GROUPS}
        for name in NORMALIZATIONS.names
    },
    "norms": {"normalizations": ["batch", "layer"], "weighted": True, "dropouts": (0, 0.5, 0.25)},
    "batch norms": {"normalizations": "batch", "weighted": True, "l2": 0.7},
    **{  # of the identity, nothing can be more or less
        f"parametric {name}": {"activations": name, "parametric": True}
        for name in ACTIVATIONS.names
        if name != "identity"
    },
    "some parametric": {"activations": "silu", "parametric": [False, True], "weighted": True},
    "parametric norms": {
        "activations": ["mish", "relu"],
        "normalizations": ["batch", "layer"],
        "dropouts": (0, 0.5, 0.25),
        "parametric": True,
        "l2": 0.7,
        "l1": 0.3,
    },
    "l2": {"l2": 0.7},
    "l1": {"l1": 0.3},
    "everything": {
        "activations": ["relu", "logistic"],
        "loss": "squared_error",
        "dropouts": (0.2, 0.5, 0.25),
        "weighted": True,
        "l1": 0.3,
        "l2": 0.7,
        "step": 11,
    },
}

every_case = pytest.mark.parametrize("case", CASES.values(), ids=CASES)


def objective(backend: Backend, problem: Problem) -> float:
    totals, _ = objective_and_gradient(backend, problem)
    return (totals.cost + totals.penalty) / totals.n_samples


def numerical_gradient(backend: Backend, problem: Problem) -> np.ndarray:
    slopes = np.empty(problem.plan.n_parameters)
    for index in range(len(slopes)):
        shift = np.zeros_like(problem.parameters)
        shift[index] = STEP
        above = objective(backend, replace(problem, parameters=problem.parameters + shift))
        below = objective(backend, replace(problem, parameters=problem.parameters - shift))
        slopes[index] = (above - below) / (2 * STEP)
    return slopes


def small_problem(case: dict) -> Problem:
    return make_problem(**{"layer_sizes": (4, 6, 5, 3), "n_rows": 7, **case})


@every_case
def test_numerical_gradient(case):
    """Of the reference, which the next test holds the backends to."""
    problem = small_problem(case)
    _, gradient = objective_and_gradient(REFERENCE, problem)
    slopes = numerical_gradient(REFERENCE, problem)
    by_batch = batch_norms(problem.plan)
    for views in (weight_views, bias_views, gain_views, shift_views, alpha_views):
        groups = zip(views(problem.plan, gradient), views(problem.plan, slopes), strict=True)
        for layer, (analytic, numerical) in enumerate(groups):
            if analytic is None:
                continue
            assert np.any(analytic != 0) != (views is bias_views and by_batch[layer])
            np.testing.assert_allclose(analytic, numerical, rtol=1e-6, atol=2e-9)


@every_case
def test_objective_and_gradient_are_the_references(backend: Backend, case):
    problem = small_problem(case)
    totals, gradient = objective_and_gradient(backend, problem)
    expected_totals, expected = objective_and_gradient(REFERENCE, problem)
    np.testing.assert_allclose(gradient, expected, rtol=1e-10, atol=1e-13)
    np.testing.assert_allclose(totals, expected_totals, rtol=1e-12)


@every_case
def test_float32_gradient_is_the_float64_one(backend: Backend, case):
    problem = make_problem(**{"dtype": np.float32, "n_rows": 9, **case})
    totals, gradient = objective_and_gradient(backend, problem)
    wide = replace(problem.as_float64(), X=problem.X.astype(np.float64))
    expected_totals, expected = objective_and_gradient(backend, wide)
    np.testing.assert_allclose(gradient, expected, rtol=0, atol=2e-6)
    np.testing.assert_allclose(totals, expected_totals, rtol=2e-6)


def test_subgradient_of_l1_is_zero_at_zero(backend: Backend, dtype):
    problem = make_problem(loss="squared_error", dtype=dtype, l1=5.0, n_rows=4)
    problem.parameters[: problem.plan.n_weights : 2] = 0
    settings = problem.settings.copy()
    settings["l1"] = 0
    plain = replace(problem, recipe=replace(problem.recipe, settings=settings))
    _, gradient = objective_and_gradient(backend, problem)
    _, plain_gradient = objective_and_gradient(backend, plain)
    added = np.zeros_like(gradient)
    n_weights = problem.plan.n_weights
    added[:n_weights] = 5 / 4 * np.sign(problem.parameters[:n_weights])
    np.testing.assert_allclose(gradient - plain_gradient, added, rtol=0, atol=1e-6)


def test_penalties_are_exact_beside_the_cost(backend: Backend, dtype):
    """L-BFGS compares objectives whose difference is far below the rounding of float32 sums."""
    problem = make_problem((40, 90, 3), dtype=dtype, l1=2.0, l2=6.0, n_rows=8)  # exact over 8 rows
    totals, _ = objective_and_gradient(backend, problem)
    expected, _ = objective_and_gradient(REFERENCE, problem.as_float64())
    np.testing.assert_allclose(totals.penalty, expected.penalty, rtol=1e-12)


def test_weights_that_sum_to_zero_give_no_gradient(backend: Backend, dtype):
    problem = make_problem(dtype=dtype, l1=1.0, l2=1.0, n_rows=6)
    weightless = replace(problem, sample_weight=np.zeros(6, dtype))
    totals, gradient = objective_and_gradient(backend, weightless)
    np.testing.assert_array_equal(gradient, 0)
    assert totals == (0, 0, 6)


@pytest.mark.parametrize("n_threads", [1, 3])
def test_a_batch_may_be_some_rows_in_any_order(backend: Backend, dtype, n_threads):
    case = {"weighted": True, "dropouts": (0.3, 0.5, 0.25), "n_rows": 70, "l2": 0.5}
    problem = make_problem(dtype=dtype, **case)
    order = np.random.RandomState(0).permutation(70)[:41]
    chosen = replace(
        problem,
        X=problem.X[order],
        target=problem.target[order],
        sample_weight=problem.sample_weight[order],
    )
    expected_totals, expected = objective_and_gradient(backend, chosen, n_threads)
    totals, gradient = objective_and_gradient(backend, problem, n_threads, order)
    np.testing.assert_array_equal(gradient, expected)
    assert totals == expected_totals


def test_weights_count_rows(backend: Backend):
    # A weight of 2 is a row that stands twice; dividing by the sum of weights makes them equal.
    problem = make_problem(n_rows=6, l2=0.5)
    twice = np.array([0, 1, 1, 2, 3, 4, 5, 5])
    repeated = replace(problem, X=problem.X[twice], target=problem.target[twice])
    weighted = replace(problem, sample_weight=np.array([1.0, 2, 1, 1, 1, 2]))
    totals, gradient = objective_and_gradient(backend, weighted)
    expected_totals, expected = objective_and_gradient(backend, repeated)
    np.testing.assert_allclose(gradient, expected, rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(totals.cost / 6, expected_totals.cost / 8, rtol=1e-13)
