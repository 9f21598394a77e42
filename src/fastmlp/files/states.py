"""What an object is made of, by name, as its pickles have it; and what makes it again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from inspect import Parameter, signature
from typing import Any

from sklearn.base import BaseEstimator

from fastmlp._version import __version__

__all__ = [
    "VERSION",
    "defaults_of",
    "is_estimator",
    "is_record",
    "made_of",
    "state_of",
    "stored_fields",
]

#: Where the pickle of a model says by which version it was made.
VERSION = "_fastmlp_version"


def is_record(kind: type) -> bool:
    """Return whether a class is that of named tuples."""
    return issubclass(kind, tuple) and hasattr(kind, "_fields")


def is_estimator(kind: type) -> bool:
    """Return whether a class has scikit-learn's parameters, which are kept apart."""
    return issubclass(kind, BaseEstimator)


def stored_fields(kind: Any) -> tuple[str, ...]:
    """Return the fields of a dataclass, but for those that live in one process only.

    Those are neither handed to it nor compared.
    """
    return tuple(field.name for field in fields(kind) if field.init or field.compare)


def state_of(value: Any) -> dict[str, Any]:
    """Return what an object is made of; of a dataclass its fields, and nothing that is cached."""
    kind: Any = type(value)
    if is_record(kind):
        own: dict[str, Any] = value._asdict()
        return own
    if kind.__getstate__ is not object.__getstate__:
        state = dict(sorted(value.__getstate__().items()))
        state.pop(VERSION, None)
        return state
    if is_dataclass(kind):
        return {name: getattr(value, name) for name in stored_fields(kind)}
    return dict(sorted(vars(value).items()))


def made_of(kind: Any, state: Mapping[str, Any]) -> Any:
    """Return an object of a class without calling ``__init__``, as unpickling does."""
    if is_record(kind):
        return kind(**state)
    made: Any = object.__new__(kind)
    if hasattr(kind, "__setstate__"):
        version = {VERSION: __version__} if hasattr(kind, "save") else {}
        made.__setstate__({**state, **version})
    else:
        made.__dict__.update(state)
    return made


def defaults_of(kind: type) -> dict[str, Any]:
    """Return what stands for what an older file does not have, by name."""
    if is_record(kind):
        return dict(kind._field_defaults)  # type: ignore[attr-defined]
    if is_dataclass(kind):
        made = {
            field.name: field.default_factory()
            for field in fields(kind)
            if field.default_factory is not MISSING
        }
        fixed = {field.name: field.default for field in fields(kind)}
        return {**{name: each for name, each in fixed.items() if each is not MISSING}, **made}
    given = signature(kind).parameters.values()
    return {each.name: each.default for each in given if each.default is not Parameter.empty}
