"""Checks of class labels."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastmlp.validation.arrays import naming

__all__ = [
    "check_classes",
    "check_classes_agree",
    "check_label_kind",
    "check_label_types",
    "check_label_width",
    "check_labels_known",
    "check_two_classes",
]


def check_label_kind(kind: str) -> None:
    """Raise ValueError for a kind of target (scikit-learn's ``type_of_target``) without a loss."""
    if kind not in ("binary", "multiclass", "multilabel-indicator"):
        raise ValueError(
            f"y is a {kind} target; give one label per row, or an indicator matrix of zeros and "
            "ones with a column per label."
        )


def check_label_types(y: np.ndarray) -> None:
    """Raise ValueError if y (N,) holds objects that are not all strings and so have no order."""
    names = {type(label).__name__ for label in y} if y.dtype.kind == "O" and y.ndim == 1 else set()
    if names - {"str"}:
        raise ValueError(
            f"Unknown label type: y holds objects ({', '.join(sorted(names))}); give strings, or "
            "an array of numbers."
        )


def check_label_width(y: np.ndarray, n_labels: int | None) -> None:
    """Raise ValueError unless y is an indicator matrix (N, n_labels), or (N,) when None."""
    if n_labels is None and y.ndim == 2:
        raise ValueError("y is an indicator matrix, but the classes are told by one label a row.")
    if n_labels is not None and y.shape[1:] != (n_labels,):
        raise ValueError(
            f"y must be an indicator matrix with {n_labels} columns; got shape {y.shape}."
        )


def check_classes(classes: Any) -> None:
    """Raise ValueError unless ``classes`` of a first ``partial_fit`` are two labels or more."""
    if classes is None:
        raise ValueError("classes must be given on the first call of partial_fit.")
    if np.ndim(classes) != 1:
        raise ValueError(f"classes must be a flat list of labels; got {classes!r}.")
    check_two_classes(np.unique(classes), "classes")


def check_classes_agree(classes: Any, known: np.ndarray) -> None:
    """Raise ValueError if ``classes`` are given again and differ from those ``known`` (K,)."""
    if classes is not None and not np.array_equal(np.unique(classes), known):
        raise ValueError(
            f"classes={np.unique(classes).tolist()!r} differs from the classes of the earlier fit,"
            f" {known.tolist()!r}."
        )


def check_two_classes(classes: np.ndarray, name: str) -> None:
    """Raise ValueError if there is but one class, so that there is nothing to tell apart."""
    if len(classes) < 2:
        raise ValueError(
            f"{name} has one class only, {classes.tolist()!r}; a classifier needs at least two."
        )


def check_labels_known(y: np.ndarray, classes: np.ndarray) -> None:
    """Raise ValueError if a label of y (N,) is not among ``classes`` (K,)."""
    with naming("y"):
        labels = np.unique(y).tolist()
    unknown = sorted(set(labels) - set(classes.tolist()), key=str)
    if unknown:
        raise ValueError(f"y has labels that are not in classes {classes.tolist()!r}: {unknown!r}.")
