"""Every activation of the registry: values, derivatives, extremes."""

from __future__ import annotations

import numpy as np
import pytest
from helpers import REFERENCE, offset_array, size_pairs
from helpers_looped import looped
from helpers_tolerances import DERIVATIVE, activation_multiple, assert_within, eps, relative_bound

from fastmlp.backends.protocol import Backend
from fastmlp.registry import ACTIVATIONS, Activation

#: At −1, 0 and 1: Φ(z) + z φ(z), and the same with the logistic curve in Φ's place.
GELU_SLOPES = [-0.083315470587686298, 1 / 2, 1.083315470587686298]
TANH_SLOPES = [-0.082964083845782555, 1 / 2, 1.082964083845782555]
SIXTHS = [1 / 6, 1 / 6]

every_activation = pytest.mark.parametrize("activation", ACTIVATIONS, ids=ACTIVATIONS.names)


def run(backend: Backend, activation: Activation, z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    h, dh_dz = np.full_like(z, np.nan), np.full_like(z, np.nan)
    backend.activate(activation.code, z, h, dh_dz)
    return h, dh_dz


def assert_as_reference(backend: Backend, activation: Activation, z: np.ndarray) -> None:
    h, dh_dz = run(backend, activation, z)
    expected_h, expected_dh_dz = run(REFERENCE, activation, z.astype(np.float64))
    beyond = np.abs(expected_h) > np.finfo(z.dtype).max
    expected_h[beyond] = np.copysign(np.inf, expected_h[beyond])
    bound = relative_bound(activation_multiple(activation.name, z), expected_h, z.dtype)
    assert_within(h, expected_h, bound)
    assert_within(dh_dz, expected_dh_dz, DERIVATIVE[activation.name] * eps(z.dtype))


@every_activation
@looped("shape", size_pairs())
def test_awkward_sizes(backend: Backend, dtype, activation, shape):
    z = np.random.default_rng(0).normal(scale=3, size=shape)
    assert_as_reference(backend, activation, offset_array(z.astype(dtype)))


@every_activation
def test_whole_range(backend: Backend, dtype, activation):
    sizes = np.logspace(-30, 4, 2000)
    z = np.concatenate([-sizes[::-1], [0.0], sizes, np.linspace(-100, 100, 3001)])
    assert_as_reference(backend, activation, z.astype(dtype)[np.newaxis])


@looped("activation", ACTIVATIONS)
def test_extremes(backend: Backend, dtype, activation):
    largest = np.finfo(dtype).max
    z = np.array([[-np.inf, -largest, -1e4, -0.0, 0.0, 1e4, largest, np.inf]], dtype)
    assert_as_reference(backend, activation, z)


@looped("activation", ACTIVATIONS)
def test_nan_stays_nan(backend: Backend, dtype, activation):
    z = np.zeros((3, 17), dtype)
    z[0, 16], z[1, 4], z[2, :] = np.nan, np.nan, np.nan
    h, _ = run(backend, activation, z)
    np.testing.assert_array_equal(np.isnan(h), np.isnan(z))


@every_activation
def test_derivative_is_the_slope(backend: Backend, activation):
    # An even number of points: none is 0, where relu has no slope.
    z, step = np.linspace(-6, 6, 200)[np.newaxis], 1e-5
    above, _ = run(backend, activation, z + step)
    below, _ = run(backend, activation, z - step)
    _, dh_dz = run(backend, activation, z)
    np.testing.assert_allclose(dh_dz, (above - below) / (2 * step), rtol=0, atol=1e-9)


@looped(
    ("name", "z", "h", "dh_dz"),
    [
        ("identity", [-2, 0, 3], [-2, 0, 3], [1, 1, 1]),
        ("logistic", [-np.log(3), 0, np.log(3)], [1 / 4, 1 / 2, 3 / 4], [3 / 16, 1 / 4, 3 / 16]),
        ("tanh", [-np.log(2), 0, np.log(2)], [-3 / 5, 0, 3 / 5], [16 / 25, 1, 16 / 25]),
        ("relu", [-2, 0, 3], [0, 0, 3], [0, 0, 1]),
        ("leaky_relu", [-2, 0, 3], [-0.02, 0, 3], [0.01, 0.01, 1]),
        ("elu", [-np.log(2), 0, 3], [-1 / 2, 0, 3], [1 / 2, 1, 1]),
        ("selu", [0, 2], [0, 2.1014019747109610], [1.7580993408473769, 1.0507009873554805]),
        ("softplus", [-np.log(3), np.log(3)], np.log([4 / 3, 4]), [1 / 4, 3 / 4]),
        # Φ(1) = 0.841344746068542949, φ(1) = 0.241970724519143349
        ("gelu", [-1, 0, 1], [-0.158655253931457051, 0, 0.841344746068542949], GELU_SLOPES),
        # logistic(±1.66712393787…)
        ("gelu_tanh", [-1, 0, 1], [-0.158808009391723295, 0, 0.841191990608276705], TANH_SLOPES),
        ("silu", [-np.log(3), 0], [-np.log(3) / 4, 0], [1 / 4 - 3 / 16 * np.log(3), 1 / 2]),
        ("mish", [0, np.log(2)], [0, 0.8 * np.log(2)], [0.6, 0.8 + 0.24 * np.log(2)]),
        ("hard_sigmoid", [-4, -3, 0, 1.5, 3, 4], [0, 0, 0.5, 0.75, 1, 1], [0, 0, *SIXTHS, 0, 0]),
        ("hard_swish", [-4, -3, -1.5, 0, 3, 4], [0, 0, -0.375, 0, 3, 4], [0, 0, 0, 0.5, 1, 1]),
        ("softsign", [-1, 0, 3], [-1 / 2, 0, 3 / 4], [1 / 4, 1, 1 / 16]),
    ],
)
def test_by_hand(backend: Backend, dtype, name, z, h, dh_dz):
    actual = run(backend, ACTIVATIONS[name], np.array([z], dtype))
    np.testing.assert_allclose(actual, [[h], [dh_dz]], rtol=4 * eps(dtype))
