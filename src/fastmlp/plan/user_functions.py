"""Functions that the user wrote, as the plan and the backends see them.

Here they are Python functions. ``backends/numba_jit`` compiles them for whoever calls them from C.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import CellType, FunctionType, ModuleType
from typing import Any, Self

import numpy as np

__all__ = ["CustomActivation", "CustomLoss", "plain_function", "substituted"]

Replace = Callable[[Any], Any]


def plain_function(function: Any) -> Any:
    """Return the Python function that Numba's ``@njit`` wraps, or the argument itself."""
    return getattr(function, "py_func", function)


def substituted(function: FunctionType, replace: Replace, constant: Replace) -> FunctionType:
    """Return a copy of a function that sees other things under the names that it uses.

    Parameters
    ----------
    function : function
        Not changed.
    replace : callable
        Maps the value of a global or of a variable of an enclosing function to its substitute.
    constant : callable
        Maps a constant of the function's text, or a default, to its substitute.
    """
    code = function.__code__
    code = code.replace(co_consts=tuple(map(constant, code.co_consts)))
    names = {
        name: function.__globals__[name] for name in code.co_names if name in function.__globals__
    }
    seen = {**function.__globals__, **{name: replace(value) for name, value in names.items()}}
    cells = tuple(CellType(replace(cell.cell_contents)) for cell in function.__closure__ or ())
    defaults = tuple(map(constant, function.__defaults__ or ()))
    copy = FunctionType(code, seen, function.__name__, defaults, cells)
    copy.__kwdefaults__ = function.__kwdefaults__
    return copy


class Namespace(ModuleType):
    """A module with some of its functions replaced."""

    def __init__(self, module: ModuleType, replacements: Mapping[str, Any]) -> None:
        super().__init__(f"fastmlp_{module.__name__}")
        self.__dict__.update(replacements)
        self._module = module

    def __getattr__(self, name: str) -> Any:
        """Return what the module has under a name that is not replaced."""
        return getattr(self._module, name)


#: NumPy's functions return inf where those of ``math`` raise.
_NUMPY_OF_MATH = {
    name: getattr(np, name)
    for name in ("exp", "expm1", "log", "log1p", "log2", "log10", "sqrt", "sinh", "cosh", "tanh")
}
_NUMPY_BY_FUNCTION = {getattr(math, name): function for name, function in _NUMPY_OF_MATH.items()}
_MATH = Namespace(math, _NUMPY_OF_MATH)


def _numpy_for(value: Any) -> Any:
    if value is math:
        return _MATH
    try:
        return _NUMPY_BY_FUNCTION.get(value, value)
    except TypeError:  # not hashable, so not a function of math
        return value


def _each(function: FunctionType, *arrays: np.ndarray) -> np.ndarray:
    """Return the function of numbers of arrays of one shape, in their precision, without Numba."""
    scalar = substituted(function, _numpy_for, lambda value: value)
    first = arrays[0]
    with np.errstate(all="ignore"):
        values = map(scalar, *(array.ravel() for array in arrays))
        return np.fromiter(values, first.dtype, first.size).reshape(first.shape)


class _Unchanging:
    """What is its own copy, as nothing in it changes."""

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: Any) -> Self:
        return self


def _text(maker: str, first: FunctionType, second: FunctionType, name: str) -> str:
    named = "" if name == first.__name__ else f", name={name!r}"
    return f"{maker}({first.__qualname__}, {second.__qualname__}{named})"


@dataclass(frozen=True, repr=False)
class CustomActivation(_Unchanging):
    """An activation h = f(z) of the user's with its slope df(z); made by ``custom_activation``.

    It is pickled as its two functions, which are compiled again when they are first needed.
    """

    f: FunctionType
    df: FunctionType
    name: str

    def each(self, z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return h and slope, shaped like ``z``, without Numba."""
        return _each(self.f, z), _each(self.df, z)

    def __repr__(self) -> str:
        return _text("custom_activation", self.f, self.df, self.name)


@dataclass(frozen=True, repr=False)
class CustomLoss(_Unchanging):
    """A loss of the user's, the sum over outputs of value(prediction, target), and its derivative.

    Made by ``custom_loss``; pickled as its two functions.
    """

    value: FunctionType
    grad: FunctionType
    name: str

    def each(self, z: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the terms of the losses and their derivatives, (B, C) each, without Numba."""
        return _each(self.value, z, y), _each(self.grad, z, y)

    def __repr__(self) -> str:
        return _text("custom_loss", self.value, self.grad, self.name)
