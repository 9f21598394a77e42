"""From a description to the object: the inverse of ``describing.py``.

Nothing of a file is executed, and nothing is imported by a name that stands in it, except for the
classes of ``classes.py``. Whatever is not as their annotations say is an error.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import is_dataclass
from decimal import Decimal, InvalidOperation
from enum import Enum
from types import MappingProxyType
from typing import Any

import numpy as np

from fastmlp.files.arrays import SCALARS, type_of, unstored
from fastmlp.files.classes import CLASSES, class_of
from fastmlp.files.damage import NEWER, DamageError, require
from fastmlp.files.describing import TYPES
from fastmlp.files.hints import fits, hints_of
from fastmlp.files.states import defaults_of, is_estimator, is_record, made_of, stored_fields
from fastmlp.plan.description import Description, custom_row
from fastmlp.plan.layout import Plan
from fastmlp.registry import LOSSES, Loss

__all__ = ["Restorer"]

#: Words of MT19937, and the last place among them.
_WORDS = 624


class Restorer:
    """Makes objects of their descriptions.

    Parameters
    ----------
    arrays : mapping of str to ndarray
    own : mapping of str to object
        What the user has given back.
    """

    def __init__(self, arrays: Mapping[str, np.ndarray], own: Mapping[str, Any]) -> None:
        self._arrays, self._own = arrays, own

    def restore(self, described: Any) -> Any:
        """Return the object of a description."""
        if isinstance(described, list):
            return [self.restore(each) for each in described]
        if not isinstance(described, dict):
            return described
        form = described.get("$")
        if not isinstance(form, str):
            raise DamageError("a part of its description does not say what it is")
        if form in CLASSES:
            return self._of_a_class(form, described)
        known = form in _FORMS
        require(known, f"it holds a {form[:40]!r}, which this version does not know", NEWER)
        keys, restore = _FORMS[form]
        require(keys >= set(described) - {"$"}, "its description has an extra part")
        try:
            return restore(self, described)
        except KeyError as error:
            raise DamageError(f"its description lacks {error.args[0]!r}") from None

    # -- forms ----------------------------------------------------------------------------------

    def _list(self, values: Any) -> list[Any]:
        restored = self.restore(values)
        require(isinstance(restored, list), "its description has no list where one belongs")
        return list(restored)

    def _mapping(self, described: dict[str, Any]) -> dict[Any, Any]:
        keys, values = self._list(described["keys"]), self._list(described["values"])
        require(len(keys) == len(values), "its description has keys without values")
        return dict(zip(keys, values, strict=True))

    def _rows(self, described: dict[str, Any]) -> list[Any]:
        kind, columns = self._class(described["of"]), described["columns"]
        require(is_record(kind) and isinstance(columns, dict), "its description has wrong rows")
        values = {name: self._column(column) for name, column in columns.items()}
        require(len({len(each) for each in values.values()}) == 1, "its rows have gaps")
        rows = zip(*values.values(), strict=True)
        return [self._made(kind, dict(zip(values, row, strict=True))) for row in rows]

    def _column(self, described: Any) -> list[Any]:
        column = self.restore(described)
        if isinstance(column, np.ndarray):
            column = column.tolist()
        if not isinstance(column, list):
            raise DamageError("its rows have gaps")
        return column

    def _array(self, described: dict[str, Any]) -> np.ndarray:
        name = described["name"]
        require(isinstance(name, str) and name in self._arrays, "an array is missing")
        return unstored(self._arrays[name], described)

    def _objects(self, described: dict[str, Any]) -> np.ndarray:
        items, shape = self._list(described["items"]), described["shape"]
        lengths = isinstance(shape, list) and all(type(n) is int and n >= 0 for n in shape)
        require(lengths and len(shape) <= 32, "an array of objects has a wrong shape")
        flat = np.empty(len(items), object)
        for i, item in enumerate(items):
            flat[i] = item
        size = int(np.prod(shape, dtype=object))
        require(size == len(items), "an array of objects has a wrong shape")
        return flat.reshape(shape)

    def _scalar(self, described: dict[str, Any]) -> np.generic:
        dtype, value = type_of(described["dtype"]), self.restore(described["value"])
        kind = {"U": str, "b": bool, "f": float}.get(dtype.kind, int)
        fitting = type(value) is kind and dtype.kind in SCALARS
        require(fitting, "a number has another type than it says")
        if dtype.kind == "U":
            return np.str_(value)
        of_units = dtype.kind in "mM"
        array = np.array([value], np.int64).view(dtype) if of_units else np.array([value], dtype)
        scalar: np.generic = array[0]
        return scalar

    def _random_state(self, described: dict[str, Any]) -> np.random.RandomState:
        state = self.restore(described["state"])
        require(_is_state_of_mt19937(state), "a random state is damaged")
        made = np.random.RandomState()
        made.set_state(state)
        return made

    def _loss(self, described: dict[str, Any]) -> Loss:
        name, own = described["name"], described["own"]
        require(isinstance(name, str) and type(own) is bool, "its loss is unknown")
        require(own or name in LOSSES, "its loss is unknown", NEWER)
        return custom_row(name) if own else LOSSES[name]

    def _of_the_user(self, described: dict[str, Any]) -> Any:
        name = described["name"]
        known = isinstance(name, str) and name in self._own
        require(known, "it needs an object that it does not list")
        return self._own[name]

    # -- classes --------------------------------------------------------------------------------

    def _class(self, name: Any) -> type:
        require(isinstance(name, str) and name in CLASSES, "a class is unknown", NEWER)
        return class_of(name)

    def _of_a_class(self, name: str, described: dict[str, Any]) -> Any:
        kind = self._class(name)
        if issubclass(kind, Enum):
            return self._member(kind, described)
        state = described.get("state")
        require(isinstance(state, dict), f"its {name} has no state")
        values = {each: self.restore(part) for each, part in state.items()}  # type: ignore[union-attr]
        if is_estimator(kind):
            return self._estimator(self._derived(kind, described), described, values)
        require(set(described) == {"$", "state"}, f"its {name} has an extra part")
        return self._made(kind, values)

    def _member(self, kind: type[Enum], described: dict[str, Any]) -> Enum:
        try:
            return kind(described["value"])
        except (KeyError, TypeError, ValueError):
            raise DamageError(f"its {kind.__name__} is unknown") from None

    def _derived(self, kind: type, described: dict[str, Any]) -> type:
        """Return the class itself, or the one that the user has derived from it."""
        if "$class" not in described:
            return kind
        derived = self.restore(described["$class"])
        own = described["$class"].get("name")
        require(
            isinstance(derived, type) and issubclass(derived, kind),
            f"{own!r} in custom_objects is not a class derived from {kind.__name__}",
            "Pass the class of the model that was saved.",
        )
        found: type = derived
        return found

    def _estimator(self, kind: type, described: dict[str, Any], state: dict[str, Any]) -> Any:
        given = described.get("parameters")
        require(set(described) <= {"$", "$class", "parameters", "state"}, "it has an extra part")
        require(isinstance(given, dict), f"its {kind.__name__} has no parameters")
        parameters = {each: self.restore(part) for each, part in given.items()}  # type: ignore[union-attr]
        known = set(kind._get_param_names())  # type: ignore[attr-defined]
        _require_known(kind, parameters, known)
        _require_hints(kind, {name: each for name, each in state.items() if name not in parameters})
        defaults = {name: each for name, each in defaults_of(kind).items() if name in known}
        return made_of(kind, {**defaults, **parameters, **state})

    def _made(self, kind: type, state: dict[str, Any]) -> Any:
        """Return an object of a class that is no estimator."""
        described_by = Description if kind is Plan else kind
        hints = hints_of(described_by)
        names = stored_fields(described_by) if is_dataclass(kind) else tuple(hints)
        _require_known(kind, state, set(names))
        whole = {**defaults_of(described_by), **state}
        missing = sorted(set(names) - set(whole))
        require(not missing, f"its {kind.__name__} lacks {', '.join(missing)}")
        _require_hints(kind, state, hints)
        return made_of(kind, {name: whole[name] for name in names})


def _require_known(kind: type, state: Mapping[str, Any], known: set[str]) -> None:
    unknown = sorted(set(state) - known)
    what = f"its {kind.__name__} has {', '.join(unknown)[:60]}, which this version does not know"
    require(not unknown, what, NEWER)


def _require_hints(
    kind: type, state: Mapping[str, Any], hints: Mapping[str, Any] | None = None
) -> None:
    """Raise DamageError unless what is in a state is what its class says."""
    hints = hints_of(kind) if hints is None else hints
    for name, value in state.items():
        right = fits(value, hints.get(name, Any))
        require(right, f"{name} of its {kind.__name__} is a {type(value).__name__}")


def _is_state_of_mt19937(state: Any) -> bool:
    """Return whether ``set_state`` of NumPy may believe a state: it checks no places."""
    names = {"bit_generator", "state", "has_gauss", "gauss"}
    if not (isinstance(state, dict) and set(state) == names and state["has_gauss"] in (0, 1)):
        return False
    inner = state["state"]
    if not (isinstance(inner, dict) and set(inner) == {"key", "pos"}):
        return False
    key, place = inner["key"], inner["pos"]
    words = isinstance(key, np.ndarray) and key.shape == (_WORDS,) and key.dtype.kind == "u"
    right = state["bit_generator"] == "MT19937" and type(state["gauss"]) is float
    return words and right and type(place) is int and 0 <= place <= _WORDS


def _text(make: Callable[[str], Any]) -> Callable[[Restorer, dict[str, Any]], Any]:
    """Return what makes an object of its text."""

    def restore(_: Restorer, described: dict[str, Any]) -> Any:
        text = described["value"]
        require(isinstance(text, str), "a value is not written as a text")
        try:
            return make(text)
        except (ValueError, InvalidOperation):
            raise DamageError(f"{text[:40]!r} is not a value of its type") from None

    return restore


def _type(_: Restorer, described: dict[str, Any]) -> type:
    name = described["value"]
    require(isinstance(name, str) and name in TYPES, "a type is unknown")
    found: type = TYPES[name]
    return found


def _range(_: Restorer, described: dict[str, Any]) -> range:
    ends = described["value"]
    whole = isinstance(ends, list) and len(ends) == 3 and all(type(end) is int for end in ends)
    require(whole and ends[2] != 0, "a range is damaged")
    return range(*ends)


def _hashable(make: Callable[[list[Any]], Any]) -> Callable[[Restorer, dict[str, Any]], Any]:
    return lambda restorer, described: make(restorer._list(described["items"]))


#: What ``"$"`` may say besides classes: the keys that stand beside it, and what makes the object.
_FORMS: Mapping[str, tuple[set[str], Callable[[Restorer, dict[str, Any]], Any]]] = MappingProxyType(
    {
        "float": ({"value"}, _text(float)),
        "tuple": ({"items"}, _hashable(tuple)),
        "set": ({"items"}, _hashable(set)),
        "frozenset": ({"items"}, _hashable(frozenset)),
        "dict": ({"keys", "values"}, Restorer._mapping),
        "rows": ({"of", "columns"}, Restorer._rows),
        "array": ({"name", "dtype", "order", "shape"}, Restorer._array),
        "objects": ({"shape", "items"}, Restorer._objects),
        "scalar": ({"dtype", "value"}, Restorer._scalar),
        "dtype": ({"value"}, lambda _, described: type_of(described["value"])),
        "type": ({"value"}, _type),
        "date": ({"value"}, _text(dt.date.fromisoformat)),
        "time": ({"value"}, _text(dt.time.fromisoformat)),
        "datetime": ({"value"}, _text(dt.datetime.fromisoformat)),
        "decimal": ({"value"}, _text(Decimal)),
        "range": ({"value"}, _range),
        "random_state": ({"state"}, Restorer._random_state),
        "loss": ({"name", "own"}, Restorer._loss),
        "own": ({"name"}, Restorer._of_the_user),
    }
)
