"""A command that ends with one line and an exit status, whatever stops it."""

from __future__ import annotations

import errno
import sys
from typing import Any

import click

from fastmlp.backends import get_backend
from fastmlp.cli import INTERRUPTED, STOPPED
from fastmlp.cli.errors import CommandError, RefusedError

__all__ = ["Command"]


class Command(click.Command):
    """A command of ours, which needs the core."""

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


def _end(ctx: click.Context, line: str, status: int) -> None:
    click.echo(line, err=True)
    ctx.exit(status)


def _require_core() -> None:
    """Raise RefusedError if ``FASTMLP_ISA`` or its like name what this machine has not."""
    try:
        get_backend("compiled")
    except ValueError as error:
        raise RefusedError(str(error)) from error
