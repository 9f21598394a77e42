"""Python in a process of its own, and what a process has used."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from helpers_hard import so_many

#: Long enough on a busy machine too: what takes longer hangs. Each test counts what it does, which
#: ``make hard`` makes some thirty times as much.
SECONDS_UNTIL_IT_HANGS = so_many(600, 4 * 3600)


def run_python(
    code: str,
    *arguments: str,
    timeout: float | None = SECONDS_UNTIL_IT_HANGS,
    **environment: str,
) -> str:
    """Return what a program prints that may import what the tests import; it must end well.

    What it writes to its standard error appears when the test fails.
    """
    run = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=Path(__file__).parent,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path)), **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=timeout,
    )
    print(run.stderr, file=sys.stderr)
    assert run.returncode == 0, run.stderr
    return run.stdout


def cpu_ticks(pid: int) -> int | None:
    """Return how long a process has computed, in the kernel's ticks; None where it does not say."""
    statistics = Path(f"/proc/{pid}/stat")
    if not statistics.exists():
        return None
    user, system = statistics.read_text().rpartition(")")[2].split()[11:13]
    return int(user) + int(system)
