"""scikit-learn's estimator checks, with no expected failures, on every backend."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from helpers_checks import WITHOUT_NUMBERS, checks_of
from numpy.testing import assert_allclose
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.estimator_checks import _enforce_estimator_tags_y

from fastmlp import MLPClassifier, MLPRegressor, TabularClassifier, TabularRegressor
from fastmlp.backends import BACKENDS
from fastmlp.registry import CLASSIFIER_LOSSES, REGRESSOR_LOSSES
from fastmlp.tabular import Recipe

#: Compare to 1e-7, which single precision cannot resolve; ``test_weights_as_repetitions`` checks
#: the same in float32 with a tolerance that it can.
NEED_DOUBLE = (
    "check_sample_weight_equivalence_on_dense_data",
    "check_sample_weight_equivalence_on_sparse_data",
)

#: Compares the type of a regressor's prediction with float64.
WANTS_DOUBLE = "check_regressor_multioutput"

#: Wants weights to be repetitions of rows, digit by digit. Which rows of a table are held out is
#: drawn by their numbers, and a repeated row may be on both sides; ``test_tabular`` holds that rows
#: of weight 0 do not matter, and that weights count.
BY_ROWS = "check_sample_weight_equivalence_on_dense_data"

OTHER_BACKENDS = [name for name in BACKENDS if name != "compiled"]

#: scikit-learn 1.6 makes two classes of three by the label of the first row. Its checks of weights
#: have other rows first in the two fits that they compare, and so other labels.
LABELS_BY_FIRST_ROW = _enforce_estimator_tags_y(
    MLPClassifier(loss="binary_cross_entropy"), np.array([1, 0, 2])
).tolist() != [1, 0, 1]

#: Trains on negative targets whatever the tags say; ``test_losses`` trains deviances on several.
FEEDS_NEGATIVE, DEVIANCES = "check_regressor_multioutput", ("poisson", "gamma", "tweedie")


def small(cls, backend, dtype):
    return cls(
        hidden_layer_sizes=(20,),
        learning_rate_init=0.02,
        max_iter=40,
        backend=backend,
        dtype=dtype,
        n_threads=1,
    )


def checks(dtype, backends, *left_out):
    """Return checks of both estimators on some backends."""
    return [
        pytest.param(estimator, check, id=f"{cls.__name__}-{name}-{title}")
        for name in backends
        for cls in (MLPClassifier, MLPRegressor)
        for title, estimator, check in checks_of(small(cls, name, dtype), *left_out)
    ]


def checks_of_losses():
    """Return the checks that see the loss, for each that takes labels or a number a target."""
    losses = [
        (MLPClassifier, name) for name, kinds in CLASSIFIER_LOSSES.items() if "binary" in kinds
    ]
    losses += [(MLPRegressor, name) for name in REGRESSOR_LOSSES]
    return [
        pytest.param(estimator, check, id=f"{name}-{title}")
        for cls, name in losses
        for title, estimator, check in checks_of(
            small(cls, "compiled", "float64").set_params(loss=name, max_iter=200), *WITHOUT_NUMBERS
        )
        if not (name in DEVIANCES and title == FEEDS_NEGATIVE)
        if not (name == "binary_cross_entropy" and title in NEED_DOUBLE and LABELS_BY_FIRST_ROW)
    ]


def checks_of_tables():
    """Return the checks of the models of raw tables."""
    recipe = Recipe(
        hidden_layer_sizes=(16,), max_iter=20, learning_rate_init=0.02, batch_size=32, dropout=0.0
    )
    return [
        pytest.param(estimator, check, id=f"{cls.__name__}-{title}")
        for cls in (TabularClassifier, TabularRegressor)
        for title, estimator, check in checks_of(cls(recipe=recipe, n_folds=2), BY_ROWS)
    ]


def run(check, estimator):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        warnings.filterwarnings("ignore", "y has only one class", RuntimeWarning)
        # Its weights of 1000 and 0.0001 make the penalties weaker, which is said.
        warnings.filterwarnings("ignore", "class_weight sums to", UserWarning)
        check(estimator)


@pytest.mark.parametrize(("estimator", "check"), checks("float64", ["compiled"]))
def test_every_check(estimator, check):
    run(check, estimator)


@pytest.mark.parametrize(("estimator", "check"), checks_of_tables())
def test_every_check_of_tables(estimator, check):
    run(check, estimator)


def test_the_checks_that_others_leave_out_are_made():
    titles = {t for cls in (MLPClassifier, MLPRegressor) for t, _, _ in checks_of(cls())}
    new = {"check_array_api_input"}  # scikit-learn 1.6 has it only for estimators that say so
    assert titles >= WITHOUT_NUMBERS - (set() if titles & new else new)


@pytest.mark.parametrize(
    ("estimator", "check"), checks("float64", OTHER_BACKENDS, *WITHOUT_NUMBERS)
)
def test_double_precision(estimator, check):
    run(check, estimator)


@pytest.mark.parametrize(("estimator", "check"), checks_of_losses())
def test_every_loss(estimator, check):
    run(check, estimator)


@pytest.mark.parametrize(
    ("estimator", "check"),
    checks("float32", BACKENDS, *NEED_DOUBLE, WANTS_DOUBLE, *WITHOUT_NUMBERS),
)
def test_single_precision(estimator, check):
    run(check, estimator)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("name", BACKENDS)
def test_weights_as_repetitions_in_single_precision(name):
    rng = np.random.RandomState(0)
    X, y, times = rng.rand(15, 6), rng.randint(0, 3, 15), rng.randint(0, 5, 15)
    model = small(MLPClassifier, name, "float32").set_params(random_state=0)
    weighted = model.fit(X, y, sample_weight=times).predict_proba(X)
    repeated = model.fit(X.repeat(times, axis=0), y.repeat(times)).predict_proba(X)
    assert_allclose(weighted, repeated, rtol=1e-3, atol=1e-5)
