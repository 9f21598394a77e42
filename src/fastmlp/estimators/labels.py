"""Class labels ↔ what the core takes and gives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.utils.multiclass import check_classification_targets, type_of_target

from fastmlp.validation import (
    check_classes,
    check_label_kind,
    check_label_types,
    check_label_width,
    check_labels_known,
    naming,
)

__all__ = ["LabelCoding", "target_kind"]

#: Kind of classification target → loss that it is trained with.
LOSS_OF_KIND = {
    "binary": "binary_cross_entropy",
    "multiclass": "softmax_cross_entropy",
    "multilabel": "binary_cross_entropy",
}


def target_kind(y: np.ndarray) -> str:
    """Return "labels" for one label a row, "multilabel" for an indicator matrix (N, C)."""
    check_label_types(y)
    with naming("y"):
        check_classification_targets(y)
        kind = type_of_target(y, input_name="y")
    check_label_kind(kind)
    return "multilabel" if kind == "multilabel-indicator" else "labels"


@dataclass
class LabelCoding:
    """The classes of a fit and how they are laid out over the network's outputs.

    Attributes
    ----------
    kind : {"binary", "multiclass", "multilabel"}
        One logistic output, softmax outputs, or one logistic output per label.
    classes : ndarray, shape (K,)
        Sorted; 0 … K − 1 for multilabel targets.
    """

    kind: str
    classes: np.ndarray

    @classmethod
    def of_target(cls, y: np.ndarray) -> LabelCoding:
        """Return the coding that fits ``y`` (N,) or (N, C)."""
        if target_kind(y) == "multilabel":
            return cls("multilabel", np.arange(y.shape[1]))
        return cls._of_labels(y)

    @classmethod
    def announced(cls, classes: Any, y: np.ndarray) -> LabelCoding:
        """Return the coding for ``classes`` (K,), of which ``y`` is a first part.

        An indicator matrix y (N, K) needs no announcement: its columns are the classes.
        """
        multilabel = target_kind(y) == "multilabel"
        known = np.arange(y.shape[1]) if multilabel and classes is None else classes
        check_classes(known)
        return cls("multilabel", np.asarray(known)) if multilabel else cls._of_labels(known)

    @classmethod
    def _of_labels(cls, labels: Any) -> LabelCoding:
        """Return the coding for one label a row."""
        known = np.unique(labels)
        return cls("binary" if len(known) <= 2 else "multiclass", known)

    @property
    def n_outputs(self) -> int:
        """Width of the output layer."""
        return 1 if self.kind == "binary" else len(self.classes)

    @property
    def loss(self) -> str:
        """Name of the loss in the registry."""
        return LOSS_OF_KIND[self.kind]

    def check(self, y: np.ndarray) -> None:
        """Raise ValueError if ``y`` (N,) or (N, C) is of another kind or has unknown labels."""
        if self.kind == "multilabel":
            check_label_width(y, len(self.classes))
            target_kind(y)
        else:
            check_label_width(y, None)
            check_labels_known(y, self.classes)

    def encode(self, y: np.ndarray, dtype: np.dtype) -> np.ndarray:
        """Return the core's target: (N, 1) class numbers, or (N, C) zeros and ones."""
        if self.kind == "multilabel":
            return np.ascontiguousarray(y != 0, dtype=dtype)
        return np.searchsorted(self.classes, y).astype(dtype).reshape(-1, 1)

    def decide(self, logits: np.ndarray) -> np.ndarray:
        """Return class numbers (N,), or label indicators (N, C), for ``logits`` (N, C)."""
        if self.kind == "multiclass":
            return np.asarray(logits.argmax(axis=1))
        decisions = (logits > 0).astype(np.int64)
        return decisions.ravel() if self.kind == "binary" else decisions

    def decode(self, logits: np.ndarray) -> np.ndarray:
        """Return labels (N,), or label indicators (N, C), for ``logits`` (N, C)."""
        decisions = self.decide(logits)
        return decisions if self.kind == "multilabel" else self.classes[decisions]
