"""Networks with normalisations: trajectories, running statistics, prediction."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import NamedTuple

import numpy as np
import pytest
from helpers import (
    REFERENCE,
    Problem,
    Trained,
    make_problem,
    objective_and_gradient,
    predict,
    train,
)
from helpers_tolerances import TRAJECTORY, eps

from fastmlp.backends.protocol import Backend
from fastmlp.plan.layout import make_plan
from fastmlp.plan.parameters import (
    bias_views,
    gain_views,
    running_mean_views,
    running_variance_views,
    shift_views,
    weight_views,
)
from fastmlp.registry import NORMALIZATIONS

SGD = {"learning_rate": 0.1, "momentum": 0.5}
ADAM = {"optimizer": "adam", "learning_rate": 0.02, "eps": 1e-2}
NAMES = [name for name in NORMALIZATIONS.names if name != "none"]

SCENARIOS = {
    **{name: {"normalizations": name, "n_groups": 2, "n_channels": 2, **SGD} for name in NAMES},
    "batch and dropout": {"normalizations": "batch", "dropouts": (0.2, 0.5, 0.1), **ADAM},
    "weights": {"normalizations": "batch", "weighted": True, "l2": 0.1, **ADAM},
    "some layers": {
        "layer_sizes": (6, 16, 8, 12, 9, 3),
        "normalizations": ["none", "batch", "layer", "batch"],
        **SGD,
    },
    "odd": {
        "layer_sizes": (13, 37, 53, 3),
        "normalizations": ["layer", "batch"],
        "batch_size": 33,
        **ADAM,
    },
    "large network": {"layer_sizes": (70, 130, 165, 10), "normalizations": "batch", **SGD},
    "large batch": {
        "layer_sizes": (5, 20, 3),
        "normalizations": "batch",
        "batch_size": 700,
        "n_rows": 1500,
        "n_epochs": 2,
        **SGD,
    },
    "wide batch": {
        "layer_sizes": (5, 140, 12, 3),
        "normalizations": ["batch", "layer"],
        "batch_size": 2048,
        "n_rows": 4200,
        **SGD,
    },
    "few rows": {"normalizations": "batch", "batch_size": 9, "n_rows": 13, **SGD},
}

every_scenario = pytest.mark.parametrize("name", SCENARIOS)


def problem_of(scenario: dict, dtype: np.dtype | type):
    return make_problem(**{"layer_sizes": (6, 16, 8, 3), "dtype": dtype, **scenario})


class Expected(NamedTuple):
    problem: Problem
    trained: Trained
    predictions: np.ndarray
    gradient: np.ndarray


@cache
def by_the_reference(name: str, dtype: np.dtype) -> Expected:
    """Return a scenario's problem and what becomes of it; the same for all backends."""
    problem = problem_of(SCENARIOS[name], dtype)
    wide = problem.as_float64()
    _, gradient = objective_and_gradient(REFERENCE, wide)
    return Expected(problem, train(REFERENCE, wide), predict(REFERENCE, wide), gradient)


@every_scenario
def test_trajectory(backend: Backend, dtype, name):
    problem, expected, *_ = by_the_reference(name, dtype)
    trained = train(backend, problem)
    assert np.abs(expected.parameters - problem.parameters).max() > 1e-2
    tolerance = TRAJECTORY * eps(dtype)
    np.testing.assert_allclose(trained.parameters, expected.parameters, rtol=0, atol=tolerance)
    np.testing.assert_allclose(trained.moments, expected.moments, rtol=0, atol=tolerance)
    np.testing.assert_allclose(trained.totals, expected.totals, rtol=tolerance)


@every_scenario
def test_prediction_and_gradient(backend: Backend, dtype, name):
    problem, _, expected_predictions, expected = by_the_reference(name, dtype)
    tolerance = 100 * eps(dtype)
    predictions = predict(backend, problem)
    np.testing.assert_allclose(predictions, expected_predictions, rtol=0, atol=tolerance)
    _, gradient = objective_and_gradient(backend, problem)
    np.testing.assert_allclose(gradient, expected, rtol=0, atol=tolerance)


@pytest.mark.parametrize("name", NAMES)
def test_all_of_the_parameters_are_trained(backend: Backend, name):
    problem = problem_of(SCENARIOS[name], np.float64)
    moved = train(backend, problem).parameters != problem.parameters
    by_batch = name == "batch"
    for views, expected in (
        (weight_views, True),
        (gain_views, True),
        (shift_views, True),
        (running_mean_views, True),
        (running_variance_views, True),
    ):
        for view in views(problem.plan, moved):
            assert view is None or np.all(view) == expected
    hidden_biases = bias_views(problem.plan, moved)[:-1]
    assert [bool(biases.any()) for biases in hidden_biases] == [not by_batch] * 2


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("momentum", [0.1, 1.0])
def test_running_statistics_follow_the_batches(backend: Backend, weighted, momentum):
    """A network that does not learn shows the same z again and again."""
    problem = make_problem(
        (4, 5, 3),
        normalizations="batch",
        learning_rate=0.0,
        n_rows=20,
        batch_size=10,
        n_epochs=2,
        weighted=weighted,
        batch_norm_momentum=momentum,
    )
    (w, _), (b, _) = (v(problem.plan, problem.parameters) for v in (weight_views, bias_views))
    mean = running_mean_views(problem.plan, problem.parameters)[0].copy()
    variance = running_variance_views(problem.plan, problem.parameters)[0].copy()
    for start in range(0, 40, 10):
        rows = problem.order[start : start + 10]
        z, weights = problem.X[rows] @ w + b, np.ones(10)
        if weighted:
            weights = problem.sample_weight[rows]
        seen = np.average(z, axis=0, weights=weights)
        spread = np.average((z - seen) ** 2, axis=0, weights=weights)
        count = max(weights.sum(), 10)
        mean += momentum * (seen - mean)
        variance += momentum * (count / (count - 1) * spread - variance)
    after = train(backend, problem).parameters
    np.testing.assert_allclose(running_mean_views(problem.plan, after)[0], mean, rtol=1e-12)
    np.testing.assert_allclose(running_variance_views(problem.plan, after)[0], variance, rtol=1e-12)


def test_whole_weights_count_as_rows(backend: Backend):
    """Repeating a row and weighing it more are the same, in the running variance too."""
    problem = make_problem(
        (4, 5, 3), normalizations="batch", n_rows=6, batch_size=20, n_epochs=1, learning_rate=0.1
    )
    times = np.array([1, 3, 0, 2, 1, 1])
    repeated = replace(problem, order=np.arange(6).repeat(times))
    weighted = replace(problem, order=np.arange(6), sample_weight=times.astype(np.float64))
    expected, actual = train(backend, repeated), train(backend, weighted)
    np.testing.assert_allclose(actual.parameters, expected.parameters, rtol=0, atol=1e-13)


def test_weights_below_one_do_not_blow_up_the_variance(backend: Backend):
    problem = make_problem(
        (4, 5, 3), normalizations="batch", n_rows=20, batch_size=20, n_epochs=1, learning_rate=0.0
    )
    tiny = replace(problem, sample_weight=np.full(20, 1e-3))
    expected, actual = train(backend, problem), train(backend, tiny)
    np.testing.assert_allclose(actual.parameters, expected.parameters, rtol=1e-12)


def test_prediction_takes_the_running_statistics(backend: Backend, dtype):
    problem = make_problem((4, 5, 3), "tanh", "squared_error", normalizations="batch", dtype=dtype)
    parts = [
        views(problem.plan, problem.parameters)
        for views in (
            weight_views,
            bias_views,
            gain_views,
            shift_views,
            running_mean_views,
            running_variance_views,
        )
    ]
    (w, v), (b, c), (gain, _), (shift, _), (mean, _), (variance, _) = parts
    normalized = (problem.X @ w + b - mean) / np.sqrt(variance + 1e-5)
    expected = np.tanh(gain * normalized + shift) @ v + c
    np.testing.assert_allclose(predict(backend, problem), expected, rtol=0, atol=40 * eps(dtype))


def test_the_objective_leaves_the_batchs_statistics(backend: Backend, dtype):
    problem = make_problem((4, 5, 3), normalizations="batch", dtype=dtype, n_rows=30)
    parameters = problem.parameters.copy()
    gradient = np.empty(problem.plan.n_parameters, dtype)
    executor = backend.bind(problem.plan, problem.settings, dtype, 30, 1)
    executor.gradient(parameters, problem.rows, gradient)
    w, b = (views(problem.plan, parameters)[0] for views in (weight_views, bias_views))
    z = problem.X.astype(np.float64) @ w + b
    tolerance = {"rtol": 40 * eps(dtype), "atol": 8 * eps(dtype)}
    mean = running_mean_views(problem.plan, parameters)[0]
    np.testing.assert_allclose(mean, z.mean(axis=0), **tolerance)
    variance = running_variance_views(problem.plan, parameters)[0]
    np.testing.assert_allclose(variance, z.var(axis=0, ddof=1), **tolerance)
    trained = slice(problem.plan.n_parameters)
    np.testing.assert_array_equal(parameters[trained], problem.parameters[trained])


def test_a_batch_without_weight_leaves_the_statistics(backend: Backend, dtype):
    problem = make_problem(dtype=dtype, normalizations="batch", weighted=True, n_rows=16)
    weightless = replace(problem, sample_weight=np.zeros(16, dtype))
    np.testing.assert_array_equal(train(backend, weightless).parameters, problem.parameters)


@pytest.mark.parametrize("layer_sizes", [(6, 16, 8, 3), (64, 130, 96, 10)], ids=str)
def test_a_row_alone_has_the_bits_of_the_row_in_a_batch(compiled_backend, dtype, layer_sizes):
    problem = make_problem(
        layer_sizes, "tanh", normalizations=["batch", "layer"], dtype=dtype, n_rows=120
    )
    everything = predict(compiled_backend, problem)
    for row in (0, 33, 119):
        alone = predict(compiled_backend, problem, np.array([row]))
        np.testing.assert_array_equal(alone[0], everything[row])


def test_layout_of_the_flat_vector():
    plan = make_plan(
        (4, 6, 8, 5, 3),
        ["relu"] * 3,
        "softmax_cross_entropy",
        normalizations=["batch", "none", "group"],
        n_groups=5,
    )
    vector = np.arange(plan.n_values)
    kinds = (
        weight_views,
        bias_views,
        gain_views,
        shift_views,
        running_mean_views,
        running_variance_views,
    )
    parts = [view for views in kinds for view in views(plan, vector) if view is not None]
    np.testing.assert_array_equal(np.concatenate([part.ravel() for part in parts]), vector)
    assert plan.n_parameters == 4 * 6 + 6 * 8 + 8 * 5 + 5 * 3 + (6 + 8 + 5 + 3) + 2 * (6 + 5)
    assert plan.n_values == plan.n_parameters + 2 * 6
    assert plan.layers["n_groups"].tolist() == [0, 0, 5, 0]
