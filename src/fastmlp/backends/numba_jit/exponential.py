# mypy: disable-error-code="no-untyped-def,no-untyped-call"
# (compiled functions take their types from their arguments)
"""exp, expm1 and tanh without branches or calls: LLVM turns a loop over them into vectors.

All write x = n ln 2 + r with |r| ≤ ln 2 / 2 (Cody and Waite, 1980, "Software Manual for the
Elementary Functions"), sum Taylor's series of exp(r), whose remainder is below a quarter ulp at the
chosen degree, and scale by 2ⁿ through the bits of the exponent. Errors are at most 2 ulp for exp
and 4 ulp for tanh.
"""

from __future__ import annotations

from decimal import Decimal, localcontext
from math import factorial
from typing import Any, NamedTuple

import numpy as np
from numba import types
from numba.extending import overload

from fastmlp.backends.numba_jit.jit import scalar_kernel

__all__ = ["exp", "expm1_of_negative", "split_ln2", "tanh", "times_exp"]


class _Format(NamedTuple):
    """What the algorithm must know of a floating-point format."""

    real: Any
    integer: Any
    mantissa_bits: int
    exponent_bias: int
    split_bits: int  # of ln 2's high part, so that n times it is exact
    degree: int  # of the series
    decayed: float  # exp rounds to 0 below, and so does its product with a number of x's size
    highest: float  # exp is infinite above
    saturation: float  # exp(x) - 1 rounds to -1 below


_SINGLE = _Format(np.float32, np.int32, 23, 127, 9, 7, -120.0, 89.0, -20.0)
_DOUBLE = _Format(np.float64, np.int64, 52, 1023, 32, 13, -800.0, 710.0, -40.0)


def split_ln2(bits: int) -> tuple[float, float]:
    """Return ln 2 as a part of ``bits`` bits and the rest."""
    with localcontext() as context:
        context.prec = 60
        ln2 = Decimal(2).ln()
        high = Decimal(round(ln2 * 2**bits)) / 2**bits
        return float(high), float(ln2 - high)


def _make_reduce(form: _Format) -> Any:
    """Return (x, excess) ↦ (n, exp(r) − 1), x − excess = n ln 2 + r.

    A difference too fine for one real can be given as two, ``excess`` the small one.
    """
    real = form.real
    log2_e, (ln2_high, ln2_low) = real(1 / np.log(2)), map(real, split_ln2(form.split_bits))
    # Added to a small number, this leaves its nearest integer in the lowest bits. A conversion
    # would do as well, but is undefined for NaN.
    rounder = real(1.5 * 2.0**form.mantissa_bits)
    rounder_bits = rounder.view(form.integer)
    integer, last = form.integer, form.degree - 1
    coefficients = np.array([1 / factorial(k) for k in range(form.degree, 0, -1)], dtype=real)

    @scalar_kernel
    def reduce(x, excess):
        shifted = (x - excess) * log2_e + rounder
        n = shifted - rounder
        r = ((x - n * ln2_high) - n * ln2_low) - excess
        series = coefficients[0]
        for k in range(last):
            series = series * r + coefficients[k + 1]
        return integer(real(shifted).view(integer) - rounder_bits), series * r

    return reduce


def _make_power_of_two(form: _Format) -> Any:
    """Return n ↦ 2ⁿ for the exponents of normal numbers."""
    real, integer = form.real, form.integer
    bias, shift = integer(form.exponent_bias), integer(form.mantissa_bits)

    @scalar_kernel
    def power_of_two(n):
        return integer((n + bias) << shift).view(real)

    return power_of_two


def _make_times_exp(form: _Format, reduce: Any, power_of_two: Any) -> Any:
    """Return (factor, x, excess) ↦ factor · exp(x − excess) for one format.

    It is scaled last, so it keeps its digits where the exponential alone would be subnormal. Below
    ``decayed`` the result is 0, unless the factor is of another size than x.
    """
    decayed, highest = form.real(form.decayed), form.real(form.highest)
    one, unit, integer = form.real(1), form.integer(1), form.integer

    @scalar_kernel
    def times_exponential(factor, x, excess):
        x = decayed if x < decayed else x  # written so that NaN passes
        x = highest if x > highest else x
        n, rest = reduce(x, excess)
        # Two powers reach infinity and the subnormal numbers, one does not.
        half = integer(n >> unit)
        return factor * (rest + one) * power_of_two(half) * power_of_two(integer(n - half))

    return times_exponential


def _make_expm1_of_negative(form: _Format, reduce: Any, power_of_two: Any) -> Any:
    """Return x ↦ exp(x) − 1 for x ≤ 0."""
    saturation, zero, one = map(form.real, (form.saturation, 0, 1))

    @scalar_kernel
    def exponential_minus_one(x):
        x = saturation if x < saturation else x
        n, rest = reduce(x, zero)
        scale = power_of_two(n)
        return rest * scale + (scale - one)

    return exponential_minus_one


def _make_tanh(form: _Format, expm1: Any) -> Any:
    """Return tanh(x) = ∓t / (t + 2) with t = exp(−2|x|) − 1, in which nothing cancels."""
    zero, two = form.real(0), form.real(2)

    @scalar_kernel
    def hyperbolic_tangent(x):
        y = -two * x if x > zero else two * x
        t = expm1(y)
        h = t / (t + two)
        return -h if x > zero else h

    return hyperbolic_tangent


_BY_TYPE = {types.float32: _SINGLE, types.float64: _DOUBLE}
_REDUCE = {kind: _make_reduce(form) for kind, form in _BY_TYPE.items()}
_POWER = {kind: _make_power_of_two(form) for kind, form in _BY_TYPE.items()}
_TIMES_EXP = {kind: _make_times_exp(f, _REDUCE[kind], _POWER[kind]) for kind, f in _BY_TYPE.items()}
_EXPM1 = {
    kind: _make_expm1_of_negative(f, _REDUCE[kind], _POWER[kind]) for kind, f in _BY_TYPE.items()
}
_TANH = {kind: _make_tanh(form, _EXPM1[kind]) for kind, form in _BY_TYPE.items()}


def times_exp(factor: Any, x: Any, excess: Any) -> Any:
    """Return factor · exp(x − excess) in the precision of x."""
    return factor * np.exp(x - excess)


def exp(x: Any) -> Any:
    """Return eˣ in the precision of x."""
    return np.exp(x)


def expm1_of_negative(x: Any) -> Any:
    """Return eˣ − 1 in the precision of x ≤ 0."""
    return np.expm1(x)


def tanh(x: Any) -> Any:
    """Return tanh(x) in the precision of x."""
    return np.tanh(x)


@overload(times_exp, jit_options={"forceinline": True})
def _overload_times_exp(factor, x, excess):
    return _TIMES_EXP[x].py_func


@overload(exp, jit_options={"forceinline": True})
def _overload_exp(x):
    times_exponential = _TIMES_EXP[x]
    one, zero = _BY_TYPE[x].real(1), _BY_TYPE[x].real(0)

    def exponential(x):
        return times_exponential(one, x, zero)

    return exponential


@overload(expm1_of_negative, jit_options={"forceinline": True})
def _overload_expm1_of_negative(x):
    return _EXPM1[x].py_func


@overload(tanh, jit_options={"forceinline": True})
def _overload_tanh(x):
    return _TANH[x].py_func
