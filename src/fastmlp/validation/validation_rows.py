"""Checks of the rows that users bring to judge a fit by: ``X_val`` and ``y_val``."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from fastmlp.validation.shapes import UNREADABLE

__all__ = ["check_validation_rows_given", "naming_validation_rows"]

#: A value that is shown in quotation marks, or an argument's name.
_QUOTED_OR_NAME = re.compile(r"""(?<!\w)'[^']*'(?!\w)|"[^"]*"|\b(?:X|y|sample_weight)\b""")


@contextmanager
def naming_validation_rows() -> Iterator[None]:
    """Make texts that speak of X, y and sample_weight speak of the rows to judge by."""
    try:
        yield
    except UNREADABLE as error:
        text = _QUOTED_OR_NAME.sub(_renamed, str(error))
        kind = TypeError if isinstance(error, TypeError) else ValueError
        raise kind(text) from error


def _renamed(found: re.Match[str]) -> str:
    text = found[0]
    return text if text[0] in "'\"" else f"{text}_val"


def check_validation_rows_given(
    X_val: Any, y_val: Any, sample_weight_val: Any, *, splits: bool
) -> bool:
    """Return whether there are rows to judge by; ValueError if but a part of them is given.

    ``splits`` says whether early stopping has been told by ``validation_split`` which rows of X to
    hold out.
    """
    given = {"X_val": X_val, "y_val": y_val}
    missing = [name for name, values in given.items() if values is None]
    if len(missing) == 1:
        there = next(name for name in given if name not in missing)
        raise ValueError(f"{missing[0]} is missing beside {there}: give both, or neither.")
    if missing and sample_weight_val is not None:
        raise ValueError(
            "X_val and y_val are missing beside sample_weight_val, which weighs their rows."
        )
    if not missing and splits:
        raise ValueError(
            "X_val and y_val stand beside validation_split: early stopping holds out no rows when "
            "it has rows of its own to judge by, so give one of the two."
        )
    return not missing
