"""Checks of probabilities of any shape, and of the axis that outcomes lie along."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from fastmlp.validation.real_numbers import real_array
from fastmlp.validation.wording import brief

__all__ = ["check_axes", "check_probabilities", "check_shapes_agree"]

#: How far above 1 rounding may have taken a probability, in eps.
ROUNDING = 64


def check_probabilities(name: str, values: Any) -> np.ndarray:
    """Return probabilities as an array of float32 or float64; NaN may be among them."""
    array = real_array(name, values)
    if array.size == 0:
        return array
    low, high = array.min(), array.max()
    if np.isnan(low):  # which hides the others; the functions that ignore it are slow
        low, high = np.fmin.reduce(array, axis=None), np.fmax.reduce(array, axis=None)
    if low < 0:
        raise ValueError(f"{name} must not be negative; got {low:g}.")
    if high > 1 + ROUNDING * np.finfo(array.dtype).eps:
        raise ValueError(
            f"{name} must hold probabilities, at most 1; got {high:g}. Divide counts by their sum."
        )
    return array


def check_shapes_agree(p: np.ndarray, q: np.ndarray) -> tuple[int, ...]:
    """Return the shape to which p and q broadcast; ValueError if there is none."""
    try:
        return np.broadcast_shapes(p.shape, q.shape)
    except ValueError as error:
        raise ValueError(f"p and q must broadcast; got shapes {p.shape} and {q.shape}.") from error


def check_axes(axis: Any, n_dimensions: int) -> tuple[int, ...]:
    """Return the axes that ``axis``, an integer, a sequence of them or None for all, names."""
    if axis is None:
        return tuple(range(n_dimensions))
    axes = axis if isinstance(axis, Sequence) and not isinstance(axis, str) else [axis]
    found = [_check_axis(entry, n_dimensions) for entry in axes]
    if len(set(found)) < len(found):
        raise ValueError(f"axis names a dimension twice: {brief(axis)}.")
    return tuple(found)


def _check_axis(axis: Any, n_dimensions: int) -> int:
    if not isinstance(axis, (int, np.integer)) or isinstance(axis, (bool, np.timedelta64)):
        raise TypeError(f"axis must be an integer, a tuple of integers or None; got {brief(axis)}.")
    if not -n_dimensions <= axis < n_dimensions:
        raise ValueError(
            f"axis {brief(axis)} is out of bounds for an array of {n_dimensions} dimensions."
        )
    return int(axis) % n_dimensions
