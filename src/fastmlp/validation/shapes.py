"""Arguments that can't become an array, or have a wrong shape, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set
from typing import Any

import numpy as np
from scipy.sparse import issparse

from fastmlp.validation.wording import a_kind_of, brief

__all__ = ["UNREADABLE", "check_is_array", "check_masks", "holds_texts", "wrong_shape"]

#: What other libraries raise for arguments that they cannot read.
UNREADABLE = (AttributeError, OverflowError, RuntimeError, TypeError, ValueError)

#: What each argument is.
WANTED: Mapping[str, str] = {
    "X": "a table of numbers, of shape (n_samples, n_features)",
    "y": "an array of shape (n_samples,) or (n_samples, n_outputs)",
    "sample_weight": "an array of shape (n_samples,)",
    "classes": "a flat list of labels",
}

#: How many dimensions each may have, at most.
DIMENSIONS: Mapping[str, int] = {"X": 2, "y": 2, "sample_weight": 1, "classes": 1}


def check_is_array(name: str, values: Any, wanted: str | None = None) -> None:
    """Raise for what no array can be made of, and for masked entries, whose masks would be lost.

    ``wanted`` says what the argument is; None is what ``WANTED`` has.
    """
    if type(values) is np.ndarray or issparse(values):  # some sparse ones are mappings
        return
    check_masks(name, values)
    wanted = wanted or WANTED[name]
    if values is None or isinstance(values, (str, bytes)):
        # A missing X or y is a ValueError in scikit-learn.
        kind = ValueError if values is None else TypeError
        raise kind(f"{name} must be {wanted}; got {brief(values)}.")
    if isinstance(values, Mapping):
        way = f"use pandas.DataFrame({name})" if name == "X" else f"use list({name}.values())"
    elif isinstance(values, Set):
        way = "it has no order, so pass a list"
    elif isinstance(values, Iterator):
        way = f"use list({name})"
    else:
        return
    raise TypeError(f"{name} must be {wanted}; got {a_kind_of(values)}: {way}.")


def check_label_list(name: str, values: Any) -> None:
    """Raise ValueError for a list of texts and other labels, which NumPy would make texts too."""
    if not isinstance(values, (list, tuple)):
        return
    if any(isinstance(label, (list, tuple, np.ndarray)) or label is None for label in values):
        return  # which the checks of the shape and of objects name better
    texts = [isinstance(label, str) for label in values]
    if any(texts) and not all(texts):
        at = texts.index(False)
        raise ValueError(
            f"{name} must hold labels of one kind: {brief(values[at])} at index {at} is not a "
            "text, but others are; give texts only, and leave out rows without a label."
        )


def check_masks(name: str, values: Any) -> None:
    """Raise ValueError for a masked array, or a list of such, with an entry that is masked."""
    where = _first_masked(values)
    if where is not None:
        raise ValueError(
            f"{name} has masked entries ({where}), whose mask would be lost: fill them with "
            "numpy.ma.filled, or leave such rows out."
        )


def _first_masked(values: Any) -> str | None:
    """Return words for the first masked entry of an array, or of nested lists; None without one."""
    if isinstance(values, np.ma.MaskedArray):
        masked = np.argwhere(np.ma.getmaskarray(values))
        return _entry(masked[0]) if len(masked) else None
    if not isinstance(values, (list, tuple)):
        return None
    nested = (list, tuple, np.ma.MaskedArray)
    rows = (i for i, row in enumerate(values) if isinstance(row, nested))
    return next((f"row {i}" for i in rows if _first_masked(values[i]) is not None), None)


def _entry(index: np.ndarray) -> str:
    """Return words for the index (n_dimensions,) of an entry."""
    if len(index) == 2:
        return f"column {index[1]}, row {index[0]}"
    return f"row {index[0]}" if len(index) else "all of it"


def wrong_shape(name: str, values: Any) -> str | None:
    """Return what is wrong with the shape of ``values``, None if nothing is."""
    try:
        shape = tuple(values.shape) if hasattr(values, "shape") else np.shape(values)
    except ValueError:
        return _ragged(name, values)
    if name == "X" and getattr(getattr(values, "dtype", None), "names", None):
        return (
            "X must have two dimensions; got a structured array: use "
            "numpy.lib.recfunctions.structured_to_unstructured(X)."
        )
    if name == "X" and len(shape) == 1:
        return _one_dimension(values, shape)
    if name == "X" and len(shape) > 2:
        return (
            f"X must have two dimensions, (n_samples, n_features); got shape {shape}: "
            "X.reshape(len(X), -1) makes each picture (or the like) one row."
        )
    if not 0 < len(shape) <= DIMENSIONS[name]:
        return f"{name} must be {WANTED[name]}; got {brief(values)}."
    return None


def holds_texts(values: Any) -> bool:
    """Return whether ``values`` are one text for each sample, in a list, an array or a Series."""
    try:
        if getattr(values, "ndim", 1) != 1 or isinstance(values, (str, Mapping)) or not len(values):
            return False
        return all(isinstance(each, str) for each in values)
    except UNREADABLE:
        return False


def _one_dimension(values: Any, shape: tuple[int, ...]) -> str:
    if shape == (0,):
        return "X is empty; at least one sample with one feature is required."
    if holds_texts(values):
        return (
            "X holds a text for each sample: put TfidfVectorizer of "
            "sklearn.feature_extraction.text before the model in a pipeline."
        )
    if hasattr(values, "to_frame"):
        return (
            f"X must have two dimensions; got {a_kind_of(values)}. Reshape your data: "
            "X.to_frame() if it is one feature, X.to_numpy().reshape(1, -1) if it is one sample."
        )
    array = "X" if isinstance(values, np.ndarray) or issparse(values) else "numpy.array(X)"
    return (
        f"X must have two dimensions; got shape {shape}. Reshape your data: {array}.reshape(-1, 1) "
        f"if it is one feature, {array}.reshape(1, -1) if it is one sample."
    )


def _ragged(name: str, values: Any) -> str:
    lengths = [len(row) if isinstance(row, (Sequence, np.ndarray)) else 0 for row in values]
    odd = next((i for i, length in enumerate(lengths) if length != lengths[0]), None)
    where = "its entries have" if odd is None else f"row 0 ({brief(values[0])}) and row {odd} have"
    hint = ""
    if name == "y":
        hint = "; if rows have several labels, use sklearn.preprocessing.MultiLabelBinarizer"
    return f"{name} must be {WANTED[name]}, but {where} different lengths{hint}."
