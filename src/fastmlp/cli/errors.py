"""What ends a command with one line instead of a traceback."""

from __future__ import annotations

__all__ = ["CommandError", "RefusedError"]


class CommandError(Exception):
    """The message is the line that a command ends with, ``exit_code`` the status of the process."""

    exit_code = 1


class RefusedError(CommandError):
    """What the user gave cannot be used."""

    exit_code = 2
