"""Checks of the rows that users bring to judge a fit by: ``X_val`` and ``y_val``."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np

from fastmlp.plan.inputs import Inputs
from fastmlp.validation.shapes import UNREADABLE, holds_texts

__all__ = [
    "check_validation_columns",
    "check_validation_rows_given",
    "far_from_training",
    "judges_nothing",
    "naming_validation_rows",
]

#: What to do about rows that a step of a pipeline has not seen.
_AS_LEFT = "Pass X_val as that step transforms it (pipe[:-1].transform(X_val))."

#: A column whose mean is so many standard deviations off is in another unit.
FAR = 1000

#: So many rows are enough to tell a column's mean.
ROWS_FOR_MEANS = 4096

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
        raise kind(text) from None


def check_validation_columns(X: Any, X_val: Any) -> None:
    """Raise ValueError if ``X_val`` is what X was before a step of a pipeline changed it."""
    if X_val is None:
        return
    if hasattr(X_val, "rows_of_piece"):
        raise TypeError("X_val can't be a source of fastmlp.data: give arrays or a data frame.")
    if _has_names(X_val) and not _has_names(X):
        raise ValueError(
            "X_val has column names and X has none: a step before the model changed X only. "
            f"{_AS_LEFT}"
        )
    if holds_texts(X_val) and not holds_texts(X):
        raise ValueError(
            "X_val holds a text for each sample and X does not: a step before the model changed X "
            f"only. {_AS_LEFT}"
        )


def judges_nothing(parameters: Mapping[str, Any]) -> str | None:
    """Return what to warn of when a parameter says how rows judge, but there are no such rows."""
    names = [name for name in ("scoring", "validation_split") if parameters[name] is not None]
    if not names or parameters["early_stopping"]:
        return None
    use = "is not used" if len(names) == 1 else "are not used"
    return (
        f"{' and '.join(names)} {use}: there are no validation rows without early_stopping=True "
        "or X_val and y_val."
    )


def _has_names(table: Any) -> bool:
    """Return whether a table is a data frame whose columns all have texts as names."""
    names = getattr(table, "column_names", None)  # of Arrow
    names = getattr(table, "columns", None) if names is None else names
    return names is not None and len(names) > 0 and all(isinstance(name, str) for name in names)


def far_from_training(X: Inputs, X_val: Inputs, names: np.ndarray | None) -> str | None:
    """Return what to warn of when a column of X_val (V, I) is in another unit than in X (N, I).

    ``names`` (I,) are those of the columns.
    """
    if not (isinstance(X, np.ndarray) and isinstance(X_val, np.ndarray)):
        return None
    some, others = (each[:: 1 + len(each) // ROWS_FOR_MEANS] for each in (X, X_val))
    with np.errstate(all="ignore"):
        mean, spread = some.mean(axis=0, dtype=np.float64), some.std(axis=0, dtype=np.float64)
        mean_val = others.mean(axis=0, dtype=np.float64)
        varies = spread > 1e-6 * np.abs(mean)
        distance = np.where(varies, np.abs(mean_val - mean) / np.where(varies, spread, 1.0), 0.0)
    column = int(np.argmax(distance))
    if not distance[column] > FAR:
        return None
    label = column if names is None else repr(str(names[column]))
    return (
        f"Column {label} of X_val has the mean {mean_val[column]:.3g}, which is "
        f"{distance[column]:.2g} standard deviations away from that of X: scale X_val as X is "
        "scaled, in a pipeline with pipe[:-1].transform(X_val)."
    )


def _renamed(found: re.Match[str]) -> str:
    text = found[0]
    return text if text[0] in "'\"" else f"{text}_val"


def check_validation_rows_given(
    X_val: Any, y_val: Any, sample_weight_val: Any, *, splits: bool
) -> bool:
    """Return whether there are rows to judge by; ValueError if only a part of them is given.

    ``splits`` says whether early stopping has been told by ``validation_split`` which rows of X to
    hold out.
    """
    given = {"X_val": X_val, "y_val": y_val}
    missing = [name for name, values in given.items() if values is None]
    if len(missing) == 1:
        there = next(name for name in given if name not in missing)
        raise ValueError(f"{missing[0]} is missing, but {there} is given: give both or neither.")
    if missing and sample_weight_val is not None:
        raise ValueError(
            "sample_weight_val is given without X_val and y_val, whose rows it weighs: give them "
            "too."
        )
    if not missing and splits:
        raise ValueError(
            "X_val and y_val are given as well as validation_split: early stopping holds out no "
            "rows when it has X_val, so give one of the two."
        )
    return not missing
