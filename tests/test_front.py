"""What a network makes of a row of X before its first layer."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from helpers import REFERENCE, Problem, make_problem, objective_and_gradient, predict, train
from helpers_tolerances import TRAJECTORY, eps

from fastmlp.backends.protocol import Backend
from fastmlp.plan.description import Description
from fastmlp.plan.front import PLAIN_COLUMN, Column
from fastmlp.plan.layout import make_plan
from fastmlp.plan.records import BIASES, FREQUENCIES, SCALES, TABLES

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
LARGE = {"layer_sizes": (96, 520, 33, 10), "n_epochs": 2}

PBLD = Column("periodic", n_terms=7, width=3, beside=True)
WIDE_PBLD = Column("periodic", n_terms=16, width=5)
PLR = Column("waves", n_terms=5, width=6, rectified=True)
TERMS_OF_WAVES = Column("waves", n_terms=2)
BINS = Column("piecewise", n_terms=4, width=3, edges=(-1.5, -0.5, 0.1, 0.4, 1.25))
TERMS_OF_BINS = Column("piecewise", n_terms=3, beside=True, edges=(-1.0, 0.0, 0.5, 2.0))
ONE_BIN = Column("piecewise", n_terms=1, width=2, rectified=True, edges=(-1.0, 1.0))
TABLE = Column("table", n_terms=5, width=3)
ONE_HOT = Column("one_hot", n_terms=4)
NUMBERS = (PBLD, PLR, PLAIN_COLUMN, BINS, TERMS_OF_WAVES, TERMS_OF_BINS)
ALL = (TABLE, PBLD, ONE_HOT, PLR, BINS, ONE_BIN, Column("one_hot", n_terms=9), PLAIN_COLUMN)
MANY_LEVELS = (Column("table", n_terms=700, width=8), Column("one_hot", n_terms=300), WIDE_PBLD)
ALL_QUIET = {**WITH_ALL, "input_noise": 0.0}

SCENARIOS = {
    "periodic": {"columns": (PBLD,) * 4, "layer_sizes": (4, 9, 5, 3), **ADAM},
    "waves": {"columns": (PLR, TERMS_OF_WAVES) * 2, "layer_sizes": (4, 9, 5, 3), **ADAM},
    "bins": {"columns": (BINS, TERMS_OF_BINS, ONE_BIN), "layer_sizes": (3, 9, 3), **ADAM},
    "numbers": {"columns": NUMBERS, "n_scales": 1, **ADAM},
    "numbers with all": {"columns": NUMBERS, "n_scales": 1, **ADAM, **WITH_ALL},
    "tables": {"columns": (TABLE, ONE_HOT) * 2, "layer_sizes": (4, 9, 5, 3), **ADAM},
    "columns": {"columns": ALL, "layer_sizes": (8, 13, 5, 3), "weighted": True, **ADAM},
    "columns and scales": {"columns": ALL, "layer_sizes": (8, 13, 5, 3), "n_scales": 1, **ADAM},
    "columns with all": {"columns": ALL, "layer_sizes": (8, 13, 7, 3), **ADAM, **ALL_QUIET},
    "columns of one layer": {"columns": ALL, "layer_sizes": (8, 3), **ADAM},
    "columns by batch norm": {
        "columns": ALL, "layer_sizes": (8, 13, 6, 3), "normalizations": "batch", **ADAM
    },
    "members of columns": {
        "columns": ALL, "layer_sizes": (8, 13, 5, 3), "n_members": 3, "n_scales": 3,
        **ADAM, **WITH_ALL, "input_noise": 0.0,
    },
    "members of columns, own batches": {
        "columns": ALL, "layer_sizes": (8, 13, 3), "n_members": 2, "own_batches": True, **ADAM
    },
    "independent members of columns": {
        "columns": ALL, "layer_sizes": (8, 13, 3), "n_members": 2, "n_scales": 2, "n_shared": 0,
        **ADAM,
    },
    "columns of one row a batch": {
        "columns": ALL, "layer_sizes": (8, 13, 3), "batch_size": 1, "n_rows": 12, **ADAM
    },
    "numbers by lamb": {"columns": NUMBERS, **ADAM, "optimizer": "lamb", "clip_norm": 0.3},
    "many levels": {
        "columns": MANY_LEVELS, "layer_sizes": (3, 140, 3), "batch_size": 300, "n_rows": 650, **ADAM
    },
    "a wide batch of columns": {
        "columns": ALL, "layer_sizes": (8, 140, 3), "batch_size": 2048, "n_rows": 4200, **ADAM
    },
    "scales": {"n_scales": 1, **ADAM},
    "scales and dropout": {"n_scales": 1, "dropouts": (0.3, 0.5, 0.2), **ADAM},
    "scales with all": {"n_scales": 1, **ADAM, **WITH_ALL},
    "scales of one layer": {"n_scales": 1, "layer_sizes": (70, 9), **ADAM},
    "scales by batch norm": {"n_scales": 1, "normalizations": ["batch", "layer"], **ADAM},
    "scales by lamb": {"n_scales": 1, **ADAM, "optimizer": "lamb", "clip_norm": 0.3},
    "many scales": {"n_scales": 1, **LARGE, **ADAM},
    "many scales, wide batch": {
        "n_scales": 1, "layer_sizes": (5, 140, 3), "batch_size": 2048, "n_rows": 4200, **ADAM
    },
}  # fmt: skip
every_scenario = pytest.mark.parametrize("scenario", SCENARIOS.values(), ids=SCENARIOS)


def problem_of(scenario: dict, dtype: np.dtype | type = np.float64) -> Problem:
    """Return a problem with groups of their own for some of what a front learns."""
    problem = make_problem(dtype=dtype, **scenario)
    kinds, plan = problem.plan.trained_slots["kind"], problem.plan
    for kind in {SCALES, FREQUENCIES, TABLES} & set(kinds.tolist()):
        penalties = (0.0, 0.0) if kind == TABLES else (0.5, 2.0)
        plan = plan.with_own_group(kind, (3.0, *penalties, 1.0))
    return replace(problem, plan=plan)


@every_scenario
def test_trajectory(front_backend: Backend, dtype, scenario):
    problem = problem_of(scenario, dtype)
    expected = train(REFERENCE, problem.as_float64())
    moved = np.abs(expected.parameters - problem.parameters)
    slots = problem.plan.trained_slots
    for slot in slots[slots["kind"] != BIASES]:
        values = moved[slot["offset"] :][: slot["rows"] * slot["columns"]]
        assert values.max() > 1e-3
    trained, tolerance = train(front_backend, problem), TRAJECTORY * eps(dtype)
    np.testing.assert_allclose(trained.parameters, expected.parameters, rtol=0, atol=tolerance)
    np.testing.assert_allclose(trained.moments, expected.moments, rtol=0, atol=tolerance)
    np.testing.assert_allclose(trained.totals, expected.totals, rtol=tolerance)


@every_scenario
def test_prediction_and_gradient(front_backend: Backend, dtype, scenario):
    problem = problem_of(scenario, dtype)
    rows = np.random.default_rng(0).integers(len(problem.X), size=37)
    expected = predict(REFERENCE, problem.as_float64())
    tolerance = 100 * eps(dtype)
    for n_threads in (1, 3):
        found = predict(front_backend, problem, n_threads=n_threads)
        np.testing.assert_allclose(found, expected, rtol=0, atol=tolerance)
        found = predict(front_backend, problem, rows, n_threads=n_threads)
        np.testing.assert_allclose(found, expected[rows], rtol=0, atol=tolerance)
    _, gradient = objective_and_gradient(front_backend, problem)
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


@pytest.mark.parametrize("name", ["scales with all", "numbers with all", "columns and scales"])
def test_numerical_gradient(name):
    """Of the reference, which the tests above hold the other backends to."""
    scenario = SCENARIOS[name]
    columns = scenario.get("columns", (PLAIN_COLUMN,) * 4)
    small = {"layer_sizes": (len(columns), 6, 3), "dropouts": (0.2, 0.3), "n_rows": 7}
    names = ("weighted", "l1", "l2", "n_scales", "columns", "n_members", "n_shared")
    kept = {name: scenario[name] for name in names if name in scenario}
    problem, step = problem_of({**small, **kept}), 1e-6
    _, gradient = objective_and_gradient(REFERENCE, problem)
    chosen = np.random.default_rng(0).permutation(len(gradient))[:400]
    for index in chosen:
        sides = []
        for side in (step, -step):
            moved = problem.parameters.copy()
            moved[index] += side
            totals, _ = objective_and_gradient(REFERENCE, replace(problem, parameters=moved))
            sides.append((totals.cost + totals.penalty) / totals.n_samples)
        slope = (sides[0] - sides[1]) / (2 * step)
        np.testing.assert_allclose(gradient[index], slope, rtol=1e-6, atol=2e-9)


def test_scales_of_one_change_no_prediction(front_backend: Backend, dtype):
    plain, scaled = (make_problem(dtype=dtype, n_scales=n) for n in (0, 1))
    n = plain.plan.n_parameters
    parameters = scaled.parameters.copy()
    parameters[:n], parameters[n:] = plain.parameters, 1
    scaled = replace(scaled, parameters=parameters, X=plain.X)
    np.testing.assert_array_equal(predict(front_backend, scaled), predict(front_backend, plain))


def test_a_pickled_description_is_checked():
    good = make_plan((8, 6, 2), ["relu"], "squared_error", columns=ALL).description
    assert Description.unpickled(vars(good)) == good
    wrong = [
        {"columns": ALL[1:]},
        {"columns": list(ALL)},
        {"n_scales": 2},
        {"columns": (Column("table", n_terms=2**25, width=3), *ALL[1:])},
        {"columns": (Column("periodic", n_terms=513, width=3), *ALL[1:])},
        {"columns": (Column("waves", n_terms=300, width=3), *ALL[1:])},
        {"columns": (Column("piecewise", n_terms=2, width=3, edges=(0.0, 0.0, 1.0)), *ALL[1:])},
        {"columns": (Column("piecewise", n_terms=3, width=3, edges=(0.0, 0.5, 1.0)), *ALL[1:])},
        {"columns": (Column("plain"), *ALL[1:])},
        {"columns": (Column("nothing"), *ALL[1:])},
        {"columns": (ONE_HOT,) * 8},
    ]
    for change in wrong:
        with pytest.raises(ValueError, match="model cannot be used"):
            Description.unpickled({**vars(good), **change})
