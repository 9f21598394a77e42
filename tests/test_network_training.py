"""Trajectories of training: every backend follows the float64 reference, batch after batch."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from helpers import (
    REFERENCE,
    Problem,
    Trained,
    make_problem,
    objective_and_gradient,
    predict,
    size_triples,
    train,
)
from helpers_looped import looped
from helpers_tolerances import TRAJECTORY, eps

from fastmlp.backends.protocol import Backend
from fastmlp.plan.layout import INPUT_NOISE_STREAM
from fastmlp.plan.parameters import bias_views, weight_views
from fastmlp.registry import ACTIVATIONS

# Adam divides by √v + ε: with the usual 1e-8 a gradient that is rounding alone would move a weight
# by a whole learning rate. A larger ε makes the trajectory a smooth function of its start.
ADAM = {"optimizer": "adam", "learning_rate": 0.02, "eps": 1e-2}
SGD = {"optimizer": "sgd", "learning_rate": 0.1}
LAMB = {**ADAM, "optimizer": "lamb", "weight_decay": 0.3}

# Beyond the size up to which the compiled backend gives each thread a replica, and beyond the
# columns of one of its tiles.
LARGE = {"layer_sizes": (96, 520, 33, 10), "n_epochs": 2}
EVERY_REGULARISER = {
    "l1": 0.1,
    "l2": 0.5,
    "weight_decay": 0.1,
    "max_norm": 0.9,
    "input_noise": 0.3,
    "gradient_noise": 0.05,
    "clip_value": 0.02,
    "clip_norm": 0.3,
}

#: Numbers that change from update to update.
SCHEDULED = {
    **SGD,
    "dropouts": (0.3, 0.5, 0.2),
    "scheduled": {"learning_rate": 0.2, "weight_decay": 0.3, "momentum": 0.9, "dropout": 1.5},
}
SMOOTHED = {**ADAM, "scheduled": {"label_smoothing": 0.6}, "weighted": True}

SCENARIOS = {
    "sgd": SGD,
    "momentum": {**SGD, "momentum": 0.9},
    "nesterov": {**SGD, "momentum": 0.9, "nesterov": True},
    "adam": ADAM,
    "adam late": {**ADAM, "step": 1000},
    "adamw": {**ADAM, "optimizer": "adamw", "weight_decay": 0.3},
    "sgd decay": {**SGD, "weight_decay": 0.3, "momentum": 0.5},
    "l1": {**SGD, "l1": 0.2},
    "l2": {**SGD, "l2": 0.5},
    "adam l1 l2": {**ADAM, "l1": 0.2, "l2": 0.5},
    "clipped values": {**SGD, "clip_value": 0.02, "l2": 0.5},
    "clipped norm": {**SGD, "clip_norm": 0.3, "l2": 0.5},
    "adam clipped": {**ADAM, "clip_value": 0.03, "clip_norm": 0.1, "l1": 0.1, "weighted": True},
    "max norm": {**SGD, "max_norm": 0.8},
    "adamw max norm": {**ADAM, "optimizer": "adamw", "max_norm": 0.8, "l1": 0.1},
    "input noise": {**SGD, "input_noise": 0.5},
    "gradient noise": {**SGD, "gradient_noise": 0.1, "gradient_noise_decay": 0.55},
    "noises late": {**ADAM, "input_noise": 0.5, "gradient_noise": 0.1, "step": 2**32 - 4},
    "dropout": {**SGD, "dropouts": (0, 0.5, 0.2)},
    "input dropout": {**ADAM, "dropouts": (0.3, 0, 0)},
    "dropout late": {**SGD, "dropouts": (0.3, 0.5, 0.2), "step": 2**32 - 4},
    "weights": {**SGD, "weighted": True, "l2": 0.1},
    "no hidden layer": {**SGD, "layer_sizes": (6, 3)},
    "five layers": {**ADAM, "layer_sizes": (6, 17, 8, 33, 5, 2), "activations": "logistic"},
    "mixed": {**SGD, "layer_sizes": (3, 9, 7, 4), "activations": ["tanh", "identity"]},
    "relu": {**SGD, "activations": "relu", "loss": "squared_error", "momentum": 0.9},
    "binary": {**ADAM, "layer_sizes": (13, 37, 1), "loss": "binary_cross_entropy"},
    "odd": {**ADAM, "layer_sizes": (13, 37, 53, 3), "dropouts": (0, 0.1, 0.1), "batch_size": 33},
    "wide": {**ADAM, "layer_sizes": (70, 130, 65, 10), "weighted": True},
    "large clipped": {**LARGE, "learning_rate": 1.0, "clip_norm": 0.5, "clip_value": 0.01},
    "large max norm": {**SGD, **LARGE, "max_norm": 0.97},
    "large noises": {**ADAM, **LARGE, "input_noise": 0.3, "gradient_noise": 0.05, "l1": 0.1},
    "large with all": {**ADAM, **LARGE, **EVERY_REGULARISER},
    "small with all": {**ADAM, **EVERY_REGULARISER, "dropouts": (0.2, 0.3, 0.1)},
    "lamb": {**LAMB, "l1": 0.2, "l2": 0.5},
    "lamb with all": {**EVERY_REGULARISER, **LAMB, "normalizations": ["batch", "layer"]},
    "large lamb": {**LAMB, **LARGE},
    "large lamb with all": {**EVERY_REGULARISER, **LAMB, **LARGE},
    "one row a batch": {**SGD, "batch_size": 1, "n_rows": 12},
    "few columns beyond vectors": {**SGD, "layer_sizes": (100, 20, 36, 66, 4), "l2": 0.1},
    "wide batch": {**SGD, "layer_sizes": (5, 140, 3), "batch_size": 2048, "n_rows": 4200},
    "scheduled": SCHEDULED,
    "scheduled large": {**SCHEDULED, **LARGE, "dropouts": (0.2, 0.3, 0)},
    "smoothed classes": {**SMOOTHED, "loss": "soft_cross_entropy"},
    "smoothed labels": {**SMOOTHED, "loss": "binary_cross_entropy", "normalizations": "batch"},
    "parametric": {**ADAM, "activations": ["silu", "relu"], "parametric": True, "weighted": True},
    "some parametric": {**ADAM, "parametric": [False, True], "dropouts": (0.2, 0.3, 0.1)},
    "large parametric": {**ADAM, **LARGE, "parametric": True, "dropouts": (0, 0.3, 0.1), "l2": 0.1},
    "parametric with all": {**EVERY_REGULARISER, **LAMB, "parametric": True},
    "parametric wide batch": {
        **SGD,
        "layer_sizes": (5, 290, 3),
        "parametric": True,
        "batch_size": 2048,
        "n_rows": 4200,
    },
    "one batch": {**SGD, "batch_size": 500, "n_epochs": 1, "n_rows": 300},
}


def assert_close(actual: Trained, expected: Trained, dtype: np.dtype) -> None:
    tolerance = TRAJECTORY * eps(dtype)
    np.testing.assert_allclose(actual.parameters, expected.parameters, rtol=0, atol=tolerance)
    np.testing.assert_allclose(actual.moments, expected.moments, rtol=0, atol=tolerance)
    np.testing.assert_allclose(actual.totals, expected.totals, rtol=tolerance)


def assert_same_bits(actual: Trained, expected: Trained) -> None:
    np.testing.assert_array_equal(actual.parameters, expected.parameters)
    np.testing.assert_array_equal(actual.moments, expected.moments)


@cache
def trajectory_of_the_reference(name: str, dtype: np.dtype) -> tuple[Problem, Trained]:
    """Return a scenario's problem, and what it is trained to; the same for all backends."""
    problem = make_problem(dtype=dtype, **SCENARIOS[name])
    return problem, train(REFERENCE, problem.as_float64())


@pytest.mark.parametrize("name", SCENARIOS)
def test_trajectory(backend: Backend, dtype, name):
    problem, expected = trajectory_of_the_reference(name, dtype)
    assert np.abs(expected.parameters - problem.parameters).max() > 1e-2
    assert_close(train(backend, problem), expected, dtype)


@looped(("batch_size", "n_inputs", "width"), size_triples())
def test_awkward_sizes(backend: Backend, dtype, batch_size, n_inputs, width):
    sizes = (n_inputs, width, batch_size, 3)
    problem = make_problem(
        sizes, "relu", dtype=dtype, n_rows=100, n_epochs=1, batch_size=batch_size, **SGD
    )
    problem = replace(problem, order=problem.order[: 2 * batch_size + 1])
    assert_close(train(backend, problem), train(REFERENCE, problem.as_float64()), dtype)


@pytest.mark.parametrize("x_dtype", [np.uint8, np.float32, np.float64])
def test_types_of_the_input(backend: Backend, dtype, x_dtype):
    problem = make_problem(dtype=dtype, x_dtype=x_dtype, **ADAM)
    expected = train(REFERENCE, problem.as_float64())
    assert_close(train(backend, problem), expected, dtype)
    predictions = predict(REFERENCE, problem.as_float64())
    tolerance = 40 * eps(dtype)
    np.testing.assert_allclose(predict(backend, problem), predictions, rtol=0, atol=tolerance)
    _, gradient = objective_and_gradient(backend, problem)
    _, expected_gradient = objective_and_gradient(REFERENCE, problem.as_float64())
    np.testing.assert_allclose(gradient, expected_gradient, rtol=0, atol=tolerance)


@pytest.mark.parametrize("chunk_batches", [1, 3])
def test_chunks_are_one_call(backend: Backend, dtype, chunk_batches):
    problem = make_problem(
        dtype=dtype, dropouts=(0.2, 0.5, 0.2), weighted=True, l2=0.1, n_rows=64, **ADAM
    )
    whole, chunked = train(backend, problem), train(backend, problem, chunk_batches=chunk_batches)
    assert_same_bits(chunked, whole)
    np.testing.assert_allclose(chunked.totals, whole.totals, rtol=1e-14)


def test_a_roomy_workspace_changes_nothing(backend: Backend, dtype):
    problem = make_problem(dtype=dtype, dropouts=(0.2, 0.5, 0.2), **ADAM)
    assert_same_bits(train(backend, problem, workspace_rows=1000), train(backend, problem))


def test_order_chooses_the_rows(backend: Backend, dtype):
    problem = make_problem(dtype=dtype, weighted=True, momentum=0.5, **SGD)
    gathered = replace(
        problem,
        X=problem.X[problem.order],
        target=problem.target[problem.order],
        sample_weight=problem.sample_weight[problem.order],
        order=np.arange(len(problem.order)),
    )
    assert_same_bits(train(backend, gathered), train(backend, problem))


def test_rows_may_repeat_and_be_left_out(backend: Backend, dtype):
    problem = replace(make_problem(dtype=dtype, **SGD), order=np.array([49] * 30 + [7, 7, 0] * 9))
    expected = train(REFERENCE, problem.as_float64())
    assert_close(train(backend, problem), expected, dtype)


def weightless_batch(dtype: np.dtype) -> Problem:
    """Return a problem whose second batch of five weighs nothing."""
    problem = make_problem(
        dtype=dtype, weighted=True, n_rows=70, n_epochs=1, momentum=0.9, l1=0.1, l2=0.1, **SGD
    )
    problem.sample_weight[problem.order[16:32]] = 0
    return problem


def test_a_batch_without_weight_changes_nothing(backend: Backend, dtype):
    problem = weightless_batch(dtype)
    only = replace(problem, order=problem.order[16:32])
    trained = train(backend, only)
    assert_same_bits(trained, Trained(problem.parameters, problem.moments, trained.totals))
    assert trained.totals == (0, 0, 16)


def test_a_batch_without_weight_between_others(backend: Backend, dtype):
    problem = weightless_batch(dtype)
    trained = train(backend, problem)
    assert_close(trained, train(REFERENCE, problem.as_float64()), dtype)
    without = replace(problem, order=np.delete(problem.order, np.s_[16:32]))
    assert_same_bits(trained, train(backend, without))


@pytest.mark.parametrize("scale", [1.0, 0.75, 1.25, 0.0, 4.0])
def test_dropout_has_the_factors_of_the_kernel(backend: Backend, dtype, scale):
    problem = make_problem(
        (5, 8, 3),
        loss="squared_error",
        dtype=dtype,
        dropouts=(0.3, 0.5),
        n_rows=20,
        n_epochs=1,
        learning_rate=0.0,
        step=41,
    )
    # Halves are rounded up, and what would drop everything stays below it.
    problem.plan.layers["dropout_threshold"] = thresholds = np.array([19662, 32770])
    scaled = np.minimum(np.floor(thresholds * scale + 0.5), 65535)
    cost = 0.0
    w_h, w_o = weight_views(problem.plan, problem.parameters)
    b_h, b_o = bias_views(problem.plan, problem.parameters)
    # Rows count from the start of their batch, steps from the first batch of the call.
    for step, rows in [(41, problem.order[:16]), (42, problem.order[16:])]:
        factors = [np.empty((len(rows), width), dtype) for width in (5, 8)]
        for layer, (threshold, out) in enumerate(zip(scaled, factors, strict=True)):
            seed = int(problem.settings["seed"])
            backend.dropout_factors(int(threshold), seed, layer, step, out)
        hidden = np.tanh((problem.X[rows] * factors[0]) @ w_h + b_h) * factors[1]
        cost += ((hidden @ w_o + b_o - problem.target[rows]) ** 2).sum() / 2
    updates = problem.recipe.updates(2)
    updates["dropout"] = scale
    executor = backend.bind(problem.plan, problem.settings, problem.dtype, 16, 1)
    parameters, moments = problem.parameters.copy(), problem.moments.copy()
    totals = executor.train(parameters, moments, problem.rows, problem.order, 16, updates)
    np.testing.assert_allclose(totals.cost, cost, rtol=32 * eps(dtype))


def test_penalty_is_of_the_weights_before_the_update(backend: Backend, dtype):
    problem = make_problem(dtype=dtype, n_rows=16, n_epochs=1, l1=0.25, l2=0.5, **SGD)
    totals = train(backend, problem).totals
    weights = problem.parameters[: problem.plan.n_weights].astype(np.float64)
    # One batch of 16 rows: B · penalty / W with W = B.
    expected = 0.25 * (weights**2).sum() + 0.25 * np.abs(weights).sum()
    np.testing.assert_allclose(totals.penalty, expected, rtol=8 * eps(dtype))


def test_cost_is_weighted_by_the_rows_of_each_batch(backend: Backend, dtype):
    problem = make_problem(dtype=dtype, weighted=True, n_rows=23, n_epochs=1, learning_rate=0.0)
    totals = train(backend, problem).totals
    logits = predict(REFERENCE, problem.as_float64(), apply_link=False)
    values, gradient = np.empty(23), np.empty_like(logits)
    target = problem.target.astype(np.float64)
    plan = problem.plan
    REFERENCE.loss_and_gradient(
        plan.loss, plan.loss_parameters, logits, target, None, values, gradient
    )
    expected = sum(
        len(rows) * np.average(values[rows], weights=problem.sample_weight[rows])
        for rows in (problem.order[:16], problem.order[16:])
    )
    np.testing.assert_allclose(totals.cost, expected, rtol=32 * eps(dtype))
    assert totals.n_samples == 23


def test_input_noise_is_that_of_the_kernel_and_comes_before_dropout(backend: Backend, dtype):
    problem = make_problem(
        (5, 3), [], "squared_error", dtype=dtype, dropouts=(0.3,), n_rows=20, batch_size=20,
        n_epochs=1, learning_rate=0.0, step=41, input_noise=0.7,
    )  # fmt: skip
    seed, noise, factors = int(problem.settings["seed"]), *np.empty((2, 20, 5), dtype)
    backend.standard_normals(INPUT_NOISE_STREAM, seed, 41, noise)
    backend.dropout_factors(int(problem.plan.layers[0]["dropout_threshold"]), seed, 0, 41, factors)
    (w,), (b,) = (
        weight_views(problem.plan, problem.parameters),
        bias_views(problem.plan, problem.parameters),
    )
    rows = problem.order
    outputs = ((problem.X[rows] + dtype.type(0.7) * noise) * factors) @ w + b
    expected = ((outputs - problem.target[rows]) ** 2).sum() / 2
    np.testing.assert_allclose(train(backend, problem).totals.cost, expected, rtol=32 * eps(dtype))


def test_noise_is_for_training_only(backend: Backend, dtype):
    quiet = make_problem(dtype=dtype)
    noisy = make_problem(dtype=dtype, input_noise=1.0, gradient_noise=1.0)
    np.testing.assert_array_equal(predict(backend, noisy), predict(backend, quiet))


def test_max_norm_holds_for_hidden_units_after_every_update(backend: Backend, dtype):
    problem = make_problem((40, 30, 70, 4), dtype=dtype, n_epochs=1, max_norm=0.5, **SGD)
    trained = train(backend, problem)
    *hidden, last = weight_views(problem.plan, trained.parameters)
    for w in hidden:
        norms = np.linalg.norm(w.astype(np.float64), axis=0)
        assert norms.max() < 0.5 * (1 + 16 * eps(dtype))
        assert np.mean(norms > 0.499) > 0.5
    assert np.linalg.norm(last, axis=0).max() > 0.6


def test_a_loose_bound_changes_no_bit(backend: Backend, dtype):
    """Also where the update is then made in more than one step."""
    loose = {"max_norm": 1e6, "clip_value": 1e6}
    for sizes in ((6, 9, 5, 3), LARGE["layer_sizes"]):
        common = {**ADAM, "dtype": dtype, "n_epochs": 1, "weight_decay": 0.3}
        plain, bounded = make_problem(sizes, **common), make_problem(sizes, **common, **loose)
        assert_same_bits(train(backend, bounded), train(backend, plain))


@looped("activation", ACTIVATIONS.names)
@looped("poison", [np.nan, np.inf])
def test_a_poisoned_input_is_visible(backend: Backend, dtype, activation, poison):
    problem = make_problem(dtype=dtype, activations=activation, loss="squared_error", **SGD)
    problem.X[problem.order[3], 2] = poison
    trained = train(backend, problem)
    assert not np.all(np.isfinite(trained.parameters))
    assert not np.isfinite(trained.totals.cost)


def test_divergence_is_visible(backend: Backend, dtype):
    problem = make_problem(
        dtype=dtype, activations="relu", loss="squared_error", n_epochs=40, learning_rate=1e3
    )
    trained = train(backend, problem)
    assert not np.isfinite(trained.totals.cost)
    assert not np.all(np.isfinite(trained.parameters))


def test_read_only_inputs(backend: Backend, dtype):
    problem = make_problem(dtype=dtype, weighted=True, **SGD)
    expected, predictions = train(backend, problem), predict(backend, problem)
    shared = ("X", "target", "sample_weight", "order")
    frozen = replace(problem, **{name: getattr(problem, name).copy() for name in shared})
    for name in shared:
        getattr(frozen, name).flags.writeable = False
    assert_same_bits(train(backend, frozen), expected)
    frozen.parameters.flags.writeable = False
    np.testing.assert_array_equal(predict(backend, frozen), predictions)


def test_inputs_are_left_as_they_were(backend: Backend):
    problem = make_problem(weighted=True, dropouts=(0.5, 0.5, 0.5), **ADAM)
    names = ("settings", "X", "target", "sample_weight", "order")
    before = {name: getattr(problem, name).copy() for name in names}
    train(backend, problem)
    for name in names:
        np.testing.assert_array_equal(getattr(problem, name), before[name])
