"""What files are that people take for models or tables, by how they begin."""

from __future__ import annotations

__all__ = ["kind_of"]

#: Beginnings, of eight bytes at most, and what such a file is.
_BEGINNINGS: tuple[tuple[bytes, str], ...] = (
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook or another Office file"),
    (b"SQLite f", "an SQLite database"),
    (b"%PDF", "a PDF"),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
    (b"\x89HDF", "an HDF5 file"),
    (b"PK\x05\x06", "an empty archive"),
    (b"BZh", "a file compressed by bzip2"),
    (b"\xfd7zXZ", "a file compressed by xz"),
    (b"\x28\xb5\x2f\xfd", "a file compressed by zstd"),
    (b"7z\xbc\xaf", "a 7z archive"),
    (b"Rar!", "a RAR archive"),
    (b"\x7fELF", "a program"),
    (b"\x80\x02", "a pickle"),
    (b"\x80\x03", "a pickle"),
    (b"\x80\x04\x95", "a pickle"),
    (b"\x80\x05\x95", "a pickle"),
)


def kind_of(begin: bytes) -> str | None:
    """Return what a file is, in words, by its first bytes; None if they are of no known kind."""
    return next((what for start, what in _BEGINNINGS if begin.startswith(start)), None)
