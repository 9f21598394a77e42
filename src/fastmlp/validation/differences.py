"""Slopes of a function by differences of its values."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["slopes_beside"]


def slopes_beside(below: Any, here: Any, above: Any, step: Any, least_scale: float = 1.0) -> Any:
    """Return the least and the largest slope (n,) that values beside a point allow there.

    A smooth function's slope lies between the differences to its left and to its right, or so
    little beyond that rounding explains it; at a kink all slopes between those of the two sides
    are right. Slopes far below ``least_scale`` count as 0.
    """
    left, right = (here - below) / step, (above - here) / step
    rounding = 1e-5 * (least_scale + np.abs(left) + np.abs(right)) + 1e-15 * np.abs(here) / step
    return np.minimum(left, right) - rounding, np.maximum(left, right) + rounding
