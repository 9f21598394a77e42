"""How error texts show a value, and what they suggest: on one line, however long the value is."""

from __future__ import annotations

from reprlib import Repr

import numpy as np

from fastmlp.names import Names

__all__ = ["a_kind_of", "count_of", "one_line", "shown", "unknown_name"]

#: Characters of a value, and of a text that another library wrote, that an error text may have.
VALUE_LENGTH, TEXT_LENGTH = 60, 200

_SHORT = Repr()
_SHORT.maxstring = _SHORT.maxlong = _SHORT.maxother = VALUE_LENGTH
_SHORT.maxlevel = 3


def one_line(text: str, length: int = TEXT_LENGTH) -> str:
    """Return a text on one line, cut off after ``length`` characters."""
    line = " ".join(text.split())
    return line if len(line) <= length else f"{line[: length - 1]}…"


def shown(value: object) -> str:
    """Return a short representation of any value."""
    if type(value) is int and abs(value) > 10**VALUE_LENGTH:  # repr refuses the longest
        return f"an integer of {value.bit_length()} bits"
    shape = getattr(value, "shape", None)
    if isinstance(shape, tuple) and shape and not isinstance(value, np.ndarray):
        return f"{a_kind_of(value)} of shape {tuple(shape)}"  # a data frame or the like
    return one_line(_SHORT.repr(value), VALUE_LENGTH)


def a_kind_of(value: object) -> str:
    """Return the type of a value with its article."""
    kind = type(value).__name__
    return f"{'an' if kind[0].lower() in 'aeiou' else 'a'} {kind}"


def count_of(number: int) -> str:
    """Return a number rounded to three digits; it may be beyond the range of a float."""
    try:
        return f"{number:.3g}"
    except OverflowError:
        return f"2^{number.bit_length() - 1}"


def unknown_name(name: str, value: object, names: Names, or_else: str = "") -> ValueError:
    """Return the error for a value of the parameter ``name`` that is none of ``names``.

    ``or_else`` says what else it may be.
    """
    text = f"{name} must be one of {', '.join(names)}{or_else}; got {shown(value)}."
    closest = names.closest(value) if isinstance(value, str) else None
    return ValueError(text if closest is None else f"{text} Did you mean {closest!r}?")
