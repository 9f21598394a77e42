"""The only place that makes arrays of real numbers of what users pass in.

Where NumPy is told to convert to a real type it takes "3" and dates for numbers and None for NaN,
and it drops imaginary parts and masks. Here each of these is refused by a text that names the
argument and says what to do.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from numbers import Real
from types import MappingProxyType
from typing import Any

import numpy as np

from fastmlp.validation.shapes import UNREADABLE, check_masks
from fastmlp.validation.wording import brief, one_line, place

__all__ = ["TooLargeError", "finite_array", "plain_array", "real_array"]

#: Kind of a NumPy dtype → what to do with values of it.
_ADVICE: Mapping[str, str] = MappingProxyType(
    {
        "c": "use the real part or the absolute value",
        "S": "convert text by float() first",
        "U": "convert text by float() first",
        "T": "convert text by float() first",
        "M": "convert dates to numbers first, such as days since the earliest date",
        "m": "divide durations by a unit first, such as numpy.timedelta64(1, 's')",
        "V": "use one field of the structured array",
    }
)

#: The same for objects of Python.
_OBJECT_ADVICE: tuple[tuple[Any, str], ...] = (
    (complex, _ADVICE["c"]),
    ((str, bytes), _ADVICE["U"]),
    ((date, np.datetime64), _ADVICE["M"]),
    ((timedelta, np.timedelta64), _ADVICE["m"]),
)


class TooLargeError(ValueError):
    """A finite number that no float can hold."""


def real_array(name: str, values: Any) -> np.ndarray:
    """Return float32 as it is, all other real numbers as float64.

    Parameters
    ----------
    name : str
        The argument that an error text names.
    values : array-like of real numbers, any shape
        Also booleans, ``Fraction`` and ``Decimal``; NaN and infinity are numbers, None and
        ``pandas.NA`` are not. What pandas itself gives NumPy as NaN, such as missing numbers in a
        column of type Float64, is NaN.

    Returns
    -------
    ndarray of float32 or float64, shaped like ``values``
        The caller's own array when it has the type already.

    Raises
    ------
    TypeError
        An entry is no real number.
    ValueError
        Rows differ in length, or entries are masked.
    TooLargeError
        A ValueError: a finite number is too large for a float.
    """
    array = plain_array(name, values)
    if array.dtype == object:
        return _from_objects(name, array)
    if array.dtype.kind not in "biuf":
        got = brief(values) if array.ndim == 0 else f"dtype {array.dtype}"
        advice = _ADVICE.get(array.dtype.kind, "give numbers")
        raise TypeError(f"{name} must hold real numbers; got {got}: {advice}.")
    if array.dtype.kind == "f" and array.dtype.itemsize > 8:
        _require_float64(name, array)
    single = array.dtype.kind == "f" and array.dtype.itemsize == 4
    return array.astype(np.float32 if single else np.float64, copy=False)


def finite_array(name: str, values: Any) -> np.ndarray:
    """Return what ``real_array`` does; ValueError also if a number is NaN or infinite."""
    array = real_array(name, values)
    finite = np.isfinite(array)
    if not finite.all():
        index = _first(~finite)
        raise ValueError(f"{name} must be finite; got {array[index]:g}{place(index)}.")
    return array


def plain_array(name: str, values: Any) -> np.ndarray:
    """Return ``values`` (...) as NumPy reads them; ValueError if masks or ragged rows forbid it."""
    check_masks(name, values)
    try:
        return np.asarray(values)
    except UNREADABLE as error:
        if "inhomogeneous" not in str(error):
            kind = TypeError if isinstance(error, TypeError) else ValueError
            raise kind(f"{name}: {one_line(str(error))}") from error
        raise ValueError(
            f"{name} must be one value or an array whose rows have the same length; got "
            f"{brief(values)}."
        ) from error


def _require_float64(name: str, array: np.ndarray) -> None:
    """Raise ValueError if a finite number of a type wider than float64 exceeds that."""
    beyond = np.isfinite(array) & (np.abs(array) > np.finfo(np.float64).max)
    if beyond.any():
        index = _first(beyond)
        raise _too_large(name, array[index], index)


def _from_objects(name: str, array: np.ndarray) -> np.ndarray:
    """Return the floats (...) that an array of objects of the same shape stands for."""
    real = np.empty(array.shape)
    for index, value in np.ndenumerate(array):
        real[index] = _number(name, value, index)
    return real


def _number(name: str, value: Any, index: tuple[int, ...]) -> float:
    """Return a Python object as a float, if it is a real number."""
    # NumPy counts spans of time among its integers.
    if isinstance(value, np.timedelta64) or not isinstance(value, (Real, Decimal, np.bool_)):
        raise TypeError(
            f"{name} must hold real numbers; got {brief(value)}{place(index)}{_hint(value)}."
        )
    try:
        real = float(value)
    except OverflowError as error:
        raise _too_large(name, value, index) from error
    except ValueError as error:  # a signalling NaN
        raise ValueError(f"{name}: {error}{place(index)}.") from error
    if np.isinf(real) and value != real:
        raise _too_large(name, value, index)
    return real


def _hint(value: Any) -> str:
    """Return what to do with a value that is no number, if there is an answer."""
    if value is None or type(value).__name__ in ("NAType", "NaTType"):
        return "; write numpy.nan for a missing number"
    if hasattr(value, "toarray"):
        return "; call its method toarray() first"
    if hasattr(value, "__next__"):
        return "; make a list of it first"
    advice = [text for kind, text in _OBJECT_ADVICE if isinstance(value, kind)]
    return "".join(f": {text}" for text in advice[:1])


def _too_large(name: str, value: Any, index: tuple[int, ...]) -> TooLargeError:
    return TooLargeError(
        f"{name} must hold numbers of at most 1.8e308, the largest float; got "
        f"{brief(value)}{place(index)}."
    )


def _first(where: np.ndarray) -> tuple[int, ...]:
    """Return the index of the first True of ``where`` (...)."""
    return tuple(map(int, np.argwhere(where)[0]))
