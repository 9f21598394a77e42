"""Activations: each returns (h, dh/dz) for an array z of any shape.

Infinite z is cut to a large number where a formula would else multiply it with 0: the limit counts.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.special import erfcx

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


def _leaky_relu(z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    slope = np.where(z > 0, 1, z.dtype.type(0.01))
    return z * slope, slope


def _elu(z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    below = np.minimum(z, 0)
    return np.where(z > 0, z, np.expm1(below)), np.exp(below)


def _selu(z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """λ · elu with its α; both keep mean 0 and variance 1 (Klambauer et al. 2017, eq. 2)."""
    lambda_0, alpha_0 = z.dtype.type(1.0507009873554805), z.dtype.type(1.6732632423543772)
    h, slope = _elu(z)
    side = np.where(z > 0, 1, alpha_0)
    return lambda_0 * side * h, lambda_0 * side * slope


def _softplus(z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return np.maximum(z, 0) + np.log1p(np.exp(-np.abs(z))), logistic(z)


def _finite(z: np.ndarray) -> np.ndarray:
    """Return z with ±inf cut to ±1e4, where every gate below has long been 0 or 1."""
    cut: np.ndarray = np.clip(z, -1e4, 1e4)
    return cut


def _gated(
    z: np.ndarray, gate: np.ndarray, gate_slope: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return z · gate and its derivative; ``gate_slope`` is ∂gate/∂z."""
    return np.maximum(z, _finite(z)) * gate, gate + _finite(z) * gate_slope


def _gauss(z: np.ndarray) -> np.ndarray:
    """Return exp(−z²/2) in float64; the square of z's first 24 bits is exact, the rest is small."""
    wide = _finite(z).astype(np.float64)
    top = wide.astype(np.float32).astype(np.float64)
    bell: np.ndarray = np.exp(-(top**2) / 2) * np.exp(-(wide - top) * (wide + top) / 2)
    return bell


def _gelu(z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """z Φ(z) with the standard normal distribution Φ (Hendrycks and Gimpel 2016)."""
    bell = _gauss(z)
    tail = bell * erfcx(np.abs(z) / np.sqrt(2)) / 2  # Φ(−|z|)
    h, slope = _gated(z, np.where(z < 0, tail, 1 - tail), bell / np.sqrt(2 * np.pi))
    return h.astype(z.dtype), slope.astype(z.dtype)


def _gelu_tanh(z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(1 + tanh u)/2 is logistic(2u), which keeps its digits where it is small."""
    c, cut = z.dtype.type(np.sqrt(2 / np.pi)), _finite(z)
    u = c * (cut + z.dtype.type(0.044715) * cut**3)
    gate = logistic(2 * u)
    du_dz = c * (1 + z.dtype.type(3 * 0.044715) * cut**2)
    return _gated(z, gate, 2 * gate * logistic(-2 * u) * du_dz)


def _silu(z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    gate = logistic(z)
    return _gated(z, gate, gate * logistic(-z))


def _mish(z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    softplus, softplus_slope = _softplus(z)
    gate = np.tanh(softplus)
    return _gated(z, gate, softplus_slope / np.cosh(np.minimum(softplus, 40)) ** 2)


def _hard_sigmoid(z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return np.clip(z + 3, 0, 6) / 6, np.where(np.abs(z) < 3, z.dtype.type(1 / 6), 0)


def _hard_swish(z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    h = np.maximum(z, -3) * (np.clip(z + 3, 0, 6) / 6)
    slope = np.where(z >= 3, 1, np.where(z <= -3, 0, (2 * z + 3) / 6))
    return h, slope


def _softsign(z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    size = 1 + np.abs(z)
    h = np.divide(z, size, out=np.sign(z), where=~np.isinf(z))
    return h, (1 / size) ** 2


#: By the name in the registry.
ACTIVATION_FUNCTIONS: dict[str, ActivationFunction] = {
    "identity": _identity,
    "logistic": _logistic,
    "tanh": _tanh,
    "relu": _relu,
    "leaky_relu": _leaky_relu,
    "elu": _elu,
    "selu": _selu,
    "softplus": _softplus,
    "gelu": _gelu,
    "gelu_tanh": _gelu_tanh,
    "silu": _silu,
    "mish": _mish,
    "hard_sigmoid": _hard_sigmoid,
    "hard_swish": _hard_swish,
    "softsign": _softsign,
}


def activate(code: int, z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return h and dh/dz, shaped like ``z``, of the activation with this code."""
    return ACTIVATION_FUNCTIONS[ACTIVATIONS.by_code(code).name](z)
