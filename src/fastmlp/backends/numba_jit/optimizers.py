# mypy: disable-error-code="no-untyped-def,no-untyped-call"
# (compiled functions take their types from their arguments)
"""Optimisers: one update of a stretch of parameters while its gradient is in cache.

All arrays are flat stretches (n,) of the same parameters.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from fastmlp.backends.numba_jit.jit import kernel, reduction_kernel
from fastmlp.backends.numba_jit.shaping import shape
from fastmlp.registry import OPTIMIZERS

__all__ = [
    "Penalties",
    "Rates",
    "add_penalty_gradient",
    "batch_rates",
    "no_penalties",
    "penalty_sums",
    "update",
]

_SGD = OPTIMIZERS["sgd"].code
_ADAM = OPTIMIZERS["adam"].code
_ADAMW = OPTIMIZERS["adamw"].code


class Rates(NamedTuple):
    """The settings that one batch needs, in the precision of the parameters."""

    rate: Any  # Adam's contains the correction of the moments' bias
    momentum: Any
    beta_1: Any
    one_minus_beta_1: Any
    beta_2: Any
    one_minus_beta_2: Any
    epsilon: Any


class Penalties(NamedTuple):
    """What weights get beyond the gradient of the cost; biases get (0, 1, 0)."""

    l2: Any  # times w, added to the gradient
    keep: Any  # w shrinks by this factor before the step
    shrink: Any  # w moves by so much towards 0 after the step


@kernel
def batch_rates(settings, step, weight_sum, parameters):
    """Return the rates and the penalties of update number ``step`` + 1 for the weights."""
    real = parameters.dtype.type
    rate = settings.learning_rate
    if settings.optimizer != _SGD:
        t = step + 1
        rate *= math.sqrt(1 - settings.beta_2**t) / (1 - settings.beta_1**t)
    rates = Rates(
        real(rate),
        real(settings.momentum),
        real(settings.beta_1),
        real(1 - settings.beta_1),
        real(settings.beta_2),
        real(1 - settings.beta_2),
        real(settings.epsilon),
    )
    penalties = Penalties(
        real(settings.l2 / weight_sum),
        real(1 - settings.learning_rate * settings.weight_decay),
        real(settings.learning_rate * settings.l1 / weight_sum),
    )
    return rates, penalties


@kernel
def no_penalties(parameters):
    """Return those of the biases."""
    real = parameters.dtype.type
    return Penalties(real(0), real(1), real(0))


@kernel
def _sgd(rates, parameters, gradient, velocity, nesterov):
    for i in range(parameters.size):
        step = rates.rate * gradient[i]
        v = rates.momentum * velocity[i] - step
        velocity[i] = v
        parameters[i] += rates.momentum * v - step if nesterov else v


@kernel
def _adam(rates, parameters, gradient, first, second):
    for i in range(parameters.size):
        g = gradient[i]
        m = rates.beta_1 * first[i] + rates.one_minus_beta_1 * g
        v = rates.beta_2 * second[i] + rates.one_minus_beta_2 * (g * g)
        first[i], second[i] = m, v
        parameters[i] -= rates.rate * m / (np.sqrt(v) + rates.epsilon)


@kernel
def _add_l2(l2, parameters, gradient):
    for i in range(parameters.size):
        gradient[i] += l2 * parameters[i]


@kernel
def _decay(keep, parameters):
    for i in range(parameters.size):
        parameters[i] *= keep


@kernel
def _after(penalties, parameters):
    """Shrink: the proximal step of the L1 penalty, which gives exact zeros."""
    zero, shrink = parameters.dtype.type(0), penalties.shrink
    for i in range(parameters.size):
        w = parameters[i]
        rest = abs(w) - shrink
        rest = zero if rest < zero else rest
        parameters[i] = -rest if w < zero else rest


@kernel
def update(settings, rates, penalties, shaping, start, parameters, gradient, first, second):
    """One update in place of the stretch that begins at ``start`` in the flat vector.

    ``gradient`` is overwritten, sgd keeps its velocity in ``first``.
    """
    if penalties.l2 != 0:
        _add_l2(penalties.l2, parameters, gradient)
    if shaping.is_needed:
        shape(shaping, start, gradient)
    if penalties.keep != 1:
        _decay(penalties.keep, parameters)
    if settings.optimizer == _SGD:
        _sgd(rates, parameters, gradient, first, settings.nesterov != 0)
    elif settings.optimizer in (_ADAM, _ADAMW):
        _adam(rates, parameters, gradient, first, second)
    if penalties.shrink != 0:
        _after(penalties, parameters)


@reduction_kernel
def penalty_sums(weights):
    """Return Σw² and Σ|w| in float64."""
    squares, magnitudes = 0.0, 0.0
    for i in range(weights.size):
        w = np.float64(weights[i])
        squares += w * w
        magnitudes += abs(w)
    return squares, magnitudes


@kernel
def add_penalty_gradient(l2, l1, weights, gradient):
    """gradient += l2 · w + l1 · sign(w), with sign(0) = 0; both factors are of the arrays' type."""
    zero = weights.dtype.type(0)
    for i in range(weights.size):
        w = weights[i]
        sign = l1 if w > zero else (-l1 if w < zero else zero)
        gradient[i] += l2 * w + sign
