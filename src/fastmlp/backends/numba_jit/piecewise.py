# mypy: disable-error-code="no-untyped-def,no-untyped-call"
# (compiled functions take their types from their arguments)
"""Activations in pieces: each takes a real z and returns f(z) and f'(z).

Comparisons are written so that NaN stays NaN; the slope where two pieces meet is the registry's.
"""

from __future__ import annotations

from fastmlp.backends.numba_jit.exponential import exp, expm1_of_negative
from fastmlp.backends.numba_jit.jit import kernel, scalar_kernel
from fastmlp.registry import ACTIVATIONS

__all__ = ["activate_in_pieces"]


@scalar_kernel
def identity(z):
    """Return z and 1."""
    return z, type(z)(1)


@scalar_kernel
def relu(z):
    """Return max(0, z) and its slope."""
    zero, one = type(z)(0), type(z)(1)
    return zero if z <= zero else z, one if z > zero else zero


@scalar_kernel
def leaky_relu(z):
    """Return z, or 0.01 z on the left, and the slope."""
    zero, one, leak = type(z)(0), type(z)(1), type(z)(0.01)
    return leak * z if z <= zero else z, one if z > zero else leak


@scalar_kernel
def elu(z):
    """Return z, or exp(z) - 1 on the left, and the slope."""
    zero, one = type(z)(0), type(z)(1)
    below = zero if z > zero else z
    return expm1_of_negative(below) if z < zero else z, one if z > zero else exp(below)


@scalar_kernel
def selu(z):
    """Return lambda z, or lambda alpha (exp(z) - 1) on the left, and the slope.

    Klambauer et al. 2017, "Self-normalizing neural networks", eq. 2.
    """
    zero, right, left = type(z)(0), type(z)(1.0507009873554805), type(z)(1.7580993408473769)
    below = zero if z > zero else z
    h = left * expm1_of_negative(below) if z < zero else right * z
    return h, right if z > zero else left * exp(below)


@scalar_kernel
def hard_sigmoid(z):
    """Return min(max(z + 3, 0), 6)/6 and its slope."""
    zero, one, three, six = type(z)(0), type(z)(1), type(z)(3), type(z)(6)
    h = (z + three) / six
    h = zero if z <= -three else h
    return one if z >= three else h, one / six if abs(z) < three else zero


@scalar_kernel
def hard_swish(z):
    """Return z min(max(z + 3, 0), 6)/6 and its slope."""
    zero, one, two, three, six = type(z)(0), type(z)(1), type(z)(2), type(z)(3), type(z)(6)
    h, slope = z * (z + three) / six, (two * z + three) / six
    h = zero if z <= -three else h
    slope = zero if z <= -three else slope
    return z if z >= three else h, one if z >= three else slope


_IDENTITY = ACTIVATIONS["identity"].code
_RELU = ACTIVATIONS["relu"].code
_LEAKY_RELU = ACTIVATIONS["leaky_relu"].code
_ELU = ACTIVATIONS["elu"].code
_SELU = ACTIVATIONS["selu"].code
_HARD_SIGMOID = ACTIVATIONS["hard_sigmoid"].code
_HARD_SWISH = ACTIVATIONS["hard_swish"].code


@kernel
def activate_in_pieces(activation, h, slope):  # noqa: PLR0912 - a loop for each
    """Turn z in ``h`` (n,) into f(z), ``slope`` (n,) into f'(z), for activations of this file."""
    # LLVM turns only a loop without choices into vectors.
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
