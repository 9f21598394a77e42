"""A model and its twin take the same random steps, but only the model is saved, pickled and copied.

After each step both must predict the same bits, and know the same of themselves. What is refused
must be refused alike, and change nothing.
"""

from __future__ import annotations

import copy
import pickle
import tempfile
import warnings
from pathlib import Path

import numpy as np
import pytest
from helpers_hard import so_many
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

import fastmlp
from fastmlp import MLPClassifier, MLPRegressor, TabularClassifier, TabularRegressor
from fastmlp.schedules import Cosine
from fastmlp.tabular import Recipe

RNG = np.random.default_rng(0)
#: By their number of columns; the second has more rows than a batch.
INPUTS = {2: RNG.normal(size=(9, 2)), 5: RNG.normal(size=(60, 5)).astype(np.float32)}
WIDTHS = sorted(INPUTS)
LABELS = {width: np.where(X[:, 0] > 0, "yes", "no") for width, X in INPUTS.items()}
NUMBERS = {width: X[:, 0] + X[:, 1] ** 2 for width, X in INPUTS.items()}
TABLES = {
    width: [[*map(float, row[1:]), "abc"[i % 3]] for i, row in enumerate(X)]
    for width, X in INPUTS.items()
}

PARAMETERS = {
    "hidden_layer_sizes": [(3,), (4, 2), ()],
    "solver": ["adam", "sgd", "lbfgs", "lion"],
    "activation": ["relu", "tanh", "gelu"],
    "learning_rate": ["constant", "adaptive", Cosine()],
    "batch_size": ["auto", 4],
    "max_iter": [1, 4],
    "early_stopping": [False, True],
    "warm_start": [False, True],
    "normalization": [None, "batch", "layer"],
    "dropout": [0.0, 0.3],
    "averaging": [None, "ema"],
    "dtype": ["float32", "float64"],
    "n_threads": [1, 2, 3],
    "random_state": [0, 1],
    "alpha": [0.0, 0.1],
}
#: Each alone makes every fit an error.
WRONG_PARAMETERS = {"alpha": -1.0, "solver": "none", "max_iter": 0, "hidden_layer_sizes": (0,)}

RECIPE = Recipe(hidden_layer_sizes=(3,), max_iter=2, batch_size=8)
PARAMETERS_OF_TABLES = {
    "recipe": [RECIPE, RECIPE.with_(embedding="pbld", scaling_layer=True, activation="tanh")],
    "n_folds": [1, 2],
    "n_members": [None, 2],
    "refit": [False, True],
    "validation_fraction": [0.15, 0.4],
    "categorical_features": ["auto", [0]],
    "drop": [None, [0]],
    "n_threads": [1, 2],
    "random_state": [0, 1],
}
WRONG_PARAMETERS_OF_TABLES = {"n_folds": 0, "recipe": "none", "drop": ["none"], "metric": "none"}


def assert_same(one, other):
    np.testing.assert_array_equal(one, other, strict=isinstance(other, np.ndarray))


def outcome(call):
    """Return what a call raises, as type and text; None if nothing."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            call()
        except Exception as error:
            return type(error), str(error)
    return None


class Twins(RuleBasedStateMachine):
    """What all models must go through."""

    inputs, targets, makes = INPUTS, LABELS, MLPClassifier
    parameters, wrong_parameters = PARAMETERS, WRONG_PARAMETERS
    width: int | None

    def make(self):
        return self.makes(random_state=0, max_iter=2)

    def __init__(self):
        super().__init__()
        self.model, self.twin, self.width = self.make(), self.make(), None
        self._folder = tempfile.TemporaryDirectory()
        self.path = Path(self._folder.name) / "model.fastmlp"

    def teardown(self):
        self._folder.cleanup()

    @property
    def is_fitted(self):
        return self.width is not None

    def both(self, call):
        """Do the same to both; return whether it was done to both, and not refused by both."""
        first, second = (outcome(lambda each=each: call(each)) for each in (self.model, self.twin))
        assert first == second
        return first is None

    def said(self):
        """Return what the model predicts, None before the first fit."""
        return self.model.predict(self.inputs[self.width]) if self.is_fitted else None

    # -- learning ---------------------------------------------------------------------------------

    @rule(width=st.sampled_from(WIDTHS))
    def fit(self, width):
        if self.both(lambda model: model.fit(self.inputs[width], self.targets[width])):
            self.width = width

    @rule(width=st.sampled_from(WIDTHS), what=st.sampled_from(["rows", "y", "X", "weights"]))
    def fit_of_wrong_data_changes_nothing(self, width, what):
        X, y, before = self.inputs[width], self.targets[width], self.said()
        wrong = {
            "rows": (X, y[:-1]),
            "y": (X, None),
            "X": (X[0], y),
            "weights": (X, y, np.full(len(y), -1.0)),
        }[what]
        assert not self.both(lambda model: model.fit(*wrong))
        assert_same(self.said(), before)

    # -- parameters -------------------------------------------------------------------------------

    @rule(data=st.data())
    def set_params(self, data):
        name = data.draw(st.sampled_from(sorted(self.parameters)))
        value, before = data.draw(st.sampled_from(self.parameters[name])), self.said()
        assert self.both(lambda model: model.set_params(**{name: value}))
        assert_same(self.said(), before)

    @rule(data=st.data())
    def wrong_parameters_change_nothing(self, data):
        name = data.draw(st.sampled_from(sorted(self.wrong_parameters)))
        before, value = self.said(), getattr(self.model, name)
        self.both(lambda model: model.set_params(**{name: self.wrong_parameters[name]}))
        assert not self.both(lambda model: model.fit(self.inputs[2], self.targets[2]))
        self.both(lambda model: model.set_params(**{name: value}))
        assert_same(self.said(), before)

    @rule()
    def unknown_parameters_change_nothing(self):
        assert not self.both(lambda model: model.set_params(no_such_parameter=1))

    # -- copies -----------------------------------------------------------------------------------

    @rule()
    def pickle(self):
        self.model = pickle.loads(pickle.dumps(self.model))

    @rule()
    def copy(self):
        self.model = copy.deepcopy(self.model)

    @rule()
    def save_and_load(self):
        if not self.is_fitted:
            with pytest.raises(NotFittedError):
                self.model.save(self.path)
            return
        self.model.save(self.path)
        self.model = fastmlp.load(self.path)

    @rule()
    def clone(self):
        """The model itself stays as it was."""
        made = clone(self.model)
        assert not made.__sklearn_is_fitted__()
        assert repr(made.get_params()) == repr(self.model.get_params())
        with pytest.raises(NotFittedError):
            made.predict(self.inputs[2])

    @rule()
    def begin_anew(self):
        self.model, self.twin, self.width = clone(self.model), clone(self.twin), None

    # -- what always holds ------------------------------------------------------------------------

    @precondition(lambda self: self.is_fitted)
    @rule(width=st.sampled_from(WIDTHS))
    def predict_looks_at_the_number_of_columns(self, width):
        assert self.both(lambda model: model.predict(self.inputs[width])) == (width == self.width)

    @invariant()
    def parameters_are_alike(self):
        assert repr(self.model.get_params()) == repr(self.twin.get_params())

    @invariant()
    def both_are_alike(self):
        assert self.model.__sklearn_is_fitted__() == self.is_fitted
        if not self.is_fitted:
            with pytest.raises(NotFittedError):
                self.model.predict(self.inputs[2])
            return
        assert self.model.n_features_in_ == self.twin.n_features_in_ == self.width
        X = self.inputs[self.width]
        assert_same(self.model.predict(X), self.twin.predict(X))
        if hasattr(self.model, "predict_proba"):
            assert_same(self.model.predict_proba(X), self.twin.predict_proba(X))


class Networks(Twins):
    """What models of numbers can do beyond that."""

    @rule(width=st.sampled_from(WIDTHS))
    def nan_changes_nothing(self, width):
        X, before = self.inputs[width].copy(), self.said()
        X[-1, -1] = np.nan
        assert not self.both(lambda model: model.fit(X, self.targets[width]))
        assert_same(self.said(), before)

    @rule(width=st.sampled_from(WIDTHS), times=st.integers(1, 3))
    def partial_fit(self, width, times):
        for _ in range(times):
            before = self.said()
            if self.both(lambda model: self.go_on(model, width)):
                assert self.width in (None, width)
                self.width = width
            else:
                assert_same(self.said(), before)

    def go_on(self, model, width):
        model.partial_fit(self.inputs[width], self.targets[width])

    @precondition(lambda self: self.is_fitted)
    @rule(n_threads=st.sampled_from([None, 1, 2]))
    def predictor(self, n_threads):
        predict = fastmlp.Predictor(self.model, n_threads=n_threads)
        again, X = pickle.loads(pickle.dumps(predict)), self.inputs[self.width]
        assert_same(predict(X), again(X))
        assert_same(predict(X), fastmlp.Predictor(self.twin)(X))


class Classifiers(Networks):
    """Their labels are texts."""

    def go_on(self, model, width):
        classes = None if model.__sklearn_is_fitted__() else ["no", "yes"]
        model.partial_fit(self.inputs[width], self.targets[width], classes=classes)


class Regressors(Networks):
    """Their targets are real."""

    targets, makes = NUMBERS, MLPRegressor


class Tables(Twins):
    """Models of raw tables, which have neither ``partial_fit`` nor a ``Predictor``."""

    inputs, makes = TABLES, TabularClassifier
    parameters, wrong_parameters = PARAMETERS_OF_TABLES, WRONG_PARAMETERS_OF_TABLES

    def make(self):
        return self.makes(recipe=RECIPE, n_folds=1, random_state=0)


class TablesOfNumbers(Tables):
    """Their targets are real."""

    targets, makes = NUMBERS, TabularRegressor


@pytest.mark.parametrize(
    ("machine", "examples"),
    [
        (Classifiers, so_many(25, 200)),
        (Regressors, so_many(25, 200)),
        (Tables, so_many(5, 40)),
        (TablesOfNumbers, so_many(5, 40)),
    ],
)
def test_random_steps(machine, examples):
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=20,
            derandomize=True,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            database=None,
        ),
    )
