"""Arrays of NumPy as those that safetensors knows: of booleans, integers and floats, in C order.

Texts are their code points, times their counts of units. What is lost so (the type, the order in
memory) stands in the description. Objects are described one by one, so they are none of these.
"""

from __future__ import annotations

import math
import re
from typing import Any

import numpy as np

from fastmlp.files.damage import DamageError, require

__all__ = ["SCALARS", "is_storable", "scalar_value", "stored", "unstored"]

#: Types of arrays as NumPy writes them; nothing else of a file becomes a type.
_TYPES = re.compile(
    r"\|b1|[<>|=][iuf][1248]|[<>|=]U\d{1,9}|\|S\d{1,9}|[<>][mM]8(\[\d{0,9}[a-zA-Zμ]{1,3}\])?"
)

#: Kinds of types whose single numbers stand in the description.
SCALARS = "biufUmM"

_LAST_CODE_POINT = 0x10FFFF


def is_storable(dtype: np.dtype) -> bool:
    """Return whether arrays of a type can be stored."""
    return _TYPES.fullmatch(dtype.str) is not None


def stored(array: np.ndarray) -> tuple[np.ndarray, dict[str, Any]]:
    """Return an array for safetensors, and what there is to know beside."""
    turned = array.flags.f_contiguous and not array.flags.c_contiguous
    facts: dict[str, Any] = {"dtype": array.dtype.str}
    if turned:
        array, facts["order"] = array.T, "F"
    whole = np.ascontiguousarray(array, array.dtype.newbyteorder("<")).reshape(array.shape)
    if array.dtype.kind in "US":
        unit = _unit_of(array.dtype)
        n_units = array.dtype.itemsize // unit.itemsize
        facts["shape"] = list(array.shape)
        return np.frombuffer(whole.tobytes(), unit).reshape(array.size, n_units), facts
    return (whole.view("<i8") if array.dtype.kind in "mM" else whole), facts


def _unit_of(dtype: np.dtype) -> np.dtype:
    """Return the type in which arrays of a type are stored."""
    units = {"U": "<u4", "S": "|u1", "m": "<i8", "M": "<i8"}
    return np.dtype(units.get(dtype.kind, dtype.newbyteorder("<")))


def unstored(array: np.ndarray, facts: dict[str, Any]) -> np.ndarray:
    """Return the array that ``stored`` was given, in memory of its own."""
    dtype = type_of(facts.get("dtype"))
    require(array.dtype == _unit_of(dtype), "the type of an array is not what the description says")
    if dtype.kind in "US":
        array = _texts(array, dtype, facts.get("shape"))
    elif dtype.kind in "mM":
        array = array.astype("<i8").view(dtype.newbyteorder("<"))
    if dtype.kind == "b":
        require(bool((array.view(np.uint8) <= 1).all()), "an array of booleans holds other values")
    order = facts.get("order", "C")
    require(order in ("C", "F"), "the order of an array is unknown")
    made = np.array(array, dtype, order="C")
    return made.T if order == "F" else made


def _texts(units: np.ndarray, dtype: np.dtype, shape: Any) -> np.ndarray:
    """Return texts of the ``units`` (N, …) of which they are made."""
    wide = units.ndim == 2 and units.shape[1] * units.itemsize == dtype.itemsize
    lengths = isinstance(shape, list) and all(type(n) is int and n >= 0 for n in shape)
    fits = wide and lengths and math.prod(shape) == len(units)
    require(fits, "an array of texts has a wrong shape")
    if dtype.kind == "U":
        require(bool((units <= _LAST_CODE_POINT).all()), "a text has characters that do not exist")
    whole = np.frombuffer(units.tobytes(), dtype.newbyteorder("<"))
    return whole.reshape(shape) if dtype.itemsize else np.zeros(shape, dtype)


def type_of(text: Any) -> np.dtype:
    """Return the type that a file names; an error unless arrays of it can be stored."""
    known = isinstance(text, str) and _TYPES.fullmatch(text) is not None
    try:
        dtype: np.dtype = np.dtype(text if known else "")
    except (TypeError, ValueError):
        raise DamageError("the type of an array is unknown") from None
    return dtype


def scalar_value(value: np.generic) -> Any:
    """Return a single number or text as one that JSON has; times as counts of their unit."""
    return int(value.astype(np.int64)) if value.dtype.kind in "mM" else value.item()
