"""Where an allocation fails, be it any, there is a MemoryError, and the model is what it was."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest
from helpers_c import compile_c, compilers
from helpers_hard import so_many
from helpers_process import run_python

ACTS = [
    "fit",
    "first fit",
    "fit by L-BFGS",
    "fit with all options",
    "fit of a table",
    "first partial_fit",
    "partial_fit",
    "predict",
    "predict_proba of lists",
    "predict_proba of sparse rows",
    "Predictor",
    "call of a Predictor",
    "pickle",
    "save",
    "load",
]

#: Of each act so many allocations fail; in ``make hard`` all but of a table of 17,000.
MOST = so_many(60, 6_000)


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """What came of the allocations that failed, by act."""
    if sys.platform != "linux" or not os.confstr("CS_GNU_LIBC_VERSION"):
        pytest.skip("needs glibc, whose allocator can be replaced")
    source = Path(__file__).parent / "failing_malloc.c"
    folder = tmp_path_factory.mktemp("allocations")
    made = folder / "failing_malloc.so"
    compile_c(compilers()[0], "-std=c11", "-O2", "-shared", "-fPIC", source, "-o", made)
    code = f"from helpers_allocations import report; report({MOST}, {str(folder)!r})"
    found = run_python(code, timeout=None, LD_PRELOAD=str(made), PYTHONMALLOC="malloc")
    return json.loads(found)  # its children have limits of their own


@pytest.mark.parametrize("act", ACTS)
def test_an_allocation_that_fails(found, act):
    of_act = found[act]
    print(act, of_act)
    assert of_act["faults"] == []
    outcomes = of_act["outcomes"]
    assert sum(outcomes.values()) == min(of_act["made"], MOST)
    assert outcomes["MemoryError"] > 0
    assert "process ended by safetensors" not in outcomes or act in ("save", "load")


def test_every_act_is_tested(found):
    assert set(found) == set(ACTS)
