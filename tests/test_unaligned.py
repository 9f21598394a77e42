"""Arrays that start at any byte are copied before the core reads them, which may not."""

from __future__ import annotations

from types import FunctionType

import numpy as np
import pytest
from helpers import unaligned

from fastmlp import (
    MLPClassifier,
    MLPRegressor,
    Predictor,
    RosenblattPerceptron,
    activation,
    activation_derivative,
    cross_entropy,
    custom_activation,
    dropout,
    softmax,
)
from fastmlp.backends import Rows
from fastmlp.backends.compiled import CompiledBackend, CompiledExecutor
from fastmlp.backends.numba_jit import binding

X = np.random.default_rng(0).normal(size=(40, 3))
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.fixture(autouse=True)
def calls(monkeypatch):
    """Hold every array that the compiled backend is handed against its alignment; return calls."""
    names = []

    def watched(name, method):
        def call(self, *arguments, **named):
            names.append(name)
            each = [part for a in arguments for part in (a if isinstance(a, Rows) else (a,))]
            assert all(a.flags.aligned for a in each if isinstance(a, np.ndarray)), name
            return method(self, *arguments, **named)

        return call

    for cls in (CompiledBackend, CompiledExecutor):
        for name, method in vars(cls).items():
            if isinstance(method, FunctionType) and not name.startswith("_"):
                monkeypatch.setattr(cls, name, watched(name, method))
    return names


@pytest.mark.parametrize("of", ["float16", "float32", "float64", "int16", "int64", ">f8"])
def test_fits_and_predictions(dtype, of, calls):
    data = (8 * X).astype(of)
    y = data.sum(axis=1).astype(of)
    model = MLPRegressor(hidden_layer_sizes=(4,), dtype=dtype, max_iter=2, random_state=0)
    expected = model.fit(data, y).predict(data)
    model.fit(unaligned(data), unaligned(y), sample_weight=unaligned(np.ones(len(y), dtype)))
    np.testing.assert_array_equal(model.predict(unaligned(data)), expected)
    model.partial_fit(unaligned(data), unaligned(y))
    weights = unaligned(np.linspace(1, 2, len(y)).astype(dtype))
    loss = model.cost(unaligned(data), unaligned(y), weights)
    assert loss == model.cost(data, y, weights)
    model.gradient(unaligned(data), unaligned(y), weights)
    assert {"train", "predict", "sample_losses", "gradient"} <= set(calls)


def test_labels_and_distributions(dtype, calls):
    y = unaligned((X[:, 0] > 0).astype(dtype))
    MLPClassifier((4,), dtype=dtype, solver="lbfgs", max_iter=2).fit(X, y).score(X, y)
    shares = unaligned(softmax(X).astype(dtype))
    MLPClassifier((4,), dtype=dtype, loss="kl_divergence", max_iter=2).fit(X, shares)
    assert {"gradient", "train"} <= set(calls)


def test_the_perceptron(dtype, calls):
    data, y = X.astype(dtype), unaligned((X[:, 0] > 0).astype(dtype))
    model = RosenblattPerceptron(max_iter=50).fit(unaligned(data), y, unaligned(np.ones(40, dtype)))
    expected = model.decision_function(data)
    model.coef_, model.intercept_ = unaligned(model.coef_), unaligned(model.intercept_)
    np.testing.assert_array_equal(model.decision_function(unaligned(data)), expected)
    model.partial_fit(unaligned(data), y)
    assert {"perceptron_epoch", "perceptron_scores"} <= set(calls)


def test_pieces_and_measures(dtype, calls):
    z = X.astype(dtype)
    p = softmax(z)
    np.testing.assert_array_equal(softmax(unaligned(z)), p)
    np.testing.assert_array_equal(
        cross_entropy(unaligned(p), unaligned(p[::-1].copy())), cross_entropy(p, p[::-1])
    )
    for function in (activation, activation_derivative):
        np.testing.assert_array_equal(function("tanh", unaligned(z)), function("tanh", z))
    dropped = dropout(unaligned(z), 0.5, random_state=0)
    np.testing.assert_array_equal(dropped, dropout(z, 0.5, random_state=0))
    assert {"measure_information", "activate", "dropout_factors"} <= set(calls)


def test_an_activation_of_the_users_own(dtype, monkeypatch):
    own = custom_activation(lambda z: 2.0 * z, lambda z: 2.0)
    evaluate, calls = binding.evaluate_activation, []

    def watched(function, z):
        calls.append(z.flags.aligned)
        return evaluate(function, z)

    monkeypatch.setattr(binding, "evaluate_activation", watched)
    np.testing.assert_array_equal(activation(own, unaligned(X.astype(dtype))), 2 * X.astype(dtype))
    assert calls == [True]


@pytest.mark.parametrize("of", ["float32", "float64"])
def test_a_predictor_converts(of):
    predict = Predictor(MLPRegressor(max_iter=2, random_state=0).fit(X, X[:, 0]))
    data = X.astype(of)
    np.testing.assert_array_equal(predict(unaligned(data)), predict(data))
    data[3, 1] = np.nan  # seen only where values are converted
    assert np.isnan(predict(data)[3, 0])
    with pytest.raises(ValueError, match="Input X contains NaN"):
        predict(unaligned(data))
