"""The command line: ``fastmlp demo``, ``fastmlp bench``, ``fastmlp info``.

Click, rich and matplotlib come with the extra ``cli``; without them ``main`` says what to install.
"""

from __future__ import annotations

import io
import os
import sys
from importlib.util import find_spec

__all__ = ["INTERRUPTED", "STOPPED", "main"]

#: What shells report of a process that Ctrl-C has ended: 128 + SIGINT.
INTERRUPTED = 130
STOPPED = "Interrupted before the work was done."

_NEEDED = ("click", "matplotlib", "rich")


def main() -> None:
    """Run the command line; the console script's entry point.

    Raises
    ------
    SystemExit
        0 after success, 1 when the extra is missing, a result is wrong or a file cannot be written,
        2 for wrong input, 130 after Ctrl-C.
    """
    missing = [name for name in _NEEDED if find_spec(name) is None]
    if missing:
        sys.exit(
            f"fastmlp: the command line needs {', '.join(missing)}; "
            'install them with: pip install "fastmlp[cli]"'
        )
    os.environ["MPLBACKEND"] = "Agg"  # pictures go to files; the variable may name nonsense
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # "÷" where a terminal knows but ASCII
    try:
        from fastmlp.cli.app import commands

        commands(prog_name="fastmlp")
    except KeyboardInterrupt:  # while modules are imported
        print(STOPPED, file=sys.stderr)
        sys.exit(INTERRUPTED)
    finally:
        _drop_output()


def _drop_output() -> None:
    """Send what standard output can't take to nowhere, or Python would complain at its end."""
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
