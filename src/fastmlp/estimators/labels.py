"""Class labels, converted to what the core takes and back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.utils.multiclass import check_classification_targets

from fastmlp.registry import CLASSIFIER_LOSSES, LOSSES, Loss
from fastmlp.validation import (
    check_classes,
    check_distributions,
    check_label_width,
    check_labels,
    check_labels_known,
    check_loss_fits,
)

__all__ = ["LabelCoding"]


def kind_for_loss(y: np.ndarray, loss: str) -> str:
    """Return what ``check_labels`` does, or "distribution" for y (N, C) with one in each row.

    A matrix of zeros and ones is an indicator matrix, unless ``loss`` takes distributions only.
    """
    has_fractions = y.dtype.kind == "f" and np.any(y != np.floor(y))
    if y.ndim == 2 and (has_fractions or set(CLASSIFIER_LOSSES[loss]) == {"distribution"}):
        return "distribution"
    return check_labels(y)


@dataclass(frozen=True, eq=False)
class LabelCoding:
    """The classes of a fit and how they are laid out over the network's outputs.

    Attributes
    ----------
    kind : {"binary", "multiclass", "multilabel", "distribution"}
        One of two labels a row (or the only one), one of several, an indicator matrix, or a row of
        probabilities.
    classes : ndarray, shape (K,)
        Sorted; 0 … K − 1 for matrices.
    """

    kind: str
    classes: np.ndarray

    @property
    def one_a_row(self) -> bool:
        """Whether each row has one label."""
        return self.kind in ("binary", "multiclass")

    @property
    def constant(self) -> bool:
        """Whether there is but one label, so that every prediction is the same."""
        return self.kind == "binary" and len(self.classes) == 1

    @classmethod
    def of_target(cls, y: np.ndarray, loss: str) -> LabelCoding:
        """Return the coding that fits ``y`` (N,) or (N, C)."""
        kind = kind_for_loss(y, loss)
        if kind != "labels":
            return cls(kind, np.arange(y.shape[1]))
        coding = cls._of_labels(y)
        if y.dtype.kind not in "biuU" or 2 * len(coding.classes) >= len(y):
            check_classification_targets(y)  # warns of numbers that may be no classes
        return coding

    @classmethod
    def announced(cls, classes: Any, y: np.ndarray, loss: str) -> LabelCoding:
        """Return the coding for ``classes`` (K,), of which ``y`` is a first part.

        A matrix y (N, K) needs no announcement: its columns are the classes.
        """
        kind = kind_for_loss(y, loss)
        known = np.arange(y.shape[1]) if kind != "labels" and classes is None else classes
        check_classes(known)
        return cls._of_labels(known) if kind == "labels" else cls(kind, np.asarray(known))

    @classmethod
    def _of_labels(cls, labels: Any) -> LabelCoding:
        """Return the coding for one label a row."""
        known = np.unique(labels)
        return cls("binary" if len(known) <= 2 else "multiclass", known)

    def loss_row(self, loss: str, *, smooths: bool) -> Loss:
        """Return the registry's row for a classifier's loss; ValueError if it does not fit.

        ``smooths`` says whether labels may be smoothed, which numbers of classes can't be.
        """
        rows = CLASSIFIER_LOSSES[loss]
        check_loss_fits(loss, self.kind, rows)
        smooth = self.kind == "multiclass" and smooths and "distribution" in rows
        return LOSSES[rows["distribution" if smooth else self.kind]]

    def n_outputs(self, row: Loss) -> int:
        """Width of the output layer: one for two classes, unless the loss compares classes."""
        return 1 if self.kind == "binary" and row.target != "class" else len(self.classes)

    def check(self, y: np.ndarray, loss: str) -> None:
        """Raise ValueError if ``y`` (N,) or (N, C) is of another kind or has unknown labels."""
        if self.kind == "distribution":
            check_distributions(y, len(self.classes))
        elif self.kind == "multilabel":
            check_label_width(y, len(self.classes))
            check_loss_fits(loss, kind_for_loss(y, loss), [self.kind])
        else:
            check_label_width(y, None)
            check_labels_known(y, self.classes)

    def know(self, y: np.ndarray) -> bool:
        """Return whether every label of y (N,) is among the classes."""
        numbers = np.searchsorted(self.classes, y)
        return bool((self.classes[np.minimum(numbers, len(self.classes) - 1)] == y).all())

    def encode(self, y: np.ndarray, dtype: np.dtype, row: Loss, smoothing: float) -> np.ndarray:
        """Return the core's target (N, T) for ``y`` (N,) or (N, C).

        ``smoothing`` s moves the share s of each label's certainty evenly to all classes (Szegedy
        et al. 2016, section 7): p becomes (1 - s) p + s/C.
        """
        target = self._shares(y, row)
        if smoothing > 0 and row.target in ("share", "distribution"):
            n_classes = target.shape[1] if row.target == "distribution" else 2
            target = (1 - smoothing) * target + smoothing / n_classes
        return np.ascontiguousarray(target, dtype=dtype)

    def _shares(self, y: np.ndarray, row: Loss) -> np.ndarray:
        """Return class numbers (N, 1), or what each class has of each row (N, T)."""
        if self.kind == "distribution":
            return np.asarray(y / y.sum(axis=1, keepdims=True, dtype=np.float64))
        if self.kind == "multilabel":
            return np.asarray(y != 0)
        if self.constant and row.target != "class":
            return np.ones((len(y), 1))
        numbers = np.searchsorted(self.classes, y).reshape(-1, 1)
        if row.target == "class" or self.kind == "binary":
            return numbers
        return np.asarray(numbers == np.arange(len(self.classes)))

    def decide(self, logits: np.ndarray) -> np.ndarray:
        """Return class numbers (N,), or label indicators (N, C), for ``logits`` (N, C)."""
        if self.kind == "multilabel":
            return (logits > 0).astype(np.int64)
        if self.constant:
            return np.zeros(len(logits), np.int64)
        if logits.shape[1] == 1:
            return (logits > 0).astype(np.int64).ravel()
        return np.asarray(logits.argmax(axis=1))

    def decided(self, target: np.ndarray) -> np.ndarray:
        """Return the same for a target (N, T) that ``encode`` has made."""
        if self.kind == "multilabel":
            return np.asarray(target > 0.5, dtype=np.int64)
        if self.constant:
            return np.zeros(len(target), np.int64)
        if target.shape[1] > 1:
            return np.asarray(target.argmax(axis=1))
        # A smoothed label of two is beside 0 or 1; class numbers are whole.
        return np.asarray(np.rint(target), dtype=np.int64).ravel()

    def decode(self, logits: np.ndarray) -> np.ndarray:
        """Return labels (N,), or label indicators (N, C), for ``logits`` (N, C)."""
        decisions = self.decide(logits)
        return decisions if self.kind == "multilabel" else self.classes[decisions]
