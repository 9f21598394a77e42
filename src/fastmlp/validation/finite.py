"""Whether numbers are finite and fit the network's real type; if not, where the first one is."""

from __future__ import annotations

import numpy as np

from fastmlp.plan.inputs import SparseRows
from fastmlp.validation.wording import brief

__all__ = ["require_finite", "require_finite_rows"]


def require_finite(
    values: np.ndarray, name: str, dtype: np.dtype, column_names: np.ndarray | None = None
) -> None:
    """Raise ValueError naming the first NaN, infinity or value too large for ``dtype``.

    ``values`` is (N,) or (N, I), ``column_names`` (I,).
    """
    if _all_within(values, dtype):
        return
    limit, table = np.finfo(dtype).max, values.reshape(len(values), -1)
    within = (table.max(axis=1) <= limit) & (table.min(axis=1) >= -limit)
    row = int(np.argmin(within))
    column = None if values.ndim == 1 else int(np.argmin(np.abs(table[row]) <= limit))
    value = table[row, column or 0]
    raise _error(name, value, dtype, _place(row, column, column_names))


def require_finite_rows(
    X: SparseRows, name: str, dtype: np.dtype, column_names: np.ndarray | None
) -> None:
    """Do the same for a table (N, I) that stores some of its numbers; the others are 0."""
    if _all_within(X.values, dtype):
        return
    at = int(np.argmin(np.abs(X.values) <= np.finfo(dtype).max))
    row = int(np.searchsorted(X.starts, at, side="right")) - 1
    place = _place(row, int(X.columns[at]), column_names)
    raise _error(name, X.values[at], dtype, place)


def _all_within(values: np.ndarray, dtype: np.dtype) -> bool:
    # Two reductions without a temporary; NaN fails both comparisons. They are Python's, as NumPy's
    # end the process where memory is short.
    limit = float(np.finfo(dtype).max)
    return values.size == 0 or -limit <= float(values.min()) <= float(values.max()) <= limit


def _place(row: int, column: int | None, column_names: np.ndarray | None) -> str:
    if column is None:
        return f"row {row}"
    label = brief(str(column_names[column])) if column_names is not None else column
    return f"column {label}, row {row}"


def _error(name: str, value: float, dtype: np.dtype, place: str) -> ValueError:
    what = "NaN" if np.isnan(value) else "infinity"
    if np.isfinite(value):
        what = f"{value:g}, too large for dtype {dtype.name}"
    return ValueError(f"Input {name} contains {what} ({place}){_remedy(name, value, dtype)}.")


def _remedy(name: str, value: float, dtype: np.dtype) -> str:
    """Return what to do about a value that is not finite, or too large for ``dtype``."""
    if name == "sample_weight":
        return ""
    if np.isnan(value):
        ways = "fill missing values with sklearn.impute.SimpleImputer, or " if name == "X" else ""
        return f": {ways}leave such rows out"
    if np.isinf(value):
        return ": leave such rows out, or limit the values with numpy.clip"
    return ": scale it" if dtype == np.float64 else ": scale it, or set dtype='float64'"
