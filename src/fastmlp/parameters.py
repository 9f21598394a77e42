"""The flat parameter vector and the views of it that users see."""

from __future__ import annotations

import numpy as np

from fastmlp.plan import Plan

__all__ = ["ALIGNMENT", "aligned_zeros", "bias_views", "weight_views"]

#: Bytes: one cache line, and the widest vector register.
ALIGNMENT = 64


def aligned_zeros(shape: int | tuple[int, ...], dtype: np.dtype | type) -> np.ndarray:
    """Return zeros that start on a cache line, so that tiles never straddle one needlessly."""
    dtype = np.dtype(dtype)
    n_bytes = int(np.prod(shape)) * dtype.itemsize
    raw = np.zeros(n_bytes + ALIGNMENT, dtype=np.uint8)
    start = -raw.ctypes.data % ALIGNMENT
    return raw[start : start + n_bytes].view(dtype).reshape(shape)


def weight_views(plan: Plan, vector: np.ndarray) -> list[np.ndarray]:
    """Return each layer's weights (fan_in, fan_out) as views of ``vector`` (P,)."""
    return [
        vector[row["weight_offset"] :][: row["fan_in"] * row["fan_out"]].reshape(
            row["fan_in"], row["fan_out"]
        )
        for row in plan.layers
    ]


def bias_views(plan: Plan, vector: np.ndarray) -> list[np.ndarray]:
    """Return each layer's biases (fan_out,) as views of ``vector`` (P,)."""
    return [vector[row["bias_offset"] :][: row["fan_out"]] for row in plan.layers]
