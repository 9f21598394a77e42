"""First values: distributions, formulas, and independence of the real type."""

from __future__ import annotations

from itertools import chain

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import stats

from fastmlp.initializers import INITIALIZERS, initialize
from fastmlp.parameters import bias_views, weight_views
from fastmlp.plan import make_plan

SIZES = [300, 200, 50]


def drawn(init, seed=0, dtype=np.float64, sizes=SIZES, **options):
    """Return (weights, biases) of a network of ``sizes``."""
    plan = make_plan(sizes, ["relu"] * (len(sizes) - 2), "squared_error")
    vector = np.full(plan.n_parameters, np.nan, dtype)
    initialize(plan, vector, init, np.random.RandomState(seed), **options)
    return weight_views(plan, vector), bias_views(plan, vector)


def glorot(fan_in, fan_out):
    return np.sqrt(2 / (fan_in + fan_out))


def kaiming(fan_in, fan_out):
    return np.sqrt(2 / fan_in)


@pytest.mark.parametrize("init", INITIALIZERS)
def test_every_parameter_is_set_and_reproducible(init):
    first, again = ([*chain(*drawn(init, seed=0))] for _ in range(2))
    for values, same in zip(first, again, strict=True):
        assert np.isfinite(values).all()
        assert_array_equal(values, same)


@pytest.mark.parametrize("init", [name for name in INITIALIZERS if name != "zeros"])
def test_seeds_differ(init):
    for values, others in zip(drawn(init, seed=0)[0], drawn(init, seed=1)[0], strict=True):
        assert (values != others).all()


@pytest.mark.parametrize(
    ("init", "std", "shape"),
    [
        ("glorot_uniform", glorot, "uniform"),
        ("glorot_normal", glorot, "norm"),
        ("kaiming_uniform", kaiming, "uniform"),
        ("kaiming_normal", kaiming, "norm"),
        ("normal", lambda *fans: 0.01, "norm"),
        ("auto", glorot, "uniform"),
    ],
)
def test_distribution(init, std, shape):
    for weights in drawn(init)[0]:
        expected = std(*weights.shape)
        # The standard error of a standard deviation of n values is below std/√(2n).
        assert_allclose(weights.std(), expected, rtol=5 / np.sqrt(2 * weights.size))
        assert abs(weights.mean()) < 5 * expected / np.sqrt(weights.size)
        low, width = -expected * np.sqrt(3), 2 * expected * np.sqrt(3)
        arguments = (low, width) if shape == "uniform" else (0, expected)
        assert stats.kstest(weights.ravel(), shape, arguments).pvalue > 1e-4


@pytest.mark.parametrize("init", [name for name in INITIALIZERS if name != "auto"])
def test_biases_start_at_zero(init):
    assert all((biases == 0).all() for biases in drawn(init)[1])


def test_auto_draws_biases_too():
    for weights, biases in zip(*drawn("auto"), strict=True):
        bound = np.sqrt(6 / sum(weights.shape))
        assert 0.5 * bound < np.abs(biases).max() <= bound


def test_auto_is_narrower_for_logistic_units():
    wide, narrow = (drawn("auto", activation=name)[0] for name in ("tanh", "logistic"))
    for weights, others in zip(wide, narrow, strict=True):
        assert_allclose(weights, np.sqrt(3) * others)


def test_std_of_normal():
    near, far = (drawn("normal", std=std)[0] for std in (0.01, 1.0))
    assert_allclose(100 * near[0], far[0])


def test_three_sigma_rule():
    weights = drawn("normal", std=0.01)[0][0]
    share = (np.abs(weights) < 0.03).mean()
    assert share == pytest.approx(0.9973, abs=0.002)


@pytest.mark.parametrize("init", INITIALIZERS)
def test_real_types_start_from_the_same_point(init):
    for wide, narrow in zip(drawn(init)[0], drawn(init, dtype=np.float32)[0], strict=True):
        assert_array_equal(wide.astype(np.float32), narrow)


def test_kaiming_keeps_the_variance_through_twenty_relu_layers():
    rng = np.random.RandomState(1)
    h = rng.normal(size=(200, 400))
    before = (h**2).mean()
    for weights in drawn("kaiming_normal", sizes=[400] * 21)[0]:
        h = np.maximum(h @ weights, 0)
    assert (h**2).mean() == pytest.approx(before, rel=0.5)
