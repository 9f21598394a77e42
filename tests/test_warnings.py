"""What a model warns of, and which line the warning points at."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pytest
from helpers_rejection import LABELS, X, Y, classifier, regressor
from numpy.testing import assert_array_equal
from sklearn.ensemble import AdaBoostClassifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import _validation as scikit_learns_loop
from sklearn.model_selection import cross_val_score

import fastmlp
from fastmlp import MLPClassifier, MLPRegressor

few_epochs = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


# -- where they point ------------------------------------------------------------------------------


def where(call):
    """Return the files to which warnings of too few epochs point."""
    with pytest.warns(ConvergenceWarning, match="has not converged") as caught:
        call()
    return {warning.filename for warning in caught}


def test_in_a_cross_validation_it_is_scikit_learns():
    assert where(lambda: cross_val_score(regressor(), X, Y)) == {scikit_learns_loop.__file__}


def test_a_neighbour_whose_name_begins_like_the_package_is_outside():
    name = str(Path(fastmlp.__file__).parent) + "_experiments/run.py"
    line = compile("model.fit(X, Y)", name, "exec")
    assert where(lambda: exec(line, {"model": regressor(), "X": X, "Y": Y})) == {name}


def test_filters_by_module_match_the_caller():
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=ConvergenceWarning, module=__name__)
        regressor().fit(X, Y)
        warnings.filterwarnings("error", category=ConvergenceWarning, module="fastmlp")
        regressor().fit(X, Y)


# -- weights that change the penalties -------------------------------------------------------------

TEXT = (
    "sample_weight sums to 1 for 40 rows, which makes alpha effectively 40 times stronger: a "
    "weight of w counts like w copies of a row. Scale them to mean 1 (sample_weight / "
    "sample_weight.mean()), or divide alpha by 40."
)


def said_of(weights, model=None, method="fit", **keywords):
    """Return what is said of sample weights."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        getattr(model or regressor(), method)(X, Y, weights, **keywords)
    return [str(w.message) for w in caught if "sample_weight" in str(w.message)]


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_weights_that_sum_to_one(solver):
    assert said_of(np.full(40, 1 / 40), regressor(solver=solver)) == [TEXT]


def test_large_weights_and_both_penalties():
    (text,) = said_of(np.full(40, 1000.0), regressor(l1=0.1))
    assert "4e+04 for 40 rows, which makes alpha and l1 effectively 1e+03 times weaker" in text
    assert "or divide alpha and l1 by 0.001" in text


@pytest.mark.parametrize(
    ("weights", "parameters"),
    [
        (np.arange(40) % 20 == 0, {}),
        (np.full(40, 0.2), {}),
        (np.full(40, 9.0), {}),
        (np.full(40, 1 / 40), {"alpha": 0.0}),
        (None, {}),
    ],
    ids=["mask", "a fifth", "nine", "no penalty", "none"],
)
def test_other_weights(weights, parameters):
    assert said_of(weights, regressor(**parameters)) == []


def test_rows_without_a_weight_are_not_there():
    weights = np.where(np.arange(40) % 20 == 0, 0.02, 0)
    (text,) = said_of(weights)
    assert "sums to 0.04 for 2 rows, which makes alpha effectively 50 times stronger" in text


def test_a_stream_is_warned_once():
    model = regressor()
    assert len(said_of(np.full(40, 0.01), model, "partial_fit")) == 1
    assert said_of(np.full(40, 0.01), model, "partial_fit") == []


@few_epochs
def test_boosting_works_and_is_warned():
    """Scikit-learn's weights sum to 1: with 40 rows, alpha counts 40 times."""
    model = classifier(max_iter=300, learning_rate_init=0.02)
    boosted = AdaBoostClassifier(model, n_estimators=3, random_state=0)
    with pytest.warns(UserWarning, match="1 for 40 rows, which makes alpha effectively 40 times"):
        boosted.fit(X, LABELS)
    assert boosted.score(X, LABELS) > 0.9
    boosted.set_params(estimator__alpha=0.0).fit(X, LABELS)


# -- outputs that are not finite -------------------------------------------------------------------


def linear(cls, columns, dtype="float32"):
    """Return a network without hidden layers that has these weights (3, C), and no biases."""
    y = {1: Y, 3: np.arange(40) % 3}[np.shape(columns)[1]]
    model = cls(hidden_layer_sizes=(), max_iter=1, dtype=dtype)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(X, (y > 0) if cls is MLPClassifier and len(np.unique(y)) > 3 else y)
    model.coefs_, model.intercepts_ = [columns], [np.zeros(np.shape(columns)[1])]
    return model


#: Of four rows, two overflow under a weight of 10, to either side.
FAR = np.zeros((4, 3), np.float32)
FAR[1, 0], FAR[3, 0] = 1e38, -1e38
OVERFLOW = r"outputs are infinite or NaN in 2 of 4 rows \(first: row 1\), .* features' scale\.$"


def only_warning(call):
    """Return what the call gives, which warns once, and of nothing but an overflow."""
    with pytest.warns(RuntimeWarning, match=OVERFLOW) as caught:
        result = call()
    assert len(caught) == 1
    return result


def test_predictions_that_overflow():
    model = linear(MLPRegressor, [[10], [0], [0]])
    assert_array_equal(only_warning(lambda: model.predict(FAR)), [0, np.inf, 0, -np.inf])


def test_a_mean_that_overflows():
    model = MLPRegressor("poisson", (), max_iter=1)
    with pytest.warns(ConvergenceWarning):
        model.fit(X, Y > 0)
    model.coefs_, model.intercepts_ = [[[1e-36], [0], [0]]], [[0]]
    far = FAR.copy()
    far[3] = far[1]
    assert_array_equal(only_warning(lambda: model.predict(far)), [1, np.inf, 1, np.inf])


@pytest.mark.parametrize("method", ["predict", "predict_proba", "decision_function"])
def test_logits_that_overflow(method):
    model = linear(MLPClassifier, [[10, 0, -10], [0, 0, 0], [0, 0, 0]])
    only_warning(lambda: getattr(model, method)(FAR))


def test_of_two_classes_the_limit_is_a_probability():
    model = linear(MLPClassifier, [[10], [0], [0]])
    assert_array_equal(model.predict_proba(FAR)[:, 1], [0.5, 1, 0.5, 0])
    assert_array_equal(only_warning(lambda: model.decision_function(FAR)), [0, np.inf, 0, -np.inf])


@pytest.mark.filterwarnings("error")
def test_a_sum_that_overflows_is_no_output():
    model = linear(MLPRegressor, [[3], [0], [0]])
    assert np.isfinite(model.predict(np.abs(FAR))).all()


@few_epochs
def test_scored_labels_that_the_model_does_not_know():
    X, y = np.arange(8.0).reshape(-1, 1) / 8, np.arange(8) % 2
    model = MLPClassifier((2,), max_iter=2).fit(X, y)
    text = (
        r"^y has labels that the model does not know, \[2, 3\]: their rows are counted as "
        r"wrong; the classes are \[0, 1\]\.$"
    )
    with pytest.warns(UserWarning, match=text):
        assert model.score(X, y + 2) == 0.0
    model.score(X, np.zeros(8))  # a class that is missing is not worth a word
    model = MLPClassifier((2,), max_iter=2).fit(X, np.where(y, "yes", "no"))
    with pytest.warns(UserWarning, match=r"does not know, \['Yes'\]"):
        model.score(X, np.where(y, "Yes", "no"))
