# mypy: disable-error-code="no-untyped-def,no-untyped-call"
# (compiled functions take their types from their arguments)
"""R(a) = exp(a²/2) Φ(−a) for a ≥ 0, Φ the normal distribution: smooth, and it falls slowly.

(a + 5) R(a) is a polynomial in y = (a − 5)/(a + 5), a change of variable after Shepherd and
Laframboise (1981, "Chebyshev approximation of (1 + 2x) exp(x²) erfc x in 0 ≤ x < ∞").
``tools/gaussian_tail.py`` finds the coefficients and states their error.
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
        0.49530544877052307,
        -0.31353428959846497,
        0.16502302885055542,
        -0.0691034197807312,
        0.020787961781024933,
        -0.0030719833448529243,
        -0.0008426412823610008,
        0.0006724021513946354,
        0.00011338889453327283,
    ),
    types.float64: (
        0.769193049750063,
        -0.6653825028900568,
        0.4953056159699761,
        -0.31353315667128745,
        0.16502036617040713,
        -0.06911863870687814,
        0.020795066799260343,
        -0.002993376761868743,
        -0.0007978693892958589,
        0.0005448989927584027,
        -5.9375807358891235e-05,
        -4.976245616870157e-05,
        1.6681639595174005e-05,
        3.97980489932909e-06,
        -2.7707204135122383e-06,
        -3.345738518771817e-07,
        4.362925568222539e-07,
        4.0177962891473734e-08,
        -7.014220631960926e-08,
        -8.555696628254633e-09,
        1.0797345335746256e-08,
        2.220848621773149e-09,
        -1.160886448380309e-09,
        -3.81618035300424e-10,
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
