"""Checks of functions that the user wrote: they compile, safely, and slope and value agree."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import partial
from types import FunctionType
from typing import Any

import numpy as np

from fastmlp.plan.user_functions import CustomActivation, CustomLoss
from fastmlp.validation.differences import slopes_beside
from fastmlp.validation.wording import brief

__all__ = [
    "check_activation_slope",
    "check_loss_slope",
    "check_name",
    "check_safe",
    "check_scalar_function",
]

#: Where a slope is compared: round numbers, where functions tend to have kinks, and others.
POINTS = np.array([0, 0.001, 0.1, 0.3, 0.5, 0.77, 1, 1.3, 2, 2.5, 3, 4.1, 6, 10.3, 20, 50, 100])
_BOTH_SIDES = np.concatenate([-POINTS[:0:-1], POINTS])
#: Targets at which a loss is looked at: classes, counts, and others.
TARGETS = np.array([-2.3, -1, 0, 0.37, 1, 3, 11.5])


def check_scalar_function(maker: str, role: str, function: Any, n_arguments: int) -> None:
    """Raise TypeError or ValueError unless Numba can compile a function of so many numbers.

    ``maker`` is the public function that got it as its argument ``role``.
    """
    if not isinstance(function, FunctionType):
        raise TypeError(f"{maker}: {role} must be a Python function; got {brief(function)}.")
    try:
        inspect.signature(function).bind(*[0.0] * n_arguments)
    except TypeError as error:
        raise TypeError(
            f"{maker}: {role} must take {n_arguments} number(s); {function.__qualname__} does not:"
            f" {error}."
        ) from error
    for dtype in (np.dtype(np.float64), np.dtype(np.float32)):
        _check_compiles(maker, role, function, dtype, n_arguments)


def check_name(name: Any, function: Any) -> str:
    """Return the name that a user gave, or the function's when it is None; TypeError if no name."""
    if name is None:
        return str(function.__name__)
    if not isinstance(name, str):
        raise TypeError(f"name must be None or a string; got {brief(name)}.")
    return name


def _check_compiles(
    maker: str, role: str, function: FunctionType, dtype: np.dtype, n_arguments: int
) -> None:
    from numba import types  # noqa: PLC0415 - slow to import
    from numba.core.errors import NumbaError  # noqa: PLC0415

    from fastmlp.backends.numba_jit.callbacks import result_type  # noqa: PLC0415

    try:
        result = result_type(function, dtype, n_arguments)
    except NumbaError as error:
        raise ValueError(
            f"{maker}: Numba cannot compile {role} ({function.__qualname__}) for {dtype.name}. "
            f"It says: {error}"
        ) from error
    if not isinstance(result, (types.Float, types.Integer, types.Boolean)):
        raise ValueError(
            f"{maker}: {role} ({function.__qualname__}) must return one real number; "
            f"it returns {result}."
        )


def check_safe(maker: str, functions: Mapping[str, Any]) -> None:
    """Raise ValueError if one of a pair of functions, by role, is unsafe once it is compiled.

    It must neither raise nor be able to read memory that is not its own.
    """
    first, second = functions.values()
    for dtype in (np.dtype(np.float64), np.dtype(np.float32)):
        if _trouble(maker, first, second, dtype) is None:
            continue
        for role, function in functions.items():
            wrong = _trouble(maker, function, function, dtype)
            if wrong is not None:
                raise ValueError(f"{maker}: {role} ({function.__qualname__}) {wrong}.")


def _trouble(maker: str, first: Any, second: Any, dtype: np.dtype) -> str | None:
    """Return what is wrong with the loop over a pair of functions, None if nothing."""
    from fastmlp.backends.numba_jit.callbacks import (  # noqa: PLC0415 - slow to import
        UnsafeFunctionError,
        activation_callback,
        loss_callback,
    )

    compiled = activation_callback if maker == "custom_activation" else loss_callback
    try:
        compiled(first, second, dtype)
    except UnsafeFunctionError as error:
        return error.wrong
    return None


def check_activation_slope(own: CustomActivation) -> None:
    """Raise ValueError unless df is the derivative of f, by differences in float64."""
    functions = f"df ({own.df.__qualname__})", f"f ({own.f.__qualname__})"
    from fastmlp.backends.numba_jit.binding import evaluate_activation  # noqa: PLC0415

    evaluate = partial(evaluate_activation, own)
    _check_slope("custom_activation", functions, evaluate, _BOTH_SIDES)


def check_loss_slope(own: CustomLoss) -> None:
    """Raise ValueError unless grad is the derivative of value by the prediction."""
    functions = f"grad ({own.grad.__qualname__})", f"value ({own.value.__qualname__})"

    from fastmlp.backends.numba_jit.binding import evaluate_loss  # noqa: PLC0415

    def evaluate(z: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        values, gradient = evaluate_loss(own, z[:, np.newaxis], y[:, np.newaxis])
        return values, gradient[:, 0]

    z, y = (grid.ravel() for grid in np.meshgrid(_BOTH_SIDES, TARGETS))
    _check_slope("custom_loss", functions, evaluate, z, y)


def _check_slope(
    maker: str,
    names: tuple[str, str],
    evaluate: Callable[..., tuple[np.ndarray, np.ndarray]],
    z: np.ndarray,
    *others: np.ndarray,
) -> None:
    """Raise unless ``evaluate(z, *others)`` gives values and their derivatives by z, (n,) each.

    ``names`` are those of the derivative and of the value.
    """
    step = 1e-6 * np.maximum(1, np.abs(z))
    here, slope = evaluate(z, *others)
    below, above = evaluate(z - step, *others)[0], evaluate(z + step, *others)[0]
    with np.errstate(all="ignore"):
        least, largest = slopes_beside(below, here, above, step)
        # Where the value is not finite there is nothing to compare.
        wrong = np.isfinite(least + largest) & ~((least <= slope) & (slope <= largest))
        expected = (above - below) / (2 * step)
    if not np.isfinite(here).any():
        raise ValueError(f"{maker}: {names[1]} is finite nowhere.")
    if wrong.any():
        error = np.nan_to_num(np.abs(slope - expected), nan=np.inf)
        i = int(np.argmax(np.where(wrong, error, -1)))
        raise ValueError(
            f"{maker}: {names[0]} is not the derivative of {names[1]}: at "
            f"{_place(z[i], *(other[i] for other in others))} it gives {slope[i]:.6g}, but "
            f"differences give {expected[i]:.6g}."
        )


def _place(z: float, target: float | None = None) -> str:
    return f"z = {z:g}" if target is None else f"prediction = {z:g}, target = {target:g}"
