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
    "check_same_classes",
    "check_strata",
    "check_two_classes",
    "one_class_only",
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
    """Raise ValueError unless ``classes`` of a first ``partial_fit`` are labels."""
    if classes is None:
        raise ValueError("classes must be given on the first call of partial_fit.")
    if np.ndim(classes) != 1:
        raise ValueError(f"classes must be a flat list of labels; got {classes!r}.")


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


def check_same_classes(y: np.ndarray, classes: np.ndarray) -> None:
    """Raise ValueError unless the labels of y (N,) are all of ``classes`` (K,), and no others."""
    check_label_width(y, None)
    with naming("y"):
        present = np.unique(y)
    if not np.array_equal(present, classes):
        raise ValueError(
            "warm_start can only be used where `y` has the same classes as in the previous call to "
            f"fit. Previously got {classes}, `y` has {present}. Take partial_fit to go on with a "
            "part of the classes."
        )


def check_strata(strata: np.ndarray, labels: np.ndarray) -> None:
    """Raise ValueError, naming the label, if a class has one row, which can't be in two parts.

    ``strata`` (N,) are numbers of ``labels`` (K,).
    """
    numbers, counts = np.unique(strata, return_counts=True)
    if counts.min() < 2 and len(numbers) > 1:
        number = int(numbers[counts.argmin()])
        raise ValueError(
            f"The least populated classes in y have only 1 member: {labels[number].item()!r}. "
            "Early stopping needs one to hold out and one to train on; add rows of it, or set "
            f"early_stopping=False. Classes with too few members are: [{str(bool(number))!r}] of "
            "two."
        )


def one_class_only(present: np.ndarray, known: np.ndarray) -> str | None:
    """Return what to warn of when there is but one class to learn.

    ``present`` are the classes (K,) of the rows with a weight, ``known`` (C,) those of the model.
    """
    if len(known) == 1:
        return (
            f"y has one class only, {known.tolist()!r}: it is predicted for every row, with "
            "probability 1."
        )
    if len(present) == 1:
        return (
            f"y has one class only, {present.tolist()!r}, in the rows whose sample_weight is not "
            "0: nothing is learnt of the others."
        )
    return None
