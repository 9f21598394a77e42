"""A sequence of PyTorch's modules as layers of numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from torch import nn

from fastmlp.plan.layout import NORMALIZATION_EPSILON
from fastmlp.validation import check_module_numbers, check_modules, raise_module

__all__ = ["Layer", "Network", "Norm", "read"]


@dataclass(frozen=True, eq=False)
class Norm:
    """A normalisation.

    Attributes
    ----------
    kind : {"batch", "layer", "group"}
    n_groups : int
    gains, shifts : ndarray, shape (O,)
    mean, variance : ndarray, shape (O,), or None
        Running statistics, of batch normalisation.
    """

    kind: str
    n_groups: int
    gains: np.ndarray
    shifts: np.ndarray
    mean: np.ndarray | None = None
    variance: np.ndarray | None = None


@dataclass(eq=False)
class Layer:
    """A product and what follows it.

    Attributes
    ----------
    weights : ndarray, shape (I, O)
    biases : ndarray, shape (O,)
    norm : Norm or None
    activation : str or None
        None as long as there is none.
    dropout : float
        Of its inputs.
    """

    weights: np.ndarray
    biases: np.ndarray
    norm: Norm | None = None
    activation: str | None = None
    dropout: float = 0.0


@dataclass(eq=False)
class Network:
    """Layers, and what makes predictions of the last one's outputs.

    Attributes
    ----------
    layers : list of Layer
    link : {"", "softmax", "logistic"}
    """

    layers: list[Layer] = field(default_factory=list)
    link: str = ""
    _dropout: float = 0.0

    # Each of these takes a module and says why it can't be where it is, or "".

    def take_linear(self, module: Any) -> str:
        """Begin a layer."""
        if self.link:
            return "it comes after the function of the outputs"
        weights = _array(module.weight).T
        biases = np.zeros_like(weights[0]) if module.bias is None else _array(module.bias)
        if self.layers and len(self.layers[-1].biases) != len(weights):
            return f"it takes {len(weights)} inputs but gets {len(self.layers[-1].biases)}"
        self.layers.append(Layer(weights, biases, dropout=self._dropout))
        self._dropout = 0.0
        return ""

    def take_norm(self, module: Any) -> str:
        """Give the last layer a normalisation."""
        last = self.layers[-1] if self.layers else None
        if last is None or last.norm or last.activation or self._dropout or self.link:
            return "in fastmlp a normalisation must come right after nn.Linear"
        trouble, norm = _norm(module, len(last.biases))
        last.norm = norm
        return trouble

    def take_activation(self, name: str) -> str:
        """Give the last layer an activation."""
        last = self.layers[-1] if self.layers else None
        if last is None or last.activation or self._dropout or self.link:
            return "in fastmlp an activation must come after nn.Linear or its normalisation"
        last.activation = name
        return ""

    def take_dropout(self, module: Any) -> str:
        """Drop some of the next layer's inputs."""
        if self._dropout or self.link:
            return "fastmlp has neither two nn.Dropout in a row nor one after the outputs"
        self._dropout = float(module.p)
        return ""

    def take_link(self, name: str, dim: Any) -> str:
        """Make probabilities of the outputs."""
        if not self.layers or self.link or dim not in (1, -1):
            return "it must come at the end, with dim=-1"
        self.link = name
        return ""


def _array(tensor: Any) -> np.ndarray:
    array: np.ndarray = tensor.detach().cpu().numpy().copy()
    return array


def _norm(module: Any, width: int) -> tuple[str, Norm | None]:
    """Return what is wrong with a normalisation of so many units, or it."""
    n_features = {
        nn.BatchNorm1d: lambda: module.num_features,
        nn.GroupNorm: lambda: module.num_channels,
        nn.LayerNorm: lambda: module.normalized_shape[0] * (len(module.normalized_shape) == 1),
    }[type(module)]()
    if n_features != width:
        return f"it does not fit the {width} outputs before it", None
    if not np.isclose(module.eps, NORMALIZATION_EPSILON, rtol=1e-6):
        return f"its eps is {module.eps:g}, and fastmlp has {NORMALIZATION_EPSILON:g}", None
    gains = np.ones(width) if module.weight is None else _array(module.weight)
    bias = getattr(module, "bias", None)
    shifts = np.zeros(width) if bias is None else _array(bias)
    if type(module) is nn.LayerNorm:
        return "", Norm("layer", 1, gains, shifts)
    if type(module) is nn.GroupNorm:
        return "", Norm("group", module.num_groups, gains, shifts)
    if module.running_mean is None:
        return "it keeps no running statistics, which fastmlp needs to predict", None
    statistics = _array(module.running_mean), _array(module.running_var)
    return "", Norm("batch", 1, gains, shifts, *statistics)


#: Activations without options, and with: what these must be, and the name in fastmlp.
_ACTIVATIONS: dict[type[nn.Module], tuple[tuple[dict[str, Any], str], ...]] = {
    nn.Sigmoid: (({}, "logistic"),),
    nn.Tanh: (({}, "tanh"),),
    nn.ReLU: (({}, "relu"),),
    nn.LeakyReLU: (({"negative_slope": 0.01}, "leaky_relu"),),
    nn.ELU: (({"alpha": 1.0}, "elu"),),
    nn.SELU: (({}, "selu"),),
    nn.Softplus: (({"beta": 1.0, "threshold": 20.0}, "softplus"),),
    nn.GELU: (({"approximate": "none"}, "gelu"), ({"approximate": "tanh"}, "gelu_tanh")),
    nn.SiLU: (({}, "silu"),),
    nn.Mish: (({}, "mish"),),
    nn.Hardsigmoid: (({}, "hard_sigmoid"),),
    nn.Hardswish: (({}, "hard_swish"),),
    nn.Softsign: (({}, "softsign"),),
}


def read(module: Any) -> Network:
    """Return a sequence of modules as layers."""
    found = Network()
    modules = list(_flat(module, ""))
    check_modules(module, [each for _, each in modules], isinstance(module, nn.Sequential))
    for number, (place, each) in enumerate(modules):
        trouble = _take(found, each, is_last=number == len(modules) - 1)
        if trouble:
            raise_module(place, each, trouble)
    last = found.layers[-1] if found.layers else None
    ends = last is not None and not (last.norm or last.activation or found._dropout)
    if not ends:
        raise_module(*modules[-1], "the last module must be nn.Linear, nn.Softmax or nn.Sigmoid")
    check_module_numbers({str(each.dtype) for each in module.parameters()}, found.layers)
    return found


def _flat(module: Any, place: str) -> Iterator[tuple[str, Any]]:
    """Yield the modules of nested sequences with their places."""
    if type(module) is not nn.Sequential:
        yield place, module
        return
    for name, each in module._modules.items():  # named_children leaves out what comes again
        yield from _flat(each, f"{place}.{name}" if place else name)


def _take(found: Network, module: Any, *, is_last: bool) -> str:
    """Add a module; return why it can't be added, or ""."""
    kind = type(module)
    if kind is nn.Sigmoid and is_last:
        return found.take_link("logistic", -1)
    if kind in _TAKEN:
        return _TAKEN[kind](found, module)
    for options, name in _ACTIVATIONS.get(kind, ()):
        if all(getattr(module, each) == value for each, value in options.items()):
            return found.take_activation(name)
    if kind in _ACTIVATIONS:
        return "fastmlp has it with PyTorch's default options only"
    return "fastmlp has no such layer"


def _flatten(found: Network, module: Any) -> str:
    return "fastmlp flattens rows before the first layer only" if found.layers else ""


#: What becomes of the other modules.
_TAKEN: dict[type[nn.Module], Callable[[Network, Any], str]] = {
    nn.Linear: Network.take_linear,
    nn.BatchNorm1d: Network.take_norm,
    nn.LayerNorm: Network.take_norm,
    nn.GroupNorm: Network.take_norm,
    nn.Dropout: Network.take_dropout,
    nn.Flatten: _flatten,
    nn.Identity: lambda found, module: "",
    nn.Softmax: lambda found, module: found.take_link("softmax", module.dim),
    nn.LogSoftmax: lambda found, module: found.take_link("softmax", module.dim),
}
