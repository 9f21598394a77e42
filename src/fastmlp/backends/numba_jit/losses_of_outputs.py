# mypy: disable-error-code="no-untyped-def,no-untyped-call"
# (compiled functions take their types from their arguments)
"""Losses that are sums over the outputs of a function of logit z and target y.

Each ``…_terms`` returns the value and the derivative by z; ``parameter`` is the loss's number.
"""

from __future__ import annotations

import math

from fastmlp.backends.numba_jit.exponential import exp, tanh
from fastmlp.backends.numba_jit.jit import kernel
from fastmlp.backends.numba_jit.smooth import logistic, softplus
from fastmlp.registry import LOSSES

__all__ = ["loss_of_outputs", "pinball_terms"]


@kernel
def _sign(r):
    """−1, 0 or 1; NaN stays."""
    return 1.0 if r > 0 else (-1.0 if r < 0 else r * 0)


@kernel
def _clip(r, bound):
    return bound if r > bound else (-bound if r < -bound else r)


@kernel
def _binary_cross_entropy_terms(z, y, parameter):
    # log(1 + exp(z)) = max(z, 0) + log(1 + exp(−|z|)), and max(z, 0) − y z goes first, so that a
    # small loss keeps its digits.
    positive = z * 0 if z < 0 else z
    return (positive - y * z) + math.log1p(exp(-abs(z))), logistic(z) - y


@kernel
def _squared_error_terms(z, y, parameter):
    residual = z - y
    return residual * residual / 2, residual


@kernel
def _absolute_error_terms(z, y, parameter):
    return abs(z - y), _sign(z - y)


@kernel
def _huber_terms(z, y, delta):
    residual, size = z - y, abs(z - y)
    value = delta * (size - delta / 2) if size > delta else residual * residual / 2
    return value, _clip(residual, delta)


@kernel
def _smooth_l1_terms(z, y, beta):
    residual, size = z - y, abs(z - y)
    value = size - beta / 2 if size > beta else residual * residual / (2 * beta)
    return value, _clip(residual / beta, 1.0)


@kernel
def _log_cosh_terms(z, y, parameter):
    # log cosh r = log(1 + 2 sinh²(r/2)), which keeps the digits of a small value; far out cosh
    # would overflow.
    residual, size = z - y, abs(z - y)
    half = math.sinh(min(size, 1.0) / 2)
    near = math.log1p(2 * half * half)
    far = size + (math.log1p(exp(-2 * size)) - math.log(2.0))
    return near if size < 1 else far, tanh(residual)


@kernel
def _poisson_terms(z, y, parameter):
    mean = exp(z)
    own = y * math.log(y) if y > 0 else 0.0
    return (mean - y * z) + (own - y), mean - y


@kernel
def _gamma_terms(z, y, parameter):
    ratio = y * exp(-z)
    return (z - math.log(y)) + (ratio - 1), 1 - ratio


@kernel
def _tweedie_terms(z, y, power):
    # Where y > 0, by the difference of logarithms: no large terms cancel near powers of 1 and 2.
    a, b = power - 1, 2 - power
    if y <= 0:
        rising = exp(b * z)
        return rising / b, rising
    log_y = math.log(y)
    falling, rising = math.expm1(-a * (z - log_y)), math.expm1(b * (z - log_y))
    scale = exp(b * log_y)
    return scale * (falling / a + rising / b), scale * (rising - falling)


@kernel
def pinball_terms(z, y, tau):
    """τ (y − z) where y > z, else (1 − τ)(z − y); the slope at y = z is 0."""
    residual = z - y
    if residual > 0:
        return (1 - tau) * residual, 1 - tau
    return -tau * residual, -tau if residual < 0 else residual * 0


@kernel
def _squared_hinge_terms(z, y, parameter):
    sign = 2 * y - 1
    margin = 1 - sign * z
    margin = margin * 0 if margin <= 0 else margin
    return margin * margin, -2 * sign * margin


@kernel
def _binary_focal_terms(z, y, focus):
    sign = 2 * y - 1
    u = sign * z
    (minus_log_p, q), (minus_log_q, p) = softplus(u), softplus(-u)
    factor = exp(-focus * minus_log_p)
    return factor * minus_log_q, -sign * factor * (focus * q * minus_log_q + p)


def _summed(terms):
    """Return the loss of a row: the sum of ``terms`` over its outputs."""

    @kernel
    def loss(logits, target, parameter, gradient):
        total = logits[0] * 0
        for j in range(logits.size):
            value, slope = terms(logits[j], target[j], parameter)
            total += value
            gradient[j] = slope
        return total

    return loss


binary_cross_entropy = _summed(_binary_cross_entropy_terms)
squared_error = _summed(_squared_error_terms)
absolute_error = _summed(_absolute_error_terms)
huber = _summed(_huber_terms)
smooth_l1 = _summed(_smooth_l1_terms)
log_cosh = _summed(_log_cosh_terms)
poisson = _summed(_poisson_terms)
gamma = _summed(_gamma_terms)
tweedie = _summed(_tweedie_terms)
squared_hinge = _summed(_squared_hinge_terms)
binary_focal = _summed(_binary_focal_terms)


_BINARY_CROSS_ENTROPY = LOSSES["binary_cross_entropy"].code
_SQUARED_ERROR = LOSSES["squared_error"].code
_BINARY_FOCAL = LOSSES["binary_focal"].code
_SQUARED_HINGE = LOSSES["squared_hinge"].code
_ABSOLUTE_ERROR = LOSSES["absolute_error"].code
_HUBER = LOSSES["huber"].code
_SMOOTH_L1 = LOSSES["smooth_l1"].code
_LOG_COSH = LOSSES["log_cosh"].code
_POISSON = LOSSES["poisson"].code
_GAMMA = LOSSES["gamma"].code
_TWEEDIE = LOSSES["tweedie"].code


@kernel
def _first(parameters):
    return parameters[0] if parameters.size > 0 else 0.0


@kernel
def loss_of_outputs(loss, parameters, logits, target, gradient):
    """Return a loss of this file and set ``gradient``; 0 for the code of any other."""
    value = logits[0] * 0.0
    if loss == _BINARY_CROSS_ENTROPY:
        value = binary_cross_entropy(logits, target, _first(parameters), gradient)
    elif loss == _SQUARED_ERROR:
        value = squared_error(logits, target, _first(parameters), gradient)
    elif loss == _SQUARED_HINGE:
        value = squared_hinge(logits, target, _first(parameters), gradient)
    elif loss == _ABSOLUTE_ERROR:
        value = absolute_error(logits, target, _first(parameters), gradient)
    elif loss == _HUBER:
        value = huber(logits, target, _first(parameters), gradient)
    elif loss == _SMOOTH_L1:
        value = smooth_l1(logits, target, _first(parameters), gradient)
    elif loss == _LOG_COSH:
        value = log_cosh(logits, target, _first(parameters), gradient)
    elif loss == _POISSON:
        value = poisson(logits, target, _first(parameters), gradient)
    elif loss == _GAMMA:
        value = gamma(logits, target, _first(parameters), gradient)
    elif loss == _TWEEDIE:
        value = tweedie(logits, target, _first(parameters), gradient)
    elif loss == _BINARY_FOCAL:
        value = binary_focal(logits, target, _first(parameters), gradient)
    return value
