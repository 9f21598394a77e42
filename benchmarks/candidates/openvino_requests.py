"""OpenVINO, which only predicts: in float32 and, where it can, in bfloat16."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from io import BytesIO
from typing import ClassVar

import numpy as np
import openvino

from candidates.base import Layers
from candidates.choice import thread_counts
from candidates.epochwise import EpochwisePeer, Predict
from candidates.onnx_graph import onnx_model
from fastmlp.cli.epochs import GridCell

__all__ = ["BFloat16", "Float32"]


class Float32(EpochwisePeer):
    """A request that is compiled for the number of rows that it gets."""

    precision: ClassVar[str] = "f32"

    def predictions(self, cell: GridCell, layers: Layers) -> Mapping[str, Predict]:
        """Return a way to predict for each number of threads."""
        model = onnx_model(cell, layers).SerializeToString()
        return {
            words: _predictions(model, self.precision, n_threads)
            for words, n_threads in thread_counts().items()
        }


class BFloat16(Float32):
    """The same with bfloat16 where OpenVINO takes it for faster."""

    precision = "bf16"


def _predictions(model: bytes, precision: str, n_threads: int) -> Predict:
    core = openvino.Core()
    hints = {
        "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_PRECISION_HINT": precision,
        "INFERENCE_NUM_THREADS": n_threads,
    }

    @cache
    def request_for(shape: tuple[int, ...]) -> openvino.InferRequest:
        graph = core.read_model(BytesIO(model))
        graph.reshape(list(shape))
        return core.compile_model(graph, "CPU", hints).create_infer_request()

    def predict(rows: np.ndarray) -> np.ndarray:
        request = request_for(rows.shape)
        outputs: np.ndarray = request.infer([rows], share_inputs=True, share_outputs=True)[0]
        return outputs

    return predict
