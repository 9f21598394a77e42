"""What a user says that columns are, whatever they look like."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from fastmlp import validation

__all__ = ["Roles", "roles_of"]


@dataclass(frozen=True)
class Roles:
    """Places of columns whose kind the user has chosen.

    Attributes
    ----------
    categories, dropped : frozenset of int
    orders : dict of int to list or None
        Ordinal columns, and their levels from the lowest on if these are given.
    """

    categories: frozenset[int] = frozenset()
    dropped: frozenset[int] = frozenset()
    orders: Mapping[int, list[Any] | None] = field(default_factory=dict)

    @property
    def chosen(self) -> frozenset[int]:
        """All columns that are not what they look like."""
        return self.categories | self.dropped | frozenset(self.orders)


def roles_of(
    categorical_features: Any,
    ordinal_features: Any,
    drop: Any,
    names: tuple[str, ...] | None,
    n_columns: int,
) -> Roles:
    """Return the roles that parameters give to the columns of a table."""
    given = {
        "categorical_features": categorical_features,
        "ordinal_features": ordinal_features,
        "drop": drop,
    }
    places = validation.check_column_roles(given, names, n_columns)
    ordinal = places["ordinal_features"]
    orders: dict[int, list[Any] | None] = {}
    if isinstance(ordinal_features, Mapping):
        for place, (column, order) in zip(ordinal, ordinal_features.items(), strict=True):
            orders[place] = validation.check_order("ordinal_features", column, order)
    else:
        orders = dict.fromkeys(ordinal)
    return Roles(frozenset(places["categorical_features"]), frozenset(places["drop"]), orders)
