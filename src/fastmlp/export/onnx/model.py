"""The parts of a model: inputs, nodes, outputs, and what it says of itself."""

from __future__ import annotations

import json

import numpy as np
from onnx import ModelProto, TensorProto, ValueInfoProto, helper

import fastmlp.export.onnx.table_nodes  # noqa: F401 - registers its nodes
from fastmlp._version import __version__
from fastmlp.export.onnx.graph import ELEMENT_TYPES, Graph
from fastmlp.export.onnx.network_nodes import nodes_of
from fastmlp.export.onnx.table_nodes import ML
from fastmlp.export.program import Program, label_text
from fastmlp.validation import check_unicode

__all__ = ["add_answers", "add_steps", "outputs_of", "written"]

#: The size of the axis of rows.
ROWS = "N"

#: The version of the operators that know texts; it is older than every opset that is written.
ML_VERSION = 3

#: What users of ONNX call the predictions of a regressor, as skl2onnx does.
_OUTPUTS = {"predictions": "variable"}

TEXT, REAL = TensorProto.STRING, TensorProto.DOUBLE


def written(program: Program, opset: int, missing: str) -> ModelProto:
    """Return a program as a model of an opset; ``missing`` stands for a missing category."""
    graph = Graph(missing)
    inputs, outputs = _inputs(program), outputs_of(program)
    names = [each.name for each in (*inputs, *outputs)]
    graph.reserve(names)
    tensors = add_steps(program, graph, names[: len(inputs)])
    for name, tensor in add_answers(program, graph, tensors).items():
        graph.give(tensor, name)
    made = helper.make_graph(
        graph.nodes,
        "fastmlp",
        inputs,
        outputs,
        graph.constants,
        doc_string="\n".join(program.about),
    )
    opsets = [helper.make_opsetid("", opset)]
    if any(node.domain == ML for node in graph.nodes):
        opsets.append(helper.make_opsetid(ML, ML_VERSION))
    model = helper.make_model(
        made,
        opset_imports=opsets,
        ir_version=helper.find_min_ir_version_for(opsets),
        producer_name="fastmlp",
        producer_version=__version__,
        doc_string="\n".join(program.about),
    )
    helper.set_model_props(model, _properties(program))
    return model


def _properties(program: Program) -> dict[str, str]:
    """Return what a model says of itself in words."""
    found = {"description": " ".join(program.about), "fastmlp_version": __version__}
    if program.names:
        check_unicode("name of a column", program.names)
        found["feature_names"] = json.dumps(program.names, ensure_ascii=False)
    return found


def _inputs(program: Program) -> list[ValueInfoProto]:
    """Return the inputs: X (N, I), or one (N, 1) for each column of a raw table."""
    x = program.x
    if x is not None:
        kind = ELEMENT_TYPES[x.dtype]
        return [helper.make_tensor_value_info("X", kind, [ROWS, x.width], "the columns of X")]
    taken = {each.name for each in outputs_of(program)}
    return [
        helper.make_tensor_value_info(
            _input_name(column.label, place, taken),
            TEXT if column.kind == "text" else REAL,
            [ROWS, 1],
            f"{column.label}: {column.remark}".replace("NULL", "the missing text"),
        )
        for place, column in enumerate(program.columns)
    ]


def _input_name(label: str, place: int, taken: set[str]) -> str:
    """Return the name of a column's input: the column's, with underscores behind a taken one."""
    check_unicode("name of a column", [label])
    name = label or f"column_{place}"
    while name in taken:
        name += "_"
    taken.add(name)
    return name


def outputs_of(program: Program) -> list[ValueInfoProto]:
    """Return the outputs: the label, if there are classes, and all answers."""
    found = []
    if program.decision is not None:
        shape: list[str | int | None] = [ROWS]
        if program.decision.several:
            shape.append(program.decision.value.width)
        found.append(helper.make_tensor_value_info("label", _label_type(program), shape))
    answers = sorted(program.answers.items(), key=lambda item: item[0] == "deviations")
    for name, value in answers:
        kind, public = ELEMENT_TYPES[value.dtype], _OUTPUTS.get(name, name)
        found.append(helper.make_tensor_value_info(public, kind, [ROWS, value.width]))
    return found


def add_steps(program: Program, graph: Graph, inputs: list[str]) -> dict[str, str]:
    """Add the nodes of all steps, given the inputs; return the tensor of each value."""
    tensors = {} if program.x is None else {program.x.name: inputs[0]}
    for step in program.steps:
        graph.scope = f"/{step.part}/{step.output.name}"
        given = [tensors[each.name] for each in step.inputs] or inputs
        tensors[step.output.name] = nodes_of(step, graph, *given)
    return tensors


def add_answers(program: Program, graph: Graph, tensors: dict[str, str]) -> dict[str, str]:
    """Return the tensors of the outputs by their names; the label gets its nodes here."""
    graph.scope = "/label"
    found = {} if program.decision is None else {"label": _add_label(program, graph, tensors)}
    for name, value in program.answers.items():
        found[_OUTPUTS.get(name, name)] = tensors[value.name]
    return found


# -- labels ---------------------------------------------------------------------------------------


def _labels(program: Program) -> np.ndarray:
    """Return the class labels as integers, real numbers, booleans or texts."""
    assert program.labels is not None
    labels = program.labels
    items = labels.tolist()
    if labels.dtype.kind in "bf":
        return labels if labels.dtype != np.float16 else labels.astype(np.float32)
    if all(isinstance(each, int) for each in items):
        for kind in (np.int64, np.uint64):
            if np.iinfo(kind).min <= min(items) and max(items) <= np.iinfo(kind).max:
                return np.array(items, kind)
    texts = list(map(label_text, items))
    check_unicode("class label", texts)
    return np.array(texts, object)


def _label_type(program: Program) -> int:
    assert program.decision is not None
    if program.decision.several:
        return TensorProto.INT64
    labels = _labels(program)
    return TEXT if labels.dtype == object else helper.np_dtype_to_tensor_dtype(labels.dtype)


def _add_label(program: Program, graph: Graph, tensors: dict[str, str]) -> str:
    """Return the label of each row (N,), or for several labels 0 and 1 (N, K)."""
    decision = program.decision
    assert decision is not None
    value, numbers = decision.value, tensors[decision.value.name]
    if decision.threshold is None:
        chosen = graph.op("ArgMax", numbers, axis=1, keepdims=0)
    else:
        above = graph.op("Greater", numbers, value.dtype.type(decision.threshold))
        chosen = graph.cast(above, np.dtype(np.int64))
        if decision.several:
            return chosen
        chosen = graph.op("Squeeze", chosen, np.array([1]))
    return graph.op("Gather", _labels(program), chosen, axis=0)
