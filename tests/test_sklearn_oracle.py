"""scikit-learn's own MLP is the oracle: in double precision we follow it number by number."""

from __future__ import annotations

import warnings
from inspect import signature

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn import neural_network as oracle
from sklearn.datasets import (
    make_classification,
    make_multilabel_classification,
    make_regression,
)
from sklearn.exceptions import ConvergenceWarning
from sklearn.preprocessing import StandardScaler

import fastmlp

RTOL = 1e-8
N_EPOCHS = 22

SOLVERS = {
    "sgd": {"solver": "sgd", "momentum": 0.0, "nesterovs_momentum": False},
    "momentum": {"solver": "sgd", "momentum": 0.8, "nesterovs_momentum": False},
    "nesterov": {"solver": "sgd", "momentum": 0.9, "nesterovs_momentum": True},
    "adam": {"solver": "adam"},
}
#: What scikit-learn's own networks take from version 1.7 on.
ORACLE_WEIGHS = "sample_weight" in signature(oracle.MLPClassifier.fit).parameters
weighed = pytest.mark.skipif(
    not ORACLE_WEIGHS, reason="scikit-learn's MLP takes no sample_weight here"
)
WEIGHTED = [False, pytest.param(True, marks=weighed)]

TASKS = ("binary", "multiclass", "multilabel", "regression", "regression-3")


@pytest.fixture(params=["compiled", "numpy"])
def backend_name(request):
    return request.param


def make_task(task):
    """Return (X, y, class name) of 137 rows, so that no usual batch size divides them."""
    common = {"n_samples": 137, "n_features": 7, "random_state": 3}
    if task == "multilabel":
        X, y = make_multilabel_classification(n_classes=4, **common)
    elif task.startswith("regression"):
        X, y = make_regression(n_targets=3 if task.endswith("3") else 1, **common)
        y = y / y.std()
    else:
        n_classes = 2 if task == "binary" else 4
        X, y = make_classification(n_classes=n_classes, n_informative=5, **common)
        y = np.array(["dog", "cat", "eel", "bat"])[y]
    name = "MLPRegressor" if task.startswith("regression") else "MLPClassifier"
    return StandardScaler().fit_transform(X), y, name


def pair(name, backend, **parameters):
    """Return the same estimator of both libraries."""
    defaults = {
        "hidden_layer_sizes": (9, 6),
        "max_iter": N_EPOCHS,
        "random_state": 11,
        "learning_rate_init": 0.01,
        "tol": 0.0,
        "alpha": 0.02,
        "batch_size": 32,
    }
    settings = {**defaults, **parameters}
    ours = getattr(fastmlp, name)(dtype="float64", backend=backend, **settings)
    return ours, getattr(oracle, name)(**settings)


def weights_of(n_rows, weighted):
    """Return the keywords of a fit: weights of rows, or none."""
    weights = np.random.RandomState(5).uniform(0.1, 3.0, n_rows)
    return {"sample_weight": weights} if weighted else {}


def fit(model, *args, **kwargs):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return model.fit(*args, **kwargs)


def assert_same(ours, theirs):
    """Hold every number that both libraries publish against each other."""
    assert ours.n_iter_ == theirs.n_iter_
    assert ours.t_ == theirs.t_
    assert ours.out_activation_ == theirs.out_activation_
    assert (ours.n_layers_, ours.n_outputs_) == (theirs.n_layers_, theirs.n_outputs_)
    assert_allclose(ours.loss_curve_, theirs.loss_curve_, rtol=RTOL)
    assert_allclose(ours.loss_, theirs.loss_, rtol=RTOL)
    pairs = zip(ours.coefs_ + ours.intercepts_, theirs.coefs_ + theirs.intercepts_, strict=True)
    for mine, other in pairs:
        assert_allclose(mine, other, rtol=RTOL, atol=RTOL * np.abs(other).max())


@pytest.mark.parametrize("weighted", WEIGHTED)
@pytest.mark.parametrize("solver", ["nesterov", "adam"])
@pytest.mark.parametrize("n_targets", [1, 3])
@pytest.mark.skipif(
    "loss" not in signature(oracle.MLPRegressor).parameters,
    reason="scikit-learn's MLP has one loss here",
)
def test_poisson_regression(n_targets, solver, weighted, backend_name):
    X, y, name = make_task("regression-3")
    counts = np.random.RandomState(2).poisson(np.exp(y)).astype(float)
    counts = counts[:, 0] if n_targets == 1 else counts
    settings = {**SOLVERS[solver], "loss": "poisson", "learning_rate_init": 0.002}
    ours, theirs = pair(name, backend_name, **settings)
    for model in (ours, theirs):
        fit(model, X, counts, **weights_of(len(X), weighted))
    assert_same(ours, theirs)
    assert_allclose(ours.predict(X), theirs.predict(X), rtol=1e-7)
    assert_allclose(ours.score(X, counts), theirs.score(X, counts), rtol=1e-7)


def compare(task, backend, *, weighted=False, min_epochs=N_EPOCHS, **parameters):
    """Fit both on a task and compare; return both."""
    X, y, name = make_task(task)
    if y.dtype.kind == "U" and "early_stopping" in parameters:
        y = np.unique(y, return_inverse=True)[
            1
        ]  # scikit-learn 1.6 fails there if classes are words
    ours, theirs = pair(name, backend, **parameters)
    for model in (ours, theirs):
        fit(model, X, y, **weights_of(len(X), weighted))
    assert ours.n_iter_ >= min_epochs
    assert_same(ours, theirs)
    return ours, theirs, X, y


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("task", TASKS)
def test_every_task_with_every_solver(task, solver, backend_name):
    ours, theirs, X, _ = compare(task, backend_name, **SOLVERS[solver])
    if task.startswith("regression"):
        assert_allclose(ours.predict(X), theirs.predict(X), rtol=1e-7)
    else:
        assert_array_equal(ours.predict(X), theirs.predict(X))
        assert_allclose(ours.predict_proba(X), theirs.predict_proba(X), rtol=1e-7)
        assert_allclose(ours.predict_log_proba(X), theirs.predict_log_proba(X), rtol=1e-6)


@pytest.mark.parametrize("activation", ["identity", "logistic", "tanh", "relu"])
@pytest.mark.parametrize("solver", ["nesterov", "adam"])
def test_every_activation(activation, solver, backend_name):
    compare("multiclass", backend_name, activation=activation, **SOLVERS[solver])


@pytest.mark.parametrize("policy", ["constant", "invscaling", "adaptive"])
@pytest.mark.parametrize("solver", ["sgd", "momentum", "nesterov"])
def test_every_learning_rate_policy(policy, solver, backend_name):
    # tol and patience make the adaptive policy shrink the rate within the epochs compared.
    compare(
        "multiclass",
        backend_name,
        **SOLVERS[solver],
        learning_rate=policy,
        learning_rate_init=0.1,
        power_t=0.3,
        tol=0.05 if policy == "adaptive" else 0.0,
        n_iter_no_change=2 if policy == "adaptive" else 10,
    )


@weighed
@pytest.mark.parametrize("solver", ["nesterov", "adam"])
@pytest.mark.parametrize("task", TASKS)
def test_sample_weights(task, solver, backend_name):
    compare(task, backend_name, weighted=True, **SOLVERS[solver])


@pytest.mark.parametrize("batch_size", [1, 10, 50, 137, "auto"])
@pytest.mark.parametrize("shuffle", [True, False])
def test_batch_sizes_and_order(batch_size, shuffle, backend_name):
    compare("binary", backend_name, batch_size=batch_size, shuffle=shuffle)


@pytest.mark.parametrize("weighted", WEIGHTED)
@pytest.mark.parametrize("task", TASKS)
def test_early_stopping(task, weighted, backend_name):
    ours, theirs, *_ = compare(
        task,
        backend_name,
        weighted=weighted,
        early_stopping=True,
        validation_fraction=0.2,
        n_iter_no_change=N_EPOCHS,
    )
    assert_allclose(ours.validation_scores_, theirs.validation_scores_, rtol=1e-7)
    assert_allclose(ours.best_validation_score_, theirs.best_validation_score_, rtol=1e-7)
    assert ours.best_loss_ is None
    assert theirs.best_loss_ is None


@pytest.mark.parametrize("early_stopping", [False, True])
def test_the_same_epoch_ends_the_fit(early_stopping, backend_name):
    ours, theirs, *_ = compare(
        "multiclass",
        backend_name,
        max_iter=300,
        tol=0.01,
        n_iter_no_change=5,
        early_stopping=early_stopping,
        min_epochs=7,
    )
    assert ours.n_iter_ < 300
    if not early_stopping:
        assert_allclose(ours.best_loss_, theirs.best_loss_, rtol=RTOL)


@pytest.mark.parametrize("seed", [0, "shared"])
@pytest.mark.parametrize("weighted", WEIGHTED)
@pytest.mark.parametrize("solver", ["nesterov", "adam"])
def test_partial_fit(solver, weighted, seed, backend_name):
    X, y, name = make_task("multiclass")
    ours, theirs = pair(name, backend_name, **SOLVERS[solver])
    for model in (ours, theirs):
        # A RandomState goes on from call to call, an integer begins anew in each.
        model.set_params(random_state=np.random.RandomState(4) if seed == "shared" else seed)
        for _ in range(N_EPOCHS):
            model.partial_fit(X, y, classes=np.unique(y), **weights_of(len(X), weighted))
    assert len(ours.loss_curve_) == N_EPOCHS
    assert_same(ours, theirs)


def test_partial_fit_of_a_regressor_on_parts(backend_name):
    X, y, name = make_task("regression-3")
    policy = {"solver": "sgd", "learning_rate": "invscaling"}
    ours, theirs = pair(name, backend_name, batch_size=16, **policy)
    for model in (ours, theirs):
        for start in range(0, len(X), 40):
            for _ in range(6):
                model.partial_fit(X[start : start + 40], y[start : start + 40])
    assert_same(ours, theirs)


@pytest.mark.parametrize("solver", ["nesterov", "adam"])
def test_warm_start(solver, backend_name):
    X, y, name = make_task("binary")
    ours, theirs = pair(name, backend_name, **SOLVERS[solver], warm_start=True, max_iter=12)
    for model in (ours, theirs):
        fit(fit(model, X, y), X, y)
    assert len(ours.loss_curve_) == 24
    assert_same(ours, theirs)


@pytest.mark.parametrize("task", ["binary", "multiclass", "multilabel", "regression"])
def test_lbfgs_reaches_the_same_minimum(task, backend_name):
    X, y, name = make_task(task)
    ours, theirs = pair(
        name, backend_name, solver="lbfgs", alpha=1.0, activation="tanh", max_iter=25
    )
    fit(ours, X, y)
    fit(theirs, X, y)
    # A line search multiplies rounding errors, so only the value is compared so closely.
    assert_allclose(ours.loss_, theirs.loss_, rtol=1e-6)
    assert ours.n_iter_ == theirs.n_iter_
