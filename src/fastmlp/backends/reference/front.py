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
    return (x * scales_view(plan, parameters) if plan.n_scales else x), trace


def front_backward(plan: Plan, trace: FrontTrace, dh: np.ndarray, gradient: np.ndarray) -> None:
    """Set the front's part of a gradient (P,), given that of the inputs of layer 0, dh (B, I)."""
    if plan.n_scales:
        scales_view(plan, gradient)[0] = (dh * trace.rows).sum(axis=0)
