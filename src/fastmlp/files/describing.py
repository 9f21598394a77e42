"""From an object to its description: JSON, arrays, and what the user must give back.

A description is what JSON has, or an object of JSON whose ``"$"`` says what it stands for: a form
of ``_FORMS``, or a class of ``classes.py`` with its state. ``restoring.py`` is its inverse.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable
from decimal import Decimal
from enum import Enum
from types import MappingProxyType, NoneType
from typing import Any

import numpy as np

from fastmlp.files.arrays import SCALARS, is_storable, scalar_value, stored
from fastmlp.files.classes import name_of
from fastmlp.files.states import is_estimator, is_record, state_of
from fastmlp.plan.user_functions import CustomActivation, CustomLoss
from fastmlp.registry import CUSTOM, Loss
from fastmlp.validation import raise_unsavable

__all__ = ["TYPES", "Describer"]

#: Types that a parameter may be, by name.
TYPES: MappingProxyType[str, type] = MappingProxyType(
    {kind.__name__: kind for kind in (bool, int, float, np.float16, np.float32, np.float64)}
)

#: Objects that have a text of which they can be made again.
_TEXTS: dict[type, tuple[str, Callable[[Any], str]]] = {
    dt.date: ("date", dt.date.isoformat),
    dt.time: ("time", dt.time.isoformat),
    dt.datetime: ("datetime", dt.datetime.isoformat),
    Decimal: ("decimal", str),
}

#: What holds others, and its form; lists are those of JSON.
_CONTAINERS: dict[type, str] = {tuple: "tuple", set: "set", frozenset: "frozenset"}

#: Integers beyond it are no numbers that a model has.
_LARGEST_BITS = 1024


class Describer:
    """Makes a description, and gathers what does not fit into JSON.

    Attributes
    ----------
    arrays : dict of str to ndarray
        By where they are in the model.
    own : dict of str to object
        Functions and other objects of the user's, by the name under which they must come back.
    """

    def __init__(self) -> None:
        self.arrays: dict[str, np.ndarray] = {}
        self.own: dict[str, Any] = {}

    def describe(self, value: Any, place: str) -> Any:
        """Return the description of an object at a place, such as ``parameters.init[0]``."""
        kind = type(value)
        if kind in (NoneType, bool, str) or (kind is int and value.bit_length() < _LARGEST_BITS):
            return value
        if kind is float:
            return value if math.isfinite(value) else {"$": "float", "value": repr(value)}
        if kind is list or (isinstance(value, list) and kind.__module__.startswith("fastmlp.")):
            return self._rows(value, place) or self._items(value, place)
        if kind in _CONTAINERS:
            rows = self._rows(value, place) if kind is tuple else None
            items = {"items": rows or self._items(value, place)}
            return {"$": _CONTAINERS[kind], **items}
        if kind is dict:
            return self._mapping(value, place)
        return self._object(value, place)

    def _items(self, values: Any, place: str) -> list[Any]:
        return [self.describe(each, f"{place}[{i}]") for i, each in enumerate(values)]

    def _mapping(self, value: Any, place: str) -> dict[str, Any]:
        keys = [self.describe(key, f"{place} (a key)") for key in value]
        values = [self.describe(each, _within(place, key)) for key, each in value.items()]
        return {"$": "dict", "keys": keys, "values": values}

    def _rows(self, values: Any, place: str) -> dict[str, Any] | None:
        """Return named tuples of one class by column, None for anything else."""
        kinds = set(map(type, values))
        kind = kinds.pop() if len(kinds) == 1 else None
        if kind is None or not is_record(kind) or name_of(kind) is None:
            return None
        columns = zip(_fields_of(kind), zip(*values, strict=True), strict=True)
        described = {name: self._column(column, _within(place, name)) for name, column in columns}
        return {"$": "rows", "of": name_of(kind), "columns": described}

    def _column(self, column: tuple[Any, ...], place: str) -> Any:
        """Return a column of rows as an array if all of it are floats."""
        if set(map(type, column)) == {float}:
            return self._array(np.array(column), place)
        return self._items(column, place)

    def _object(self, value: Any, place: str) -> Any:
        kind = type(value)
        if kind in _TEXTS:
            return {"$": _TEXTS[kind][0], "value": _TEXTS[kind][1](value)}
        if kind in _METHODS:
            return _METHODS[kind](self, value, place)
        if isinstance(value, np.generic) and kind.__module__ == "numpy":
            return self._scalar(value, place)
        if isinstance(value, np.dtype) and is_storable(value):
            return {"$": "dtype", "value": value.str}
        if isinstance(value, type) and TYPES.get(value.__name__) is value:
            return {"$": "type", "value": value.__name__}
        return self._of_a_class(value, place)

    def _array(self, array: np.ndarray, place: str) -> Any:
        if array.dtype.kind == "O":
            items = self._items(array.ravel().tolist(), place)
            return {"$": "objects", "shape": list(array.shape), "items": items}
        if not is_storable(array.dtype):
            return self._given_back(array, place)
        kept, facts = stored(np.asarray(array))
        self.arrays[place] = kept
        return {"$": "array", "name": place, **facts}

    def _scalar(self, value: np.generic, place: str) -> Any:
        dtype = value.dtype
        if dtype.kind not in SCALARS or not is_storable(dtype):
            return self._given_back(value, place)
        number = self.describe(scalar_value(value), place)
        return {"$": "scalar", "dtype": dtype.str, "value": number}

    def _random_state(self, value: np.random.RandomState, place: str) -> Any:
        state = value.get_state(legacy=False)
        if state["bit_generator"] != "MT19937":
            return self._given_back(value, place)
        return {"$": "random_state", "state": self.describe(state, place)}

    def _of_a_class(self, value: Any, place: str) -> Any:
        kind = type(value)
        name, derived = name_of(kind), None
        if isinstance(value, Enum) and name is not None:
            return {"$": name, "value": value.value}
        if name is None and is_estimator(kind):  # of a class that the user has derived
            name = next(filter(None, map(name_of, kind.__mro__)), None)
            derived = kind
        if name is None:
            return self._given_back(value, place)
        described: dict[str, Any] = {"$": name}
        if derived is not None:
            described["$class"] = self._given_back(derived, place or derived.__name__)
        state = state_of(value)
        if is_estimator(kind):
            names = type(value)._get_param_names()
            parameters = {each: state.pop(each) for each in names if each in state}
            described["parameters"] = self._state(parameters, _within(place, "parameters"))
        return {**described, "state": self._state(state, place)}

    def _state(self, state: dict[str, Any], place: str) -> dict[str, Any]:
        return {name: self.describe(each, _within(place, name)) for name, each in state.items()}

    def _given_back(self, value: Any, place: str) -> Any:
        """Return the name under which ``load`` must be given an object of the user's."""
        if not (callable(value) or _is_of_the_user(value, place)):
            raise_unsavable(value, place)
        for name, known in self.own.items():
            if known is value or (_has_a_name(value) and known == value):
                return {"$": "own", "name": name}
        name = value.name if _has_a_name(value) else getattr(value, "__name__", "")
        if not name.isidentifier() or name in self.own:
            name = place.removeprefix("parameters.")
        while name in self.own:
            name += "_"
        self.own[name] = value
        return {"$": "own", "name": name}


def _fields_of(kind: Any) -> tuple[str, ...]:
    """Return the names of a named tuple."""
    names: tuple[str, ...] = kind._fields
    return names


def _has_a_name(value: Any) -> bool:
    return isinstance(value, (CustomActivation, CustomLoss))


def _is_of_the_user(value: Any, place: str) -> bool:
    """Return whether an object is what the user has written, or has handed over as a parameter."""
    return _has_a_name(value) or place.startswith("parameters.") or ".parameters." in place


def _within(place: str, name: object) -> str:
    """Return the place of something by its name; what was learnt is called so."""
    named = "learnt" if name == "_published" else str(name).lstrip("_")
    return f"{place}.{named}" if place else named


#: What describes objects of other types.
_METHODS: dict[type, Callable[[Describer, Any, str], Any]] = {
    np.ndarray: Describer._array,
    np.memmap: Describer._array,
    np.random.RandomState: Describer._random_state,
    range: lambda _, value, place: {
        "$": "range",
        "value": [value.start, value.stop, value.step],
    },
    Loss: lambda _, value, place: {"$": "loss", "name": value.name, "own": value.code == CUSTOM},
}
