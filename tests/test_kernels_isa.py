"""Which instruction set the compiled backend uses, and who decides.

Every kernel test already runs once for each of them: see ``conftest.py``.
"""

from __future__ import annotations

import numpy as np
import pytest
from helpers_process import run_python

from fastmlp.backends.compiled import CompiledBackend, available_isas


def isa_of_a_new_process(**environment: str) -> str:
    code = "from fastmlp.backends import get_backend; print(get_backend('compiled').isa)"
    return run_python(code, **environment).strip()


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


#: Lanes of a register of float32.
LANES = {"v2": 4, "v3": 8, "v4": 16, "neon": 4}


@pytest.mark.parametrize("isa", available_isas())
def test_the_peak_is_measured_with_enough_independent_sums(isa):
    """Two units of latency 4 or 5 need ten sums under way; fewer would understate the peak."""
    operations = CompiledBackend(isa).kernels(np.dtype(np.float32)).fma_rounds(1)
    assert operations / (2 * LANES[isa]) >= 10
