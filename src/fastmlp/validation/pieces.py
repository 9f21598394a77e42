"""Checks of what the pieces of a network, used alone, are given."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastmlp.description import MAX_PARAMETERS
from fastmlp.initializers import INITIALIZERS
from fastmlp.validation.information import check_logits
from fastmlp.validation.parameters import (
    RULES,
    Number,
    OneOf,
    check_activation,
    check_parameters,
)

__all__ = ["check_activation_input", "check_dropout", "check_first_weights"]

_WIDTH = Number(1, integral=True)
_RULE = OneOf(INITIALIZERS)


def check_activation_input(activation: Any, z: Any) -> np.ndarray:
    """Return z as an array of float32 or float64; raise unless ``activation`` is known."""
    check_activation("activation", activation)
    return check_logits("z", z)


def check_dropout(x: Any, rate: Any, random_state: Any) -> np.ndarray:
    """Return x as an array of float32 or float64; raise unless rate and seed are right."""
    RULES["input_dropout"]("rate", rate)
    check_parameters({"random_state": random_state})
    return check_logits("x", x)


def check_first_weights(
    fan_in: Any, fan_out: Any, init: Any, activation: Any, **named: Any
) -> None:
    """Raise unless a rule can draw weights (fan_in, fan_out); ``named`` are its parameters."""
    _WIDTH("fan_in", fan_in)
    _WIDTH("fan_out", fan_out)
    if fan_in * fan_out > MAX_PARAMETERS:
        raise ValueError(
            f"fan_in={fan_in} and fan_out={fan_out} give {fan_in * fan_out:.3g} weights; "
            f"at most {MAX_PARAMETERS:.3g} are possible."
        )
    _RULE("init", init)
    check_activation("activation", activation)
    check_parameters(named)
