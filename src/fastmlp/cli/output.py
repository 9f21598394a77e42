"""Files that a command writes: looked at before the work, and written after it."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from fastmlp.cli.errors import CommandError
from fastmlp.files.disk import write
from fastmlp.validation.wording import brief

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["Output", "Picture", "save_figure", "write_whole", "writing"]


class Output(click.ParamType):
    """A file to write, in a folder that exists; said before the work, not after it."""

    name = "file"

    def convert(
        self, value: str | Path, param: click.Parameter | None, ctx: click.Context | None
    ) -> Path:
        """Return the path, or end the command if it can't be written."""
        path = Path(value)
        try:
            folder = path.resolve().parent
            if path.is_dir():
                self.fail(f"{brief(str(value))} is a folder: name a file in it", param, ctx)
            if not folder.is_dir():
                self.fail(f"there is no folder {brief(str(folder))}: make it first", param, ctx)
            _touch(path)
        except OSError as error:
            self.fail(f"{brief(str(value))} can't be written: {error.strerror}", param, ctx)
        except ValueError:  # a zero byte
            self.fail(f"{brief(str(value))} is not a file name", param, ctx)
        return path


def _touch(path: Path) -> None:
    """Raise OSError if a file can't be written; leave it, or its absence, as it was."""
    path = path.resolve()  # else a link to no file would go instead of the file
    existed = path.exists()
    if existed and not path.is_file():
        return  # a device
    with path.open("ab"):
        pass
    if not existed:
        path.unlink()


class Picture(Output):
    """An output whose suffix names a format that matplotlib can write here."""

    def convert(
        self, value: str | Path, param: click.Parameter | None, ctx: click.Context | None
    ) -> Path:
        """Return the path, or end the command if no picture can be written there."""
        from matplotlib.backend_bases import FigureCanvasBase
        from matplotlib.figure import Figure

        path = super().convert(value, param, ctx)
        suffix = path.suffix.removeprefix(".").lower()
        formats = sorted(FigureCanvasBase.get_supported_filetypes())
        if suffix not in formats:
            self.fail(f"{value} must end with one of {', '.join(formats)}", param, ctx)
        try:
            figure = Figure(figsize=(1, 1))
            figure.text(0, 0, "a")  # TeX is asked how wide it is
            figure.savefig(io.BytesIO(), format=suffix)
        except Exception as error:  # whatever a missing TeX or codec makes of it
            self.fail(f"{suffix} files can't be written here: {brief(str(error))}", param, ctx)
        return path


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Raise CommandError, naming the file, if it can't be written after all."""
    try:
        yield
    except OSError as error:
        raise CommandError(f"{path} can't be written: {error.strerror or error}") from error


def save_figure(figure: Figure, path: Path) -> None:
    """Write a picture.

    Raises
    ------
    CommandError
        The disk is full, or the like.
    """
    with writing(path):
        figure.savefig(path, dpi=120)


def write_whole(path: Path, content: bytes) -> None:
    """Let a file hold these bytes; if that fails, it is as it was.

    Raises
    ------
    CommandError
        The disk is full, or the like.
    """
    with writing(path):
        if path.exists() and not path.is_file():
            path.write_bytes(content)  # a device
        else:
            write(str(path), content)
