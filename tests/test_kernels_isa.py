"""Which instruction set the compiled backend uses, and who decides.

Every kernel test already runs once for each of them: see ``conftest.py``.
"""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from fastmlp.backends.compiled import CompiledBackend, available_isas


def isa_of_a_new_process(**environment: str) -> str:
    code = "from fastmlp.backends import get_backend; print(get_backend('compiled').isa)"
    search_path = os.pathsep.join(path for path in sys.path if path)
    variables = {**os.environ, "PYTHONPATH": search_path, **environment}
    command = [sys.executable, "-c", code]
    return subprocess.run(
        command, env=variables, check=True, capture_output=True, text=True, timeout=60
    ).stdout.strip()


@pytest.mark.parametrize("isa", available_isas())
def test_each_can_be_asked_for(isa):
    assert CompiledBackend(isa=isa).isa == isa
    assert isa_of_a_new_process(FASTMLP_ISA=isa) == isa


def test_the_fastest_is_the_default():
    assert isa_of_a_new_process(FASTMLP_ISA="") == available_isas()[-1]


def test_an_unknown_one_is_refused_by_the_variables_name(monkeypatch):
    monkeypatch.setenv("FASTMLP_ISA", "bogus")
    with pytest.raises(ValueError, match=r"FASTMLP_ISA must be one of .* got 'bogus'"):
        CompiledBackend()
