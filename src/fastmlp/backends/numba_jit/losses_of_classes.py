# mypy: disable-error-code="no-untyped-def,no-untyped-call"
# (compiled functions take their types from their arguments)
"""Losses of one class among several, or of a distribution over them; see ``losses``."""

from __future__ import annotations

import math

from fastmlp.backends.numba_jit.exponential import exp
from fastmlp.backends.numba_jit.jit import kernel
from fastmlp.registry import LOSSES

__all__ = ["exponentials_row", "loss_of_classes", "softmax_row"]


@kernel
def exponentials_row(logits, out):
    """Set out = exp(logits - max) and return (max, sum of out).

    The largest exponent is 0, so nothing overflows and the sum is at least 1.
    """
    largest = logits[0]
    for j in range(1, logits.size):
        # NaN must win, so that it stays visible.
        largest = largest if largest >= logits[j] else logits[j]
    for j in range(logits.size):
        out[j] = exp(logits[j] - largest)
    total = logits.dtype.type(0)
    for j in range(logits.size):
        total += out[j]
    return largest, total


@kernel
def softmax_row(logits, out):
    """Set out = softmax(logits) and return (max, sum of exponentials relative to it)."""
    largest, total = exponentials_row(logits, out)
    for j in range(logits.size):
        out[j] /= total
    return largest, total


@kernel
def softmax_cross_entropy(logits, target, gradient):
    """log Σ_j exp(z_j) − z_y; its gradient is softmax(z) minus the one-hot row of y."""
    largest, total = softmax_row(logits, gradient)
    label = int(target[0])
    gradient[label] -= gradient.dtype.type(1)
    return math.log(total) - (logits[label] - largest)


@kernel
def soft_cross_entropy(logits, target, gradient):
    """Σ_j p_j (log Σ exp(z) − z_j); its gradient is softmax(z) Σ_j p_j − p."""
    largest, total = softmax_row(logits, gradient)
    log_total = math.log(total)
    value, mass = 0.0, 0.0
    for j in range(logits.size):
        if target[j] != 0:
            value += target[j] * (log_total - (logits[j] - largest))
        mass += target[j]
    for j in range(logits.size):
        gradient[j] = gradient[j] * mass - target[j]
    return value


@kernel
def kl_divergence(logits, target, gradient):
    """Σ_j p_j (log p_j − log softmax(z)_j); the gradient is that of the cross-entropy."""
    value = soft_cross_entropy(logits, target, gradient)
    for j in range(logits.size):
        if target[j] > 0:
            value += target[j] * math.log(target[j])
    return value


@kernel
def focal(logits, target, gamma, gradient):
    """−(1 − q)^γ log q of the true class's probability q = softmax(z)_y (Lin et al. 2017)."""
    largest, total = exponentials_row(logits, gradient)
    label, rest = int(target[0]), 0.0
    for j in range(logits.size):
        if j != label:
            rest += gradient[j]
    rest /= total
    q = gradient[label] / total
    log_q = (logits[label] - largest) - math.log(total)
    factor = rest**gamma
    # log q / (1 − q) tends to −1 where the label's probability rounds to 1.
    ratio = log_q / rest if rest > 0 else -1.0
    slope = factor * (gamma * q * ratio - 1)
    for j in range(logits.size):
        gradient[j] = -slope * (gradient[j] / total)
    gradient[label] = slope * rest
    return -factor * log_q


@kernel
def multi_margin(logits, target, gradient):
    """Σ_{j ≠ y} max(0, 1 − z_y + z_j) / C; the slope at a margin of 0 is 0."""
    label, value, violated = int(target[0]), 0.0, 0.0
    for j in range(logits.size):
        margin = 1 + (logits[j] - logits[label])
        slope = 1.0 if margin > 0 else (0.0 if margin <= 0 else margin)
        if j != label:
            value += 0.0 if margin <= 0 else margin
            violated += slope
        gradient[j] = slope / logits.size
    gradient[label] = -violated / logits.size
    return value / logits.size


_SOFTMAX_CROSS_ENTROPY = LOSSES["softmax_cross_entropy"].code
_SOFT_CROSS_ENTROPY = LOSSES["soft_cross_entropy"].code
_KL_DIVERGENCE = LOSSES["kl_divergence"].code
_FOCAL = LOSSES["focal"].code
_MULTI_MARGIN = LOSSES["multi_margin"].code


@kernel
def _first(parameters):
    return parameters[0] if parameters.size > 0 else 0.0


@kernel
def loss_of_classes(loss, parameters, logits, target, gradient):
    """Return a loss of this file and set ``gradient``; 0 for the code of any other."""
    value = logits[0] * 0.0
    if loss == _SOFTMAX_CROSS_ENTROPY:
        value = softmax_cross_entropy(logits, target, gradient)
    elif loss == _SOFT_CROSS_ENTROPY:
        value = soft_cross_entropy(logits, target, gradient)
    elif loss == _KL_DIVERGENCE:
        value = kl_divergence(logits, target, gradient)
    elif loss == _FOCAL:
        value = focal(logits, target, _first(parameters), gradient)
    elif loss == _MULTI_MARGIN:
        value = multi_margin(logits, target, gradient)
    return value
