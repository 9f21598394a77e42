"""Checks of what is done to a model that has learnt, or is learning."""

from __future__ import annotations

from typing import Any, NoReturn

import numpy as np

from fastmlp.validation.shapes import check_masks
from fastmlp.validation.wording import brief

__all__ = [
    "check_layer_number",
    "check_layer_values",
    "check_not_in_training",
    "check_number_of_layers",
    "raise_fixed_layers",
]


def check_not_in_training(owner: str, in_training: bool) -> None:
    """Raise RuntimeError if a callback fits the model, an ``owner``, that is just being fitted."""
    if in_training:
        raise RuntimeError(
            f"A callback can't fit the {owner} that is being fitted: fit a copy of it instead, "
            "by copy.deepcopy."
        )


def check_layer_number(name: str, number: int, n_layers: int) -> None:
    """Raise IndexError unless a list of ``n_layers`` arrays has an item of this number."""
    if not -n_layers <= number < n_layers:
        raise IndexError(
            f"{name} has {n_layers} arrays, one per layer; there is no {name}[{number}]."
        )


def check_number_of_layers(name: str, values: Any, n_layers: int) -> None:
    """Raise TypeError or ValueError unless ``values`` holds one array for each layer assigned."""
    if isinstance(values, (str, bytes)) or not hasattr(values, "__len__"):
        raise TypeError(f"{name} must be a list of arrays, one per layer; got {brief(values)}.")
    if len(values) != n_layers:
        raise ValueError(f"{name} needs {n_layers} arrays, one per layer; got {len(values)}.")


def raise_fixed_layers(name: str, n_layers: int) -> NoReturn:
    """Raise TypeError for what would change the number or the order of the layers."""
    raise TypeError(
        f"{name} has one array per layer of the network, {n_layers} in all; assign to its items, "
        "or copy it into a list of your own."
    )


def check_layer_values(name: str, value: Any, view: np.ndarray | None) -> np.ndarray | None:
    """Return a copy, shaped as ``view``, or None where a layer has none; raise if it can't be.

    It is a copy because the layers may be given in one another's place. NaN and infinity pass, as
    they do in scikit-learn's attributes.
    """
    if view is None:
        if value is not None:
            raise ValueError(f"{name} must stay None: the layer has no such parameters.")
        return None
    check_masks(name, value)
    try:
        array = np.array(value)
    except ValueError as error:  # ragged
        raise ValueError(
            f"{name} must be an array of shape {view.shape}; got {brief(value)}."
        ) from error
    if array.shape != view.shape:
        raise ValueError(f"{name} must have shape {view.shape}; got {array.shape}.")
    if array.dtype.kind not in "biuf":
        raise TypeError(f"{name} must hold real numbers; got dtype {array.dtype}.")
    return array
