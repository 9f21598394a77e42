"""How good a regressor's outputs are."""

from __future__ import annotations

import numpy as np

__all__ = ["pinball_loss", "quantile_score", "r2"]


def r2(target: np.ndarray, predicted: np.ndarray, sample_weight: np.ndarray | None = None) -> float:
    """Return R², the mean over targets, of predictions (N, T) of a target (N, T)."""
    from sklearn.metrics import r2_score  # noqa: PLC0415 - slow to import

    with np.errstate(over="ignore"):
        score = float(r2_score(target, predicted, sample_weight=sample_weight))
    if not np.isfinite(score) and target.dtype == np.float32:  # which lacks room for the squares
        doubles = target.astype(np.float64), predicted.astype(np.float64)
        score = float(r2_score(*doubles, sample_weight=sample_weight))
    return score


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
