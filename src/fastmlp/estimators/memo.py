"""Results that depend only on parameters and sizes, kept for later fits with equal parameters.

A search, a cross-validation or a loop over seeds fits models of the same parameters again and
again. What they check and lay out is then the same each time, and more work than a fit of a few
rows.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from functools import lru_cache
from typing import Any, TypeVar

import numpy as np

__all__ = ["Memo", "memo_of"]

_Made = TypeVar("_Made")

#: Types whose values never change and are equal only where they mean the same, given the type.
_PLAIN = frozenset(
    (bool, int, float, str, type(None), np.bool_, np.int32, np.int64, np.float32, np.float64)
)
_PLAIN_OR_TUPLE = _PLAIN | {tuple}

#: How many sets of parameters are remembered, and how much of each.
MOST_MEMOS, MOST_OF_EACH = 64, 32


class Memo:
    """What has been made for one set of parameters; several threads may ask at once.

    Whatever is in it is never changed, and knows nothing of any data but their sizes. An error is
    not remembered: who comes next meets it again.
    """

    def __init__(self) -> None:
        self._made: dict[Hashable, Any] = {}

    def once(self, key: Hashable, make: Callable[[], _Made]) -> _Made:
        """Return what ``make`` has returned for a key, which says all else that it depends on."""
        known: Any = self._made.get(key, self)
        if known is not self:
            return known  # type: ignore[no-any-return]
        made = make()
        if len(self._made) >= MOST_OF_EACH:
            self._made.clear()
        self._made[key] = made
        return made


def memo_of(values: tuple[Any, ...], *about: Hashable) -> Memo:
    """Return the memo of parameters with these values, or a new one.

    It is a new one where a value might change by itself, as a list, an array or an object may, or
    where equal ones may be told apart.

    Parameters
    ----------
    values : tuple
        By the order of the parameters.
    *about : object
        What else tells sets of parameters apart.
    """
    kinds = tuple(map(type, values))
    if not _PLAIN_OR_TUPLE.issuperset(kinds):
        return Memo()
    inner = tuple([tuple(map(type, value)) for value in values if type(value) is tuple])
    if not all(map(_PLAIN.issuperset, inner)):
        return Memo()
    return _kept(values, kinds, inner, about)


@lru_cache(maxsize=MOST_MEMOS)
def _kept(*_told_apart_by: Hashable) -> Memo:
    """Return the memo of values and their types, since 1, 1.0 and True are equal."""
    return Memo()
