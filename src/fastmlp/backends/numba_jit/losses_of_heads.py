# mypy: disable-error-code="no-untyped-def,no-untyped-call"
# (compiled functions take their types from their arguments)
"""Losses with several outputs for each target: mean and variance, or quantiles."""

from __future__ import annotations

import math

from fastmlp.backends.numba_jit.jit import kernel
from fastmlp.backends.numba_jit.losses_of_outputs import pinball_terms
from fastmlp.backends.numba_jit.smooth import softplus
from fastmlp.registry import LOSSES

__all__ = ["gaussian_link", "loss_of_heads", "quantiles_link"]

#: Keeps a variance away from 0.
VARIANCE_FLOOR = 1e-6


@kernel
def gaussian_nll(logits, target, gradient):
    """Σ_j (log v_j + (m_j − y_j)²/v_j)/2 with v = softplus(s) + a floor and z = (m, s)."""
    n, total = target.size, 0.0
    for j in range(n):
        spread, slope = softplus(logits[n + j])
        inverse = 1 / (spread + VARIANCE_FLOOR)
        residual = logits[j] - target[j]
        scaled = residual * inverse
        total += (residual * scaled - math.log(inverse)) / 2
        gradient[j] = scaled
        gradient[n + j] = (inverse - scaled * scaled) / 2 * slope
    return total


@kernel
def gaussian_link(logits, prediction):
    """Set ``prediction`` to the means, then the variances."""
    n = logits.size // 2
    for j in range(n):
        prediction[j] = logits[j]
        prediction[n + j] = softplus(logits[n + j])[0] + VARIANCE_FLOOR


@kernel
def quantiles_link(n, logits, prediction):
    """Set ``prediction`` to ascending quantiles, n for each target.

    The first is its logit, each further one lies softplus of its logit above the one before.
    """
    level = logits[0] * 0.0
    for j in range(logits.size):
        level = logits[j] * 1.0 if j % n == 0 else level + softplus(logits[j])[0]
        prediction[j] = level


@kernel
def pinball(logits, target, quantiles, gradient):
    """Pinball losses summed over targets and quantiles (Q,)."""
    n, total, slope_above = quantiles.size, 0.0, 0.0
    quantiles_link(n, logits, gradient)
    for j in range(logits.size - 1, -1, -1):
        value, slope = pinball_terms(gradient[j], target[j // n], quantiles[j % n])
        total += value
        # A quantile's logit lifts all those above it, too.
        slope_above = slope if j % n == n - 1 else slope_above + slope
        gradient[j] = slope_above if j % n == 0 else slope_above * softplus(logits[j])[1]
    return total


_GAUSSIAN_NLL = LOSSES["gaussian_nll"].code
_PINBALL = LOSSES["pinball"].code


@kernel
def loss_of_heads(loss, parameters, logits, target, gradient):
    """Return a loss of this file and set ``gradient``; 0 for the code of any other."""
    value = logits[0] * 0.0
    if loss == _GAUSSIAN_NLL:
        value = gaussian_nll(logits, target, gradient)
    elif loss == _PINBALL:
        value = pinball(logits, target, parameters, gradient)
    return value
