"""Checks of what ``gradient_descent`` is given and of what its functions return."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NoReturn

import numpy as np

from fastmlp.validation.real_numbers import TooLargeError, finite_array, real_array
from fastmlp.validation.rules import Number, flag
from fastmlp.validation.wording import brief

__all__ = [
    "check_descent",
    "check_functions",
    "check_gradient_array",
    "check_start",
    "check_value",
    "raise_not_finite",
]

_REAL = {
    "learning_rate": Number(0, closed="neither"),
    "momentum": Number(0, 1),
    "tol": Number(0, also=(None,)),
}
_STEPS = Number(0, integral=True)


def check_functions(**functions: Any) -> None:
    """Raise TypeError, naming the argument, unless each can be called."""
    for name, function in functions.items():
        if not callable(function):
            raise TypeError(f"{name} must be a function of x; got {brief(function)}.")


def check_descent(
    n_steps: Any, check_gradient: Any, numbers: Mapping[str, Any]
) -> tuple[int, dict[str, Any]]:
    """Return steps and ``numbers`` as Python's own; raise unless each argument is right."""
    flag("check_gradient", check_gradient)
    found = {name: _REAL[name](name, value) for name, value in numbers.items()}
    return _STEPS("n_steps", n_steps), found


def check_start(x0: Any) -> np.ndarray:
    """Return a copy of x0, of any shape, in float64; raise unless it holds finite numbers."""
    return np.array(finite_array("x0", x0), np.float64)


def raise_not_finite(x0: Any) -> NoReturn:
    """Raise ValueError: the functions have no finite value or gradient where the path begins."""
    raise ValueError(f"f and df must be finite at x0; x0 is {brief(x0)}.")


def check_value(value: Any) -> float:
    """Return what f returned, ∞ if it is too large for a float; raise unless it is one number."""
    number = _returned(value, "f must return one real number")
    if number.shape != ():
        raise ValueError(f"f must return one real number; got {brief(value)}.")
    return float(number)


def check_gradient_array(gradient: Any, shape: tuple[int, ...]) -> np.ndarray:
    """Return a copy of what df returned (...), ∞ if it is too large; raise unless it fits x."""
    rule = f"df must return real numbers of shape {shape}, that of x0"
    numbers = _returned(gradient, rule)
    if numbers.shape != shape:
        raise ValueError(f"{rule}; got {brief(gradient)}.")
    return np.array(numbers, np.float64)


def _returned(values: Any, rule: str) -> np.ndarray:
    """Return the real numbers (...) that a function gave; else raise, saying the rule."""
    try:
        return real_array("the result", values)
    except TooLargeError:
        return np.full(np.shape(values), np.inf)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{rule}; got {brief(values)}.") from error
