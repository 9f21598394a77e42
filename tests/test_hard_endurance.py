"""Many small fits, forks during fits, threads and processes at once, Ctrl-C at any moment.

Each runs in a process of its own. ``make hard`` runs the long versions.
"""

from __future__ import annotations

import json
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from helpers_hard import so_many
from helpers_process import run_python

FITS = so_many(300, 10_000)
FORKS = so_many(15, 300)
SIGNALS = so_many(40, 1_000)
SECONDS = so_many(2, 20)
#: What the second half of the fits may add to the process: a few arenas of its allocators.
RESIDENT_BYTES = 2 << 20
#: And what Python may count of a tenth of them: a cache that has grown, and the count's own.
OBJECT_BYTES = 60_000

NEEDS_FORK = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
NEEDS_PROC = pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="needs Linux's /proc")
KINDS = ["the same", "changing shapes", "users' functions", "L-BFGS", "partial fits", "Predictors"]


def report(call: str) -> dict:
    found = json.loads(run_python(f"from helpers_endurance import *; {call}"))
    print(call, found)
    return found


@NEEDS_PROC
@pytest.mark.parametrize("kind", KINDS)
def test_many_small_fits_keep_no_memory(kind):
    found = report(f"report_memory({kind!r}, {FITS})")
    assert found["resident"] <= RESIDENT_BYTES
    assert found["objects"] <= OBJECT_BYTES


@NEEDS_FORK
def test_children_of_a_fork_during_fits_work():
    assert report(f"report_forks({FORKS})")["faults"] == []


def test_two_processes_of_eight_threads(tmp_path):
    call = f"report_threads({str(tmp_path / 'shared')!r}, {SECONDS})"
    with ThreadPoolExecutor(2) as pool:
        for found in pool.map(report, [call] * 2):
            assert found["faults"] == []
            assert found["least"] > 0


@pytest.mark.skipif(sys.platform == "win32", reason="needs a timer that sends a signal")
@pytest.mark.parametrize("name", ["small", "long", "L-BFGS", "table", "partial_fit"])
def test_ctrl_c_at_any_moment(name):
    code = f"from helpers_interruptions import report; report({name!r}, {SIGNALS})"
    found = json.loads(run_python(code))
    print(name, found)
    assert found["faults"] == []
    assert sum(found["outcomes"].values()) == SIGNALS
    assert found["outcomes"].get("finished", 0) < SIGNALS
