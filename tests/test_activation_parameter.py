"""The estimators' ``activation``: one name or one for each hidden layer."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import erf
from sklearn.base import clone

from fastmlp import MLPClassifier, MLPRegressor
from fastmlp.backends import BACKENDS
from fastmlp.registry import ACTIVATIONS, Activation, Table

X = np.random.default_rng(0).normal(size=(80, 4))
Y = np.tanh(X[:, :2] @ [[1.0, 0.5], [-1.0, 2.0]])


def fit(activation, *, sizes=(6, 5), backend="compiled", **parameters):
    model = MLPRegressor(
        hidden_layer_sizes=sizes,
        activation=activation,
        backend=backend,
        dtype="float64",
        max_iter=5,
        tol=0,
        random_state=0,
        **parameters,
    )
    with pytest.warns(match="not converged"):
        return model.fit(X, Y)


@pytest.mark.parametrize("backend", BACKENDS)
def test_one_for_each_layer(backend):
    mixed = fit(["tanh", "gelu"], backend=backend)
    hidden = np.tanh(X @ mixed.coefs_[0] + mixed.intercepts_[0])
    z = hidden @ mixed.coefs_[1] + mixed.intercepts_[1]
    h = z / 2 * (1 + erf(z / np.sqrt(2)))
    expected = h @ mixed.coefs_[2] + mixed.intercepts_[2]
    np.testing.assert_allclose(mixed.predict(X), expected, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("each", [["mish", "mish"], ("mish", "mish"), np.array(["mish", "mish"])])
def test_the_same_for_each_is_one_for_all(each):
    np.testing.assert_array_equal(fit(each).predict(X), fit("mish").predict(X))


def test_an_alias_is_the_same_activation():
    assert ACTIVATIONS["swish"] is ACTIVATIONS["silu"]
    np.testing.assert_array_equal(fit("swish").predict(X), fit("silu").predict(X))
    np.testing.assert_array_equal(
        fit(["swish", "relu"]).predict(X), fit(["silu", "relu"]).predict(X)
    )


def test_the_first_weights_of_auto_follow_each_layer():
    def largest(activation):
        model = fit(activation, sizes=(40, 40), solver="sgd", learning_rate_init=1e-30)
        return [float(np.abs(w).max()) for w in model.coefs_]

    narrow, wide = largest("logistic"), largest("tanh")
    np.testing.assert_allclose(np.square(wide), 3 * np.square(narrow))
    assert largest(["logistic", "tanh"]) == [narrow[0], wide[1], wide[2]]


@pytest.mark.parametrize("activation", [*ACTIVATIONS.by_name, *ACTIVATIONS.by_name.aliases])
def test_every_name_learns(activation):
    model = MLPClassifier(
        (16,), activation=activation, solver="lbfgs", random_state=0, max_iter=300
    )
    labels = X[:, 0] > 0.3
    assert model.fit(X, labels).score(X, labels) == 1
    assert clone(model).activation == activation


@pytest.mark.parametrize(
    ("activation", "message"),
    [
        (["relu"], "activation has 1 entries, but hidden_layer_sizes has 2 layers."),
        (["relu"] * 3, "activation has 3 entries, but hidden_layer_sizes has 2 layers."),
        ([], "activation has 0 entries, but hidden_layer_sizes has 2 layers."),
        (
            ["relu", "tahn"],
            r"activation\[1\] must be one of .*, softsign, or made by .*; got 'tahn'.",
        ),
        (["relu", None], r"activation\[1\] must be one of identity, .*; got None."),
        (
            [["relu"], ["relu"]],
            "activation must be one activation or a flat sequence, .*; got",
        ),
        (3, "activation must be one of identity, .*; got 3."),
    ],
)
@pytest.mark.parametrize("backend", BACKENDS)
def test_bad_input(backend, activation, message):
    model = MLPClassifier(hidden_layer_sizes=(6, 5), activation=activation, backend=backend)
    with pytest.raises(ValueError, match=message):
        model.fit(X, X[:, 0] > 0)
    assert not hasattr(model, "coefs_")


def test_no_hidden_layer_takes_an_empty_sequence():
    np.testing.assert_array_equal(fit([], sizes=()).predict(X), fit("relu", sizes=()).predict(X))


@pytest.mark.parametrize("aliases", [("sine",), ("wave", "wave")])
def test_a_table_refuses_an_alias_that_stands_twice(aliases):
    with pytest.raises(ValueError, match="stands twice"):
        Table(Activation("sine", 9, "", ""), Activation("cosine", 10, "", "", aliases=aliases))
