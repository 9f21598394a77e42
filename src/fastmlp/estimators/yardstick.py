"""Whether a fit is worth anything: its cost beside that of the best constant prediction."""

from __future__ import annotations

import numpy as np

from fastmlp.backends import Backend
from fastmlp.estimators.learnt import Learnt
from fastmlp.training import TrainingData

__all__ = ["scale_remedies", "worse_than_constant"]

#: A fit that explains less than this share of the constant's cost is poor; perhaps for the scale.
POOR = 0.1

#: Costs closer than this share of them are the same.
ROUNDING = 1e-6

#: Features whose root mean square is beyond these bounds are called out of scale.
SMALL, LARGE = 0.03, 30.0

#: So many rows tell a column's scale well enough.
ROWS_FOR_SCALE = 200


def worse_than_constant(
    learnt: Learnt, data: TrainingData, backend: Backend, n_threads: int
) -> str | None:
    """Return what to warn of when a fit is worth nothing, or too little for badly scaled data.

    It is worth nothing if a constant prediction costs less on the rows that were trained on, and
    too little if that costs hardly more and X is out of scale. A target that never varies is left
    out: no network comes as near as its constant.

    Parameters
    ----------
    learnt : Learnt
    data : TrainingData
        ``order`` has the rows that were trained on.
    backend : Backend
    n_threads : int
    """
    epochs = learnt.history.present.cost
    if not epochs:  # interrupted before an epoch had passed
        return None
    rows = None if len(data.order) == len(data.rows.X) else data.order
    target, weights = data.rows.target, data.rows.sample_weight
    if rows is not None:
        target, weights = target[rows], None if weights is None else weights[rows]
    if (target == target[0]).all():
        return None
    logits = learnt.coder.constant_logits(target, weights)
    constant = _cost_of_constant(logits, learnt, target, weights, backend) * (1 + ROUNDING)
    if epochs[-1] < (1 - POOR) * constant:
        return None
    # Dropout, noise and weights that moved on make an epoch's cost too large, so look once more.
    logits = learnt.network.forward(
        backend, data.rows.X, rows, apply_link=False, n_threads=n_threads
    )
    cost = _mean_loss(learnt, logits, target, weights, backend)
    if cost < (1 - POOR) * constant:
        return None
    remedies = scale_remedies(learnt, data)
    if cost < constant and not remedies:
        return None
    finding = (
        f"The network predicts the training rows {'hardly better' if cost < constant else 'worse'} "
        f"than a constant does: its cost is {cost:.3g}, the constant's {constant:.3g}."
    )
    return " ".join([finding, *(remedies or ["Lower learning_rate_init or train for longer."])])


def scale_remedies(learnt: Learnt, data: TrainingData) -> list[str]:
    """Return what to do about columns of X and of the target that are out of scale, if any are."""
    return [
        *scale_of_features(data.rows.X[data.order[:ROWS_FOR_SCALE]], learnt.feature_names),
        *learnt.coder.scale_of_target(data.rows.target),
    ]


def _cost_of_constant(
    logits: np.ndarray,
    learnt: Learnt,
    target: np.ndarray,
    weights: np.ndarray | None,
    backend: Backend,
) -> float:
    """Return the cost of predicting the same logits (C,) for all rows of a target (N, T)."""
    everywhere = np.empty((len(target), len(logits)), target.dtype)
    everywhere[...] = logits
    return _mean_loss(learnt, everywhere, target, weights, backend)


def _mean_loss(
    learnt: Learnt,
    logits: np.ndarray,
    target: np.ndarray,
    weights: np.ndarray | None,
    backend: Backend,
) -> float:
    with np.errstate(all="ignore"):
        losses = learnt.network.losses(backend, logits, target).astype(np.float64)
    return float(np.average(losses, weights=weights))


def scale_of_features(X: np.ndarray, names: np.ndarray | None) -> list[str]:
    """Return a sentence that names the column of X (N, I) that is farthest out of scale, if any."""
    size = np.sqrt(np.mean(np.square(X, dtype=np.float64), axis=0))
    column = int(np.argmax(size))
    if SMALL <= size[column] <= LARGE or size[column] == 0:
        return []
    label = column if names is None else repr(str(names[column]))
    return [
        f"Column {label} of X is about {size[column]:.2g} in size where 1 suits a network: put "
        "sklearn.preprocessing.StandardScaler in front of it."
    ]
