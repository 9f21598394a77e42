"""A program as C, with what there is to say of its numbers."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastmlp.export.c import written
from fastmlp.export.changes import quantized
from fastmlp.export.program import Program
from fastmlp.export.samples import chosen_rows, sample_rows

__all__ = ["as_c"]

#: Rows of the self-test, and rows by which integers are judged if there are no others.
ROWS_OF_TEST, ROWS_OF_ERROR = 8, 256


def as_c(program: Program, name: str, weights: str, rows: Any = None) -> str:
    """Return a program as a file of C99; ``rows`` are as ``Program.values`` takes them."""
    given = rows is not None
    rows = rows if given else sample_rows(program, ROWS_OF_ERROR)
    notes = []
    if weights != "float":
        stored = quantized(program, np.dtype(weights))
        notes = _errors(program, stored, weights, rows, given=given)
        program = stored
    return written(program, name, chosen_rows(program, rows, ROWS_OF_TEST), notes)


def _errors(
    program: Program, stored: Program, weights: str, rows: Any, *, given: bool
) -> list[str]:
    """Return lines that say what integers change in the answers."""
    before, after = program.values(rows), stored.values(rows)
    which = "the given rows" if given else f"{ROWS_OF_ERROR} made-up rows"
    head = f"Matrices are {weights}, with a scale for each column."
    lines = [f"{head} How much that changes on {which}:"]
    for name, value in program.answers.items():
        far = np.abs(after[value.name].astype(np.float64) - before[value.name])
        text = f"  {name}: by {far.max():.2g} at most, {far.mean():.2g} on average"
        lines.append(text)
    if program.decision is not None:
        at = program.decision.value.name
        chosen = [program.decision.of(each[at][:, 0]) for each in (before, after)]
        share = float(np.mean(chosen[0] != chosen[1]))
        lines.append(f"  another class is predicted for {100 * share:.2g} % of them")
    return lines
