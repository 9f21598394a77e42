# mypy: disable-error-code="no-untyped-def,no-untyped-call"
# (compiled functions take their types from their arguments)
"""Optimisers: one update of a stretch of parameters while its gradient is in cache.

All arrays are flat stretches (n,) of the same parameters.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from fastmlp.backends.numba_jit.jit import kernel, reduction_kernel, scalar_kernel
from fastmlp.backends.numba_jit.shaping import shape
from fastmlp.registry import OPTIMIZERS

__all__ = [
    "N_NUMBERS",
    "Rates",
    "add_penalty_gradient",
    "follow_direction",
    "has_trust_ratio",
    "l2_of",
    "penalty_sums",
    "set_direction",
    "set_group_numbers",
    "trust_ratio",
    "update",
]

_SGD = OPTIMIZERS["sgd"].code
_ADAM = OPTIMIZERS["adam"].code
_ADAMW = OPTIMIZERS["adamw"].code
_RMSPROP = OPTIMIZERS["rmsprop"].code
_ADAGRAD = OPTIMIZERS["adagrad"].code
_ADADELTA = OPTIMIZERS["adadelta"].code
_NADAM = OPTIMIZERS["nadam"].code
_RADAM = OPTIMIZERS["radam"].code
_LION = OPTIMIZERS["lion"].code
_LAMB = OPTIMIZERS["lamb"].code
_WITH_TRUST_RATIO = tuple(row.code for row in OPTIMIZERS if row.has_trust_ratio)


class Rates(NamedTuple):
    """What the optimiser's step takes, in the precision of the parameters."""

    rate: Any  # the learning rate and what the optimiser multiplies it by
    coefficients: Any  # array (N_COEFFICIENTS,), in the order of Optimizer.numbers


# What a group's numbers (N_NUMBERS,) are: the step size; what times w is added to the gradient; the
# factor by which w shrinks before the step; how far it moves towards 0 after the step; what times w
# is added to the direction of an optimiser with a trust ratio, whose _KEEP is 1.
_RATE, _L2, _KEEP, _SHRINK, _DECAY = 0, 1, 2, 3, 4
N_NUMBERS = 5


@kernel
def has_trust_ratio(optimizer):
    """Whether the step of each slot is scaled by norms, which are known before any step is made."""
    return optimizer in _WITH_TRUST_RATIO


@kernel
def set_group_numbers(settings, update, weight_sum, factors, numbers):
    """Set ``numbers`` (N_NUMBERS,) real to those of one update of a group with ``factors``."""
    rate = update.learning_rate * factors.learning_rate
    decay = update.weight_decay * factors.weight_decay
    numbers[_RATE] = rate * update.rate_factor
    numbers[_L2] = settings.l2 * factors.l2 / weight_sum
    numbers[_KEEP] = 1 if has_trust_ratio(settings.optimizer) else 1 - rate * decay
    numbers[_DECAY] = decay
    numbers[_SHRINK] = rate * (settings.l1 * factors.l1) / weight_sum


@kernel
def l2_of(numbers):
    """Return what times w is added to a group's gradient."""
    return numbers[_L2]


@kernel
def _sgd(rates, parameters, gradient, moments):
    momentum, nesterov = rates.coefficients[0], rates.coefficients[1] != 0
    velocity = moments[0]
    for i in range(parameters.size):
        step = rates.rate * gradient[i]
        v = momentum * velocity[i] - step
        velocity[i] = v
        parameters[i] += momentum * v - step if nesterov else v


@kernel
def _adam(rates, parameters, gradient, moments):
    one_minus_beta_1, one_minus_beta_2 = rates.coefficients[0], rates.coefficients[1]
    epsilon, beta_1, beta_2 = rates.coefficients[2], rates.coefficients[3], rates.coefficients[4]
    first, second = moments[0], moments[1]
    for i in range(parameters.size):
        g = gradient[i]
        m = beta_1 * first[i] + one_minus_beta_1 * g
        v = beta_2 * second[i] + one_minus_beta_2 * (g * g)
        first[i], second[i] = m, v
        parameters[i] -= rates.rate * m / (np.sqrt(v) + epsilon)


@scalar_kernel
def _towards(mean, share, value):
    """Return a running mean that has moved by ``share`` towards a value."""
    return mean + share * (value - mean)


@kernel
def _rmsprop(rates, parameters, gradient, moments):
    share, epsilon = rates.coefficients[0], rates.coefficients[1]
    momentum, centered = rates.coefficients[2], rates.coefficients[3]
    squares, means, velocity = moments[0], moments[1], moments[2]
    zero = parameters.dtype.type(0)
    for i in range(parameters.size):
        g = gradient[i]
        squares[i] = _towards(squares[i], share, g * g)
        means[i] = _towards(means[i], share, g)
        variance = squares[i] - centered * (means[i] * means[i])
        variance = zero if variance < zero else variance  # NaN stays
        velocity[i] = momentum * velocity[i] + g / (np.sqrt(variance) + epsilon)
        parameters[i] -= rates.rate * velocity[i]


@kernel
def _adagrad(rates, parameters, gradient, moments):
    initial, epsilon, sums = rates.coefficients[0], rates.coefficients[1], moments[0]
    for i in range(parameters.size):
        g = gradient[i]
        sums[i] += g * g
        parameters[i] -= rates.rate * g / (np.sqrt(sums[i] + initial) + epsilon)


@kernel
def _adadelta(rates, parameters, gradient, moments):
    share, epsilon = rates.coefficients[0], rates.coefficients[1]
    squares, steps = moments[0], moments[1]
    for i in range(parameters.size):
        g = gradient[i]
        squares[i] = _towards(squares[i], share, g * g)
        step = np.sqrt(steps[i] + epsilon) / np.sqrt(squares[i] + epsilon) * g
        steps[i] = _towards(steps[i], share, step * step)
        parameters[i] -= rates.rate * step


@kernel
def _nadam(rates, parameters, gradient, moments):
    share_1, share_2, epsilon = rates.coefficients[0], rates.coefficients[1], rates.coefficients[2]
    scale, of_gradient = rates.coefficients[3], rates.coefficients[4]
    of_mean, first, second = rates.coefficients[5], moments[0], moments[1]
    for i in range(parameters.size):
        g = gradient[i]
        m, v = _towards(first[i], share_1, g), _towards(second[i], share_2, g * g)
        first[i], second[i] = m, v
        parameters[i] -= (
            rates.rate * (of_gradient * g + of_mean * m) / (scale * np.sqrt(v) + epsilon)
        )


@kernel
def _radam(rates, parameters, gradient, moments):
    share_1, share_2, epsilon = rates.coefficients[0], rates.coefficients[1], rates.coefficients[2]
    adaptive, one = rates.coefficients[3] != 0, parameters.dtype.type(1)
    first, second = moments[0], moments[1]
    for i in range(parameters.size):
        g = gradient[i]
        m, v = _towards(first[i], share_1, g), _towards(second[i], share_2, g * g)
        first[i], second[i] = m, v
        parameters[i] -= rates.rate * m / (np.sqrt(v) + epsilon if adaptive else one)


@kernel
def _lion(rates, parameters, gradient, moments):
    share_1, share_2, first = rates.coefficients[0], rates.coefficients[1], moments[0]
    zero = parameters.dtype.type(0)
    for i in range(parameters.size):
        g = gradient[i]
        step = _towards(first[i], share_1, g)
        first[i] = _towards(first[i], share_2, g)
        if step > zero:
            parameters[i] -= rates.rate
        elif step < zero:
            parameters[i] += rates.rate
        else:
            parameters[i] -= step  # 0 or NaN


@kernel
def _lamb(decay, coefficients, parameters, gradient, moments):
    """Replace the gradient by LAMB's direction."""
    share_1, share_2, epsilon = coefficients[0], coefficients[1], coefficients[2]
    of_mean, of_root, first, second = coefficients[3], coefficients[4], moments[0], moments[1]
    for i in range(parameters.size):
        g = gradient[i]
        m, v = _towards(first[i], share_1, g), _towards(second[i], share_2, g * g)
        first[i], second[i] = m, v
        gradient[i] = of_mean * m / (of_root * np.sqrt(v) + epsilon) + decay * parameters[i]


@kernel
def _step(optimizer, rates, parameters, gradient, moments):
    """Make the optimiser's step: a branch for each row of ``OPTIMIZERS`` without a trust ratio."""
    if optimizer == _SGD:
        _sgd(rates, parameters, gradient, moments)
    elif optimizer in (_ADAM, _ADAMW):
        _adam(rates, parameters, gradient, moments)
    elif optimizer == _RMSPROP:
        _rmsprop(rates, parameters, gradient, moments)
    elif optimizer == _ADAGRAD:
        _adagrad(rates, parameters, gradient, moments)
    elif optimizer == _ADADELTA:
        _adadelta(rates, parameters, gradient, moments)
    elif optimizer == _NADAM:
        _nadam(rates, parameters, gradient, moments)
    elif optimizer == _RADAM:
        _radam(rates, parameters, gradient, moments)
    elif optimizer == _LION:
        _lion(rates, parameters, gradient, moments)


@kernel
def _add_l2(l2, parameters, gradient):
    for i in range(parameters.size):
        gradient[i] += l2 * parameters[i]


@kernel
def _decay(keep, parameters):
    for i in range(parameters.size):
        parameters[i] *= keep


@kernel
def _shrink(amount, parameters):
    """Move by ``amount`` towards 0: the proximal step of the L1 penalty, with exact zeros."""
    zero = parameters.dtype.type(0)
    for i in range(parameters.size):
        w = parameters[i]
        rest = abs(w) - amount
        rest = zero if rest < zero else rest
        parameters[i] = -rest if w < zero else rest


@kernel
def update(settings, numbers, coefficients, shaping, start, parameters, gradient, moments):
    """One update in place of the stretch that begins at ``start`` in the flat vector.

    ``numbers`` (N_NUMBERS,) are its group's; ``gradient`` (n,) is overwritten; ``moments`` is
    (M, n).
    """
    if numbers[_L2] != 0:
        _add_l2(numbers[_L2], parameters, gradient)
    if shaping.is_needed:
        shape(shaping, start, gradient)
    if numbers[_KEEP] != 1:
        _decay(numbers[_KEEP], parameters)
    _step(settings.optimizer, Rates(numbers[_RATE], coefficients), parameters, gradient, moments)
    if numbers[_SHRINK] != 0:
        _shrink(numbers[_SHRINK], parameters)


@kernel
def set_direction(
    settings, numbers, coefficients, shaping, start, parameters, gradient, moments, norms
):
    """Replace the gradient of a stretch by the direction of an optimiser with a trust ratio.

    ``norms`` (2,) float64 become the sums of squares of parameters and direction; the other
    arguments are those of ``update``.
    """
    if numbers[_L2] != 0:
        _add_l2(numbers[_L2], parameters, gradient)
    if shaping.is_needed:
        shape(shaping, start, gradient)
    if settings.optimizer == _LAMB:
        _lamb(numbers[_DECAY], coefficients, parameters, gradient, moments)
    norms[0], norms[1] = penalty_sums(parameters)[0], penalty_sums(gradient)[0]


@scalar_kernel
def trust_ratio(norms):
    """Return the ratio of the norms whose squares are ``norms`` (2,); 1 where one of them is 0."""
    return np.sqrt(norms[0]) / np.sqrt(norms[1]) if norms[0] != 0 and norms[1] != 0 else 1.0


@kernel
def follow_direction(numbers, trust, parameters, direction):
    """Make the step along ``direction`` (n,), with the slot's trust ratio."""
    rate = numbers.dtype.type(numbers[_RATE] * trust)
    for i in range(parameters.size):
        parameters[i] -= rate * direction[i]
    if numbers[_SHRINK] != 0:
        _shrink(numbers[_SHRINK], parameters)


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
