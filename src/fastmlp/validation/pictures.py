"""Checks of what displays are given."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence, Set
from itertools import pairwise
from typing import Any

import numpy as np
from sklearn.base import is_classifier
from sklearn.utils.validation import check_array

from fastmlp.validation.real_numbers import finite_array, plain_array, real_array
from fastmlp.validation.rules import Number
from fastmlp.validation.wording import brief

__all__ = [
    "check_ax",
    "check_bins",
    "check_curve",
    "check_diagram",
    "check_figure",
    "check_grid_resolution",
    "check_images",
    "check_layer_arrays",
    "check_layer_names",
    "check_places",
    "check_plane",
    "check_plane_classifier",
    "check_points",
    "check_readings",
    "check_regions",
]

_COUNT = Number(1, integral=True)
#: What is drawn one by one, so that more would only fill the memory.
_DRAWN = Number(1, 10_000, closed="both", integral=True)
_SHOWN = Number(2, 10_000, closed="both", integral=True)
#: A scale is twice as long as its largest number, and matplotlib leaves margins.
MAX_DRAWN = sys.float_info.max / 16


def _listed(name: str, values: Any, what: str) -> list[Any]:
    """Return a sequence's entries; TypeError unless ``values`` is one."""
    if not isinstance(values, (str, bytes, Mapping, Set)):
        try:
            return list(values)
        except TypeError:
            pass
    raise TypeError(f"{name} must be a list of {what}; got {brief(values)}.")


def check_ax(ax: Any) -> None:
    """Raise TypeError unless ``ax`` is None or one matplotlib Axes, not several of them."""
    from matplotlib.axes import Axes  # noqa: PLC0415 - only with the extra "plots"

    _check_canvas("ax", ax, Axes, "Axes")


def check_figure(figure: Any) -> None:
    """Raise TypeError unless ``figure`` is None or one matplotlib Figure or SubFigure."""
    from matplotlib.figure import FigureBase  # noqa: PLC0415 - only with the extra "plots"

    _check_canvas("figure", figure, FigureBase, "Figure or SubFigure")


def _check_canvas(name: str, value: Any, kind: type, what: str) -> None:
    if value is None or isinstance(value, kind):
        return
    several = isinstance(value, (np.ndarray, list, tuple, dict))
    advice = "; pass one of those in it" if several else ""
    index = ", ".join("0" * np.ndim(value)) if isinstance(value, np.ndarray) else ""
    example = f", such as {name}[{index}]" if index else ""
    raise TypeError(
        f"{name} must be one matplotlib {what}, or None; got an object of "
        f"{type(value).__name__}{advice}{example}."
    )


def check_bins(bins: Any) -> int:
    """Return how many bars a histogram has; raise unless that is an integer above 0."""
    _DRAWN("bins", bins)
    return int(bins)


def check_curve(loss_curve: Any, validation_scores: Any) -> tuple[np.ndarray, np.ndarray | None]:
    """Return losses and scores (n_epochs,); raise unless every epoch has one of each."""
    loss = _numbers("loss_curve", loss_curve)
    if validation_scores is None:
        return loss, None
    scores = _numbers("validation_scores", validation_scores)
    if len(scores) != len(loss):
        raise ValueError(f"validation_scores has {len(scores)} epochs, loss_curve {len(loss)}")
    return loss, scores


def _numbers(name: str, values: Any) -> np.ndarray:
    array = real_array(name, values).astype(np.float64, copy=False)
    if array.ndim != 1:
        raise ValueError(f"{name} must be a flat sequence of numbers; got shape {array.shape}")
    return array


def check_places(
    names: Any, errors: Any, weights: Any, seconds: Any, remarks: Any
) -> tuple[list[str], np.ndarray, np.ndarray, np.ndarray | None, list[str]]:
    """Return what a leaderboard shows of M candidates; raise unless there is one of each."""
    called = _listed("names", names, "strings")
    if not called:
        raise ValueError("names is empty: there is no candidate to draw")
    size = len(called)
    reached = _lengthy("errors", _numbers("errors", errors), size, "candidates")
    shares = _lengthy("weights", finite_array("weights", weights), size, "candidates")
    if np.any(shares < 0):
        raise ValueError("weights must be at least 0")
    taken = None
    if seconds is not None:
        taken = _lengthy("seconds", finite_array("seconds", seconds), size, "candidates")
    told = [""] * size if remarks is None else _as_many("remarks", remarks, size, "candidates")
    return [str(name) for name in called], reached, shares, taken, told


def check_layer_arrays(layers: Any) -> list[np.ndarray]:
    """Return the numbers of each layer, flat, float64; raise unless all can be drawn."""
    entries = _listed("layers", layers, "arrays, one for each layer")
    if not entries:
        raise ValueError("layers is empty: there is nothing to draw")
    return [_drawable(f"layers[{i}]", layer).ravel() for i, layer in enumerate(entries)]


def _drawable(name: str, values: Any) -> np.ndarray:
    """Return numbers (...), float64; raise unless there are some and a scale can hold them."""
    array = finite_array(name, values).astype(np.float64, copy=False)
    if array.size == 0:
        raise ValueError(f"{name} is empty")
    if np.abs(array).max() > MAX_DRAWN:
        raise ValueError(f"{name} must hold numbers of at most {MAX_DRAWN:.2g} in size to be drawn")
    return array


def check_layer_names(names: Any, n_layers: int) -> list[str]:
    """Return a name per layer; raise unless there are as many as layers."""
    if names is None:
        return [f"layer {i}" for i in range(1, n_layers + 1)]
    return _as_many("names", names, n_layers, "layers")


def _as_many(name: str, values: Any, n_wanted: int, of: str) -> list[str]:
    entries = _listed(name, values, "strings")
    if len(entries) != n_wanted:
        raise ValueError(f"{name} has {len(entries)} entries for {n_wanted} {of}")
    return entries


def check_diagram(
    layer_sizes: Any, coefs: Any, unit_values: Any, max_units: Any
) -> tuple[list[int], list[np.ndarray] | None, list[np.ndarray] | None]:
    """Return widths, weights and values; raise unless these have the shapes that those demand."""
    sizes = _listed("layer_sizes", layer_sizes, "widths")
    for i, width in enumerate(sizes):
        _COUNT(f"layer_sizes[{i}]", width)
    if len(sizes) < 2:
        raise ValueError(f"layer_sizes must be two or more widths; got {brief(sizes)}")
    sizes = list(map(int, sizes))
    _SHOWN("max_units", max_units)
    if coefs is not None:
        coefs = _shaped("coefs", coefs, list(pairwise(sizes)))
        coefs = [_drawable(f"coefs[{i}]", w) for i, w in enumerate(coefs)]
    if unit_values is not None:
        unit_values = _shaped("unit_values", unit_values, [(width,) for width in sizes])
    return sizes, coefs, unit_values


def _shaped(name: str, arrays: Any, expected: Sequence[tuple[int, ...]]) -> list[np.ndarray]:
    """Return arrays of numbers; raise unless they have the shapes."""
    entries = _listed(name, arrays, "arrays, one for each layer")
    numbers = [real_array(f"{name}[{i}]", entry) for i, entry in enumerate(entries)]
    shapes = [array.shape for array in numbers]
    if shapes != list(expected):
        raise ValueError(f"{name} must have the shapes {list(expected)}; got {shapes}")
    return numbers


def check_plane(X: Any) -> np.ndarray:
    """Return X as an array (N, 2); raise unless it has two features."""
    points = np.asarray(check_array(real_array("X", X), input_name="X", dtype=np.float64))
    if points.shape[1] != 2:
        raise ValueError(f"decision regions need two features; X has {points.shape[1]}")
    return points


def check_plane_classifier(estimator: Any, y: Any, n_points: int) -> np.ndarray | None:
    """Return y (N,), if any; ValueError unless the estimator gives one label to each sample."""
    name = type(estimator).__name__
    if not is_classifier(estimator):
        raise ValueError(f"decision regions need a classifier; {name} is not one")
    if y is None:
        return None
    labels = plain_array("y", y)
    if labels.ndim != 1:
        raise ValueError(f"decision regions need one label per sample; y has shape {labels.shape}")
    return _lengthy("y", labels, n_points)


def check_grid_resolution(grid_resolution: Any) -> int:
    """Return how many points a grid has along each axis; raise unless at least two."""
    _SHOWN("grid_resolution", grid_resolution)
    return int(grid_resolution)


def check_regions(
    proba: Any, extent: Any, classes: Any, feature_names: Any
) -> tuple[np.ndarray, tuple[float, float, float, float]]:
    """Return ``proba`` (R, R, K) and ``extent`` as they can be drawn; raise unless they fit."""
    grid, n_classes = finite_array("proba", proba), len(_listed("classes", classes, "labels"))
    if grid.ndim != 3 or min(grid.shape) < 2 or grid.shape[2] != n_classes:
        raise ValueError(
            f"proba must have the shape (rows, columns, {n_classes}), with the classes last; got "
            f"{grid.shape}. It needs at least two rows and columns."
        )
    edges = finite_array("extent", extent)
    if edges.shape != (4,) or edges[0] == edges[1] or edges[2] == edges[3]:
        raise ValueError(
            "extent must be (left, right, bottom, top), with left < right and bottom < top; got "
            f"{brief(extent)}"
        )
    if feature_names is not None:
        _as_many("feature_names", feature_names, 2, "features")
    left, right, bottom, top = edges.tolist()
    return grid, (left, right, bottom, top)


def check_points(X: Any, y: Any) -> tuple[np.ndarray | None, np.ndarray | None]:
    """Return the points X (N, 2) and their labels y (N,), if any; raise unless they fit."""
    points = None if X is None else finite_array("X", X)
    if y is None:
        return points, None
    if points is None or points.ndim != 2 or points.shape[1] != 2:
        shape = () if points is None else points.shape
        raise ValueError(f"X must hold the two coordinates of each label in y; got {shape}")
    return points, _lengthy("y", y, len(points))


def check_images(
    estimator: Any, X: Any, y: Any, image_shape: Any, max_images: Any
) -> tuple[np.ndarray, np.ndarray]:
    """Return X as images (N, height, width) and y (N,); raise unless they can be drawn."""
    if not hasattr(estimator, "predict_proba"):
        raise ValueError(
            f"misread images need probabilities; {type(estimator).__name__} has no predict_proba"
        )
    _COUNT("max_images", max_images)
    if plain_array("image_shape", image_shape).shape != (2,):
        raise ValueError(f"image_shape must be (height, width); got {brief(image_shape)}")
    for name, side in zip(("height", "width"), image_shape, strict=True):
        _COUNT(f"image_shape: the {name}", side)
    height, width = map(int, image_shape)
    pixels = np.asarray(check_array(real_array("X", X), input_name="X"))
    if pixels.shape[1] != height * width:
        raise ValueError(
            f"image_shape is {height} × {width} = {brief(height * width)} pixels; X has "
            f"{pixels.shape[1]} columns"
        )
    return pixels.reshape(-1, height, width), _lengthy("y", y, len(pixels))


def check_readings(images: Any, truth: Any, predicted: Any, confidence: Any) -> list[np.ndarray]:
    """Return the arguments as arrays; raise unless there is one of each for each image."""
    numbers, certainty = real_array("images", images), real_array("confidence", confidence)
    # matplotlib reads integers as other colours than floats.
    pixels = numbers if np.asarray(images).dtype == object else np.asarray(images)
    if pixels.ndim not in (3, 4) or pixels.shape[3:] not in ((), (3,), (4,)):
        raise ValueError(
            f"images must have shape (M, height, width), or (M, height, width, 3 or 4) in colour; "
            f"got {pixels.shape}"
        )
    named = {"truth": truth, "predicted": predicted, "confidence": certainty}
    return [
        pixels,
        *(_lengthy(name, values, len(pixels), "images") for name, values in named.items()),
    ]


def _lengthy(name: str, values: Any, n_rows: int, what: str = "rows in X") -> np.ndarray:
    """Return an array (n_rows,) of any type; ValueError if it has another shape."""
    array = plain_array(name, values)
    if array.shape != (n_rows,):
        raise ValueError(
            f"{name} must have one entry for each of the {n_rows} {what}; got shape {array.shape}"
        )
    return array
