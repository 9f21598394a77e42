# mypy: disable-error-code="no-untyped-def,no-untyped-call,call-arg"
# (compiled functions take their types from their arguments)
"""Losses of one sample, fused with their gradients, and their links.

``logits``, ``gradient`` and ``prediction`` are one row (C,), ``target`` one row (T,),
``parameters`` (K,) float64. This file chooses among the losses; they are in ``losses_of_outputs``,
``losses_of_classes`` and ``losses_of_heads``.
"""

from __future__ import annotations

from fastmlp.backends.numba_jit import losses_of_classes as classes
from fastmlp.backends.numba_jit import losses_of_heads as heads
from fastmlp.backends.numba_jit import losses_of_outputs as outputs
from fastmlp.backends.numba_jit.activations import logistic
from fastmlp.backends.numba_jit.addresses import loss_by_address
from fastmlp.backends.numba_jit.exponential import exp
from fastmlp.backends.numba_jit.jit import kernel
from fastmlp.backends.numba_jit.stretches import copy
from fastmlp.registry import CUSTOM, LOSSES

__all__ = ["link_row", "loss_row"]

_SOFTMAX_CROSS_ENTROPY = LOSSES["softmax_cross_entropy"].code
_BINARY_CROSS_ENTROPY = LOSSES["binary_cross_entropy"].code
_SQUARED_ERROR = LOSSES["squared_error"].code
_SOFT_CROSS_ENTROPY = LOSSES["soft_cross_entropy"].code
_KL_DIVERGENCE = LOSSES["kl_divergence"].code
_FOCAL = LOSSES["focal"].code
_BINARY_FOCAL = LOSSES["binary_focal"].code
_MULTI_MARGIN = LOSSES["multi_margin"].code
_SQUARED_HINGE = LOSSES["squared_hinge"].code
_ABSOLUTE_ERROR = LOSSES["absolute_error"].code
_HUBER = LOSSES["huber"].code
_SMOOTH_L1 = LOSSES["smooth_l1"].code
_LOG_COSH = LOSSES["log_cosh"].code
_POISSON = LOSSES["poisson"].code
_GAMMA = LOSSES["gamma"].code
_TWEEDIE = LOSSES["tweedie"].code
_GAUSSIAN_NLL = LOSSES["gaussian_nll"].code
_PINBALL = LOSSES["pinball"].code


@kernel
def _first(parameters):
    return parameters[0] if parameters.size > 0 else 0.0


@kernel
def _loss_of_outputs(loss, parameters, logits, target, gradient):
    """A loss that is a sum over outputs."""
    value = logits[0] * 0.0
    if loss == _BINARY_CROSS_ENTROPY:
        value = outputs.binary_cross_entropy(logits, target, _first(parameters), gradient)
    elif loss == _SQUARED_ERROR:
        value = outputs.squared_error(logits, target, _first(parameters), gradient)
    elif loss == _SQUARED_HINGE:
        value = outputs.squared_hinge(logits, target, _first(parameters), gradient)
    elif loss == _ABSOLUTE_ERROR:
        value = outputs.absolute_error(logits, target, _first(parameters), gradient)
    elif loss == _HUBER:
        value = outputs.huber(logits, target, _first(parameters), gradient)
    elif loss == _SMOOTH_L1:
        value = outputs.smooth_l1(logits, target, _first(parameters), gradient)
    elif loss == _LOG_COSH:
        value = outputs.log_cosh(logits, target, _first(parameters), gradient)
    elif loss == _POISSON:
        value = outputs.poisson(logits, target, _first(parameters), gradient)
    elif loss == _GAMMA:
        value = outputs.gamma(logits, target, _first(parameters), gradient)
    elif loss == _TWEEDIE:
        value = outputs.tweedie(logits, target, _first(parameters), gradient)
    elif loss == _BINARY_FOCAL:
        value = outputs.binary_focal(logits, target, _first(parameters), gradient)
    return value


@kernel
def _loss_of_rows(loss, parameters, logits, target, gradient):
    """A loss of classes, or with several outputs for each target."""
    value = logits[0] * 0.0
    if loss == _SOFTMAX_CROSS_ENTROPY:
        value = classes.softmax_cross_entropy(logits, target, gradient)
    elif loss == _SOFT_CROSS_ENTROPY:
        value = classes.soft_cross_entropy(logits, target, gradient)
    elif loss == _KL_DIVERGENCE:
        value = classes.kl_divergence(logits, target, gradient)
    elif loss == _FOCAL:
        value = classes.focal(logits, target, _first(parameters), gradient)
    elif loss == _MULTI_MARGIN:
        value = classes.multi_margin(logits, target, gradient)
    elif loss == _GAUSSIAN_NLL:
        value = heads.gaussian_nll(logits, target, gradient)
    elif loss == _PINBALL:
        value = heads.pinball(logits, target, parameters, gradient)
    return value


@kernel
def loss_row(loss, parameters, logits, target, gradient):
    """Return the loss of one sample and set ``gradient`` to its derivative by the logits."""
    if loss == CUSTOM:
        return loss_by_address(parameters[0], logits, target, gradient)
    value = _loss_of_outputs(loss, parameters, logits, target, gradient)
    return value + _loss_of_rows(loss, parameters, logits, target, gradient)


@kernel
def link_row(loss, parameters, logits, prediction):
    """Set ``prediction`` to what the logits stand for: probabilities, means, quantiles …."""
    if loss in (_SOFTMAX_CROSS_ENTROPY, _SOFT_CROSS_ENTROPY, _KL_DIVERGENCE, _FOCAL):
        classes.softmax_row(logits, prediction)
    elif loss in (_BINARY_CROSS_ENTROPY, _BINARY_FOCAL):
        for j in range(logits.size):
            prediction[j] = logistic(logits[j])
    elif loss in (_POISSON, _GAMMA, _TWEEDIE):
        for j in range(logits.size):
            prediction[j] = exp(logits[j])
    elif loss == _GAUSSIAN_NLL:
        heads.gaussian_link(logits, prediction)
    elif loss == _PINBALL:
        heads.quantiles_link(parameters.size, logits, prediction)
    else:
        copy(logits, prediction)
