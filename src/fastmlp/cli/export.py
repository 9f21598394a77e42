"""``fastmlp export``: a model as a program in another form, by how the file's name ends."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from fastmlp.cli.errors import CommandError, RefusedError
from fastmlp.cli.guarding import loaded
from fastmlp.cli.wording import size
from fastmlp.validation.wording import one_line

__all__ = ["export"]

#: How a file's name may end, and the method that writes it.
_METHODS = {".c": "to_c", ".onnx": "to_onnx"}


def _there() -> dict[str, str]:
    from fastmlp.export.exportable import Exportable

    return {end: method for end, method in _METHODS.items() if hasattr(Exportable, method)}


def export(model_path: str, out: Path, options: dict[str, Any]) -> str:
    """Write a model in another form; return a line that says so.

    Raises
    ------
    CommandError
        The model has what the form can't say, or the file can't be written.
    """
    method = _method_of(out)
    given = {name: each for name, each in options.items() if each is not None}
    if given and method != "to_c":
        raise RefusedError(f"--{next(iter(given))} is for files that end with .c")
    write: Callable[..., None] = getattr(loaded(model_path), method)
    try:
        write(out, **given)
    except OSError as error:
        raise CommandError(f"{out} could not be written: {error.strerror or error}") from error
    except (ValueError, TypeError, ImportError) as error:
        raise CommandError(one_line(str(error), 500)) from error
    return f"{out} ({size(out.stat().st_size)})"


def _method_of(out: Path) -> str:
    there = _there()
    method = there.get(out.suffix.lower())
    if method is None:
        raise RefusedError(f"{out} must end with {' or '.join(there)}")
    return method
