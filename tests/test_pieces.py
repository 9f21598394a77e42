"""Activations, first weights and dropout as functions of their own."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from helpers import REFERENCE
from helpers_activations import FORMULAS, WIDE
from helpers_custom import relu, relu_slope, tanh, tanh_slope
from numpy.testing import assert_allclose, assert_array_equal
from scipy import stats
from scipy.special import expit

from fastmlp import (
    MLPClassifier,
    MLPRegressor,
    activation,
    activation_derivative,
    custom_activation,
    dropout,
    initial_weights,
)
from fastmlp.plan.initializers import INITIALIZERS
from fastmlp.registry import ACTIVATIONS

Z = np.linspace(-5.95, 5.95, 240)

# -- activations ----------------------------------------------------------------------------------


BASIC = {
    "identity": lambda _, z: (z, np.ones_like(z)),
    "logistic": lambda _, z: (expit(z), expit(z) * expit(-z)),
    "tanh": lambda _, z: (np.tanh(z), np.cosh(z) ** -2.0),
    "relu": lambda _, z: (np.maximum(z, 0), (z > 0).astype(float)),
}


@pytest.mark.parametrize("name", ACTIVATIONS.names)
def test_value_and_slope_are_the_textbooks(name):
    h, slope = {**BASIC, **FORMULAS}[name](WIDE, Z)
    assert_allclose(activation(name, Z), h, rtol=1e-13, atol=1e-14)
    assert_allclose(activation_derivative(name, Z), slope, atol=1e-14)


@pytest.mark.parametrize("name", [*ACTIVATIONS.by_name, *ACTIVATIONS.by_name.aliases])
def test_the_slope_is_that_of_the_value(name):
    step = 1e-6
    rise = activation(name, Z + step) - activation(name, Z - step)
    assert_allclose(activation_derivative(name, Z), rise / (2 * step), atol=1e-8)


def test_the_formulas_of_the_derivatives():
    h = activation("logistic", Z)
    assert_allclose(h, expit(Z), rtol=1e-14)
    assert_allclose(activation_derivative("logistic", Z), h * (1 - h), atol=1e-15)
    assert_allclose(activation_derivative("tanh", Z), 1 - np.tanh(Z) ** 2, atol=1e-15)
    assert_array_equal(activation_derivative("relu", [-1, 0, 1]), [0, 0, 1])


@pytest.mark.parametrize("shape", [(), (0,), (3, 0), (7,), (2, 3, 5)])
@pytest.mark.parametrize("own", [False, True])
def test_shape_and_type_are_kept(dtype, shape, own):
    z = np.linspace(-2, 2, math.prod(shape), dtype=dtype).reshape(shape)
    function = custom_activation(tanh, tanh_slope) if own else "tanh"
    results = activation(function, z), activation_derivative(function, z)
    tolerance = 8 * np.finfo(dtype).eps
    for result, expected in zip(results, (np.tanh(z), 1 - np.tanh(z) ** 2), strict=True):
        assert result.shape == shape
        assert result.dtype == dtype
        assert_allclose(result, expected, atol=tolerance)


def test_other_types_and_orders_become_float64():
    z = np.asfortranarray(np.arange(-3, 3).reshape(2, 3))
    for values in (z, z.astype(np.float16), z.tolist(), z.astype(object)):
        result = activation("relu", values)
        assert result.dtype == np.float64
        assert_array_equal(result, np.maximum(z, 0))
    assert_array_equal(activation("relu", Z[::-2]), np.maximum(Z[::-2], 0))


def test_the_argument_stays_and_nan_stays_visible():
    z = np.array([np.nan, -1.0, np.inf])
    z.flags.writeable = False
    assert_array_equal(activation("relu", z), [np.nan, 0, np.inf])
    assert_array_equal(activation(custom_activation(relu, relu_slope), z)[1:], [0, np.inf])
    assert_array_equal(z, [np.nan, -1, np.inf])


@pytest.mark.parametrize("function", [activation, activation_derivative])
@pytest.mark.parametrize("name", ["relu6", None, ["relu"], np.tanh])
def test_unknown_activations(function, name):
    with pytest.raises(ValueError, match=r"activation must be one of .*, or made by custom_"):
        function(name, Z)


def test_an_activation_has_one_error_text():
    with pytest.raises(ValueError, match="activation must be") as of_function:
        activation("sine", Z)
    with pytest.raises(ValueError, match="activation must be") as of_estimator:
        MLPClassifier(activation="sine").fit([[0.0], [1.0]], [0, 1])
    assert str(of_function.value) == str(of_estimator.value)


def test_activations_take_real_numbers():
    with pytest.raises(TypeError, match="z must hold real numbers; got dtype complex128"):
        activation("relu", [1j])
    with pytest.raises(
        ValueError, match="z must be one value or an array whose rows have the same length"
    ):
        activation("relu", [[1, 2], [3]])


# -- dropout --------------------------------------------------------------------------------------


@pytest.mark.parametrize("rate", [0.0, 0.1, 0.5, 0.9])
def test_the_kept_are_scaled_and_the_share_is_right(dtype, rate):
    x = np.full((400, 250), 3.0, dtype)
    dropped = dropout(x, rate, random_state=0)
    assert dropped.dtype == dtype
    assert_array_equal(x, 3)
    keep = 1 - round(rate * 65536) / 65536
    kept = dropped != 0
    assert_allclose(dropped[kept], 3 / keep, rtol=4 * np.finfo(dtype).eps)
    assert abs(kept.mean() - keep) <= 5 * np.sqrt(keep * (1 - keep) / x.size)
    assert abs(dropped.mean(dtype=np.float64) - 3) <= 15 * np.sqrt((1 - keep) / keep / x.size)


def test_units_and_rows_are_dropped_independently():
    kept = dropout(np.ones((2000, 20)), 0.5, random_state=1) > 0
    for table in (kept, kept[:20].T):
        correlations = np.corrcoef(table.T)[~np.eye(table.shape[1], dtype=bool)]
        assert np.abs(correlations).max() < 5.5 / np.sqrt(len(table))


def test_the_bits_are_those_of_training():
    """The seed is drawn as for a fit: bits of the reference's generator under it are the same."""
    seed = np.random.RandomState(7).randint(0, 2**64, dtype=np.uint64)
    factors = np.empty((30, 9))
    REFERENCE.dropout_factors(round(0.3 * 65536), int(seed), 0, 0, factors)
    x = np.random.default_rng(0).normal(size=(3, 10, 9))
    assert_array_equal(dropout(x, 0.3, random_state=7), x * factors.reshape(x.shape))


def test_seeds():
    x = np.ones(500)
    assert_array_equal(dropout(x, random_state=3), dropout(x, random_state=3))
    assert np.any(dropout(x, random_state=3) != dropout(x, random_state=4))
    rng = np.random.RandomState(0)
    assert np.any(dropout(x, random_state=rng) != dropout(x, random_state=rng))


@pytest.mark.parametrize("shape", [(), (0,), (0, 4), (4, 0), (9,), (2, 3, 4)])
def test_dropout_keeps_the_shape(shape):
    dropped = dropout(np.ones(shape), 0.25, random_state=0)
    assert dropped.shape == shape
    assert np.all((dropped == 0) | (dropped == 1 / 0.75))


@pytest.mark.parametrize(
    ("arguments", "error", "text"),
    [
        ({"rate": 1.0}, ValueError, "rate must be a number ≥ 0 and < 1; got 1.0"),
        ({"rate": -0.1}, ValueError, "rate must be a number"),
        ({"rate": np.nan}, ValueError, "rate must be a number"),
        ({"rate": "half"}, TypeError, "rate must be a number"),
        (
            {"rate": np.timedelta64(0, "s")},
            TypeError,
            r"rate must be a number .*; got (np|numpy)\.timedelta64",
        ),
        ({"random_state": "x"}, ValueError, "random_state must be None, an integer"),
        ({"random_state": 10**5000}, ValueError, "random_state must be None, an integer"),
        ({"x": ["a"]}, TypeError, "x must hold real numbers"),
    ],
)
def test_wrong_arguments_of_dropout(arguments, error, text):
    with pytest.raises(error, match=text):
        dropout(**{"x": np.ones(3), **arguments})


# -- first weights --------------------------------------------------------------------------------


#: Rules that need nothing but the layer.
RULES = [name for name in INITIALIZERS if name != "data_driven"]


def test_weights_that_follow_from_rows_are_refused():
    with pytest.raises(ValueError, match="init='data_driven' needs rows of data"):
        initial_weights(3, 6, "data_driven")


def spread(init, fan_in, fan_out):
    """Return the standard deviation that the rule's paper demands."""
    variances = {
        "glorot": 2 / (fan_in + fan_out),
        "kaiming": 2 / fan_in,
        "lecun": 1 / fan_in,
        "normal": 0.01**2,
        "uniform": 0.05**2 / 3,
        "auto": 2 / (fan_in + fan_out),
        "orthogonal": 1 / max(fan_in, fan_out),
        "zeros": 0,
    }
    return math.sqrt(variances[init.split("_")[0]])


@pytest.mark.parametrize("init", RULES)
@pytest.mark.parametrize("fans", [(300, 200), (120, 400)])
def test_weights_are_distributed_as_their_rule_says(init, fans):
    weights, std = initial_weights(*fans, init, random_state=0), spread(init, *fans)
    assert weights.shape == fans
    assert weights.dtype == np.float64
    if init == "orthogonal":
        tall = weights if fans[0] > fans[1] else weights.T
        assert_allclose(tall.T @ tall, np.eye(min(fans)), atol=1e-13)
    if init != "zeros":
        assert_allclose(weights.std(), std, rtol=5 / np.sqrt(2 * weights.size))
        uniform = init == "auto" or init.endswith("uniform")
        reach = std * np.sqrt(3)
        law = stats.uniform(-reach, 2 * reach) if uniform else stats.norm(0, std)
        assert stats.kstest(weights.ravel(), law.cdf).pvalue > 1e-4
    else:
        assert not weights.any()


@pytest.mark.parametrize("init", RULES)
@pytest.mark.parametrize("function", ["relu", "logistic"])
def test_an_estimator_starts_with_these_weights(init, function):
    rng = np.random.RandomState(5)
    options = {"init_std": 0.3, "init_range": 0.4}
    sizes = [(3, 6), (6, 4), (4, 1)]
    expected = [
        initial_weights(*fans, init, activation=function, random_state=rng, **options)
        for fans in sizes
    ]
    # After one step so small that the first weights are as they were.
    model = MLPRegressor(
        hidden_layer_sizes=(6, 4),
        activation=function,
        init=init,
        random_state=5,
        solver="sgd",
        learning_rate_init=1e-300,
        alpha=0,
        dtype="float64",
        **options,
    ).partial_fit(np.eye(3), np.arange(3.0))
    for weights, start in zip(model.coefs_, expected, strict=True):
        assert_allclose(weights, start, rtol=0, atol=1e-290)


def test_numbers_of_every_kind_give_the_same_weights():
    given = initial_weights(np.int8(100), np.int8(100), "normal", init_std=0.5, random_state=0)
    plain = initial_weights(100, 100, "normal", init_std=Fraction(1, 2), random_state=0)
    assert_array_equal(given, plain)


@pytest.mark.parametrize(
    ("arguments", "error", "text"),
    [
        ({"fan_in": 0}, ValueError, "fan_in must be an integer ≥ 1; got 0"),
        ({"fan_out": 2.5}, TypeError, r"fan_out must be an integer ≥ 1; got 2\.5"),
        ({"fan_in": 2**40, "fan_out": 2**40}, ValueError, "at most 7.21e.16 are possible"),
        ({"fan_in": 10**400}, ValueError, r"fan_in=10+\.\.\.0+ and fan_out=3 give too many"),
        ({"fan_in": 2**30, "fan_out": 2**25}, MemoryError, "make 3.6e.16 weights, for which there"),
        ({"fan_in": np.timedelta64(2, "s")}, TypeError, "fan_in must be an integer ≥ 1"),
        (
            {"init": "xaver"},
            ValueError,
            "init must be one of auto, normal, .*; got 'xaver'. Did you mean 'xavier'?",
        ),
        ({"init": np.ones((2, 3))}, ValueError, "init must be one of auto"),
        ({"init_std": -1}, ValueError, "init_std must be a finite number ≥ 0"),
        ({"init": "normal", "init_std": 1.7e308}, ValueError, "init_std must be at most 1.1e.307"),
        ({"init": "uniform", "init_range": 1.7e308}, ValueError, "init_range must be at most"),
        ({"init_range": "1"}, TypeError, "init_range must be a finite number"),
        ({"activation": "sine"}, ValueError, "activation must be one of"),
        ({"random_state": 1.5}, ValueError, "random_state must be None"),
    ],
)
def test_wrong_arguments_of_first_weights(arguments, error, text):
    with pytest.raises(error, match=text) as caught:
        initial_weights(**{"fan_in": 2, "fan_out": 3, **arguments})
    assert "\n" not in str(caught.value)
