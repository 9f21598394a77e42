"""Functions that the user wrote, as the plan and the backends see them.

Nothing here imports Numba before a function is compiled.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from ctypes import CFUNCTYPE, c_int64, c_void_p
from dataclasses import dataclass
from types import CellType, FunctionType, ModuleType
from typing import Any, Self

import numpy as np

__all__ = ["CustomActivation", "plain_function", "substituted"]

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
        Maps a constant of the function's text to its substitute.
    """
    code = function.__code__
    code = code.replace(co_consts=tuple(map(constant, code.co_consts)))
    names = {
        name: function.__globals__[name] for name in code.co_names if name in function.__globals__
    }
    seen = {**function.__globals__, **{name: replace(value) for name, value in names.items()}}
    cells = tuple(CellType(replace(cell.cell_contents)) for cell in function.__closure__ or ())
    copy = FunctionType(code, seen, function.__name__, function.__defaults__, cells)
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


def _each(function: FunctionType, z: np.ndarray) -> np.ndarray:
    """Return function(z) shaped like z, number by number, in z's precision."""
    scalar = substituted(function, _numpy_for, lambda value: value)
    with np.errstate(all="ignore"):
        return np.fromiter(map(scalar, z.ravel()), z.dtype, z.size).reshape(z.shape)


@dataclass(frozen=True, repr=False)
class CustomActivation:
    """An activation h = f(z) of the user's with its slope df(z); made by ``custom_activation``.

    It is pickled as its two functions, which are compiled again when they are first needed.
    """

    f: FunctionType
    df: FunctionType
    name: str

    def address(self, dtype: np.dtype) -> int:
        """Return where the compiled loop for a real type is; it stays there as long as Python runs.

        It is a C function as ``fastmlp_layer.custom`` in ``csrc/fastmlp.h``.
        """
        from fastmlp.backends.numba_jit.callbacks import activation_callback  # noqa: PLC0415

        return int(activation_callback(self.f, self.df, np.dtype(dtype)).address)

    def evaluate(self, z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return h and slope (n,) of z (n,), by the compiled loop."""
        h, slope = z.copy(), np.empty_like(z)
        call = CFUNCTYPE(None, c_int64, c_void_p, c_void_p, c_int64)(self.address(z.dtype))
        call(z.size, h.ctypes.data, slope.ctypes.data, z.size)
        return h, slope

    def each(self, z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return h and slope, shaped like ``z``, without Numba."""
        return _each(self.f, z), _each(self.df, z)

    def __copy__(self) -> Self:
        """Return itself: nothing in it changes."""
        return self

    def __deepcopy__(self, memo: Any) -> Self:
        """Return itself: nothing in it changes."""
        return self

    def __repr__(self) -> str:
        functions = f"{self.f.__qualname__}, {self.df.__qualname__}"
        named = "" if self.name == self.f.__name__ else f", name={self.name!r}"
        return f"custom_activation({functions}{named})"
