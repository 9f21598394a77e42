"""Prediction: any rows, any number of them, with and without the link."""

from __future__ import annotations

import numpy as np
import pytest
from helpers import REFERENCE, make_problem, predict
from helpers_looped import looped
from helpers_tolerances import eps

from fastmlp.backends.protocol import Backend
from fastmlp.registry import LOSSES

SHAPES = [(1, 1), (3, 2), (1, 300, 2), (13, 37, 53, 3), (65, 129, 10), (5, 300, 1)]


@looped("layer_sizes", SHAPES)
@looped("n_rows", [1, 7, 65])
@looped("parametric", [False, True])
def test_predict(backend: Backend, dtype, layer_sizes, n_rows, parametric):
    settings = {"dtype": dtype, "n_rows": n_rows, "parametric": parametric}
    problem = make_problem(layer_sizes, "relu", "squared_error", **settings)
    expected = predict(REFERENCE, problem.as_float64())
    tolerance = 40 * eps(dtype)
    np.testing.assert_allclose(predict(backend, problem), expected, rtol=0, atol=tolerance)


@pytest.mark.parametrize("loss", LOSSES.names)
@looped("apply_link", [False, True])
def test_link(backend: Backend, dtype, loss, apply_link):
    problem = make_problem(loss=loss, dtype=dtype)
    expected = predict(REFERENCE, problem.as_float64(), apply_link=apply_link)
    actual = predict(backend, problem, apply_link=apply_link)
    np.testing.assert_allclose(actual, expected, rtol=0, atol=40 * eps(dtype))


def test_rows(backend: Backend, dtype):
    problem = make_problem(dtype=dtype, n_rows=40)
    rows = np.array([3, 39, 0, 3, 17])
    everything = predict(backend, problem)
    # Another number of rows may be summed in another order.
    chosen = predict(backend, problem, rows)
    np.testing.assert_allclose(chosen, everything[rows], rtol=0, atol=8 * eps(dtype))


def test_no_rows(backend: Backend, dtype):
    problem = make_problem(dtype=dtype)
    assert predict(backend, problem, np.array([], np.int64)).shape == (0, 3)


def test_dropout_is_for_training(backend: Backend, dtype):
    plain = make_problem(dtype=dtype)
    dropped = make_problem(dtype=dtype, dropouts=(0.5, 0.5, 0.5))
    np.testing.assert_array_equal(predict(backend, dropped), predict(backend, plain))


def test_more_rows_than_a_chunk(backend: Backend):
    problem = make_problem((3, 4, 2), dtype=np.float64, n_rows=9001)
    expected = predict(REFERENCE, problem)
    tail = predict(REFERENCE, problem, np.arange(8990, 9001))
    np.testing.assert_allclose(expected[8990:], tail, rtol=1e-13)
    np.testing.assert_allclose(predict(backend, problem), expected, rtol=0, atol=1e-14)
    rows = np.random.default_rng(0).permutation(9001)
    chosen = predict(backend, problem, rows)
    np.testing.assert_allclose(chosen, expected[rows], rtol=0, atol=1e-14)


#: Outputs with whole vectors, with few columns beyond them, and with few columns only.
ALONE = [(64, 100, 10), (13, 37, 53, 3), (20, 1), (7, 2), (16, 33, 35, 4), (40, 9)]


@pytest.mark.parametrize("layer_sizes", ALONE, ids=str)
@looped("n_rows", [70, 150, 199])
def test_a_row_alone_has_the_bits_of_the_row_in_a_batch(
    compiled_backend, dtype, layer_sizes, n_rows
):
    problem = make_problem(layer_sizes, "tanh", dtype=dtype, n_rows=n_rows)
    everything = predict(compiled_backend, problem)
    shared = predict(compiled_backend, problem, n_threads=3)
    np.testing.assert_array_equal(shared, everything)
    for row in (0, 1, 33, 69, n_rows - 1):
        alone = predict(compiled_backend, problem, np.array([row]))
        np.testing.assert_array_equal(alone[0], everything[row])
