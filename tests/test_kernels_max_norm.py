"""Max-norm: columns that are too long are scaled back, others keep every bit."""

from __future__ import annotations

import numpy as np
import pytest
from helpers import REFERENCE, offset_array, size_pairs
from helpers_looped import looped
from helpers_tolerances import assert_within, eps

from fastmlp.backends.protocol import Backend


def limited(backend: Backend, w: np.ndarray, max_norm: float) -> np.ndarray:
    out = offset_array(w)
    backend.limit_norms(out, max_norm)
    return out


def test_by_hand(backend: Backend, dtype):
    w = np.array([[3, 3, 0, 0.5], [4, -4, 0, 0]], dtype)
    expected = [[1.5, 1.5, 0, 0.5], [2, -2, 0, 0]]
    np.testing.assert_allclose(limited(backend, w, 2.5), expected, rtol=2 * eps(dtype))
    np.testing.assert_array_equal(limited(backend, w, 5.0), w)


@looped("shape", [*size_pairs(), (1029, 70), (9, 600)])
def test_every_backend(backend: Backend, dtype, shape):
    w = np.random.default_rng(shape[0]).normal(size=shape).astype(dtype)
    w[:, -1] *= 3  # so that the last column is among those to limit, where there are others
    max_norm = float(np.median(np.linalg.norm(w.astype(np.float64), axis=0))) * 1.001
    expected = limited(REFERENCE, w.astype(np.float64), max_norm)
    actual = limited(backend, w, max_norm)
    assert_within(actual, expected, (4 + shape[0] / 4) * eps(dtype) * np.abs(expected))
    kept = np.linalg.norm(w.astype(np.float64), axis=0) < max_norm
    assert kept.any()
    np.testing.assert_array_equal(actual[:, kept], w[:, kept])


@pytest.mark.parametrize("size", [1e20, 1e-25])
def test_no_square_leaves_the_range(backend: Backend, size):
    w = np.full((4, 21), size, np.float32)
    np.testing.assert_allclose(limited(backend, w, size), size / 2, rtol=1e-6)
    np.testing.assert_array_equal(limited(backend, w, 2.1 * size), w)


def test_nan_and_inf_show_and_other_columns_are_limited(backend: Backend, dtype):
    w = np.ones((5, 37), dtype)
    w[2, 3], w[2, 30] = np.nan, np.inf
    actual = limited(backend, w, 1.0)
    assert np.isnan(actual[2, [3, 30]]).all()
    others = np.delete(actual, [3, 30], axis=1)
    np.testing.assert_allclose(others, 5**-0.5, rtol=4 * eps(dtype))
