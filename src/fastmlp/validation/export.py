"""Checks of what is written as another language or format."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, NoReturn

from fastmlp.plan.layout import Plan
from fastmlp.registry import ACTIVATIONS, CUSTOM
from fastmlp.validation.wording import brief

__all__ = [
    "check_c_name",
    "check_c_texts",
    "check_can_be_exported",
    "check_stored_weights",
    "raise_partner",
]

#: What ``weights`` of ``to_c`` may be.
STORED = ("float", "int16", "int8")

#: Bytes of a string that every compiler of C takes.
LONGEST_STRING = 4095


def check_can_be_exported(owner: str, plan: Plan) -> None:
    """Raise ValueError if a network has an activation that the user wrote."""
    if any(code == CUSTOM for code in plan.layers["activation"]):
        own = next(iter(plan.custom.values()))
        raise ValueError(
            f"This {owner} can't be exported: its activation {brief(own.name)} is a Python "
            f"function of yours. Fit it with one of {', '.join(ACTIVATIONS.names)}."
        )


def raise_partner(owner: str, estimator: Any) -> NoReturn:
    """Raise ValueError because a model of another library predicts along."""
    raise ValueError(
        f"This {owner} can't be exported: a partner of another library, "
        f"{brief(estimator)}, is among the models that predict. Fit without partners."
    )


def check_c_name(name: Any) -> str:
    """Return a name with which identifiers of C may begin; raise if it is none."""
    if not isinstance(name, str):
        raise TypeError(f"name must be a string; got {brief(name)}.")
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]{0,62}", name, re.ASCII):
        raise ValueError(
            "name must be an identifier of C: a letter, then letters, digits and underscores, at "
            f"most 63 in all; got {brief(name)}."
        )
    return name


def check_stored_weights(weights: Any) -> str:
    """Return how weights are stored; ValueError if there is no such way."""
    if weights not in STORED:
        listed = ", ".join(map(repr, STORED))
        raise ValueError(f"weights must be one of {listed}; got {brief(weights)}.")
    return str(weights)


def check_c_texts(what: str, texts: Iterable[str]) -> None:
    """Raise ValueError if a text, a ``what``, is no string of C."""
    for text in texts:
        if "\0" in text:
            raise ValueError(f"The {what} {brief(text)} has a NUL, which ends a string in C.")
        n_bytes = len(text.encode(errors="surrogatepass"))
        if n_bytes > LONGEST_STRING:
            raise ValueError(
                f"The {what} {brief(text)} has {n_bytes} bytes; C takes {LONGEST_STRING}."
            )
