"""Whether a fit is worth anything: its cost beside that of the best constant prediction."""

from __future__ import annotations

import numpy as np

from fastmlp.backends import Backend
from fastmlp.estimators.learnt import Learnt
from fastmlp.training import TrainingData

__all__ = ["out_of_scale", "worse_than_constant"]

#: A fit that explains less than this share of the constant's cost is poor; perhaps for the scale.
POOR = 0.1

#: A last epoch that explained this share is not looked at again.
GOOD = 0.5

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
    epochs = learnt.history.present.cost
    if not epochs:  # interrupted before an epoch had passed
        return None
    rows = None if len(data.order) == len(data.X) else data.order
    target, weights = data.target, data.sample_weight
    if rows is not None:
        target, weights = target[rows], None if weights is None else weights[rows]
    if (target == target[0]).all():
        return None
    logits = learnt.coder.constant_logits(target, weights)
    constant = _cost_of_constant(logits, learnt, target, weights, backend)
    constant += ROUNDING * abs(constant)
    link, in_users_unit = learnt.coder.row.link, learnt.coder.cost_unit.of
    if epochs[-1] < in_users_unit(_cost_explaining(GOOD, constant, link)):
        return None
    # Dropout and noise make an epoch's cost too large, and weights that moved on make it another
    # network's, so look once more.
    logits = learnt.network.forward(backend, data.X, rows, apply_link=False, n_threads=n_threads)
    cost = _mean_loss(learnt, logits, target, weights, backend)
    if cost < _cost_explaining(POOR, constant, link):
        return None
    remedies = out_of_scale(learnt, data, target)
    if cost < constant and not remedies:
        return None
    finding = (
        f"The network predicts the training rows {'hardly better' if cost < constant else 'worse'} "
        f"than a constant does: its cost is {in_users_unit(cost):.3g}, the constant's "
        f"{in_users_unit(constant):.3g}."
    )
    return " ".join([finding, *(remedies or ["Lower learning_rate_init or train for longer."])])


def _cost_explaining(share: float, constant: float, link: str) -> float:
    """Return the cost of a fit that explains a share of what the constant, by its cost, does not.

    The cost of a density has no least value to be a share of. That of a normal one falls as here
    where a share of the variance is explained.
    """
    gain = -np.log1p(-share) / 2 if link == "gaussian" else share * abs(constant)
    return constant - float(gain)


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


def out_of_scale(learnt: Learnt, data: TrainingData, target: np.ndarray) -> list[str]:
    """Return sentences that name what is out of scale in X and a target (N, T), and the remedy."""
    rows = data.X[data.order[:ROWS_FOR_SCALE]]
    return [
        *scale_of_features(rows, learnt.feature_names),
        *learnt.coder.scale_of_target(target),
    ]


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
