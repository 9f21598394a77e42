"""Whether a fit is worth anything: its cost compared with that of the best constant prediction."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from fastmlp.backends import Backend
from fastmlp.estimators.learnt import Learnt
from fastmlp.plan.front import ONE_HOT, TABLE
from fastmlp.plan.inputs import Inputs, mean_squares
from fastmlp.training.loop import TrainingData

__all__ = ["out_of_scale", "worse_than_constant"]

#: A fit that explains less than this share of the constant's cost is poor; perhaps for the scale.
POOR = 0.1

#: A last epoch that explained this share is not looked at again.
GOOD = 0.5

#: Costs closer than this share of them are the same.
ROUNDING = 1e-6

#: Costs on some of the rows are the same unless they are so many standard errors apart.
SURE = 2.0

#: Features whose root mean square is beyond these bounds are called out of scale.
SMALL, LARGE = 0.03, 30.0

#: A fit is judged on one row for so many that it went through in its epochs, and on these numbers
#: of rows at least and at most: to predict a row takes a third of what it takes to learn from it.
SHARE_JUDGED, LEAST_JUDGED, MOST_JUDGED = 64, 1024, 16384

#: So many rows tell a column's scale well enough.
ROWS_FOR_SCALE = 200

#: Its multiples, modulo 1, are spread evenly, and in no step that rows might repeat themselves in.
GOLDEN_RATIO = (1 + 5**0.5) / 2


def worse_than_constant(
    learnt: Learnt,
    data: TrainingData,
    backend: Backend,
    n_threads: int,
    remedies: Callable[[], list[str]],
) -> str | None:
    """Return what to warn of when a fit is worth nothing, or too little for badly scaled data.

    It is worth nothing if a constant prediction costs less on the rows that were trained on, and
    too little if that costs hardly more and X or y is out of scale. A target that never varies is
    left out: no network comes as near as its constant. Where there are many rows, some of them
    tell, so that no fit lasts noticeably longer for it, and the text says how many; what might be
    due to their choice is then no reason to warn.

    Parameters
    ----------
    learnt : Learnt
    data : TrainingData
        ``order`` has the rows that were trained on.
    backend : Backend
    n_threads : int
    remedies : callable
        Returns what ``out_of_scale`` does.
    """
    if not learnt.history.present:  # interrupted in the first epoch
        return None
    judged = _Judged.of(learnt, data)
    compared = _costs_to_compare(learnt, data, judged, backend, n_threads)
    if compared is None:
        return _worst_target(learnt, data, judged, backend, n_threads)
    if compared.is_no_worse and not remedies():
        return None
    finding = _finding(compared, judged, learnt)
    return " ".join([finding, *(remedies() or ["Lower learning_rate_init or train for longer."])])


class _Judged(NamedTuple):
    """Rows that were trained on and have a weight, on which a fit is judged.

    Attributes
    ----------
    rows : ndarray of int64, shape (K,), or None
        Which ones; None where they are all rows of the data set.
    target : ndarray, shape (K, T)
    weights : ndarray, shape (K,), or None
    are_some : bool
        Whether there are more of them.
    """

    rows: np.ndarray | None
    target: np.ndarray
    weights: np.ndarray | None
    are_some: bool

    @classmethod
    def of(cls, learnt: Learnt, data: TrainingData) -> _Judged:
        """Return as many rows as the fit's own work allows for."""
        known = data.counting()
        by_work = len(learnt.history.present) * len(known) // SHARE_JUDGED
        at_most = min(max(by_work, LEAST_JUDGED), MOST_JUDGED)
        if len(known) == len(data.rows.X) <= at_most:
            return cls(None, data.rows.target, data.rows.sample_weight, False)
        rows = _spread(known, at_most)
        return cls(rows, data.rows.target[rows], data.rows.weights_of(rows), len(known) > at_most)


class _Compared(NamedTuple):
    """Costs of a network and of a constant, and how far apart they must be to differ at all."""

    of_network: float
    of_constant: float
    doubt: float

    @property
    def is_no_worse(self) -> bool:
        """Whether the network's cost can't be said to be above the constant's."""
        return self.of_network <= self.of_constant + self.doubt


def _finding(compared: _Compared, judged: _Judged, learnt: Learnt) -> str:
    """Return the sentence that says how a network compares with a constant."""
    in_users_unit = learnt.coder.cost_unit.of
    hardly = "hardly better" if compared.of_network <= compared.of_constant else "no better"
    on_some = f"on {len(judged.target)} of them " if judged.are_some else ""
    return (
        f"The network predicts the training rows {hardly if compared.is_no_worse else 'worse'} "
        f"than a constant does: {on_some}its cost is {in_users_unit(compared.of_network):.3g}, the "
        f"constant's {in_users_unit(compared.of_constant):.3g}."
    )


def _worst_target(
    learnt: Learnt, data: TrainingData, judged: _Judged, backend: Backend, n_threads: int
) -> str | None:
    """Return what to warn of when one of several targets is predicted worse than by a constant.

    The cost of all of them does not show it, as a target that varies little hardly counts in it.
    """
    if judged.target.shape[1] < 2:
        return None
    X, rows = data.rows.X, judged.rows
    outputs = learnt.network.forward(backend, X, rows, apply_link=True, n_threads=n_threads)
    return learnt.coder.worst_target(outputs, judged.target, judged.weights)


def _costs_to_compare(
    learnt: Learnt, data: TrainingData, judged: _Judged, backend: Backend, n_threads: int
) -> _Compared | None:
    """Return the costs of the network and of a constant, None if there is nothing to remark on."""
    target, weights, last = judged.target, judged.weights, learnt.history.present[-1]
    if (target == target[0]).all():
        return None
    of_constant = _losses_of_constant(learnt, judged, backend)
    constant = _mean(of_constant, weights)
    constant += ROUNDING * abs(constant)
    link = learnt.coder.row.link
    # With early stopping, the network that is kept need not be the last epoch's.
    good = learnt.coder.cost_unit.of(_cost_explaining(GOOD, constant, link))
    if not np.isfinite(constant) or (not learnt.stops_early and last.cost < good):
        return None
    # Dropout and noise make an epoch's cost too large, and weights that moved on make it another
    # network's, so look once more.
    X, rows = data.rows.X, judged.rows
    logits = learnt.network.forward(backend, X, rows, apply_link=False, n_threads=n_threads)
    losses = _losses(learnt, logits, target, backend)
    cost = _mean(losses, weights)
    if cost < _cost_explaining(POOR, constant, link):
        return None
    doubt = SURE * _standard_error(losses - of_constant, weights) if judged.are_some else 0.0
    return _Compared(cost, constant, doubt)


def _spread(rows: np.ndarray, at_most: int) -> np.ndarray:
    """Return some of the rows (K,), evenly spread: data may come sorted, or by turns."""
    if len(rows) <= at_most:
        return np.ascontiguousarray(rows)
    return rows[np.sort((np.arange(at_most) * GOLDEN_RATIO % 1 * len(rows)).astype(np.intp))]


def _cost_explaining(share: float, constant: float, link: str) -> float:
    """Return the cost of a fit that explains a share of what the constant, by its cost, does not.

    The cost of a density has no least value to be a share of. That of a normal one falls as here
    where a share of the variance is explained.
    """
    gain = -np.log1p(-share) / 2 if link == "gaussian" else share * abs(constant)
    return constant - float(gain)


def _losses_of_constant(learnt: Learnt, judged: _Judged, backend: Backend) -> np.ndarray:
    """Return the loss of each judged row (K,) under the constant prediction that suits them."""
    plan, target = learnt.network.plan, judged.target
    logits = learnt.coder.constant_logits(target, judged.weights, plan.loss_parameters)
    everywhere = np.empty((len(target), len(logits)), target.dtype)
    everywhere[...] = logits
    return _losses(learnt, everywhere, target, backend)


def _losses(learnt: Learnt, logits: np.ndarray, target: np.ndarray, backend: Backend) -> np.ndarray:
    """Return the loss of each row (K,) of logits (K, C) against a target (K, T)."""
    with np.errstate(all="ignore"):
        return learnt.network.losses(backend, logits, target).astype(np.float64)


def _mean(values: np.ndarray, weights: np.ndarray | None) -> float:
    """Return the mean of values (K,) with weights (K,)."""
    return float(values.mean() if weights is None else np.average(values, weights=weights))


def _standard_error(values: np.ndarray, weights: np.ndarray | None) -> float:
    """Return the standard error of the mean of values (K,) with weights (K,)."""
    shares = np.full(len(values), 1 / len(values)) if weights is None else weights / weights.sum()
    with np.errstate(all="ignore"):
        return float(np.sqrt(np.sum((shares * (values - shares @ values)) ** 2)))


def out_of_scale(learnt: Learnt, data: TrainingData) -> list[str]:
    """Return sentences that name what is out of scale in the rows that count, and the remedy."""
    known = data.counting()
    every = len(known) == len(data.rows.X)
    target, weights = (
        (data.rows.target, data.rows.sample_weight)
        if every
        else (data.rows.target[known], data.rows.weights_of(known))
    )
    rows, kinds = _spread(known, ROWS_FOR_SCALE), learnt.network.plan.features["kind"]
    levels = np.flatnonzero((kinds == TABLE) | (kinds == ONE_HOT))
    return [
        *scale_of_features(data.rows.X, rows, learnt.feature_names, levels),
        *learnt.coder.scale_of_target(target, weights),
    ]


def scale_of_features(
    X: Inputs, rows: np.ndarray, names: np.ndarray | None, levels: np.ndarray
) -> list[str]:
    """Return a sentence that names the column of X (N, I) that is farthest out of scale, if any.

    The ``rows`` (K,) tell. Columns of ``levels`` (J,) have no scale.
    """
    size = np.sqrt(mean_squares(X, rows))
    size[levels] = 0
    column = int(np.argmax(size))
    if SMALL <= size[column] <= LARGE or size[column] == 0:
        return []
    label = column if names is None else repr(str(names[column]))
    return [
        f"Column {label} of X is about {size[column]:.2g} in size, but networks learn best from "
        "values of about 1: put sklearn.preprocessing.StandardScaler in front of it."
    ]
