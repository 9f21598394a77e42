"""A program as an ONNX model that has been checked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastmlp.export.program import Program
from fastmlp.export.table_steps import ReadCodes, ReadRanks
from fastmlp.validation import check_missing_text, check_onnx_size, check_opset

if TYPE_CHECKING:
    from onnx import ModelProto

__all__ = ["as_onnx"]


def as_onnx(program: Program, opset: Any, missing: Any) -> ModelProto:
    """Return a program as a model."""
    from onnx import checker, defs  # noqa: PLC0415 - an extra

    from fastmlp.export.onnx import written  # noqa: PLC0415 - needs the extra

    opset = check_opset(opset, defs.onnx_opset_version())
    missing = check_missing_text(missing, _known_texts(program))
    check_onnx_size(8 * program.n_numbers)
    model = written(program, opset, missing)
    checker.check_model(model, full_check=True)
    return model


def _known_texts(program: Program) -> dict[str, set[str]]:
    """Return the levels that each column of texts had in the fit."""
    found: dict[str, set[str]] = {}
    for step in program.steps:
        if isinstance(step, ReadRanks):
            found[program.columns[step.column].label] = set(step.ranks)
        elif isinstance(step, ReadCodes):
            for place, known in zip(step.columns, step.codes, strict=True):
                found[program.columns[place].label] = set(known)
    return found
