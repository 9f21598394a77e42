"""Checks of the first weights that a user gives: as arrays, or by a function that makes them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from fastmlp.plan.initializers import INITIALIZERS, Initializer, split_layer
from fastmlp.plan.members import Members
from fastmlp.validation.real_numbers import real_array
from fastmlp.validation.wording import brief, unknown_name

__all__ = ["check_init", "check_initial_arrays", "checking_initializer"]


def check_init(name: str, value: Any) -> Any:
    """Return a rule's name, a function, or a sequence of layers; raise unless it is one."""
    if isinstance(value, str) or value is None:
        if value not in INITIALIZERS:
            raise unknown_name(name, value, INITIALIZERS, ", a function or a list of arrays")
        return INITIALIZERS.name_of(value)
    if not callable(value) and not isinstance(value, Sequence):
        raise TypeError(
            f"{name} must be a name, a function, or a list with an array (or a tuple of weights "
            f"and biases) per layer; got {brief(value)}."
        )
    return value


def check_initial_arrays(
    init: Initializer, layer_sizes: Sequence[int], dtype: np.dtype, members: Members
) -> None:
    """Raise unless arrays given as ``init`` fit the network and its real type.

    A layer that each member has for itself takes an array for each, (k, I, O) and (k, O).
    """
    if callable(init) or isinstance(init, str):
        return
    n_layers = len(layer_sizes) - 1
    if len(init) != n_layers:
        raise ValueError(
            f"init has {len(init)} entries; the network has {n_layers} layers of weights."
        )
    for number, (layer, (fan_in, fan_out)) in enumerate(
        zip(init, pairwise(layer_sizes), strict=True)
    ):
        own = (members.n_members,) if number >= members.n_shared else ()
        _check_layer(f"init[{number}]", layer, (*own, fan_in, fan_out), dtype)


def checking_initializer(init: Initializer, dtype: np.dtype) -> Initializer:
    """Return ``init``; a function's layers are checked as they are made."""
    if not callable(init):
        return init

    def checked(fan_in: int, fan_out: int, rng: np.random.RandomState) -> Any:
        layer = init(fan_in, fan_out, rng)
        _check_layer(f"init({fan_in}, {fan_out}, rng)", layer, (fan_in, fan_out), dtype)
        return layer

    return checked


def _check_layer(name: str, layer: Any, shape: tuple[int, ...], dtype: np.dtype) -> None:
    """Raise unless a layer's weights (…, I, O) and its biases (…, O) are so, and finite."""
    weights, biases = split_layer(layer)
    _check_values(f"{name}: the weights", weights, shape, dtype)
    if isinstance(layer, tuple):
        _check_values(f"{name}: the biases", biases, (*shape[:-2], shape[-1]), dtype)


def _check_values(name: str, values: Any, shape: tuple[int, ...], dtype: np.dtype) -> None:
    array = real_array(name, values)
    if array.shape != shape:
        raise ValueError(f"{name} must have shape {shape}; got {array.shape}.")
    if not np.all(np.abs(array) <= np.finfo(dtype).max):
        raise ValueError(f"{name} must be finite in {dtype.name}.")
