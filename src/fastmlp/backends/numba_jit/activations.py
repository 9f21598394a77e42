# mypy: disable-error-code="no-untyped-def,no-untyped-call"
# (compiled functions take their types from their arguments)
"""Activations: z becomes h = f(z) in place, beside it its slope f'(z).

``h`` and ``slope`` are flat stretches of any length n. NaN stays NaN in h.
"""

from __future__ import annotations

from fastmlp.backends.numba_jit.exponential import exp, tanh
from fastmlp.backends.numba_jit.jit import entry_point, kernel
from fastmlp.backends.numba_jit.stretches import fill
from fastmlp.registry import ACTIVATIONS

__all__ = ["activate", "logistic"]

_IDENTITY = ACTIVATIONS["identity"].code
_LOGISTIC = ACTIVATIONS["logistic"].code
_TANH = ACTIVATIONS["tanh"].code
_RELU = ACTIVATIONS["relu"].code


@kernel
def logistic(z):
    """Return 1 / (1 + exp(-z)); where the exponential is infinite, that is 0."""
    one = type(z)(1)
    return one / (one + exp(-z))


@kernel
def _identity(h, slope):
    fill(1, slope)


@kernel
def _logistic(h, slope):
    one = h.dtype.type(1)
    for i in range(h.size):
        value = logistic(h[i])
        h[i] = value
        slope[i] = value * (one - value)


@kernel
def _tanh(h, slope):
    one = h.dtype.type(1)
    for i in range(h.size):
        value = tanh(h[i])
        h[i] = value
        slope[i] = one - value * value


@kernel
def _relu(h, slope):
    zero, one = h.dtype.type(0), h.dtype.type(1)
    for i in range(h.size):
        z = h[i]
        h[i] = zero if z <= zero else z
        slope[i] = one if z > zero else zero


@entry_point
def activate(activation, h, slope):
    """Turn z in ``h`` (n,) into f(z) and set ``slope`` (n,) to f'(z)."""
    if activation == _IDENTITY:
        _identity(h, slope)
    elif activation == _LOGISTIC:
        _logistic(h, slope)
    elif activation == _TANH:
        _tanh(h, slope)
    elif activation == _RELU:
        _relu(h, slope)
