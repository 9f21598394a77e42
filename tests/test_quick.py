"""``pytest --quick`` runs a few cases of each test, and names nothing that is gone."""

from __future__ import annotations

import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from helpers_quick import N_CASES, SLOW, is_usual, spread

from fastmlp.backends.compiled import available_isas

TESTS = Path(__file__).parent


@pytest.mark.parametrize("entry", sorted(SLOW))
def test_what_is_left_out_exists(entry):
    file, _, test = entry.partition("::")
    assert f"def {test or 'test_'}" in (TESTS / file).read_text(encoding="utf-8")


def test_first_last_and_between():
    assert spread("abcde", 3) == ["a", "c", "e"]
    assert spread("ab", 3) == ["a", "b"]
    assert spread([], 3) == []


def test_one_instruction_set_and_one_type():
    *others, best = available_isas()
    assert is_usual({"backend": f"compiled-{best}", "dtype": np.float32})
    assert is_usual({"name": "any", "size": 3})
    assert not is_usual({"backend": "numpy"})
    assert not is_usual({"backend": f"compiled-{best}", "dtype": np.float64})
    for isa in others:
        assert not is_usual({"compiled_backend": f"compiled-{isa}", "dtype": np.float32})


def test_cases_are_chosen_by_the_option():
    command = (
        "-m pytest -p no:cacheprovider --quick --collect-only -q tests/test_kernels_dropout.py"
    )
    run = subprocess.run(
        [sys.executable, *command.split()], cwd=TESTS.parent, stdout=-1, text=True, check=True
    )
    cases = [line for line in run.stdout.splitlines() if "::" in line]
    counts = Counter(case.partition("[")[0] for case in cases)
    assert len(counts) > 5
    assert 1 < max(counts.values()) <= N_CASES
    isas = {label for case in cases for label in re.findall(r"compiled-\w+", case)}
    assert isas == {f"compiled-{available_isas()[-1]}"}
    assert not [case for case in cases if "numba" in case or "numpy" in case]
