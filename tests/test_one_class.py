"""A classifier that has seen one class predicts it, everywhere and with certainty."""

from __future__ import annotations

import matplotlib as mpl
import numpy as np
import pytest
from helpers_rejection import LABELS, X, classifier
from matplotlib import pyplot as plt
from numpy.testing import assert_array_equal
from sklearn.calibration import CalibratedClassifierCV
from sklearn.model_selection import learning_curve
from sklearn.multioutput import MultiOutputClassifier

from fastmlp import Predictor
from fastmlp.plots import LossCurveDisplay, MisreadDigitsDisplay, NetworkDiagramDisplay
from fastmlp.registry import CLASSIFIER_LOSSES

mpl.use("Agg")

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

ONE = np.full(40, "up")
TEXT = r"^y has only one class, \['up'\]: it is predicted for every row, with probability 1\.$"
losses = pytest.mark.parametrize(
    "loss", [name for name, kinds in CLASSIFIER_LOSSES.items() if "binary" in kinds]
)


def fitted(**parameters):
    with pytest.warns(RuntimeWarning, match=TEXT) as caught:
        model = classifier(random_state=0, **parameters).fit(X, ONE)
    assert len([w for w in caught if w.category is RuntimeWarning]) == 1
    return model


@losses
@pytest.mark.parametrize(
    "parameters",
    [{}, {"solver": "lbfgs"}, {"early_stopping": True}, {"label_smoothing": 0.2}],
    ids=["adam", "lbfgs", "early stopping", "smoothed"],
)
def test_it_is_predicted(loss, parameters):
    model = fitted(loss=loss, **parameters)
    assert_array_equal(model.classes_, ["up"])
    assert_array_equal(model.predict(X), ONE)
    assert model.score(X, ONE) == 1
    with pytest.warns(UserWarning, match=r"^y has labels that the model does not know, \['down'\]"):
        assert model.score(X, LABELS) == np.mean(LABELS == "up")
    assert model.decision_function(X).shape == (40,)
    assert np.isfinite(model.loss_per_sample(X, ONE)).all()
    if hasattr(model, "predict_proba"):
        assert_array_equal(model.predict_proba(X), np.ones((40, 1)))
        assert_array_equal(model.predict_log_proba(X), np.zeros((40, 1)))


@losses
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_predictor_says_the_same(loss, dtype):
    model = fitted(loss=loss, dtype=dtype)
    for rows in (X[:1], X, X.tolist()):
        outputs = Predictor(model)(rows)
        if hasattr(model, "predict_proba"):
            assert_array_equal(outputs, model.predict_proba(rows))
        else:
            assert_array_equal(outputs.ravel(), model.decision_function(rows))
    assert outputs.dtype == dtype


def test_partial_fits():
    model = classifier()
    with pytest.warns(RuntimeWarning, match=TEXT):
        model.partial_fit(X, ONE, classes=["up"])
    model.partial_fit(X, ONE)  # is not told again
    assert_array_equal(model.predict(X), ONE)
    text = r"y has labels that are not in classes \['up'\]: \['down'\]"
    with pytest.raises(ValueError, match=text):
        model.partial_fit(X, LABELS)


def test_a_part_with_one_of_two_classes_is_nothing_to_warn_of():
    model = classifier().partial_fit(X, ONE, classes=["up", "down"])
    assert model.predict_proba(X).shape == (40, 2)


def test_a_warm_start_goes_on():
    model = fitted(warm_start=True)
    with pytest.warns(RuntimeWarning, match=TEXT):
        model.fit(X, ONE)
    assert len(model.loss_curve_) == 6
    with pytest.raises(ValueError, match="warm_start can only be used where `y` has the same"):
        model.fit(X, LABELS)


def test_weights_that_leave_one_class():
    """The other one is known, so that it keeps a small probability."""
    text = r"y has only one class, \['up'\], in the rows whose sample_weight is not 0"
    with pytest.warns(RuntimeWarning, match=text):
        model = classifier(random_state=0).fit(X, LABELS, (LABELS == "up").astype(float))
    assert model.predict_proba(X).shape == (40, 2)
    assert model.predict_proba(X).max() < 1


# -- with the rest of scikit-learn -----------------------------------------------------------------

told = pytest.mark.filterwarnings("ignore:y has only one class:RuntimeWarning")


@told
def test_a_learning_curve_of_sorted_labels():
    """Its first parts have one class."""
    with pytest.warns(UserWarning, match=r"^y has labels that the model does not know, \['up'\]"):
        parts = learning_curve(classifier(), X, np.sort(LABELS), train_sizes=[0.2, 1.0], cv=3)
    assert np.isfinite(parts[1]).all()
    assert_array_equal(parts[1][0], 1)


@told
def test_one_of_several_labels_is_constant():
    y = np.c_[LABELS, ONE]
    model = MultiOutputClassifier(classifier(max_iter=200, learning_rate_init=0.02)).fit(X, y)
    assert (model.predict(X) == y).mean(axis=0)[0] > 0.9
    assert_array_equal(model.predict(X)[:, 1], ONE)
    assert [p.shape for p in model.predict_proba(X)] == [(40, 2), (40, 1)]


@told
def test_a_calibrated_model():
    assert_array_equal(CalibratedClassifierCV(classifier(), cv=2).fit(X, ONE).predict(X), ONE)


def test_pictures():
    """A region needs a border; what does not compare classes is drawn."""
    model = fitted()
    assert_array_equal(LossCurveDisplay.from_estimator(model).loss_curve, model.loss_curve_)
    NetworkDiagramDisplay.from_estimator(model)
    MisreadDigitsDisplay.from_estimator(model, np.zeros((4, 3)), ONE[:4], image_shape=(1, 3))
    plt.close("all")
