"""Whether a value is what an annotation says: a file must hold what the classes say they hold."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from functools import cache
from types import NoneType, UnionType
from typing import Any, ClassVar, Union, get_args, get_origin, get_type_hints

import numpy as np

__all__ = ["fits", "hints_of"]


@cache
def hints_of(kind: type) -> Mapping[str, Any]:
    """Return what each attribute of a class is, by name."""
    names: dict[str, Any] = {}
    for each in reversed(kind.__mro__):
        names.update(vars(sys.modules[each.__module__]))
    hints = _evaluated(kind, names)
    return {name: hint for name, hint in hints.items() if get_origin(hint) is not ClassVar}


def _evaluated(kind: type, names: dict[str, Any]) -> Mapping[str, Any]:
    """Return a class's annotations; a name that is imported for them only stands for anything."""
    while True:
        try:
            return get_type_hints(kind, localns=names)
        except NameError as error:
            if error.name is None or error.name in names:
                raise
            names[error.name] = Any


def fits(value: Any, hint: Any) -> bool:
    """Return whether a value is what an annotation says; array types say nothing of shapes.

    Examples
    --------
    >>> fits((1, 2), tuple[int, ...]), fits((1, "2"), tuple[int, ...]), fits(None, str | None)
    (True, False, True)
    """
    if hint is Any or hint is object:
        return True
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        return any(fits(value, each) for each in arguments)
    if origin is not None:
        return _fits_generic(value, origin, arguments)
    if hint is None or hint is NoneType:
        return value is None
    if getattr(hint, "_is_protocol", False):
        return all(hasattr(value, name) for name in vars(hint) if not name.startswith("_"))
    return _is_a(value, hint)


def _fits_generic(value: Any, origin: Any, arguments: tuple[Any, ...]) -> bool:
    if not isinstance(value, origin):
        return False
    if isinstance(value, Mapping):
        return all(fits(k, arguments[0]) and fits(v, arguments[1]) for k, v in value.items())
    if origin is tuple and arguments[-1] is not Ellipsis:
        return len(value) == len(arguments) and all(map(fits, value, arguments))
    if isinstance(value, (tuple, list, frozenset, set)):
        return all(fits(each, arguments[0]) for each in value)
    return True


def _is_a(value: Any, kind: type) -> bool:
    if isinstance(value, bool):
        return kind is bool
    if kind is float:
        return isinstance(value, (float, int))
    if kind is np.ndarray:
        return isinstance(value, (np.ndarray, np.generic))
    return not isinstance(kind, type) or isinstance(value, kind)
