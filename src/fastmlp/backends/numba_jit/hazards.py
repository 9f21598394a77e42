# mypy: disable-error-code="no-untyped-def,no-untyped-call,attr-defined"
"""What a function of the user's must not do once it is compiled, because nobody would notice.

Numba checks no index into an array, so a computed index can read beyond its end in silence, and a
function that calls itself can overflow the stack, which ends the process. So a function may work
with numbers and tuples of numbers only, and take elements by constant indices. The same holds for
every Python function that it calls. Functions of Numba's own get nothing but such values; they and
functions of C are not looked into.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numba
from numba import types
from numba.core import ir
from numba.core.typing.templates import _OverloadFunctionTemplate
from numba.np.ufunc.dufunc import DUFunc

__all__ = ["hazard"]

#: Types that hold no addresses, besides those that are made of others.
_PLAIN = (
    types.Number,
    types.Boolean,
    types.NoneType,
    types.UnicodeType,
    types.StringLiteral,
    types.SliceType,
    types.RangeType,
    types.RangeIteratorType,
    types.Callable,
    types.Module,
    types.EnumClass,
    types.EnumMember,
    types.ExceptionClass,
    types.ExceptionInstance,
)
#: Types that are made of others, with a function that says of which.
_MADE_OF: dict[Any, Callable[[Any], Iterable[Any]]] = {
    types.BaseTuple: tuple,
    types.Omitted: lambda kind: [numba.typeof(kind.value)],
    types.Optional: lambda kind: [kind.type],
    types.Pair: lambda kind: [kind.first_type, kind.second_type],
    types.UniTupleIter: lambda kind: [kind.container],
    types.EnumerateType: lambda kind: [kind.source_type],
    types.ZipType: lambda kind: kind.source_types,
}

_ADVICE = "use numbers and tuples of numbers, and take elements by constant indices or in a loop"
_COMPUTED = "takes an element by a computed index"


def hazard(dispatcher: Any, arguments: tuple[Any, ...]) -> str | None:
    """Return what is wrong with a function compiled for arguments of these types, None if nothing.

    The text goes on after the function's name: "uses the array TABLE (line 3); …".
    """
    return _hazard(_typed(dispatcher, arguments), {dispatcher.py_func})


def _typed(dispatcher: Any, arguments: tuple[Any, ...]) -> Any:
    """Return the compiled function's statements, with the type of each variable."""
    compiled = dispatcher.overloads.get(arguments)
    if compiled is not None and hasattr(compiled.type_annotation, "typemap"):
        return compiled.type_annotation
    fresh = numba.njit(dispatcher.py_func)  # one that comes from a cache has no statements
    fresh.compile(arguments)
    return fresh.overloads[arguments].type_annotation


def _hazard(typed: Any, callers: set[Any]) -> str | None:
    for block in typed.blocks.values():
        for statement in block.body:
            if isinstance(statement, ir.Assign):
                wrong = _hazard_of(statement, typed, callers)
                if wrong is not None:
                    return wrong
    return None


def _hazard_of(statement: ir.Assign, typed: Any, callers: set[Any]) -> str | None:
    value, line = statement.value, f"(line {statement.loc.line})"
    kind = typed.typemap.get(statement.target.name)
    if isinstance(kind, types.RecursiveCall):
        return f"calls itself {line}; write a loop"
    if isinstance(kind, types.ContextManager):
        return f"goes back to Python {line}; write what Numba can compile"
    if not _is_plain(kind):
        return f"uses {_name_of(value, kind)} {line}; {_ADVICE}"
    if isinstance(value, ir.Expr) and value.op == "getitem":
        return f"{_COMPUTED} {line}; {_ADVICE}"
    if isinstance(value, ir.Expr) and value.op == "call":
        return _hazard_of_call(value, typed, callers, line)
    return None


def _is_plain(kind: Any) -> bool:
    for container, parts in _MADE_OF.items():
        if isinstance(kind, container):
            return all(map(_is_plain, parts(kind)))
    return isinstance(kind, _PLAIN)


def _name_of(value: Any, kind: Any) -> str:
    """Return what a value is called in the user's text, and what it is."""
    name = value.name if isinstance(value, (ir.Global, ir.FreeVar, ir.Arg)) else ""
    if isinstance(kind, types.Buffer):
        return f"the array {name}" if name else "an array"
    return f"{name or 'a value'}, of Numba's type {kind},"


def _hazard_of_call(call: ir.Expr, typed: Any, callers: set[Any], line: str) -> str | None:
    function = typed.typemap[call.func.name]
    if getattr(function, "typing_key", None) is operator.getitem:
        return f"{_COMPUTED} {line}; {_ADVICE}"
    arguments = typed.calltypes[call].args
    for called in _dispatchers(function, arguments):
        name = called.py_func.__qualname__
        if called.py_func in callers:
            return f"calls itself through {name} {line}; write a loop"
        wrong = _hazard(_typed(called, arguments), callers | {called.py_func})
        if wrong is not None:
            return f"calls {name} {line}, which {wrong}"
    return None


def _dispatchers(function: Any, arguments: tuple[Any, ...]) -> Iterator[Any]:
    """Yield the Python functions, compiled by Numba's decorators, that a call may run."""
    if isinstance(function, types.Dispatcher):
        yield function.dispatcher
    elif isinstance(function, types.Function):
        key: Any = function.typing_key
        if isinstance(key, DUFunc):
            yield key._dispatcher
        for template in function.templates:
            if issubclass(template, _OverloadFunctionTemplate):
                yield from _overloads(template, arguments)


def _overloads(template: Any, arguments: tuple[Any, ...]) -> Iterator[Any]:
    """Yield what others than Numba and this package have written for a function."""
    for dispatcher, _ in template._impl_cache.values():
        if dispatcher is None or arguments not in dispatcher.overloads:
            continue
        if dispatcher.py_func.__module__.partition(".")[0] not in ("numba", "fastmlp"):
            yield dispatcher
