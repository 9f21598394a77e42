"""Normal noise: the same numbers in every backend, and normally distributed."""

from __future__ import annotations

import numpy as np
import pytest
from helpers import REFERENCE, size_pairs
from helpers_looped import looped
from helpers_tolerances import NORMALS, assert_within, eps
from scipy import stats

from fastmlp.backends.protocol import Backend
from fastmlp.plan.layout import GRADIENT_NOISE_STREAM, INPUT_NOISE_STREAM

#: √(−2 ln 2⁻²⁴): nothing is farther out.
FARTHEST = np.sqrt(48 * np.log(2))


def normals(
    backend: Backend, shape: tuple[int, int], dtype, stream=INPUT_NOISE_STREAM, seed=3, step=5
) -> np.ndarray:
    out = np.full(shape, np.nan, dtype)
    backend.standard_normals(stream, seed, step, out)
    return out


def assert_as_reference(backend: Backend, shape: tuple[int, int], dtype, **place: int) -> None:
    expected = normals(REFERENCE, shape, np.float64, **place)
    actual = normals(backend, shape, dtype, **place)
    assert_within(actual, expected, NORMALS * eps(dtype) * (1 + np.abs(expected)))


def test_rows_take_the_points_of_the_known_answer(backend: Backend, dtype):
    # Philox's published words for counter 0 and key 0; see test_kernels_dropout.py.
    words = np.array([0x5F6FB709, 0x0D893F64, 0x4F121F81, 0x4F730A48]) >> 8
    radius = np.sqrt(-2 * np.log((words[::2] + 1) / 2**24))
    angle = 2 * np.pi * words[1::2] / 2**24
    x, y = radius * np.cos(angle), radius * np.sin(angle)
    actual = normals(backend, (4, 1), dtype, stream=0, seed=0, step=0)
    np.testing.assert_allclose(actual[:, 0], [x[0], y[0], x[1], y[1]], rtol=NORMALS * eps(dtype))


@looped("shape", size_pairs())
def test_same_numbers_in_every_backend(backend: Backend, dtype, shape):
    assert_as_reference(backend, shape, dtype)


def test_same_numbers_in_the_tails_and_at_every_angle(backend: Backend, dtype):
    assert_as_reference(backend, (4000, 250), dtype)


@looped(
    "place",
    [
        {"stream": GRADIENT_NOISE_STREAM},
        {"seed": 2**64 - 1},
        {"seed": 2**32},
        {"step": 2**32 - 1},
        {"step": 2**32 + 5},
    ],
)
def test_same_numbers_for_every_place_of_the_counter(backend: Backend, dtype, place):
    assert_as_reference(backend, (33, 40), dtype, **place)


@pytest.mark.parametrize(
    "change",
    [{"stream": GRADIENT_NOISE_STREAM}, {"seed": 4}, {"seed": 3 + 2**32}, {"step": 6}],
    ids=str,
)
def test_another_place_gives_independent_numbers(backend: Backend, change):
    plain = normals(backend, (100, 100), np.float64)
    changed = normals(backend, (100, 100), np.float64, **change)
    assert abs(np.corrcoef(plain.ravel(), changed.ravel())[0, 1]) < 4 / 100


def test_streams_are_no_layer_of_dropout():
    assert min(INPUT_NOISE_STREAM, GRADIENT_NOISE_STREAM) >= 2**31
    assert INPUT_NOISE_STREAM != GRADIENT_NOISE_STREAM


@pytest.fixture(scope="module")
def million() -> np.ndarray:
    """A million numbers of the reference, whose like the other backends give."""
    return normals(REFERENCE, (1000, 1000), np.float64, seed=11)


def test_moments(million):
    n = million.size
    # Deviations of mean, variance, skewness and kurtosis of n normal numbers.
    assert abs(million.mean()) < 4 / np.sqrt(n)
    assert abs(million.var() - 1) < 4 * np.sqrt(2 / n)
    assert abs(stats.skew(million.ravel())) < 4 * np.sqrt(6 / n)
    assert abs(stats.kurtosis(million.ravel())) < 4 * np.sqrt(24 / n)


def test_distribution(million):
    for row in range(4):  # cosines and sines of the two points each by themselves
        assert stats.kstest(million[row::4].ravel(), "norm").pvalue > 1e-3


@pytest.mark.parametrize("beyond", [2.0, 3.0, 4.0])
def test_tails(million, beyond):
    expected = 2 * stats.norm.sf(beyond) * million.size
    assert abs(np.sum(np.abs(million) > beyond) - expected) < 4 * np.sqrt(expected)


def test_neighbours_are_independent(million):
    bound = 4 / np.sqrt(million.size)
    for one, other in [
        (million[:-1], million[1:]),
        (million[:, :-1], million[:, 1:]),
        (million[::2] ** 2, million[1::2] ** 2),  # the two coordinates of a point
    ]:
        assert abs(np.corrcoef(one.ravel(), other.ravel())[0, 1]) < 2 * bound


def test_nothing_is_farther_out_than_stated(million):
    assert 4.5 < np.abs(million).max() <= FARTHEST
    assert 1.2e8 < 1 / (2 * stats.norm.sf(FARTHEST)) < 1.3e8
