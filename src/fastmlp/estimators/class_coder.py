"""The outputs of a classifier."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from fastmlp.backends import Backend
from fastmlp.estimators.class_constants import class_constant
from fastmlp.estimators.coding import Judge, TargetCoder, mean_loss, parameters_of
from fastmlp.estimators.labels import LabelCoding
from fastmlp.network import Network
from fastmlp.registry import takes_label_smoothing
from fastmlp.schedules import Scaled
from fastmlp.training.history import UNCHANGED
from fastmlp.validation import check_same_classes, one_class_only

__all__ = ["ClassCoder"]


@dataclass(frozen=True, eq=False)
class ClassCoder(TargetCoder):
    """Class labels and what the loss makes of them.

    Attributes
    ----------
    labels : LabelCoding
    """

    labels: LabelCoding

    @classmethod
    def of(cls, parameters: Any, labels: LabelCoding, dtype: np.dtype) -> ClassCoder:
        """Return the coder of ``labels`` for the loss that ``parameters`` ask for."""
        smoothed = takes_label_smoothing(parameters.loss)
        smoothing: Any = parameters.label_smoothing if smoothed else 0.0
        scheduled = isinstance(smoothing, Scaled)
        # A product with 0 is no promise: its schedule may have a least value of its own.
        row = labels.loss_row(parameters.loss, smooths=scheduled or smoothing > 0)
        smoothing = 0.0 if scheduled else smoothing  # the updates smooth the targets then
        numbers = parameters_of(parameters, row)
        return cls(parameters.loss, row, numbers, UNCHANGED, dtype, smoothing, labels)

    def under(self, parameters: Any, dtype: np.dtype) -> ClassCoder:
        """See :meth:`TargetCoder.under`."""
        return ClassCoder.of(parameters, self.labels, dtype)

    def scheduled_smoothing(self, parameters: Any) -> Any:
        """Return ``label_smoothing`` if the loss takes it."""
        return parameters.label_smoothing if takes_label_smoothing(str(self.loss)) else None

    def check_goes_on(self, y: np.ndarray, *, incremental: bool) -> None:
        """A warm start needs every class again in y (N,), as in scikit-learn; a part does not."""
        if not incremental and self.labels.one_a_row:
            check_same_classes(y, self.labels.classes)

    @property
    def n_outputs(self) -> int:
        """See :meth:`TargetCoder.n_outputs`."""
        return self.labels.n_outputs(self.row)

    def check(self, y: np.ndarray, *, whole: bool) -> None:
        """See :meth:`TargetCoder.check`."""
        self.labels.check(y, str(self.loss))

    def remark(self, y: np.ndarray, *, whole: bool, weights: str) -> str | None:
        """See :meth:`TargetCoder.remark`."""
        if not self.labels.one_a_row:
            return None
        known = self.labels.classes
        return one_class_only(np.unique(y) if whole else known, known, weights)

    def encode(self, y: np.ndarray) -> np.ndarray:
        """See :meth:`TargetCoder.encode`."""
        return self.labels.encode(y, self.dtype, self.row, self.smoothing)

    def plain_target(self, y: np.ndarray) -> np.ndarray | None:
        """See :meth:`TargetCoder.plain_target`."""
        plain = y.ndim == 1 and y.dtype == self.labels.classes.dtype and y.dtype.kind in "biuU"
        return self.encode(y) if plain and self.labels.one_a_row and self.labels.know(y) else None

    def classes_of_rows(self, target: np.ndarray) -> np.ndarray:
        """See :meth:`TargetCoder.classes_of_rows`."""
        return self.labels.decided(target)

    def strata(self, target: np.ndarray) -> np.ndarray | None:
        """Two classes only: scikit-learn's own choice, which the held-out rows must match."""
        return self.labels.decided(target) if self.labels.kind == "binary" else None

    def judge(self, backend: Backend, target: np.ndarray, weights: np.ndarray | None) -> Judge:
        """Return the accuracy: the share of rows all of whose labels are right."""
        truth = self.labels.decided(target)

        def accuracy(network: Network, logits: np.ndarray) -> float:
            right = self.labels.decide(logits) == truth
            right = right if right.ndim == 1 else right.all(axis=1)
            if weights is None:
                return float(np.count_nonzero(right) / len(right))
            return float(np.average(right, weights=weights))

        return Judge(accuracy, takes_logits=True, loss=mean_loss(backend, target, weights))

    def constant_logits(
        self, target: np.ndarray, weights: np.ndarray | None, parameters: np.ndarray
    ) -> np.ndarray:
        """See :meth:`TargetCoder.constant_logits`."""
        if self.row.target == "class":
            numbers = target.ravel().astype(np.intp)
            counts = np.bincount(numbers, weights, minlength=self.n_outputs)
            return class_constant(self.row, counts / counts.sum(), parameters)
        known = target.astype(np.float64)
        shares = known.mean(0) if weights is None else np.average(known, axis=0, weights=weights)
        return class_constant(self.row, shares, parameters)

    @property
    def starts_at_constant(self) -> bool:
        """Biases begin as scikit-learn's do."""
        return False

    @property
    def certain(self) -> bool:
        """See :meth:`TargetCoder.certain`."""
        return self.labels.constant and self.row.link == "logistic"

    def scale_of_target(self, target: np.ndarray, weights: np.ndarray | None) -> list[str]:
        """Classes have no scale."""
        return []

    @property
    def class_labels(self) -> np.ndarray:
        """See :meth:`TargetCoder.class_labels`."""
        return self.labels.classes
