"""What is wrong with an argument that should hold real numbers, and what to do about it.

The texts name the argument, the column of a table and the first row that is to blame.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, NamedTuple

import numpy as np
from scipy.sparse import issparse

from fastmlp.validation.shapes import wrong_shape
from fastmlp.validation.wording import brief, one_line

__all__ = ["complaint", "is_missing"]

_TEXTS = (str, bytes)
_COMPLEX = "Complex data not supported; use the real and the imaginary parts as two columns"

#: Types of missing values, those of pandas among them, which need not be installed.
MISSING = ("NoneType", "NAType", "NaTType", "MaskedConstant")


def is_missing(value: Any) -> bool:
    """Return whether a value stands for none: None, NaN, or what NumPy and pandas have for it."""
    if isinstance(value, (float, np.floating)):
        return bool(np.isnan(value))
    if isinstance(value, Decimal):
        return value.is_nan()
    if isinstance(value, (np.datetime64, np.timedelta64)):
        return bool(np.isnat(value))
    return type(value).__name__ in MISSING


def complaint(name: str, values: Any, cause: Exception | None = None) -> Exception | None:
    """Return the error for ``values`` that are no array of real numbers; None if they are one.

    ``cause`` is what another library raised.
    """
    if issparse(values):
        return _complaint_of_sparse(name, values, cause)
    text = wrong_shape(name, values) or _wrong_names(name, values)
    if text is not None:
        return ValueError(text)
    wrong = next(filter(None, map(_first_wrong, _columns(values))), None)
    if wrong is None and np.asarray(values).dtype.kind in "SU":  # numbers as texts
        wrong = next(filter(None, map(_first_text, _columns(values))), None)
    if wrong is None:
        return None
    remedy = _remedy(name, wrong)
    # scikit-learn wants a TypeError with Python's own words for objects that are no numbers.
    kind = TypeError if remedy is None and isinstance(cause, TypeError) else ValueError
    return kind(f"{_place_of(name, wrong)}: {remedy or wrong.reason or 'give numbers'}.")


def _complaint_of_sparse(name: str, values: Any, cause: Exception | None) -> Exception | None:
    text = wrong_shape(name, values) if name == "X" else None
    if text is None and values.dtype.kind not in "biuf":
        remedy = ": " + _COMPLEX if values.dtype.kind == "c" else ""
        text = f"{name} must hold real numbers; got a sparse matrix of {values.dtype}{remedy}."
    if text is not None:
        return ValueError(text)
    if cause is None or isinstance(cause, TypeError):  # else something else is wrong with it
        return TypeError(
            f"{name} is a sparse matrix, which is not supported: pass {name}.toarray()."
        )
    return None


def _wrong_names(name: str, values: Any) -> str | None:
    """Return what is wrong with the names of columns: scikit-learn wants texts only."""
    labels = list(values.columns) if hasattr(values, "iloc") and hasattr(values, "columns") else []
    kinds = sorted({type(label).__name__ for label in labels})
    if name != "X" or len(kinds) < 2 or "str" not in kinds:
        return None
    return (
        f"The column names of X must all be strings, or X must have none; got names of type "
        f"{', '.join(kinds)}: use X.rename(columns=str)."
    )


class _Column(NamedTuple):
    """A column (N,) of a table, or all there is where ``label`` is None.

    ``access`` is what follows the table's name in an expression for the column; ``dtype`` is None
    in a list.
    """

    label: Any
    access: str
    dtype: Any
    values: np.ndarray


class _Wrong(NamedTuple):
    """The first entry of a column that is no real number; ``reason`` is what Python says of it."""

    column: _Column
    row: int
    value: Any
    reason: str = ""


def _columns(values: Any) -> Iterator[_Column]:
    """Yield the columns of a data frame, of pandas or with the same look-ups, or of an array."""
    if hasattr(values, "iloc") and hasattr(values, "columns"):
        for i, label in enumerate(values.columns):
            column = values.iloc[:, i]
            yield _Column(label, f"[{brief(label)}]", column.dtype, np.asarray(column))
    elif hasattr(values, "columns") and hasattr(values, "__getitem__"):
        for label in getattr(values, "column_names", values.columns):  # pyarrow has both
            column = values[label]
            dtype = getattr(column, "dtype", None) or column.type
            yield _Column(label, f"[{brief(label)}]", dtype, np.asarray(column))
    else:
        # As objects, since NumPy makes texts of numbers beside a text.
        dtype = getattr(values, "dtype", None)
        array = np.array(values, dtype=object) if dtype is None else np.asarray(values)
        if array.ndim != 2:
            yield _Column(None, "", dtype, array.reshape(-1))
        else:
            for i in range(array.shape[1]):
                yield _Column(i, f"[:, {i}]", dtype, array[:, i])


def _first_wrong(column: _Column) -> _Wrong | None:
    kind, values = column.values.dtype.kind, column.values
    if kind in "biuf" or not len(values):
        return None
    if kind not in "OSU":
        return _Wrong(column, 0, values[0])
    for row, value in enumerate(values):
        if value is None:  # which NumPy takes for NaN
            continue
        if isinstance(value, (complex, np.complexfloating)) or type(value).__name__ in MISSING:
            return _Wrong(column, row, value)
        try:
            float(value)
        except (TypeError, ValueError, OverflowError) as error:
            return _Wrong(column, row, value, one_line(str(error), 80))
    return None


def _first_text(column: _Column) -> _Wrong | None:
    entries = ((row, value) for row, value in enumerate(column.values))
    return next((_Wrong(column, *each) for each in entries if isinstance(each[1], _TEXTS)), None)


def _place_of(name: str, wrong: _Wrong) -> str:
    """Return the part of a text that says where a wrong entry is."""
    label, _, dtype, _ = wrong.column
    which = "it" if label is None else f"column {brief(label)}"
    found = f"{_plainly(wrong.value)} in row {wrong.row}"
    if dtype is not None:
        found = f"dtype {one_line(str(dtype), 40)} ({found})"
    return f"{name} must hold real numbers; {which} has {found}"


def _plainly(value: Any) -> str:
    """Return a value as text, NumPy's as Python's own."""
    if isinstance(value, (np.datetime64, np.timedelta64)):
        return str(value)
    return brief(value.item() if isinstance(value, np.generic) else value)


def _remedy(name: str, wrong: _Wrong) -> str | None:
    """Return what to do about an entry that is no real number; None for an unknown object."""
    value, kind = wrong.value, type(wrong.value).__name__
    if kind in MISSING:
        return _of_missing(name)
    if isinstance(value, _TEXTS):
        return _of_text(name, wrong.column)
    if isinstance(value, (complex, np.complexfloating)):
        return _COMPLEX
    dates = (datetime.date, datetime.timedelta, np.datetime64, np.timedelta64)
    if isinstance(value, dates) or kind == "Period":
        return "convert dates to numbers, such as days since the earliest date"
    if kind == "Interval":
        return "convert intervals to numbers, such as their midpoints"
    return "it is too large for a float" if isinstance(value, int) else None


def _of_missing(name: str) -> str:
    if name == "X":
        return "fill missing values with sklearn.impute.SimpleImputer"
    return "leave such rows out"


def _of_text(name: str, column: _Column) -> str:
    texts = [value for value in column.values[:1000] if isinstance(value, _TEXTS)]
    if sum(map(_is_number, texts)) * 2 > len(texts):
        array = f"{name}{column.access}"
        return f"pandas.to_numeric({array}, errors='coerce') reads numbers stored as text"
    if name == "X":
        return (
            "encode it with OneHotEncoder, OrdinalEncoder or TargetEncoder of "
            "sklearn.preprocessing, in a sklearn.compose.ColumnTransformer"
        )
    return "use a classifier for class labels" if name == "y" else "give numbers"


def _is_number(text: str | bytes) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
