"""Whole files, read and written at once."""

from __future__ import annotations

import os
import secrets
import stat
from pathlib import Path

from fastmlp.files.container import LENGTH_BYTES, size_said
from fastmlp.files.damage import require

__all__ = ["read", "write"]


def read(path: str) -> bytes:
    """Return the bytes of a file; of what can't be a model file no more than the first few.

    Raises
    ------
    OSError
        If there is no such file, or it can't be read.
    """
    require(stat.S_ISREG(os.stat(path).st_mode), "it is not a regular file", "Copy it into one.")
    with open(path, "rb") as file:
        size = os.fstat(file.fileno()).st_size
        begin = file.read(LENGTH_BYTES)
        size_said(begin, size)
        return begin + file.read()


def write(path: str, blob: bytes | bytearray) -> None:
    """Let a file hold these bytes, or, if anything goes wrong, what it held before.

    The bytes go into a file beside it, which then takes its place: nobody sees a part of them, and
    nothing is lost if the process or the machine stops. Where the path is a link, the file that it
    leads to is replaced.

    Raises
    ------
    OSError
        If it can't be written.
    """
    final = os.path.realpath(path)
    beside = f"{final}.{secrets.token_hex(4)}.part"
    try:
        _write_new(beside, blob, final)
        os.replace(beside, final)
    except BaseException:
        Path(beside).unlink(missing_ok=True)
        raise
    _sync_folder(os.path.dirname(final))


def _write_new(path: str, blob: bytes | bytearray, model: str) -> None:
    """Write a new file, with the permissions of ``model`` if there is such a file."""
    with open(path, "xb") as file:
        if os.path.exists(model):
            os.chmod(path, stat.S_IMODE(os.stat(model).st_mode))
        file.write(blob)
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(folder: str) -> None:
    """Let a new name survive a power cut, on systems whose folders can be opened."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError:  # some network file systems can't, and the file is there all the same
        pass
    finally:
        os.close(descriptor)
