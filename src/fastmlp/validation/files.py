"""Model files: paths, what comes with them, and what they hold."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NoReturn

from sklearn.utils.validation import check_is_fitted

from fastmlp.validation.wording import LONGEST_TEXT, a_kind_of, brief, one_line

__all__ = [
    "check_custom_objects",
    "check_fitted_to_save",
    "check_no_guests",
    "check_objects_given",
    "check_path_to_load",
    "check_path_to_save",
    "check_safetensors",
    "naming_file",
    "objects_not_needed",
    "pickled_by_another",
    "raise_unloadable",
    "raise_unsavable",
]


#: What a path may be.
_EXAMPLE = "model.fastmlp"


def _path(path: Any, example: str = _EXAMPLE) -> str:
    """Return a path as a text; TypeError or ValueError unless it is one."""
    if hasattr(path, "read") or hasattr(path, "write"):
        raise TypeError(
            f"path must be the name of a file; got an open file, {a_kind_of(path)}: pass its "
            "name, since save and load handle whole files."
        )
    if not isinstance(path, (str, bytes, os.PathLike)):
        raise TypeError(
            f"path must be the name of a file, such as {brief(example)}; got {brief(path)}."
        )
    text = os.fsdecode(path)
    if not text or "\0" in text:
        raise ValueError(f"path must be the name of a file; got {brief(text)}.")
    return text


def _named(path: object) -> str:
    """Return a path as texts show it: the ends of a long one say the most."""
    return brief(str(path), LONGEST_TEXT)


def check_path_to_save(path: Any, example: str = _EXAMPLE) -> str:
    """Return the path of a file that may be written; an error unless there can be such a file."""
    text = _path(path, example)
    if os.path.isdir(text):
        within = os.path.join(text, example)
        what = f"path is a folder: give the name of a file in it, such as {_named(within)}."
        raise IsADirectoryError(errno.EISDIR, what)
    folder = os.path.dirname(os.path.realpath(text))
    if not os.path.isdir(folder):
        raise FileNotFoundError(
            errno.ENOENT,
            f"path {_named(text)} is in a folder that does not exist: make {_named(folder)} first.",
        )
    if os.path.exists(text) and not os.path.isfile(text):
        raise OSError(errno.EINVAL, f"path {_named(text)} is not a regular file: choose another.")
    return text


def check_path_to_load(path: Any) -> str:
    """Return the path of a file that may be read; an error if there is none."""
    text = _path(path)
    if os.path.isdir(text):
        raise IsADirectoryError(
            errno.EISDIR, f"path {_named(text)} is a folder: give a file in it."
        )
    if not os.path.exists(text):
        where = Path(text).absolute().parent
        raise FileNotFoundError(
            errno.ENOENT,
            f"path {_named(text)} does not exist: {_named(where)} has no such file.",
        )
    return text


@contextmanager
def naming_file(path: str, done: str) -> Iterator[None]:
    """Say which file could not be read or written, and why."""
    try:
        yield
    except OSError as error:
        why = error.strerror or str(error)
        if isinstance(error, PermissionError):
            why = "you don't have permission: choose another path, or ask its owner"
        text = f"path {_named(path)} can't be {done}: {one_line(why)}."
        raise type(error)(error.errno, text) from error


def check_safetensors() -> None:
    """Raise ImportError without the library that knows the format."""
    if find_spec("safetensors") is None:
        raise ImportError(
            "Model files need safetensors, which is not installed: pip install 'fastmlp[files]'. "
            "Pickles work without it."
        )


def check_fitted_to_save(model: Any) -> None:
    """Raise NotFittedError for a model that has learnt nothing."""
    text = (
        "This %(name)s has not been fitted, so there is nothing to save: call fit first. "
        "get_params() returns its parameters alone."
    )
    check_is_fitted(model, msg=text)


def check_no_guests(owner: str, guests: Sequence[Any], remedy: str) -> None:
    """Raise TypeError if a model needs objects of other libraries to predict."""
    if guests:
        names = sorted({type(guest).__name__ for guest in guests})
        raise TypeError(
            f"This {owner} predicts with {', '.join(names)} of another library, which no model "
            f"file can hold: {remedy}, or pickle it and unpickle it with the same versions."
        )


def raise_unsavable(value: Any, place: str) -> NoReturn:
    """Raise TypeError for what no file can hold."""
    raise TypeError(
        f"The model can't be saved: its {place} is {a_kind_of(value)}, {brief(value)}, which no "
        "model file can hold; pickle it, or take it out."
    )


def check_custom_objects(given: Any) -> None:
    """Raise TypeError unless ``custom_objects`` is a mapping from names."""
    if given is None:
        return
    if isinstance(given, Mapping) and all(isinstance(name, str) for name in given):
        return
    raise TypeError(
        "custom_objects must be a dict from names to your functions, such as "
        f"{{'my_activation': my_activation}}; got {brief(given)}."
    )


def check_objects_given(path: str, names: Sequence[str], given: Mapping[str, Any]) -> None:
    """Raise ValueError if a file needs objects of the user's that were not given."""
    missing = [name for name in names if name not in given]
    if missing:
        wanted = ", ".join(f"{brief(name)}: …" for name in missing[:10])
        raise ValueError(
            f"{_named(path)} needs objects of yours that no file can hold: "
            f"load({_named(path)}, custom_objects={{{one_line(wanted)}}})."
        )


def objects_not_needed(path: str, names: Sequence[str], given: Iterable[str]) -> str:
    """Return what to say of ``custom_objects`` that a file does not ask for; nothing if it does."""
    unused = [name for name in given if name not in names]
    if not unused:
        return ""
    needed = ", ".join(brief(name) for name in names[:10]) or "none"
    what = ", ".join(brief(name) for name in unused[:10])
    return f"{_named(path)} does not need {what} in custom_objects; it needs: {needed}."


def raise_unloadable(path: str, what: str, remedy: str) -> NoReturn:
    """Raise ValueError for a file that holds no model, or not what was saved."""
    raise ValueError(f"{_named(path)} can't be loaded: {one_line(what)}. {remedy}") from None


def pickled_by_another(owner: str, version: Any, present: str) -> str:
    """Return what to say of a pickle by another version."""
    return (
        f"This {owner} was pickled by fastmlp {brief(version)}. It may not work, or work "
        f"differently, in fastmlp {present}: fit it again, or use save and load to move models "
        "between versions."
    )
