"""What is made of a row of X before layer 0: the front of a network."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from fastmlp.plan.layout import Plan
from fastmlp.plan.parameters import scales_view

__all__ = ["FrontTrace", "front_backward", "front_forward"]


class FrontTrace(NamedTuple):
    """What the way back needs of the way forward."""

    rows: np.ndarray  # (B, I): what the scales multiply


def front_forward(
    plan: Plan, parameters: np.ndarray, x: np.ndarray
) -> tuple[np.ndarray, FrontTrace]:
    """Return the inputs (B, I) of layer 0 for rows x (B, columns of X), and the trace."""
    trace = FrontTrace(x)
    if not plan.n_scales:
        return x, trace
    scales = scales_view(plan, parameters)
    return (_by_scales(plan, x) * scales[:, np.newaxis]).reshape(x.shape), trace


def front_backward(plan: Plan, trace: FrontTrace, dh: np.ndarray, gradient: np.ndarray) -> None:
    """Set the front's part of a gradient (P,), given that of the inputs of layer 0, dh (B, I)."""
    if plan.n_scales:
        scales_view(plan, gradient)[...] = _by_scales(plan, dh * trace.rows).sum(axis=1)


def _by_scales(plan: Plan, x: np.ndarray) -> np.ndarray:
    """Return virtual rows x (k · B, I) as (n_scales, …, I)."""
    return x.reshape(plan.n_scales, -1, x.shape[1])
