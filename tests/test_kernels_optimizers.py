"""Every optimiser of the registry with every flag, and its formulas by hand."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import numpy as np
import pytest
from helpers import REFERENCE, Recipe, make_recipe, offset_array
from helpers_looped import looped
from helpers_tolerances import OPTIMIZER, assert_within, eps

from fastmlp.backends.protocol import Backend
from fastmlp.plan.layout import GRADIENT_NOISE_STREAM
from fastmlp.plan.records import default_groups, prefix_slots
from fastmlp.registry import OPTIMIZERS

SIZES = (1, 2, 15, 17, 64, 97, 1029)

FLAGS = {
    "sgd": [
        {"momentum": momentum, "nesterov": nesterov}
        for momentum, nesterov in product([0.0, 0.9], [0, 1])
    ],
    "adam": [{}, {"eps": 0.1, "betas": (0.5, 0.9)}],
    "adamw": [{}],
    "rmsprop": [{}, {"alpha": 0.8, "momentum": 0.9, "centered": True, "eps": 0.01}],
    "adagrad": [{}, {"lr_decay": 0.1, "initial_accumulator_value": 0.5}],
    "adadelta": [{"eps": 0.01}, {"rho": 0.5, "eps": 0.1}],
    "nadam": [{}, {"betas": (0.5, 0.9), "momentum_decay": 0.1}],
    "radam": [{"betas": (0.9, 0.9)}, {"betas": (0.5, 0.5), "eps": 0.1}],
    "lion": [{}, {"betas": (0.5, 0.75)}],
    "lamb": [{}, {"betas": (0.5, 0.9), "eps": 0.1}],
}
PENALTIES = [
    dict(zip(("l1", "l2", "weight_decay"), values, strict=True))
    for values in product([0.0, 0.3], repeat=3)
]
#: What happens to the gradient first; seeds and steps are those of the noise.
NOISE = {"gradient_noise": 0.2, "seed": 2**40 + 7}
SHAPINGS = [
    {"clip_value": 0.5},
    {"clip_norm": 0.3},
    {"clip_norm": 1e6},
    NOISE,
    {**NOISE, "gradient_noise_decay": 0.55, "step": 17},
    {"clip_value": 0.5, "clip_norm": 0.7, **NOISE},
]


def cases_of(name: str) -> Iterator[tuple[dict[str, float], int]]:
    """Yield flags of an optimiser and a size; any two of their parts meet somewhere.

    All flags meet all penalties at one size, and no and all penalties at every size; so do all
    shapings with the last flags. The same loop over a vector serves them all, so that its length
    need not meet each combination.
    """
    none, *_, all_three = PENALTIES
    for flags in FLAGS[name]:
        yield from (({**flags, **penalties}, 97) for penalties in PENALTIES)
        yield from (
            ({**flags, **p}, size) for p in (none, all_three) for size in SIZES if size != 97
        )
    for shaping in SHAPINGS:
        flags = {**FLAGS[name][-1], **shaping}
        yield flags | none, 97
        yield from ((flags | all_three, size) for size in SIZES)


def update(
    backend: Backend,
    recipe: Recipe,
    parameters: np.ndarray,
    moments: np.ndarray,
    gradients: list[np.ndarray],
    n_weights: int,
    weight_sum: float = 7.5,
) -> tuple[np.ndarray, np.ndarray]:
    """Return copies of the parameters (P,) and moments (M, P) after one update a gradient."""
    parameters, moments = offset_array(parameters), moments.copy()
    slots, groups = prefix_slots(n_weights, len(parameters)), default_groups()
    for record, gradient in zip(recipe.updates(len(gradients)), gradients, strict=True):
        backend.optimizer_update(
            recipe.settings, record, parameters, gradient.copy(), moments, slots, groups, weight_sum
        )
    return parameters, moments


def assert_as_reference(
    backend: Backend,
    recipe: Recipe,
    parameters: np.ndarray,
    moments: np.ndarray,
    gradients: list[np.ndarray],
    n_weights: int,
) -> None:
    actual = update(backend, recipe, parameters, moments, gradients, n_weights)
    wide_gradients = [gradient.astype(np.float64) for gradient in gradients]
    wide = parameters.astype(np.float64), moments.astype(np.float64), wide_gradients
    multiple = OPTIMIZER[recipe.rule.optimizer.name]
    for got, expected in zip(actual, update(REFERENCE, recipe, *wide, n_weights), strict=True):
        assert_within(got, expected, multiple * eps(parameters.dtype) * (np.abs(expected) + 1))


@pytest.mark.parametrize("name", OPTIMIZERS.names)
def test_flags(backend: Backend, dtype, name):
    @looped(("flags", "size"), cases_of(name))
    def check(flags, size):
        recipe = make_recipe(name, learning_rate=0.05, **flags)
        rng = np.random.default_rng(size)
        parameters = rng.normal(size=size).astype(dtype)
        gradients = [rng.normal(size=size).astype(dtype) for _ in range(3)]
        moments = np.zeros((OPTIMIZERS[name].n_moments, size), dtype)
        n_weights = (2 * size) // 3
        assert_as_reference(backend, recipe, parameters, moments, gradients, n_weights)

    check()


@pytest.mark.parametrize("name", OPTIMIZERS.names)
@looped("step", [0, 9, 10**6])
def test_step_is_what_adam_corrects_with(backend: Backend, dtype, name, step):
    recipe = make_recipe(name, learning_rate=0.05, step=step)
    rng = np.random.default_rng(1)
    parameters, gradient = rng.normal(size=(2, 33)).astype(dtype)
    moments = rng.uniform(0.5, 1, size=(OPTIMIZERS[name].n_moments, 33)).astype(dtype)
    assert_as_reference(backend, recipe, parameters, moments, [gradient], 20)


@pytest.mark.parametrize("n_weights", [0, 33])
def test_penalties_cover_the_prefix_only(backend: Backend, dtype, n_weights):
    parameters, gradient = np.ones(33, dtype), np.zeros(33, dtype)
    recipe = make_recipe("sgd", learning_rate=0.5, l2=1, l1=1, weight_decay=0.5)
    actual, _ = update(
        backend, recipe, parameters, np.zeros((1, 33), dtype), [gradient], n_weights, 4.0
    )
    # g = 1/4; w = (1 - 1/4) - 1/8 = 5/8; the proximal step takes another 1/8.
    np.testing.assert_array_equal(actual, np.full(33, 0.5 if n_weights else 1.0))


def test_sgd_by_hand(backend: Backend, dtype):
    recipe = make_recipe("sgd", learning_rate=0.25, momentum=0.5)
    start, zero = np.array([1, -1], dtype), np.zeros((1, 2), dtype)
    gradients = [np.array([2, -4], dtype), np.array([1, 0], dtype)]
    # v = -g/4 = (-0.5, 1); then v = v/2 - g/4 = (-0.5, 0.5).
    parameters, moments = update(backend, recipe, start, zero, gradients, 2)
    np.testing.assert_array_equal(moments, [[-0.5, 0.5]])
    np.testing.assert_array_equal(parameters, [0, 0.5])
    recipe = make_recipe("sgd", learning_rate=0.25, momentum=0.5, nesterov=True)
    # Looks ahead: w += v/2 - g/4 = (-0.75, 1.5), then (-0.5, 0.25).
    parameters, _ = update(backend, recipe, start, zero, gradients, 2)
    np.testing.assert_array_equal(parameters, [-0.25, 0.75])


@pytest.mark.parametrize("name", ["adam", "adamw"])
def test_adam_by_hand(backend: Backend, dtype, name):
    recipe = make_recipe(name, learning_rate=0.5, betas=(0.5, 0.75), eps=1.0)
    gradient = np.array([2, -6], dtype)
    parameters, moments = update(
        backend, recipe, np.zeros(2, dtype), np.zeros((2, 2), dtype), [gradient], 2
    )
    # m = g/2, v = g²/4, √v = |g|/2; the rate is 1/2 · √(1/4) / (1/2) = 1/2.
    np.testing.assert_array_equal(moments, [[1, -3], [1, 9]])
    np.testing.assert_allclose(parameters, [-0.25, 0.375], rtol=4 * eps(dtype))


def test_l1_stops_at_exactly_zero(backend: Backend, dtype):
    recipe = make_recipe("sgd", learning_rate=0.5, l1=1)
    start = np.array([0.25, -0.25, 0.75, -0.75, 0.5], dtype)
    zero = np.zeros(5, dtype)
    actual, _ = update(backend, recipe, start, np.zeros((1, 5), dtype), [zero], 5, 1.0)
    np.testing.assert_array_equal(actual, [0, 0, 0.25, -0.25, 0])


def shaped_gradient(
    backend: Backend, dtype: np.dtype, gradient: list[float], l2: float = 0, **shaping: float
) -> np.ndarray:
    """Return what descent at rate 1 takes off w = 1; the first half are weights."""
    n = len(gradient)
    recipe = make_recipe("sgd", learning_rate=1.0, l2=l2, **shaping)
    given = np.array(gradient, dtype)
    start = np.ones(n, dtype)
    after, _ = update(backend, recipe, start, np.zeros((1, n), dtype), [given], n // 2, 1.0)
    return start - after


def test_clipping_by_value(backend: Backend, dtype):
    actual = shaped_gradient(backend, dtype, [2, -0.25, 0.5, -8, np.inf, 0], clip_value=0.5)
    np.testing.assert_array_equal(actual, [0.5, -0.25, 0.5, -0.5, 0.5, 0])


def test_the_penalty_is_clipped_with_the_cost(backend: Backend, dtype):
    # g + l2 w of the weights is (-1, 3); biases have no penalty.
    actual = shaped_gradient(backend, dtype, [-2, 2, 0.25, 2], l2=1, clip_value=2)
    np.testing.assert_array_equal(actual, [-1, 2, 0.25, 2])
    actual = shaped_gradient(backend, dtype, [-1, 3, 0, 0], l2=1, clip_norm=1)
    np.testing.assert_allclose(actual, np.array([0, 4, 0, 0]) / (4 + 1e-6), rtol=4 * eps(dtype))


def test_clipping_by_norm_is_that_of_pytorch(backend: Backend, dtype):
    # As clip_grad_norm_ computes it: g · min(1, clip_norm / (‖g‖ + 1e-6)), with ‖g‖ = 5.
    for clip_norm, factor in [(2.5, 2.5 / (5 + 1e-6)), (5.0, 5 / (5 + 1e-6)), (5.1, 1.0)]:
        actual = shaped_gradient(backend, dtype, [3, 0, 0, -4], clip_norm=clip_norm)
        np.testing.assert_allclose(actual, factor * np.array([3, 0, 0, -4]), rtol=8 * eps(dtype))


def test_value_comes_before_norm_and_noise_after_both(backend: Backend, dtype):
    gradient = [30, 0, 0, -4]
    clipped = np.array([3, 0, 0, -3]) / (np.sqrt(18) + 1e-6)
    bounds = {"clip_value": 3, "clip_norm": 1}
    actual = shaped_gradient(backend, dtype, gradient, **bounds)
    np.testing.assert_allclose(actual, clipped, rtol=0, atol=8 * eps(dtype))
    noise = shaped_gradient(backend, dtype, [0, 0, 0, 0], gradient_noise=5, seed=3)
    assert np.abs(noise).max() > 3
    both = shaped_gradient(backend, dtype, gradient, gradient_noise=5, seed=3, **bounds)
    np.testing.assert_allclose(both, clipped + noise, rtol=0, atol=64 * eps(dtype))


def test_a_norm_beyond_the_types_range_still_clips(backend: Backend, dtype):
    large = 100 * float(np.finfo(np.float32).max) ** 0.5
    actual = shaped_gradient(backend, dtype, [3 * large, 0, 0, -4 * large], clip_norm=1)
    np.testing.assert_allclose(actual, [0.6, 0, 0, -0.8], rtol=8 * eps(dtype))


@pytest.mark.parametrize("poison", [np.nan, np.inf])
def test_a_norm_without_value_shows(backend: Backend, dtype, poison):
    actual = shaped_gradient(backend, dtype, [1, poison, 1, 1], clip_norm=1)
    assert np.isnan(actual[1])
    assert np.isnan(actual).all() == np.isnan(poison)


def test_noise_of_the_gradient_is_the_kernels(backend: Backend, dtype):
    """Entry p is row (p % 64) // 16 of column 16 (p // 64) + p % 16."""
    n, step = 1000, 6
    actual = shaped_gradient(
        backend, dtype, [0] * n, gradient_noise=0.5, gradient_noise_decay=1.2, seed=9, step=step
    )
    normals = np.empty((4, 16 * (n // 64 + 1)), dtype)
    backend.standard_normals(GRADIENT_NOISE_STREAM, 9, step, normals)
    p = np.arange(n)
    expected = 0.5 * 7 ** (-1.2 / 2) * normals[p % 64 // 16, 16 * (p // 64) + p % 16]
    np.testing.assert_allclose(actual, expected, rtol=0, atol=4 * eps(dtype))


@looped("name", OPTIMIZERS.names)
def test_nan_gradients_show(backend: Backend, dtype, name):
    gradient = np.zeros(19, dtype)
    gradient[[3, 18]] = np.nan
    expected = np.isnan(gradient)
    if OPTIMIZERS[name].has_trust_ratio:  # then a NaN is in the norm of its slot, here the first
        gradient[18] = 0
        expected = np.arange(19) < 10
    moments = np.zeros((OPTIMIZERS[name].n_moments, 19), dtype)
    recipe = make_recipe(name, l1=0.5)
    actual, _ = update(backend, recipe, np.ones(19, dtype), moments, [gradient], 10)
    np.testing.assert_array_equal(np.isnan(actual), expected)
