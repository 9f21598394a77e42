"""Checks of what a loss demands of its target."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastmlp.validation.wording import brief

__all__ = [
    "MeanAndStd",
    "check_any_positive",
    "check_distributions",
    "check_has_probabilities",
    "check_loss_fits",
    "check_return_std",
    "check_target_range",
]

#: How far the sum of a distribution may be from 1: rounded percentages pass, counts don't.
SUM_TOLERANCE = 1e-3

_KINDS = {
    "binary": "one of two labels a row",
    "multiclass": "one label a row",
    "multilabel": "an indicator matrix of zeros and ones",
    "distribution": "a distribution over the classes in each row",
}


def check_loss_fits(loss: str, kind: str, known: Any) -> None:
    """Raise ValueError unless a loss knows this ``kind`` of classification target."""
    if kind == "multiclass" and "binary" in known and kind not in known:
        raise ValueError(
            f"Only binary classification is supported by loss={brief(loss)}; y has more than "
            "two labels."
        )
    if kind not in known:
        wanted = " or ".join(dict.fromkeys(_KINDS[name] for name in known))
        raise ValueError(f"loss={brief(loss)} needs {wanted} in y; got {_KINDS[kind]}.")


def check_distributions(y: np.ndarray, n_classes: int) -> None:
    """Raise ValueError unless each row of y (N, C) holds probabilities that sum to 1."""
    if y.ndim != 2 or y.shape[1] != n_classes or y.dtype.kind not in "biuf":
        raise ValueError(
            f"y must hold {n_classes} probabilities a row, one for each class; got shape {y.shape} "
            f"and dtype {y.dtype}."
        )
    if y.min() < 0:
        row, column = np.argwhere(y < 0)[0]
        raise ValueError(
            f"y must hold probabilities; got {y[row, column]:g} (column {column}, row {row})."
        )
    sums = y.sum(axis=1, dtype=np.float64)
    wrong = np.abs(sums - 1) > SUM_TOLERANCE
    if wrong.any():
        row = int(np.argmax(wrong))
        raise ValueError(
            f"the probabilities of a row of y must sum to 1; got {sums[row]:g} (row {row})."
        )


def check_target_range(y: np.ndarray, loss: str, kind: str, dtype: np.dtype) -> None:
    """Raise ValueError if a value of y (N,) or (N, T) is one that the loss has no value for.

    ``kind`` is the target's kind in the registry; below the normal numbers of ``dtype`` the
    logarithm of a "positive" target is lost.
    """
    if kind == "non_negative":
        wrong, bound = y < 0, "≥ 0"
    elif kind == "positive":
        least = np.finfo(dtype).tiny
        wrong, bound = y < least, f"> 0 (from {least:.2g}, for dtype {dtype.name})"
    else:
        return
    if wrong.any():
        row = int(np.argmax(wrong.reshape(len(y), -1).any(axis=1)))
        value = np.min(y[row])
        raise ValueError(f"loss={brief(loss)} needs every y {bound}; got {value:g} (row {row}).")


def check_any_positive(y: np.ndarray, loss: str, kind: str) -> None:
    """Raise ValueError if the counts of a target are all zero: its best mean would be exp(−∞)."""
    if kind != "non_negative" or y.any(axis=0).all():
        return
    if y.ndim == 1:
        raise ValueError(f"loss={brief(loss)} needs a y above 0 somewhere; all are 0.")
    column = int(np.argmin(y.any(axis=0)))
    raise ValueError(
        f"loss={brief(loss)} needs a y above 0 in every column; all of column {column} are 0."
    )


def check_return_std(loss: str, link: str) -> None:
    """Raise ValueError unless the network estimates a variance."""
    if link != "gaussian":
        raise ValueError(
            f"return_std=True needs a model fitted with loss='gaussian_nll'; this one has "
            f"{brief(loss)}."
        )


class MeanAndStd(tuple[np.ndarray, np.ndarray]):
    """A predicted mean and standard deviation, which no wrapper can take for one array."""

    __slots__ = ()

    @property
    def ndim(self) -> int:
        """Not there; the text is for who passes ``return_std`` through a wrapper that asks."""
        raise AttributeError(
            "predict(X, return_std=True) gives two arrays, y and std. TransformedTargetRegressor "
            "cannot transform a standard deviation back: leave it out, and give MLPRegressor "
            "standardize_target=True; or take predict of its regressor_, on the transformed scale."
        )


def check_has_probabilities(loss: object, links: Any) -> None:
    """Raise AttributeError, as for any missing method, if no link of ``links`` is a probability."""
    if not {"softmax", "logistic"} & set(links):
        raise AttributeError(
            f"loss={brief(loss)} gives no probabilities; take decision_function, or calibrate "
            "the model by sklearn.calibration.CalibratedClassifierCV."
        )
