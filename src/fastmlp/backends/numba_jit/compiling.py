# mypy: disable-error-code="no-untyped-def,no-untyped-call,call-overload"
"""The user's scalar functions, compiled to C functions over whole arrays.

A loop around a scalar function that is compiled into it becomes vectors, if all that the function
calls does. So ``math.exp`` and ``math.tanh``, and NumPy's, are replaced by those of this package.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache, partial
from types import FunctionType
from typing import Any

import numba
import numpy as np
from numba import types

from fastmlp.backends.numba_jit import elementary
from fastmlp.backends.numba_jit.hazards import hazard
from fastmlp.plan.user_functions import Namespace, substituted
from fastmlp.threads import OwnLock

__all__ = ["UnsafeFunctionError", "activation_callback", "loss_callback", "result_type"]

_OPTIONS: dict[str, Any] = {
    "nogil": True,
    "error_model": "numpy",  # division by zero gives inf or NaN, as in C
    "fastmath": {"contract", "nsz"},
    "_nrt": False,  # what allocates is refused
}
_REPLACED = {name: getattr(elementary, name) for name in elementary.__all__}
#: By id, as not everything that can be called can be hashed: functions of ctypes cannot.
_SUBSTITUTES = {
    id(getattr(module, name)): function
    for module in (math, np)
    for name, function in _REPLACED.items()
}


@cache
def _modules(dtype: np.dtype) -> dict[int, Namespace]:
    """Return what ``math`` and NumPy are to a function, by id: their constants are of a type."""
    constants = {name: dtype.type(getattr(math, name)) for name in ("e", "inf", "nan", "pi", "tau")}
    of_numpy = {name: constants[name] for name in ("e", "inf", "nan", "pi")}
    return {
        id(math): Namespace(math, {**_REPLACED, **constants}),
        id(np): Namespace(np, {**_REPLACED, **of_numpy}),
    }


def _type_of(dtype: np.dtype) -> Any:
    return types.float32 if dtype == np.float32 else types.float64


@cache
def _scalar(function: FunctionType, dtype: np.dtype) -> Any:
    """Return a function of numbers of one type, ready to be compiled into its callers.

    Its floating-point constants get that type: one double in it would make all else double. So
    would an integer, but that may be an exponent or an index, and stays.
    """

    def of_type(value: Any) -> Any:
        if type(value) is tuple:
            return tuple(map(of_type, value))
        return dtype.type(value) if isinstance(value, (float, np.floating)) else value

    def replace(value: Any) -> Any:
        if id(value) in _modules(dtype):
            return _modules(dtype)[id(value)]
        substitute = _SUBSTITUTES.get(id(value))
        return of_type(value) if substitute is None else substitute

    return numba.njit(forceinline=True, **_OPTIONS)(substituted(function, replace, of_type))


def result_type(function: FunctionType, dtype: np.dtype, n_arguments: int) -> Any:
    """Compile a function of ``n_arguments`` numbers alone and return Numba's type of its result.

    Raises
    ------
    numba.core.errors.NumbaError
        It can't be compiled.
    """
    dispatcher = _scalar(function, dtype)
    n_omitted = function.__code__.co_argcount - n_arguments
    defaults = (dispatcher.py_func.__defaults__ or ())[-n_omitted:] if n_omitted > 0 else ()
    dispatcher.compile((_type_of(dtype),) * n_arguments + tuple(map(types.Omitted, defaults)))
    return next(iter(dispatcher.overloads.values())).signature.return_type


def _activation_loop(f: Any, df: Any) -> Callable[..., None]:
    """Return the loop of ``fastmlp_layer.custom``; see ``csrc/fastmlp.h``."""

    def activate(n, n_slopes, h, slope):
        if n_slopes == 0:
            for i in range(n):
                h[i] = f(h[i])
        else:
            for i in range(n):
                z = h[i]
                h[i] = f(z)
                slope[i] = df(z)

    return activate


def _loss_loop(value: Any, grad: Any) -> Callable[..., None]:
    """Return the loop of ``fastmlp_custom_loss``; see ``csrc/fastmlp.h``.

    With one output the rows become vectors; else a row's terms are added in order.
    """

    def losses(n_rows, n_outputs, logits, target, values, gradient):
        if n_outputs == 1:
            for i in range(n_rows):
                values[i] = value(logits[i], target[i])
                gradient[i] = grad(logits[i], target[i])
            return
        for i in range(n_rows * n_outputs):
            gradient[i] = grad(logits[i], target[i])
        for row in range(n_rows):
            start = row * n_outputs
            total = value(logits[start], target[start])
            for i in range(start + 1, start + n_outputs):
                total += value(logits[i], target[i])
            values[row] = total

    return losses


_COMPILING = OwnLock()

_CAN_RAISE = (
    "can raise an exception, which compiled code cannot pass on; return math.nan instead of raise "
    "and assert, and write 1 / z**2 for z**-2"
)


class UnsafeFunctionError(ValueError):
    """A function does what nobody would notice once it is compiled.

    Attributes
    ----------
    wrong : str
        What that is, to go on after the function's name.
    """

    def __init__(self, names: str, wrong: str) -> None:
        super().__init__(f"{names} {wrong}.")
        self.wrong = wrong


@cache
def _callback(make_loop: Any, counts: int, pointers: int, dtype: np.dtype, *functions: Any) -> Any:
    """Compile a loop that takes so many counts and then so many pointers to numbers of a type."""
    pointer = types.CPointer(_type_of(dtype))
    signature = types.void(*[types.int64] * counts, *[pointer] * pointers)
    scalars = [_scalar(function, dtype) for function in functions]
    compiled = numba.cfunc(signature, **_OPTIONS)(make_loop(*scalars))
    for function, scalar in zip(functions, scalars, strict=True):
        wrong = hazard(scalar, next(iter(scalar.overloads)))
        if wrong is not None:
            raise UnsafeFunctionError(function.__qualname__, wrong)
    if _can_raise(compiled):
        raise UnsafeFunctionError(" or ".join(f.__qualname__ for f in functions), _CAN_RAISE)
    return compiled


def activation_callback(f: FunctionType, df: FunctionType, dtype: np.dtype) -> Any:
    """Return the compiled loop over f and df, with its ``address``.

    It is compiled once, by one thread, and never freed: whoever has its address may use it.

    Raises
    ------
    UnsafeFunctionError
        A function could read memory that is not its own, or raise.
    """
    return _COMPILING.during(partial(_callback, _activation_loop, 2, 2, dtype, f, df))


def loss_callback(value: FunctionType, grad: FunctionType, dtype: np.dtype) -> Any:
    """Return the compiled loop over value and grad, as ``activation_callback`` does."""
    return _COMPILING.during(partial(_callback, _loss_loop, 2, 4, dtype, value, grad))


def _can_raise(callback: Any) -> bool:
    """Return whether a callback has code that reports an exception.

    The optimiser leaves it out unless a function in the loop, or one that it calls, can raise. The
    C caller would never hear of it: the loop ends there, and the rest is what memory held before.
    """
    return "PyErr_WriteUnraisable" in callback.inspect_llvm()
