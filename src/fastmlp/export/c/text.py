"""Words of C: strings, comments, numbers, identifiers; ASCII, whatever the user wrote."""

from __future__ import annotations

import re
from collections.abc import Iterable

import numpy as np

__all__ = [
    "C_TYPES",
    "comment_text",
    "field_names",
    "integers",
    "number",
    "numbers",
    "one_comment",
    "string",
    "wrapped",
]

#: Longest line.
WIDTH = 100

C_TYPES = {
    np.dtype(np.float32): "float",
    np.dtype(np.float64): "double",
    np.dtype(np.int8): "signed char",
    np.dtype(np.int16): "short",
    np.dtype(np.int32): "int",
}

#: Of C99, and of C++, by which a file may be included.
KEYWORDS = frozenset(
    """
    alignas alignof and and_eq asm auto bitand bitor bool break case catch char class compl const
    constexpr continue default delete do double else enum explicit export extern false float for
    friend goto if inline int long mutable namespace new noexcept not not_eq nullptr operator or
    or_eq private protected public register reinterpret_cast restrict return short signed sizeof
    static static_assert struct switch template this throw true try typedef typename union unsigned
    using virtual void volatile wchar_t while xor xor_eq errno stdin stdout stderr linux
    unix near far
    """.split()  # noqa: SIM905 - a list of so many words reads badly
)


def string(text: str) -> str:
    r"""Return a text as a string literal of UTF-8.

    Three octal digits end a character wherever it stands, and a question mark begins no trigraph.
    A long one is several on lines of their own, which the compiler joins.

    Examples
    --------
    >>> print(string('käse "a"??/'))
    "k\303\244se \"a\"\?\?/"
    """
    escaped = list(map(_escaped, text.encode(errors="surrogatepass")))
    lines = ["".join(escaped[i : i + WIDTH]) for i in range(0, len(escaped), WIDTH)]
    return '"' + '"\n        "'.join(lines) + '"'


def _escaped(byte: int) -> str:
    character = chr(byte)
    if character in '"\\?':
        return "\\" + character
    return character if 32 <= byte < 127 else f"\\{byte:03o}"


def comment_text(text: str, longest: int = WIDTH) -> str:
    r"""Return a text that can't end a comment, begin one, or be a trigraph, on one line.

    Examples
    --------
    >>> print(comment_text("a*/b käse ??/"))
    a* /b k\xe4se ? ?/
    """
    line = text.encode("ascii", "backslashreplace").decode()
    line = re.sub(r"[\x00-\x1f\x7f]", lambda found: f"\\x{ord(found[0]):02x}", line)
    line = re.sub(r"(?<=\*)(?=/)|(?<=/)(?=\*)|(?<=\?)(?=\?)", " ", line)
    return line if len(line) <= longest else f"{line[: longest - 3]}..."


def one_comment(text: str) -> str:
    """Return a comment of one line."""
    return f"/* {comment_text(text)} */"


def number(value: float, dtype: np.dtype) -> str:
    """Return a number as a literal of its type: the shortest one that reads as its bits.

    Examples
    --------
    >>> import numpy as np
    >>> number(np.float32(0.1), np.dtype("float32")), number(1e300, np.dtype("float64"))
    ('0.1f', '1e+300')
    >>> number(-np.inf, np.dtype("float32"))
    '-INFINITY'
    """
    if dtype.kind == "i":
        return str(int(value))
    if np.isnan(value):
        return "NAN"
    if np.isinf(value):
        return "INFINITY" if value > 0 else "-INFINITY"
    text = str(dtype.type(value))
    return f"{text}f" if dtype == np.float32 else text


def integers(values: list[int]) -> tuple[str, list[str]]:
    """Return the type of whole numbers, and these as literals.

    Examples
    --------
    >>> integers([-1, 2**40])
    ('long long', ['-1LL', '1099511627776LL'])
    """
    if max(map(abs, values)) < 2**31:
        return "int", list(map(str, values))
    if max(values) >= 2**63:
        return "unsigned long long", [f"{each}ULL" for each in values]
    # The least number's digits alone are too large for any type.
    return "long long", [
        f"{each}LL" if each > -(2**63) else f"({each + 1}LL - 1)" for each in values
    ]


def numbers(array: np.ndarray) -> list[str]:
    """Return an array's numbers as literals of its type."""
    if array.dtype.kind == "f" and np.isfinite(array).all():  # in a hurry: there may be millions
        suffix = "f" if array.dtype == np.float32 else ""
        return [f"{value!s}{suffix}" for value in array.ravel()]
    return [number(value, array.dtype) for value in array.ravel()]


def wrapped(items: Iterable[str], indent: str = "    ") -> list[str]:
    """Return items with commas between them, on lines of limited length."""
    lines, line = [], ""
    for item in items:
        if line and len(indent) + len(line) + len(item) + 2 > WIDTH:
            lines.append(f"{indent}{line}")
            line = ""
        line = f"{line} {item}," if line else f"{item},"
    return [*lines, f"{indent}{line}"] if line else lines


def field_names(labels: Iterable[str]) -> list[str]:
    """Return a member of a struct for each label: itself where it is a free identifier of C.

    It is in small letters, as the C library has macros in capitals.

    Examples
    --------
    >>> field_names(["age", "int", "A b", "Age", "käse"])
    ['age', 'column_1', 'a_b', 'column_3', 'column_4']
    """
    found: list[str] = []
    taken: set[str] = set()
    for place, label in enumerate(labels):
        wanted = re.sub(r"[ .\-]", "_", label).lower()
        free = re.fullmatch(r"[a-z][a-z0-9_]{0,40}", wanted, re.ASCII)
        if not free or wanted in KEYWORDS or wanted in taken or wanted.startswith("column_"):
            wanted = f"column_{place}"
        found.append(wanted)
        taken.add(wanted)
    return found
