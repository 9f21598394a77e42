"""Displays see the model inside pipelines, searches, transformed targets and frozen estimators."""

from __future__ import annotations

import copy

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib import pyplot as plt
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.compose import TransformedTargetRegressor
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler

from fastmlp import MLPClassifier, MLPRegressor
from fastmlp.plots import (
    DecisionRegionDisplay,
    LossCurveDisplay,
    MisreadDigitsDisplay,
    NetworkDiagramDisplay,
    WeightDistributionDisplay,
)

mpl.use("Agg")

X = np.random.default_rng(0).normal(size=(60, 2))
Y = (X[:, 0] > X[:, 1] ** 2).astype(int)
QUICK = {"hidden_layer_sizes": (4,), "solver": "lbfgs", "alpha": 1.0, "random_state": 0}
CLASSIFIER, REGRESSOR = MLPClassifier(**QUICK), MLPRegressor(**QUICK)
GRID = {"mlpclassifier__alpha": [0.1, 1.0]}
PIPELINE = make_pipeline(StandardScaler(), CLASSIFIER)

#: Classifiers, and where their network is.
CLASSIFIERS = {
    "pipeline": (make_pipeline(MinMaxScaler(), PIPELINE), lambda model: model[-1][-1]),
    "search": (GridSearchCV(PIPELINE, GRID, cv=2), lambda model: model.best_estimator_[-1]),
    "search in pipeline": (
        make_pipeline(StandardScaler(), GridSearchCV(CLASSIFIER, {"alpha": [0.1, 1.0]}, cv=2)),
        lambda model: model[-1].best_estimator_,
    ),
    "frozen": (
        make_pipeline(StandardScaler(), FrozenEstimator(copy.deepcopy(CLASSIFIER).fit(X, Y))),
        lambda model: model[-1].estimator,
    ),
}
WRAPPED = CLASSIFIERS | {
    "target": (
        make_pipeline(
            StandardScaler(), TransformedTargetRegressor(REGRESSOR, transformer=MinMaxScaler())
        ),
        lambda model: model[-1].regressor_,
    ),
    "search of targets": (
        GridSearchCV(
            TransformedTargetRegressor(make_pipeline(StandardScaler(), REGRESSOR)),
            {"regressor__mlpregressor__alpha": [0.1, 1.0]},
            cv=2,
        ),
        lambda model: model.best_estimator_.regressor_[-1],
    ),
}
NOT_FITTED = [name for name in WRAPPED if name != "frozen"]


pytestmark = pytest.mark.usefixtures("close_figures")


def fitted(wrapped):
    return copy.deepcopy(wrapped).fit(X, Y)


def draw_all(estimator):
    """Yield what draws each display of an estimator."""
    for display in (LossCurveDisplay, NetworkDiagramDisplay, WeightDistributionDisplay):
        yield lambda display=display: display.from_estimator(estimator)
    yield lambda: DecisionRegionDisplay.from_estimator(estimator, X, Y)
    yield lambda: MisreadDigitsDisplay.from_estimator(estimator, X, Y, image_shape=(1, 2))


@pytest.mark.parametrize(("wrapped", "inside"), WRAPPED.values(), ids=WRAPPED)
def test_what_a_network_has_learnt(wrapped, inside):
    model = fitted(wrapped)
    network = inside(model)
    curve = LossCurveDisplay.from_estimator(model)
    assert_array_equal(curve.loss_curve, network.loss_curve_)
    assert curve.name == type(network).__name__
    for drawn in (
        NetworkDiagramDisplay.from_estimator(model).coefs,
        WeightDistributionDisplay.from_estimator(model).layers,
    ):
        assert_allclose(np.ravel(drawn[1]), network.coefs_[1].ravel())


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_what_a_classifier_answers(name):
    model = fitted(CLASSIFIERS[name][0])
    regions = DecisionRegionDisplay.from_estimator(model, X, Y)
    left, _, bottom, _ = regions.extent
    assert_allclose(regions.proba[0, 0], model.predict_proba([[left, bottom]])[0], rtol=1e-6)
    misread = MisreadDigitsDisplay.from_estimator(model, X, Y, image_shape=(1, 2), max_images=60)
    assert len(misread.truth) == np.sum(model.predict(X) != Y)


@pytest.mark.parametrize("name", NOT_FITTED)
def test_what_is_not_fitted_is_refused(name):
    for draw in draw_all(WRAPPED[name][0]):
        with pytest.raises(NotFittedError):
            draw()
    assert not plt.get_fignums()


def test_a_search_without_a_model_is_refused():
    search = GridSearchCV(PIPELINE, GRID, cv=2, refit=False).fit(X, Y)
    for draw in draw_all(search):
        with pytest.raises(ValueError, match=r"GridSearchCV has kept no fitted model"):
            draw()
    assert not plt.get_fignums()
