"""How an error text shows a value, says where it stood, and what it suggests.

All of it is on one line, whatever the value is.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from reprlib import Repr
from typing import Any

from fastmlp.names import Names

__all__ = [
    "LONGEST_TEXT",
    "a_kind_of",
    "brief",
    "count_of",
    "counted",
    "did_you_mean",
    "one_line",
    "place",
    "unknown_name",
]

#: Maximum lengths of a value as it is shown, of one used as a name, and of another library's text.
LONGEST, LONGEST_NAME, LONGEST_TEXT = 80, 60, 200


class _Shortened(Repr):
    """Short representations; Python writes no integer of more than 4300 digits."""

    def __init__(self) -> None:
        super().__init__()
        self.maxother = self.maxstring = self.maxlong = LONGEST
        self.maxlevel = 3

    def repr_int(self, x: int, level: int) -> str:
        """Return an integer, or only its type."""
        try:
            repr(x)
        except ValueError:
            return f"{type(x).__name__}(…)"
        return super().repr_int(x, level)


_SHORTENED = _Shortened()


def brief(value: Any, longest: int = LONGEST) -> str:
    """Return how ``value`` is shown in an error text, in ``longest`` characters at most.

    Examples
    --------
    >>> brief([1, "2"])
    "[1, '2']"
    >>> len(brief("x" * 10**6)), brief(10**5000)
    (80, 'int(…)')
    """
    shape = getattr(value, "shape", None)
    if isinstance(shape, tuple) and hasattr(value, "columns"):
        return f"{a_kind_of(value)} of shape {shape}"
    text = " ".join(_SHORTENED.repr(value).split())
    half = longest // 2
    return text if len(text) <= longest else f"{text[: half - 2]}...{text[1 - half :]}"


def one_line(text: str, length: int = LONGEST_TEXT) -> str:
    """Return a text on one line, cut off after ``length`` characters."""
    line = " ".join(text.split())
    return line if len(line) <= length else f"{line[: length - 1]}…"


def a_kind_of(value: object) -> str:
    """Return the type of a value with its article."""
    kind = type(value).__name__
    return f"{'an' if kind[0].lower() in 'aeiou' else 'a'} {kind}"


def count_of(number: int) -> str:
    """Return a number rounded to three digits; no float can hold the largest."""
    largest = sys.float_info.max
    return f"{number:.3g}" if number <= largest else f"more than {largest:.3g}"


def counted(number: int, what: str) -> str:
    """Return a number of things, in the singular or the plural.

    Examples
    --------
    >>> counted(1, "row"), counted(1200, "row")
    ('1 row', '1,200 rows')
    """
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def did_you_mean(written: str, names: Iterable[str]) -> str:
    """Return a question for the name that looks most like ``written``, to be put behind a text.

    Case and blanks at the ends do not count; "" if no name is alike.

    Examples
    --------
    >>> did_you_mean("pirce", ["town", "Price"]), did_you_mean("x", ["town"])
    (" Did you mean 'Price'?", '')
    """
    from difflib import get_close_matches  # noqa: PLC0415 - only for errors

    by_key = {name.strip().casefold(): name for name in names}
    found = get_close_matches(written.strip().casefold(), by_key, n=1)
    return f" Did you mean {brief(by_key[found[0]], LONGEST_NAME)}?" if found else ""


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


def unknown_name(name: str, value: object, names: Names, or_else: str = "") -> ValueError:
    """Return the error for a value of the parameter ``name`` that is none of ``names``.

    ``or_else`` says what else it may be.
    """
    text = f"{name} must be one of {', '.join(names)}{or_else}; got {brief(value, LONGEST_NAME)}."
    closest = names.closest(value) if isinstance(value, str) else None
    return ValueError(text if closest is None else f"{text} Did you mean {closest!r}?")
