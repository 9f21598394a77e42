"""The bytes of a file or of standard input, and what kind of file they are."""

from __future__ import annotations

import gzip
import io
import sys
import zipfile
import zlib
from pathlib import Path
from typing import NamedTuple

from fastmlp.cli.errors import TableError
from fastmlp.cli.tables.refusals import raise_empty, raise_kind, raise_model, raise_unreadable
from fastmlp.files.container import is_model
from fastmlp.files.kinds import kind_of
from fastmlp.validation.wording import brief

__all__ = ["STANDARD", "Opened", "holds_model", "holds_table", "named", "opened"]

#: What stands for standard input and standard output.
STANDARD = "-"

#: How files begin that are told apart by it, whatever they are called.
_BEGINNINGS: tuple[tuple[bytes, str], ...] = (
    (b"PAR1", "parquet"),
    (b"ARROW1", "arrow"),
    (b"FEA1", "arrow"),
    (b"\xff\xff\xff\xff", "stream"),
    (b"PK\x03\x04", "zip"),
    (b"\x93NUMPY", "npy"),
)

#: The same of texts that are not tables, in small letters and without blanks before them.
_TEXTS: tuple[tuple[bytes, str], ...] = (
    (b"<!doctype html", "a web page"),
    (b"<html", "a web page"),
    (b"<?xml", "an XML file"),
    (b"{\\rtf", "an RTF document"),
    (b'{"', "a JSON file"),
    (b"[{", "a JSON file"),
)

_GZIP = b"\x1f\x8b"

#: Byte order marks of UTF-16 and UTF-32, in which zeros are nothing odd.
_WIDE = (b"\xff\xfe", b"\xfe\xff", b"\x00\x00\xfe\xff")


class Opened(NamedTuple):
    """A file as it was found.

    Attributes
    ----------
    name : str
        What texts call it.
    kind : str
        "text", "parquet", "arrow", "stream", "npy" or "npz".
    content : bytes
    """

    name: str
    kind: str
    content: bytes


def named(path: str) -> str:
    """Return what texts call a file."""
    return "standard input" if path == STANDARD else brief(path, 200)[1:-1]


def opened(path: str) -> Opened:
    """Return what a file, or standard input, holds.

    Raises
    ------
    TableError
        There is no such file, it can't be read, is empty, or is no table.
    """
    name, content = named(path), _bytes_of(path)
    if content.startswith(_GZIP):
        content = _decompressed(name, content)
    if not content.strip():
        raise_empty(name)
    return Opened(name, _kind_of(name, content), content)


def holds_model(path: str) -> bool:
    """Return whether a file begins as models do."""
    try:
        with Path(path).open("rb") as file:
            return is_model(file.read(1024))
    except (OSError, ValueError):
        return False


def holds_table(path: str) -> bool:
    """Return whether a file is of a kind that may hold a table."""
    try:
        return opened(path).kind != "npy"
    except TableError:
        return False


def _bytes_of(path: str) -> bytes:
    if path == STANDARD:
        stdin = getattr(sys.stdin, "buffer", None)
        if stdin is None or sys.stdin.isatty():
            raise TableError("standard input holds no table: name a file, or pipe one in")
        return bytes(stdin.read())
    try:
        return Path(path).read_bytes()
    except FileNotFoundError:
        where = Path(path).absolute().parent
        raise TableError(f"there is no file {brief(path)} in {brief(str(where), 200)}") from None
    except IsADirectoryError:
        raise TableError(f"{named(path)} is a folder: name a file in it") from None
    except OSError as error:
        raise TableError(f"{named(path)} can't be read: {error.strerror}") from None
    except ValueError:  # a zero byte
        raise TableError(f"{brief(path)} is not a file name") from None


def _decompressed(name: str, content: bytes) -> bytes:
    try:
        return gzip.decompress(content)
    except (OSError, EOFError, zlib.error) as error:
        raise_unreadable(name, f"it is compressed, but damaged ({error})", "copy it again")


def _kind_of(name: str, content: bytes) -> str:
    for begin, kind in _BEGINNINGS:
        if content.startswith(begin):
            return _kind_of_zip(name, content) if kind == "zip" else kind
    if is_model(content):
        raise_model(name)
    stranger = kind_of(content[:8]) or _kind_of_text(content[:64])
    if stranger is not None:
        raise_kind(name, stranger)
    if b"\0" in content[: 2**16] and not content.startswith(_WIDE):
        raise_kind(name, "a binary file of an unknown kind")
    return "text"


def _kind_of_text(begin: bytes) -> str | None:
    """Return what a text is, in words, if it is of a kind that is no table."""
    words = begin.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    return next((what for start, what in _TEXTS if words.startswith(start)), None)


def _kind_of_zip(name: str, content: bytes) -> str:
    """Return "npz" for an archive of arrays."""
    try:
        members = zipfile.ZipFile(io.BytesIO(content)).namelist()
    except (zipfile.BadZipFile, ValueError, OSError):
        raise_unreadable(name, "it is a damaged zip archive", "copy it again")
    if any(member.startswith("xl/") for member in members):
        raise_kind(name, "an Excel workbook")
    if not any(member.endswith(".npy") for member in members):
        raise_kind(name, "a zip archive")
    return "npz"
