"""scikit-learn's own tests of its MLP, run on fastmlp's classes.

The tests are those of the installed scikit-learn. Their module is executed anew, with our classes
in the place of scikit-learn's, so its parametrisations are made of ours too.
"""

from __future__ import annotations

import functools
import importlib.util
import inspect
from collections.abc import Callable
from types import ModuleType
from typing import Any, NamedTuple
from unittest import mock

import numpy as np
import pytest
import sklearn.neural_network
from sklearn.datasets import make_multilabel_classification

import fastmlp


def _with_the_dtype_of_X(cls: type) -> Any:
    """Return a subclass that, as scikit-learn's class does, computes in the dtype of X."""

    @functools.wraps(cls.__init__)
    def init(self, *args, **parameters):
        cls.__init__(self, *args, **{"dtype": "auto", **parameters})

    return type(cls.__name__, (cls,), {"__init__": init, "__module__": __name__})


MLPClassifier = _with_the_dtype_of_X(fastmlp.MLPClassifier)
MLPRegressor = _with_the_dtype_of_X(fastmlp.MLPRegressor)


def _suite() -> ModuleType:
    """Return a copy of scikit-learn's test module that has imported our classes."""
    spec = importlib.util.find_spec("sklearn.neural_network.tests.test_mlp")
    module = importlib.util.module_from_spec(spec)
    ours = {"MLPClassifier": MLPClassifier, "MLPRegressor": MLPRegressor}
    with mock.patch.multiple(sklearn.neural_network, **ours):
        spec.loader.exec_module(module)
    return module


SUITE = _suite()


class Failure(NamedTuple):
    """How a test fails, why that is so, and what its error says (a regular expression)."""

    raises: type[BaseException]
    reason: str
    text: str = ""


#: Tests that do not pass: a test's name stands for all its parametrisations. One that begins to
#: pass, fails in another way or is gone from the suite is an error.
NOT_PASSED = {
    # What only private attributes tell.
    "test_fit": Failure(
        AttributeError,
        "sets weights and private attributes before any fit; init= gives first weights",
        "is not fitted yet",
    ),
    "test_gradient": Failure(
        AttributeError, "calls _loss_grad_lbfgs; gradient() is public", "'_loss_grad_lbfgs'"
    ),
    "test_learning_rate_warmstart": Failure(
        AttributeError, "reads _optimizer; callbacks are told the learning rate", "'_optimizer'"
    ),
    "test_adaptive_learning_rate": Failure(
        AttributeError, "reads _optimizer; callbacks are told the learning rate", "'_optimizer'"
    ),
    "test_n_iter_no_change": Failure(
        AttributeError, "reads _no_improvement_count", "'_no_improvement_count'"
    ),
    "test_n_iter_no_change_inf": Failure(
        AttributeError, "reads _no_improvement_count", "'_no_improvement_count'"
    ),
    # What fastmlp does otherwise on purpose.
    "test_predict_proba_multilabel": Failure(
        AssertionError,
        "log-probabilities come from logits, so that they differ where probabilities round to 1",
        "Arrays are not equal",
    ),
}

if "class in y has only" in inspect.getsource(SUITE.test_early_stopping_stratified):
    NOT_PASSED["test_early_stopping_stratified"] = Failure(
        AssertionError,
        "wants the text of scikit-learn 1.6; later ones name the classes too",
        "classes in y have",
    )


def _as_expected(name: str, test: Callable[..., None]) -> Callable[..., None]:
    """Return the test, or one that must fail as the table says and then counts as such."""
    failure = NOT_PASSED.get(name)
    if failure is None:
        return test

    @functools.wraps(test)
    def fails(*args: Any, **parameters: Any) -> None:
        with pytest.raises(failure.raises, match=failure.text):
            test(*args, **parameters)
        pytest.xfail(failure.reason)

    return fails


TESTS = {name: test for name, test in vars(SUITE).items() if name.startswith("test_")}
globals().update({name: _as_expected(name, test) for name, test in TESTS.items()})

#: scikit-learn's own runs don't mind its warning that max_iter was reached, and it has no warning
#: of one class. Others are errors.
pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    pytest.mark.filterwarnings("ignore:y has only one class:RuntimeWarning"),
]


@pytest.fixture(autouse=True)
def _seeded() -> None:
    """Seed what a test leaves unseeded."""
    np.random.seed(0)  # noqa: NPY002 - random_state=None draws from it


@pytest.fixture
def global_random_seed() -> int:
    """Return what scikit-learn's own fixture of this name is by default."""
    return 42


def test_the_suite_has_our_classes():
    assert SUITE.MLPClassifier is MLPClassifier
    assert SUITE.MLPRegressor is MLPRegressor
    assert MLPClassifier().dtype == MLPRegressor().dtype == "auto"


def test_the_table_names_tests_of_the_suite():
    assert set(TESTS) >= set(NOT_PASSED)


def test_a_test_that_begins_to_pass_is_an_error(monkeypatch):
    monkeypatch.setitem(NOT_PASSED, "test_any", Failure(ValueError, "why", "text"))
    with pytest.raises(pytest.fail.Exception, match="DID NOT RAISE"):
        _as_expected("test_any", lambda: None)()


def test_probabilities_of_several_labels_told_in_public():
    """The rest of ``test_predict_proba_multilabel``: log p is largest where p is, but for ties."""
    X, Y = make_multilabel_classification(50, random_state=0, return_indicator=True)
    model = MLPClassifier(30, solver="lbfgs", random_state=0).fit(X, Y)
    p, log_p = model.predict_proba(X), model.predict_log_proba(X)
    np.testing.assert_array_equal(p > 0.5, Y)
    assert np.square(p.sum(axis=1) - 1).sum() > 1e-10
    np.testing.assert_allclose(np.exp(log_p), p)
    largest = np.take_along_axis(p, log_p.argmax(axis=1, keepdims=True), axis=1)
    np.testing.assert_array_equal(largest[:, 0], p.max(axis=1))


def _rates(max_iter: int, **policy: Any) -> list[float]:
    """Return the learning rate after each epoch of two warm-started fits."""
    rates: list[float] = []
    model = MLPClassifier(
        4,
        solver="sgd",
        max_iter=max_iter,
        warm_start=True,
        callbacks=[lambda record: rates.append(record.learning_rate)],
        **policy,
    )
    for _ in range(2):
        model.fit([[3, 2], [1, 6], [5, 6], [-2, -4]], [1, 1, 1, 0])
    return rates


def test_learning_rate_of_a_warm_start_told_in_public():
    assert _rates(1, learning_rate="constant") == [0.001, 0.001]
    # 4 rows, then 8, have been seen.
    expected = [0.001 / 5**0.25, 0.001 / 9**0.25]
    assert _rates(1, learning_rate="invscaling", power_t=0.25) == pytest.approx(expected)


def test_adaptive_learning_rate_told_in_public():
    rates = _rates(3000, learning_rate="adaptive", tol=0.5)
    assert 1e-6 / 5 < rates[-1] < 1e-6
