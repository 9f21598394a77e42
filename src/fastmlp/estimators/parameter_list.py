"""Lists of a network's arrays, whose items are views that keep their place and shape."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Sequence
from typing import Any, NoReturn

import numpy as np

from fastmlp.validation import (
    check_layer_number,
    check_layer_values,
    check_number_of_layers,
    raise_fixed_layers,
)

__all__ = ["ParameterList", "assign"]


class ParameterList(list):
    """A list of views of one parameter vector; setting an item writes into the network.

    The number of items and their shapes belong to the network, so they stay as they are. Copies
    and pickles are plain lists.
    """

    def __init__(self, name: str, views: Iterable[np.ndarray | None]) -> None:
        super().__init__(views)
        self._name = name

    def __setitem__(self, index: Any, value: Any) -> None:
        """Copy ``value`` into the view at ``index``; ValueError unless the shape is the same."""
        if isinstance(index, slice):
            numbers = range(*index.indices(len(self)))
            self._write(numbers, value)
        else:
            number = operator.index(index)
            check_layer_number(self._name, number, len(self))
            self._write([number % len(self)], [value])

    def _write(self, numbers: Sequence[int], values: Any) -> None:
        """Check all before anything is written."""
        check_number_of_layers(self._name, values, len(numbers))
        arrays = [
            check_layer_values(f"{self._name}[{number}]", value, self[number])
            for number, value in zip(numbers, values, strict=True)
        ]
        for number, array in zip(numbers, arrays, strict=True):
            if array is not None:
                self[number][...] = array

    def _refuse(self, *arguments: Any, **named: Any) -> NoReturn:
        """Refuse what would change the number or the order of the layers."""
        raise_fixed_layers(self._name, len(self))

    append = extend = insert = pop = remove = clear = sort = reverse = _refuse
    __delitem__ = __iadd__ = __imul__ = _refuse

    def __reduce_ex__(self, protocol: Any) -> tuple[type, tuple[list]]:
        return list, (list(self),)

    def copy(self) -> list:
        """Return a plain list of the same views."""
        return list(self)


def assign(name: str, views: Sequence[np.ndarray | None], values: Any) -> None:
    """Copy ``values``, one array per layer, into a network's ``views``."""
    ParameterList(name, views)[:] = values
