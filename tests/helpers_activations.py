"""Formulas of the activations with their slopes, for float64 arrays and mpmath's numbers alike.

Each takes an arithmetic and z and returns f(z) and f'(z). They are the textbook's, written so that
40 digits, or twice float32's, are enough everywhere.
"""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import mpmath
import numpy as np
from scipy.special import ndtr

#: Beyond, exp(-z) is 0 in the type of the arguments; exp(4 z) is still finite in the arithmetic.
_FAR = {"wide": 150, "exact": 2000}

WIDE = SimpleNamespace(
    exp=np.exp,
    expm1=np.expm1,
    log1p=np.log1p,
    normal=ndtr,
    pi=np.pi,
    where=np.where,
    cut=lambda z: np.clip(z, -_FAR["wide"], _FAR["wide"]),
)
EXACT = SimpleNamespace(
    exp=mpmath.exp,
    expm1=mpmath.expm1,
    log1p=mpmath.log1p,
    normal=mpmath.ncdf,
    pi=mpmath.pi,
    where=lambda condition, a, b: a if condition else b,
    cut=lambda z: min(max(z, -_FAR["exact"]), _FAR["exact"]),
)

Formula = Callable[[Any, Any], tuple[Any, Any]]


def leaky_relu(m: Any, z: Any) -> tuple[Any, Any]:
    leak = 0 * z + 1
    leak /= 100
    return m.where(z > 0, z, z * leak), m.where(z > 0, 0 * z + 1, leak)


def elu(m: Any, z: Any) -> tuple[Any, Any]:
    below = -abs(m.cut(z))
    return m.where(z > 0, z, m.expm1(below)), m.where(z > 0, 0 * z + 1, m.exp(below))


def _constant(digits: str, like: Any) -> Any:
    return mpmath.mpf(digits) if isinstance(like, mpmath.mpf) else float(digits)


def selu(m: Any, z: Any) -> tuple[Any, Any]:
    right = _constant("1.0507009873554804934193349852946", z)
    left = right * _constant("1.6732632423543772848170429916717", z)
    h, slope = elu(m, z)
    return m.where(z > 0, right, left) * h, m.where(z > 0, right, left) * slope


def softplus(m: Any, z: Any) -> tuple[Any, Any]:
    positive = (z + abs(z)) / 2
    return positive + m.log1p(m.exp(-abs(m.cut(z)))), 1 / (1 + m.exp(-m.cut(z)))


def _gated(m: Any, z: Any, gate: Any, gate_slope: Any) -> tuple[Any, Any]:
    return m.where(z > 0, z, m.cut(z)) * gate, gate + m.cut(z) * gate_slope


def gelu(m: Any, z: Any) -> tuple[Any, Any]:
    cut = m.cut(z)
    return _gated(m, z, m.normal(cut), m.exp(-(cut**2) / 2) / (2 * m.pi) ** 0.5)


def gelu_tanh(m: Any, z: Any) -> tuple[Any, Any]:
    cut, cubic = m.cut(z), _constant("0.044715", z)
    scale = (8 / m.pi) ** 0.5
    gate = 1 / (1 + m.exp(-m.cut(scale * (cut + cubic * cut**3))))
    return _gated(m, z, gate, gate * (1 - gate) * scale * (1 + 3 * cubic * cut**2))


def silu(m: Any, z: Any) -> tuple[Any, Any]:
    gate = 1 / (1 + m.exp(-m.cut(z)))
    return _gated(m, z, gate, gate * (1 - gate))


def mish(m: Any, z: Any) -> tuple[Any, Any]:
    e = m.exp(m.cut(z))
    n = e * (e + 2)  # tanh(log(1 + e)) = n/(n + 2)
    return _gated(m, z, n / (n + 2), 4 * e * (1 + e) / (n + 2) ** 2)


def _pieces(m: Any, z: Any, value: tuple[Any, Any], right: tuple[Any, Any]) -> tuple[Any, Any]:
    """Return 0 for z ≤ -3, ``right`` for z ≥ 3, else ``value``."""
    h, slope = (
        m.where(z >= 3, r, m.where(z <= -3, 0 * z, v)) for v, r in zip(value, right, strict=True)
    )
    return h, slope


def hard_sigmoid(m: Any, z: Any) -> tuple[Any, Any]:
    one = 0 * z + 1
    return _pieces(m, z, ((z + 3) / 6, one / 6), (one, 0 * z))


def hard_swish(m: Any, z: Any) -> tuple[Any, Any]:
    cut = m.cut(z)
    return _pieces(m, z, (cut * (cut + 3) / 6, (2 * cut + 3) / 6), (z, 0 * z + 1))


def softsign(m: Any, z: Any) -> tuple[Any, Any]:
    return z / (1 + abs(z)), (1 / (1 + abs(z))) ** 2


FORMULAS: dict[str, Formula] = {
    formula.__name__: formula
    for formula in (
        leaky_relu,
        elu,
        selu,
        softplus,
        gelu,
        gelu_tanh,
        silu,
        mish,
        hard_sigmoid,
        hard_swish,
        softsign,
    )
}


def table(arithmetic: Any) -> dict[str, Callable[[Any], Any]]:
    """Return every f under its name and every f' under "name slope", as functions of z alone."""
    functions = {}
    for name, formula in FORMULAS.items():
        functions[name] = lambda z, formula=formula: formula(arithmetic, z)[0]
        functions[f"{name} slope"] = lambda z, formula=formula: formula(arithmetic, z)[1]
    return functions
