"""Networks that are trained together, as members of one: TabM-mini, and independent ones."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from helpers import (
    REFERENCE,
    Problem,
    make_problem,
    objective_and_gradient,
    outputs_for,
    predict,
    train,
)
from helpers_tolerances import TRAJECTORY, eps

from fastmlp.backends.protocol import Backend
from fastmlp.plan.layout import SCALES
from fastmlp.plan.parameters import bias_views, scales_view, weight_views
from fastmlp.registry import LOSSES

ADAM = {"optimizer": "adam", "learning_rate": 0.02, "eps": 1e-2}
WITH_ALL = {
    "l1": 0.1,
    "l2": 0.5,
    "weight_decay": 0.1,
    "max_norm": 0.9,
    "input_noise": 0.3,
    "gradient_noise": 0.05,
    "clip_value": 0.02,
    "clip_norm": 0.3,
    "dropouts": (0.2, 0.3, 0.1),
    "weighted": True,
}
MINI = {"n_members": 4, "n_scales": 4, **ADAM}
INDEPENDENT = {"n_members": 3, "n_shared": 0, **ADAM}
LARGE = {"layer_sizes": (96, 520, 33, 10), "n_epochs": 1}
WIDE = {"layer_sizes": (5, 140, 3), "batch_size": 1024, "n_rows": 2100, "n_epochs": 2}
DROPPING = {"dropouts": (0.3, 0.5, 0.2)}

SCENARIOS = {
    "heads only": {"n_members": 2, **ADAM, **DROPPING},
    "mini": MINI,
    "mini and dropout": {**MINI, **DROPPING},
    "mini with all": {**MINI, **WITH_ALL},
    "mini, own batches": {**MINI, **WITH_ALL, "own_batches": True},
    "mini of one layer": {**MINI, "layer_sizes": (70, 9)},
    "mini by norms": {**MINI, "normalizations": ["batch", "layer"], "weighted": True},
    "mini, batch norm, own batches": {
        **MINI, "normalizations": ["batch", "batch"], "weighted": True, "own_batches": True,
    },
    "mini by lamb": {**MINI, "optimizer": "lamb", "clip_norm": 0.3},
    "one output": {**MINI, "layer_sizes": (6, 9, 5, 1), "loss": "squared_error"},
    "large mini": {**MINI, **LARGE},
    "large mini by lamb": {**MINI, **LARGE, "optimizer": "lamb", "clip_norm": 0.3},
    "wide mini": {**MINI, **WIDE},
    "half shared": {**MINI, "n_shared": 1, "n_scales": 1},
    "independent": INDEPENDENT,
    "independent with all": {**INDEPENDENT, **WITH_ALL, "n_scales": 3, "own_batches": True},
    "large independent": {**INDEPENDENT, **LARGE, "max_norm": 0.9},
}  # fmt: skip
every_scenario = pytest.mark.parametrize("scenario", SCENARIOS.values(), ids=SCENARIOS)


@pytest.fixture
def able_backend(backend: Backend) -> Backend:
    """Each backend that has members; the other's refusal has a test of its own."""
    return REFERENCE if backend.name == "numba" else backend


def problem_of(scenario: dict, dtype: np.dtype | type = np.float64) -> Problem:
    """Return a problem whose scales, if it has some, learn twice as fast as all else."""
    problem = make_problem(dtype=dtype, **scenario)
    return replace(problem, plan=problem.plan.with_own_group(SCALES, (2.0, 0.5, 2.0, 1.0)))


@every_scenario
def test_trajectory(able_backend: Backend, dtype, scenario):
    problem = problem_of(scenario, dtype)
    expected = train(REFERENCE, problem.as_float64())
    trained, tolerance = train(able_backend, problem), TRAJECTORY * eps(dtype)
    np.testing.assert_allclose(trained.parameters, expected.parameters, rtol=0, atol=tolerance)
    np.testing.assert_allclose(trained.moments, expected.moments, rtol=0, atol=tolerance)
    np.testing.assert_allclose(trained.totals, expected.totals, rtol=tolerance)


@every_scenario
def test_prediction_and_gradient(able_backend: Backend, dtype, scenario):
    problem = problem_of(scenario, dtype)
    rows = np.random.default_rng(0).integers(len(problem.X), size=237)
    tolerance = 100 * eps(dtype)
    for apply_link in (True, False):
        expected = predict(REFERENCE, problem.as_float64(), apply_link=apply_link)
        for n_threads in (1, 3):
            found = predict(able_backend, problem, None, apply_link, n_threads)
            np.testing.assert_allclose(found, expected, rtol=0, atol=tolerance)
            found = predict(able_backend, problem, rows, apply_link, n_threads)
            np.testing.assert_allclose(found, expected[rows], rtol=0, atol=tolerance)
    _, gradient = objective_and_gradient(able_backend, problem)
    _, expected = objective_and_gradient(REFERENCE, problem.as_float64())
    np.testing.assert_allclose(gradient, expected, rtol=0, atol=tolerance)


@every_scenario
def test_every_number_of_threads(compiled_backend: Backend, dtype, scenario):
    problem = problem_of(scenario, dtype)
    expected = train(compiled_backend, problem, 1)
    for n_threads in (2, 3, 5):
        trained = train(compiled_backend, problem, n_threads)
        np.testing.assert_array_equal(trained.parameters, expected.parameters)
        np.testing.assert_array_equal(trained.moments, expected.moments)
        assert trained.totals == expected.totals


@every_scenario
def test_calls_of_some_batches(compiled_backend: Backend, scenario):
    problem = replace(problem_of(scenario), batch_size=8)
    if problem.order.shape[-1] > 200:
        pytest.skip("a call's batches are the same in large networks")
    whole, parts = train(compiled_backend, problem), train(compiled_backend, problem, 1, 2)
    np.testing.assert_array_equal(parts.parameters, whole.parameters)


@every_scenario
def test_numerical_gradient(scenario):
    """Of the reference, which the tests above hold the other backends to."""
    small = {"layer_sizes": (4, 6, 3), "dropouts": (0.2, 0.3), "n_rows": 7}
    keys = ("weighted", "l1", "l2", "n_members", "n_scales", "n_shared", "input_noise")
    kept = {key: value for key, value in scenario.items() if key in keys}
    problem, step = problem_of({**small, **kept}), 1e-6
    _, gradient = objective_and_gradient(REFERENCE, problem)
    for index in range(len(gradient)):
        sides = []
        for side in (step, -step):
            moved = problem.parameters.copy()
            moved[index] += side
            totals, _ = objective_and_gradient(REFERENCE, replace(problem, parameters=moved))
            sides.append((totals.cost + totals.penalty) / totals.n_samples)
        slope = (sides[0] - sides[1]) / (2 * step)
        np.testing.assert_allclose(gradient[index], slope, rtol=1e-6, atol=2e-9)
