"""``fastmlp export``: a model as a program in another form, by how the file's name ends."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from fastmlp.cli.errors import CommandError, RefusedError
from fastmlp.cli.guarding import loaded
from fastmlp.validation.wording import one_line

__all__ = ["export"]

#: How a file's name may end, and the method that writes it.
_METHODS = {".c": "to_c", ".onnx": "to_onnx"}


def _there() -> dict[str, str]:
    from fastmlp.export.exportable import Exportable

    return {end: method for end, method in _METHODS.items() if hasattr(Exportable, method)}


#: The parameters of the methods, and the options that stand for them.
_OPTIONS = {"name": "--name", "weights": "--weights"}


def export(model_path: str, out: Path, options: dict[str, Any]) -> int:
    """Write a model in another form; return how many bytes that takes.

    Raises
    ------
    RefusedError
        An option is wrong, or not for this form.
    CommandError
        The model has what the form can't say, or the file can't be written.
    """
    method = _method_of(out)
    given = {name: each for name, each in options.items() if each is not None}
    if given and method != "to_c":
        raise RefusedError(f"{_OPTIONS[next(iter(given))]} is only for files that end with .c")
    write: Callable[..., None] = getattr(loaded(model_path, "export"), method)
    try:
        write(out, **given)
    except OSError as error:
        raise CommandError(f"{out} can't be written: {error.strerror or error}") from error
    except (ValueError, TypeError, ImportError) as error:
        text = one_line(str(error), 500)
        name = text.partition(" ")[0]
        if name in given:
            raise RefusedError(f"--{text}") from error
        raise CommandError(text) from error
    return out.stat().st_size


def _method_of(out: Path) -> str:
    there = _there()
    method = there.get(out.suffix.lower())
    if method is None:
        raise RefusedError(f"{out} must end with {' or '.join(there)}, which says what to write")
    return method
