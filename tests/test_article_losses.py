"""Fact 19 of the article: more losses than squared error and cross-entropy."""

from __future__ import annotations

import numpy as np
import pytest

from fastmlp import MLPClassifier, MLPRegressor
from fastmlp.registry import CLASSIFIER_LOSSES, REGRESSOR_LOSSES

TRAINING = {"hidden_layer_sizes": (8,), "learning_rate_init": 0.01, "batch_size": 32}


def assert_learns(model, X, y):
    curve = model.set_params(max_iter=30, tol=0, random_state=0).fit(X, y).cost_curve_
    assert curve[-1] < curve[0]


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("loss", REGRESSOR_LOSSES)
def test_fact_19_regression_losses_are_learnt(loss):
    X = np.random.default_rng(0).normal(size=(200, 3))
    assert_learns(MLPRegressor(loss, **TRAINING), X, np.exp(X[:, 0]))


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("loss", CLASSIFIER_LOSSES)
def test_fact_19_classification_losses_are_learnt(loss):
    X = np.random.default_rng(0).normal(size=(200, 3))
    y = {
        "multiclass": X.argmax(axis=1),
        "distribution": np.exp(X) / np.exp(X).sum(axis=1, keepdims=True),
        "binary": X[:, 0] > 0,
    }
    kind = next(kind for kind in y if kind in CLASSIFIER_LOSSES[loss])
    assert_learns(MLPClassifier(loss=loss, **TRAINING), X, y[kind])
