"""How an error text shows a value and says where it stood: on one line, whatever the value is."""

from __future__ import annotations

from reprlib import Repr
from typing import Any

__all__ = ["brief", "place"]

#: Most characters of a value.
LONGEST = 80

_SHORTENED = Repr()
_SHORTENED.maxother = _SHORTENED.maxstring = _SHORTENED.maxlong = LONGEST


def brief(value: Any) -> str:
    """Return how ``value`` is shown in an error text.

    Examples
    --------
    >>> brief([1, "2"])
    "[1, '2']"
    >>> len(brief("x" * 10**6)), brief(10**5000)
    (80, 'int(…)')
    """
    try:
        text = " ".join(_SHORTENED.repr(value).split())
    except ValueError:  # Python writes no integer of more than 4300 digits
        text = f"{type(value).__name__}(…)"
    half = LONGEST // 2
    return text if len(text) <= LONGEST else f"{text[: half - 2]}...{text[1 - half :]}"


def place(index: tuple[int, ...]) -> str:
    """Return where an entry of an array is, to be put behind the entry; "" for a single number.

    Examples
    --------
    >>> place(()), place((3,)), place((0, 2))
    ('', ' at index 3', ' at index (0, 2)')
    """
    if not index:
        return ""
    return f" at index {index[0] if len(index) == 1 else index}"
