"""Checks of what the pieces of a network, used alone, are given."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastmlp.plan.description import MAX_PARAMETERS
from fastmlp.plan.initializers import INITIALIZERS
from fastmlp.validation.parameter_rules import SHARE, check_activation
from fastmlp.validation.parameters import check_parameters
from fastmlp.validation.real_numbers import real_array
from fastmlp.validation.rules import Number, OneOf
from fastmlp.validation.wording import brief

__all__ = ["check_activation_input", "check_dropout", "check_first_weights"]

_WIDTH = Number(1, integral=True)
_RULE = OneOf(INITIALIZERS)


def check_activation_input(activation: Any, z: Any) -> np.ndarray:
    """Return z as an array of float32 or float64; raise unless ``activation`` is known."""
    check_activation("activation", activation)
    return real_array("z", z)


def check_dropout(x: Any, rate: Any, random_state: Any) -> tuple[np.ndarray, float]:
    """Return x as an array of float32 or float64, and the rate; raise unless all are right."""
    probability: float = SHARE("rate", rate)
    check_parameters({"random_state": random_state})
    return real_array("x", x), probability


def check_first_weights(
    fan_in: Any, fan_out: Any, init: Any, activation: Any, **named: Any
) -> tuple[int, int, dict[str, Any]]:
    """Return the widths and ``named``, the parameters of a rule, as Python's own numbers.

    Raise unless the rule can draw weights (fan_in, fan_out).
    """
    fan_in, fan_out = _WIDTH("fan_in", fan_in), _WIDTH("fan_out", fan_out)
    if fan_in * fan_out > MAX_PARAMETERS:
        raise ValueError(
            f"fan_in={brief(fan_in)} and fan_out={brief(fan_out)} give too many weights: at most "
            f"{MAX_PARAMETERS:.3g} are possible; lower one of them."
        )
    if _RULE("init", init) == "data_driven":
        raise ValueError(
            "init='data_driven' needs rows of data, which a single layer does not have: choose "
            "another init, or fit a model with this one."
        )
    check_activation("activation", activation)
    return fan_in, fan_out, check_parameters(named)
