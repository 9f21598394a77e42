"""The three products of a dense layer, at sizes around the vector widths and beyond a block."""

from __future__ import annotations

import numpy as np
from helpers import offset_array, size_triples
from helpers_looped import looped
from helpers_tolerances import assert_within, dot_bound

from fastmlp.backends.protocol import Backend


def normal(rng: np.random.Generator, *shape: int, dtype: np.dtype) -> np.ndarray:
    return offset_array(rng.normal(size=shape).astype(dtype))


def wide(*arrays: np.ndarray) -> list[np.ndarray]:
    return [a.astype(np.float64) for a in arrays]


@looped(("n_rows", "fan_in", "fan_out"), size_triples())
def test_forward(backend: Backend, dtype, n_rows, fan_in, fan_out):
    rng = np.random.default_rng(n_rows)
    x = normal(rng, n_rows, fan_in, dtype=dtype)
    w = normal(rng, fan_in, fan_out, dtype=dtype)
    b = normal(rng, fan_out, dtype=dtype)
    out = np.full((n_rows, fan_out), np.nan, dtype)
    backend.dense_forward(x, w, b, out)
    x, w, b = wide(x, w, b)
    assert_within(out, x @ w + b, dot_bound(x, w, b, dtype))


@looped(("n_rows", "fan_in", "fan_out"), size_triples())
def test_backward_input(backend: Backend, dtype, n_rows, fan_in, fan_out):
    rng = np.random.default_rng(n_rows)
    dz = normal(rng, n_rows, fan_out, dtype=dtype)
    w = normal(rng, fan_in, fan_out, dtype=dtype)
    out = np.full((n_rows, fan_in), np.nan, dtype)
    backend.dense_backward_input(dz, w, out)
    dz, w = wide(dz, w)
    assert_within(out, dz @ w.T, dot_bound(dz, w.T, 0.0, dtype))


@looped(("n_rows", "fan_in", "fan_out"), size_triples())
def test_backward_weights(backend: Backend, dtype, n_rows, fan_in, fan_out):
    rng = np.random.default_rng(n_rows)
    x = normal(rng, n_rows, fan_in, dtype=dtype)
    dz = normal(rng, n_rows, fan_out, dtype=dtype)
    dw, db = np.full((fan_in, fan_out), np.nan, dtype), np.full(fan_out, np.nan, dtype)
    backend.dense_backward_weights(x, dz, dw, db)
    x, dz = wide(x, dz)
    ones = np.ones((n_rows, 1))
    assert_within(dw, x.T @ dz, dot_bound(x.T, dz, 0.0, dtype))
    assert_within(db, dz.sum(axis=0), dot_bound(ones.T, dz, 0.0, dtype)[0])


def test_products_by_hand(backend: Backend, dtype):
    x = np.array([[1, 2], [3, 4], [5, 6]], dtype)
    w = np.array([[1, 0], [0, -1]], dtype)
    b = np.array([10, 20], dtype)
    out, back = np.empty_like(x), np.empty_like(x)
    dw, db = np.empty_like(w), np.empty_like(b)
    backend.dense_forward(x, w, b, out)
    backend.dense_backward_input(x, w, back)
    backend.dense_backward_weights(x, out, dw, db)
    np.testing.assert_array_equal(out, [[11, 18], [13, 16], [15, 14]])
    np.testing.assert_array_equal(back, [[1, -2], [3, -4], [5, -6]])
    np.testing.assert_array_equal(dw, [[125, 136], [164, 184]])
    np.testing.assert_array_equal(db, [39, 48])


def test_nan_and_inf_stay_in_their_row(backend: Backend, dtype):
    x = np.ones((9, 5), dtype)
    x[2, 3], x[7, 0] = np.nan, np.inf
    w, b, out = np.ones((5, 4), dtype), np.zeros(4, dtype), np.empty((9, 4), dtype)
    backend.dense_forward(x, w, b, out)
    expected = np.full((9, 4), 5.0)
    expected[2], expected[7] = np.nan, np.inf
    np.testing.assert_array_equal(out, expected)
