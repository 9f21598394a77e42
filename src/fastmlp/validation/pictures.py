"""Checks of what displays are given."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.base import is_classifier
from sklearn.utils.validation import check_array

from fastmlp.validation.arrays import naming
from fastmlp.validation.rules import Number

__all__ = [
    "check_bins",
    "check_curve",
    "check_diagram",
    "check_images",
    "check_layer_arrays",
    "check_layer_names",
    "check_plane",
    "check_plane_classifier",
    "check_readings",
    "check_regions",
]

_COUNT = Number(1, integral=True)


def check_bins(bins: Any) -> int:
    """Return how many bars a histogram has; raise unless that is an integer above 0."""
    _COUNT("bins", bins)
    return int(bins)


def check_curve(loss_curve: Any, validation_scores: Any) -> tuple[np.ndarray, np.ndarray | None]:
    """Return losses and scores (n_epochs,); ValueError unless there is one of each an epoch."""
    loss = _numbers("loss_curve", loss_curve)
    if validation_scores is None:
        return loss, None
    scores = _numbers("validation_scores", validation_scores)
    if len(scores) != len(loss):
        raise ValueError(f"validation_scores has {len(scores)} epochs, loss_curve {len(loss)}")
    return loss, scores


def _numbers(name: str, values: Any) -> np.ndarray:
    with naming(name):
        array = np.asarray(values, dtype=np.float64)
    if array.ndim != 1:
        raise ValueError(f"{name} must be a flat sequence of numbers; got shape {array.shape}")
    return array


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


def check_plane_classifier(estimator: Any, y: Any, n_points: int) -> np.ndarray | None:
    """Return y (N,), if any; ValueError unless the estimator gives one label to each sample."""
    name = type(estimator).__name__
    if not is_classifier(estimator):
        raise ValueError(f"decision regions need a classifier; {name} is none")
    if y is None:
        return None
    if np.ndim(y) != 1:
        raise ValueError(f"decision regions need one label per sample; y has shape {np.shape(y)}")
    _check_lengths(n_points, y=y)
    return np.asarray(y)


def check_regions(proba: Any, classes: Sequence[Any], X: Any, y: Any) -> None:
    """Raise ValueError unless a grid has a probability for each class, and points their labels."""
    shape = np.shape(proba)
    if len(shape) != 3 or min(shape) < 1 or shape[2] != len(classes):
        raise ValueError(
            f"proba must have the shape (rows, columns, {len(classes)}), the last for the classes; "
            f"got {shape}"
        )
    if y is None:
        return
    if X is None or np.ndim(X) != 2 or np.shape(X)[1] != 2:
        raise ValueError(f"X must hold the two coordinates of each label in y; got {np.shape(X)}")
    _check_lengths(len(X), y=y)


def check_images(
    estimator: Any, X: Any, y: Any, image_shape: Any, max_images: Any
) -> tuple[np.ndarray, np.ndarray]:
    """Return X as images (N, height, width) and y (N,); raise unless they can be drawn."""
    if not hasattr(estimator, "predict_proba"):
        raise ValueError(
            f"misread images need probabilities; {type(estimator).__name__} has no predict_proba"
        )
    _COUNT("max_images", max_images)
    if np.shape(image_shape) != (2,):
        raise ValueError(f"image_shape must be (height, width); got {image_shape!r}")
    for name, side in zip(("height", "width"), image_shape, strict=True):
        _COUNT(f"image_shape: the {name}", side)
    height, width = map(int, image_shape)
    pixels = np.asarray(check_array(X, input_name="X"))
    if pixels.shape[1] != height * width:
        raise ValueError(
            f"image_shape is {height} × {width} = {height * width} pixels; X has "
            f"{pixels.shape[1]} columns"
        )
    _check_lengths(len(pixels), y=y)
    return pixels.reshape(-1, height, width), np.asarray(y)


def check_readings(images: Any, truth: Any, predicted: Any, confidence: Any) -> None:
    """Raise ValueError unless there is a truth, a reading and a confidence for each image."""
    if np.ndim(images) not in (3, 4):
        raise ValueError(f"images must have shape (M, height, width); got {np.shape(images)}")
    for name, values in (("truth", truth), ("predicted", predicted), ("confidence", confidence)):
        _check_lengths(len(images), what="images", **{name: values})


def _check_lengths(n_rows: int, what: str = "rows in X", **named: Any) -> None:
    """Raise ValueError unless an array, given by its name, is (n_rows,)."""
    for name, values in named.items():
        if np.shape(values) != (n_rows,):
            raise ValueError(
                f"{name} must have one entry for each of the {n_rows} {what}; "
                f"got shape {np.shape(values)}"
            )
