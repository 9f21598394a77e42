"""Checks of class labels."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastmlp.validation.arrays import explaining, naming
from fastmlp.validation.shapes import check_is_array, check_label_list
from fastmlp.validation.tables import is_missing
from fastmlp.validation.wording import brief, one_line

__all__ = [
    "check_classes",
    "check_classes_agree",
    "check_label_width",
    "check_labels",
    "check_labels_known",
    "check_same_classes",
    "check_scored_labels",
    "check_strata",
    "check_two_classes",
    "labels_not_known",
    "one_class_only",
]


def check_labels(y: np.ndarray) -> str:
    """Return "labels" for y (N,) of one label a row, "multilabel" for an indicator matrix (N, C).

    Raise ValueError for everything else.
    """
    if y.ndim == 1:
        _check_each_label("y", y)
        return "labels"
    if y.dtype.kind not in "biuf" or not np.all((y == 0) | (y == 1)):
        raise ValueError(
            "y is a multiclass-multioutput target; give one label per row or an indicator matrix "
            "of zeros and ones with a column per label."
        )
    return "multilabel"


def _check_each_label(name: str, labels: np.ndarray) -> None:
    """Raise ValueError unless all labels (N,) are whole numbers, texts, bools or dates."""
    kind = labels.dtype.kind
    if kind == "O":
        _check_objects(name, labels)
    elif kind == "f" and not np.all(labels == np.floor(labels)):
        at = int(np.argmin(labels == np.floor(labels)))
        raise ValueError(
            f"Unknown label type: continuous. {name} must hold class labels; got {labels[at]:g} "
            f"({_entry(name, at)}). Use a regressor for numbers, or numpy.digitize to make classes."
        )
    elif kind in "mM":
        if np.isnat(labels).any():
            at = int(np.argmax(np.isnat(labels)))
            raise ValueError(
                f"{name} has NaT instead of a label in {_entry(name, at)}: leave it out."
            )
    elif kind not in "biufU":
        raise ValueError(
            f"Unknown label type: {name} has dtype {labels.dtype}; give texts or whole numbers, "
            f"such as {name}.astype(str)."
        )


def _entry(name: str, at: int) -> str:
    """Return words for an entry of a sequence of labels."""
    return f"row {at}" if name == "y" else f"entry {at}"


def _check_objects(name: str, labels: np.ndarray) -> None:
    """Raise ValueError if objects (N,) are not all texts and so have no order."""
    kinds = sorted({type(label).__name__ for label in labels})
    if kinds in ([], ["str"]):
        return
    text = f"Unknown label type: {name} holds objects ({', '.join(kinds)})"
    at = next((i for i, label in enumerate(labels) if is_missing(label)), None)
    if at is not None:
        raise ValueError(f"{text}; {_entry(name, at)} has no label: leave it out.")
    raise ValueError(f"{text}; give strings, or an array of numbers.")


def check_scored_labels(y: np.ndarray, classes: np.ndarray) -> None:
    """Raise ValueError unless y (N,) holds labels that can be compared with ``classes`` (K,)."""
    check_label_width(y, None)
    check_labels(y)
    if (y.dtype.kind in "UO") != (classes.dtype.kind in "UO"):
        raise ValueError(
            f"y has labels of dtype {y.dtype}, but the classes are {brief(classes.tolist())}."
        )


def labels_not_known(y: np.ndarray, classes: np.ndarray) -> str | None:
    """Return what to warn of when labels of scored rows y (N,) are none of ``classes`` (K,)."""
    unknown = np.setdiff1d(y, classes)
    if not len(unknown):
        return None
    return (
        f"y has labels that the model does not know, {brief(unknown.tolist())}: their rows are "
        f"counted as wrong; the classes are {brief(classes.tolist())}."
    )


def check_label_width(y: np.ndarray, n_labels: int | None) -> None:
    """Raise ValueError unless y is an indicator matrix (N, n_labels), or (N,) when None."""
    if n_labels is None and y.ndim == 2:
        raise ValueError(
            f"y has {y.shape[1]} columns, but the network was fitted with one label per row."
        )
    if n_labels is not None and y.shape[1:] != (n_labels,):
        raise ValueError(
            f"y must be an indicator matrix with {n_labels} columns; got shape {y.shape}."
        )


def check_classes(classes: Any) -> None:
    """Raise ValueError unless ``classes`` of a first ``partial_fit`` are labels."""
    if classes is None:
        raise ValueError("classes must be given on the first call of partial_fit.")
    if len(_announced(classes)) == 0:
        raise ValueError("classes is empty; a classifier needs at least one class.")


def check_classes_agree(classes: Any, known: np.ndarray) -> None:
    """Raise ValueError if ``classes`` are given again and differ from those ``known`` (K,)."""
    if classes is None:
        return
    again = _announced(classes)
    if not np.array_equal(again, known):
        raise ValueError(
            f"classes={brief(again.tolist())} differs from the classes of the earlier fit, "
            f"{brief(known.tolist())}."
        )


def _announced(classes: Any) -> np.ndarray:
    """Return ``classes`` as a sorted array (K,); raise unless they are labels, each given once."""
    check_is_array("classes", classes)
    check_label_list("classes", classes)
    with explaining("classes", classes, real=False):
        labels = np.asarray(classes)
    if labels.ndim != 1:
        raise ValueError(f"classes must be a flat list of labels; got {brief(classes)}.")
    if labels.dtype.kind == "f" and not np.isfinite(labels).all():
        raise ValueError(f"classes must hold labels; got {brief(classes)}.")
    _check_each_label("classes", labels)
    known, counts = np.unique(labels, return_counts=True)
    if np.any(counts > 1):
        label = known[counts > 1].tolist()[0]
        raise ValueError(f"classes must name each label once; {brief(label)} is given twice.")
    return known


def check_two_classes(classes: np.ndarray, name: str) -> None:
    """Raise ValueError if there is but one class, so that there is nothing to tell apart."""
    if len(classes) < 2:
        count = f"only one class, {brief(classes.tolist())}" if len(classes) else "no class"
        raise ValueError(f"{name} has {count}; a classifier needs at least two.")


def check_labels_known(y: np.ndarray, classes: np.ndarray) -> None:
    """Raise ValueError if a label of y (N,) is not among ``classes`` (K,)."""
    if y.dtype.kind == "O":
        _check_objects("y", y)
    labels = np.unique(y).tolist()
    unknown = sorted(set(labels) - set(classes.tolist()), key=str)
    if unknown:
        raise ValueError(
            f"y has labels that are not in classes {brief(classes.tolist())}: {brief(unknown)}."
        )


def check_same_classes(y: np.ndarray, classes: np.ndarray) -> None:
    """Raise ValueError unless the labels of y (N,) are all of ``classes`` (K,), and no others."""
    check_label_width(y, None)
    with naming("y"):
        present = np.unique(y)
    if not np.array_equal(present, classes):
        raise ValueError(
            "warm_start can only be used where `y` has the same classes as in the previous call to "
            f"fit. Previously got {one_line(str(classes))}, `y` has {one_line(str(present))}. Use "
            "partial_fit to continue with some of the classes."
        )


def check_strata(strata: np.ndarray, labels: np.ndarray) -> None:
    """Raise ValueError, naming the label, if a class has one row, which can't be in two parts.

    ``strata`` (N,) are numbers of ``labels`` (K,).
    """
    numbers, counts = np.unique(strata, return_counts=True)
    if counts.min() < 2 and len(numbers) > 1:
        number = int(numbers[counts.argmin()])
        raise ValueError(
            "The least populated classes in y have only 1 member: "
            f"{brief(labels.tolist()[number])}. Early stopping needs one row to hold out and one "
            "to train on; add rows of it, or set early_stopping=False. Classes with too few "
            f"members are: [{brief(str(bool(number)))}] of two."
        )


def one_class_only(present: np.ndarray, known: np.ndarray, weights: str) -> str | None:
    """Return what to warn of when there is but one class to learn.

    ``present`` are the classes (K,) of the rows with a weight, ``known`` (C,) those of the model,
    ``weights`` names what makes up the weights.
    """
    if len(known) == 1:
        return (
            f"y has only one class, {brief(known.tolist())}: it is predicted for every row, with "
            "probability 1."
        )
    if len(present) == 1:
        return (
            f"y has only one class, {brief(present.tolist())}, in the rows whose {weights} "
            "is not 0: nothing is learnt about the others."
        )
    return None
