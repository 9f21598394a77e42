"""Networks that PyTorch has no modules for, as a module of steps.

A value of one row is a tensor (N, width), and one of k members is (k, N, width): what has one row
beside something of k rows counts for each of these by the rules of broadcasting.
"""

from __future__ import annotations

import math
from dataclasses import replace
from functools import singledispatch
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from fastmlp.export import steps, table_steps
from fastmlp.export.program import Program
from fastmlp.export.torch.activations import module_of
from fastmlp.export.values import Step, Value
from fastmlp.plan.layout import NORMALIZATION_EPSILON

__all__ = ["Steps"]

#: Arrays of steps that a network has not learnt.
FIXED = ("places", "starts", "scales", "numbers", "summands")


class Steps(nn.Module):
    """A program as a module, from X (N, I) to an answer (N, C).

    Parameters
    ----------
    program : Program
        Of a network.
    answer : Value
    """

    def __init__(self, program: Program, answer: Value) -> None:
        super().__init__()
        assert program.x is not None
        places = {program.x.name: 0}
        self._places: list[tuple[int, ...]] = []
        self.steps = nn.ModuleList()
        for number, step in enumerate(program.steps, 1):
            self._places.append(tuple(places[each.name] for each in step.inputs))
            self.steps.append(_StepModule(step))
            places[step.output.name] = number
        self._answer = places[answer.name]

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return the answer (N, C) for X (N, I)."""
        found = [x]
        for places, step in zip(self._places, self.steps, strict=True):
            found.append(step(*(found[place] for place in places)))
        return found[self._answer]


class _StepModule(nn.Module):
    """A step, whose arrays are parameters if they were learnt, and else buffers."""

    def __init__(self, step: Step) -> None:
        super().__init__()
        held = {name: getattr(each, "values", each) for name, each in vars(step).items()}
        arrays = {name: each for name, each in held.items() if isinstance(each, np.ndarray)}
        for name, array in arrays.items():
            tensor = torch.tensor(array)
            learnt = name not in FIXED and not isinstance(step, (table_steps.Affine, steps.Bins))
            if learnt:
                self.register_parameter(name, nn.Parameter(tensor))
            else:
                self.register_buffer(name, tensor)
        without: dict[str, Any] = dict.fromkeys(arrays)
        self.step = replace(step, **without)
        self.function = module_of(step.function) if isinstance(step, steps.Activate) else None

    def forward(self, *inputs: torch.Tensor) -> torch.Tensor:
        result: torch.Tensor = _made(self.step, self, *inputs)
        return result

    def extra_repr(self) -> str:
        return f"{type(self.step).__name__}: {self.step.remark or self.step.output.name}"


@singledispatch
def _made(step: Step, own: Any, *inputs: Any) -> Any:
    """Return what a step makes of tensors; ``own`` has its arrays."""
    raise NotImplementedError(type(step).__name__)


def _by_member(array: Any) -> Any:
    """Return what belongs to members, (m, width), beside tensors (m, N, width)."""
    return array[0] if len(array) == 1 else array[:, None]


@_made.register
def _(step: steps.Constant, own: Any, *inputs: Any) -> Any:
    return own.numbers.expand(len(inputs[0]), -1)


@_made.register
def _(step: steps.Select, own: Any, *inputs: Any) -> Any:
    return inputs[0][..., own.places]


@_made.register
def _(step: steps.Concatenate, own: Any, *inputs: Any) -> Any:
    return torch.cat(inputs, dim=-1)


@_made.register
def _(step: steps.Waves, own: Any, *inputs: Any) -> Any:
    turns = inputs[0] * own.frequencies
    angles = (turns - turns.detach().round()) * (2 * math.pi)
    if hasattr(own, "phases"):
        return torch.cos(angles + own.phases)
    return torch.cat([torch.cos(angles), torch.sin(angles)], dim=-1)


@_made.register
def _(step: steps.Bins, own: Any, *inputs: Any) -> Any:
    filled = (inputs[0] - own.starts) * own.scales
    first = torch.arange(filled.shape[-1], device=filled.device)
    filled = torch.where(first > 0, filled.clamp(min=0), filled)
    return torch.where(first < filled.shape[-1] - 1, filled.clamp(max=1), filled)


@_made.register
def _(step: steps.Embed, own: Any, *inputs: Any) -> Any:
    x, n_levels = inputs[0][..., 0], len(own.table)
    level = torch.where((x >= 0) & (x < n_levels), x, torch.zeros_like(x)).long()
    return functional.embedding(level, own.table)


@_made.register
def _(step: steps.Scale, own: Any, *inputs: Any) -> Any:
    return inputs[0] * _by_member(own.factors)


@_made.register
def _(step: steps.Dense, own: Any, *inputs: Any) -> Any:
    if step.output.rows == 1:
        return inputs[0] @ own.weights[0] + own.biases[0]
    weights = own.weights if len(own.weights) > 1 else own.weights[0]
    return inputs[0] @ weights + _by_member(own.biases)


@_made.register
def _(step: steps.Add, own: Any, *inputs: Any) -> Any:
    return inputs[0] + inputs[1]


@_made.register
def _(step: steps.Normalize, own: Any, *inputs: Any) -> Any:
    z, n_groups = inputs[0], step.n_groups
    grouped = z.unflatten(-1, (n_groups, step.output.width // n_groups))
    shape = grouped.shape[-1:]
    normalized = functional.layer_norm(grouped, shape, eps=NORMALIZATION_EPSILON).flatten(-2)
    return own.gains * normalized + own.shifts


@_made.register
def _(step: steps.Activate, own: Any, *inputs: Any) -> Any:
    z, h = inputs[0], own.function(inputs[0])
    return z + own.shares * (h - z) if hasattr(own, "shares") else h


@_made.register
def _(step: steps.Link, own: Any, *inputs: Any) -> Any:
    z = inputs[0]
    if step.function == "softmax":
        return torch.softmax(z, dim=-1)
    if step.function == "logistic":
        return torch.sigmoid(z)
    if step.function == "exp":
        return torch.exp(z)
    if step.function == "gaussian":
        means, spread = z.chunk(2, dim=-1)
        return torch.cat([means, functional.softplus(spread) + 1e-6], dim=-1)
    by_target = z.unflatten(-1, (-1, step.n_quantiles))
    first, later = by_target[..., :1], functional.softplus(by_target[..., 1:])
    return torch.cat([first, later], dim=-1).cumsum(dim=-1).flatten(-2)


@_made.register
def _(step: steps.MeanOfMembers, own: Any, *inputs: Any) -> Any:
    mean = inputs[0].mean(dim=0)
    if not step.of_gaussians:
        return mean
    middle, variance = mean.chunk(2, dim=-1)
    among = inputs[0].chunk(2, dim=-1)[0].var(dim=0, correction=0)
    return torch.cat([middle, variance + among], dim=-1)


@_made.register
def _(step: table_steps.Affine, own: Any, *inputs: Any) -> Any:
    return inputs[0].to(own.factors.dtype) * own.factors + own.summands


@_made.register
def _(step: table_steps.BothClasses, own: Any, *inputs: Any) -> Any:
    return torch.cat([1 - inputs[0], inputs[0]], dim=-1)


@_made.register
def _(step: table_steps.SquareRoot, own: Any, *inputs: Any) -> Any:
    return torch.sqrt(inputs[0])
