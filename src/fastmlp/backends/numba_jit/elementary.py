# mypy: disable-error-code="no-untyped-def,no-untyped-call"
# (compiled functions take their types from their arguments)
"""What the user's functions get for ``math.exp`` and the like: it becomes vectors in a loop.

The names are those of ``math`` and of NumPy, whose functions they stand for.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import types
from numba.extending import overload

from fastmlp.backends.numba_jit import exponential

__all__ = ["exp", "tanh"]


def exp(x: Any) -> Any:
    """Return eˣ."""
    return np.exp(x)


def tanh(x: Any) -> Any:
    """Return tanh x."""
    return np.tanh(x)


def _of_number(function):
    """Return what ``overload`` wants: the function for floats, and for whole numbers as floats."""

    def choose(x):
        if isinstance(x, types.Float):
            return lambda x: function(x)  # noqa: PLW0108 - compiled, unlike the function itself
        if isinstance(x, (types.Integer, types.Boolean)):
            return lambda x: function(float(x))
        return None

    return choose


overload(exp, jit_options={"forceinline": True})(_of_number(exponential.exp))
overload(tanh, jit_options={"forceinline": True})(_of_number(exponential.tanh))
