# mypy: disable-error-code="no-untyped-def,no-untyped-call"
# (compiled functions take their types from their arguments)
"""Activations in pieces: each takes a real z and returns f(z) and f'(z).

Comparisons are written so that NaN stays NaN; the slope where two pieces meet is the registry's.
"""

from __future__ import annotations

from fastmlp.backends.numba_jit.exponential import exp, expm1_of_negative
from fastmlp.backends.numba_jit.jit import scalar_kernel

__all__ = ["elu", "hard_sigmoid", "hard_swish", "identity", "leaky_relu", "relu", "selu"]


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
