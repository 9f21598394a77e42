# mypy: disable-error-code="no-untyped-def,no-untyped-call"
# (compiled functions take their types from their arguments)
"""Plain loops over flat stretches; Numba's slice assignment would check shapes at every call."""

from __future__ import annotations

from fastmlp.backends.numba_jit.jit import kernel

__all__ = ["copy", "fill", "scale"]


@kernel
def copy(source, target):
    """Set target (n,) = source (n,), converted."""
    for i in range(target.size):
        target[i] = source[i]


@kernel
def fill(value, target):
    """Set target (n,) = value."""
    for i in range(target.size):
        target[i] = value


@kernel
def scale(factor, target):
    """Multiply target (n,) by a number, rounded to its type."""
    factor = target.dtype.type(factor)
    for i in range(target.size):
        target[i] *= factor
