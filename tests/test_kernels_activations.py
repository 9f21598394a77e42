"""Every activation of the registry: values, derivatives, extremes."""

from __future__ import annotations

import numpy as np
import pytest
from helpers import REFERENCE, offset_array, size_pairs
from helpers_tolerances import ACTIVATION, DERIVATIVE, assert_within, eps, relative_bound

from fastmlp.backends.protocol import Backend
from fastmlp.registry import ACTIVATIONS, Activation

every_activation = pytest.mark.parametrize("activation", ACTIVATIONS, ids=ACTIVATIONS.names)


def run(backend: Backend, activation: Activation, z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    h, dh_dz = np.full_like(z, np.nan), np.full_like(z, np.nan)
    backend.activate(activation.code, z, h, dh_dz)
    return h, dh_dz


def assert_as_reference(backend: Backend, activation: Activation, z: np.ndarray) -> None:
    h, dh_dz = run(backend, activation, z)
    expected_h, expected_dh_dz = run(REFERENCE, activation, z.astype(np.float64))
    bound = relative_bound(ACTIVATION[activation.name], expected_h, z.dtype)
    assert_within(h, expected_h, bound)
    assert_within(dh_dz, expected_dh_dz, DERIVATIVE[activation.name] * eps(z.dtype))


@every_activation
@pytest.mark.parametrize("shape", size_pairs())
def test_awkward_sizes(backend: Backend, dtype, activation, shape):
    z = np.random.default_rng(0).normal(scale=3, size=shape)
    assert_as_reference(backend, activation, offset_array(z.astype(dtype)))


@every_activation
def test_whole_range(backend: Backend, dtype, activation):
    sizes = np.logspace(-30, 4, 2000)
    z = np.concatenate([-sizes[::-1], [0.0], sizes, np.linspace(-100, 100, 3001)])
    assert_as_reference(backend, activation, z.astype(dtype)[np.newaxis])


@every_activation
def test_extremes(backend: Backend, dtype, activation):
    largest = np.finfo(dtype).max
    z = np.array([[-np.inf, -largest, -1e4, -0.0, 0.0, 1e4, largest, np.inf]], dtype)
    assert_as_reference(backend, activation, z)


@every_activation
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


@pytest.mark.parametrize(
    ("name", "z", "h", "dh_dz"),
    [
        ("identity", [-2, 0, 3], [-2, 0, 3], [1, 1, 1]),
        ("logistic", [-np.log(3), 0, np.log(3)], [1 / 4, 1 / 2, 3 / 4], [3 / 16, 1 / 4, 3 / 16]),
        ("tanh", [-np.log(2), 0, np.log(2)], [-3 / 5, 0, 3 / 5], [16 / 25, 1, 16 / 25]),
        ("relu", [-2, 0, 3], [0, 0, 3], [0, 0, 1]),
    ],
)
def test_by_hand(backend: Backend, dtype, name, z, h, dh_dz):
    actual = run(backend, ACTIVATIONS[name], np.array([z], dtype))
    np.testing.assert_allclose(actual, [[h], [dh_dz]], rtol=4 * eps(dtype))
