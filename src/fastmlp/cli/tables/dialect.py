"""How a text writes a table: encoding, delimiter, decimal mark; found or given."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace

from fastmlp.cli.tables.refusals import raise_not_text, raise_unreadable

__all__ = ["Dialect", "decoded", "found"]

#: Those that are tried, the likelier ones first.
DELIMITERS = (",", ";", "\t", "|")

#: A text's delimiter is found by so many rows of its beginning.
ROWS_TO_LOOK_AT = 200
CHARACTERS_TO_LOOK_AT = 2**18

_MARKS: tuple[tuple[bytes, str], ...] = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)

_COMMA = re.compile(r"\s*[+-]?\d*,\d+([eE][+-]?\d+)?\s*")
_POINT = re.compile(r"\s*[+-]?\d*\.\d+([eE][+-]?\d+)?\s*")

#: What cells mean that are missing.
MISSING = ("", "?", "NA", "N/A", "n/a", "#N/A", "NaN", "nan", "NULL", "null", "None", "<NA>")


@dataclass(frozen=True)
class Dialect:
    """How a text writes a table; what is None is found.

    Attributes
    ----------
    delimiter : str or None
    decimal : str or None
        Between the whole part of a number and the rest: "." or ",".
    encoding : str or None
    header : bool
        Whether the first row has the columns' names.
    missing : tuple of str
        What else stands for a missing value.
    """

    delimiter: str | None = None
    decimal: str | None = None
    encoding: str | None = None
    header: bool = True
    missing: tuple[str, ...] = ()

    @property
    def all_missing(self) -> tuple[str, ...]:
        """Whatever stands for a missing value."""
        return (*MISSING, *self.missing)

    @property
    def told(self) -> str:
        """Return the delimiter and the decimal mark in words."""
        delimiter = {"\t": "a tab", " ": "a blank"}.get(self.delimiter or "", f"{self.delimiter!r}")
        return f"delimiter {delimiter}{', decimal comma' if self.decimal == ',' else ''}"


def decoded(name: str, content: bytes, encoding: str | None) -> str:
    """Return the text of a file; without an encoding UTF-8, unless a byte order mark says more."""
    known = next((each for mark, each in _MARKS if content.startswith(mark)), "utf-8")
    wanted = encoding or known
    if known == "utf-8-sig" and wanted.lower().replace("-", "") == "utf8":
        wanted = known
    try:
        return content.decode(wanted)
    except UnicodeDecodeError as error:
        raise_not_text(name, error.encoding, error.start, given=encoding is not None)
    except UnicodeError as error:
        raise_unreadable(name, str(error), "give its --encoding")


def found(text: str, given: Dialect) -> Dialect:
    """Return how a text is written, where that was not given.

    The delimiter is the one by which most rows have the same number of cells, more than one. The
    decimal mark is a comma if the delimiter is none, and cells such as 3,14 stand there and none
    such as 3.14.
    """
    delimiter = given.delimiter or _delimiter(text)
    decimal = given.decimal
    if decimal is None:
        decimal = "," if delimiter != "," and _has_commas(text, delimiter) else "."
    return replace(given, delimiter=delimiter, decimal=decimal)


def _delimiter(text: str) -> str:
    best, delimiter = (0.0, 0), DELIMITERS[0]
    for each in DELIMITERS:
        counts = [len(row) for row in _rows(text, each)]
        if not counts:
            continue
        [(width, times)] = Counter(counts).most_common(1)
        score = (times / len(counts) if width > 1 else 0.0, width)
        if score > best:
            best, delimiter = score, each
    return delimiter


def _has_commas(text: str, delimiter: str) -> bool:
    cells = [cell for row in _rows(text, delimiter) for cell in row]
    has_points = any(_POINT.fullmatch(cell) for cell in cells)
    return not has_points and any(_COMMA.fullmatch(cell) for cell in cells)


def _rows(text: str, delimiter: str) -> Iterator[list[str]]:
    """Yield rows of the beginning, without a last one that may be cut off."""
    begin = text[:CHARACTERS_TO_LOOK_AT]
    rows = csv.reader(io.StringIO(begin, newline=""), delimiter=delimiter, skipinitialspace=True)
    held: list[str] = []
    try:
        for number, row in enumerate(rows):
            if held:
                yield held
            held = row
            if number >= ROWS_TO_LOOK_AT:
                return
    except csv.Error:  # a cell longer than that module takes
        return
    if held and len(begin) == len(text):
        yield held
