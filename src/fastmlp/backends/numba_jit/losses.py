# mypy: disable-error-code="no-untyped-def,no-untyped-call,call-arg"
# (compiled functions take their types from their arguments)
"""Losses of one sample, fused with their gradients, and their links.

``logits``, ``gradient`` and ``prediction`` are one row (C,), ``target`` one row (T,),
``parameters`` (K,) float64.
"""

from __future__ import annotations

import math

from fastmlp.backends.numba_jit.activations import logistic
from fastmlp.backends.numba_jit.addresses import loss_by_address
from fastmlp.backends.numba_jit.exponential import exp
from fastmlp.backends.numba_jit.jit import kernel
from fastmlp.backends.numba_jit.stretches import copy
from fastmlp.registry import CUSTOM, LOSSES

__all__ = ["exponentials_row", "link_row", "loss_row", "softmax_row"]

_SOFTMAX_CROSS_ENTROPY = LOSSES["softmax_cross_entropy"].code
_BINARY_CROSS_ENTROPY = LOSSES["binary_cross_entropy"].code
_SQUARED_ERROR = LOSSES["squared_error"].code


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
def _softmax_cross_entropy(logits, target, gradient):
    """log Σ_j exp(z_j) − z_y; its gradient is softmax(z) minus the one-hot row of y."""
    largest, total = softmax_row(logits, gradient)
    label = int(target[0])
    gradient[label] -= gradient.dtype.type(1)
    return math.log(total) - (logits[label] - largest)


@kernel
def _binary_cross_entropy(logits, target, gradient):
    """Σ_j log(1 + exp(z_j)) − y_j z_j; its gradient is logistic(z) − y.

    log(1 + exp(z)) = max(z, 0) + log(1 + exp(−|z|)), and max(z, 0) − y z goes first, so that a
    small loss keeps its digits.
    """
    zero = logits.dtype.type(0)
    total = zero
    for j in range(logits.size):
        z, y = logits[j], target[j]
        positive = zero if z < zero else z
        total += (positive - y * z) + math.log1p(exp(-abs(z)))
        gradient[j] = logistic(z) - y
    return total


@kernel
def _squared_error(logits, target, gradient):
    """½ Σ_j (z_j − y_j)²; its gradient is z − y."""
    total = logits.dtype.type(0)
    for j in range(logits.size):
        residual = logits[j] - target[j]
        total += residual * residual
        gradient[j] = residual
    return total / logits.dtype.type(2)


@kernel
def loss_row(loss, parameters, logits, target, gradient):
    """Return the loss of one sample and set ``gradient`` to its derivative by the logits."""
    value = logits.dtype.type(0)
    if loss == _SOFTMAX_CROSS_ENTROPY:
        value = _softmax_cross_entropy(logits, target, gradient)
    elif loss == _BINARY_CROSS_ENTROPY:
        value = _binary_cross_entropy(logits, target, gradient)
    elif loss == _SQUARED_ERROR:
        value = _squared_error(logits, target, gradient)
    elif loss == CUSTOM:
        value = loss_by_address(parameters[0], logits, target, gradient)
    return value


@kernel
def link_row(loss, parameters, logits, prediction):
    """Set ``prediction`` to softmax, logistic or identity of the logits."""
    if loss == _SOFTMAX_CROSS_ENTROPY:
        softmax_row(logits, prediction)
    elif loss == _BINARY_CROSS_ENTROPY:
        for j in range(logits.size):
            prediction[j] = logistic(logits[j])
    elif loss == _SQUARED_ERROR:
        copy(logits, prediction)
