"""Plain networks as ``nn.Sequential``."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import nn

from fastmlp.export.program import Program
from fastmlp.export.steps import Activate, Dense, Link, Normalize
from fastmlp.export.table_steps import Affine, BothClasses
from fastmlp.export.torch.activations import module_of
from fastmlp.export.values import Step
from fastmlp.network import Network
from fastmlp.plan.layout import NORMALIZATION_EPSILON
from fastmlp.registry import ACTIVATIONS

__all__ = ["sequential"]


def sequential(network: Network, program: Program) -> nn.Sequential | None:
    """Return a network as a sequence of PyTorch's own modules; None if there is no such."""
    if not _is_plain(network, program):
        return None
    last = {type(step): step for step in program.steps}
    modules: list[nn.Module] = []
    for index in range(len(network.weights)):
        weights, biases = _weights(network, index, last)
        modules.append(_linear(weights, biases, network.dtype))
        if index < len(network.weights) - 1:
            modules += _hidden(network, index)
    link = last.get(Link)
    if link is not None:
        assert isinstance(link, Link)
        one = link.function == "logistic" and BothClasses not in last
        modules.append(nn.Sigmoid() if one else nn.Softmax(dim=-1))
    return nn.Sequential(*modules)


def _is_plain(network: Network, program: Program) -> bool:
    """Return whether the steps are layers one after the other that PyTorch has too."""
    plan, steps = network.plan, program.steps
    if plan.columns or plan.n_members > 1 or "deviations" in program.answers:
        return False
    n_products = sum(isinstance(step, Dense) for step in steps)
    return n_products == len(network.weights) and all(map(_is_known, steps))


def _is_known(step: Step) -> bool:
    if isinstance(step, Activate):
        return step.shares is None
    if isinstance(step, Link):
        return step.function in ("softmax", "logistic")
    return isinstance(step, (Dense, Normalize, BothClasses, Affine))


def _weights(
    network: Network, index: int, last: dict[type[Step], Step]
) -> tuple[np.ndarray, np.ndarray]:
    """Return a layer's weights (I, O) and biases (O,), with what PyTorch has no module for.

    These are the factors of the inputs, the way back to the unit of y, and the second one of two
    classes: its logit becomes the second of two, of which the first is 0.
    """
    w, b = network.weights[index], network.biases[index]
    scales = network.scales
    if index == 0 and scales is not None:
        w = w.astype(np.float64) * scales[:, np.newaxis]
    if index < len(network.weights) - 1:
        return w, b
    back = last.get(Affine)
    if isinstance(back, Affine):
        w = w.astype(np.float64) * back.factors
        b = b.astype(np.float64) * back.factors + back.summands
    if BothClasses in last:
        w, b = np.hstack([np.zeros_like(w), w]), np.hstack([np.zeros_like(b), b])
    return w, b


def _linear(weights: np.ndarray, biases: np.ndarray, dtype: np.dtype) -> nn.Linear:
    module = nn.Linear(*weights.shape)
    _fill(module, weight=weights.T, bias=biases)
    return module.to(torch.float64 if dtype == np.float64 else torch.float32)


def _fill(module: Any, **arrays: Any) -> None:
    """Let parameters and buffers of a module be arrays."""
    with torch.no_grad():
        for name, array in arrays.items():
            tensor = torch.tensor(np.ascontiguousarray(array))
            present = getattr(module, name)
            if isinstance(present, nn.Parameter):
                setattr(module, name, nn.Parameter(tensor))
            else:
                setattr(module, name, tensor)


def _hidden(network: Network, index: int) -> list[nn.Module]:
    """Return what follows the weights of a hidden layer."""
    layer = network.plan.layers[index]
    modules: list[nn.Module] = []
    norm = _norm(network, index)
    if norm is not None:
        modules.append(norm)
    name = ACTIVATIONS.by_code(layer["activation"]).name
    return [*modules, module_of(name)] if name != "identity" else modules


def _norm(network: Network, index: int) -> nn.Module | None:
    kind, width = network.normalizations[index], network.layer_sizes[index + 1]
    if kind == "none":
        return None
    arrays = {"weight": network.norm_gains[index], "bias": network.norm_shifts[index]}
    module: nn.Module
    if kind == "batch":
        module = nn.BatchNorm1d(width, eps=NORMALIZATION_EPSILON)
        arrays["running_mean"] = network.running_means[index]
        arrays["running_var"] = network.running_variances[index]
    elif kind == "layer":
        module = nn.LayerNorm(width, eps=NORMALIZATION_EPSILON)
    else:
        module = nn.GroupNorm(network.groups[index], width, eps=NORMALIZATION_EPSILON)
    _fill(module, **arrays)
    return module
