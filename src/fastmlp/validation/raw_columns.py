"""Checks of what a user says of single columns of a raw table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations
from typing import Any, NoReturn

import numpy as np

from fastmlp.validation.rules import Number
from fastmlp.validation.wording import LONGEST_NAME, brief, did_you_mean

__all__ = ["check_column_roles", "check_min_count", "check_order", "raise_no_order"]

_MIN_COUNT = Number(1, integral=True)


def check_column_roles(
    given: Mapping[str, Any], names: Sequence[str] | None, n_columns: int
) -> dict[str, list[int]]:
    """Return the places of the columns that each parameter names.

    Parameters
    ----------
    given : mapping of str to column names, places, a mask or None
        Parameters by name.
    names : sequence of str, length I, or None
        Of the table's columns.
    n_columns : int

    Raises
    ------
    ValueError, TypeError
        If a column is not there, or two parameters name it.
    """
    places = {name: _places(name, value, names, n_columns) for name, value in given.items()}
    for one, other in combinations(places, 2):
        both = sorted(set(places[one]) & set(places[other]))
        if both:
            which = both[0] if names is None else names[both[0]]
            raise ValueError(
                f"{one} and {other} must name different columns; both name {brief(which)}."
            )
    return places


def check_order(parameter: str, column: Any, order: Any) -> list[Any]:
    """Return the levels that a user lists, the lowest first."""
    if isinstance(order, (str, bytes)) or not isinstance(order, (Sequence, np.ndarray)):
        raise TypeError(
            f"{parameter}[{brief(column)}] must be a list of levels, from lowest to highest; got "
            f"{brief(order)}."
        )
    return list(order)


def check_min_count(value: Any) -> None:
    """Raise unless ``min_count`` is an integer ≥ 1."""
    _MIN_COUNT("min_count", value)


def raise_no_order(label: str | int, levels: Iterable[str]) -> NoReturn:
    """Raise ValueError for texts whose order nobody has said."""
    listed = list(levels)
    raise ValueError(
        f"ordinal_features must give the order of the levels of column {brief(label)}: pass "
        f"{{{brief(label)}: {brief(listed)}}}, with the lowest first."
    )


def _places(name: str, given: Any, names: Sequence[str] | None, n_columns: int) -> list[int]:
    if given is None or (isinstance(given, str) and given == "auto"):
        return []
    if isinstance(given, (str, bytes)) or not isinstance(given, (Iterable, np.ndarray)):
        raise TypeError(
            f"{name} must be a list of column names or positions, or a mask; got {brief(given)}."
        )
    listed = list(given)
    if listed and all(isinstance(each, (bool, np.bool_)) for each in listed):
        if len(listed) != n_columns:
            raise ValueError(
                f"{name} is a mask, so it must have an entry for each of {n_columns} columns; got "
                f"{len(listed)}."
            )
        return np.flatnonzero(listed).tolist()
    known = None if names is None else dict(zip(names, range(n_columns), strict=True))
    return [_place(name, each, known, n_columns) for each in listed]


def _place(name: str, column: Any, known: Mapping[str, int] | None, n_columns: int) -> int:
    if isinstance(column, str):
        if known is not None and column in known:
            return known[column]
        _raise_no_such_column(name, column, known)
    if isinstance(column, (int, np.integer)) and not isinstance(column, bool):
        if not -n_columns <= column < n_columns:
            raise ValueError(
                f"{name}: X has {n_columns} columns; got the position {brief(column)}."
            )
        return int(column) % n_columns
    raise TypeError(f"{name} must hold column names or positions; got {brief(column)}.")


def _raise_no_such_column(name: str, column: str, known: Mapping[str, int] | None) -> NoReturn:
    hint = did_you_mean(column, known or ())
    reason = "X has no such column" if known is not None else "X has no column names"
    raise ValueError(f"{name}: {reason}: {brief(column, LONGEST_NAME)}.{hint}")
