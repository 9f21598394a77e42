"""Options that commands on tables share, and how a command of theirs ends."""

from __future__ import annotations

import codecs
from collections.abc import Callable
from itertools import combinations
from pathlib import Path
from typing import Any, TypeVar

import click

from fastmlp.cli.command import AS_JSON
from fastmlp.cli.tables.dialect import Dialect

__all__ = [
    "check_columns",
    "check_files",
    "dialect_of",
    "json_option",
    "overwrite_option",
    "quiet_option",
    "reading_options",
]

_Function = TypeVar("_Function", bound=Callable[..., Any])

#: Words for delimiters that shells make hard to type.
_WORDS = {"tab": "\t", "\\t": "\t", "space": " ", "comma": ",", "semicolon": ";", "pipe": "|"}


class Delimiter(click.ParamType):
    """One character, or a word for it."""

    name = "character"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the character."""
        found = _WORDS.get(value.lower(), value)
        if len(found) != 1 or not found.isascii() or found in '"\r\n\0':
            self.fail(
                f"{value!r} is not a character such as ',' or ';', or a word such as tab",
                param,
                ctx,
            )
        return found


class Encoding(click.ParamType):
    """A name of an encoding of texts."""

    name = "encoding"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the name."""
        try:
            is_of_texts = codecs.lookup(value)._is_text_encoding
        except (LookupError, ValueError):
            is_of_texts = False
        if not is_of_texts:
            self.fail(f"{value!r} is not an encoding, such as utf-8, cp1252 or latin-1", param, ctx)
        return value


_READING = (
    click.option(
        "--delimiter",
        type=Delimiter(),
        help="Character between the cells of a CSV file.  [default: detected]",
    ),
    click.option(
        "--decimal",
        type=click.Choice([".", ","]),
        help="Decimal mark of a CSV file.  [default: detected]",
    ),
    click.option(
        "--encoding",
        type=Encoding(),
        help="Encoding of a CSV file.  [default: UTF-8, or what a byte order mark says]",
    ),
    click.option(
        "--no-header",
        is_flag=True,
        help="The first row holds data; columns are called column1, column2, …",
    ),
    click.option(
        "--missing",
        multiple=True,
        metavar="TEXT",
        help="A further text that marks a missing value, besides an empty cell, ?, NA, NaN, null "
        "and the like. Repeatable.",
    ),
)


def reading_options(function: _Function) -> _Function:
    """Give a command the options that say how CSV is read."""
    for option in reversed(_READING):
        function = option(function)
    return function


def dialect_of(
    delimiter: str | None,
    decimal: str | None,
    encoding: str | None,
    no_header: bool,
    missing: tuple[str, ...],
) -> Dialect:
    """Return what the options say."""
    if delimiter is not None and delimiter == decimal:
        raise click.UsageError("--delimiter and --decimal are the same character.")
    return Dialect(delimiter, decimal, encoding, not no_header, missing)


json_option = click.option(
    "--json",
    AS_JSON,
    is_flag=True,
    help="Print the result, or an error, as JSON on standard output.",
)
quiet_option = click.option(
    "--quiet", is_flag=True, help="Print no progress and no warnings, only results and errors."
)
overwrite_option = click.option(
    "--overwrite", is_flag=True, help="Replace files that already exist."
)


def check_files(*read: str | None, overwrite: bool, **written: Path | None) -> None:
    """Raise UsageError if a file would be written over one that is read, or over another one.

    Parameters
    ----------
    *read : str or None
        Paths.
    overwrite : bool
        Whether other files may be replaced.
    **written : Path or None
        By the options that name them.
    """
    places = {option: path.resolve() for option, path in written.items() if path is not None}
    sources = [Path(path).resolve() for path in read if path and "\0" not in path]
    for option, place in places.items():
        if place in sources and (place.is_file() or not place.exists()):
            raise click.UsageError(
                f"{option} would overwrite {place.name}, which is read: name another file."
            )
        if place.is_file() and not overwrite:
            raise click.UsageError(
                f"{option}: {written[option]} already exists; name another file, or give "
                "--overwrite to replace it."
            )
    for (one, place), (other, another) in combinations(places.items(), 2):
        if place == another:
            raise click.UsageError(f"{one} and {other} name the same file.")


def check_columns(target: str, drop: tuple[str, ...], category: tuple[str, ...]) -> None:
    """Raise UsageError if a column is asked to be two things."""
    roles = {"--target": (target,), "--drop": drop, "--category": category}
    for (one, names), (other, others) in combinations(roles.items(), 2):
        both = sorted(set(names) & set(others))
        if both:
            raise click.UsageError(f"{one} and {other} name the same column, {both[0]!r}.")
