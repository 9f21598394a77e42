"""Rules of the estimators' parameters that take more than a kind of number.

Each returns a value as a fit takes it, or raises because it is not right.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from inspect import isfunction
from types import MappingProxyType
from typing import Any

import numpy as np

from fastmlp.averaging import AVERAGES, Average
from fastmlp.backends import BACKENDS
from fastmlp.names import Names
from fastmlp.optimizers import CLASSES
from fastmlp.plan.update_groups import PARAMETRIZATIONS, PARTS
from fastmlp.plan.user_functions import CustomActivation, CustomLoss
from fastmlp.registry import (
    ACTIVATIONS,
    CLASSIFIER_LOSSES,
    MATMUL_PRECISIONS,
    REGRESSOR_LOSSES,
    SOLVERS,
)
from fastmlp.validation.normalizations import check_normalization
from fastmlp.validation.rules import (
    Number,
    OneOf,
    OneOrEach,
    Rule,
    Verbatim,
    flag,
    own_number,
)
from fastmlp.validation.schedules import Schedulable
from fastmlp.validation.wording import brief, unknown_name

__all__ = [
    "ACTIVATION",
    "BACKEND",
    "BOUND",
    "CLASSIFIER_LOSS",
    "COUNT",
    "COUNT_OR_NONE",
    "DECAY",
    "DROPOUT",
    "MAX_THREADS",
    "MOMENTUM",
    "NORMALIZATION",
    "NOT_NEGATIVE",
    "PARAMETRIC",
    "PARAMETRIZATION",
    "POSITIVE",
    "PRECISION",
    "SHARE",
    "SMOOTHING",
    "THREADS",
    "WIDTHS",
    "averaging",
    "check_activation",
    "learning_rate_factors",
    "quantiles",
    "rate_of_scales",
    "regression_loss",
    "restoring",
    "solver",
    "spread",
    "standardization",
]

POSITIVE = Number(0, closed="neither")
NOT_NEGATIVE = Number(0, closed="left")
BOUND = Number(0, closed="neither", also=(None,))
SHARE = Number(0, 1)
COUNT = Number(1, integral=True)
COUNT_OR_NONE = Number(1, integral=True, also=(None,))

#: Numbers that may have schedules.
SMOOTHING = Schedulable(SHARE)
MOMENTUM = Schedulable(Number(0, 1, closed="both"))
DECAY = Schedulable(Number(0, also=(None,)), of_base=NOT_NEGATIVE)

#: As many as the core's team has seats: ``MAX_MEMBERS`` in csrc/threads/team.c.
MAX_THREADS = 256
THREADS = Number(1, MAX_THREADS, closed="both", integral=True, also=(None,))


def check_activation(name: str, value: Any) -> str | CustomActivation:
    """Return an activation's name, or one that the user wrote; raise unless ``value`` is one."""
    if isinstance(value, CustomActivation):
        return value
    if isfunction(value):
        raise ValueError(
            f"{name} must be the name of one, or made by custom_activation; got a function: write "
            "custom_activation(f, df), df being its derivative."
        )
    if value not in ACTIVATIONS:
        raise unknown_name(name, value, ACTIVATIONS.by_name, ", or made by custom_activation")
    return ACTIVATIONS[value].name


def regression_loss(name: str, value: Any) -> str | CustomLoss:
    """Return a regressor's loss by its name, or one that the user wrote; raise unless it is one."""
    if isinstance(value, CustomLoss):
        return value
    if value not in REGRESSOR_LOSSES:
        raise unknown_name(name, value, REGRESSOR_LOSSES, ", or made by custom_loss")
    return REGRESSOR_LOSSES[value]


_LEVELS = OneOrEach(Number(0, 1, closed="neither"), kind="number", example="(0.1, 0.9)")


def quantiles(name: str, value: Any) -> Any:
    """Return one level between 0 and 1, or several that ascend; raise unless they are such."""
    levels = _LEVELS(name, value)
    if np.size(levels) == 0 or np.any(np.diff(np.ravel(levels)) <= 0):
        raise ValueError(f"{name} must be one level, or several that ascend; got {brief(value)}.")
    return levels


def standardization(name: str, value: Any) -> bool | str:
    """Return a bool, or how a target is to be standardised; raise unless ``value`` says so."""
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    if not (isinstance(value, str) and value in ("auto", "mean", "median")):
        raise ValueError(
            f"{name} must be True, False, 'auto', 'mean' or 'median'; got {brief(value)}."
        )
    return value


def _betas(name: str, value: Any) -> tuple[float, float]:
    if not (isinstance(value, (tuple, list)) and len(value) == 2):
        raise TypeError(f"{name} must be a tuple of two numbers; got {brief(value)}.")
    first, second = (SHARE(f"{name}[{i}]", beta) for i, beta in enumerate(value))
    return first, second


#: Rules of the options of optimisers, by their names in ``fastmlp.optimizers``.
_OPTIONS: Mapping[str, Rule] = MappingProxyType(
    {
        "momentum": MOMENTUM,
        "nesterov": flag,
        "centered": flag,
        "betas": _betas,
        "alpha": SHARE,
        "rho": SHARE,
        "eps": POSITIVE,
        "lr_decay": NOT_NEGATIVE,
        "momentum_decay": NOT_NEGATIVE,
        "initial_accumulator_value": NOT_NEGATIVE,
        "weight_decay": Schedulable(NOT_NEGATIVE),
    }
)


def solver(name: str, value: Any) -> Any:
    """Return a solver's name, or an optimiser whose options are right; raise if it is neither."""
    if type(value) in CLASSES.values():
        options = {
            option: _OPTIONS[option](f"{name}.{option}", number)
            for option, number in vars(value).items()
        }
        return type(value)(**options)
    if value not in SOLVERS:
        raise unknown_name(name, value, SOLVERS, ", or an object of fastmlp.optimizers")
    return SOLVERS.name_of(value)


def averaging(name: str, value: Any) -> Average | None:
    """Return an average of the weights whose options are right, or None; raise if it is neither."""
    if value is None:
        return None
    if isinstance(value, Average):
        options = {
            option: SHARE(f"{name}.{option}", number) for option, number in vars(value).items()
        }
        return type(value)(**options)
    if value not in AVERAGES:
        raise unknown_name(name, value, AVERAGES, ", an object of fastmlp.averaging, or None")
    return AVERAGES[value]()


def learning_rate_factors(name: str, value: Any) -> dict[str, float] | None:
    """Return factors by the parts of a network; raise unless ``value`` is a mapping of such."""
    if value is None:
        return None
    if not isinstance(value, Mapping):
        raise TypeError(
            f"{name} must be a dict of factors, such as {{'biases': 0.1}}, or None; "
            f"got {brief(value)}."
        )
    parts = Names((part, part, ()) for part in PARTS)
    for part in value:
        if part not in parts:
            raise unknown_name(f"{name}: a key", part, parts)
    return {parts[part]: NOT_NEGATIVE(f"{name}[{brief(part)}]", value[part]) for part in value}


def restoring(name: str, value: Any) -> bool | str:
    """Return a bool, or "last"; raise unless ``value`` is one of them."""
    if isinstance(value, str) and value == "last":
        return value
    if not isinstance(value, (bool, np.bool_)):
        raise TypeError(f"{name} must be True or False, or 'last'; got {brief(value)}.")
    return bool(value)


#: Random numbers are within sixteen times their spread, so that first weights stay finite.
MAX_SPREAD = sys.float_info.max / 16


def spread(name: str, value: Any) -> float:
    """Return the spread of first weights; raise unless it is neither negative nor too large."""
    number: float = NOT_NEGATIVE(name, value)
    if number > MAX_SPREAD:
        raise ValueError(f"{name} must be at most {MAX_SPREAD:.2g}; got {brief(value)}.")
    return number


#: What ``scaling_layer=True`` stands for.
RATE_OF_SCALES = 6.0


def rate_of_scales(name: str, value: Any) -> float:
    """Return the factor of the learning rate of a scaling layer, 0 for none of them."""
    if isinstance(value, (bool, np.bool_)):
        return RATE_OF_SCALES if value else 0.0
    if own_number(value) is None or isinstance(value, str):
        raise TypeError(f"{name} must be True, False or a number; got {brief(value)}.")
    factor: float = POSITIVE(name, value)
    return factor


BACKEND = Verbatim(tuple(BACKENDS))
PRECISION = OneOf(MATMUL_PRECISIONS)
CLASSIFIER_LOSS = OneOf(CLASSIFIER_LOSSES)
WIDTHS = OneOrEach(COUNT, kind="integer", example="(50, 50)")
ACTIVATION = OneOrEach(check_activation, kind="activation", example="('tanh', 'relu')")
DROPOUT = Schedulable(OneOrEach(SHARE, kind="number", example="(0.2, 0.5)"), of_base=SHARE)
PARAMETRIC = OneOrEach(flag, kind="bool", example="(True, False)")
PARAMETRIZATION = OneOf(PARAMETRIZATIONS)
NORMALIZATION = OneOrEach(check_normalization, kind="name", example="('batch', None)")
