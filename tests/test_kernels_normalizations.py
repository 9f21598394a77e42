"""Every normalisation of the registry: values, gradients, extremes, sizes around the vectors'."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pytest
from helpers import REFERENCE, offset_array
from helpers_looped import looped
from helpers_tolerances import NORMALIZATION, NORMALIZATION_GRADIENT, assert_within, eps

from fastmlp.backends.protocol import Backend
from fastmlp.registry import NORMALIZATIONS

EPSILON = 1e-5

#: (rows, units, groups of a row): groups below, at and beyond the widths of vectors.
SHAPES = [
    (2, 2, 1), (3, 7, 1), (5, 16, 8), (7, 15, 5), (16, 31, 1), (17, 32, 2), (8, 33, 11),
    (31, 63, 7), (9, 64, 4), (33, 65, 13), (64, 97, 1), (65, 130, 2), (200, 6, 3), (4, 1030, 5),
]  # fmt: skip

NAMES = [name for name in NORMALIZATIONS.names if name != "none"]
ROW_WISE = [name for name in NAMES if name != "batch"]

every_normalization = pytest.mark.parametrize("name", NAMES)


class Forward(NamedTuple):
    normalized: np.ndarray
    mean: np.ndarray
    scale: np.ndarray
    y: np.ndarray


class Backward(NamedTuple):
    dz: np.ndarray
    dgain: np.ndarray
    dshift: np.ndarray


def groups_for(name: str, n_groups: int) -> int:
    return {"batch": 0, "layer": 1}.get(name, n_groups)


def forward(backend, name, n_groups, z, weight, gain, shift) -> Forward:
    shape = z.shape[1:] if name == "batch" else (len(z), n_groups)
    out = [np.full(s, np.nan, z.dtype) for s in (z.shape, shape, shape, z.shape)]
    code = NORMALIZATIONS[name].code
    backend.normalize_forward(code, n_groups, z, weight, gain, shift, *out)
    return Forward(*out)


def backward(backend, name, n_groups, dy, weight, gain, normalized, scale) -> Backward:
    out = [np.full(s, np.nan, dy.dtype) for s in (dy.shape, gain.shape, gain.shape)]
    code = NORMALIZATIONS[name].code
    backend.normalize_backward(code, n_groups, dy, weight, gain, normalized, scale, *out)
    return Backward(*out)


class Case(NamedTuple):
    """Arguments of both kernels, in order."""

    n_groups: int
    z: np.ndarray
    weight: np.ndarray | None
    gain: np.ndarray
    shift: np.ndarray
    dy: np.ndarray

    def as_float64(self) -> Case:
        wide = (None if part is None else np.asarray(part, np.float64) for part in self[1:])
        return Case(self.n_groups, *wide)


def make_case(name, shape, dtype, weighted=False) -> Case:
    rng = np.random.default_rng(7)
    n_rows, width, n_groups = shape
    parts = [
        rng.normal(0.5, 1.5, (n_rows, width)),
        rng.uniform(0.2, 3, n_rows) if weighted else None,
        rng.normal(1, 0.5, width),
        rng.normal(size=width),
        rng.normal(size=(n_rows, width)),
    ]
    return Case(
        groups_for(name, n_groups),
        *(None if part is None else offset_array(part.astype(dtype)) for part in parts),
    )


def run(backend: Backend, name: str, case: Case) -> tuple[Forward, Backward]:
    n_groups, z, weight, gain, shift, dy = case
    there = forward(backend, name, n_groups, z, weight, gain, shift)
    back = backward(backend, name, n_groups, dy, weight, gain, there.normalized, there.scale)
    return there, back


def assert_forward_as_reference(backend: Backend, name: str, case: Case) -> Forward:
    """Return the reference's result as well."""
    dtype, width = case.z.dtype, case.z.shape[1]
    there, exact = run(backend, name, case)[0], run(REFERENCE, name, case.as_float64())[0]
    count = len(case.z) if name == "batch" else width // case.n_groups
    # Rounding of z and of its mean counts in units of the standard deviation.
    scale = exact.scale if name == "batch" else exact.scale.repeat(count, axis=1)
    blur = NORMALIZATION[name] * eps(dtype) * np.sqrt(count)
    unit = blur * (np.abs(exact.normalized) + 1) * (1 + np.abs(case.z).max() * scale)
    assert_within(there.normalized, exact.normalized, unit)
    assert_within(there.y, exact.y, unit * np.abs(case.gain) + eps(dtype) * np.abs(case.shift))
    assert_within(there.mean, exact.mean, blur * np.abs(case.z).max())
    assert_within(
        there.scale, exact.scale, blur * exact.scale * (1 + np.abs(case.z).max() * exact.scale)
    )
    return exact


def assert_as_reference(backend: Backend, name: str, case: Case) -> None:
    dtype = case.z.dtype
    exact = assert_forward_as_reference(backend, name, case)
    n_groups, z, weight, gain, _, dy = case
    kept = exact.normalized.astype(dtype), exact.scale.astype(dtype)
    wide = case.as_float64()
    back = backward(backend, name, n_groups, dy, weight, gain, *kept)
    exact_back = backward(
        REFERENCE, name, n_groups, wide.dy, wide.weight, wide.gain,
        *(part.astype(np.float64) for part in kept),
    )  # fmt: skip
    # Terms of this size cancel in ∂L/∂z, all of them where a mean is over two values.
    largest = np.abs(exact.normalized).max() * np.abs(dy).max()
    sizes = (np.abs(gain).max() * exact.scale.max() * largest, largest, largest)
    for actual, expected, size in zip(back, exact_back, sizes, strict=True):
        n_terms = max(z.shape) if expected.ndim == 2 else len(z)
        slack = NORMALIZATION_GRADIENT[name] * eps(dtype) * np.sqrt(n_terms)
        assert_within(actual, expected, slack * size)


@every_normalization
@looped("shape", SHAPES)
def test_sizes(backend: Backend, dtype, name, shape):
    assert_as_reference(backend, name, make_case(name, shape, dtype))


@looped("shape", SHAPES)
def test_weights_of_a_batch(backend: Backend, dtype, shape):
    assert_as_reference(backend, "batch", make_case("batch", shape, dtype, weighted=True))


def test_a_weight_counts_as_repetitions(backend: Backend):
    case = make_case("batch", (4, 5, 1), np.float64)
    times = np.array([1, 3, 0, 2])
    weighted = forward(backend, "batch", 0, case.z, times.astype(float), case.gain, case.shift)
    repeated = case.z.repeat(times, axis=0)
    expected = forward(backend, "batch", 0, repeated, None, case.gain, case.shift)
    np.testing.assert_allclose(weighted.mean, expected.mean, rtol=1e-13)
    np.testing.assert_allclose(weighted.scale, expected.scale, rtol=1e-13)
    np.testing.assert_allclose(weighted.y.repeat(times, axis=0), expected.y, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("name", ROW_WISE)
def test_rows_are_independent(backend: Backend, dtype, name):
    case = make_case(name, (5, 12, 3), dtype)
    n_groups, z, weight, gain, shift, _ = case
    together = forward(backend, name, n_groups, z, weight, gain, shift)
    alone = forward(backend, name, n_groups, z[3:4].copy(), weight, gain, shift)
    np.testing.assert_array_equal(alone.y[0], together.y[3])


@every_normalization
def test_by_hand(backend: Backend, dtype, name):
    # 1 and 3: mean 2, variance 1; 2 and 8: mean 5, variance 9.
    z = np.array([[1, 3], [2, 8]], dtype)
    z = np.ascontiguousarray(z.T) if name == "batch" else z
    gain, shift = np.array([2, 3], dtype), np.array([10, 20], dtype)
    there = forward(backend, name, groups_for(name, 1), z, None, gain, shift)
    ones = np.array([[-1, 1], [-1, 1]]) / np.sqrt([[1 + EPSILON], [9 + EPSILON]]) * [[1], [3]]
    normalized = ones.T if name == "batch" else ones
    np.testing.assert_allclose(there.normalized, normalized, rtol=4 * eps(dtype))
    np.testing.assert_allclose(there.y, gain * normalized + shift, rtol=4 * eps(dtype))
    np.testing.assert_allclose(there.mean.ravel(), [2, 5], rtol=4 * eps(dtype))
    expected = 1 / np.sqrt([1 + EPSILON, 9 + EPSILON])
    np.testing.assert_allclose(there.scale.ravel(), expected, rtol=4 * eps(dtype))


@every_normalization
def test_gradient_is_the_slope(backend: Backend, name):
    case = make_case(name, (4, 6, 2), np.float64, weighted=name == "batch")
    n_groups, z, weight, gain, shift, dy = case

    def loss(z, gain, shift):
        return float((dy * forward(backend, name, n_groups, z, weight, gain, shift).y).sum())

    def slopes(which):
        arguments = [z, gain, shift]
        out = np.empty(arguments[which].size)
        for index in range(out.size):
            sides = []
            for step in (1e-6, -1e-6):
                moved = [argument.copy() for argument in arguments]
                moved[which].flat[index] += step
                sides.append(loss(*moved))
            out[index] = (sides[0] - sides[1]) / 2e-6
        return out.reshape(arguments[which].shape)

    _, back = run(backend, name, case)
    for which, gradient in enumerate(back):
        np.testing.assert_allclose(gradient, slopes(which), rtol=1e-6, atol=1e-8)


@every_normalization
def test_equal_values_become_the_shift(backend: Backend, dtype, name):
    z = np.full((6, 8), 3, dtype)
    gain, shift = np.full(8, 2, dtype), np.arange(8).astype(dtype)
    there = forward(backend, name, groups_for(name, 2), z, None, gain, shift)
    # The mean of 3 is 3 to rounding, which the scale magnifies.
    atol = 4 * eps(dtype) * 3 * 2 * EPSILON**-0.5
    np.testing.assert_allclose(there.y, np.tile(shift, (6, 1)), rtol=0, atol=atol)
    np.testing.assert_allclose(there.scale, EPSILON**-0.5, rtol=4 * eps(dtype))


@every_normalization
def test_a_large_mean_leaves_the_variance(backend: Backend, dtype, name):
    """E[z²] − E[z]² would lose all digits here."""
    offset = 0.05 / eps(dtype)
    case = make_case(name, (8, 16, 2), dtype)
    z = (np.round(case.z * 8) + offset).astype(dtype)
    exact = forward(
        REFERENCE, name, case.n_groups, z.astype(np.float64), None, case.gain, case.shift
    )
    there = forward(backend, name, case.n_groups, z, None, case.gain, case.shift)
    np.testing.assert_allclose(there.scale, exact.scale, rtol=0.02)


@looped("name", NAMES)
@looped("poison", [np.nan, np.inf])
def test_poison_stays_visible(backend: Backend, dtype, name, poison):
    case = make_case(name, (4, 8, 2), dtype)
    case.z[2, 5] = poison
    there, _ = run(backend, name, case)
    affected = np.zeros((4, 8), bool)
    region = {"batch": np.s_[:, 5], "layer": np.s_[2, :]}.get(name, np.s_[2, 4:])
    affected[region] = True
    np.testing.assert_array_equal(np.isfinite(there.y), ~affected)


@every_normalization
def test_arguments_are_left_as_they_were(backend: Backend, name):
    case = make_case(name, (4, 8, 2), np.float64, weighted=name == "batch")
    frozen = Case(case.n_groups, *(None if a is None else a.copy() for a in case[1:]))
    for array in frozen[1:]:
        if array is not None:
            array.flags.writeable = False
    expected = run(backend, name, case)
    for actual, wanted in zip(run(backend, name, frozen), expected, strict=True):
        for a, b in zip(actual, wanted, strict=True):
            np.testing.assert_array_equal(a, b)
