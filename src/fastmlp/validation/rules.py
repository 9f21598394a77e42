"""Kinds of parameters: each rule returns a value as a fit takes it, or says why it can't.

Numbers of any library become Python's own, and aliases the names that they stand for. The
estimator's parameters stay as they were given.
"""

from __future__ import annotations

import sys
import warnings
from ast import literal_eval
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from importlib.util import find_spec
from inspect import isfunction
from numbers import Integral, Real
from typing import Any

import numpy as np
from sklearn.utils import check_random_state

from fastmlp.names import Names
from fastmlp.validation.arrays import naming
from fastmlp.validation.shapes import UNREADABLE, check_masks
from fastmlp.validation.wording import brief, unknown_name

__all__ = [
    "MAX_SEED",
    "Number",
    "OneOf",
    "OneOrEach",
    "Rule",
    "Verbatim",
    "callables",
    "flag",
    "literal",
    "own_number",
    "real_type",
    "seed",
    "verbosity",
]

Rule = Callable[[str, Any], Any]


def own_number(value: Any) -> Any:
    """Return a number of any library, or an array of shape (), as Python's int, float or bool."""
    if isinstance(value, np.ndarray) and value.ndim == 0:
        value = value[()]
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    if isinstance(value, np.timedelta64) or not isinstance(value, (Real, Decimal)):
        return value  # NumPy counts time differences among the integers
    if isinstance(value, Integral):
        return int(value)
    number: Any = value
    try:
        return float(number)
    except OverflowError:
        return np.inf if number > 0 else -np.inf
    except ValueError:  # a signalling NaN of decimal
        return np.nan


def literal(text: str) -> Any:
    """Return the value that a text reads as in Python, or the text itself."""
    try:
        return literal_eval(text.strip())
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return text


@dataclass(frozen=True)
class Number:
    """A number between two bounds; ``closed`` says which bounds belong to the range."""

    low: float
    high: float = np.inf
    closed: str = "left"
    integral: bool = False
    also: tuple[object, ...] = ()

    def __call__(self, name: str, value: Any) -> Any:
        """Return ``value`` as an int, a float or one of ``also``; raise unless it is such."""
        own = own_number(value)
        for other in self.also:
            if own is other or (isinstance(own, (str, float)) and own == other):
                return other
        if isinstance(own, bool) or not isinstance(own, int if self.integral else (int, float)):
            raise TypeError(f"{name} must be {self}; got {brief(value)}{self._remedy(own)}.")
        if not self._holds(own):
            # A fraction may have become 0 or 1.
            got = own if isinstance(value, (Fraction, Decimal)) else value
            raise ValueError(f"{name} must be {self}; got {brief(got)}.")
        return own if self.integral else float(own) + 0.0  # 0.0 for -0.0, as equal to it

    def _holds(self, own: float) -> bool:
        above = own >= self.low if self.closed in ("both", "left") else own > self.low
        if not self.integral and self.high == np.inf:
            above = above and own <= sys.float_info.max
        return above and (own <= self.high if self.closed in ("both", "right") else own < self.high)

    def _remedy(self, own: Any) -> str:
        """Return how to write a number that was given as a text, or as a float that is whole."""
        meant = literal(own) if isinstance(own, str) else own
        if isinstance(meant, float) and self.integral and meant.is_integer():
            meant = int(meant)
        right = isinstance(meant, int if self.integral else (int, float))
        return f": write {brief(meant)}" if right and not isinstance(meant, bool) else ""

    def __str__(self) -> str:
        left = "≥" if self.closed in ("both", "left") else ">"
        right = "≤" if self.closed in ("both", "right") else "<"
        kind = "a finite number" if self.high == np.inf else "a number"
        text = f"{'an integer' if self.integral else kind} {left} {self.low:g}"
        if np.isfinite(self.high):
            text += f" and {right} {self.high:g}"
        return " or ".join([text, *map(repr, self.also)])


@dataclass(frozen=True)
class OneOf:
    """One of some names, or of their aliases."""

    names: Names

    def __call__(self, name: str, value: object) -> str:
        """Return the name that ``value`` stands for; raise unless it is one."""
        if value not in self.names:
            raise unknown_name(name, value, self.names)
        return self.names.name_of(value)


@dataclass(frozen=True)
class Verbatim:
    """One of some names, which have no other spellings because they are read in several places."""

    names: tuple[str, ...]

    def __call__(self, name: str, value: object) -> str:
        """Return ``value``; raise unless it is one of the names."""
        if not isinstance(value, str) or value not in self.names:
            raise unknown_name(name, value, Names((each, each, ()) for each in self.names))
        return value


@dataclass(frozen=True)
class OneOrEach:
    """One value, or a flat sequence of such values: an entry for each layer.

    ``kind`` is a word for a value, ``example`` is a sequence of them.
    """

    rule: Rule
    kind: str
    example: str

    def __call__(self, name: str, value: Any) -> Any:
        """Return the value, or a tuple of values; raise unless all are right."""
        check_masks(name, value)
        with naming(name):
            entries = np.asarray(value, dtype=object)
        if entries.ndim == 0:
            return self._one(name, entries[()])
        if entries.ndim > 1:
            raise ValueError(
                f"{name} must be one {self.kind} or a flat sequence, such as {self.example}; "
                f"got {brief(value)}."
            )
        return tuple(self.rule(f"{name}[{i}]", entry) for i, entry in enumerate(entries))

    def _one(self, name: str, value: Any) -> Any:
        try:
            return self.rule(name, value)
        except TypeError:
            meant = literal(value) if isinstance(value, str) else own_number(value)
            if isinstance(meant, (int, float)):  # the rule says how to write it
                raise
            remedy = f": write {brief(meant)}" if isinstance(meant, (list, tuple)) else ""
            wanted = f"a {self.kind}" if isfunction(self.rule) else self.rule
            raise TypeError(
                f"{name} must be {wanted}, or a list or tuple of these, such as {self.example}; "
                f"got {brief(value)}{remedy}."
            ) from None


def flag(name: str, value: object) -> bool:
    """Return a bool; raise unless ``value`` is one."""
    if not isinstance(value, (bool, np.bool_)):
        raise TypeError(f"{name} must be True or False; got {brief(value)}.")
    return bool(value)


def verbosity(name: str, value: Any) -> int | str:
    """Return a bool, an int or "bar"; raise unless ``value`` is one, and can be shown."""
    own = own_number(value)
    if isinstance(own, str) and own.casefold() == "bar":
        if find_spec("rich") is None:
            raise ImportError(
                f"{name}='bar' needs rich; install it with: pip install \"fastmlp[cli]\""
            )
        return "bar"
    if not isinstance(own, int):
        raise TypeError(f"{name} must be True, False or an integer, or 'bar'; got {brief(value)}.")
    return own


#: scikit-learn takes integers up to this.
MAX_SEED = 2**32 - 1


def seed(name: str, value: Any) -> Any:
    """Return ``value``; raise unless scikit-learn makes a RandomState of it."""
    if type(value) is int and 0 <= value <= MAX_SEED:
        return value
    try:
        check_random_state(value)
    except UNREADABLE:
        raise ValueError(
            f"{name} must be None, an integer from 0 to 2^32 - 1 or a numpy.random.RandomState; "
            f"got {brief(value)}."
        ) from None
    return value


def real_type(name: str, value: Any) -> Any:
    """Return "auto" or a NumPy dtype; raise unless it is one of those that networks have."""
    if isinstance(value, str) and value in ("auto", "float32", "float64"):
        return value if value == "auto" else np.dtype(value)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of deprecated names, none of which is right
            # NumPy is not asked about other objects: it takes what has a dtype, as columns do.
            dtype = np.dtype(value) if isinstance(value, (str, type, np.dtype)) else None
    except (*UNREADABLE, SyntaxError):
        dtype = None
    if dtype not in (np.float32, np.float64):
        raise ValueError(f"{name} must be one of float32, float64, auto; got {brief(value)}.")
    return dtype


def callables(name: str, value: Any) -> Any:
    """Return None or a sequence; raise unless all of its entries can be called."""
    if value is None:
        return None
    if isinstance(value, str) or not isinstance(value, Sequence) or not all(map(callable, value)):
        raise TypeError(f"{name} must be None or a list of callables; got {brief(value)}.")
    return value
