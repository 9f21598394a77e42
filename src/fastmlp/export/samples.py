"""Rows to try a program with, where the user gives none."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from fastmlp.export.program import Program
from fastmlp.export.table_steps import RawColumn, ReadCodes, ReadRanks

__all__ = ["chosen_rows", "sample_rows"]


def sample_rows(program: Program, n_rows: int) -> Any:
    """Return rows as ``Program.values`` takes them, always the same ones.

    Numbers of a raw table lie in the range of the fit, and some values are missing or unknown. All
    other numbers are from N(0, 1), and codes of categories are among the first four.
    """
    rng = np.random.default_rng(0)
    if program.x is not None:
        rows = rng.normal(size=(n_rows, program.x.width))
        rows[:, list(program.levels)] = rng.integers(0, 4, (n_rows, len(program.levels)))
        return rows.astype(program.x.dtype)
    known = dict(_known_texts(program))
    return [
        _sample(column, known.get(place, ()), rng, n_rows)
        for place, column in enumerate(program.columns)
    ]


def _known_texts(program: Program) -> Iterator[tuple[int, tuple[str, ...]]]:
    """Yield the columns of texts, by their places, and what texts they know."""
    for step in program.steps:
        if isinstance(step, ReadCodes):
            yield from zip(step.columns, map(tuple, step.codes), strict=True)
        elif isinstance(step, ReadRanks):
            yield step.column, tuple(step.ranks)


def _sample(
    column: RawColumn, texts: tuple[str, ...], rng: np.random.Generator, n_rows: int
) -> np.ndarray:
    if column.kind == "text":
        some = np.array([*texts, "", None], object)
        return np.asarray(some[rng.integers(0, len(some), n_rows)])
    low, high = column.low, column.high
    values = low + (high - low) * rng.random(n_rows)
    values = np.floor(values) if column.kind == "date" else values
    values[rng.random(n_rows) < 1 / 8] = np.nan
    return np.asarray(values)


def chosen_rows(program: Program, X: Any, n_rows: int) -> Any:
    """Return some of the rows that ``Program.values`` takes."""
    if program.x is not None:
        return X[:: max(1, len(X) // n_rows)][:n_rows]
    stride = max(1, len(X[0]) // n_rows)
    return [column[::stride][:n_rows] for column in X]
