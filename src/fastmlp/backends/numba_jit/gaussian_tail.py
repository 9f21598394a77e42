# mypy: disable-error-code="no-untyped-def,no-untyped-call"
# (compiled functions take their types from their arguments)
"""R(a) = exp(a²/2) Φ(−a) for a ≥ 0, Φ the normal distribution: smooth, and it falls slowly.

(a + 5) R(a) is a polynomial in y = (a − 5)/(a + 5), a change of variable after Shepherd and
Laframboise (1981, "Chebyshev approximation of (1 + 2x) exp(x²) erfc x in 0 ≤ x < ∞").
``tools/minimax.py`` finds the coefficients and states their error.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import types
from numba.extending import overload
from scipy.special import erfcx

from fastmlp.backends.numba_jit.exponential import times_exp
from fastmlp.backends.numba_jit.jit import scalar_kernel

__all__ = ["COEFFICIENTS", "scaled_tail", "times_gaussian"]

_CENTRE = 5.0
#: Coefficients, that of y⁰ first.
COEFFICIENTS = {
    types.float32: (
        0.7691930532455444,
        -0.6653825044631958,
        0.4953064024448395,
        -0.3135339617729187,
        0.16500672698020935,
        -0.06911593675613403,
        0.020876578986644745,
        -0.002961386227980256,
        -0.0009715145570226014,
        0.0004050167044624686,
    ),
    types.float64: (
        0.769193049750063,
        -0.6653825028900566,
        0.495305615969977,
        -0.3135331566713157,
        0.16502036617036162,
        -0.06911863870595199,
        0.02079506680024128,
        -0.002993376775696421,
        -0.0007978694014714808,
        0.0005448991058744679,
        -5.937571131947397e-05,
        -4.9763010271046496e-05,
        1.6681144932394457e-05,
        3.981491338256024e-06,
        -2.769055347463762e-06,
        -3.377433064408215e-07,
        4.326865288589336e-07,
        4.361251257756948e-08,
        -6.531984051807041e-08,
        -1.021096871271694e-08,
        7.181954221724371e-09,
        2.0139209991934107e-09,
    ),
}


_REALS: dict[Any, Any] = {types.float32: np.float32, types.float64: np.float64}
_INTEGERS: dict[Any, Any] = {types.float32: np.int32, types.float64: np.int64}


def _make_scaled_tail(kind: Any) -> Any:
    """Return a ↦ R(a) in one precision."""
    real = _REALS[kind]
    coefficients = np.array(COEFFICIENTS[kind][::-1], dtype=real)
    centre, one, last = real(_CENTRE), real(1), len(coefficients) - 1

    @scalar_kernel
    def tail(a):
        inverse = one / (a + centre)
        y = (a - centre) * inverse
        total = coefficients[0]
        for k in range(last):
            total = total * y + coefficients[k + 1]
        return total * inverse

    return tail


def _make_times_gaussian(kind: Any) -> Any:
    """Return (factor, a) ↦ factor · exp(−a²/2) in one precision.

    The square is taken of the upper half of a's digits, which makes it exact; the rest goes beside
    it. Else its rounding would become an error of a²/4 ulp.
    """
    real, integer = _REALS[kind], _INTEGERS[kind]
    half, upper_half = real(0.5), integer(-1 << (np.finfo(real).nmant + 2) // 2)

    @scalar_kernel
    def times(factor, a):
        top = integer(real(a).view(integer) & upper_half).view(real)
        return times_exp(factor, -half * (top * top), half * (a - top) * (a + top))

    return times


_TAIL = {kind: _make_scaled_tail(kind) for kind in COEFFICIENTS}
_TIMES_GAUSSIAN = {kind: _make_times_gaussian(kind) for kind in COEFFICIENTS}


def scaled_tail(a: Any) -> Any:
    """Return R(a) in the precision of a."""
    return erfcx(a / np.sqrt(2)) / 2


def times_gaussian(factor: Any, a: Any) -> Any:
    """Return factor · exp(−a²/2) in the precision of a."""
    return factor * np.exp(-(a**2) / 2)


@overload(scaled_tail, jit_options={"forceinline": True})
def _overload_scaled_tail(a):
    return _TAIL[a].py_func


@overload(times_gaussian, jit_options={"forceinline": True})
def _overload_times_gaussian(factor, a):
    return _TIMES_GAUSSIAN[a].py_func
