"""Checks of probabilities and logits, of any shape, and of the axis that outcomes lie along."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from fastmlp.validation.arrays import naming

__all__ = ["check_axes", "check_logits", "check_probabilities", "check_shapes_agree"]

#: How far above 1 rounding may have taken a probability, in eps.
ROUNDING = 64


def _check_real(name: str, values: Any) -> np.ndarray:
    """Return float32 and float64 arrays as they are, other real numbers as float64."""
    with naming(name):
        array = np.asarray(values)
        if array.dtype == object:
            array = array.astype(np.float64)
    if array.dtype.kind not in "biuf":
        raise TypeError(f"{name} must hold real numbers; got dtype {array.dtype}.")
    single = array.dtype.kind == "f" and array.dtype.itemsize == 4
    return array.astype(np.float32 if single else np.float64, copy=False)


def check_logits(name: str, values: Any) -> np.ndarray:
    """Return real numbers as an array of float32 or float64."""
    return _check_real(name, values)


def check_probabilities(name: str, values: Any) -> np.ndarray:
    """Return probabilities as an array of float32 or float64; NaN may be among them."""
    array = _check_real(name, values)
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
        raise ValueError(f"axis names a dimension twice: {axis!r}.")
    return tuple(found)


def _check_axis(axis: Any, n_dimensions: int) -> int:
    if not isinstance(axis, (int, np.integer)) or isinstance(axis, bool):
        raise TypeError(f"axis must be an integer, a tuple of integers or None; got {axis!r}.")
    if not -n_dimensions <= axis < n_dimensions:
        raise ValueError(f"axis {axis} is out of bounds for an array of {n_dimensions} dimensions.")
    return int(axis) % n_dimensions
