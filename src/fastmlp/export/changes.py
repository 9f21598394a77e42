"""Programs that differ in the type of their numbers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any

import numpy as np

from fastmlp.export.program import Program
from fastmlp.export.steps import Dense, Embed, Weights
from fastmlp.export.values import Step, Value

__all__ = ["quantized", "widened"]


def quantized(program: Program, dtype: np.dtype) -> Program:
    """Return a program whose matrices and tables are int8 or int16, with a scale for each column.

    A column's largest number becomes ±127 or ±32767, and each other one the nearest whole number.
    """

    def change(step: Step) -> Step:
        if isinstance(step, Dense):
            return replace(step, weights=_quantized(step.weights, dtype))
        if isinstance(step, Embed):
            return replace(step, table=_quantized(step.table, dtype))
        return step

    return replace(program, steps=tuple(map(change, program.steps)))


def _quantized(weights: Weights, dtype: np.dtype) -> Weights:
    numbers = weights.values.astype(np.float64)
    largest = np.abs(numbers).max(axis=-2, keepdims=True)
    scales = np.where(largest > 0, largest, 1) / np.iinfo(dtype).max
    return Weights(np.rint(numbers / scales).astype(dtype), scales)


def widened(program: Program) -> Program:
    """Return a program that computes in float64 throughout, to tell what rounding changes."""
    change: Callable[[Step], Step] = lambda step: replace(  # noqa: E731
        step, **{each.name: _widened(getattr(step, each.name)) for each in fields(step)}
    )
    answers = {name: _widened(value) for name, value in program.answers.items()}
    return replace(program, steps=tuple(map(change, program.steps)), answers=answers)


def _widened(given: Any) -> Any:
    """Return what a step holds, in float64 where it is float32."""
    if isinstance(given, tuple) and given and isinstance(given[0], Value):
        return tuple(map(_widened, given))
    if isinstance(given, Value) and given.dtype == np.float32:
        return replace(given, dtype=np.dtype(np.float64))
    if isinstance(given, Weights):
        return Weights(_widened(given.values), given.scales)
    if isinstance(given, np.ndarray) and given.dtype == np.float32:
        return given.astype(np.float64)
    return given
