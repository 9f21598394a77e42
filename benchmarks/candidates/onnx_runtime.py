"""ONNX Runtime, which only predicts."""

from __future__ import annotations

from collections.abc import Mapping

import onnxruntime

from candidates.base import Layers
from candidates.choice import thread_counts
from candidates.epochwise import EpochwisePeer, Predict
from candidates.onnx_graph import onnx_model
from fastmlp.cli.epochs import GridCell

__all__ = ["Session"]


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
