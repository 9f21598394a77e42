"""Attributes that an object computes when they are first read, and then keeps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar, overload

__all__ = ["kept_property"]

_Value = TypeVar("_Value")


class kept_property(Generic[_Value]):  # noqa: N801 - used as functools.cached_property is
    """A property that is computed once, as ``functools.cached_property``, but without a lock.

    That of Python 3.11 holds a lock meanwhile, which all objects of a class share: a child that is
    forked then, while another thread fits, would wait for it for ever. Here two threads may compute
    the same twice.
    """

    def __init__(self, compute: Callable[[Any], _Value]) -> None:
        self._compute, self.__doc__ = compute, compute.__doc__

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    @overload
    def __get__(self, instance: None, owner: type) -> kept_property[_Value]: ...
    @overload
    def __get__(self, instance: object, owner: type) -> _Value: ...
    def __get__(self, instance: object | None, owner: type) -> kept_property[_Value] | _Value:
        if instance is None:
            return self
        value = instance.__dict__[self._name] = self._compute(instance)
        return value
