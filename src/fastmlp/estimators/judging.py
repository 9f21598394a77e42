"""How good a network is on rows that it does not learn from: by its loss, or by a scorer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from inspect import signature
from typing import Any, NamedTuple

import numpy as np

from fastmlp.backends import Backend, Rows
from fastmlp.estimators.coding import TargetCoder, mean_loss
from fastmlp.estimators.learnt import Learnt, shown_as
from fastmlp.network import Network
from fastmlp.plan.inputs import matrix_of
from fastmlp.training.divergence import DivergenceError
from fastmlp.training.history import UNCHANGED, CostUnit
from fastmlp.training.observers import Observer
from fastmlp.training.state import TrainerState
from fastmlp.validation import check_score, check_scorer_can_ask, judging_by, score_diverged

__all__ = ["JudgedRows", "Judgement", "Watch", "takes_weights"]

#: Maps a network to its score, larger is better, and its cost in the core's unit.
Scores = Callable[[Network], tuple[float, float]]


class JudgedRows(NamedTuple):
    """Rows that judge a network: as the core takes them, and as a scorer does.

    Attributes
    ----------
    rows : Rows
        The data set that they are part of; its weights have those of the classes in them.
    order : ndarray of int64, shape (V,)
        Which of its rows they are.
    y : ndarray, shape (V,) or (V, C)
        Labels, or targets in the user's unit.
    sample_weight : ndarray of float64, shape (V,), or None
        The rows' own weights; None where the user gave none.
    """

    rows: Rows
    order: np.ndarray
    y: np.ndarray
    sample_weight: np.ndarray | None


@dataclass(frozen=True)
class Judgement:
    """How the networks of one fit are judged.

    Attributes
    ----------
    scoring : str, callable or None
        As ``validation.check_parameters`` returns it.
    model : MLPClassifier or MLPRegressor
        What scorers are shown; not changed.
    coder : TargetCoder
    backend : Backend
    n_threads : int
    learnt_so_far : callable
        Returns what the model is to show.
    """

    scoring: Any
    model: Any
    coder: TargetCoder
    backend: Backend
    n_threads: int
    learnt_so_far: Callable[[], Learnt]

    def scores_of(self, judged: JudgedRows) -> tuple[Scores, CostUnit]:
        """Return a function that gives a network's score and its cost, and the scores' unit.

        Larger scores are better, costs are in the core's unit. Both are NaN if the network
        overflows on the rows.
        """
        if self.scoring is not None and self.scoring != "loss":
            return self._by_scorer(judged), UNCHANGED
        rows, order = judged.rows, judged.order
        by = self.coder.judge if self.scoring is None else self.coder.minus_cost
        judge = by(self.backend, rows.target[order], rows.weights_of(order))

        def scores(network: Network) -> tuple[float, float]:
            outputs = self._outputs(network, judged, apply_link=not judge.takes_logits)
            if not np.isfinite(outputs).all():
                return np.nan, np.nan
            with np.errstate(all="ignore"):  # what overflows is seen in the score
                return judge.score_and_loss(network, outputs)

        return scores, judge.unit

    def _outputs(self, network: Network, judged: JudgedRows, *, apply_link: bool) -> np.ndarray:
        """Return outputs, or logits, (V, C)."""
        X, order = judged.rows.X, judged.order
        return network.forward(
            self.backend, X, order, apply_link=apply_link, n_threads=self.n_threads
        )

    def _by_scorer(self, judged: JudgedRows) -> Scores:
        """Return what scores by scikit-learn's scorer of a name, or by the user's."""
        scorer, rows, order = self._scorer(), judged.rows, judged.order
        X, weights = matrix_of(rows.X, order), {}
        if judged.sample_weight is not None and takes_weights(scorer):
            weights = {"sample_weight": judged.sample_weight}
        cost = mean_loss(self.backend, rows.target[order], rows.weights_of(order))

        def scores(network: Network) -> tuple[float, float]:
            logits = self._outputs(network, judged, apply_link=False)
            if not np.isfinite(logits).all():
                return np.nan, np.nan
            # Without names of columns, which the array X has not.
            shown = replace(self.learnt_so_far(), network=network, feature_names=None)
            with shown_as(self.model, shown), judging_by(self.scoring):
                score = check_score(self.scoring, scorer(self.model, X, judged.y, **weights))
            if not np.isfinite(score):
                epoch = shown.history.n_epochs + 1
                raise DivergenceError(score_diverged(self.scoring, score, epoch))
            with np.errstate(all="ignore"):
                return score, cost(network, logits)

        return scores

    def _scorer(self) -> Callable[..., Any]:
        """Return the scorer; raise if it needs what a model with this loss has not."""
        scorer: Callable[..., Any] = self.scoring
        if isinstance(self.scoring, str):
            from sklearn.metrics import get_scorer  # noqa: PLC0415 - slow to import

            scorer = get_scorer(self.scoring)
        methods = getattr(scorer, "_response_method", ())
        if methods:
            with shown_as(self.model, self.learnt_so_far()):
                check_scorer_can_ask(self.model, self.scoring, methods, self.coder.loss)
        return scorer


def takes_weights(scorer: Callable[..., Any]) -> bool:
    """Return whether a scorer, or the metric in it, takes ``sample_weight``."""
    metric = getattr(scorer, "_score_func", scorer)
    try:
        return "sample_weight" in signature(metric).parameters
    except ValueError:  # of some functions written in C
        return False


@dataclass
class Watch(Observer):
    """Takes down how a fit does on rows of the user's, without a say in when it ends.

    Attributes
    ----------
    scores : callable
        Maps the network to its score on these rows and their cost in the core's unit.
    unit : CostUnit
        Of the scores, where they are minus a cost.
    best : float
        The largest score so far, in the user's unit.
    """

    scores: Scores
    unit: CostUnit
    best: float = -np.inf

    def epoch_ended(self, state: TrainerState) -> None:
        """Judge the network; a score that there is not is NaN."""
        try:
            score, cost = self.scores(state.predicting)
        except DivergenceError:  # of a scorer that has no value for this network
            score = cost = np.nan
        state.validation_score = -self.unit.of(-score)
        state.validation_loss = state.unit.of(cost)
        self.best = max(self.best, state.validation_score)  # which NaN never is
