"""A graph that is being written: nodes, constants, and names that nothing else has."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from onnx import NodeProto, TensorProto, helper, numpy_helper

__all__ = ["ELEMENT_TYPES", "Graph", "Tensor"]

#: What an operator takes: the name of a tensor, or numbers, which become a constant.
Tensor = str | np.ndarray | np.generic

#: ONNX's number for each type of a value. Codes are int64, as ONNX's own operators give them.
ELEMENT_TYPES: dict[np.dtype, int] = {
    np.dtype(np.float32): TensorProto.FLOAT,
    np.dtype(np.float64): TensorProto.DOUBLE,
    np.dtype(np.int32): TensorProto.INT64,
    np.dtype(np.int64): TensorProto.INT64,
}


@dataclass
class Graph:
    """Nodes and constants, in an order in which they can be run.

    Attributes
    ----------
    missing : str
        The text that stands for a category which is missing.
    scope : str
        With which the names of new tensors begin.
    nodes : list of NodeProto
    constants : list of TensorProto
        Arrays by what is in them: one that several nodes take is written once.
    """

    missing: str = ""
    scope: str = ""
    nodes: list[NodeProto] = field(default_factory=list)
    constants: list[TensorProto] = field(default_factory=list)
    _taken: dict[str, int] = field(default_factory=dict)
    _known: dict[tuple[Any, ...], str] = field(default_factory=dict)

    def reserve(self, names: Iterable[str]) -> None:
        """Keep names, of inputs and outputs, from being given to tensors."""
        self._taken.update(dict.fromkeys(names, 1))

    def name(self, text: str) -> str:
        """Return a name that no other tensor has."""
        full = f"{self.scope}/{text}"
        number = self._taken[full] = self._taken.get(full, 0) + 1
        return full if number == 1 else self.name(f"{text}_{number}")

    def constant(self, numbers: np.ndarray | np.generic) -> str:
        """Return the name of a constant."""
        array = np.asarray(numbers, order="C")
        key = (array.dtype.str, array.shape, array.tobytes())
        if array.dtype == object:
            key = ("text", array.shape, *array.ravel())
        if key not in self._known:
            self._known[key] = self.name("constant")
            self.constants.append(numpy_helper.from_array(array, self._known[key]))
        return self._known[key]

    def op(self, kind: str, *inputs: Tensor, domain: str = "", **attributes: Any) -> str:
        """Add a node of one output; return the output's name."""
        return self.op_of_several(kind, 1, *inputs, domain=domain, **attributes)[0]

    def op_of_several(
        self, kind: str, n_outputs: int, *inputs: Tensor, domain: str = "", **attributes: Any
    ) -> list[str]:
        """Add a node; return the names of its outputs."""
        names = [each if isinstance(each, str) else self.constant(each) for each in inputs]
        outputs = [self.name(kind) for _ in range(n_outputs)]
        node = helper.make_node(kind, names, outputs, outputs[0], domain=domain, **attributes)
        self.nodes.append(node)
        return outputs

    def give(self, tensor: str, name: str) -> None:
        """Let an output be a tensor."""
        self.nodes.append(helper.make_node("Identity", [tensor], [name], f"{name}/Identity"))

    # -- what many steps need ---------------------------------------------------------------------

    def cast(self, tensor: Tensor, dtype: np.dtype) -> str:
        """Return a tensor as numbers of another type."""
        return self.op("Cast", tensor, to=ELEMENT_TYPES[np.dtype(dtype)])

    def columns(self, tensor: str, places: Iterable[int]) -> str:
        """Return some columns of a tensor."""
        return self.op("Gather", tensor, np.array(list(places), np.int64), axis=-1)

    def halves(self, tensor: str, width: int) -> list[str]:
        """Return the first and the second half of the columns."""
        sizes = np.array([width // 2, width // 2], np.int64)
        return self.op_of_several("Split", 2, tensor, sizes, axis=-1)

    def cosine(self, angles: str, dtype: np.dtype) -> str:
        """Return cosines; of float64 as sines, since ONNX Runtime knew no others for long."""
        if dtype == np.float64:
            return self.op("Sin", self.op("Add", angles, np.float64(np.pi / 2)))
        return self.op("Cos", angles)

    def joined(self, tensors: Iterable[str]) -> str:
        """Return tensors side by side."""
        return self.op("Concat", *tensors, axis=-1)

    def reshape(self, tensor: str, *shape: int) -> str:
        """Return a tensor in another shape, of which 0 stands for an axis that stays as it is."""
        return self.op("Reshape", tensor, np.array(shape, np.int64))

    def without_nan(self, tensor: str, missing: Tensor, zero: Tensor) -> str:
        """Return a tensor with 0 where another one, of the same shape, is NaN."""
        return self.op("Where", self.op("IsNaN", missing), zero, tensor)
