"""Functions of one number, as operators of ONNX."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
from scipy.special import erfcx

from fastmlp.export.onnx.graph import Graph

__all__ = ["activation", "share_below"]

Function = Callable[[Graph, str, np.dtype], str]


def activation(graph: Graph, name: str, z: str, dtype: np.dtype) -> str:
    """Return an activation of ``registry.ACTIVATIONS``, by its name, of a tensor z."""
    wide = _WIDE_FORMULAS.get(name) if dtype == np.float64 else None
    if (formula := wide or _FORMULAS.get(name)) is not None:
        return formula(graph, z, dtype)
    kind, attributes = _OPERATORS[name]
    return graph.op(kind, z, **attributes)


#: Activations that are an operator of opset 18. Attributes are numbers of float32.
_OPERATORS: dict[str, tuple[str, dict[str, Any]]] = {
    "identity": ("Identity", {}),
    "logistic": ("Sigmoid", {}),
    "tanh": ("Tanh", {}),
    "relu": ("Relu", {}),
    "leaky_relu": ("LeakyRelu", {"alpha": 0.01}),
    "elu": ("Elu", {}),
    "selu": ("Selu", {}),
    "softplus": ("Softplus", {}),
    "softsign": ("Softsign", {}),
    "hard_sigmoid": ("HardSigmoid", {"alpha": 1 / 6, "beta": 0.5}),
    "hard_swish": ("HardSwish", {}),
    "mish": ("Mish", {}),
}


def _silu(graph: Graph, z: str, dtype: np.dtype) -> str:
    return graph.op("Mul", z, graph.op("Sigmoid", z))


def _gelu(graph: Graph, z: str, dtype: np.dtype) -> str:
    return graph.op("Mul", z, share_below(graph, z, dtype))


def _gelu_tanh(graph: Graph, z: str, dtype: np.dtype) -> str:
    """z (1 + tanh u) / 2, u = √(2/π) (z + 0.044715 z³), by the logistic function of 2u."""
    cubic = graph.op("Mul", graph.op("Mul", z, z), dtype.type(0.044715))
    inner = graph.op("Mul", z, graph.op("Add", cubic, dtype.type(1)))
    gate = graph.op("Sigmoid", graph.op("Mul", inner, dtype.type(2 * np.sqrt(2 / np.pi))))
    return graph.op("Mul", z, gate)


#: Activations that are several operators of opset 18. (Gelu is one of opset 20.)
_FORMULAS: dict[str, Function] = {"silu": _silu, "gelu": _gelu, "gelu_tanh": _gelu_tanh}


def _leaky_relu(graph: Graph, z: str, dtype: np.dtype) -> str:
    return graph.op("PRelu", z, dtype.type(0.01))


def _selu(graph: Graph, z: str, dtype: np.dtype) -> str:
    below = graph.op("Mul", graph.op("Elu", z), dtype.type(1.6732632423543772))
    is_above = graph.op("Greater", z, dtype.type(0))
    return graph.op("Mul", graph.op("Where", is_above, z, below), dtype.type(1.0507009873554805))


def _hard_sigmoid(graph: Graph, z: str, dtype: np.dtype) -> str:
    cut = graph.op("Clip", graph.op("Add", z, dtype.type(3)), dtype.type(0), dtype.type(6))
    return graph.op("Div", cut, dtype.type(6))


def _hard_swish(graph: Graph, z: str, dtype: np.dtype) -> str:
    return graph.op("Mul", z, _hard_sigmoid(graph, z, dtype))


def _softplus(graph: Graph, z: str, dtype: np.dtype) -> str:
    """Return log(1 + exp(z)); ONNX Runtime's own operator overflows in float64 from 710 on."""
    decay = graph.op("Exp", graph.op("Neg", graph.op("Abs", z)))
    rest = graph.op("Log", graph.op("Add", decay, dtype.type(1)))
    return graph.op("Add", graph.op("Relu", z), rest)


def _wide_silu(graph: Graph, z: str, dtype: np.dtype) -> str:
    """Return z / (1 + exp(-z)).

    ONNX Runtime 1.20 to 1.30 make one operator of a product with Sigmoid, and lack it for doubles.
    """
    return graph.op("Div", z, graph.op("Add", graph.op("Exp", graph.op("Neg", z)), dtype.type(1)))


#: Formulas that keep the digits of float64, and its range.
_WIDE_FORMULAS: dict[str, Function] = {
    "silu": _wide_silu,
    "leaky_relu": _leaky_relu,
    "selu": _selu,
    "softplus": _softplus,
    "hard_sigmoid": _hard_sigmoid,
    "hard_swish": _hard_swish,
}


def share_below(graph: Graph, x: str, dtype: np.dtype) -> str:
    """Return the share of a standard normal distribution that is below each x."""
    if dtype == np.float64:
        return _share_below_in_float64(graph, x)
    erf = graph.op("Erf", graph.op("Mul", x, dtype.type(np.sqrt(0.5))))
    return graph.op("Mul", graph.op("Add", erf, dtype.type(1)), dtype.type(0.5))


def _share_below_in_float64(graph: Graph, x: str) -> str:
    """Return the same in float64, for which ONNX Runtime has no Erf.

    With y = |x| / √2 and t = 2 / (2 + y), the share below -|x| is exp(-y²) t h(t) / 2, where
    h(t) = erfcx(y) / t is smooth, so a polynomial.
    """
    number = np.float64
    y = graph.op("Mul", graph.op("Abs", x), number(np.sqrt(0.5)))
    t = graph.op("Div", number(2), graph.op("Add", y, number(2)))
    u = graph.op("Sub", graph.op("Mul", t, number(2)), number(1))
    *coefficients, last = _coefficients()
    h = graph.op("Add", graph.op("Mul", u, number(last)), number(coefficients.pop()))
    for each in reversed(coefficients):
        h = graph.op("Add", graph.op("Mul", h, u), number(each))
    bell = graph.op("Exp", graph.op("Neg", graph.op("Mul", y, y)))
    tail = graph.op("Mul", graph.op("Mul", bell, t), graph.op("Mul", h, number(0.5)))
    is_below = graph.op("Less", x, number(0))
    return graph.op("Where", is_below, tail, graph.op("Sub", number(1), tail))


@cache
def _coefficients() -> tuple[float, ...]:
    """Return the coefficients of the polynomial h in u = 2t - 1, exact to some 10⁻¹⁵."""
    fitted = np.polynomial.Chebyshev.interpolate(
        lambda t: erfcx((2 - 2 * t) / t) / t, deg=26, domain=[0, 1]
    )
    in_powers = fitted.convert(kind=np.polynomial.Polynomial, domain=[0, 1], window=[-1, 1])
    return tuple(in_powers.coef.tolist())
