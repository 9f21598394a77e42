"""Every loss of the registry with its link: values, gradients, weights, extremes."""

from __future__ import annotations

import numpy as np
import pytest
from helpers import REFERENCE, make_target, size_pairs
from helpers_tolerances import LINK, LOSS, LOSS_GRADIENT, assert_within, eps, relative_bound
from scipy.special import expit, log_softmax, softmax

from fastmlp.backends.protocol import Backend
from fastmlp.plan import make_plan
from fastmlp.registry import LOSSES, Loss

every_loss = pytest.mark.parametrize("loss", LOSSES, ids=LOSSES.names)
weighted_or_not = pytest.mark.parametrize("weighted", [False, True], ids=["plain", "weighted"])

TINY_ROW = {"softmax_cross_entropy": [0.0], "binary_cross_entropy": [1, 0], "squared_error": [1, 0]}


def run(
    backend: Backend,
    loss: Loss,
    logits: np.ndarray,
    target: np.ndarray,
    weight: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    values = np.full(len(logits), np.nan, logits.dtype)
    gradient = np.full_like(logits, np.nan)
    backend.loss_and_gradient(
        loss.code, loss.default_parameters, logits, target, weight, values, gradient
    )
    return values, gradient


def run_link(backend: Backend, loss: Loss, logits: np.ndarray) -> np.ndarray:
    out = np.full_like(logits, np.nan)
    backend.link(loss.code, loss.default_parameters, logits, out)
    return out


def target_for(loss: Loss, n_rows: int, n_outputs: int, rng: np.random.Generator) -> np.ndarray:
    return make_target(make_plan([1, n_outputs], [], loss.name), n_rows, rng)


@every_loss
@weighted_or_not
@pytest.mark.parametrize(("n_rows", "n_outputs"), size_pairs())
def test_awkward_sizes(backend: Backend, dtype, loss, weighted, n_rows, n_outputs):
    rng = np.random.default_rng(n_rows)
    logits = rng.normal(scale=4, size=(n_rows, n_outputs)).astype(dtype)
    target = target_for(loss, n_rows, n_outputs, rng).astype(dtype)
    weight = rng.uniform(0, 3, n_rows).astype(dtype) if weighted else None
    values, gradient = run(backend, loss, logits, target, weight)

    wide = [None if a is None else a.astype(np.float64) for a in (logits, target, weight)]
    expected_values, expected_gradient = run(REFERENCE, loss, *wide)
    scale = np.abs(wide[0]).max(axis=1) + 1
    value_bound = LOSS[loss.name] * eps(dtype) * (scale + expected_values)
    gradient_scale = scale if wide[2] is None else scale * wide[2]
    assert_within(values, expected_values, value_bound)
    gradient_bound = LOSS_GRADIENT[loss.name] * eps(dtype) * gradient_scale[:, np.newaxis]
    assert_within(gradient, expected_gradient, gradient_bound)


@every_loss
@pytest.mark.parametrize(("n_rows", "n_outputs"), size_pairs())
def test_link_at_awkward_sizes(backend: Backend, dtype, loss, n_rows, n_outputs):
    logits = np.random.default_rng(n_outputs).normal(scale=5, size=(n_rows, n_outputs))
    logits = logits.astype(dtype)
    expected = run_link(REFERENCE, loss, logits.astype(np.float64))
    of_the_shift = np.ptp(logits, axis=1, keepdims=True) / 2 if loss.link == "softmax" else 0
    bound = relative_bound(LINK[loss.link] + of_the_shift, expected, dtype)
    assert_within(run_link(backend, loss, logits), expected, bound)


@every_loss
def test_gradient_is_the_slope(backend: Backend, loss):
    rng = np.random.default_rng(3)
    logits, target = rng.normal(scale=2, size=(6, 5)), target_for(loss, 6, 5, rng)
    weight = rng.uniform(0, 3, 6)
    _, gradient = run(backend, loss, logits, target, weight)
    for column in range(5):
        step = 1e-5 * np.eye(5)[column]
        above, _ = run(backend, loss, logits + step, target)
        below, _ = run(backend, loss, logits - step, target)
        slope = weight * (above - below) / 2e-5
        np.testing.assert_allclose(gradient[:, column], slope, rtol=0, atol=1e-8)


@every_loss
def test_weight_zero_gives_no_gradient_and_keeps_the_value(backend: Backend, dtype, loss):
    rng = np.random.default_rng(1)
    logits = rng.normal(size=(4, 3)).astype(dtype)
    target = target_for(loss, 4, 3, rng).astype(dtype)
    values, gradient = run(backend, loss, logits, target, np.array([1, 0, 0, 2], dtype))
    plain_values, _ = run(backend, loss, logits, target)
    np.testing.assert_array_equal(values, plain_values)
    np.testing.assert_array_equal(gradient[1:3], 0)
    assert np.all(gradient[[0, 3]] != 0)


@every_loss
def test_nan_stays_in_its_row(backend: Backend, dtype, loss):
    logits = np.ones((4, 2), dtype)
    logits[2, 1] = np.nan
    target = np.tile(np.array(TINY_ROW[loss.name], dtype), (4, 1))
    values, gradient = run(backend, loss, logits, target)
    np.testing.assert_array_equal(np.isnan(values), [False, False, True, False])
    assert np.isnan(gradient[2, 1])
    assert np.all(np.isfinite(gradient[[0, 1, 3]]))


@pytest.mark.parametrize(
    ("name", "logits", "target", "value", "gradient"),
    [
        ("softmax_cross_entropy", [1e4, -1e4, 0], [1], 2e4, [1, -1, 0]),
        ("softmax_cross_entropy", [1e4, -1e4, 0], [0], 0, [0, 0, 0]),
        ("softmax_cross_entropy", [1e4] * 4, [2], np.log(4), [0.25, 0.25, -0.75, 0.25]),
        ("softmax_cross_entropy", [-7], [0], 0, [0]),
        ("softmax_cross_entropy", [np.log(2), 0, 0], [0], np.log(2), [-0.5, 0.25, 0.25]),
        ("binary_cross_entropy", [1e4, -1e4], [1, 0], 0, [0, 0]),
        ("binary_cross_entropy", [1e4, -1e4], [0, 1], 2e4, [1, -1]),
        ("binary_cross_entropy", [0], [0.25], np.log(2), [0.25]),
        ("binary_cross_entropy", [np.log(3)], [1], np.log(4 / 3), [-0.25]),
        ("squared_error", [1, 5], [4, 1], 12.5, [-3, 4]),
        ("squared_error", [1e4], [-1e4], 2e8, [2e4]),
    ],
)
def test_by_hand(backend: Backend, dtype, name, logits, target, value, gradient):
    rows = np.array([logits], dtype), np.array([target], dtype)
    values, actual = run(backend, LOSSES[name], *rows)
    np.testing.assert_allclose(values, [value], rtol=8 * eps(dtype))
    np.testing.assert_allclose(actual, [gradient], rtol=8 * eps(dtype), atol=eps(dtype))


def test_a_small_loss_keeps_its_digits(backend: Backend, dtype):
    logits, target = np.array([[30.0]], dtype), np.ones((1, 1), dtype)
    values, _ = run(backend, LOSSES["binary_cross_entropy"], logits, target)
    np.testing.assert_allclose(values, np.log1p(np.exp(-30)), rtol=16 * eps(dtype))


@pytest.mark.parametrize("size", [-1e4, 1e4])
@every_loss
def test_links_are_stable(backend: Backend, dtype, loss, size):
    out = run_link(backend, loss, np.array([[size, 0, -size]], dtype))
    expected = {
        "softmax": [float(size > 0), 0, float(size < 0)],
        "logistic": [float(size > 0), 0.5, float(size < 0)],
        "identity": [size, 0, -size],
    }
    np.testing.assert_array_equal(out, [expected[loss.link]])


def test_the_reference_agrees_with_scipy():
    rng = np.random.default_rng(8)
    logits, classes = rng.normal(scale=3, size=(20, 6)), rng.integers(6, size=(20, 1))
    cross_entropy, binary = LOSSES["softmax_cross_entropy"], LOSSES["binary_cross_entropy"]
    values, gradient = run(REFERENCE, cross_entropy, logits, classes.astype(float))
    log_q = log_softmax(logits, axis=1)
    np.testing.assert_allclose(values, -log_q[np.arange(20), classes[:, 0]], rtol=1e-13)
    np.testing.assert_allclose(gradient, softmax(logits, axis=1) - np.eye(6)[classes[:, 0]])
    np.testing.assert_allclose(run_link(REFERENCE, binary, logits), expit(logits), rtol=1e-14)
