"""The kernels' polynomials are those that the tool finds, and approximate what they should."""

from __future__ import annotations

import importlib.util
import sys
from functools import cache
from pathlib import Path

import mpmath
import numpy as np
import pytest

from fastmlp.backends.numba_jit.gaussian_tail import COEFFICIENTS

ROOT = Path(__file__).parents[1]
#: Of the function, in eps, before the coefficients are rounded.
LARGEST_ERROR = 0.12


def load_tool():
    spec = importlib.util.spec_from_file_location("minimax", ROOT / "tools" / "minimax.py")
    tool = sys.modules["minimax"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    return tool


TOOL = load_tool()


@cache
def rounded(name: str, dtype: np.dtype) -> tuple[list[float], float]:
    with mpmath.workdps(TOOL.DIGITS):
        values, error = TOOL.coefficients_of(TOOL.CASES[name], dtype.type)
    return [float(value) for value in values], error


def test_the_c_source_is_what_the_tool_prints():
    with mpmath.workdps(TOOL.DIGITS):
        assert (ROOT / "csrc" / "base" / "series.inc").read_text() == TOOL.c_source()


def test_the_numba_backend_has_the_same_tail(dtype):
    tables = {str(kind): list(table) for kind, table in COEFFICIENTS.items()}
    assert tables[dtype.name] == rounded("tail_series", dtype)[0]


@pytest.mark.parametrize("name", TOOL.CASES)
def test_the_error_is_small_between_the_points_of_the_tool_too(name, dtype):
    values, error = rounded(name, dtype)
    assert 0 < error < LARGEST_ERROR
    case = TOOL.CASES[name]
    with mpmath.workdps(TOOL.DIGITS):
        low, high = case.interval(dtype.type)
        # Shares of an irrational number, so that no point lies on the tool's grid.
        for share in (0.1 * mpmath.sqrt(2) * k for k in range(7)):
            x = low + (high - low) * share
            off = TOOL.polynomial(values, x) - case.function(x)
            assert abs(case.weight(x) * off) < np.finfo(dtype).eps


@pytest.mark.parametrize("a", [0, 0.25, 1, 3, 5, 9, 14])
def test_the_tail_is_the_normal_distributions(dtype, a):
    with mpmath.workdps(TOOL.DIGITS):
        y = mpmath.mpf(a - 5) / (a + 5)
        polynomial = TOOL.polynomial(rounded("tail_series", dtype)[0], y)
        tail = mpmath.exp(-(mpmath.mpf(a) ** 2) / 2) * polynomial / (a + 5)
        assert abs(tail / mpmath.ncdf(-a) - 1) < 2 * np.finfo(dtype).eps
