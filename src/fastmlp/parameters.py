"""The flat parameter vector and the views of it that users see."""

from __future__ import annotations

from math import prod

import numpy as np

from fastmlp.plan import Plan
from fastmlp.registry import NORMALIZATIONS

__all__ = [
    "ALIGNMENT",
    "REAL_TYPES",
    "aligned_zeros",
    "bias_views",
    "gain_views",
    "readable",
    "reset_normalizations",
    "running_mean_views",
    "running_variance_views",
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
    address: int = raw.__array_interface__["data"][0]
    start = -address % ALIGNMENT
    return raw[start : start + n_bytes].view(dtype).reshape(shape)


def readable(array: np.ndarray, dtype: np.dtype | None = None) -> np.ndarray:
    """Return an array as the core can read it: C-contiguous, and each number at its own alignment.

    ``np.ascontiguousarray`` would leave a contiguous array that starts anywhere as it is.
    """
    return np.require(array, dtype, ["C_CONTIGUOUS", "ALIGNED"])


def weight_views(plan: Plan, vector: np.ndarray) -> list[np.ndarray]:
    """Return each layer's weights (fan_in, fan_out) as views of ``vector`` (P,) or (V,)."""
    return [
        vector[row["weight_offset"] :][: row["fan_in"] * row["fan_out"]].reshape(
            row["fan_in"], row["fan_out"]
        )
        for row in plan.layers
    ]


def bias_views(plan: Plan, vector: np.ndarray) -> list[np.ndarray]:
    """Return each layer's biases (fan_out,) as views of ``vector`` (P,) or (V,)."""
    return [vector[row["bias_offset"] :][: row["fan_out"]] for row in plan.layers]


def gain_views(plan: Plan, vector: np.ndarray) -> list[np.ndarray | None]:
    """Return each layer's γ (fan_out,) as views of ``vector`` (P,) or (V,); None without norm."""
    return _normalization_views(plan, vector, "gain_offset")


def shift_views(plan: Plan, vector: np.ndarray) -> list[np.ndarray | None]:
    """Return each layer's β (fan_out,) as views of ``vector`` (P,) or (V,); None without norm."""
    return _normalization_views(plan, vector, "shift_offset")


def running_mean_views(plan: Plan, vector: np.ndarray) -> list[np.ndarray | None]:
    """Return each layer's running means (fan_out,) as views of ``vector`` (V,), or None."""
    return _normalization_views(plan, vector, "mean_offset", only="batch")


def running_variance_views(plan: Plan, vector: np.ndarray) -> list[np.ndarray | None]:
    """Return each layer's running variances (fan_out,) as views of ``vector`` (V,), or None."""
    return _normalization_views(plan, vector, "variance_offset", only="batch")


def _normalization_views(
    plan: Plan, vector: np.ndarray, field: str, only: str | None = None
) -> list[np.ndarray | None]:
    names = [NORMALIZATIONS.by_code(code).name for code in plan.layers["normalization"]]
    return [
        None
        if name == "none" or only not in (None, name)
        else vector[row[field] :][: row["fan_out"]]
        for name, row in zip(names, plan.layers, strict=True)
    ]


def reset_normalizations(plan: Plan, vector: np.ndarray) -> None:
    """Give ``vector`` (V,) the first values of all normalisations: γ = 1, β = 0, N(0, 1) seen."""
    ones, zeros = (gain_views, running_variance_views), (shift_views, running_mean_views)
    for kinds, value in ((ones, 1), (zeros, 0)):
        for view in (view for kind in kinds for view in kind(plan, vector) if view is not None):
            view[...] = value
