"""The flat parameter vector and the views of it that users see."""

from __future__ import annotations

from math import prod

import numpy as np

from fastmlp.plan.layout import Plan
from fastmlp.plan.records import (
    ALPHAS,
    BIASES,
    GAINS,
    RUNNING_MEANS,
    RUNNING_VARIANCES,
    SCALES,
    SHIFTS,
    WEIGHTS,
)

__all__ = [
    "ALIGNMENT",
    "REAL_TYPES",
    "aligned_zeros",
    "alpha_views",
    "bias_views",
    "gain_views",
    "readable",
    "reset_factors",
    "running_mean_views",
    "running_variance_views",
    "scales_view",
    "shift_views",
    "weight_views",
]

#: Bytes: one cache line, and the widest vector register.
ALIGNMENT = 64

#: What parameters may be, and what the backends compute in.
REAL_TYPES = (np.dtype(np.float32), np.dtype(np.float64))


def aligned_zeros(shape: int | tuple[int, ...], dtype: np.dtype | type) -> np.ndarray:
    """Return zeros that start on a cache line, so that tiles never straddle one needlessly."""
    dtype = np.dtype(dtype)
    n_values = prod(shape) if isinstance(shape, tuple) else shape
    n_bytes = n_values * dtype.itemsize
    raw = np.zeros(n_bytes + ALIGNMENT, dtype=np.uint8)
    start = -raw.ctypes.data % ALIGNMENT  # __array_interface__ crashes where memory is short
    return raw[start : start + n_bytes].view(dtype).reshape(shape)


def readable(array: np.ndarray, dtype: np.dtype | None = None) -> np.ndarray:
    """Return an array as the core can read it: C-contiguous, and each number at its own alignment.

    ``np.ascontiguousarray`` would leave a contiguous array that starts anywhere as it is.
    """
    return np.require(array, dtype, ["C_CONTIGUOUS", "ALIGNED"])


def _views(plan: Plan, vector: np.ndarray, kind: int) -> list[np.ndarray | None]:
    """Return the slots of a kind, by layer, as views of ``vector``; None where a layer has none."""
    views: list[np.ndarray | None] = [None] * len(plan.layers)
    for layer, place, shape in plan.places.get(kind, ()):
        views[layer] = vector[place].reshape(shape)
    return views


def _views_of_all(plan: Plan, vector: np.ndarray, kind: int) -> list[np.ndarray]:
    """Return the same of a kind that every layer has."""
    return [view for view in _views(plan, vector, kind) if view is not None]


def weight_views(plan: Plan, vector: np.ndarray) -> list[np.ndarray]:
    """Return each layer's weights (fan_in, fan_out) as views of ``vector`` (P,) or (V,).

    Of a layer with weights for each member they are (k, fan_in, fan_out).
    """
    return _views_of_all(plan, vector, WEIGHTS)


def bias_views(plan: Plan, vector: np.ndarray) -> list[np.ndarray]:
    """Return each layer's biases (fan_out,), or (k, fan_out), likewise."""
    return _views_of_all(plan, vector, BIASES)


def gain_views(plan: Plan, vector: np.ndarray) -> list[np.ndarray | None]:
    """Return each layer's γ (fan_out,) as views of ``vector`` (P,) or (V,); None without norm."""
    return _views(plan, vector, GAINS)


def shift_views(plan: Plan, vector: np.ndarray) -> list[np.ndarray | None]:
    """Return each layer's β (fan_out,) as views of ``vector`` (P,) or (V,); None without norm."""
    return _views(plan, vector, SHIFTS)


def alpha_views(plan: Plan, vector: np.ndarray) -> list[np.ndarray | None]:
    """Return each layer's α (fan_out,) as views of ``vector`` (P,) or (V,); None without any."""
    return _views(plan, vector, ALPHAS)


def running_mean_views(plan: Plan, vector: np.ndarray) -> list[np.ndarray | None]:
    """Return each layer's running means (fan_out,) as views of ``vector`` (V,), or None."""
    return _views(plan, vector, RUNNING_MEANS)


def running_variance_views(plan: Plan, vector: np.ndarray) -> list[np.ndarray | None]:
    """Return each layer's running variances (fan_out,) as views of ``vector`` (V,), or None."""
    return _views(plan, vector, RUNNING_VARIANCES)


def scales_view(plan: Plan, vector: np.ndarray) -> np.ndarray:
    """Return the scales (k, fan_in of layer 0) as a view of ``vector`` (P,) or (V,); k may be 0."""
    rows, columns = plan.n_scales, int(plan.layers["fan_in"][0])
    offset = int(plan.slots["offset"][plan.slots["kind"] == SCALES].sum())
    return vector[offset : offset + rows * columns].reshape(rows, columns)


def reset_factors(plan: Plan, vector: np.ndarray) -> None:
    """Give ``vector`` (V,) first values that change nothing: 1 for factors, 0 for terms.

    Those are γ = α = 1, β = 0, scales 1, and N(0, 1) as what batch norm has seen.
    """
    ones = (gain_views, alpha_views, running_variance_views)
    zeros = (shift_views, running_mean_views)
    if plan.n_scales:
        scales_view(plan, vector)[...] = 1
    for kinds, value in ((ones, 1), (zeros, 0)):
        for view in (view for kind in kinds for view in kind(plan, vector) if view is not None):
            view[...] = value
