"""The constant that predicts a real target best: a yardstick for fits, and where they may begin.

Legend: N rows, T targets, Q quantiles of each.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from fastmlp.backends import get_backend
from fastmlp.registry import CUSTOM, LOSSES, Loss

__all__ = ["quantiles_of", "real_constant"]

#: Losses whose best constant is the mean; the user's own are judged by it, too.
_OF_MEAN = (LOSSES["squared_error"].code, CUSTOM)

#: Slopes, but for a factor, of losses of an error: of the error, given what the loss depends on.
_SLOPES: dict[int, Callable[..., np.ndarray]] = {
    LOSSES["huber"].code: lambda error, delta: np.clip(error, -delta, delta),
    LOSSES["smooth_l1"].code: lambda error, beta: np.clip(error, -beta, beta),
    LOSSES["log_cosh"].code: np.tanh,
}

#: Least distance of neighbouring quantiles, in standard deviations: softplus hardly moves below.
LEAST_STEP = 1e-2


def real_constant(
    row: Loss,
    target: np.ndarray,
    weights: np.ndarray | None,
    levels: np.ndarray,
    parameters: np.ndarray,
) -> np.ndarray:
    """Return the logits of the constant prediction that suits a regression loss best.

    Parameters
    ----------
    row : Loss
    target : ndarray, shape (N, T)
    weights : ndarray, shape (N,), or None
    levels : ndarray, shape (Q,)
        Of the quantiles, or the median's, for losses that are least there.
    parameters : ndarray, shape (K,)
        The loss's.

    Returns
    -------
    ndarray of float64, shape (C,)
        In the order of the network's outputs.
    """
    target = target.astype(np.float64)
    if row.link == "quantiles":
        columns = [_quantile_logits(column, levels, weights) for column in target.T]
        return np.concatenate(columns)
    if row.code == LOSSES["absolute_error"].code:
        return np.array([quantiles_of(column, levels, weights)[0] for column in target.T])
    if row.link == "identity" and row.code not in _OF_MEAN:
        slope = _SLOPES.get(row.code, _slope_of(row))
        return np.array([_balance(column, weights, slope, parameters) for column in target.T])
    mean = np.average(target, axis=0, weights=weights)
    if row.link == "exp":
        return np.log(np.maximum(mean, np.finfo(np.float32).tiny))
    if row.link == "gaussian":
        variance = np.average((target - mean) ** 2, axis=0, weights=weights)
        return np.concatenate([mean, _inverse_softplus(np.maximum(variance, LEAST_STEP**2))])
    return np.asarray(mean)


def _slope_of(row: Loss) -> Callable[..., np.ndarray]:
    """Return the slope of a loss of an error, as the specification has it."""

    def slope(error: np.ndarray, *parameters: float) -> np.ndarray:
        values, gradient = np.empty(len(error)), np.empty((len(error), 1))
        numbers, none = np.array(parameters), np.zeros((len(error), 1))
        get_backend("numpy").loss_and_gradient(
            row.code, numbers, error[:, np.newaxis], none, None, values, gradient
        )
        return gradient[:, 0]

    return slope


def _balance(
    column: np.ndarray,
    weights: np.ndarray | None,
    slope: Callable[..., np.ndarray],
    parameters: np.ndarray,
) -> float:
    """Return the number between the extremes of ``column`` (N,) at which slopes sum up to 0."""
    from scipy.optimize import brentq  # noqa: PLC0415 - not every fit needs it

    if weights is not None:
        column, weights = column[weights > 0], weights[weights > 0]
    low, high = column.min(), column.max()
    if low == high:
        return float(low)

    def mean_slope(z: float, lift: float = 0.0) -> float:
        return float(np.average(slope(z - column, *parameters), weights=weights)) + lift

    # Between two targets the slope may be 0 all along, where only its middle is well defined.
    lift = 1e-9 * (mean_slope(high) - mean_slope(low))
    ends = [
        brentq(mean_slope, low, high, args=(by,), xtol=1e-12 * (high - low)) for by in (lift, -lift)
    ]
    return float(np.mean(ends))


def _quantile_logits(
    column: np.ndarray, levels: np.ndarray, weights: np.ndarray | None
) -> np.ndarray:
    """Return the lowest quantile of ``column`` (N,) and what softplus makes the steps of, (Q,)."""
    quantiles = quantiles_of(column, levels, weights)
    mean = np.average(column, weights=weights)
    spread = np.sqrt(np.average((column - mean) ** 2, weights=weights)) or 1.0
    steps = np.maximum(np.diff(quantiles), LEAST_STEP * spread)
    return np.concatenate([quantiles[:1], _inverse_softplus(steps)])


def quantiles_of(column: np.ndarray, levels: np.ndarray, weights: np.ndarray | None) -> np.ndarray:
    """Return the least values of ``column`` (N,) up to which a share of the weight lies, (Q,)."""
    order = np.argsort(column)
    counts = np.ones(len(column)) if weights is None else weights[order].astype(np.float64)
    below = np.cumsum(counts)
    places = np.searchsorted(below, levels * below[-1])
    return np.asarray(column[order[np.minimum(places, len(order) - 1)]])


def _inverse_softplus(y: np.ndarray) -> np.ndarray:
    """Return z (Q,) with log(1 + exp(z)) = y > 0, without overflow; y is (Q,)."""
    return np.asarray(y + np.log(-np.expm1(-y)))
