"""The steps of a raw table, before and after its networks, as nodes."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from fastmlp.export import table_steps
from fastmlp.export.onnx.dates import Dates
from fastmlp.export.onnx.functions import share_below
from fastmlp.export.onnx.graph import Graph, Tensor
from fastmlp.export.onnx.network_nodes import nodes_of
from fastmlp.export.table_steps import EDGE, LEAST
from fastmlp.tables.scaling import BOUND, FAR
from fastmlp.validation import check_unicode

__all__ = ["ML"]

#: The domain of the operators that know texts.
ML = "ai.onnx.ml"

REAL, SINGLE, WHOLE = np.dtype(np.float64), np.dtype(np.float32), np.dtype(np.int64)
ZERO, ONE = np.float64(0), np.float64(1)

# Steps that read a table have no inputs: they are given the tensors (N, 1) of its columns. A text
# that is missing is one of its own, which the graph knows.


def _in_type(graph: Graph, tensor: str, dtype: np.dtype) -> str:
    """Return float64 numbers as numbers of the output's type."""
    return tensor if dtype == REAL else graph.cast(tensor, dtype)


@nodes_of.register
def _(step: table_steps.ReadNumbers, graph: Graph, *inputs: str) -> str:
    columns = [inputs[i] for i in step.columns]
    read = columns[0] if len(columns) == 1 else graph.joined(columns)
    return graph.cast(graph.cast(read, SINGLE), REAL) if step.single else read


def _looked_up(graph: Graph, column: str, known: Mapping[str, int], default: int) -> str:
    """Return numbers of texts (N, 1), int64; of unknown ones a default."""
    check_unicode("level of a category", known)
    keys = sorted(known, key=lambda text: text.encode())
    return graph.op(
        "LabelEncoder",
        column,
        domain=ML,
        keys_strings=keys,
        values_int64s=[known[key] for key in keys],
        default_int64=default,
    )


@nodes_of.register
def _(step: table_steps.ReadRanks, graph: Graph, *inputs: str) -> str:
    rank = _looked_up(graph, inputs[step.column], {graph.missing: -1, **step.ranks}, -1)
    is_unknown = graph.op("Less", rank, np.int64(0))
    return graph.op("Where", is_unknown, np.float64(np.nan), graph.cast(rank, REAL))


@nodes_of.register
def _(step: table_steps.ReadCodes, graph: Graph, *inputs: str) -> str:
    codes = [
        _looked_up(graph, inputs[i], {graph.missing: step.missing, **known}, step.unknown)
        for i, known in zip(step.columns, step.codes, strict=True)
    ]
    return codes[0] if len(codes) == 1 else graph.joined(codes)


@nodes_of.register
def _(step: table_steps.ReadCalendar, graph: Graph, *inputs: str) -> str:
    given = inputs[step.column]
    dates = Dates(graph, graph.without_nan(given, given, ZERO), step.start)
    parts = [dates.part(name) for name in step.parts]
    read = parts[0] if len(parts) == 1 else graph.joined(parts)
    return graph.op("Where", graph.op("IsNaN", given), np.float64(np.nan), read)


@nodes_of.register
def _(step: table_steps.Turn, graph: Graph, *inputs: str) -> str:
    x, y = (graph.columns(inputs[0], step.pairs[:, i]) for i in (0, 1))
    one_more = np.array([1])
    east = graph.op("Mul", graph.op("Unsqueeze", x, one_more), step.eastward)
    north = graph.op("Mul", graph.op("Unsqueeze", y, one_more), step.northward)
    return graph.reshape(graph.op("Add", east, north), 0, step.output.width)


def _smoothly_clipped(graph: Graph, z: str) -> str:
    """See ``tables/scaling.py``."""
    near = graph.op("Clip", z, np.float64(-FAR), np.float64(FAR))
    share = graph.op("Div", near, np.float64(BOUND))
    root = graph.op("Sqrt", graph.op("Add", graph.op("Mul", share, share), ONE))
    return graph.op("Div", near, root)


@nodes_of.register
def _(step: table_steps.RobustScale, graph: Graph, *inputs: str) -> str:
    x = graph.columns(inputs[0], step.places)
    z = graph.op("Mul", graph.op("Sub", x, step.centres), step.factors)
    clipped = _smoothly_clipped(graph, graph.without_nan(z, z, ZERO))
    return _in_type(graph, clipped, step.output.dtype)


@nodes_of.register
def _(step: table_steps.IsMissing, graph: Graph, *inputs: str) -> str:
    return graph.cast(graph.op("IsNaN", graph.columns(inputs[0], step.places)), step.output.dtype)


@nodes_of.register
def _(step: table_steps.Pieces, graph: Graph, *inputs: str) -> str:
    x = graph.columns(inputs[0], step.places)
    z = graph.op("Div", graph.op("Sub", x, step.starts), step.widths)
    filled = graph.op("Clip", z, ZERO, ONE)
    if step.ends.any():
        below = _smoothly_clipped(graph, graph.op("Min", z, ZERO))
        above = _smoothly_clipped(graph, graph.op("Max", graph.op("Sub", z, ONE), ZERO))
        for beyond, end in ((below, 1), (above, 2)):
            there = (step.ends & end != 0).astype(np.float64)
            filled = graph.op("Add", filled, graph.op("Mul", beyond, there))
    scaled = graph.op("Mul", graph.without_nan(filled, z, ZERO), np.float64(step.scale))
    return _in_type(graph, scaled, step.output.dtype)


@nodes_of.register
def _(step: table_steps.OneHot, graph: Graph, *inputs: str) -> str:
    """Ones go into a row of zeros, and those of no place into one more column, which is cut off."""
    (codes,), width = inputs, step.output.width
    which = np.where(step.places < 0, width, step.places).astype(np.int64)
    places = graph.op("Gather", which, graph.op("Add", codes, step.firsts.astype(np.int64)))
    n_rows = graph.op("Shape", codes, start=0, end=1)
    shape = graph.op("Concat", n_rows, np.array([width + 1]), axis=0)
    zeros = graph.op("Expand", np.zeros((1, width + 1), step.output.dtype), shape)
    ones = graph.op("Expand", np.ones((1, 1), step.output.dtype), graph.op("Shape", codes))
    marked = graph.op("ScatterElements", zeros, places, ones, axis=1)
    return graph.op("Slice", marked, np.array([0]), np.array([width]), np.array([1]))


def _as_real(graph: Graph, tensor: str, dtype: np.dtype) -> str:
    """Return a tensor of a type as float64."""
    return tensor if dtype == REAL else graph.cast(tensor, REAL)


@nodes_of.register
def _(step: table_steps.Affine, graph: Graph, *inputs: str) -> str:
    x = _as_real(graph, inputs[0], step.inputs[0].dtype)
    return graph.op("Add", graph.op("Mul", x, step.factors), step.summands)


@nodes_of.register
def _(step: table_steps.BothClasses, graph: Graph, *inputs: str) -> str:
    other = graph.op("Sub", step.output.dtype.type(1), inputs[0])
    return graph.joined([other, inputs[0]])


@nodes_of.register
def _(step: table_steps.Whole, graph: Graph, *inputs: str) -> str:
    p, width = _as_real(graph, inputs[0], step.inputs[0].dtype), step.output.width
    if np.array_equal(step.places, np.arange(width)):
        return p
    return graph.op("MatMul", p, np.eye(width)[step.places])


@nodes_of.register
def _(step: table_steps.WeightedSum, graph: Graph, *inputs: str) -> str:
    terms = zip(inputs, step.weights, strict=True)
    return graph.op("Sum", *(graph.op("Mul", each, weight) for each, weight in terms))


@nodes_of.register
def _(step: table_steps.Temper, graph: Graph, *inputs: str) -> str:
    (p,) = inputs
    logarithm = graph.op("Log", graph.op("Max", p, np.float64(LEAST)))
    z = graph.op("Where", graph.op("Greater", p, ZERO), logarithm, np.float64(-np.inf))
    return graph.op("Softmax", graph.op("Div", z, np.float64(step.temperature)), axis=-1)


@nodes_of.register
def _(step: table_steps.Exponential, graph: Graph, *inputs: str) -> str:
    return graph.op("Exp", _as_real(graph, inputs[0], step.inputs[0].dtype))


@nodes_of.register
def _(step: table_steps.SquareRoot, graph: Graph, *inputs: str) -> str:
    return graph.op("Sqrt", inputs[0])


@nodes_of.register
def _(step: table_steps.FromDeviates, graph: Graph, *inputs: str) -> str:
    """The shares of the quantiles are equally far apart, so a share says where it is among them."""
    n_targets, n = step.quantiles.shape
    target = np.repeat(np.arange(n_targets), step.output.width // n_targets)
    share = share_below(graph, _as_real(graph, inputs[0], step.inputs[0].dtype), REAL)
    where = graph.op("Mul", share, np.float64(n - 1))
    floor = graph.op("Clip", graph.op("Floor", where), ZERO, np.float64(max(n - 2, 0)))
    first = graph.op("Add", graph.cast(floor, WHOLE), target * n)
    second = graph.op("Add", first, np.int64(min(1, n - 1)))
    low, high = (graph.op("Gather", step.quantiles.ravel(), at) for at in (first, second))
    rise = graph.op("Mul", graph.op("Sub", high, low), graph.op("Sub", where, floor))
    found = graph.op("Add", low, rise)
    for is_end, end in (
        (graph.op("Greater", share, np.float64(1 - EDGE)), step.quantiles[:, -1]),
        (graph.op("Less", share, np.float64(EDGE)), step.quantiles[:, 0]),
    ):
        found = graph.op("Where", is_end, end[target], found)
    return found


def _between(graph: Graph, x: str, low: Tensor, high: Tensor) -> str:
    return graph.op("Min", graph.op("Max", x, low), high)


@nodes_of.register
def _(step: table_steps.Clip, graph: Graph, *inputs: str) -> str:
    x = _as_real(graph, inputs[0], step.inputs[0].dtype)
    return _between(graph, x, step.low, step.high)


@nodes_of.register
def _(step: table_steps.Moments, graph: Graph, *inputs: str) -> str:
    x = _as_real(graph, inputs[0], step.inputs[0].dtype)
    first, second = graph.halves(x, step.output.width)
    if step.back:
        variance = graph.op("Sub", second, graph.op("Mul", first, first))
        deviation = graph.op("Sqrt", graph.op("Max", variance, ZERO))
        return graph.joined([graph.op("Add", first, step.centre), deviation])
    distance = graph.op("Sub", _between(graph, first, step.low, step.high), step.centre)
    deviation = graph.op("Min", graph.op("Sqrt", second), step.high - step.low)
    squares = [graph.op("Mul", each, each) for each in (distance, deviation)]
    return graph.joined([distance, graph.op("Add", *squares)])
