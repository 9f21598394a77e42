"""Checks of what ``gradient_descent`` is given."""

from __future__ import annotations

from typing import Any, NoReturn

import numpy as np

from fastmlp.validation.arrays import naming
from fastmlp.validation.rules import Number
from fastmlp.validation.words import shown

__all__ = ["check_descent", "check_gradient", "check_start", "check_value", "raise_not_finite"]

_RULES = {
    "learning_rate": Number(0, closed="neither"),
    "n_steps": Number(0, integral=True),
    "momentum": Number(0, 1),
    "tol": Number(0, also=(None,)),
}


def check_descent(functions: dict[str, Any], numbers: dict[str, Any]) -> list[Any]:
    """Return the numbers as Python's own; raise, naming the argument, unless each is right."""
    for name, function in functions.items():
        if not callable(function):
            raise TypeError(f"{name} must be a function of x; got {shown(function)}.")
    return [_RULES[name](name, value) for name, value in numbers.items()]


def check_start(x0: Any) -> np.ndarray:
    """Return a copy of x0, of any shape, in float64; ValueError unless all of it is finite."""
    with naming("x0"):
        start = np.array(x0, dtype=np.float64)
    if not np.isfinite(start).all():
        raise ValueError(f"x0 must be finite; got {shown(x0)}.")
    return start


def raise_not_finite(x0: Any) -> NoReturn:
    """Raise ValueError: the functions have no finite value or gradient where the path begins."""
    raise ValueError(f"f and df must be finite at x0; x0 is {shown(x0)}.")


def check_value(value: Any) -> None:
    """Raise unless f returned one real number."""
    if np.shape(value) != () or np.asarray(value).dtype.kind not in "biuf":
        raise ValueError(f"f must return one real number; got {shown(value)}.")


def check_gradient(gradient: Any, shape: tuple[int, ...]) -> None:
    """Raise unless df returned real numbers shaped like x."""
    if np.shape(gradient) != shape or np.asarray(gradient).dtype.kind not in "biuf":
        raise ValueError(
            f"df must return real numbers of shape {shape}, that of x0; got {shown(gradient)}."
        )
