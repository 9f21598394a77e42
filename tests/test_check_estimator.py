"""scikit-learn's estimator checks, with no expected failures, on every backend."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.estimator_checks import estimator_checks_generator

from fastmlp import MLPClassifier, MLPRegressor
from fastmlp.backends import BACKENDS
from fastmlp.registry import CLASSIFIER_LOSSES, REGRESSOR_LOSSES

#: Compares to 1e-7, which single precision cannot resolve; ``test_weights_as_repetitions`` checks
#: the same in float32 with a tolerance that it can.
NEEDS_DOUBLE = "check_sample_weight_equivalence_on_dense_data"

#: Compares the type of a regressor's prediction with float64.
WANTS_DOUBLE = "check_regressor_multioutput"

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


def checks(dtype, left_out=()):
    """Return every check of both estimators on every backend."""
    return [
        pytest.param(estimator, check, id=f"{cls.__name__}-{name}-{title(check)}")
        for name in BACKENDS
        for cls in (MLPClassifier, MLPRegressor)
        for estimator, check in estimator_checks_generator(small(cls, name, dtype))
        if title(check) not in left_out
    ]


def title(check):
    return getattr(check, "func", check).__name__


def checks_of_losses():
    """Return every check of every loss that takes labels, or one number a row and target."""
    losses = [
        (MLPClassifier, name) for name, kinds in CLASSIFIER_LOSSES.items() if "binary" in kinds
    ]
    losses += [(MLPRegressor, name) for name in REGRESSOR_LOSSES]
    return [
        pytest.param(estimator, check, id=f"{name}-{title(check)}")
        for cls, name in losses
        for estimator, check in estimator_checks_generator(
            small(cls, "compiled", "float64").set_params(loss=name, max_iter=200)
        )
        if not (name in DEVIANCES and title(check) == FEEDS_NEGATIVE)
    ]


def run(check, estimator):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        warnings.filterwarnings("ignore", "y has one class only", RuntimeWarning)
        # Its weights of 1000 and 0.0001 make the penalties weaker, which is said.
        warnings.filterwarnings("ignore", "class_weight sums to", UserWarning)
        check(estimator)


@pytest.mark.parametrize(("estimator", "check"), checks("float64"))
def test_double_precision(estimator, check):
    run(check, estimator)


@pytest.mark.parametrize(("estimator", "check"), checks_of_losses())
def test_every_loss(estimator, check):
    run(check, estimator)


@pytest.mark.parametrize(
    ("estimator", "check"), checks("float32", left_out=(NEEDS_DOUBLE, WANTS_DOUBLE))
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
