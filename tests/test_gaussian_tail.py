"""The polynomial of the Gaussian tail: in C, in the Numba backend, and as the tool finds it."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import mpmath
import numpy as np
import pytest

from fastmlp.backends.numba_jit.gaussian_tail import COEFFICIENTS

ROOT = Path(__file__).parents[1]


def load_tool():
    spec = importlib.util.spec_from_file_location("tool", ROOT / "tools" / "gaussian_tail.py")
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    return tool


def in_c(dtype: np.dtype) -> list[float]:
    """Return the coefficients in the C source; float64's table stands first."""
    text = (ROOT / "csrc" / "gaussian_tail.inc").read_text()
    tables = re.findall(r"tail_series\[\] = \{(.*?)\}", text, flags=re.DOTALL)
    table = tables[0 if dtype == np.float64 else 1]
    return [float.fromhex(digits) for digits in re.findall(r"-?0x[0-9a-f.]+p[-+]?\d+", table)]


def in_python(dtype: np.dtype) -> list[float]:
    return [
        float(value)
        for kind, table in COEFFICIENTS.items()
        for value in table
        if str(kind) == dtype.name
    ]


def test_both_tables_are_what_the_tool_finds(dtype):
    with mpmath.workdps(50):
        values, error = load_tool().coefficients_of(dtype.type)
    assert in_c(dtype) == in_python(dtype) == [float(value) for value in values]
    assert error < 0.05


@pytest.mark.parametrize("a", [0, 0.25, 1, 3, 5, 9, 14])
def test_the_polynomial_is_the_tail(dtype, a):
    with mpmath.workdps(50):
        y = mpmath.mpf(a - 5) / (a + 5)
        polynomial = mpmath.fsum(value * y**power for power, value in enumerate(in_c(dtype)))
        tail = mpmath.exp(-(mpmath.mpf(a) ** 2) / 2) * polynomial / (a + 5)
        assert abs(tail / mpmath.ncdf(-a) - 1) < 2 * np.finfo(dtype).eps
