"""Small fitted models of every kind, for tests of model files, and what shows that two are alike.

Functions of the user's lie here, so that a process of its own can import them.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from functools import cache
from typing import Any

import numpy as np
from helpers_custom import half_square, half_square_slope, tanh, tanh_slope

from fastmlp import (
    McCullochPittsNeuron,
    MLPClassifier,
    MLPRegressor,
    Predictor,
    RosenblattPerceptron,
    TabularClassifier,
    TabularRegressor,
)
from fastmlp.custom import custom_activation, custom_loss
from fastmlp.embeddings import PBLD, Categories, PiecewiseLinear
from fastmlp.schedules import Cosine, ReduceOnPlateau, Step
from fastmlp.tabular import Recipe

RNG = np.random.default_rng(0)
X = RNG.normal(size=(40, 4)).astype(np.float32)
X[:, 3] = np.arange(40) % 5
NUMBERS = X[:, 0] + X[:, 1] ** 2
WORDS = np.where(X[:, 0] > 0, "yes", "no")
BANDS = np.digitize(X[:, 0], [-0.5, 0.5])

QUICK: Mapping[str, Any] = {"max_iter": 3, "random_state": 0}
RECIPE = Recipe(inputs=("pieces", "places"), n_pieces=3, n_angles=2, hidden_layer_sizes=(4,))
TABULAR: Mapping[str, Any] = {
    "recipe": RECIPE.with_(max_iter=3, batch_size=16, max_levels=2),
    "n_folds": 2,
    "random_state": 0,
}


def table() -> list[list[Any]]:
    """Return rows of a raw table with a column of each kind."""
    colours = ["red", None, "blue", "red", "green"]
    return [
        [float(row[0]), colours[i % 5], bool(row[1] > 0), f"{2000 + i % 7}", np.datetime64(i, "D")]
        for i, row in enumerate(X)
    ]


def own_activation() -> Any:
    """Return an activation that a user wrote."""
    return custom_activation(tanh, tanh_slope)


def own_loss() -> Any:
    """Return a loss that a user wrote."""
    return custom_loss(half_square, half_square_slope)


def halving(clock: Any) -> float:
    """Return a factor of the learning rate, as a user might."""
    return float(0.5 ** np.floor(clock.epoch))


def own_objects() -> dict[str, Any]:
    """Return what a user has to give back."""
    return {"tanh": own_activation(), "half_square": own_loss(), "halving": halving}


@cache
def own_objects_once() -> dict[str, Any]:
    """Return the same of them each time, since making one compiles it."""
    return own_objects()


def classifiers() -> dict[str, tuple[Any, Any, Any]]:
    """Return classifiers by name, with what they learn from; not fitted."""
    objects = np.array([None if word is None else str(word) for word in WORDS], object)
    return {
        "words": (MLPClassifier((5,), solver="sgd", normalization="batch", **QUICK), X, WORDS),
        "integers": (MLPClassifier((5, 4), dropout=0.2, n_groups=2, **QUICK), X, BANDS - 5),
        "booleans": (MLPClassifier((5,), class_weight={True: 3}, **QUICK), X, X[:, 0] > 0),
        "objects": (MLPClassifier((5,), class_weight={"yes": 2, "no": 0.5}, **QUICK), X, objects),
        "indicators": (MLPClassifier((5,), dtype="float64", **QUICK), X, (X > 0) * 1),
        "distributions": (MLPClassifier((5,), **QUICK), X, np.full((40, 3), 1 / 3)),
        "one class": (MLPClassifier((5,), **QUICK), X, np.ones(40, int)),
        "waves and levels": (
            MLPClassifier(
                (5,),
                numeric_embedding=PBLD(n_frequencies=2, width=2),
                categorical_features=(3,),
                scaling_layer=True,
                parametric_activation=True,
                **QUICK,
            ),
            X,
            BANDS,
        ),
        "perceptron": (RosenblattPerceptron(max_iter=3, random_state=0), X, WORDS),
        "neuron": (McCullochPittsNeuron([1, 2, 3, 4.5], threshold=2), X, WORDS),
    }


def regressors() -> dict[str, tuple[Any, Any, Any]]:
    """Return regressors by name, with what they learn from; not fitted."""
    q = {"hidden_layer_sizes": (5,), **QUICK}
    state = np.random.RandomState(3)
    state.normal()
    return {
        "scheduled": (
            MLPRegressor(learning_rate=ReduceOnPlateau(), dropout=0.1 * Step(2), **q),
            X,
            NUMBERS,
        ),
        "random state": (MLPRegressor(**{**q, "random_state": state}), X, NUMBERS),
        "stopped early": (
            MLPRegressor(early_stopping=True, averaging="ema", solver="adamw", **q),
            X,
            NUMBERS,
        ),
        "quantiles": (MLPRegressor(loss="pinball", quantiles=(0.1, 0.9), **q), X, NUMBERS),
        "deviations": (MLPRegressor(loss="gaussian_nll", **q), X, X[:, :2]),
        "members": (MLPRegressor(n_members=3, solver="lamb", **q), X, NUMBERS),
        "lbfgs": (MLPRegressor(solver="lbfgs", **q), X, NUMBERS),
        "bins and a table": (
            MLPRegressor(
                numeric_embedding=PiecewiseLinear(n_bins=3, width=2),
                categorical_features=[3],
                category_embedding=Categories(width=2, one_hot=0),
                **q,
            ),
            X,
            NUMBERS,
        ),
        "given weights": (
            MLPRegressor(init=[(np.ones((4, 5)), np.zeros(5)), np.ones((5, 1))], **q),
            X,
            NUMBERS,
        ),
        "own functions": (
            MLPRegressor(activation=own_activation(), loss=own_loss(), learning_rate=halving, **q),
            X,
            NUMBERS,
        ),
        "a cosine": (MLPRegressor(learning_rate=Cosine(T_0=2), **q), X, NUMBERS),
    }


def tabulars() -> dict[str, tuple[Any, Any, Any]]:
    """Return models of raw tables by name, with what they learn from; not fitted."""
    skewed = np.exp(2 * NUMBERS)
    ordinal = {"ordinal_features": {3: [str(2000 + i) for i in range(7)]}}
    waves = TABULAR["recipe"].with_(inputs=(), embedding="plr", transform="quantile")
    named = np.array(table(), object)
    return {
        "table of words": (TabularClassifier(**TABULAR, **ordinal), table(), WORDS),
        "skewed table": (TabularRegressor(**{**TABULAR, "recipe": waves}), named, skewed),
        "table of logarithms": (
            TabularRegressor(target_transform="log", **TABULAR, **ordinal),
            table(),
            skewed,
        ),
        "table of quantiles": (
            TabularRegressor("pinball", quantiles=[0.2, 0.8], **TABULAR, **ordinal),
            table(),
            NUMBERS,
        ),
    }


def fitted(model: Any, inputs: Any, target: Any) -> Any:
    """Return a model after a fit that warns of nothing."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return model.fit(inputs, target)


def prepared() -> tuple[Predictor, Any, None]:
    """Return a model made ready for many calls, and what it predicts for."""
    return Predictor(fitted(*regressors()["deviations"])), X, None


def answers(model: Any, inputs: Any) -> list[Any]:
    """Return all that a model says of its inputs and of itself."""
    if isinstance(model, Predictor):
        return [model(inputs)]
    said = [model.predict(inputs)]
    said += [model.predict_proba(inputs)] if hasattr(model, "predict_proba") else []
    names = ("classes_", "history_", "loss_curve_", "n_iter_", "t_", "coefs_", "mistakes_curve_")
    names += ("n_features_in_", "best_loss_", "validation_scores_", "stop_reason_", "columns_")
    return [*said, *(repr(getattr(model, name, None)) for name in names)]
