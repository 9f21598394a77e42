"""A network as a graph in ONNX's format, which several runtimes read."""

from __future__ import annotations

import numpy as np
from onnx import ModelProto, TensorProto, checker, helper, numpy_helper

from candidates.base import Layers
from fastmlp.cli.epochs import GridCell

__all__ = ["onnx_model"]

ACTIVATIONS = {"relu": "Relu", "tanh": "Tanh"}
TYPES = {"float32": TensorProto.FLOAT, "float64": TensorProto.DOUBLE}

#: Versions of the operators and of the file format, old enough for every runtime of recent years.
OPSET, FORMAT = 17, 8


def onnx_model(cell: GridCell, layers: Layers) -> ModelProto:
    """Return the network from ``rows`` (K, I) to ``outputs`` (K, C) as a graph."""
    nodes, constants, x = [], [], "rows"
    for i, (weights, biases) in enumerate(layers):
        constants += [
            numpy_helper.from_array(np.ascontiguousarray(weights), f"weights{i}"),
            numpy_helper.from_array(np.ascontiguousarray(biases), f"biases{i}"),
        ]
        nodes.append(helper.make_node("Gemm", [x, f"weights{i}", f"biases{i}"], [f"logits{i}"]))
        x = f"hidden{i}"
        nodes.append(helper.make_node(ACTIVATIONS[cell.activation], [f"logits{i}"], [x]))
    nodes[-1] = helper.make_node(
        "Identity" if cell.is_regression else "Softmax", [f"logits{i}"], ["outputs"]
    )
    ends = [
        helper.make_tensor_value_info(name, TYPES[cell.dtype], [None, size])
        for name, size in (("rows", cell.layer_sizes[0]), ("outputs", cell.layer_sizes[-1]))
    ]
    graph = helper.make_graph(nodes, cell.name, ends[:1], ends[1:], constants)
    opset = helper.make_opsetid("", OPSET)
    model = helper.make_model(graph, opset_imports=[opset], ir_version=FORMAT)
    checker.check_model(model)
    return model
