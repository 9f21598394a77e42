"""Groups of slots: learning rates, penalties and decay of their own."""

from __future__ import annotations

import pickle
from dataclasses import replace

import numpy as np
import pytest
from helpers import REFERENCE, Problem, make_problem, make_recipe, objective_and_gradient, train
from helpers_tolerances import TRAJECTORY, eps

from fastmlp.backends.protocol import Backend
from fastmlp.plan.layout import Plan, make_plan
from fastmlp.plan.parameters import bias_views, gain_views, weight_views
from fastmlp.plan.records import (
    BIASES,
    GAINS,
    GROUP_DTYPE,
    RUNNING_MEANS,
    RUNNING_VARIANCES,
    SHIFTS,
    SLOT_DTYPE,
    WEIGHTS,
    group_runs,
)

#: Weights; all else; the output layer at a tenth of the rate, half the penalties and no decay;
#: gains and shifts with penalties.
FACTORS = [(1, 1, 1, 1), (1, 0, 0, 0), (0.1, 0.5, 0.5, 0), (2, 0.25, 1.5, 0.5)]
COMMON = {"learning_rate": 0.05, "l1": 0.1, "l2": 0.3, "weight_decay": 0.2, "weighted": True}
SHAPES = {
    "small": {},
    "small with norms": {"normalizations": ["batch", "layer"]},
    "small and clipped": {"clip_norm": 0.3, "clip_value": 0.05},
    "large": {"layer_sizes": (96, 520, 33, 10)},
    "large and clipped": {"layer_sizes": (96, 520, 33, 10), "clip_norm": 0.3},
    "large with norms": {
        "layer_sizes": (96, 160, 33, 10),
        "normalizations": ["layer", "batch"],
        "clip_norm": 0.3,
        "optimizer": "adam",
        "eps": 1e-2,
    },
    "small by lamb": {"normalizations": ["batch", "layer"], "optimizer": "lamb", "eps": 1e-2},
    "large by lamb": {"layer_sizes": (96, 520, 33, 10), "optimizer": "lamb", "eps": 1e-2},
}
every_shape = pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)


def in_groups(plan: Plan) -> Plan:
    slots = plan.trained_slots
    groups = np.where(slots["kind"] == WEIGHTS, 0, 1)
    groups[np.isin(slots["kind"], (GAINS, SHIFTS))] = 3
    groups[slots["layer"] == len(plan.layers) - 1] = 2
    return plan.grouped(FACTORS, groups)


def grouped_problem(dtype: np.dtype | type, shape: dict) -> Problem:
    problem = make_problem(dtype=dtype, **{**COMMON, **shape})
    return replace(problem, plan=in_groups(problem.plan))


@every_shape
def test_groups_train_as_in_the_reference(backend: Backend, dtype, shape):
    problem = grouped_problem(dtype, shape)
    expected = train(REFERENCE, problem.as_float64())
    plain = train(REFERENCE, make_problem(**{**COMMON, **shape}))
    assert np.abs(expected.parameters - plain.parameters).max() > 1e-2
    trained, tolerance = train(backend, problem), TRAJECTORY * eps(dtype)
    np.testing.assert_allclose(trained.parameters, expected.parameters, rtol=0, atol=tolerance)
    np.testing.assert_allclose(trained.moments, expected.moments, rtol=0, atol=tolerance)
    np.testing.assert_allclose(trained.totals, expected.totals, rtol=tolerance)


@every_shape
def test_groups_have_the_same_bits_for_every_number_of_threads(threaded_backend, shape):
    problem = grouped_problem(np.float32, {"batch_size": 40, **shape})
    alone = train(threaded_backend, problem)
    for n_threads in (2, 3):
        together = train(threaded_backend, problem, n_threads)
        np.testing.assert_array_equal(together.parameters, alone.parameters)
        np.testing.assert_array_equal(together.totals, alone.totals)


@every_shape
def test_the_gradient_has_the_groups_penalties(backend: Backend, dtype, shape):
    """Shares of the penalties' derivatives, added by hand to the gradient without them."""
    problem = grouped_problem(dtype, shape)
    settings = problem.settings.copy()
    settings["l1"] = settings["l2"] = 0
    bare = replace(problem, recipe=replace(problem.recipe, settings=settings))
    totals, gradient = objective_and_gradient(backend, problem)
    bare_totals, expected = objective_and_gradient(backend, bare)
    weight_sum, penalty = problem.sample_weight.astype(np.float64).sum(), 0.0
    expected = expected.astype(np.float64)
    for slot in problem.plan.trained_slots:
        _, l1, l2, _ = FACTORS[slot["group"]]
        part = slice(slot["offset"], slot["offset"] + slot["rows"] * slot["columns"])
        w = problem.parameters[part].astype(np.float64)
        expected[part] += (0.3 * l2 * w + 0.1 * l1 * np.sign(w)) / weight_sum
        penalty += (0.15 * l2 * (w**2).sum() + 0.1 * l1 * np.abs(w).sum()) / weight_sum
    tolerance = 16 * eps(dtype)
    np.testing.assert_allclose(gradient, expected, rtol=tolerance, atol=tolerance)
    np.testing.assert_allclose(totals.penalty, penalty * totals.n_samples, rtol=tolerance)
    assert totals.cost == bare_totals.cost


@pytest.mark.parametrize("optimizer", ["sgd", "adamw", "lion", "lamb"])
def test_a_group_is_updated_as_if_alone(backend: Backend, dtype, optimizer):
    """By a kernel that has but one group, with the products of numbers and factors."""
    rng, sizes = np.random.default_rng(3), (70, 9, 33)
    n, ends = sum(sizes), np.cumsum(sizes)
    slots = np.zeros(3, SLOT_DTYPE)
    slots["kind"], slots["group"], slots["rows"], slots["columns"] = 0, (1, 0, 2), 1, sizes
    slots["offset"] = ends - sizes
    factors = [(1, 1, 1, 1), (0.1, 0.5, 2, 0), (3, 0, 0, 0.5)]
    groups = np.array(factors, GROUP_DTYPE)
    w, g = (rng.normal(size=n).astype(dtype) for _ in range(2))
    start = w.copy()
    numbers = {"learning_rate": 0.05, "l1": 0.3, "l2": 0.4, "weight_decay": 0.1}
    recipe = make_recipe(optimizer, **numbers)
    moments = np.zeros((len(recipe.rule.optimizer.moments), n), dtype)
    update = recipe.updates(1)[0]
    backend.optimizer_update(recipe.settings, update, w, g.copy(), moments, slots, groups, 4.0)
    for slot in slots:
        part = slice(slot["offset"], slot["offset"] + slot["columns"])
        of_group = zip(numbers.items(), groups[slot["group"]].tolist(), strict=True)
        names = ("learning_rate", "l1", "l2", "weight_decay")
        assert GROUP_DTYPE.names == tuple(numbers) == names
        own = make_recipe(optimizer, **{name: number * f for (name, number), f in of_group})
        alone, memory = start[part].copy(), np.zeros((len(moments), slot["columns"]), dtype)
        one = slot.copy().reshape(1)
        one["offset"], one["group"] = 0, 0
        backend.optimizer_update(
            own.settings, own.updates(1)[0], alone, g[part].copy(), memory, one, groups[:1], 4.0
        )
        np.testing.assert_allclose(w[part], alone, rtol=4 * eps(dtype), atol=4 * eps(dtype))


# -- the layout -----------------------------------------------------------------------------------


def test_slots_tile_the_vector_in_the_order_of_kinds():
    plan = make_plan((4, 6, 8, 3), ["relu"] * 2, "squared_error", normalizations=["layer", "batch"])
    slots = plan.slots
    kinds = [0, 0, 0, 1, 1, 1, 2, 2, 3, 3, RUNNING_MEANS, RUNNING_VARIANCES]
    assert slots["kind"].tolist() == kinds
    assert slots["layer"].tolist() == [0, 1, 2, 0, 1, 2, 0, 1, 0, 1, 1, 1]
    ends = slots["offset"] + slots["rows"] * slots["columns"]
    assert slots["offset"].tolist() == [0, *ends[:-1]]
    assert ends[-1] == plan.n_values
    assert plan.n_parameters == ends[slots["kind"] < RUNNING_MEANS][-1]
    assert plan.n_weights == ends[slots["kind"] < BIASES][-1] == 24 + 48 + 24
    vector = np.arange(plan.n_values)
    for views, kind in [(weight_views, WEIGHTS), (bias_views, BIASES), (gain_views, GAINS)]:
        first = [view.flat[0] for view in views(plan, vector) if view is not None]
        assert first == slots["offset"][slots["kind"] == kind].tolist()


def test_runs_join_neighbours_of_a_group():
    plan = make_plan((4, 6, 3), ["relu"], "squared_error", normalizations=["batch"])
    assert group_runs(plan.trained_slots).tolist() == [[0, 42, 0], [42, 63, 1]]
    output = plan.grouped(FACTORS[:3], [0, 2, 1, 2, 1, 1])
    assert group_runs(output.trained_slots).tolist() == [
        [0, 24, 0], [24, 42, 2], [42, 48, 1], [48, 51, 2], [51, 63, 1],
    ]  # fmt: skip


def test_groups_survive_a_pickle():
    plan = in_groups(make_problem(normalizations="batch").plan)
    again = pickle.loads(pickle.dumps(plan))
    np.testing.assert_array_equal(again.slots, plan.slots)
    np.testing.assert_array_equal(again.groups, plan.groups)
