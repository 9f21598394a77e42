"""Checks of data: shapes, feature names, finite values that fit the network's real type.

Arrays go through scikit-learn's own checks, so its conventions hold, and then through ours: what
is finite in double precision may overflow float32.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
from sklearn.utils import check_array, column_or_1d
from sklearn.utils.validation import validate_data

from fastmlp.plan.inputs import INPUT_DTYPES, Inputs
from fastmlp.plan.parameters import readable
from fastmlp.validation.finite import require_finite
from fastmlp.validation.shapes import UNREADABLE, check_is_array, check_label_list, wrong_shape
from fastmlp.validation.sparse import check_structure, sparse_rows
from fastmlp.validation.tables import complaint
from fastmlp.validation.wording import one_line

__all__ = [
    "check_any_held_out",
    "check_data",
    "check_features",
    "check_held_out_weights",
    "check_sample_weight",
    "check_scored",
    "check_table",
    "check_target_width",
    "check_training_weights",
    "check_validation_size",
    "explaining",
    "naming",
    "not_finite",
    "resolve_dtype",
    "weights_change_penalties",
]


def resolve_dtype(dtype: Any, X_dtype: np.dtype) -> np.dtype:
    """Return the network's real type; "auto" is the least one that holds X's values exactly.

    Integers of 32 or more bits and whatever is wider than float64 give float64.
    """
    if isinstance(dtype, str) and dtype == "auto":
        single = np.result_type(X_dtype, np.float32) == np.float32
        dtype = np.float32 if single else np.float64
    real: np.dtype = np.dtype(dtype)
    return real


@contextmanager
def naming(name: str) -> Iterator[None]:
    """Make what is raised a ValueError or TypeError on one line that has ``name`` in it."""
    try:
        yield
    except UNREADABLE as error:
        text = str(error)
        if text.startswith("Complex data not supported"):  # what follows are the values
            text = "Complex data not supported."
        if "feature names" not in text:  # of which scikit-learn's conventions want a list
            text = one_line(text)
        if not re.search(rf"\b{name}\b", text):
            text = f"{name}: {text}"
        if text == str(error) and type(error) in (TypeError, ValueError):
            raise
        kind = TypeError if isinstance(error, TypeError) else ValueError
        raise kind(text) from None
    except MemoryError as error:
        raise MemoryError(f"{name}: there is not enough memory. {one_line(str(error))}") from error


@contextmanager
def explaining(name: str, values: Any, real: bool = True) -> Iterator[None]:
    """Say what is wrong with ``values``, and what to do, when another library refuses them.

    ``real`` tells whether they must be real numbers.
    """
    try:
        with naming(name):
            yield
    except (TypeError, ValueError) as error:
        explained = _explanation(name, values, error, real)
        if explained is None:
            raise
        raise explained from None


def _explanation(name: str, values: Any, error: Exception, real: bool) -> Exception | None:
    try:
        if real:
            return complaint(name, values, error)
        text = wrong_shape(name, values)
    except UNREADABLE:  # what refuses to be read once may do so again
        return None
    return None if text is None else ValueError(text)


def check_features(
    estimator: Any, X: Any, dtype: np.dtype, *, accept_sparse: bool = True
) -> Inputs:
    """Return X for prediction by a fitted estimator.

    Parameters
    ----------
    estimator : estimator
        Has ``n_features_in_`` and, perhaps, ``feature_names_in_``.
    X : array-like or sparse matrix, shape (N, I)
    dtype : dtype
        The network's.
    accept_sparse : bool
        Whether X may be sparse.

    Returns
    -------
    ndarray of uint8, float32 or float64, or SparseRows, shape (N, I)
        C-contiguous; X itself when it is so already.
    """
    X = _table(estimator, X, reset=False, accept_sparse=accept_sparse)
    return _ready(X, dtype, getattr(estimator, "feature_names_in_", None))


def _is_plain(estimator: Any, X: Any, reset: bool) -> bool:
    """Return whether scikit-learn's checks, which cost more than a small net, can find nothing."""
    return (
        type(X) is np.ndarray
        and X.ndim == 2
        and X.size > 0
        and X.dtype in INPUT_DTYPES
        and (reset or X.shape[1] == estimator.n_features_in_)
        and not hasattr(estimator, "feature_names_in_")
    )


def _is_plain_target(y: Any, dtype: np.dtype | None) -> bool:
    """Return whether y is an array (N,) of numbers, or of labels, with which nothing is wrong.

    Whether the numbers are finite is another question.
    """
    kinds = "biufU" if dtype is None else "biuf"
    return type(y) is np.ndarray and y.ndim == 1 and y.size > 0 and y.dtype.kind in kinds


def check_data(
    estimator: Any,
    X: Any,
    y: Any,
    *,
    dtype: Any,
    reset: bool,
    numeric_y: bool,
    accept_sparse: bool = True,
) -> tuple[Inputs, np.ndarray, np.dtype]:
    """Return X and y for training, and the network's real type.

    Parameters
    ----------
    estimator : estimator
        Its ``n_features_in_`` and ``feature_names_in_`` are set when ``reset``, else compared.
    X : array-like or sparse matrix, shape (N, I)
    y : array-like, shape (N,) or (N, C)
    dtype : dtype-like or "auto"
        The ``dtype`` parameter.
    reset : bool
        Whether a new network begins.
    numeric_y : bool
        Whether y holds real numbers.
    accept_sparse : bool
        Whether X may be sparse.

    Returns
    -------
    X : ndarray of uint8, float32 or float64, or SparseRows, shape (N, I)
        C-contiguous; the caller's array when it is so already.
    y : ndarray, shape (N,) or (N, C)
    dtype : dtype
    """
    X = _table(estimator, X, reset=reset, accept_sparse=accept_sparse)
    real = resolve_dtype(dtype, X.dtype)
    X = _ready(X, real, getattr(estimator, "feature_names_in_", None))
    y = _check_target(y, real if numeric_y else None)
    _check_lengths(len(X), len(y))
    return X, y, real


def check_scored(
    y: Any, sample_weight: Any, n_samples: int, *, numeric_y: bool
) -> tuple[np.ndarray, np.ndarray | None]:
    """Return y (N,) or (N, C) and weights (N,) that as many predictions are scored by."""
    y = _check_target(y, np.dtype(np.float64) if numeric_y else None)
    _check_lengths(n_samples, len(y))
    return y, check_sample_weight(sample_weight, n_samples, np.dtype(np.float64))


def _check_lengths(n_rows: int, n_targets: int) -> None:
    """Raise ValueError unless X and y have as many rows."""
    if n_rows != n_targets:
        raise ValueError(
            f"X and y must have the same number of rows; got {n_rows} and {n_targets}."
        )


def check_table(estimator: Any, X: Any, dtype: np.dtype, *, reset: bool) -> np.ndarray:
    """Return a dense X (N, I) alone, checked as ``check_data`` does."""
    X = _table(estimator, X, reset=reset, accept_sparse=False)
    table = _ready(X, dtype, getattr(estimator, "feature_names_in_", None))
    assert isinstance(table, np.ndarray)
    return table


def _table(estimator: Any, X: Any, *, reset: bool, accept_sparse: bool) -> Any:
    """Return X (N, I), an array or CSR, after scikit-learn's checks of all but the values."""
    if _is_plain(estimator, X, reset):
        estimator.n_features_in_ = X.shape[1]
        return X
    check_is_array("X", X)
    check_structure("X", X)
    form = "csr" if accept_sparse else False
    with explaining("X", X):
        table = validate_data(
            estimator, X, reset=reset, ensure_all_finite=False, accept_sparse=form
        )
    return _real("X", table, X)


def _real(name: str, array: np.ndarray, values: Any) -> np.ndarray:
    """Return an array (...) of real numbers, which decimals and large integers become.

    Raise ValueError for dates and the like, which NumPy would convert in silence. ``array`` is what
    became of ``values``.
    """
    dtypes = getattr(values, "dtypes", ()) if hasattr(values, "iloc") else ()
    if array.dtype.kind in "biuf" and not any(each.kind in "mM" for each in np.ravel(dtypes)):
        return array
    found = complaint(name, values)
    if found is None and array.dtype == object:
        with explaining(name, values):
            return array.astype(np.float64)  # None means NaN
    raise found or ValueError(f"{name} must hold real numbers; got dtype {array.dtype}.")


def _check_target(y: Any, dtype: np.dtype | None) -> np.ndarray:
    """Return y (N,) or (N, C): real numbers that fit ``dtype``, or labels when that is None."""
    if y is None:
        raise ValueError("fit requires y to be passed, but the target y is None.")
    array = y if _is_plain_target(y, dtype) else _array_of_target(y, dtype)
    if array.ndim == 2 and array.shape[1] == 1:
        array = column_or_1d(array, warn=True)
    if array.ndim == 2 and not array.shape[1]:
        raise ValueError("y has no columns: at least one output is required.")
    if dtype is not None:
        array = _real("y", array, y)
    if array.dtype.kind == "f":
        require_finite(array, "y", dtype or array.dtype)
    return readable(array)


def _array_of_target(y: Any, dtype: np.dtype | None) -> np.ndarray:
    """Return y (N,) or (N, C) after scikit-learn's checks of all but the values."""
    check_is_array("y", y)
    check_structure("y", y)
    if dtype is None:
        check_label_list("y", y)
    with explaining("y", y, real=dtype is not None):
        array = check_array(
            y,
            accept_sparse="csr",
            dtype=None if dtype is None else "numeric",
            ensure_2d=False,
            ensure_all_finite=False,
            input_name="y",
        )
    dense: np.ndarray = array.toarray() if hasattr(array, "toarray") else array
    return dense


def _ready(X: Any, dtype: np.dtype, names: np.ndarray | None) -> Inputs:
    """Return finite X (N, I), an array or CSR, as the backends take it, converted at most once."""
    if not isinstance(X, np.ndarray):
        with naming("X"):
            return sparse_rows(X, dtype, names)
    if X.dtype.kind == "f":
        require_finite(X, "X", dtype, names)
    if X.dtype in INPUT_DTYPES and X.flags.c_contiguous and X.flags.aligned:
        return np.asarray(X)
    with naming("X"):
        return readable(X, dtype)


def check_sample_weight(sample_weight: Any, n_samples: int, dtype: np.dtype) -> np.ndarray | None:
    """Return the weights as an array of ``dtype``, shape (N,), or None for none."""
    if sample_weight is None:
        return None
    check_is_array("sample_weight", sample_weight)
    with explaining("sample_weight", sample_weight):
        weights = np.asarray(sample_weight)
    if weights.ndim == 0:
        raise complaint("sample_weight", sample_weight) or AssertionError
    if weights.shape != (n_samples,):
        raise ValueError(
            f"sample_weight must have shape ({n_samples},), one entry per row of X; "
            f"got shape {weights.shape}."
        )
    with explaining("sample_weight", sample_weight):
        weights = check_array(weights, ensure_2d=False, ensure_all_finite=False)
    weights = _real("sample_weight", weights, sample_weight)
    require_finite(weights, "sample_weight", dtype)
    if weights.min() < 0:
        raise ValueError(f"sample_weight must not be negative; got {weights.min():g}.")
    total = weights.sum(dtype=np.float64)
    if total > np.finfo(dtype).max:
        raise ValueError(
            f"sample_weight sums to {total:g}, which is too large for dtype {dtype.name}."
        )
    real: np.ndarray = weights.astype(dtype)
    if not real.any():
        raise ValueError("sample_weight is zero for every row; at least one must be positive.")
    return real


def check_validation_size(fraction: float, n_samples: int) -> None:
    """Raise ValueError if early stopping would hold out fewer than two rows, or all of them."""
    n_held_out = int(np.ceil(fraction * n_samples))
    if n_held_out < 2 or n_held_out >= n_samples:
        raise ValueError(
            f"The validation set is too small: validation_fraction={fraction:g} of {n_samples} "
            f"rows holds out {n_held_out}; early stopping needs at least two rows to hold out and "
            "one to train on."
        )


def check_any_held_out(fraction: float, n_held_out: int) -> None:
    """Raise ValueError if every row drawn for validation is the only one of its class."""
    if n_held_out == 0:
        raise ValueError(
            f"The validation set is too small: each of the rows that validation_fraction="
            f"{fraction:g} holds out is the only one of its class and is needed for training. "
            "Raise validation_fraction, or set early_stopping=False."
        )


def check_held_out_weights(weights: np.ndarray | None) -> None:
    """Raise ValueError if no held-out row has a weight (V,), so that no score can be taken."""
    if weights is not None and not weights.any():
        raise ValueError(
            "sample_weight is zero for every held-out row; raise validation_fraction or change "
            "random_state."
        )


def check_training_weights(weights: np.ndarray | None) -> None:
    """Raise ValueError if early stopping leaves no row with a weight (K,) to train on."""
    if weights is not None and not weights.any():
        raise ValueError(
            "sample_weight is zero for every row that early stopping leaves to train on; lower "
            "validation_fraction or change random_state."
        )


def check_target_width(y: np.ndarray, n_targets: int) -> None:
    """Raise ValueError unless y (N,) or (N, C) has as many columns as at the first fit."""
    width = 1 if y.ndim == 1 else y.shape[1]
    if width != n_targets:
        raise ValueError(f"y has {width} columns, but the network was made for {n_targets}.")


#: A sum of weights is warned of if it is at least so many times the number of rows, or at most so
#: small a part of it.
REMARKABLE_FACTOR = 10


def weights_change_penalties(
    weights: np.ndarray | None, parameters: Mapping[str, Any], name: str
) -> str | None:
    """Return what to warn of when rows' weights (N,) change the strength of the penalties.

    Rows of weight 0 count as not being there. ``name`` says what makes up the weights.
    """
    penalties = [each for each in ("alpha", "l1") if parameters[each] > 0]
    if weights is None or not penalties:
        return None
    n_rows = int(np.count_nonzero(weights))
    factor = n_rows / weights.sum(dtype=np.float64)
    if 1 / REMARKABLE_FACTOR <= factor <= REMARKABLE_FACTOR:
        return None
    names = " and ".join(penalties)
    change = f"{factor:.3g} times stronger" if factor > 1 else f"{1 / factor:.3g} times weaker"
    remedy = "Scale them to mean 1 (sample_weight / sample_weight.mean())"
    if name != "sample_weight":
        remedy = f"Multiply all of class_weight by {factor:.3g}"
    return (
        f"{name} sums to {n_rows / factor:.3g} for {n_rows} rows, which makes {names} effectively "
        f"{change}: a weight of w counts like w copies of a row. {remedy}, or divide {names} by "
        f"{factor:.3g}."
    )


def not_finite(outputs: np.ndarray) -> str | None:
    """Return what to warn of when outputs (N, C) are not all finite."""
    with np.errstate(all="ignore"):
        if np.isfinite(outputs.sum()):  # one pass without a temporary; a finite sum may overflow
            return None
    wrong = ~np.isfinite(outputs).all(axis=1)
    if not wrong.any():
        return None
    return (
        f"The network's outputs are infinite or NaN in {np.count_nonzero(wrong)} of {len(wrong)} "
        f"rows (first: row {int(np.argmax(wrong))}), so these predictions are meaningless: X is "
        "far outside the range of the training data, or the weights are too large. Check the "
        "features' scale."
    )
