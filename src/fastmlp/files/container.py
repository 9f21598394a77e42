"""The bytes of a model file: safetensors, whose metadata say what the arrays make.

The metadata have one entry, since several would be written in an order that changes from process to
process. It is JSON and begins with the SHA-256 of the whole file, with zeros in the place of these
64 digits. That, and the number of the format behind it, is what every version must understand.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from fastmlp._version import __version__
from fastmlp.files.damage import NEWER, DamageError, require
from fastmlp.files.kinds import kind_of

__all__ = ["FORMAT", "Contents", "is_model", "packed", "size_said", "unpacked"]

#: Number of the format that is written. It changes when older versions would misread a file.
FORMAT = 1

#: The one entry of the metadata.
KEY = "fastmlp"

#: Longer descriptions are an array of bytes by the name below, as safetensors bounds its header.
LONGEST_DESCRIPTION = 2**20
DESCRIPTION = "description"

#: Before it is the length of the header, behind it what it describes.
LENGTH_BYTES = 8
LONGEST_HEADER = 100_000_000

_DIGITS = 64
_BEGIN = rb'"{\"sha256\":\"'
_STRANGE = "it is not a model file of fastmlp"
_USE = "load() reads what save() wrote; read a pickle with pickle.load or joblib.load."
_CUT_OFF = "a part of it is missing at its end"


class Contents(NamedTuple):
    """What a file holds.

    Attributes
    ----------
    version : str
        Of the fastmlp that wrote it.
    own : list of str
        Names of what the user must give back.
    model : object
        The description.
    arrays : dict of str to ndarray
    """

    version: str
    own: list[str]
    model: Any
    arrays: Mapping[str, np.ndarray]


def _json(value: Any) -> str:
    return json.dumps(value, allow_nan=False, separators=(",", ":"))


def packed(own: list[str], model: Any, arrays: Mapping[str, np.ndarray]) -> bytearray:
    """Return the bytes of a file that holds ``Contents``."""
    from safetensors.numpy import save  # noqa: PLC0415 - not at import

    arrays, text = dict(arrays), _json(model)
    if len(text) > LONGEST_DESCRIPTION:
        arrays[DESCRIPTION], text = np.frombuffer(text.encode(), np.uint8), "null"
    head = {"sha256": "0" * _DIGITS, "format": FORMAT, "fastmlp": __version__, "own": own}
    entry = f'{_json(head)[:-1]},"model":{text}}}'
    blob = bytearray(save(arrays, {KEY: entry}))
    where = _place_of_digits(blob)
    blob[where : where + _DIGITS] = _digest(blob, where)
    return blob


def _place_of_digits(blob: bytes | bytearray) -> int:
    """Return where the checksum stands; an error if it has no place."""
    found = blob.find(_BEGIN, LENGTH_BYTES)
    require(found >= 0, _STRANGE, _USE)
    return found + len(_BEGIN)


def _digest(blob: bytes | bytearray, where: int) -> bytes:
    """Return the checksum of a file, zeros being where it stands."""
    view, digest = memoryview(blob), hashlib.sha256()
    digest.update(view[:where])
    digest.update(b"0" * _DIGITS)
    digest.update(view[where + _DIGITS :])
    return digest.hexdigest().encode()


def size_said(begin: bytes, size: int) -> int:
    """Return how long the header of a file is, by its first bytes, if it is one at all."""
    require(len(begin) == LENGTH_BYTES, "it is empty" if not begin else _STRANGE, _USE)
    length = int.from_bytes(begin, "little")
    if length > max(size - LENGTH_BYTES, LONGEST_DESCRIPTION):  # a shorter one may be cut off
        stranger = kind_of(begin)
        require(stranger is None, f"it is {stranger}, not a model file of fastmlp", _USE)
    require(length <= LONGEST_HEADER, _STRANGE, _USE)
    require(length <= size - LENGTH_BYTES, _CUT_OFF)
    return length


def is_model(begin: bytes) -> bool:
    """Return whether a file is a model file, damaged or not, by its first kilobyte."""
    return begin[LENGTH_BYTES : LENGTH_BYTES + 1] == b"{" and _BEGIN in begin[:1024]


def unpacked(blob: bytes) -> Contents:
    """Return what a file holds, if it is what was written."""
    length = size_said(blob[:LENGTH_BYTES], len(blob))
    entry = _entry_of(blob[LENGTH_BYTES : LENGTH_BYTES + length])
    where = _place_of_digits(blob)
    same = blob[where : where + _DIGITS] == _digest(blob, where)
    arrays = _arrays_of(blob)  # first, as it may know better what is wrong
    require(same, "its contents are not what was saved")
    head = _parsed(entry)
    _require_format(head)
    model = head["model"]
    if model is None and DESCRIPTION in arrays:
        model = _parsed(arrays.pop(DESCRIPTION).tobytes())
    return Contents(head["fastmlp"], head["own"], model, arrays)


def _entry_of(header: bytes) -> str:
    """Return our metadata, of a header of safetensors that is one of ours."""
    try:
        entry = json.loads(header)["__metadata__"][KEY]
    except RecursionError:
        raise DamageError("its header is nested too deeply") from None
    except (ValueError, KeyError, TypeError):
        raise DamageError(_STRANGE, _USE) from None
    require(isinstance(entry, str), _STRANGE, _USE)
    return str(entry)


def _parsed(text: str | bytes) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise DamageError("its description is not JSON") from None


def _require_format(head: Any) -> None:
    """Raise DamageError unless the head of a description is one that this version reads."""
    require(isinstance(head, dict), "its description is not a JSON object")
    number, version = head.get("format"), head.get("fastmlp")
    known = type(number) is int and number > 0 and isinstance(version, str)
    require(known, "it does not say which version wrote it")
    newer = (
        f"fastmlp {version[:20]} wrote it in format {number}, and fastmlp {__version__} reads "
        f"formats up to {FORMAT}"
    )
    require(number <= FORMAT, newer, NEWER)
    own = head.get("own")
    listed = isinstance(own, list) and all(isinstance(name, str) for name in own)
    require(listed and "model" in head, "its description lacks a part")


def _arrays_of(blob: bytes) -> dict[str, np.ndarray]:
    """Return the arrays, after the library's checks of their types, places and sizes."""
    from safetensors import SafetensorError  # noqa: PLC0415 - not at import
    from safetensors.numpy import load  # noqa: PLC0415

    try:
        found: dict[str, np.ndarray] = load(bytes(blob))
    except SafetensorError as error:
        raise DamageError(_told(str(error))) from None
    except (KeyError, TypeError, ValueError, OverflowError):
        raise DamageError("an array has a type or a shape that no model has") from None
    return found


def _told(error: str) -> str:
    """Return what is wrong, by the library's own text."""
    if "InvalidOffset" in error or "IncompleteBuffer" in error or "incomplete" in error.lower():
        return "a part of it is missing, or it is longer than its header says"
    return f"safetensors refuses it ({error[:80]})"
