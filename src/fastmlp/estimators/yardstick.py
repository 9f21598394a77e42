"""Whether a fit is worth anything: its cost beside that of the best constant prediction."""

from __future__ import annotations

from collections.abc import Callable

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

#: Features whose root mean square is beyond these bounds are called out of scale.
SMALL, LARGE = 0.03, 30.0

#: So many rows are predicted at once, so that memory does not depend on their number.
ROWS_AT_ONCE = 16384

#: So many rows tell whether a target has been learnt.
ROWS_OF_TARGETS = 4096

#: So many rows tell a column's scale well enough.
ROWS_FOR_SCALE = 200


def worse_than_constant(
    learnt: Learnt, data: TrainingData, backend: Backend, n_threads: int
) -> str | None:
    """Return what to warn of when a fit is worth nothing, or too little for badly scaled data.

    It is worth nothing if a constant prediction costs less on the rows that were trained on, and
    too little if that costs hardly more and X or y is out of scale. A target that never varies is
    left out: no network comes as near as its constant.

    Parameters
    ----------
    learnt : Learnt
    data : TrainingData
        ``order`` has the rows that were trained on.
    backend : Backend
    n_threads : int
    """
    compared = _costs_to_compare(learnt, data, backend, n_threads)
    if compared is None:
        return _worst_target(learnt, data, backend, n_threads)
    cost, constant = compared
    remedies, in_users_unit = (
        out_of_scale(learnt, data),
        learnt.coder.cost_unit.of,
    )
    better = cost <= constant
    if better and not remedies:
        return None
    finding = (
        f"The network predicts the training rows {'hardly better' if better else 'worse'} than a "
        f"constant does: its cost is {in_users_unit(cost):.3g}, the constant's "
        f"{in_users_unit(constant):.3g}."
    )
    return " ".join([finding, *(remedies or ["Lower learning_rate_init or train for longer."])])


def _worst_target(
    learnt: Learnt, data: TrainingData, backend: Backend, n_threads: int
) -> str | None:
    """Return what to warn of when one of several targets is predicted worse than by a constant.

    The cost of all of them does not show it, as a target that varies little hardly counts in it.
    """
    if data.rows.target.shape[1] < 2 or not learnt.history.present:
        return None
    rows = _some_rows(data, ROWS_OF_TARGETS)
    outputs = learnt.network.forward(
        backend, data.rows.X, rows, apply_link=True, n_threads=n_threads
    )
    return learnt.coder.worst_target(outputs, data.rows.target[rows], data.rows.weights_of(rows))


def _costs_to_compare(
    learnt: Learnt, data: TrainingData, backend: Backend, n_threads: int
) -> tuple[float, float] | None:
    """Return the costs of the network and of a constant, None if there is nothing to remark on."""
    epochs = learnt.history.present
    rows, target, weights = _rows_that_count(data)
    if not epochs or (target == target[0]).all():  # interrupted in the first epoch, or constant
        return None
    constant = _cost_of_constant(learnt, target, weights, backend)
    constant += ROUNDING * abs(constant)
    link = learnt.coder.row.link
    # With early stopping, the network that is kept need not be the last epoch's.
    good = learnt.coder.cost_unit.of(_cost_explaining(GOOD, constant, link))
    if not np.isfinite(constant) or (not learnt.stops_early and epochs[-1].cost < good):
        return None

    def logits_of(part: slice) -> np.ndarray:
        X, order = (data.rows.X[part], None) if rows is None else (data.rows.X, rows[part])
        return learnt.network.forward(backend, X, order, apply_link=False, n_threads=n_threads)

    # Dropout and noise make an epoch's cost too large, and weights that moved on make it another
    # network's, so look once more.
    cost = _mean_loss(learnt, logits_of, target, weights, backend)
    return None if cost < _cost_explaining(POOR, constant, link) else (cost, constant)


def _rows_that_count(
    data: TrainingData,
) -> tuple[np.ndarray | None, np.ndarray, np.ndarray | None]:
    """Return which rows (K,) with a weight were trained on, their target (K, T) and weights (K,).

    None for the rows means all of them.
    """
    rows = data.counting()
    if len(rows) == len(data.rows.X):
        return None, data.rows.target, data.rows.sample_weight
    return rows, data.rows.target[rows], data.rows.weights_of(rows)


def _some_rows(data: TrainingData, at_most: int) -> np.ndarray:
    """Return some of the rows (K,) that count, evenly spread: data may come sorted."""
    rows = data.counting()
    return np.ascontiguousarray(rows[:: max(1, -(-len(rows) // at_most))])


def _cost_explaining(share: float, constant: float, link: str) -> float:
    """Return the cost of a fit that explains a share of what the constant, by its cost, does not.

    The cost of a density has no least value to be a share of. That of a normal one falls as here
    where a share of the variance is explained.
    """
    gain = -np.log1p(-share) / 2 if link == "gaussian" else share * abs(constant)
    return constant - float(gain)


def _cost_of_constant(
    learnt: Learnt, target: np.ndarray, weights: np.ndarray | None, backend: Backend
) -> float:
    """Return the cost of the best constant prediction for all rows of a target (N, T)."""
    logits = learnt.coder.constant_logits(target, weights, learnt.network.plan.loss_parameters)
    everywhere = np.empty((min(len(target), ROWS_AT_ONCE), len(logits)), target.dtype)
    everywhere[...] = logits
    return _mean_loss(
        learnt, lambda part: everywhere[: len(target[part])], target, weights, backend
    )


def _mean_loss(
    learnt: Learnt,
    logits_of: Callable[[slice], np.ndarray],
    target: np.ndarray,
    weights: np.ndarray | None,
    backend: Backend,
) -> float:
    """Return the cost, given what returns the logits (K, C) of a part of the rows."""
    parts = [slice(n, n + ROWS_AT_ONCE) for n in range(0, len(target), ROWS_AT_ONCE)]
    with np.errstate(all="ignore"):
        losses = [learnt.network.losses(backend, logits_of(part), target[part]) for part in parts]
    return float(np.average(np.concatenate(losses).astype(np.float64), weights=weights))


def out_of_scale(learnt: Learnt, data: TrainingData) -> list[str]:
    """Return sentences that name what is out of scale in the rows that count, and the remedy."""
    _, target, weights = _rows_that_count(data)
    rows, kinds = _some_rows(data, ROWS_FOR_SCALE), learnt.network.plan.features["kind"]
    levels = np.flatnonzero(np.isin(kinds, (TABLE, ONE_HOT)))
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
        f"Column {label} of X is about {size[column]:.2g} in size where 1 suits a network: put "
        "sklearn.preprocessing.StandardScaler in front of it."
    ]
