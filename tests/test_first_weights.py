"""``init="data_driven"``: what units see of the rows has a deviation of 1, and bends among them."""

from __future__ import annotations

import numpy as np
import pytest
from helpers_rejection import LABELS, classifier, regressor
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone

from fastmlp.embeddings import PBLD, PiecewiseLinear

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

RNG = np.random.RandomState(3)
X = RNG.normal(size=(300, 4)) * [1, 100, 0.01, 3] + [0, 50, 7, -20]
Y = X[:, 0] + RNG.normal(size=300)

#: Nothing is learnt, so that the first weights are seen.
STILL = {
    "init": "data_driven",
    "learning_rate_init": 1e-300,
    "max_iter": 1,
    "hidden_layer_sizes": (30, 20),
    "activation": "tanh",
    "random_state": 0,
    "dtype": "float64",
}


def sights(model, rows=X):
    """Return z of each layer, without and with its biases, by hand."""
    h, seen = rows, []
    for w, b in zip(model.coefs_, model.intercepts_, strict=True):
        seen.append((h @ w, h @ w + b))
        h = np.tanh(seen[-1][1])
    return seen


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_each_unit_sees_rows_of_deviation_one(solver):
    model = regressor(solver=solver, **STILL)
    if solver == "lbfgs":
        model.set_params(callbacks=[lambda record: True], max_iter=1, alpha=1e-300, max_fun=1)
    for bare, z in sights(model.fit(X, Y)):
        if solver == "adam":
            assert_allclose(z.std(axis=0), 1, rtol=1e-6)
        zeros = -(z - bare)[0]
        assert np.all((bare.min(axis=0) < zeros) & (zeros < bare.max(axis=0)))


def test_bends_lie_among_the_rows_but_not_in_one_place():
    """The share of rows below the bend: spread around a half, as means of five rows are."""
    below = np.concatenate([(z < 0).mean(axis=0) for _, z in sights(regressor(**STILL).fit(X, Y))])
    assert abs(below.mean() - 0.5) < 0.1
    assert 0.1 < below.std() < 0.3


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("normalization", [None, "layer", "batch"])
def test_backends_and_numbers_of_threads(dtype, normalization):
    settings = {**STILL, "dtype": dtype, "normalization": normalization, "scaling_layer": True}
    model = regressor(parametric_activation=True, n_threads=1, **settings).fit(X, Y)
    other = clone(model).set_params(n_threads=3).fit(X, Y)
    assert_array_equal(other.predict(X), model.predict(X))
    other.set_params(backend="numpy").fit(X, Y)
    assert_allclose(other.predict(X), model.predict(X), atol=1e-3 if dtype == "float32" else 1e-9)


def test_rows_that_judge_are_not_looked_at():
    held = np.arange(300) < 60
    settings = {"early_stopping": True, "validation_split": [(~held, held)]}
    model = regressor(**settings, **STILL).fit(X, Y)
    moved = np.where(held[:, np.newaxis], X[::-1] * 1.5, X)
    other = clone(model).fit(moved, Y)
    assert_array_equal(other.coefs_[0], model.coefs_[0])
    assert_array_equal(other.intercepts_[1], model.intercepts_[1])
    for _, z in sights(model, X[~held]):
        assert_allclose(z.std(axis=0), 1, rtol=1e-6)


def test_rows_without_a_weight_are_not_looked_at():
    weights = (np.arange(300) % 3 > 0).astype(float)
    model = regressor(**STILL).fit(X, Y, weights)
    for _, z in sights(model, X[weights > 0]):
        assert_allclose(z.std(axis=0), 1, rtol=1e-6)


def test_many_rows_are_represented_by_some():
    many = np.tile(X, (10, 1))
    model = regressor(**STILL).fit(many, np.tile(Y, 10))
    assert_allclose(sights(model)[0][1].std(axis=0), 1, atol=0.15)


def test_a_best_constant_is_kept():
    """The loss begins at that of the constant, as with all other rules, but for the outputs."""
    model = regressor(loss="pinball", quantiles=0.9, standardize_target=False, **STILL)
    outputs = model.set_params(init="data_driven").fit(X, Y).predict(X)
    assert_allclose(outputs.mean(), np.quantile(Y, 0.9), atol=0.1)


@pytest.mark.parametrize("rows", [X[:1], np.tile(X[:1], (20, 1)), np.zeros((20, 4))])
def test_what_does_not_vary(rows):
    model = classifier(**STILL)
    with pytest.warns(RuntimeWarning, match="one class") if len(rows) == 1 else no_warning():
        model.fit(rows, LABELS[: len(rows)])
    assert all(np.abs(array).max() < 1e3 for array in [*model.coefs_, *model.intercepts_])


def no_warning():
    from contextlib import nullcontext

    return nullcontext()


def test_fits_that_go_on_keep_their_weights():
    model = regressor(warm_start=True, **STILL).fit(X, Y)
    before = model.coefs_[0].copy()
    assert_array_equal(model.fit(2 * X, Y).coefs_[0], before)
    parts = regressor(**STILL).partial_fit(X, Y)
    assert_array_equal(parts.partial_fit(X[:1], Y[:1]).coefs_[0], before)


def test_a_constant_column_changes_nothing():
    wide = np.hstack([X, np.full((300, 1), 3.0)])
    for _, z in sights(regressor(**STILL).fit(wide, Y), wide):
        assert_allclose(z.std(axis=0), 1, rtol=1e-6)


@pytest.mark.parametrize("embedding", [PBLD(), PiecewiseLinear()], ids=["pbld", "piecewise"])
def test_what_stands_in_front_of_the_first_layer_counts(embedding):
    """The outputs vary by 1 only if each layer was scaled by what the network itself computes."""
    settings = {
        "numeric_embedding": embedding,
        "scaling_layer": True,
        "parametric_activation": True,
    }
    model = regressor(normalization="layer", **settings, **STILL).fit(X, Y)
    assert_allclose(model.predict(X).std(), 1, rtol=1e-6)
