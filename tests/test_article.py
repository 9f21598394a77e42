"""Worked numbers and properties of an introductory article on neural networks, a test a row.

Rows 4–18, 20–23 and 25–27 of the numbered list of its facts: from the multi-layer perceptron
through activations, back-propagation, losses and initialisation to regularisation.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from helpers import (
    Problem,
    all_weights,
    make_problem,
    make_recipe,
    objective_and_gradient,
    predict,
    train,
)
from helpers_tolerances import eps
from scipy.special import expit

from fastmlp.backends.protocol import Backend
from fastmlp.plan.initializers import initialize
from fastmlp.plan.layout import dropout_threshold, make_plan
from fastmlp.plan.parameters import bias_views, weight_views
from fastmlp.registry import ACTIVATIONS, LOSSES
from fastmlp.teaching.information import cross_entropy, entropy, kl_divergence, self_information


def with_parameters(
    problem: Problem, weights: list[np.ndarray], biases: list[np.ndarray] | None = None
) -> Problem:
    """Return the problem with these weights and biases (zero by default)."""
    parameters = np.zeros_like(problem.parameters)
    for view, w in zip(weight_views(problem.plan, parameters), weights, strict=True):
        view[:] = w
    for view, b in zip(bias_views(problem.plan, parameters), biases or [], strict=False):
        view[:] = b
    return replace(problem, parameters=parameters)


def activate(backend: Backend, name: str, z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return h and dh/dz for z of any shape, float64."""
    z = np.atleast_2d(np.asarray(z, np.float64))
    h, dh_dz = np.empty_like(z), np.empty_like(z)
    backend.activate(ACTIVATIONS[name].code, z, h, dh_dz)
    return h, dh_dz


def loss_and_gradient(
    backend: Backend, name: str, logits: list[list[float]], target: list[list[float]]
) -> tuple[np.ndarray, np.ndarray]:
    """Return the loss of each sample (B,) and its gradient (B, C), float64."""
    z, y = np.array(logits, np.float64), np.array(target, np.float64)
    values, gradient = np.empty(len(z)), np.empty_like(z)
    row = LOSSES[name]
    backend.loss_and_gradient(row.code, row.default_parameters, z, y, None, values, gradient)
    return values, gradient


def test_row_04_a_4_5_3_network_has_the_shapes_given(backend: Backend):
    problem = make_problem((4, 5, 3), "logistic", "binary_cross_entropy", n_rows=1)
    w_hidden, w_output = weight_views(problem.plan, problem.parameters)
    assert (w_hidden.shape, w_output.shape) == ((4, 5), (5, 3))
    problem = with_parameters(problem, [w_hidden, w_output])
    hidden = expit(problem.X @ w_hidden)
    output = predict(backend, problem)
    assert (hidden.shape, output.shape) == ((1, 5), (1, 3))
    np.testing.assert_allclose(output, expit(hidden @ w_output), rtol=1e-13)


def test_row_05_without_activations_a_network_is_one_affine_map(backend: Backend, dtype):
    problem = make_problem((7, 9, 4), "identity", "squared_error", dtype=dtype)
    w_h, w_o = (w.astype(np.float64) for w in weight_views(problem.plan, problem.parameters))
    b_h, b_o = (b.astype(np.float64) for b in bias_views(problem.plan, problem.parameters))
    collapsed = problem.X @ (w_h @ w_o) + (b_h @ w_o + b_o)
    np.testing.assert_allclose(predict(backend, problem), collapsed, rtol=0, atol=40 * eps(dtype))


@pytest.mark.parametrize(
    ("name", "steepest"), [("identity", 1), ("logistic", 1 / 4), ("tanh", 1), ("relu", 1)]
)
def test_row_06_activations_are_continuous_with_bounded_slopes(backend: Backend, name, steepest):
    z = np.linspace(-10, 10, 4001)
    h, dh_dz = activate(backend, name, z)
    spacing = z[1] - z[0]
    assert np.abs(np.diff(h)).max() <= steepest * spacing * (1 + 1e-9)
    assert dh_dz.min() >= 0
    np.testing.assert_allclose(dh_dz.max(), steepest, rtol=1e-15)
    # Differentiable but at a few points: the slope jumps at most once in this interval.
    assert np.sum(np.abs(np.diff(dh_dz)) > 0.1) <= 1


def test_row_07_logistic(backend: Backend):
    z = np.array([-1e4, -800, -2, 0, 2, 800, 1e4])
    h, dh_dz = activate(backend, "logistic", z)
    np.testing.assert_allclose(h[0, 2:5], 1 / (1 + np.exp(-z[2:5])), rtol=1e-14)
    np.testing.assert_allclose(dh_dz, h * (1 - h), rtol=0, atol=1e-15)
    assert dh_dz.argmax() == 3
    np.testing.assert_allclose(dh_dz[0, 3], 1 / 4, rtol=1e-15)
    np.testing.assert_allclose(h[0, [0, 1, 5, 6]], [0, 0, 1, 1], rtol=0, atol=1e-300)
    np.testing.assert_allclose(dh_dz[0, [0, 1, 5, 6]], 0, atol=1e-300)


def test_row_08_tanh(backend: Backend):
    z = np.linspace(-3, 3, 61)
    h, dh_dz = activate(backend, "tanh", z)
    ratio = (np.exp(z) - np.exp(-z)) / (np.exp(z) + np.exp(-z))
    np.testing.assert_allclose(h[0], ratio, rtol=1e-13, atol=1e-15)
    np.testing.assert_allclose(dh_dz, 1 - h**2, rtol=0, atol=1e-15)
    assert abs(h.mean()) < 1e-15
    small = np.array([-1e-6, 1e-9, 1e-6])
    near_zero, slope = activate(backend, "tanh", small)
    np.testing.assert_allclose(near_zero[0], small, rtol=1e-11)
    np.testing.assert_allclose(slope, 1, rtol=1e-11)
    saturated, slope = activate(backend, "tanh", np.array([-40.0, 40.0]))
    np.testing.assert_array_equal(saturated, [[-1, 1]])
    np.testing.assert_array_equal(slope, 0)


def test_row_09_relu_and_our_slope_of_0_at_0(backend: Backend):
    h, dh_dz = activate(backend, "relu", np.array([-3.0, -1e-300, -0.0, 0.0, 1e-300, 3.0]))
    np.testing.assert_array_equal(h, [[0, 0, 0, 0, 1e-300, 3]])
    np.testing.assert_array_equal(dh_dz, [[0, 0, 0, 0, 1, 1]])


def small_regression() -> Problem:
    """Return one sample x = (1, 2) with target 1 on a 2-2-1 network with relu."""
    problem = make_problem((2, 2, 1), "relu", "squared_error", n_rows=1)
    problem = replace(problem, X=np.array([[1.0, 2.0]]), target=np.array([[1.0]]))
    return with_parameters(problem, [[[1, -1], [0.5, 1]], [[1], [-2]]])


def test_row_10_forward_pass(backend: Backend):
    problem = small_regression()
    # z = (1 + 1, -1 + 2) = (2, 1) = h; O = 2 · 1 - 1 · 2 = 0.
    np.testing.assert_array_equal(predict(backend, problem), [[0]])
    # With the sample negated z = (-2, -1), h = 0.
    negated = with_parameters(problem, [[[-1, 1], [-0.5, -1]], [[1], [-2]]], [[0, 0], [7]])
    np.testing.assert_array_equal(predict(backend, negated), [[7]])


def test_row_11_back_propagation_by_the_chain_rule(backend: Backend):
    problem = small_regression()
    _, gradient = objective_and_gradient(backend, problem)
    dw_1, dw_2 = weight_views(problem.plan, gradient)
    # ∂L/∂O = 0 - 1; ∂L/∂W₂ = h ∂L/∂O; ∂L/∂h = ∂L/∂O W₂ᵀ = (-1, 2); ∂L/∂W₁ = xᵀ ∂L/∂h.
    np.testing.assert_array_equal(dw_2, [[-2], [-1]])
    np.testing.assert_array_equal(dw_1, [[-1, 2], [-2, 4]])


def test_row_11_every_path_adds_a_term(backend: Backend):
    problem = make_problem((1, 1, 2, 1), "identity", "squared_error", n_rows=1)
    problem = replace(problem, X=np.array([[3.0]]), target=np.array([[0.0]]))
    w, (a_1, a_2), (c_1, c_2) = 0.5, (2.0, 5.0), (7.0, -1.0)
    problem = with_parameters(problem, [[[w]], [[a_1, a_2]], [[c_1], [c_2]]])
    _, gradient = objective_and_gradient(backend, problem)
    paths = [a_1 * c_1, a_2 * c_2]
    output = 3 * w * sum(paths)
    assert gradient[0] == output * 3 * paths[0] + output * 3 * paths[1]


def test_row_11_numerical_gradient(backend: Backend):
    problem = make_problem((4, 5, 3), "logistic", "binary_cross_entropy", n_rows=6)
    _, gradient = objective_and_gradient(backend, problem)
    direction = np.random.default_rng(0).normal(size=problem.parameters.shape)
    costs = []
    for step in (1e-5, -1e-5):
        moved = replace(problem, parameters=problem.parameters + step * direction)
        costs.append(objective_and_gradient(backend, moved)[0].cost / 6)
    np.testing.assert_allclose(gradient @ direction, (costs[0] - costs[1]) / 2e-5, rtol=1e-8)


def descend(backend: Backend, learning_rate: float, n_steps: int) -> np.ndarray:
    """Return x₀ = 2, x₁, … of gradient descent on f(x) = 4x², f'(x) = 8x."""
    x, moments = np.array([2.0]), np.zeros((1, 1))
    recipe = make_recipe("sgd", learning_rate=learning_rate)
    path = [2.0]
    for update in recipe.updates(n_steps):
        backend.optimizer_update(recipe.settings, update, x, 8 * x, moments, *all_weights(1), 1.0)
        path.append(float(x[0]))
    return np.array(path)


def test_row_12_descent_without_a_learning_rate_diverges(backend: Backend):
    path = descend(backend, 1.0, 2)
    np.testing.assert_array_equal(path, [2, -14, 98])
    np.testing.assert_array_equal(4 * path**2, [16, 784, 38416])


@pytest.mark.parametrize(
    ("learning_rate", "factor"), [(1.0, -7.0), (0.25, -1.0), (0.24, -0.92), (0.1, 0.2)]
)
def test_row_13_learning_rates(backend: Backend, learning_rate, factor):
    path = descend(backend, learning_rate, 40)
    np.testing.assert_allclose(path, 2 * factor ** np.arange(41), rtol=1e-12)


def test_row_13_what_becomes_of_each(backend: Backend):
    assert abs(descend(backend, 1.0, 40)[-1]) > 1e33
    np.testing.assert_array_equal(descend(backend, 0.25, 40), [2, -2] * 20 + [2])
    slow, fast = descend(backend, 0.24, 200), descend(backend, 0.1, 10)
    assert np.all(slow[:-1] * slow[1:] < 0)
    assert abs(slow[-1]) < 1e-6
    assert 0 < fast[-1] < 1e-6


def test_row_14_loss_cost_and_objective(backend: Backend):
    problem = make_problem((1, 2), [], "squared_error", n_rows=2, l2=2.0, l1=1.0)
    problem = replace(
        problem, X=np.array([[1.0], [2.0]]), target=np.array([[1.0, 1.0], [-2.0, 2.0]])
    )
    problem = with_parameters(problem, [[[3, -2]]])
    outputs = predict(backend, problem, apply_link=False)
    loss, _ = loss_and_gradient(backend, "squared_error", outputs, problem.target)
    # Outputs (3, -2) and (6, -4); half the squared distances to (1, 1) and (-2, 2).
    np.testing.assert_array_equal(loss, [(4 + 9) / 2, (64 + 36) / 2])
    totals, _ = objective_and_gradient(backend, problem)
    cost = totals.cost / totals.n_samples
    assert cost == loss.mean()
    # l2/2 · (9 + 4) + l1 · (3 + 2), divided by the two samples.
    regularisation = totals.penalty / totals.n_samples
    assert regularisation == (13 + 5) / 2
    assert cost + regularisation == 28.25 + 9


def test_row_15_mean_squared_error(backend: Backend):
    loss, _ = loss_and_gradient(backend, "squared_error", [[1.5, 1.5]], [[1, 2]])
    # Our loss is half the sum of squares: it descends along the plain difference.
    np.testing.assert_array_equal(2 * loss / 2, [0.25])


def test_row_16_cross_entropy(backend: Backend):
    p, q = np.array([0, 0, 1, 0]), np.array([0.05, 0.1, 0.7, 0.15])
    loss, _ = loss_and_gradient(backend, "softmax_cross_entropy", [np.log(q)], [[p.argmax()]])
    for value in (loss[0], cross_entropy(p, q)):
        np.testing.assert_allclose(value, -np.log(0.7), rtol=1e-14)
        assert round(float(value), 4) == 0.3567
        assert round(float(value), 2) == 0.36


def test_row_17_information():
    p, q = np.random.default_rng(0).dirichlet(np.ones(7), size=(2, 50))
    p[:, 3] = 0
    p /= p.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(cross_entropy(p, q), entropy(p) + kl_divergence(p, q), rtol=1e-12)
    np.testing.assert_allclose(cross_entropy(p, q), (p * self_information(q)).sum(1), rtol=1e-12)
    # H(p) does not depend on q: what orders the q by cross-entropy orders them by divergence.
    orders = [np.argsort(measure(p[0], q)) for measure in (cross_entropy, kl_divergence)]
    np.testing.assert_array_equal(*orders)


def test_row_18_softmax(backend: Backend):
    logits = np.random.default_rng(0).normal(scale=5, size=(30, 6))
    logits[0], logits[1] = 1e4, -1e4
    logits[2] = np.linspace(-1e4, 1e4, 6)
    q = np.empty_like(logits)
    row = LOSSES["softmax_cross_entropy"]
    backend.link(row.code, row.default_parameters, logits, q)
    assert np.all(q >= 0)
    np.testing.assert_allclose(q.sum(axis=1), 1, rtol=1e-14)
    powers = np.exp(logits[3:])
    np.testing.assert_allclose(q[3:], powers / powers.sum(axis=1, keepdims=True), rtol=1e-12)
    np.testing.assert_allclose(q[:2], 1 / 6, rtol=1e-14)
    np.testing.assert_array_equal(q[2], [0, 0, 0, 0, 0, 1])
    classes = np.arange(30)[:, np.newaxis] % 6
    _, gradient = loss_and_gradient(backend, "softmax_cross_entropy", logits, classes)
    np.testing.assert_allclose(gradient, q - np.eye(6)[classes[:, 0]], rtol=0, atol=1e-15)


def initialized(problem: Problem, init: str, std: float = 0.01) -> Problem:
    parameters = problem.parameters.copy()
    initialize(problem.plan, parameters, init, np.random.RandomState(0), std=std)
    return replace(problem, parameters=parameters)


@pytest.mark.parametrize("activation", ["logistic", "tanh", "relu"])
def test_row_20_zero_initialisation_keeps_units_the_same(backend: Backend, activation):
    problem = make_problem((4, 5, 3), activation, n_epochs=10, learning_rate=0.5)
    same = train(backend, initialized(problem, "zeros")).parameters
    random = train(backend, initialized(problem, "glorot_uniform")).parameters
    for parameters, alike in ((same, True), (random, False)):
        w_hidden, w_output = weight_views(problem.plan, parameters)
        b_hidden, _ = bias_views(problem.plan, parameters)
        units = np.vstack([w_hidden, b_hidden, w_output.T])
        assert (np.ptp(units, axis=1).max() < 1e-10) == alike
    assert np.any(same != 0)


def hidden_layers(
    backend: Backend, activation: str, init: str, std: float = 0.01, width: int = 100, depth=6
) -> tuple[list[np.ndarray], list[np.ndarray], list[np.ndarray]]:
    """Return z, h and dh/dz of every hidden layer for 100 standard normal samples."""
    plan = make_plan([width] * (depth + 1), [activation] * (depth - 1), "squared_error")
    parameters = np.zeros(plan.n_parameters)
    initialize(plan, parameters, init, np.random.RandomState(1), activation, std)
    h = np.random.default_rng(2).normal(size=(100, width))
    layers: tuple[list, list, list] = ([], [], [])
    for w, b in zip(weight_views(plan, parameters), bias_views(plan, parameters), strict=True):
        z = np.empty_like(h)
        backend.dense_forward(h, w, b, z)
        h, dh_dz = activate(backend, activation, z)
        for found, kept in zip((z, h, dh_dz), layers, strict=True):
            kept.append(found)
    return layers


def test_row_21_three_sigma_rule():
    plan = make_plan([500, 400], [], "squared_error")
    parameters = np.ones(plan.n_parameters)
    initialize(plan, parameters, "normal", np.random.RandomState(0), std=0.01)
    weights, biases = parameters[: plan.n_weights], parameters[plan.n_weights :]
    inside = np.mean(np.abs(weights) < 3 * 0.01)
    assert abs(inside - 0.9973) < 0.0005
    np.testing.assert_allclose(weights.std(), 0.01, rtol=0.01)
    np.testing.assert_array_equal(biases, 0)


def test_row_21_too_small_a_deviation_degenerates(backend: Backend):
    _, small, _ = hidden_layers(backend, "tanh", "normal", std=0.01)
    _, fitting, _ = hidden_layers(backend, "tanh", "glorot_normal")
    # Each layer scales its input by about 0.01 · √100.
    shrinkage = [h.std() for h in small]
    assert np.all(np.divide(shrinkage[1:], shrinkage[:-1]) < 0.15)
    assert shrinkage[-1] < 1e-5
    assert fitting[-1].std() > 0.2


def test_row_21_too_small_a_deviation_leaves_no_gradient(backend: Backend):
    problem = make_problem((30, 30, 30, 30, 30, 3), "tanh", n_rows=64)
    sizes = {}
    for init in ("normal", "glorot_normal"):
        start = initialized(problem, init)
        _, gradient = objective_and_gradient(backend, start)
        sizes[init] = np.abs(weight_views(problem.plan, gradient)[0]).mean()
    assert sizes["normal"] < 1e-4 * sizes["glorot_normal"]


def test_row_21_too_large_a_deviation_saturates(backend: Backend):
    _, large_h, large_slope = hidden_layers(backend, "logistic", "normal", std=3.0)
    _, _, fitting_slope = hidden_layers(backend, "logistic", "glorot_normal")
    for h, slope, fitting in zip(large_h, large_slope, fitting_slope, strict=True):
        assert np.mean((h < 0.01) | (h > 0.99)) > 0.6
        assert np.median(slope) < 1e-3
        assert np.median(fitting) > 0.15


@pytest.mark.parametrize("init", ["glorot_uniform", "glorot_normal"])
@pytest.mark.parametrize(("fan_in", "fan_out"), [(500, 300), (80, 2000)])
def test_row_22_glorot(init, fan_in, fan_out):
    plan = make_plan([fan_in, fan_out], [], "squared_error")
    parameters = np.zeros(plan.n_parameters)
    initialize(plan, parameters, init, np.random.RandomState(0))
    (weights,) = weight_views(plan, parameters)
    bound = np.sqrt(6 / (fan_in + fan_out))
    deviation = 2 * bound / np.sqrt(12)
    np.testing.assert_allclose(deviation, np.sqrt(2 / (fan_in + fan_out)), rtol=1e-15)
    np.testing.assert_allclose(weights.std(), deviation, rtol=0.01)
    assert abs(weights.mean()) < 5 * deviation / np.sqrt(weights.size)
    if init == "glorot_uniform":
        assert 0.999 * bound < np.abs(weights).max() <= bound


@pytest.mark.parametrize("init", ["kaiming_uniform", "kaiming_normal"])
def test_row_23_kaiming_keeps_the_variance_through_20_relu_layers(backend: Backend, init):
    plan = make_plan([500, 300], [], "squared_error")
    parameters = np.zeros(plan.n_parameters)
    initialize(plan, parameters, init, np.random.RandomState(0))
    np.testing.assert_allclose(parameters[: plan.n_weights].std(), np.sqrt(2 / 500), rtol=0.01)
    z, _, _ = hidden_layers(backend, "relu", init, width=512, depth=20)
    variances = np.array([layer.var() for layer in z])
    assert np.all((variances > 1) & (variances < 4)), variances
    faded, _, _ = hidden_layers(backend, "relu", "glorot_normal", width=512, depth=20)
    assert faded[-1].var() < 1e-4


def sparse_regression(dtype: np.dtype, **penalties: float) -> Problem:
    """Return a linear problem whose target depends on two of ten inputs."""
    problem = make_problem(
        (10, 1), [], "squared_error", dtype=dtype, n_rows=200, n_epochs=60, **penalties
    )
    target = problem.X[:, :1] * 2 - problem.X[:, 3:4]
    return replace(problem, target=np.ascontiguousarray(target))


def test_row_25_l1_gives_exact_zeros_and_l2_does_not(backend: Backend, dtype):
    rates = {"learning_rate": 0.05}
    lasso = train(backend, sparse_regression(dtype, l1=2.0, **rates)).parameters[:10]
    ridge = train(backend, sparse_regression(dtype, l2=2.0, **rates)).parameters[:10]
    np.testing.assert_array_equal(lasso != 0, np.isin(np.arange(10), [0, 3]))
    assert np.all(ridge != 0)


def one_step(backend: Backend, n_steps: int = 1, **fields: float) -> np.ndarray:
    """Return w after steps of SGD from w = (1, -2, 3) along the gradient (0.5, 0.25, -1)."""
    w, moments = np.array([1.0, -2.0, 3.0]), np.zeros((1, 3))
    recipe = make_recipe("sgd", learning_rate=0.25, **fields)
    for update in recipe.updates(n_steps):
        gradient = np.array([0.5, 0.25, -1.0])
        backend.optimizer_update(
            recipe.settings, update, w, gradient, moments, *all_weights(3), 4.0
        )
    return w


def test_row_26_l2_is_weight_decay(backend: Backend):
    # The penalty is divided by the batch's sum of weights, here 4: λ = l2/4 = 1/8.
    expected = np.array([1, -2, 3]) * (1 - 0.25 / 8) - 0.25 * np.array([0.5, 0.25, -1])
    np.testing.assert_array_equal(one_step(backend, l2=0.5), expected)
    np.testing.assert_array_equal(one_step(backend, weight_decay=0.125), expected)


def test_row_26_l2_and_decay_differ_with_momentum(backend: Backend):
    penalised = one_step(backend, 3, momentum=0.5, l2=0.5)
    decayed = one_step(backend, 3, momentum=0.5, weight_decay=0.125)
    assert np.all(np.abs(penalised - decayed) > 1e-3)
    plain = one_step(backend, 3, l2=0.5), one_step(backend, 3, weight_decay=0.125)
    np.testing.assert_allclose(*plain, rtol=1e-15)


def test_row_26_an_l2_network_step_is_the_formula(backend: Backend):
    problem = make_problem(n_rows=8, batch_size=8, n_epochs=1, learning_rate=0.25)
    plain, _ = train(backend, problem)[:2]
    problem.settings["l2"] = 4.0
    shrunk = problem.parameters.copy()
    shrunk[: problem.plan.n_weights] *= 1 - 0.25 * 4.0 / 8
    moved = plain - problem.parameters
    np.testing.assert_allclose(train(backend, problem).parameters, shrunk + moved, atol=1e-15)


def test_row_27_both_forms_of_dropout_keep_the_scale(backend: Backend, dtype):
    n_steps, n_units, keep = 4000, 100, 0.5
    factors = np.empty((n_steps, n_units), dtype)
    backend.dropout_factors(dropout_threshold(0.5), 1, 1, 0, factors)
    # Classic: units are 0 or 1 at training; at test all are 1 and scaled by keep: 50.
    classic_at_training = (factors > 0).sum(axis=1)
    classic_at_test = keep * n_units
    assert classic_at_test == 50
    error_of_mean = 5 / np.sqrt(n_steps)
    assert abs(classic_at_training.mean() - classic_at_test) < 4 * error_of_mean
    # Inverted: scaled by 1/keep at training and left alone at test; scaled to compare, 50 too.
    inverted_at_training = factors.sum(axis=1, dtype=np.float64)
    assert abs(inverted_at_training.mean() - n_units) < 4 * error_of_mean / keep
    np.testing.assert_array_equal(keep * inverted_at_training, classic_at_training)


def test_row_27_prediction_has_the_scale_of_training(backend: Backend):
    problem = make_problem((100, 1), [], "squared_error", dropouts=(0.5,), n_rows=20000)
    problem = replace(problem, X=np.ones((20000, 100)), target=np.zeros((20000, 1)))
    problem = with_parameters(problem, [np.ones((100, 1))])
    np.testing.assert_array_equal(predict(backend, problem), 100)
    totals, gradient = objective_and_gradient(backend, problem)
    # The bias's gradient is the mean output at training; its deviation a sample is 10.
    assert abs(gradient[-1] - 100) < 4 * 10 / np.sqrt(20000)
    # ½ E[o²] = ½ (100² + 10²).
    np.testing.assert_allclose(totals.cost / 20000, 5050, rtol=0.01)
