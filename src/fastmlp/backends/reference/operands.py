"""Products whose operands are rounded to bfloat16: the first 16 bits of a float32 number."""

from __future__ import annotations

import numpy as np

__all__ = ["product", "to_bfloat16"]

#: The bits that are cut off.
_CUT = np.uint32(0xFFFF)
#: What is smaller has fewer digits than other numbers of float32, and counts as 0.
_SMALLEST = np.finfo(np.float32).tiny


def to_bfloat16(x: np.ndarray) -> np.ndarray:
    """Return float32 numbers x rounded to the nearest bfloat16, ties to even; NaN stays."""
    bits = np.where(np.abs(x) < _SMALLEST, np.copysign(np.float32(0), x), x).view(np.uint32)
    ties_to_even = (bits >> 16) & 1
    rounded = (bits + (_CUT >> 1) + ties_to_even) & ~_CUT
    return np.where(np.isnan(x), x, rounded.view(np.float32))


def _parts(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return x as the sum of two bfloat16 numbers, of about 16 bits together."""
    large = to_bfloat16(x)
    return large, to_bfloat16(x - large)


def product(precision: str, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return a @ b, with sums in the type of the operands.

    Float32 operands are rounded to one bfloat16 number each for "medium", and split into two for
    "high", where the product of the two small parts is left out.
    """
    if precision == "highest" or a.dtype != np.float32:
        exact: np.ndarray = a @ b
        return exact
    if precision == "medium":
        rounded: np.ndarray = to_bfloat16(a) @ to_bfloat16(b)
        return rounded
    (a, a_rest), (b, b_rest) = _parts(a), _parts(b)
    split: np.ndarray = a @ b + (a @ b_rest + a_rest @ b)
    return split
