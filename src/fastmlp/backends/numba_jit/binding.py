"""Addresses of the user's compiled functions: for the rows of a plan, and to call them.

Addresses are of this process, so a plan, which may be pickled, holds none: a backend asks for them
here when it is called.
"""

from __future__ import annotations

from collections.abc import Sequence
from ctypes import CFUNCTYPE, c_int64, c_void_p

import numpy as np

from fastmlp.backends.numba_jit.compiling import activation_callback, loss_callback
from fastmlp.plan.layout import Plan
from fastmlp.plan.user_functions import CustomActivation, CustomLoss

__all__ = [
    "address_of",
    "bound_layers",
    "bound_loss_parameters",
    "evaluate_activation",
    "evaluate_loss",
]


def address_of(own: CustomActivation | CustomLoss, dtype: np.dtype) -> int:
    """Return where the compiled loop for a real type is; it stays there as long as Python runs.

    It is a C function as ``fastmlp_layer.custom``, or a ``fastmlp_custom_loss``, of
    ``csrc/fastmlp.h``. The first call for a type compiles it.
    """
    if isinstance(own, CustomActivation):
        return int(activation_callback(own.f, own.df, np.dtype(dtype)).address)
    return int(loss_callback(own.value, own.grad, np.dtype(dtype)).address)


def bound_layers(plan: Plan, dtype: np.dtype) -> np.ndarray:
    """Return a plan's rows (L,) with the addresses of the user's activations for a real type."""
    if not plan.custom:
        return plan.layers
    layers = plan.layers.copy()
    for number, activation in plan.custom.items():
        layers["custom"][number] = address_of(activation, dtype)
    return layers


def bound_loss_parameters(plan: Plan, dtype: np.dtype) -> np.ndarray:
    """Return the loss's parameters (K,); of the user's own its address, bit by bit (1,)."""
    if plan.custom_loss is None:
        return plan.loss_parameters
    return np.array([address_of(plan.custom_loss, dtype)], np.uint64).view(np.float64)


def evaluate_activation(own: CustomActivation, z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return h and slope (n,) of z (n,), by the compiled loop."""
    h, slope = z.copy(), np.empty_like(z)
    _call(address_of(own, z.dtype), (z.size, z.size), (h, slope))
    return h, slope


def evaluate_loss(own: CustomLoss, z: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the losses (B,) and their gradients (B, C) by the compiled loop.

    ``z`` is (B, C), and so is ``y``; both are C-contiguous and of one type.
    """
    values, gradient = np.empty(len(z), z.dtype), np.empty_like(z)
    _call(address_of(own, z.dtype), z.shape, (z, y, values, gradient))
    return values, gradient


def _call(address: int, counts: Sequence[int], arrays: Sequence[np.ndarray]) -> None:
    """Call a C function that takes counts and then pointers to arrays."""
    kind = CFUNCTYPE(None, *[c_int64] * len(counts), *[c_void_p] * len(arrays))
    kind(address)(*counts, *(array.ctypes.data for array in arrays))
