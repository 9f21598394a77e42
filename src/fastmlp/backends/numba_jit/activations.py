# mypy: disable-error-code="no-untyped-def,no-untyped-call"
# (compiled functions take their types from their arguments)
"""Activations: z becomes h = f(z) in place, beside it its slope f'(z).

``h`` and ``slope`` are flat stretches of any length n. NaN stays NaN in h.
"""

from __future__ import annotations

from fastmlp.backends.numba_jit.jit import entry_point, kernel
from fastmlp.backends.numba_jit.piecewise import (
    elu,
    hard_sigmoid,
    hard_swish,
    identity,
    leaky_relu,
    relu,
    selu,
)
from fastmlp.backends.numba_jit.smooth import (
    gelu,
    gelu_tanh,
    logistic,
    logistic_unit,
    mish,
    silu,
    softplus,
    softsign,
    tanh,
)
from fastmlp.registry import ACTIVATIONS

__all__ = ["activate", "logistic"]

_IDENTITY = ACTIVATIONS["identity"].code
_LOGISTIC = ACTIVATIONS["logistic"].code
_TANH = ACTIVATIONS["tanh"].code
_RELU = ACTIVATIONS["relu"].code
_LEAKY_RELU = ACTIVATIONS["leaky_relu"].code
_ELU = ACTIVATIONS["elu"].code
_SELU = ACTIVATIONS["selu"].code
_SOFTPLUS = ACTIVATIONS["softplus"].code
_GELU = ACTIVATIONS["gelu"].code
_GELU_TANH = ACTIVATIONS["gelu_tanh"].code
_SILU = ACTIVATIONS["silu"].code
_MISH = ACTIVATIONS["mish"].code
_HARD_SIGMOID = ACTIVATIONS["hard_sigmoid"].code
_HARD_SWISH = ACTIVATIONS["hard_swish"].code
_SOFTSIGN = ACTIVATIONS["softsign"].code


# A loop for each, as LLVM turns only a loop without choices into vectors.


@kernel
def _in_pieces(activation, h, slope):  # noqa: PLR0912 - as above
    if activation == _IDENTITY:
        for i in range(h.size):
            h[i], slope[i] = identity(h[i])
    elif activation == _RELU:
        for i in range(h.size):
            h[i], slope[i] = relu(h[i])
    elif activation == _LEAKY_RELU:
        for i in range(h.size):
            h[i], slope[i] = leaky_relu(h[i])
    elif activation == _ELU:
        for i in range(h.size):
            h[i], slope[i] = elu(h[i])
    elif activation == _SELU:
        for i in range(h.size):
            h[i], slope[i] = selu(h[i])
    elif activation == _HARD_SIGMOID:
        for i in range(h.size):
            h[i], slope[i] = hard_sigmoid(h[i])
    elif activation == _HARD_SWISH:
        for i in range(h.size):
            h[i], slope[i] = hard_swish(h[i])


@kernel
def _smooth(activation, h, slope):  # noqa: PLR0912 - as above
    if activation == _LOGISTIC:
        for i in range(h.size):
            h[i], slope[i] = logistic_unit(h[i])
    elif activation == _TANH:
        for i in range(h.size):
            h[i], slope[i] = tanh(h[i])
    elif activation == _SOFTPLUS:
        for i in range(h.size):
            h[i], slope[i] = softplus(h[i])
    elif activation == _GELU:
        for i in range(h.size):
            h[i], slope[i] = gelu(h[i])
    elif activation == _GELU_TANH:
        for i in range(h.size):
            h[i], slope[i] = gelu_tanh(h[i])
    elif activation == _SILU:
        for i in range(h.size):
            h[i], slope[i] = silu(h[i])
    elif activation == _MISH:
        for i in range(h.size):
            h[i], slope[i] = mish(h[i])
    elif activation == _SOFTSIGN:
        for i in range(h.size):
            h[i], slope[i] = softsign(h[i])


@entry_point
def activate(activation, h, slope):
    """Turn z in ``h`` (n,) into f(z) and set ``slope`` (n,) to f'(z)."""
    _in_pieces(activation, h, slope)
    _smooth(activation, h, slope)
