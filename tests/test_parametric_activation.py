"""``parametric_activation``: h = z + α (f(z) − z), with an α that each unit learns."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from helpers_custom import tanh, tanh_slope
from helpers_rejection import LABELS, X, Y, assert_rejected, classifier, regressor
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone

from fastmlp import Predictor, custom_activation
from fastmlp.backends import BACKENDS

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

SETTINGS = {
    "hidden_layer_sizes": (6, 5),
    "activation": "tanh",
    "learning_rate_init": 0.05,
    "random_state": 0,
    "dtype": "float64",
}


def fitted(make=regressor, **parameters):
    model = make(**{**SETTINGS, "parametric_activation": True, "max_iter": 20, **parameters})
    return model.fit(X, LABELS if make is classifier else Y)


def by_hand(model):
    """Return what the model predicts of X, computed from its public arrays."""
    h, shares = X, [*model.activation_shares_, None]
    layers = zip(model.coefs_, model.intercepts_, shares, strict=True)
    for number, (w, b, share) in enumerate(layers):
        h = h @ w + b
        if number < len(model.coefs_) - 1:
            f = np.tanh(h)
            h = f if share is None else h + share * (f - h)
    return h.ravel()


@pytest.mark.parametrize("parametric", [True, (False, True)])
def test_prediction_is_by_the_formula(parametric):
    model = fitted(parametric_activation=parametric)
    moved = [np.abs(share - 1) for share in model.activation_shares_ if share is not None]
    assert len(moved) == np.sum(np.broadcast_to(parametric, 2))
    assert all(part.min() > 0 and part.max() > 0.01 for part in moved)
    assert_allclose(model.predict(X), by_hand(model), rtol=1e-10)
    assert_allclose(Predictor(model)(X).ravel(), model.predict(X), rtol=1e-12)


def test_it_begins_as_the_activation_itself():
    plain = fitted(parametric_activation=False, learning_rate_init=1e-300, max_iter=1)
    model = fitted(learning_rate_init=1e-300, max_iter=1)
    assert plain.activation_shares_ == [None, None]
    assert_array_equal(np.concatenate(model.activation_shares_), 1)
    assert_allclose(model.predict(X), plain.predict(X), rtol=1e-12)


def test_shares_can_be_written():
    """Without any f, the network is linear; and the other way round."""
    model = fitted()
    model.activation_shares_ = [np.zeros(6), np.zeros(5)]
    product = X @ np.linalg.multi_dot(model.coefs_)
    assert np.ptp(model.predict(X) - product.ravel()) < 1e-12
    model.activation_shares_[0] = np.full(6, 0.25)
    assert_allclose(model.predict(X), by_hand(model), rtol=1e-10)


def test_shares_are_neither_penalised_nor_decayed():
    still = {"learning_rate_init": 1e-3, "max_iter": 1, "solver": "sgd", "momentum": 0.0}
    strong, weak = fitted(alpha=50.0, weight_decay=0.5, **still), fitted(alpha=0.0, **still)
    assert np.abs(strong.coefs_[0] - weak.coefs_[0]).max() > 1e-3
    for one, other in zip(strong.activation_shares_, weak.activation_shares_, strict=True):
        assert_allclose(one, other, rtol=0, atol=1e-3)
    lasso = fitted(l1=0.5, alpha=0.0)
    weights = sum(np.abs(w).sum() for w in lasso.coefs_)
    assert_allclose(lasso.objective(X, Y), lasso.cost(X, Y) + 0.5 * weights / len(X), rtol=1e-12)


@pytest.mark.parametrize("solver", ["lbfgs", "lamb", "sgd"])
def test_solvers_learn_the_shares(solver):
    model = fitted(solver=solver, alpha=0.0)
    assert np.abs(np.concatenate(model.activation_shares_) - 1).max() > 1e-3


def test_the_gradient_has_that_of_the_shares():
    model, step = fitted(), 1e-6
    wanted = model.gradient(X, Y).activation_shares[1].copy()
    slopes = []
    for unit in range(5):
        costs = []
        for change in (step, -step):
            twin = pickle.loads(pickle.dumps(model))
            twin.activation_shares_[1][unit] += change
            costs.append(twin.cost(X, Y))
        slopes.append((costs[0] - costs[1]) / (2 * step))
    assert_allclose(wanted, slopes, rtol=1e-6, atol=1e-9)


def test_a_users_activation_may_be_parametric():
    own = custom_activation(tanh, tanh_slope)
    assert_allclose(fitted(activation=own).predict(X), fitted().predict(X), rtol=1e-9)
    by_numpy = fitted(activation=own, backend="numpy")
    assert_allclose(by_numpy.predict(X), fitted().predict(X), rtol=1e-9)


def test_fits_that_go_on():
    model = fitted(classifier, warm_start=True)
    twin = pickle.loads(pickle.dumps(model))
    assert_array_equal(twin.fit(X, LABELS).predict_proba(X), model.fit(X, LABELS).predict_proba(X))
    before = model.activation_shares_[0].copy()
    assert np.any(model.partial_fit(X, LABELS).activation_shares_[0] != before)
    text = r"parametric_activation is now \(False, True\), but the network that warm_start or part"
    other = model.set_params(parametric_activation=(False, True))
    for method in ("fit", "partial_fit"):
        assert_rejected(other, (X, LABELS), ValueError, text, method=method)


def test_the_same_for_each_is_one_for_all():
    assert_array_equal(fitted(parametric_activation=[True, True]).predict(X), fitted().predict(X))
    nothing = fitted(hidden_layer_sizes=())
    plain = clone(nothing).set_params(parametric_activation=False).fit(X, Y)
    assert_array_equal(nothing.predict(X), plain.predict(X))


@pytest.mark.parametrize("normalization", ["batch", "layer"])
def test_backends_agree(normalization):
    settings = {"normalization": normalization, "dropout": 0.2, "early_stopping": True}
    found = [fitted(backend=name, **settings).predict(X) for name in BACKENDS]
    for other in found[1:]:
        assert_allclose(other, found[0], rtol=1e-8)


@pytest.mark.parametrize(
    ("value", "error", "text"),
    [
        ("yes", TypeError, "parametric_activation must be"),
        ((True,), ValueError, "parametric_activation has 1 entries, but hidden_layer_sizes has 2"),
    ],
    ids=["text", "length"],
)
def test_wrong_values(value, error, text):
    model = regressor(hidden_layer_sizes=(3, 2), parametric_activation=value)
    assert_rejected(model, (X, Y), error, text)
