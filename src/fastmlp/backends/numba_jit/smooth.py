# mypy: disable-error-code="no-untyped-def,no-untyped-call"
# (compiled functions take their types from their arguments)
"""Smooth activations: each takes a real z and returns f(z) and f'(z).

Those that fade like an exponential for z → −∞ are written with a = |z| ≤ ``FAR``: both sides then
come from one exp(−a), in which nothing overflows, and infinite z gives the limit. NaN stays NaN.
"""

from __future__ import annotations

from fastmlp.backends.numba_jit.exponential import exp, times_exp
from fastmlp.backends.numba_jit.exponential import tanh as hyperbolic_tangent
from fastmlp.backends.numba_jit.gaussian_tail import scaled_tail, times_gaussian
from fastmlp.backends.numba_jit.jit import kernel, scalar_kernel
from fastmlp.backends.numba_jit.logarithm import log1p_unit
from fastmlp.registry import ACTIVATIONS

__all__ = ["activate_smooth", "logistic", "softplus"]

#: From here on exp(−a), exp(−a²/2) and their products with a number of a's size are 0.
FAR, GAUSSIAN_FAR = 900, 40


@scalar_kernel
def logistic(z):
    """Return 1 / (1 + exp(-z)); where the exponential is infinite, that is 0."""
    one = type(z)(1)
    return one / (one + exp(-z))


@scalar_kernel
def logistic_unit(z):
    """Return h = logistic(z) and h (1 - h)."""
    h = logistic(z)
    return h, h * (type(z)(1) - h)


@scalar_kernel
def tanh(z):
    """Return h = tanh(z) and 1 - h²."""
    h = hyperbolic_tangent(z)
    return h, type(z)(1) - h * h


@scalar_kernel
def _size(z, limit):
    """Return min(|z|, limit); NaN stays."""
    a = abs(z)
    return type(z)(limit) if a > type(z)(limit) else a


@scalar_kernel
def softplus(z):
    """Return log(1 + exp(z)) = max(z, 0) + log(1 + exp(-|z|)), and logistic(z)."""
    zero, one = type(z)(0), type(z)(1)
    u = exp(-_size(z, FAR))
    share = one / (u + one)
    return (zero if z <= zero else z) + log1p_unit(u), u * share if z < zero else share


@scalar_kernel
def gelu(z):
    """Return z Φ(z) and Φ(z) + z φ(z).

    Hendrycks and Gimpel 2016, "Gaussian error linear units", from Φ(-a) = exp(-a²/2) R(a).
    """
    zero, one, density_at_0 = type(z)(0), type(z)(1), type(z)(0.3989422804014327)
    a = _size(z, GAUSSIAN_FAR)
    tail = scaled_tail(a)
    tail_slope = tail - a * density_at_0
    u = times_gaussian(one, a)
    h = times_gaussian(-a * tail, a) if z < zero else z * (one - u * tail)
    return h, times_gaussian(tail_slope, a) if z < zero else one - u * tail_slope


@scalar_kernel
def _gated_by_logistic(z, x, w, w_slope):
    """Return z logistic(w(z)) and its slope, for an odd w: x = |z|, w = w(x), w_slope = w'(x)."""
    zero, one = type(z)(0), type(z)(1)
    u = exp(-w)
    share = one / (u + one)
    bend = x * w_slope * share
    h = times_exp(-x * share, -w, zero) if z < zero else z * share
    left = times_exp(share * (one - bend), -w, zero)
    return h, left if z < zero else share * (one + u * bend)


@scalar_kernel
def silu(z):
    """Return z logistic(z) and its slope (Elfwing et al. 2018)."""
    x = _size(z, FAR)
    return _gated_by_logistic(z, x, x, type(z)(1))


@scalar_kernel
def gelu_tanh(z):
    """Return z/2 (1 + tanh(w/2)) = z logistic(w) and its slope, w = √(8/π) (z + 0.044715 z³)."""
    linear, cubic = type(z)(1.5957691216057308), type(z)(0.07135481627260025)
    x = _size(z, GAUSSIAN_FAR)
    square = x * x
    w = x * (cubic * square + linear)
    return _gated_by_logistic(z, x, w, type(z)(3) * cubic * square + linear)


@scalar_kernel
def mish(z):
    """Return z tanh(log(1 + exp(z))) and its slope (Misra 2020).

    With u = exp(-a) and D = ((1 + exp(z))² + 1) exp(-2 max(z, 0)), the tanh is u (2 + u)/D on the
    left and (1 + 2u)/D on the right, its derivative 4 u (1 + u)/D² and 4 u² (1 + u)/D².
    """
    zero, one, two, four = type(z)(0), type(z)(1), type(z)(2), type(z)(4)
    a = _size(z, FAR)
    u = exp(-a)
    inverse = one / (u * (two + u) + two if z < zero else two * u * (one + u) + one)
    bend = four * a * (one + u) * inverse * inverse
    left, right = (two + u) * inverse, (one + two * u) * inverse
    h = times_exp(-a * left, -a, zero) if z < zero else z * right
    return h, times_exp(left - bend, -a, zero) if z < zero else right + bend * u * u


@scalar_kernel
def softsign(z):
    """Return z / (1 + |z|) and 1 / (1 + |z|)²."""
    one, huge = type(z)(1), type(z)(1e18)  # from there on h rounds to ±1
    inverse = one / (abs(z) + one)
    h = z * inverse
    h = one if z > huge else h
    return -one if z < -huge else h, inverse * inverse


_LOGISTIC = ACTIVATIONS["logistic"].code
_TANH = ACTIVATIONS["tanh"].code
_SOFTPLUS = ACTIVATIONS["softplus"].code
_GELU = ACTIVATIONS["gelu"].code
_GELU_TANH = ACTIVATIONS["gelu_tanh"].code
_SILU = ACTIVATIONS["silu"].code
_MISH = ACTIVATIONS["mish"].code
_SOFTSIGN = ACTIVATIONS["softsign"].code


@kernel
def activate_smooth(activation, h, slope):  # noqa: PLR0912 - a loop for each
    """Turn z in ``h`` (n,) into f(z), ``slope`` (n,) into f'(z), for activations of this file."""
    # LLVM turns only a loop without choices into vectors.
    if activation == _LOGISTIC:
        for i in range(h.size):
            h[i], slope[i] = logistic_unit(h[i])
    elif activation == _TANH:
        for i in range(h.size):
            h[i], slope[i] = tanh(h[i])
    elif activation == _SOFTPLUS:
        for i in range(h.size):
            h[i], slope[i] = softplus(h[i])
    elif activation == _GELU:
        for i in range(h.size):
            h[i], slope[i] = gelu(h[i])
    elif activation == _GELU_TANH:
        for i in range(h.size):
            h[i], slope[i] = gelu_tanh(h[i])
    elif activation == _SILU:
        for i in range(h.size):
            h[i], slope[i] = silu(h[i])
    elif activation == _MISH:
        for i in range(h.size):
            h[i], slope[i] = mish(h[i])
    elif activation == _SOFTSIGN:
        for i in range(h.size):
            h[i], slope[i] = softsign(h[i])
