"""What a callback may ask of the training that calls it."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import numpy as np

from fastmlp.validation.rules import Number, own_number
from fastmlp.validation.wording import brief

__all__ = [
    "check_metric",
    "check_new_learning_rate",
    "check_reason",
    "check_record_is_present",
    "raise_assigned",
]

_RATE, _RATE_OR_NONE = Number(0, closed="neither"), Number(0)


def check_record_is_present(method: str, present: bool) -> None:
    """Raise RuntimeError unless the callback that a record was given to still runs."""
    if not present:
        raise RuntimeError(
            f"{method} of an EpochRecord works only in the callback that gets the record, until it "
            "returns; this record is a copy, or its epoch is over."
        )


def raise_assigned(name: str) -> None:
    """Raise AttributeError for a number of a record that is assigned to."""
    how = ": use set_learning_rate" if name == "learning_rate" else ""
    raise AttributeError(f"{name} of an EpochRecord can't be set{how}.")


def check_reason(reason: Any) -> str:
    """Return the reason why a fit ends; raise unless it is a text that says something."""
    if not isinstance(reason, str):
        raise TypeError(f"reason must be a text; got {brief(reason)}.")
    if not reason.strip():
        raise ValueError("reason must not be empty.")
    return reason


def check_new_learning_rate(value: Any, present: float | None, dtype: np.dtype) -> float:
    """Return a learning rate that a network of real type ``dtype`` can go on with, or raise.

    ``present`` is the rate as it is, None where there is none.
    """
    if present is None:
        raise ValueError(
            "learning_rate can't be set: lbfgs chooses the length of its steps itself."
        )
    rate: float = (_RATE if present > 0 else _RATE_OR_NONE)("learning_rate", value)
    limit = float(np.finfo(dtype).max)
    if rate > limit:
        raise ValueError(
            f"learning_rate must be at most {limit:.2g} for dtype {dtype.name}; got {brief(value)}."
        )
    return rate


def check_metric(name: Any, value: Any, taken: Collection[str]) -> tuple[str, float]:
    """Return a metric's name and number; raise unless they are such and the name is free."""
    if not isinstance(name, str):
        raise TypeError(f"name must be a text; got {brief(name)}.")
    if name in taken:
        raise ValueError(f"name must not be {brief(name)}, which history_ has already.")
    number = own_number(value)
    if isinstance(number, bool) or not isinstance(number, (int, float)):
        raise TypeError(f"value of {brief(name)} must be a number; got {brief(value)}.")
    return name, float(number)
