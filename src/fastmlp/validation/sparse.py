"""From SciPy's sparse matrices to rows that the backends read without a check."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
from scipy.sparse import csr_array, issparse

from fastmlp.plan.inputs import INPUT_DTYPES, SparseRows
from fastmlp.plan.parameters import readable
from fastmlp.validation.finite import require_finite_rows

__all__ = ["check_structure", "sparse_rows"]


def check_structure(name: str, X: Any) -> None:
    """Raise ValueError for a sparse matrix whose arrays contradict each other.

    SciPy's compiled code believes them, and so do the backends.

    Parameters
    ----------
    name : str
    X : object
        Nothing but sparse matrices and arrays with two dimensions is looked at.
    """
    if isinstance(X, np.ndarray) or not issparse(X) or X.ndim != 2:
        return
    find_fault = _FAULTS.get(X.format)
    fault = find_fault(X) if find_fault else None
    if fault:
        raise ValueError(f"{name} is a damaged sparse matrix: {fault}.")


def _fault_of_compressed(X: Any) -> str | None:
    """Return what is wrong with the arrays of CSR, CSC, or BSR, whose entries are blocks."""
    starts, places, values = X.indptr, X.indices, X.data
    if not (_are_indices(starts) and _are_indices(places)):
        return "indptr and indices must be flat arrays of integers"
    if not isinstance(values, np.ndarray) or values.ndim != (3 if X.format == "bsr" else 1):
        return "data must be a flat array, or one of blocks in BSR"
    heights = np.array(X.shape) // (values.shape[1:] or 1)
    n_lines, n_places = heights[::-1] if X.format == "csc" else heights
    if len(starts) != n_lines + 1:
        return f"indptr must have {n_lines + 1} entries; got {len(starts)}"
    if starts[0] != 0 or (starts[1:] < starts[:-1]).any():
        return "indptr must begin with 0 and never decrease"
    if starts[-1] > min(len(places), len(values)):
        return (
            f"indptr ends with {starts[-1]}, beyond the {len(places)} indices or the {len(values)} "
            "entries of data"
        )
    return _fault_of_places("indices", places[: starts[-1]], n_places)


def _fault_of_triplets(X: Any) -> str | None:
    """Return what is wrong with the arrays of COO."""
    for what, places, n_places in zip(("row", "col"), (X.row, X.col), X.shape, strict=True):
        if not _are_indices(places) or len(places) != len(X.data):
            return f"{what} must be a flat array of integers, one for each entry of data"
        fault = _fault_of_places(what, places, n_places)
        if fault:
            return fault
    return None


def _fault_of_lists(X: Any) -> str | None:
    """Return what is wrong with the lists of LIL."""
    lengths = zip(map(len, X.rows), map(len, X.data), strict=True)
    odd = next((row for row, (n, n_values) in enumerate(lengths) if n != n_values), None)
    return None if odd is None else f"row {odd} has more columns than data, or fewer"


def _are_indices(array: Any) -> bool:
    return isinstance(array, np.ndarray) and array.ndim == 1 and array.dtype.kind in "iu"


def _fault_of_places(what: str, places: np.ndarray, n_places: int) -> str | None:
    """Return what to say if one of some indices (Z,) is not below ``n_places``, or negative."""
    for extreme in (places.min(), places.max()) if len(places) else ():
        if not 0 <= extreme < n_places:
            return f"{what} must be at least 0 and below {n_places}; got {extreme}"
    return None


#: What finds fault with a format. SciPy makes CSR of the others (a dict, diagonals) with care, and
#: that CSR is looked at.
_FAULTS: Mapping[str, Callable[[Any], str | None]] = MappingProxyType(
    {
        "csr": _fault_of_compressed,
        "csc": _fault_of_compressed,
        "bsr": _fault_of_compressed,
        "coo": _fault_of_triplets,
        "lil": _fault_of_lists,
    }
)


def sparse_rows(X: Any, dtype: np.dtype, column_names: np.ndarray | None) -> SparseRows:
    """Return finite X as the backends take it; what it has in a form that they read is shared.

    Parameters
    ----------
    X : CSR matrix or array, shape (N, I)
        Its arrays may be read-only; it does not change.
    dtype : dtype
        The network's, to which numbers of other types than ``INPUT_DTYPES`` are converted.
    column_names : ndarray of str, shape (I,), or None
    """
    check_structure("X", X)
    if not _is_canonical(X):
        X = _canonical(X)
    n_stored = int(X.indptr[-1])
    values, columns = X.data[:n_stored], X.indices[:n_stored]
    of_index = columns.dtype if columns.dtype in (np.int32, np.int64) else np.dtype(np.int64)
    of_values = values.dtype if values.dtype in INPUT_DTYPES else dtype
    starts = readable(X.indptr, np.dtype(np.int64))
    rows = SparseRows(values, readable(columns, of_index), starts, X.shape[1])
    if values.dtype.kind == "f":
        require_finite_rows(rows, "X", dtype, column_names)
    return SparseRows(readable(values, of_values), rows.columns, starts, X.shape[1])


def _is_canonical(X: Any) -> bool:
    """Return whether each row's columns ascend; SciPy would look once and then rely on it."""
    columns = X.indices[: X.indptr[-1]]
    ascends = columns[1:] > columns[:-1]
    # As intp, since NumPy ends the process where memory to convert an index is short.
    inner = X.indptr[1:-1].astype(np.intp)
    ascends[inner[(inner > 0) & (inner < len(columns))] - 1] = True  # from row to row
    return bool(ascends.all())


def _canonical(X: Any) -> Any:
    """Return CSR with ascending columns, each once a row: repeated ones are summed as they come.

    Both conversions keep the order of repeated entries, so the sums are those of ``X.toarray()``.
    """
    n_stored = int(X.indptr[-1])
    copy = csr_array((X.data[:n_stored], X.indices[:n_stored], X.indptr), shape=X.shape)
    copy = copy.tocsc().tocsr()
    copy.sum_duplicates()
    return copy
