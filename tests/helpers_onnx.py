"""ONNX models in ONNX Runtime."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnxruntime
from onnx import ModelProto

from fastmlp.export.program import Program

#: What predictions of a regressor are called in ONNX.
OUTPUT_NAMES = {"predictions": "variable"}


class Session:
    """A model that runs on one thread, without a word."""

    def __init__(self, model: ModelProto) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.log_severity_level = 1, 3
        blob = model.SerializeToString()
        providers = ["CPUExecutionProvider"]
        self._session = onnxruntime.InferenceSession(blob, options, providers=providers)
        self.inputs = self._session.get_inputs()

    def __call__(self, feed: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Return all outputs by name."""
        names = [output.name for output in self._session.get_outputs()]
        return dict(zip(names, self._session.run(names, feed), strict=True))

    def feed(self, program: Program, rows: Any, missing: str = "") -> dict[str, np.ndarray]:
        """Return what is to be given for rows as ``Program.values`` takes them."""
        if program.x is not None:
            return {"X": np.asarray(rows, program.x.dtype)}
        return {
            each.name: _column(column, missing).reshape(-1, 1)
            for each, column in zip(self.inputs, rows, strict=True)
        }


def _column(column: np.ndarray, missing: str) -> np.ndarray:
    if column.dtype != object:
        return column
    return np.array([missing if each is None else each for each in column], object)
