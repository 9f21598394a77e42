"""What ends a command with one line instead of a traceback."""

from __future__ import annotations

__all__ = ["CommandError", "RefusedError", "TableError"]


class CommandError(Exception):
    """The message is the line that a command ends with, ``exit_code`` the status of the process."""

    exit_code = 1


class RefusedError(CommandError):
    """An option or an argument that can't be used; another command line mends it."""

    exit_code = 2


class TableError(CommandError):
    """A table, or a model file, that can't be used as it is; another file mends it."""
