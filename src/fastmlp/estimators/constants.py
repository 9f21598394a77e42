"""The constant that predicts a real target best: a yardstick for fits, and where they may begin.

Legend: N rows, T targets, Q quantiles of each.
"""

from __future__ import annotations

import numpy as np

from fastmlp.registry import Loss

__all__ = ["real_constant"]

#: Losses whose best constant is the median, or close to it.
_OF_MEDIAN = ("absolute_error", "huber", "smooth_l1", "log_cosh")

#: Least distance of neighbouring quantiles, in standard deviations: softplus hardly moves below.
LEAST_STEP = 1e-2


def real_constant(
    row: Loss, target: np.ndarray, weights: np.ndarray | None, levels: np.ndarray
) -> np.ndarray:
    """Return the logits of a constant prediction that suits a regression loss.

    Parameters
    ----------
    row : Loss
    target : ndarray, shape (N, T)
    weights : ndarray, shape (N,), or None
    levels : ndarray, shape (Q,)
        Of the quantiles, for the link "quantiles".

    Returns
    -------
    ndarray of float64, shape (C,)
        In the order of the network's outputs.
    """
    target = target.astype(np.float64)
    if row.link == "quantiles":
        columns = [_quantile_logits(column, levels, weights) for column in target.T]
        return np.concatenate(columns)
    if row.name in _OF_MEDIAN:
        return np.array([_quantiles(column, np.array([0.5]), weights)[0] for column in target.T])
    mean = np.average(target, axis=0, weights=weights)
    if row.link == "exp":
        return np.log(np.maximum(mean, np.finfo(np.float32).tiny))
    if row.link == "gaussian":
        variance = np.average((target - mean) ** 2, axis=0, weights=weights)
        return np.concatenate([mean, _inverse_softplus(np.maximum(variance, LEAST_STEP**2))])
    return np.asarray(mean)


def _quantile_logits(
    column: np.ndarray, levels: np.ndarray, weights: np.ndarray | None
) -> np.ndarray:
    """Return the lowest quantile of ``column`` (N,) and what softplus makes the steps of, (Q,)."""
    quantiles = _quantiles(column, levels, weights)
    spread = np.sqrt(np.average((column - column.mean()) ** 2, weights=weights)) or 1.0
    steps = np.maximum(np.diff(quantiles), LEAST_STEP * spread)
    return np.concatenate([quantiles[:1], _inverse_softplus(steps)])


def _quantiles(column: np.ndarray, levels: np.ndarray, weights: np.ndarray | None) -> np.ndarray:
    """Return the least values of ``column`` (N,) up to which a share of the weight lies, (Q,)."""
    order = np.argsort(column)
    counts = np.ones(len(column)) if weights is None else weights[order].astype(np.float64)
    below = np.cumsum(counts)
    places = np.searchsorted(below, levels * below[-1])
    return np.asarray(column[order[np.minimum(places, len(order) - 1)]])


def _inverse_softplus(y: np.ndarray) -> np.ndarray:
    """Return z with log(1 + exp(z)) = y > 0, without overflow."""
    return np.asarray(y + np.log(-np.expm1(-y)))
