"""Activations as modules of PyTorch."""

from __future__ import annotations

from collections.abc import Callable

from torch import nn

__all__ = ["MODULES", "module_of"]

#: By the name in ``registry.ACTIVATIONS``.
MODULES: dict[str, Callable[[], nn.Module]] = {
    "identity": nn.Identity,
    "logistic": nn.Sigmoid,
    "tanh": nn.Tanh,
    "relu": nn.ReLU,
    "leaky_relu": nn.LeakyReLU,
    "elu": nn.ELU,
    "selu": nn.SELU,
    "softplus": nn.Softplus,
    "gelu": nn.GELU,
    "gelu_tanh": lambda: nn.GELU(approximate="tanh"),
    "silu": nn.SiLU,
    "mish": nn.Mish,
    "hard_sigmoid": nn.Hardsigmoid,
    "hard_swish": nn.Hardswish,
    "softsign": nn.Softsign,
}


def module_of(name: str) -> nn.Module:
    """Return an activation by its name."""
    return MODULES[name]()
