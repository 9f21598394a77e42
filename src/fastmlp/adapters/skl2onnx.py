"""Networks in pipelines that skl2onnx converts."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from fastmlp.estimators import MLPClassifier, MLPRegressor
from fastmlp.export.program import Program
from fastmlp.validation import check_opset, check_zipmap

try:
    from onnx import TensorProto, defs
    from skl2onnx import update_registered_converter
    from skl2onnx.common.data_types import (
        BooleanTensorType,
        DoubleTensorType,
        FloatTensorType,
        Int64TensorType,
        StringTensorType,
    )
    from skl2onnx.helpers.integration import add_onnx_graph

    from fastmlp.export.onnx import written
    from fastmlp.export.onnx.model import outputs_of
except ModuleNotFoundError as error:
    raise ModuleNotFoundError(
        "fastmlp.adapters.skl2onnx needs skl2onnx; install it with: pip install skl2onnx"
    ) from error

__all__ = ["register"]

#: What users of skl2onnx may ask of a classifier, as of scikit-learn's own.
OPTIONS = {
    "zipmap": [True, False, "columns"],
    "output_class_labels": [False, True],
    "nocl": [True, False],
}

_TYPES: dict[int, Any] = {
    TensorProto.BOOL: BooleanTensorType,
    TensorProto.DOUBLE: DoubleTensorType,
    TensorProto.FLOAT: FloatTensorType,
    TensorProto.INT64: Int64TensorType,
    TensorProto.STRING: StringTensorType,
}


def register() -> None:
    """Let skl2onnx convert pipelines with an ``MLPClassifier`` or an ``MLPRegressor`` of fastmlp.

    Call it once, before ``skl2onnx.to_onnx`` or ``convert_sklearn``. The target opset must be at
    least 18. A model of raw tables needs no pipeline: it has ``to_onnx``.

    Examples
    --------
    >>> from fastmlp import MLPRegressor
    >>> from fastmlp.adapters.skl2onnx import register
    >>> from skl2onnx import to_onnx
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> import numpy as np
    >>> X = np.linspace(0, 9, 60, dtype=np.float32).reshape(20, 3)
    >>> network = MLPRegressor(solver="lbfgs", random_state=0)
    >>> model = make_pipeline(StandardScaler(), network).fit(X, X[:, 0])
    >>> register()
    >>> [output.name for output in to_onnx(model, X, target_opset=18).graph.output]
    ['variable']
    """
    update_registered_converter(
        MLPClassifier, "FastmlpClassifier", _declare, _convert, options=OPTIONS
    )
    update_registered_converter(MLPRegressor, "FastmlpRegressor", _declare, _convert)


def _program(operator: Any) -> Program:
    program: Program = operator.raw_operator._program()
    return program


def _declare(operator: Any) -> None:
    """Tell skl2onnx what types and shapes the outputs have."""
    n_rows = operator.inputs[0].get_first_dimension()
    outputs = outputs_of(_program(operator))
    for variable, output in zip(operator.outputs, outputs, strict=False):
        kind = output.type.tensor_type
        widths = [each.dim_value for each in kind.shape.dim[1:]]
        variable.set_type(_TYPES[kind.elem_type]([n_rows, *widths]))
    if _is_mapped(operator.scope_inst, operator):
        operator.outputs[1].set_type(FloatTensorType(operator.outputs[1].type.shape))


def _is_mapped(scope: Any, operator: Any) -> bool:
    """Return whether probabilities go into a ZipMap, which takes float only."""
    if not isinstance(operator.raw_operator, MLPClassifier):
        return False
    return bool(scope.get_options(operator.raw_operator, {"zipmap": True})["zipmap"])


def _convert(scope: Any, operator: Any, container: Any) -> None:
    """Add the network's nodes, between what makes its input and its output of the due types."""
    opset = check_opset(container.target_opset, defs.onnx_opset_version(), "target_opset")
    program, outputs = _program(operator), [each.onnx_name for each in operator.outputs]
    model = written(program, opset, "")
    x = _joined(scope, operator, container, model.graph.input[0].type.tensor_type.elem_type)
    if _is_mapped(scope, operator):
        check_zipmap("probabilities" in program.answers)
        mapped, outputs[1] = outputs[1], scope.get_unique_variable_name("p")
        container.add_node("Cast", outputs[1], mapped, to=TensorProto.FLOAT, op_version=13)
    given = SimpleNamespace(
        inputs=[SimpleNamespace(onnx_name=x)],
        outputs=[SimpleNamespace(onnx_name=each) for each in outputs],
    )
    add_onnx_graph(scope, given, container, model)


def _joined(scope: Any, operator: Any, container: Any, kind: int) -> str:
    """Return the name of a tensor of all inputs side by side, as numbers of a type."""
    names = []
    for each in operator.inputs:
        names.append(scope.get_unique_variable_name("as_number"))
        container.add_node("Cast", each.onnx_name, names[-1], to=kind, op_version=13)
    x: str = scope.get_unique_variable_name("X")
    container.add_node("Concat", names, x, axis=1, op_version=13)
    return x
