"""What the rows of each class count: ``class_weight`` as factors of the rows' weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from fastmlp.estimators.coding import TargetCoder
from fastmlp.validation import (
    check_class_weight_fits,
    check_row_weights,
    each_weight,
    weights_name,
)

if TYPE_CHECKING:
    from fastmlp.estimators.labels import LabelCoding

__all__ = ["ClassWeights", "factors_of"]


@dataclass(frozen=True, eq=False)
class ClassWeights:
    """What classes count in one fit.

    Attributes
    ----------
    class_weight : dict, list of dict, "balanced" or None
        As ``validation.check_parameters`` returns it.
    factors : ndarray of float64, shape (K,) or (C, 2), or None
        Weight of each class, or of the absence and the presence of each label; None where all
        count alike.
    """

    class_weight: Any
    factors: np.ndarray | None

    @classmethod
    def of(
        cls, class_weight: Any, coder: TargetCoder, target: np.ndarray, weights: np.ndarray | None
    ) -> ClassWeights:
        """Return the weights of classes for a fit of a target (N, T) with sample weights (N,).

        "balanced" counts the rows by their weights, as weights stand for repetitions of rows.
        """
        if class_weight is None:
            return cls(None, None)
        labels: LabelCoding = coder.labels  # type: ignore[attr-defined]
        check_class_weight_fits(class_weight, labels.kind, len(labels.classes))
        classes = coder.classes_of_rows(target)
        assert classes is not None
        if labels.kind != "multilabel":
            return cls(class_weight, factors_of(class_weight, labels.classes, classes, weights))
        each = class_weight if isinstance(class_weight, list) else [class_weight] * classes.shape[1]
        return cls(
            class_weight,
            np.array(
                [
                    factors_of(of_label, np.arange(2), column, weights, f"class_weight[{i}]")
                    for i, (of_label, column) in enumerate(zip(each, classes.T, strict=True))
                ]
            ),
        )

    def times(
        self,
        weights: np.ndarray | None,
        coder: TargetCoder,
        target: np.ndarray,
        *,
        whole: bool = True,
    ) -> np.ndarray | None:
        """Return what rows count, (N,): their own ``weights`` (N,) times those of their classes.

        ``target`` (N, T) is theirs. Only if they are the ``whole`` table must one of them count.
        """
        if self.factors is None:
            return weights
        classes = coder.classes_of_rows(target)
        assert classes is not None
        if classes.ndim == 1:
            product = self.factors[classes]
        else:
            product = self.factors[np.arange(classes.shape[1]), classes].prod(axis=1)
        if weights is not None:
            product = product * weights
        what = weights_name(self.class_weight, weights)
        return check_row_weights(product, what, coder.dtype, whole=whole)


def factors_of(
    class_weight: Any,
    labels: np.ndarray,
    numbers: np.ndarray,
    weights: np.ndarray | None,
    name: str = "class_weight",
) -> np.ndarray:
    """Return the factor (K,) of each of ``labels`` (K,), of which rows have the ``numbers`` (N,).

    "balanced" makes the classes equally heavy: a class has the weight of all rows over the number
    of classes and the weight of its rows. One without a row that counts is left out, and has 1.
    """
    if not isinstance(class_weight, str):
        return each_weight(name, class_weight, labels)
    sizes = np.bincount(numbers, weights, minlength=len(labels))
    present = sizes > 0
    factors = np.ones(len(labels))
    factors[present] = sizes.sum() / (np.count_nonzero(present) * sizes[present])
    return factors
