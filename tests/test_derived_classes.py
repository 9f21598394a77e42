"""Estimators that users derive, with an ``__init__`` of their own."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.base import clone

from fastmlp import MLPClassifier, MLPRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

X = np.random.RandomState(0).normal(size=(60, 3))
Y = X[:, 0]


class Named(MLPRegressor):
    """One parameter more."""

    def __init__(self, hidden_layer_sizes=(5,), name="a"):
        super().__init__(hidden_layer_sizes=hidden_layer_sizes, max_iter=3, random_state=0)
        self.name = name


class Short(MLPClassifier):
    """One parameter only."""

    def __init__(self, alpha=0.5):
        super().__init__((5,), alpha=alpha, max_iter=3, random_state=0)


def test_more_parameters():
    model = clone(Named((4,), name="b"))
    assert (model.name, model.hidden_layer_sizes) == ("b", (4,))
    model.fit(X, Y)
    assert (model.n_iter_, model.coefs_[0].shape) == (3, (3, 4))
    plain = MLPRegressor(hidden_layer_sizes=(4,), max_iter=3, random_state=0).fit(X, Y)
    again = pickle.loads(pickle.dumps(model))
    for one in (again, model):
        assert_array_equal(one.predict(X), plain.predict(X))
    assert_array_equal(again.partial_fit(X, Y).predict(X), plain.partial_fit(X, Y).predict(X))


def test_fewer_parameters():
    model = clone(Short().set_params(alpha=0.25))
    assert model.get_params() == {"alpha": 0.25}
    plain = MLPClassifier((5,), alpha=0.25, max_iter=3, random_state=0)
    assert_array_equal(model.fit(X, Y > 0).predict_proba(X), plain.fit(X, Y > 0).predict_proba(X))
