"""All that a prediction needs, as steps."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from fastmlp.export.table_steps import RawColumn
from fastmlp.export.values import Step, Value

__all__ = ["Builder", "Decision", "Program", "label_text", "needed"]


@dataclass(frozen=True)
class Decision:
    """How classes follow from numbers.

    Attributes
    ----------
    value : Value
    threshold : float or None
        None: the class of the largest number, the first one of several. Else a number above it
        is the second of two classes, or, of several labels, says that the row has the label.
    several : bool
        Whether each number stands for a label of its own.
    """

    value: Value
    threshold: float | None = None
    several: bool = False

    def of(self, numbers: np.ndarray) -> np.ndarray:
        """Return the number of the class (N,), or 0 and 1 (N, K), of numbers (N, width)."""
        if self.threshold is None:
            return np.asarray(numbers.argmax(axis=1))
        above = (numbers > self.threshold).astype(np.int64)
        return above if self.several else above[:, 0]

    def margin(self, numbers: np.ndarray) -> np.ndarray:
        """Return by how much a number must change, at least, to change what ``of`` returns."""
        if self.threshold is not None:
            far = np.abs(numbers - self.threshold)
            return far if self.several else np.asarray(far[:, 0])
        if numbers.shape[1] == 1:
            return np.full(len(numbers), np.inf)
        ordered = np.sort(numbers, axis=1)
        return np.asarray(ordered[:, -1] - ordered[:, -2])


@dataclass(frozen=True, eq=False)
class Program:
    """What a fitted model computes of one row of X.

    Attributes
    ----------
    x : Value or None
        The row, of a model that takes numbers; None for one of raw tables.
    columns : tuple of RawColumn
        Of a raw table; those that are not read are not among them.
    steps : tuple of Step
        In an order in which they can be run. The first inputs are ``x``; steps that read a raw
        table have no inputs and take its columns.
    core : Value
        What all answers are made of.
    answers : mapping of str to Value
        "probabilities", "decision_function", "predictions" or "deviations", as far as there are
        such.
    decision : Decision or None
        None for regressions.
    labels : ndarray, shape (K,), or None
        Of the classes.
    names : tuple of str
        Of the columns of ``x``, if they have any.
    levels : tuple of int
        Which columns of ``x`` are codes of categories.
    about : tuple of str
        Lines for people.
    """

    x: Value | None
    columns: tuple[RawColumn, ...]
    steps: tuple[Step, ...]
    core: Value
    answers: Mapping[str, Value]
    decision: Decision | None = None
    labels: np.ndarray | None = None
    names: tuple[str, ...] = ()
    levels: tuple[int, ...] = ()
    about: tuple[str, ...] = ()

    def values(self, X: Any) -> dict[str, np.ndarray]:
        """Return all values (N, rows, width) by name.

        X is an array (N, I), or a list of the columns (N,) of a raw table.
        """
        found: dict[str, np.ndarray] = {}
        if self.x is not None:
            found[self.x.name] = np.asarray(X, self.x.dtype)[:, np.newaxis]
        for step in self.steps:
            arrays = [found[each.name] for each in step.inputs]
            found[step.output.name] = step.run(*(arrays or X))
        return found

    def run(self, X: Any, answer: str) -> np.ndarray:
        """Return an answer (N, width) for X, as ``values`` takes it."""
        return self.values(X)[self.answers[answer].name][:, 0]

    def predict(self, X: Any) -> np.ndarray:
        """Return labels (N,), indicators (N, K), or predictions (N, width)."""
        if self.decision is None or self.labels is None:
            return self.run(X, "predictions")
        chosen = self.decision.of(self.values(X)[self.decision.value.name][:, 0])
        return chosen if self.decision.several else np.asarray(self.labels[chosen])

    @property
    def core_steps(self) -> tuple[Step, ...]:
        """The steps up to ``core``."""
        return tuple(needed(self.steps, [self.core]))

    @property
    def n_numbers(self) -> int:
        """How many numbers its steps hold."""
        held = [array for step in self.steps for array in step.arrays()]
        return sum({id(array): array.size for array in held}.values())

    @property
    def parts(self) -> list[tuple[str, tuple[Step, ...]]]:
        """The parts of the steps up to ``core``, in their order."""
        found: dict[str, list[Step]] = {}
        for step in self.core_steps:
            found.setdefault(step.part, []).append(step)
        return [(name, tuple(steps)) for name, steps in found.items()]


def needed(
    steps: Sequence[Step], wanted: Iterable[Value], given: Iterable[Value] = ()
) -> list[Step]:
    """Return the steps that lead to values, in their order, from those that are given."""
    names, known, found = {each.name for each in wanted}, {each.name for each in given}, []
    for step in reversed(steps):
        if step.output.name in names and step.output.name not in known:
            names |= {each.name for each in step.inputs}
            found.append(step)
    return found[::-1]


def label_text(label: object) -> str:
    """Return a class label as a text."""
    return label.decode(errors="backslashreplace") if isinstance(label, bytes) else str(label)


@dataclass
class Builder:
    """Steps that are being written down, and the names of their values."""

    steps: list[Step] = field(default_factory=list)
    part: str = "network"
    _names: set[str] = field(default_factory=set)

    def value(self, name: str, width: int, dtype: Any, rows: int = 1) -> Value:
        """Return a new value, with a number behind its name if there is another of that name."""
        number, free = 2, name
        while free in self._names:
            number, free = number + 1, f"{name}_{number}"
        self._names.add(free)
        return Value(free, int(width), np.dtype(dtype), int(rows))

    def add(
        self,
        kind: type[Step],
        inputs: Value | Sequence[Value],
        name: str,
        width: int | None = None,
        *,
        dtype: Any = None,
        rows: int | None = None,
        remark: str = "",
        **fields: Any,
    ) -> Value:
        """Write down a step and return its output, which is like the first input unless told."""
        given = (inputs,) if isinstance(inputs, Value) else tuple(inputs)
        if given:
            first = given[0]
            width = first.width if width is None else width
            dtype = first.dtype if dtype is None else dtype
            rows = first.rows if rows is None else rows
        assert width is not None
        output = self.value(name, width, dtype, rows or 1)
        self.steps.append(kind(given, output, part=self.part, remark=remark, **fields))
        return output

    def program(self, core: Value, answers: Mapping[str, Value], **fields: Any) -> Program:
        """Return a program of those steps that its answers and its decision need."""
        decision: Decision | None = fields.get("decision")
        wanted = [core, *answers.values(), *([decision.value] if decision else [])]
        steps = tuple(needed(self.steps, wanted))
        return Program(steps=steps, core=core, answers=dict(answers), **fields)
