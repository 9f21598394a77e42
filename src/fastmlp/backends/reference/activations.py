"""Activations: each returns (h, dh/dz) for an array z of any shape."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from fastmlp.registry import ACTIVATIONS

__all__ = ["ACTIVATION_FUNCTIONS", "activate", "logistic"]

ActivationFunction = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]


def logistic(z: np.ndarray) -> np.ndarray:
    """Return 1 / (1 + exp(-z)); the exponent is never positive, so nothing overflows."""
    decay = np.exp(-np.abs(z))
    h: np.ndarray = np.where(z < 0, decay, 1) / (1 + decay)
    return h


def _identity(z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return z, np.ones_like(z)


def _logistic(z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    h = logistic(z)
    return h, h * (1 - h)


def _tanh(z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    h = np.tanh(z)
    return h, 1 - h**2


def _relu(z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return np.maximum(z, 0), (z > 0).astype(z.dtype)


#: By the name in the registry.
ACTIVATION_FUNCTIONS: dict[str, ActivationFunction] = {
    "identity": _identity,
    "logistic": _logistic,
    "tanh": _tanh,
    "relu": _relu,
}


def activate(code: int, z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return h and dh/dz, shaped like ``z``, of the activation with this code."""
    return ACTIVATION_FUNCTIONS[ACTIVATIONS.by_code(code).name](z)
