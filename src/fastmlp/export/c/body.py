"""The body of a function in C: where values lie, and a few lines for each step."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from fastmlp.export.c.arrays import Arrays
from fastmlp.export.c.text import C_TYPES, one_comment
from fastmlp.export.steps import (
    Activate,
    Add,
    Concatenate,
    Link,
    Normalize,
    Scale,
    Select,
)
from fastmlp.export.table_steps import Affine, Clip, Exponential, Moments, SquareRoot, Temper
from fastmlp.export.values import Step, Value

__all__ = ["Body", "Place", "Source"]

#: Steps that can write where they read.
IN_PLACE = (
    Activate, Add, Affine, Clip, Exponential, Link, Moments, Normalize, Scale, SquareRoot, Temper,
)  # fmt: skip


@dataclass(frozen=True)
class Place:
    """Where the numbers of a value lie: in an array, from one of its items on.

    Examples
    --------
    >>> place = Place("x", 3)
    >>> print(place, place.item(2), place.item("i"))
    x + 3 x[5] x[3 + i]
    """

    array: str
    begin: int = 0

    def __str__(self) -> str:
        return f"{self.array} + {self.begin}" if self.begin else self.array

    def item(self, index: str | int) -> str:
        """Return one of its numbers."""
        if isinstance(index, int):
            return f"{self.array}[{self.begin + index}]"
        return f"{self.array}[{self.begin} + {index}]" if self.begin else f"{self.array}[{index}]"

    def after(self, begin: int) -> Place:
        """Return the place that begins so many numbers later."""
        return Place(self.array, self.begin + begin)


@dataclass
class Source:
    """What the functions of a file share.

    Attributes
    ----------
    prefix : str
        Begin of all names.
    real : str
        The network's type in C.
    arrays : Arrays
    helpers : set of str
        Names of helpers that are called.
    fields : tuple of str
        Of the struct of a raw table's row.
    """

    prefix: str
    real: str
    arrays: Arrays
    helpers: set[str] = field(default_factory=set)
    fields: tuple[str, ...] = ()

    def helper(self, name: str) -> str:
        """Return what a helper is called, and have it written."""
        self.helpers.add(name)
        return f"{self.prefix}{name}"


@dataclass
class Body:
    """Steps as lines of C.

    Attributes
    ----------
    source : Source
    steps : sequence of Step
    given : mapping of str to Place
        Where values lie that come from outside, by their names: they are only read.
    wanted : mapping of str to Place
        Where values have to be in the end.
    lines : list of str
    n_bytes : int
        How large its own arrays are.
    """

    source: Source
    steps: Sequence[Step]
    given: Mapping[str, Place]
    wanted: Mapping[str, Place]
    lines: list[str] = field(default_factory=list)
    n_bytes: int = 0

    def __post_init__(self) -> None:
        self._uses = Counter(each.name for step in self.steps for each in step.inputs)
        self._places: dict[str, Place] = dict(self.given)
        self._joined = self._joining()
        self._own: set[str] = set()  # may be written over

    def _joining(self) -> dict[str, tuple[Concatenate, int]]:
        """Return into which longer value each can be written at once, by its name, and where."""
        made = {step.output.name for step in self.steps}
        found: dict[str, tuple[Concatenate, int]] = {}
        for step in self.steps:
            if isinstance(step, Concatenate):
                begins = np.cumsum([0, *(each.width for each in step.inputs)]).tolist()
                for value, begin in zip(step.inputs, begins, strict=False):
                    free = self._uses[value.name] == 1 and value.name not in self.wanted
                    if free and value.name in made:
                        found[value.name] = (step, begin)
        return found

    def at(self, value: Value) -> Place:
        """Return where a value lies."""
        return self._places[value.name]

    def is_joined(self, value: Value) -> bool:
        """Return whether a value was written where the longer one is of which it is a part."""
        return value.name in self._joined

    def declare(self, step: Step) -> Place:
        """Return where a step has to put its output; it has then a place."""
        output = step.output
        if output.name not in self._places:
            self._places[output.name] = self._place_for(step)
        return self._places[output.name]

    def _place_for(self, step: Step) -> Place:
        output = step.output
        if output.name in self.wanted:
            return self.wanted[output.name]
        if output.name in self._joined:
            whole, begin = self._joined[output.name]
            return self.declare(whole).after(begin)
        if isinstance(step, IN_PLACE) and self._can_be_overwritten(step):
            place = self.at(step.inputs[0])
            self._own.add(output.name)
            return place
        self.lines.append(f"{C_TYPES[output.dtype]} {output.name}[{output.size}];")
        self.n_bytes += output.n_bytes
        self._own.add(output.name)
        return Place(output.name)

    def _can_be_overwritten(self, step: Step) -> bool:
        value, output = step.inputs[0], step.output
        alike = (value.size, value.dtype) == (output.size, output.dtype)
        return alike and value.name in self._own and self._uses[value.name] == 1

    def alias(self, step: Select) -> bool:
        """Return whether what a step selects can be read where it lies; it is then its place."""
        places, value, output = step.places, step.inputs[0], step.output
        run = bool((np.diff(places) == 1).all())
        moved = output.name in self.wanted or output.name in self._joined
        if not run or moved or value.dtype != output.dtype or value.rows > 1:
            return False
        self._places[output.name] = self.at(value).after(int(places[0]))
        return True

    def remark(self, step: Step) -> None:
        """Write down what a step is."""
        if step.remark:
            self.lines.append(one_comment(step.remark))
