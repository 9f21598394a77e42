"""Checks of what displays are given."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.base import is_classifier
from sklearn.utils.validation import check_array

__all__ = [
    "check_diagram",
    "check_layer_arrays",
    "check_layer_names",
    "check_plane",
    "check_plane_classifier",
]


def check_layer_arrays(layers: Sequence[npt.ArrayLike]) -> list[np.ndarray]:
    """Return the numbers of each layer, flat; raise ValueError unless all are finite."""
    if len(layers) == 0:
        raise ValueError("layers is empty: there is nothing to draw")
    arrays = [np.asarray(layer, dtype=np.float64).ravel() for layer in layers]
    for i, values in enumerate(arrays):
        if values.size == 0:
            raise ValueError(f"layers[{i}] is empty")
        if not np.isfinite(values).all():
            raise ValueError(f"layers[{i}] contains NaN or infinity")
    return arrays


def check_layer_names(names: Sequence[str] | None, n_layers: int) -> list[str]:
    """Return a name per layer; raise ValueError unless there are as many as layers."""
    if names is None:
        return [f"layer {i}" for i in range(1, n_layers + 1)]
    if len(names) != n_layers:
        raise ValueError(f"names has {len(names)} entries for {n_layers} layers")
    return list(names)


def check_diagram(
    layer_sizes: Sequence[int],
    coefs: Sequence[npt.ArrayLike] | None,
    unit_values: Sequence[npt.ArrayLike] | None,
    max_units: int,
) -> None:
    """Raise ValueError unless weights and values have the shapes that the widths demand."""
    sizes = [int(width) for width in layer_sizes]
    if len(sizes) < 2 or min(sizes) < 1:
        raise ValueError(f"layer_sizes must be two or more widths >= 1; got {sizes}")
    if max_units < 2:
        raise ValueError(f"max_units must be at least 2; got {max_units}")
    if coefs is not None:
        _check_shapes("coefs", coefs, list(pairwise(sizes)))
    if unit_values is not None:
        _check_shapes("unit_values", unit_values, [(width,) for width in sizes])


def _check_shapes(
    name: str, arrays: Sequence[npt.ArrayLike], expected: Sequence[tuple[int, ...]]
) -> None:
    shapes = [np.shape(array) for array in arrays]
    if shapes != list(expected):
        raise ValueError(f"{name} must have the shapes {list(expected)}; got {shapes}")


def check_plane(X: Any) -> np.ndarray:
    """Return X as an array (N, 2); raise ValueError unless it has two features."""
    points = np.asarray(check_array(X, input_name="X", dtype=np.float64))
    if points.shape[1] != 2:
        raise ValueError(f"decision regions need two features; X has {points.shape[1]}")
    return points


def check_plane_classifier(estimator: Any, y: Any) -> None:
    """Raise ValueError unless the estimator is a classifier with one label per sample."""
    name = type(estimator).__name__
    if not is_classifier(estimator):
        raise ValueError(f"decision regions need a classifier; {name} is none")
    if y is not None and np.ndim(y) != 1:
        raise ValueError(f"decision regions need one label per sample; y has shape {np.shape(y)}")
