"""A program as an ONNX model."""

from fastmlp.export.onnx.model import written

__all__ = ["written"]
