# mypy: disable-error-code="no-untyped-def,no-untyped-call,call-arg"
# (compiled functions take their types from their arguments)
"""Losses of one sample, fused with their gradients, and their links.

``logits``, ``gradient`` and ``prediction`` are one row (C,), ``target`` one row (T,),
``parameters`` (K,) float64. The losses are in ``losses_of_outputs``, ``losses_of_classes`` and
``losses_of_heads``, each of which gives 0 for a code that it does not have.
"""

from __future__ import annotations

from fastmlp.backends.numba_jit.addresses import loss_by_address
from fastmlp.backends.numba_jit.exponential import exp
from fastmlp.backends.numba_jit.jit import kernel
from fastmlp.backends.numba_jit.losses_of_classes import loss_of_classes, softmax_row
from fastmlp.backends.numba_jit.losses_of_heads import (
    gaussian_link,
    loss_of_heads,
    quantiles_link,
)
from fastmlp.backends.numba_jit.losses_of_outputs import loss_of_outputs
from fastmlp.backends.numba_jit.smooth import logistic
from fastmlp.backends.numba_jit.stretches import copy
from fastmlp.registry import CUSTOM, LOSSES

__all__ = ["link_row", "loss_row"]


def _with_link(link):
    """Return the codes of the losses that have a link."""
    return tuple(row.code for row in LOSSES if row.link == link)


_SOFTMAX, _LOGISTIC, _EXP = _with_link("softmax"), _with_link("logistic"), _with_link("exp")
_GAUSSIAN, _QUANTILES = _with_link("gaussian"), _with_link("quantiles")


@kernel
def loss_row(loss, parameters, logits, target, gradient):
    """Return the loss of one sample and set ``gradient`` to its derivative by the logits."""
    if loss == CUSTOM:
        return loss_by_address(parameters[0], logits, target, gradient)
    value = loss_of_outputs(loss, parameters, logits, target, gradient)
    value += loss_of_classes(loss, parameters, logits, target, gradient)
    return value + loss_of_heads(loss, parameters, logits, target, gradient)


@kernel
def link_row(loss, parameters, logits, prediction):
    """Set ``prediction`` to what the logits stand for: probabilities, means, quantiles …."""
    if loss in _SOFTMAX:
        softmax_row(logits, prediction)
    elif loss in _LOGISTIC:
        for j in range(logits.size):
            prediction[j] = logistic(logits[j])
    elif loss in _EXP:
        for j in range(logits.size):
            prediction[j] = exp(logits[j])
    elif loss in _GAUSSIAN:
        gaussian_link(logits, prediction)
    elif loss in _QUANTILES:
        quantiles_link(parameters.size, logits, prediction)
    else:
        copy(logits, prediction)
