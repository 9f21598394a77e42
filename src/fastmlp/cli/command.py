"""A command that ends with one line and an exit status, whatever stops it."""

from __future__ import annotations

import errno
import os
import sys
from importlib.util import find_spec
from pathlib import Path
from traceback import extract_tb
from typing import Any

import click

from fastmlp.backends import get_backend
from fastmlp.cli import INTERRUPTED, STOPPED
from fastmlp.cli.errors import CommandError, RefusedError
from fastmlp.cli.outcome import print_json
from fastmlp.validation.wording import one_line

__all__ = ["AS_JSON", "DEBUG", "DEFECT", "Command", "TableCommand"]

#: The status after an error that is nobody's but ours.
DEFECT = 3

#: The parameter of commands that print JSON.
AS_JSON = "as_json"

#: If this variable of the environment is set, such an error comes with its traceback.
DEBUG = "FASTMLP_DEBUG"


class Command(click.Command):
    """A command of ours, which needs the core.

    If its result is wanted as JSON, so is its error, besides the line on standard error.
    """

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the words after the command."""
        as_json = "--json" in args and any(each.name == AS_JSON for each in self.params)
        try:
            return super().parse_args(ctx, args)
        except click.UsageError as error:
            if as_json:
                _print_error(error.format_message(), error.exit_code)
            raise

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        try:
            _require_core()
            super().invoke(ctx)
            if sys.stdout is not None:
                sys.stdout.flush()
        except KeyboardInterrupt:
            _end(ctx, STOPPED, INTERRUPTED)
        except CommandError as error:
            _end(ctx, f"Error: {error}", error.exit_code)
        except MemoryError as error:
            _end(ctx, f"Error: not enough memory: {error}", 1)
        except OSError as error:
            if error.errno == errno.EPIPE:  # whoever read has seen enough, which click knows
                raise
            _end(ctx, f"Error: {error}" if error.filename else f"Error: {error.strerror}", 1)
        except click.ClickException as error:
            if ctx.params.get(AS_JSON):
                _print_error(error.format_message(), error.exit_code)
            raise
        except (click.exceptions.Exit, click.Abort):
            raise
        except Exception as error:
            if os.environ.get(DEBUG):
                raise
            _end(ctx, f"Error: {_defect(error)}", DEFECT)


class TableCommand(Command):
    """A command on tables, which needs what reads them."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        missing = [name for name in ("jinja2", "pyarrow", "safetensors") if find_spec(name) is None]
        if missing:
            what = f"{self.name} needs {', '.join(missing)}"
            _end(ctx, f'Error: {what}; install them with: pip install "fastmlp[cli]"', 1)
        super().invoke(ctx)


def _defect(error: Exception) -> str:
    """Return what to say of an error that should not have come this far."""
    last = extract_tb(error.__traceback__)[-1]
    what = one_line(f"{type(error).__name__}: {error}")
    return (
        f"a defect of fastmlp ({what}; {Path(last.filename).name}:{last.lineno}): please report "
        f"this line; with {DEBUG}=1 there is more to report"
    )


def _end(ctx: click.Context, line: str, status: int) -> None:
    if ctx.params.get(AS_JSON):
        _print_error(line.removeprefix("Error: "), status)
    click.echo(line, err=True)
    ctx.exit(status)


def _print_error(text: str, status: int) -> None:
    """Print an error as JSON on standard output."""
    print_json({"error": text, "status": status})


def _require_core() -> None:
    """Raise RefusedError if ``FASTMLP_ISA`` or its like name what this machine has not."""
    try:
        get_backend("compiled")
    except ValueError as error:
        raise RefusedError(str(error)) from error
