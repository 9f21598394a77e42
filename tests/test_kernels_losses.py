"""Every loss of the registry with its link: values, gradients, weights, extremes."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest
from helpers import REFERENCE, make_target, outputs_for, size_pairs
from helpers_looped import looped
from helpers_tolerances import LINK, LOSS, LOSS_GRADIENT, assert_within, eps, relative_bound
from scipy import special
from scipy.special import expit, log_softmax, softmax
from scipy.stats import norm
from sklearn.metrics import mean_pinball_loss, mean_tweedie_deviance

from fastmlp.backends.protocol import Backend
from fastmlp.plan.layout import make_plan
from fastmlp.registry import LOSSES, Loss

LN2, LN3, E1 = np.log(2), np.log(3), 1 - np.exp(-1)
#: Logits whose softplus is 1, and 1 less the floor of a variance.
LN_E1, UNIT_SPREAD = np.log(np.e - 1), np.log(np.expm1(1 - 1e-6))

every_loss = pytest.mark.parametrize("loss", LOSSES, ids=LOSSES.names)


def run(
    backend: Backend,
    loss: Loss,
    logits: np.ndarray,
    target: np.ndarray,
    weight: np.ndarray | None = None,
    parameters: tuple[float, ...] | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    numbers = loss.default_parameters if parameters is None else np.array(parameters)
    values = np.full(len(logits), np.nan, logits.dtype)
    gradient = np.full_like(logits, np.nan)
    backend.loss_and_gradient(loss.code, numbers, logits, target, weight, values, gradient)
    return values, gradient


def run_link(backend: Backend, loss: Loss, logits: np.ndarray) -> np.ndarray:
    out = np.full_like(logits, np.nan)
    backend.link(loss.code, loss.default_parameters, logits, out)
    return out


def rows_for(
    loss: Loss, n_rows: int, n_targets: int, rng: np.random.Generator, scale: float = 1.0
) -> tuple[np.ndarray, np.ndarray]:
    """Return random logits (N, C) and a target (N, T) that fits the loss."""
    n_outputs = outputs_for(loss, n_targets)
    logits = rng.normal(scale=scale, size=(n_rows, n_outputs))
    return logits, make_target(make_plan([1, n_outputs], [], loss.name), n_rows, rng)


@every_loss
@looped("weighted", [False, True])
@looped(("n_rows", "n_targets"), size_pairs())
def test_awkward_sizes(backend: Backend, dtype, loss, weighted, n_rows, n_targets):
    rng = np.random.default_rng(n_rows)
    logits, target = (a.astype(dtype) for a in rows_for(loss, n_rows, n_targets, rng, scale=4))
    weight = rng.uniform(0, 3, n_rows).astype(dtype) if weighted else None
    values, gradient = run(backend, loss, logits, target, weight)

    wide = [None if a is None else a.astype(np.float64) for a in (logits, target, weight)]
    expected_values, expected_gradient = run(REFERENCE, loss, *wide)
    scale = np.abs(wide[0]).max(axis=1) + 1
    value_bound = LOSS[loss.name] * eps(dtype) * (scale + expected_values)
    _, plain_gradient = run(REFERENCE, loss, wide[0], wide[1])
    gradient_scale = scale + np.abs(plain_gradient).max(axis=1)
    gradient_scale *= 1 if wide[2] is None else wide[2]
    assert_within(values, expected_values, value_bound)
    gradient_bound = LOSS_GRADIENT[loss.name] * eps(dtype) * gradient_scale[:, np.newaxis]
    assert_within(gradient, expected_gradient, gradient_bound)


@every_loss
@looped(("n_rows", "n_targets"), size_pairs())
def test_link_at_awkward_sizes(backend: Backend, dtype, loss, n_rows, n_targets):
    logits, _ = rows_for(loss, n_rows, n_targets, np.random.default_rng(n_targets), scale=5)
    logits = logits.astype(dtype)
    expected = run_link(REFERENCE, loss, logits.astype(np.float64))
    of_the_shift = np.ptp(logits, axis=1, keepdims=True) / 2 if loss.link == "softmax" else 0
    bound = relative_bound(LINK[loss.link] + of_the_shift, expected, dtype)
    if loss.link in ("gaussian", "quantiles"):
        bound = bound + LINK[loss.link] * eps(dtype) * (1 + np.abs(logits).max())
    assert_within(run_link(backend, loss, logits), expected, bound)


@every_loss
def test_gradient_is_the_slope(backend: Backend, loss):
    rng = np.random.default_rng(3)
    logits, target = rows_for(loss, 6, 5, rng, scale=2)
    weight = rng.uniform(0, 3, 6)
    _, gradient = run(backend, loss, logits, target, weight)
    for column, unit in enumerate(np.eye(logits.shape[1])):
        step = 1e-5 * unit
        above, _ = run(backend, loss, logits + step, target)
        below, _ = run(backend, loss, logits - step, target)
        slope = weight * (above - below) / 2e-5
        np.testing.assert_allclose(gradient[:, column], slope, rtol=1e-8, atol=1e-8)


@looped("loss", LOSSES)
def test_weight_zero_gives_no_gradient_and_keeps_the_value(backend: Backend, dtype, loss):
    rng = np.random.default_rng(1)
    logits, target = (a.astype(dtype) for a in rows_for(loss, 4, 3, rng))
    values, gradient = run(backend, loss, logits, target, np.array([1, 0, 0, 2], dtype))
    plain_values, _ = run(backend, loss, logits, target)
    np.testing.assert_array_equal(values, plain_values)
    np.testing.assert_array_equal(gradient[1:3], 0)
    assert np.all(np.any(gradient[[0, 3]] != 0, axis=1))


@looped("loss", LOSSES)
def test_nan_stays_in_its_row(backend: Backend, dtype, loss):
    logits, target = (a.astype(dtype) for a in rows_for(loss, 4, 2, np.random.default_rng(5)))
    logits[2, -1] = np.nan
    values, gradient = run(backend, loss, logits, target)
    np.testing.assert_array_equal(np.isnan(values), [False, False, True, False])
    assert np.isnan(gradient[2, -1])
    assert np.all(np.isfinite(gradient[[0, 1, 3]]))


@looped(
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
        ("soft_cross_entropy", [LN2, 0, 0], [0.5, 0.25, 0.25], 1.5 * LN2, [0, 0, 0]),
        ("soft_cross_entropy", [1e4, 0], [0, 1], 1e4, [1, -1]),
        ("kl_divergence", [LN2, 0, 0], [0.5, 0.25, 0.25], 0, [0, 0, 0]),
        ("kl_divergence", [0, 0], [1, 0], LN2, [-0.5, 0.5]),
        ("focal", [LN2, 0, 0], [0], LN2 / 4, np.array([-2, 1, 1]) * (2 * LN2 + 1) / 16),
        ("focal", [1e4, -1e4], [0], 0, [0, 0]),
        ("focal", [1e4, -1e4], [1], 2e4, [1, -1]),
        ("binary_focal", [LN3], [1], np.log(4 / 3) / 16, [-(1.5 * np.log(4 / 3) + 0.25) / 16]),
        ("binary_focal", [1e4, -1e4], [0, 0], 1e4, [1, 0]),
        ("multi_margin", [1, 0.5, -3], [0], 0.5 / 3, [-1 / 3, 1 / 3, 0]),
        ("multi_margin", [1e4, 0], [1], 5000.5, [0.5, -0.5]),
        ("squared_hinge", [0.5, -2], [1, 0], 0.25, [-1, 0]),
        ("squared_hinge", [0.5], [0], 2.25, [3]),
        ("absolute_error", [1, 5, 7], [4, 5, 6], 4, [-1, 0, 1]),
        ("huber", [0.5, 3], [0, 0], 2.625, [0.5, 1]),
        ("smooth_l1", [0.5, -3], [0, 0], 2.625, [0.5, -1]),
        ("log_cosh", [1e4], [0], 1e4 - LN2, [1]),
        ("log_cosh", [1e-2], [0], 4.9999166688888214e-5, [0.0099996666799994603]),
        ("poisson", [0, LN2], [0, 2], 1, [1, 0]),
        ("poisson", [1], [1], np.e - 2, [np.e - 1]),
        ("gamma", [LN2, 0], [2, np.e], np.e - 2, [0, 1 - np.e]),
        ("tweedie", [0, 0], [0, 1], 2, [1, 0]),
        ("gaussian_nll", [1, UNIT_SPREAD], [3], 2, [-2, -1.5 / (1 + np.exp(-UNIT_SPREAD))]),
        ("pinball", [0, LN_E1, LN_E1], [1.5], 0.45, [-0.5, -0.4 * E1, 0.1 * E1]),
        ("pinball", [2, -1e4, -1e4], [2], 0, [0, 0, 0]),
    ],
)
def test_by_hand(backend: Backend, dtype, name, logits, target, value, gradient):
    rows = np.array([logits], dtype), np.array([target], dtype)
    values, actual = run(backend, LOSSES[name], *rows)
    size = max(np.abs(logits).max(), np.abs(target).max())
    tolerance = 8 * eps(dtype) * max(1, size) if value == 0 else 0
    np.testing.assert_allclose(values, [value], rtol=8 * eps(dtype), atol=tolerance)
    np.testing.assert_allclose(actual, [gradient], rtol=8 * eps(dtype), atol=eps(dtype))


def test_a_small_loss_keeps_its_digits(backend: Backend, dtype):
    logits, target = np.array([[30.0]], dtype), np.ones((1, 1), dtype)
    values, _ = run(backend, LOSSES["binary_cross_entropy"], logits, target)
    np.testing.assert_allclose(values, np.log1p(np.exp(-30)), rtol=16 * eps(dtype))


SIMPLE_LINKS = [loss for loss in LOSSES if loss.link not in ("gaussian", "quantiles")]


@looped("size", [-1e4, 1e4])
@looped("loss", SIMPLE_LINKS)
def test_links_are_stable(backend: Backend, dtype, loss, size):
    out = run_link(backend, loss, np.array([[size, 0, -size]], dtype))
    with np.errstate(over="ignore"):
        exponentials = [np.exp(size), 1, np.exp(-size)]
    expected = {
        "softmax": [float(size > 0), 0, float(size < 0)],
        "logistic": [float(size > 0), 0.5, float(size < 0)],
        "identity": [size, 0, -size],
        "exp": exponentials,
    }
    np.testing.assert_array_equal(out, [expected[loss.link]])


def test_a_variance_stays_above_its_floor(backend: Backend, dtype):
    logits = np.array([[3, -1e4], [3, 0], [3, 1e4]], dtype)
    out = run_link(backend, LOSSES["gaussian_nll"], logits)
    expected = [[3, 1e-6], [3, LN2 + 1e-6], [3, 1e4 + 1e-6]]
    np.testing.assert_allclose(out, expected, rtol=8 * eps(dtype))


def test_quantiles_ascend(backend: Backend, dtype):
    logits = np.random.default_rng(2).normal(scale=30, size=(50, 6)).astype(dtype)
    out = run_link(backend, LOSSES["pinball"], logits).reshape(50, 2, 3)
    assert np.all(np.diff(out, axis=2) >= 0)


@looped(
    ("name", "parameters", "same_as"),
    [
        ("focal", (0.0,), "softmax_cross_entropy"),
        ("binary_focal", (0.0,), "binary_cross_entropy"),
        ("huber", (1e6,), "squared_error"),
        ("tweedie", (1 + 1e-9,), "poisson"),
        ("tweedie", (2 - 1e-9,), "gamma"),
    ],
)
def test_limits(backend: Backend, name, parameters, same_as):
    rng = np.random.default_rng(4)
    logits, target = rows_for(LOSSES[same_as], 20, 3, rng)
    expected, expected_gradient = run(backend, LOSSES[same_as], logits, target)
    values, gradient = run(backend, LOSSES[name], logits, target, parameters=parameters)
    np.testing.assert_allclose(values, expected, rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(gradient, expected_gradient, rtol=1e-7, atol=1e-7)


@looped("power", [1.001, 1.5, 1.999])
def test_tweedie_keeps_its_digits_near_its_limits(backend: Backend, dtype, power):
    rng = np.random.default_rng(9)
    target = np.exp(rng.normal(size=(200, 1)))
    logits = (np.log(target) + rng.normal(size=(200, 1)) * [[1e-2]]).astype(dtype)
    target = target.astype(dtype)
    power = float(dtype.type(power))
    values, _ = run(backend, LOSSES["tweedie"], logits, target, parameters=(power,))
    with mpmath.workdps(40):
        a, b = mpmath.mpf(power) - 1, 2 - mpmath.mpf(power)
        numbers = zip(logits.ravel().tolist(), target.ravel().tolist(), strict=True)
        expected = [
            float(
                -(mpmath.mpf(y) ** b) / (a * b) + y * mpmath.exp(-a * z) / a + mpmath.exp(b * z) / b
            )
            for z, y in numbers
        ]
    np.testing.assert_allclose(values, expected, rtol=0, atol=4 * eps(dtype))


@looped("tau", [0.1, 0.5, 0.95])
def test_one_quantile_is_scikit_learns_pinball_loss(backend: Backend, dtype, tau):
    rng = np.random.default_rng(4)
    logits, target = rng.normal(size=(2, 37, 1)).astype(dtype)
    values, gradient = run(backend, LOSSES["pinball"], logits, target, parameters=(tau,))
    expected = mean_pinball_loss(target.astype(float), logits.astype(float), alpha=tau)
    np.testing.assert_allclose(values.mean(), expected, rtol=8 * eps(dtype))
    expected_gradient = np.where(logits > target, 1 - tau, -tau)
    np.testing.assert_allclose(gradient, expected_gradient, rtol=0, atol=eps(dtype))


@looped(("name", "power"), [("poisson", 1), ("gamma", 2), ("tweedie", 1.5), ("tweedie", 1.2)])
def test_deviances_are_half_of_scikit_learns(backend: Backend, name, power):
    logits, target = rows_for(LOSSES[name], 50, 1, np.random.default_rng(6))
    parameters = (float(power),) if name == "tweedie" else None
    values, _ = run(backend, LOSSES[name], logits, target, parameters=parameters)
    expected = mean_tweedie_deviance(target, np.exp(logits), power=power) / 2
    np.testing.assert_allclose(values.mean(), expected, rtol=1e-12)


def test_oracles_of_scipy(backend: Backend):
    rng = np.random.default_rng(7)
    z, y = rng.normal(scale=2, size=(2, 40, 1))
    values, _ = run(backend, LOSSES["huber"], z, y, parameters=(0.7,))
    np.testing.assert_allclose(values, special.huber(0.7, z - y)[:, 0], rtol=1e-13)

    logits = np.hstack([z, rng.normal(size=z.shape)])
    values, _ = run(backend, LOSSES["gaussian_nll"], logits, y)
    variance = np.logaddexp(0, logits[:, 1:]) + 1e-6
    expected = -norm.logpdf(y, z, np.sqrt(variance)) - np.log(2 * np.pi) / 2
    np.testing.assert_allclose(values, expected[:, 0], rtol=1e-12)

    logits, p = rows_for(LOSSES["kl_divergence"], 30, 5, rng)
    values, _ = run(backend, LOSSES["kl_divergence"], logits, p)
    expected = special.rel_entr(p, softmax(logits, axis=1)).sum(axis=1)
    np.testing.assert_allclose(values, expected, rtol=1e-12)


def test_the_reference_agrees_with_scipy():
    rng = np.random.default_rng(8)
    logits, classes = rng.normal(scale=3, size=(20, 6)), rng.integers(6, size=(20, 1))
    cross_entropy, binary = LOSSES["softmax_cross_entropy"], LOSSES["binary_cross_entropy"]
    values, gradient = run(REFERENCE, cross_entropy, logits, classes.astype(float))
    log_q = log_softmax(logits, axis=1)
    np.testing.assert_allclose(values, -log_q[np.arange(20), classes[:, 0]], rtol=1e-13)
    np.testing.assert_allclose(gradient, softmax(logits, axis=1) - np.eye(6)[classes[:, 0]])
    np.testing.assert_allclose(run_link(REFERENCE, binary, logits), expit(logits), rtol=1e-14)
