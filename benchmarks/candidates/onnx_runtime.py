"""ONNX Runtime, which only predicts."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import onnxruntime
from onnx import ModelProto, TensorProto, checker, helper, numpy_helper

from candidates.base import Layers
from candidates.choice import thread_counts
from candidates.epochwise import EpochwisePeer, Predict
from fastmlp.cli.epochs import GridCell

__all__ = ["Session"]

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


class Session(EpochwisePeer):
    """A session with all of its graph optimisations, which are its default."""

    def predictions(self, cell: GridCell, layers: Layers) -> Mapping[str, Predict]:
        """Return a session for each number of threads."""
        model = onnx_model(cell, layers).SerializeToString()
        return {words: _session(model, n_threads) for words, n_threads in thread_counts().items()}


def _session(model: bytes, n_threads: int) -> Predict:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = n_threads
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    return lambda rows: session.run(None, {"rows": rows})[0]
