"""A trained candidate: networks, or partners, each of which saw a part of the rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from fastmlp.data.source import Piece
from fastmlp.estimators import MLPClassifier, MLPRegressor
from fastmlp.estimators.preparation import NO_ROWS, ValidationRows
from fastmlp.notices import quietly
from fastmlp.schedules import OneCycle
from fastmlp.tables import EncodedTable
from fastmlp.tables.inputs import Inputs, fit_inputs
from fastmlp.tabular.aims import Aim
from fastmlp.tabular.partner import Partner, PartnerLearner, learn_partner
from fastmlp.tabular.problem import Problem
from fastmlp.tabular.recipe import Recipe
from fastmlp.tabular.split import Split
from fastmlp.tabular.transforms import Transform, fit_transform
from fastmlp.tabular.whole import AllRows
from fastmlp.training import clock
from fastmlp.training.divergence import DivergenceError
from fastmlp.training.loop import INTERRUPTION
from fastmlp.training.time_limit import ended_by_time

__all__ = ["LEAST_TIME", "Failure", "Learner", "Member", "learn_all", "share_of_time", "train"]

#: The least time that a network is given, in seconds; it then learns from some rows at least.
LEAST_TIME = 1e-3

#: The error of an epoch for which the metric has no value.
LARGEST_ERROR = float(np.finfo(np.float64).max)

#: Bins of all numbers, and levels of all categories, at most: a first layer of so many rows by 256
#: still fits into memory. One is left for each category of a table of more columns.
MOST_INPUTS = 2**15

#: An embedding makes about so many inputs of the first layer of each column.
INPUTS_OF_EMBEDDING = 8

#: Inputs of so many rows are made at a time for predictions (256 MB).
MOST_ENTRIES = 2**26


@dataclass(frozen=True, eq=False)
class Learner:
    """A network and what makes its inputs.

    Attributes
    ----------
    inputs : Inputs
    network : MLPClassifier or MLPRegressor
    aim : Aim
    transform : Transform or None
        What its target went through.
    """

    inputs: Inputs
    network: Any
    aim: Aim
    transform: Transform | None

    def predict(self, table: EncodedTable) -> np.ndarray:
        """Return what is aimed at, (N, …); the inputs of some rows at a time are in memory."""
        height = max(MOST_ENTRIES // max(len(self.inputs.names), 1), 1)
        parts = [table.rows(slice(i, i + height)) for i in range(0, len(table), height)]
        answers = [
            self.aim.ask(self.network, self.inputs.matrix_or_zeros(part), self.transform)
            for part in parts
        ]
        return answers[0] if len(answers) == 1 else np.concatenate(answers)

    @property
    def n_epochs(self) -> int:
        """Epochs of the training."""
        return int(self.network.n_iter_)

    @property
    def course(self) -> int:
        """Epochs over which its schedules ran: those of the recipe, or those there was time for."""
        network = self.network
        return int(network.n_iter_ if ended_by_time(network.stop_reason_) else network.max_iter)

    @property
    def best_epoch(self) -> int:
        """The epoch whose weights predict, from 1."""
        scores = np.array(self.network.validation_scores_)
        return len(scores) - int(np.argmax(scores[::-1])) if len(scores) else 0

    @property
    def was_interrupted(self) -> bool:
        """Whether Ctrl-C has ended the training."""
        return bool(self.network.stop_reason_ == INTERRUPTION)


@dataclass(frozen=True, eq=False)
class Member:
    """A recipe, or a partner, with what has learnt by it, one for each split.

    Attributes
    ----------
    name : str
    recipe : Recipe or Partner
    learners : tuple of Learner or PartnerLearner
    held_out : ndarray, shape (V, …)
        Predictions for the held-out rows, each by the networks that did not learn from it.
    error : float
        Of these.
    seconds : float
    """

    name: str
    recipe: Recipe | Partner
    learners: tuple[Learner | PartnerLearner, ...]
    held_out: np.ndarray
    error: float
    seconds: float

    def predict(self, table: EncodedTable) -> np.ndarray:
        """Return the mean of what the networks predict, (N, …)."""
        mean: np.ndarray = np.mean([each.predict(table) for each in self.learners], axis=0)
        return mean

    @property
    def n_epochs(self) -> int:
        """Epochs of the longest training; 0 for a partner."""
        return max(learner.n_epochs for learner in self.learners)

    @property
    def was_interrupted(self) -> bool:
        """Whether Ctrl-C has ended the last training."""
        return self.learners[-1].was_interrupted


@dataclass(frozen=True)
class Failure:
    """A recipe whose networks left the finite numbers, or a partner that raised.

    Attributes
    ----------
    recipe : Recipe or Partner
    seconds : float
    cause : Exception
    """

    recipe: Recipe | Partner
    seconds: float
    cause: Exception

    @property
    def remark(self) -> str:
        """What went wrong, in a word."""
        return "diverged" if isinstance(self.cause, DivergenceError) else "failed"


def train(
    problem: Problem,
    recipe: Recipe | Partner,
    splits: list[Split],
    seed: int,
    deadline: float | None,
    all_rows: AllRows | None = None,
) -> Member:
    """Return what a recipe, or a partner, learns from each split.

    Parameters
    ----------
    problem : Problem
    recipe : Recipe or Partner
    splits : list of Split
    seed : int
    deadline : float or None
        What ``clock.now()`` shows when the time is over.
    all_rows : AllRows, optional
        What the problem is a sample of; all but the held-out rows of a split are then learnt from.

    Raises
    ------
    DivergenceError
        If a network, or what it predicts, is not finite.
    KeyboardInterrupt
        If Ctrl-C has ended a training, and it was not the last.
    """
    began = clock.now()
    learners: list[Learner | PartnerLearner] = []
    parts = []
    for split in splits:
        if learners and learners[-1].was_interrupted:
            raise KeyboardInterrupt
        # Of the ends of networks, and of rows that were not given to them by the user.
        with quietly("y has only one class"):
            until = share_of_time(deadline, len(splits) - len(learners))
            learners.append(_learn(problem, recipe, split, seed, until, all_rows))
            parts.append(learners[-1].predict(problem.table.rows(split.held)))
    rows, held_out = np.concatenate([split.held for split in splits]), np.concatenate(parts)
    if not np.isfinite(held_out).all():
        raise DivergenceError("The predictions for held-out rows became infinite or NaN.")
    error = problem.error(held_out, rows)
    seconds = clock.now() - began
    return Member(recipe.summary, recipe, tuple(learners), held_out, error, seconds)


def share_of_time(deadline: float | None, n_left: int) -> float | None:
    """Return when the first of ``n_left`` networks has to end, if they share the time."""
    if deadline is None:
        return None
    now = clock.now()
    return now + (deadline - now) / n_left


def _learn(
    problem: Problem,
    recipe: Recipe | Partner,
    split: Split,
    seed: int,
    deadline: float | None,
    all_rows: AllRows | None,
) -> Learner | PartnerLearner:
    """Return a network, or a partner, that has learnt from the rows of a split."""
    if isinstance(recipe, Partner):
        return learn_partner(problem, recipe, split, seed)
    table, recipe = problem.table.rows(split.train), _for_table(recipe, problem.table)
    inputs = _fit_inputs(recipe, table, seed)
    X, X_val = inputs.matrix_or_zeros(table), inputs.matrix_or_zeros(problem.table.rows(split.held))
    transform = fit_transform(recipe.transform, problem.target[split.train])
    targets = problem.target if transform is None else transform.forth(problem.target)
    scoring = _scoring(problem, split, transform)
    network = _network(problem, recipe, inputs, len(table), seed, _time_left(deadline)).set_params(
        scoring=scoring
    )
    rows = Piece(X, targets[split.train], problem.weights_of(split.train), "")
    judged = ValidationRows(X_val, targets[split.held], problem.weights_of(split.held))
    _teach(network, inputs, transform, split, rows, judged, all_rows)
    return _learner(inputs, network, problem, transform)


def _teach(
    network: Any,
    inputs: Inputs,
    transform: Transform | None,
    split: Split,
    rows: Piece,
    judged: ValidationRows,
    all_rows: AllRows | None,
) -> None:
    """Fit a network to the rows of a split, or to all rows that they are a sample of."""
    if all_rows is not None:
        all_rows.teach(network, inputs, transform, split, rows, judged)
        return
    network.fit(
        rows.X,
        rows.y,
        rows.weights,
        X_val=judged.X,
        y_val=judged.y,
        sample_weight_val=judged.sample_weight,
    )


def learn_all(
    problem: Problem,
    recipe: Recipe | Partner,
    n_epochs: int,
    seed: int,
    deadline: float | None,
    all_rows: AllRows | None = None,
) -> Learner | PartnerLearner:
    """Return what learns from all rows of a problem: a partner, or a network for ``n_epochs``.

    The course of a network's numbers is that of its whole recipe; it ends early. ``all_rows`` are
    those that the problem is a sample of, if it is one.
    """
    everything = Split(np.arange(len(problem.table)), np.arange(0))
    with quietly("y has only one class"):
        if isinstance(recipe, Partner):
            return learn_partner(problem, recipe, everything, seed)
        recipe = _for_table(recipe, problem.table)
        inputs = _fit_inputs(recipe, problem.table, seed)
        transform = fit_transform(recipe.transform, problem.target)
        targets = problem.target if transform is None else transform.forth(problem.target)
        X = inputs.matrix_or_zeros(problem.table)
        callbacks = [lambda record: record.epoch >= n_epochs]
        network = _network(problem, recipe, inputs, X.shape[0], seed, _time_left(deadline))
        network.set_params(early_stopping=False, callbacks=callbacks)
        rows = Piece(X, targets, problem.weights, "")
        _teach(network, inputs, transform, everything, rows, NO_ROWS, all_rows)
        return _learner(inputs, network, problem, transform)


def _learner(
    inputs: Inputs, network: Any, problem: Problem, transform: Transform | None
) -> Learner:
    """Return a learner whose network has forgotten who watched it learn, and how it went on."""
    network.set_params(scoring=None, callbacks=None)
    network._published = network._published.without_moments()
    return Learner(inputs, network, problem.aim, transform)


def _time_left(deadline: float | None) -> float | None:
    return None if deadline is None else max(deadline - clock.now(), LEAST_TIME)


def _scoring(problem: Problem, split: Split, transform: Transform | None) -> Any:
    """Return by what a network's epochs are judged: its own score, or the metric."""
    if problem.metric.is_native and transform is None:
        return "loss" if problem.metric.of_probabilities else None

    def score(model: Any, X: np.ndarray, y: np.ndarray) -> float:
        error = problem.error(problem.aim.ask(model, X, transform), split.held)
        return -error if np.isfinite(error) else -LARGEST_ERROR

    return score


def _for_table(recipe: Recipe, table: EncodedTable) -> Recipe:
    """Return a recipe without an embedding if the table has too many columns for one."""
    n_columns = len(table.number_names) + len(table.category_names)
    too_many = INPUTS_OF_EMBEDDING * n_columns > MOST_INPUTS
    return recipe.with_(embedding=None) if too_many else recipe


def _fit_inputs(recipe: Recipe, table: EncodedTable, seed: int) -> Inputs:
    """Return the inputs that a recipe makes of a table, fewer of each column if it has many."""
    n_numbers, n_categories = len(table.number_names), len(table.category_names)
    n_bins = min(recipe.n_pieces, MOST_INPUTS // max(n_numbers, 1))
    return fit_inputs(
        table,
        n_bins=n_bins if "pieces" in recipe.inputs else 0,
        n_angles=recipe.n_angles if "places" in recipe.inputs else 0,
        n_pairs=recipe.n_pairs if "pairs" in recipe.inputs else 0,
        max_levels=min(recipe.max_levels, max(MOST_INPUTS // max(n_categories, 1), 1)),
        as_codes=recipe.embedding is not None,
        scale=recipe.input_scale,
        seed=seed,
    )


def _network(
    problem: Problem,
    recipe: Recipe,
    inputs: Inputs,
    n_rows: int,
    seed: int,
    time_limit: float | None,
) -> Any:
    """Return a network, not yet fitted."""
    settings: dict[str, Any] = dict(
        numeric_embedding=recipe.embedding,
        categorical_features=inputs.codes or None,
        scaling_layer=recipe.scaling_layer,
        hidden_layer_sizes=recipe.hidden_layer_sizes,
        activation=recipe.activation,
        parametric_activation=recipe.parametric_activation,
        init=recipe.init,
        dropout=recipe.dropout,
        solver="adamw",
        learning_rate=OneCycle(pct_start=0.2),
        learning_rate_init=recipe.learning_rate_init,
        beta_2=recipe.beta_2,
        weight_decay=recipe.weight_decay,
        alpha=0.0,
        batch_size=min(recipe.batch_size, n_rows),
        max_iter=recipe.max_iter,
        matmul_precision=recipe.matmul_precision,
        early_stopping=True,
        restore_best="last",
        n_iter_no_change=np.inf,
        tol=0.0,
        time_limit=time_limit,
        random_state=seed,
        **problem.settings,
    )
    if not problem.is_classification:
        return MLPRegressor(standardize_target=True, **settings)
    if problem.metric.of_probabilities:
        return MLPClassifier(**settings)
    return MLPClassifier(label_smoothing=recipe.label_smoothing, **settings)
