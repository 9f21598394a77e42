"""What to say of levels in a table that a model does not know."""

from __future__ import annotations

from typing import Any

from fastmlp.cli.tables.refusals import listed
from fastmlp.cli.telling import Teller
from fastmlp.validation.wording import brief, counted

__all__ = ["tell_unknown_levels"]

#: As many levels are named as help to recognise what they are.
MOST_LEVELS = 3


def tell_unknown_levels(model: Any, X: Any, teller: Teller) -> None:
    """Warn of each column of X (N, I) that has levels which a model does not know."""
    for each in model._ensemble.reader.unknown_levels(X):
        have = "has" if each.n_rows == 1 else "have"
        shown = listed(each.levels[:MOST_LEVELS])
        more = len(each.levels) - MOST_LEVELS
        also = f" and {counted(more, 'other')}" if more > 0 else ""
        seen, fate = "has seen at most once", "rare"
        if each.is_ordinal:
            seen, fate = "has never seen", "missing"
        teller.warn(
            f"{counted(each.n_rows, 'row')} {have} a value of {brief(str(each.column))} that the "
            f"model {seen}: {shown}{also}; such values count as {fate}"
        )
