"""One recipe, learnt: networks that each saw a part of the rows."""

from __future__ import annotations

import time
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from fastmlp.estimators import MLPClassifier, MLPRegressor
from fastmlp.schedules import OneCycle
from fastmlp.tables import EncodedTable
from fastmlp.tables.inputs import Inputs, fit_inputs
from fastmlp.tabular.problem import Problem
from fastmlp.tabular.recipe import Recipe
from fastmlp.tabular.split import Split

__all__ = ["Learner", "Member", "train"]


@dataclass(frozen=True, eq=False)
class Learner:
    """A network and what makes its inputs.

    Attributes
    ----------
    inputs : Inputs
    network : MLPClassifier or MLPRegressor
    n_classes : int
        0 for real targets.
    logarithm : bool
        Whether the network predicts the logarithm of the target.
    """

    inputs: Inputs
    network: Any
    n_classes: int
    logarithm: bool

    def predict(self, table: EncodedTable) -> np.ndarray:
        """Return probabilities (N, K) of all classes, or values (N,) or (N, C)."""
        X = self.inputs.matrix(table)
        if not self.n_classes:
            values: np.ndarray = self.network.predict(X).astype(np.float64)
            return np.exp(values) if self.logarithm else values
        probabilities = np.zeros((len(X), self.n_classes))
        probabilities[:, self.network.classes_] = self.network.predict_proba(X)
        return probabilities


@dataclass(frozen=True, eq=False)
class Member:
    """A recipe with its networks, one for each split.

    Attributes
    ----------
    name : str
    recipe : Recipe
    learners : tuple of Learner
    held_out : ndarray, shape (V,), (V, C) or (V, K)
        Predictions for the held-out rows, each by the networks that did not learn from it.
    error : float
        Of these.
    seconds : float
    """

    name: str
    recipe: Recipe
    learners: tuple[Learner, ...]
    held_out: np.ndarray
    error: float
    seconds: float

    def predict(self, table: EncodedTable) -> np.ndarray:
        """Return the mean of what the networks predict, (N, …)."""
        mean: np.ndarray = np.mean([each.predict(table) for each in self.learners], axis=0)
        return mean

    @property
    def n_epochs(self) -> int:
        """Epochs of the longest training."""
        return int(max(learner.network.n_iter_ for learner in self.learners))


def train(
    problem: Problem, recipe: Recipe, splits: list[Split], seed: int, time_limit: float | None
) -> Member:
    """Return what a recipe learns from each split."""
    began = time.perf_counter()
    learners: list[Learner] = []
    parts = []
    for split in splits:
        left = None if time_limit is None else time_limit - (time.perf_counter() - began)
        share = None if left is None else max(left / (len(splits) - len(learners)), 1e-3)
        learner = _learn(problem, recipe, split, seed, share)
        learners.append(learner)
        parts.append(learner.predict(problem.table.rows(split.held)))
    rows, held_out = np.concatenate([split.held for split in splits]), np.concatenate(parts)
    error = problem.error(held_out, rows)
    seconds = time.perf_counter() - began
    return Member(recipe.summary, recipe, tuple(learners), held_out, error, seconds)


def _learn(
    problem: Problem, recipe: Recipe, split: Split, seed: int, time_limit: float | None
) -> Learner:
    """Return a network that has learnt from the rows of a split."""
    table = problem.table.rows(split.train)
    inputs = fit_inputs(
        table,
        n_bins=recipe.n_pieces if "pieces" in recipe.inputs else 0,
        n_angles=recipe.n_angles if "places" in recipe.inputs else 0,
        n_pairs=recipe.n_pairs if "pairs" in recipe.inputs else 0,
        max_levels=recipe.max_levels,
        seed=seed,
    )
    X, X_val = inputs.matrix(table), inputs.matrix(problem.table.rows(split.held))
    targets = np.log(problem.target) if recipe.logarithm else problem.target
    network = _network(problem, recipe, len(X), seed, time_limit)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # its end is set beforehand
        network.fit(
            X,
            targets[split.train],
            problem.weights_of(split.train),
            X_val=X_val,
            y_val=targets[split.held],
            sample_weight_val=problem.weights_of(split.held),
        )
    return Learner(inputs, network, problem.n_classes, recipe.logarithm)


def _network(
    problem: Problem, recipe: Recipe, n_rows: int, seed: int, time_limit: float | None
) -> Any:
    """Return a network, not yet fitted."""
    settings: dict[str, Any] = dict(
        hidden_layer_sizes=recipe.hidden_layer_sizes,
        activation=recipe.activation,
        dropout=recipe.dropout,
        solver="adamw",
        learning_rate=OneCycle(pct_start=0.2),
        learning_rate_init=recipe.learning_rate_init,
        beta_2=recipe.beta_2,
        weight_decay=recipe.weight_decay,
        alpha=0.0,
        batch_size=min(recipe.batch_size, n_rows),
        max_iter=recipe.max_iter,
        early_stopping=True,
        n_iter_no_change=np.inf,
        tol=0.0,
        time_limit=time_limit,
        random_state=seed,
        **problem.settings,
    )
    if not problem.is_classification:
        return MLPRegressor(standardize_target=True, **settings)
    if problem.metric.of_probabilities:
        return MLPClassifier(scoring="neg_log_loss", **settings)
    return MLPClassifier(label_smoothing=recipe.label_smoothing, **settings)
