"""How good a network is on rows that it does not learn from: by its loss, or by a scorer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from inspect import signature
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from fastmlp.backends import Rows
from fastmlp.estimators.learnt import shown_as
from fastmlp.network import Network
from fastmlp.training.history import UNCHANGED, CostUnit
from fastmlp.training.loop import DivergenceError
from fastmlp.validation import check_score, check_scorer_can_ask, judging_by, score_diverged

if TYPE_CHECKING:
    from fastmlp.estimators.fitting import Fitting

__all__ = ["JudgedRows", "Watch", "scores_of"]


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


def scores_of(fitting: Fitting, judged: JudgedRows) -> tuple[Callable[[Network], float], CostUnit]:
    """Return a function that scores a network on the rows, and the unit of the scores.

    Larger scores are better. They are those of ``scoring``, else those of the loss. A score is NaN
    if the network overflows there.
    """
    scoring, coder = fitting.parameters.scoring, fitting.coder
    if scoring is not None and scoring != "loss":
        return _by_scorer(fitting, judged), UNCHANGED
    rows, order = judged.rows, judged.order
    by = coder.judge if scoring is None else coder.minus_cost
    judge = by(fitting.backend, rows.target[order], rows.weights_of(order))

    def score(network: Network) -> float:
        outputs = network.forward(
            fitting.backend,
            rows.X,
            order,
            apply_link=not judge.takes_logits,
            n_threads=fitting.n_threads,
        )
        if not np.isfinite(outputs).all():
            return np.nan
        with np.errstate(all="ignore"):  # what overflows is seen in the score
            return judge.score(network, outputs)

    return score, judge.unit


def _by_scorer(fitting: Fitting, judged: JudgedRows) -> Callable[[Network], float]:
    """Return what scores by scikit-learn's scorer of a name, or by the user's."""
    scoring, model = fitting.parameters.scoring, fitting.model
    scorer = _scorer_of(scoring)
    with shown_as(model, fitting.learnt):
        methods = getattr(scorer, "_response_method", ())
        if methods:
            check_scorer_can_ask(model, scoring, methods, fitting.coder.loss)
    X, y = judged.rows.X[judged.order], judged.y
    weights: dict[str, Any] = {}
    if judged.sample_weight is not None and _takes_weights(scorer):
        weights = {"sample_weight": judged.sample_weight}

    def score(network: Network) -> float:
        if not np.isfinite(network.parameters).all():
            return np.nan
        # Without names of columns, which the array X has not.
        shown = replace(fitting.learnt_so_far(), feature_names=None)
        with shown_as(model, shown), judging_by(scoring):
            value = check_score(scoring, scorer(model, X, y, **weights))
        if not np.isfinite(value) and _is_finite_on(fitting, network, judged):
            epoch = fitting.learnt.history.n_epochs
            raise DivergenceError(score_diverged(scoring, value, epoch))
        return value

    return score


def _scorer_of(scoring: Any) -> Callable[..., Any]:
    if not isinstance(scoring, str):
        own: Callable[..., Any] = scoring
        return own
    from sklearn.metrics import get_scorer  # noqa: PLC0415 - slow to import

    by_name: Callable[..., Any] = get_scorer(scoring)
    return by_name


def _takes_weights(scorer: Callable[..., Any]) -> bool:
    """Return whether a scorer, or the metric in it, takes ``sample_weight``."""
    metric = getattr(scorer, "_score_func", scorer)
    try:
        return "sample_weight" in signature(metric).parameters
    except ValueError:  # of some functions written in C
        return False


def _is_finite_on(fitting: Fitting, network: Network, judged: JudgedRows) -> bool:
    outputs = network.forward(
        fitting.backend,
        judged.rows.X,
        judged.order,
        apply_link=False,
        n_threads=fitting.n_threads,
    )
    return bool(np.isfinite(outputs).all())


@dataclass
class Watch:
    """Takes down how a fit does on rows of the user's, without a say in when it ends.

    Attributes
    ----------
    score : callable
        Maps the network to its score on these rows.
    unit : CostUnit
        Of the scores, where they are minus a cost.
    best : float
        The largest so far, in the user's unit.
    """

    score: Callable[[Network], float]
    unit: CostUnit
    best: float = -np.inf

    def look_at(self, network: Network) -> float:
        """Return the network's score in the user's unit; NaN if it has none."""
        try:
            score = -self.unit.of(-self.score(network))
        except DivergenceError:  # of a scorer that has no value for this network
            score = np.nan
        self.best = max(self.best, score)  # which NaN never is
        return score
