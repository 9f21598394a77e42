"""The steps of a network as nodes.

A value of one row is a tensor (N, width), and one of k members is (k, N, width): what has one row
beside something of k rows counts for each of these by the rules of broadcasting.
"""

from __future__ import annotations

from functools import singledispatch

import numpy as np

from fastmlp.export import steps
from fastmlp.export.onnx.functions import activation
from fastmlp.export.onnx.graph import Graph
from fastmlp.export.values import Step
from fastmlp.plan.layout import NORMALIZATION_EPSILON

__all__ = ["nodes_of"]


@singledispatch
def nodes_of(step: Step, graph: Graph, *inputs: str) -> str:
    """Add the nodes of a step, given tensors; return the tensor of its output."""
    raise NotImplementedError(type(step).__name__)


@nodes_of.register
def _(step: steps.Constant, graph: Graph, *inputs: str) -> str:
    n_rows = graph.op("Shape", inputs[0], start=0, end=1)
    shape = graph.op("Concat", n_rows, np.array([step.output.width]), axis=0)
    return graph.op("Expand", step.numbers.astype(step.output.dtype)[np.newaxis], shape)


@nodes_of.register
def _(step: steps.Select, graph: Graph, *inputs: str) -> str:
    (value,), (x,) = step.inputs, inputs
    if not np.array_equal(step.places, np.arange(value.width)):
        x = graph.columns(x, step.places)
    return x if value.dtype == step.output.dtype else graph.cast(x, step.output.dtype)


@nodes_of.register
def _(step: steps.Concatenate, graph: Graph, *inputs: str) -> str:
    return graph.joined(inputs)


@nodes_of.register
def _(step: steps.Waves, graph: Graph, *inputs: str) -> str:
    turns = graph.op("Mul", inputs[0], step.frequencies)
    rest = graph.op("Sub", turns, graph.op("Round", turns))
    angles = graph.op("Mul", rest, step.frequencies.dtype.type(2 * np.pi))
    if step.phases is not None:
        return graph.cosine(graph.op("Add", angles, step.phases), step.frequencies.dtype)
    return graph.joined([graph.cosine(angles, step.frequencies.dtype), graph.op("Sin", angles)])


@nodes_of.register
def _(step: steps.Bins, graph: Graph, *inputs: str) -> str:
    filled = graph.op("Mul", graph.op("Sub", inputs[0], step.starts), step.scales)
    least, most = np.zeros_like(step.starts), np.ones_like(step.starts)
    least[0], most[-1] = -np.inf, np.inf
    return graph.op("Min", graph.op("Max", filled, least), most)


@nodes_of.register
def _(step: steps.Embed, graph: Graph, *inputs: str) -> str:
    (x,), dtype = inputs, step.inputs[0].dtype
    table = step.table.numbers
    is_level = graph.op(
        "And",
        graph.op("GreaterOrEqual", x, dtype.type(0)),
        graph.op("Less", x, dtype.type(len(table))),
    )
    level = graph.op("Where", is_level, x, dtype.type(0))
    levels = graph.op("Squeeze", graph.cast(level, np.dtype(np.int64)), np.array([1]))
    return graph.op("Gather", table, levels, axis=0)


def _by_member(array: np.ndarray) -> np.ndarray:
    """Return what belongs to members, (m, width), beside tensors (m, N, width)."""
    return array[0] if len(array) == 1 else array[:, np.newaxis]


@nodes_of.register
def _(step: steps.Scale, graph: Graph, *inputs: str) -> str:
    return graph.op("Mul", inputs[0], _by_member(step.factors))


@nodes_of.register
def _(step: steps.Dense, graph: Graph, *inputs: str) -> str:
    weights, biases = step.weights.numbers, step.biases
    if step.output.rows == 1:
        return graph.op("Gemm", inputs[0], weights[0], biases[0])
    product = graph.op("MatMul", inputs[0], weights if len(weights) > 1 else weights[0])
    return graph.op("Add", product, _by_member(biases))


@nodes_of.register
def _(step: steps.Add, graph: Graph, *inputs: str) -> str:
    return graph.op("Add", *inputs)


@nodes_of.register
def _(step: steps.Normalize, graph: Graph, *inputs: str) -> str:
    (z,), width, epsilon = inputs, step.output.width, NORMALIZATION_EPSILON
    if step.n_groups == 1:
        return graph.op("LayerNormalization", z, step.gains, step.shifts, epsilon=epsilon)
    size, kept = width // step.n_groups, [0] * (1 if step.output.rows == 1 else 2)
    one = np.ones(size, step.output.dtype)
    grouped = graph.reshape(z, *kept, step.n_groups, size)
    normalized = graph.op("LayerNormalization", grouped, one, np.zeros_like(one), epsilon=epsilon)
    scaled = graph.op("Mul", graph.reshape(normalized, *kept, width), step.gains)
    return graph.op("Add", scaled, step.shifts)


@nodes_of.register
def _(step: steps.Activate, graph: Graph, *inputs: str) -> str:
    (z,) = inputs
    h = activation(graph, step.function, z, step.output.dtype)
    if step.shares is None:
        return h
    return graph.op("Add", z, graph.op("Mul", graph.op("Sub", h, z), step.shares))


@nodes_of.register
def _(step: steps.Link, graph: Graph, *inputs: str) -> str:
    (z,) = inputs
    simple = {"logistic": "Sigmoid", "exp": "Exp"}
    if step.function in simple:
        return graph.op(simple[step.function], z)
    if step.function == "softmax":
        return graph.op("Softmax", z, axis=-1)
    if step.function == "gaussian":
        means, spread = graph.halves(z, step.output.width)
        dtype = step.output.dtype
        positive = activation(graph, "softplus", spread, dtype)
        variances = graph.op("Add", positive, dtype.type(1e-6))
        return graph.joined([means, variances])
    return _quantiles(step, graph, z)


def _quantiles(step: steps.Link, graph: Graph, z: str) -> str:
    """Return quantiles: of each target the first one, and each later one above the one before."""
    n, width, kept = step.n_quantiles, step.output.width, [0] * (1 + (step.output.rows > 1))
    if n == 1:
        return z
    by_target = graph.reshape(z, *kept, width // n, n)
    sizes = np.array([1, n - 1], np.int64)
    first, later = graph.op_of_several("Split", 2, by_target, sizes, axis=-1)
    rises = graph.joined([first, activation(graph, "softplus", later, step.output.dtype)])
    return graph.reshape(graph.op("CumSum", rises, np.int64(-1)), *kept, width)


@nodes_of.register
def _(step: steps.MeanOfMembers, graph: Graph, *inputs: str) -> str:
    (each,), members = inputs, np.array([0])
    mean = graph.op("ReduceMean", each, members, keepdims=0)
    if not step.of_gaussians:
        return mean
    middle, variance = graph.halves(mean, step.output.width)
    means, _ = graph.halves(each, step.output.width)
    far = graph.op("Sub", means, middle)
    among = graph.op("ReduceMean", graph.op("Mul", far, far), members, keepdims=0)
    return graph.joined([middle, graph.op("Add", variance, among)])
