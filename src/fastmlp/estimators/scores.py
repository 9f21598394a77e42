"""How good a regressor's outputs are."""

from __future__ import annotations

import numpy as np

__all__ = ["pinball_loss", "quantile_score", "r2"]

#: Of targets whose largest is not between these, float32 has no room for the squares.
LEAST, LARGEST = 1e-15, 1e15


def r2(target: np.ndarray, predicted: np.ndarray, sample_weight: np.ndarray | None = None) -> float:
    """Return R², the mean over targets, of predictions (N, T) of a target (N, T)."""
    score = _r2(target, predicted, sample_weight)
    size = float(np.abs(target).max())
    if target.dtype == np.float32 and not (LEAST < size < LARGEST and np.isfinite(score)):
        doubles = target.astype(np.float64), predicted.astype(np.float64)
        return _r2(*doubles, sample_weight)
    return score


def _r2(target: np.ndarray, predicted: np.ndarray, sample_weight: np.ndarray | None) -> float:
    from sklearn.metrics import r2_score  # noqa: PLC0415 - slow to import

    with np.errstate(over="ignore"):
        return float(r2_score(target, predicted, sample_weight=sample_weight))


def quantile_score(
    target: np.ndarray,
    quantiles: np.ndarray,
    levels: np.ndarray,
    sample_weight: np.ndarray | None = None,
) -> float:
    """Return D² of quantiles (N, T, Q) at ``levels`` (Q,) of a target (N, T).

    The share of the pinball loss of the target's own quantiles that is explained (Koenker and
    Machado 1999), mean over levels and targets; R² would ask for means.
    """
    from sklearn.metrics import d2_pinball_score  # noqa: PLC0415 - slow to import

    scores = [
        d2_pinball_score(target, quantiles[:, :, q], sample_weight=sample_weight, alpha=level)
        for q, level in enumerate(levels)
    ]
    return float(np.mean(scores))


def pinball_loss(
    target: np.ndarray,
    quantiles: np.ndarray,
    levels: np.ndarray,
    sample_weight: np.ndarray | None = None,
) -> float:
    """Return the mean pinball loss of quantiles (N, T, Q) at ``levels`` (Q,) of a target (N, T)."""
    error = target[:, :, np.newaxis].astype(np.float64) - quantiles
    losses = np.maximum(levels * error, (levels - 1) * error).mean(axis=(1, 2))
    return float(np.average(losses, weights=sample_weight))
