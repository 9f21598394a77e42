"""The command line: ``fastmlp demo``, ``fastmlp bench``, ``fastmlp info``.

Click, rich and matplotlib come with the extra ``cli``; without them ``main`` says what to install.
"""

from __future__ import annotations

import sys
from importlib.util import find_spec

__all__ = ["main"]

_NEEDED = ("click", "matplotlib", "rich")


def main() -> None:
    """Run the command line; the console script's entry point.

    Raises
    ------
    SystemExit
        0 after success, 1 when the extra is missing or a result is wrong, 2 for wrong input.
    """
    missing = [name for name in _NEEDED if find_spec(name) is None]
    if missing:
        sys.exit(
            f"fastmlp: the command line needs {', '.join(missing)}; "
            'install them with: pip install "fastmlp[cli]"'
        )
    from fastmlp.cli.app import commands

    commands(prog_name="fastmlp")
