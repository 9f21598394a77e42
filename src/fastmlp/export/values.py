"""What steps take and give."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

__all__ = ["CODES", "Step", "Value"]

#: Kind of values that are codes of categories.
CODES = np.dtype(np.int32)


@dataclass(frozen=True)
class Value:
    """Numbers of one row of X: a matrix of one row, or of one for each of k members.

    Attributes
    ----------
    name : str
        An identifier that no other value of the program has.
    width : int
    dtype : dtype
        float32, float64, or int32 for codes.
    rows : int
        1 or k.
    """

    name: str
    width: int
    dtype: np.dtype
    rows: int = 1

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and width."""
        return (self.rows, self.width)

    @property
    def size(self) -> int:
        """How many numbers it has."""
        return self.rows * self.width

    @property
    def n_bytes(self) -> int:
        """How many bytes these take."""
        return self.size * self.dtype.itemsize


@dataclass(frozen=True, eq=False)
class Step:
    """One computation; a subclass says which, holds its arrays, and knows it in NumPy.

    Attributes
    ----------
    inputs : tuple of Value
    output : Value
    part : str
        The part of the program to which it belongs: an identifier. Steps of a part are neighbours.
    remark : str
        What it is to a reader, on a line.
    """

    inputs: tuple[Value, ...]
    output: Value
    part: str = field(kw_only=True)
    remark: str = field(default="", kw_only=True)

    def of(self, *arrays: np.ndarray) -> Any:
        """Return the output (N, rows, width), given the inputs (N, rows, width)."""
        raise NotImplementedError

    def arrays(self) -> list[np.ndarray]:
        """Return the arrays that it holds, as they are stored."""
        held = [getattr(each, "values", each) for each in vars(self).values()]
        return [each for each in held if isinstance(each, np.ndarray)]

    def run(self, *arrays: np.ndarray) -> np.ndarray:
        """Return the output (N, rows, width) in its own type."""
        with np.errstate(all="ignore"):
            return np.asarray(self.of(*arrays), self.output.dtype)
