"""Figures of how good predictions are, beside those of the best constant."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = ["FIGURES", "HEADLINES", "Figure", "Judged", "judged"]

#: Those that say most.
HEADLINES = ("accuracy", "auc", "log_loss", "r2", "rmse", "mae")

#: Width of a normal interval of 95 % on either side, in standard deviations.
TWO_SIGMA = 1.96


@dataclass(frozen=True)
class Figure:
    """One figure.

    Attributes
    ----------
    value : float
    constant : float
        The same of the best constant: the mean, or the most frequent class.
    margin : float or None
        Half the width of an interval that holds the figure for many such rows in 95 % of cases.
    """

    value: float
    constant: float
    margin: float | None = None


@dataclass(frozen=True, eq=False)
class Judged:
    """What a model says of rows (N,) whose target is known.

    Attributes
    ----------
    truth, prediction : ndarray, shape (N,)
        Labels or numbers.
    classes : ndarray, shape (K,), or None
        None for numbers.
    probabilities : ndarray, shape (N, K), or None
    figures : dict of str to Figure
        The first one is what the model is told by.
    """

    truth: np.ndarray
    prediction: np.ndarray
    classes: np.ndarray | None
    probabilities: np.ndarray | None
    figures: Mapping[str, Figure]

    def __len__(self) -> int:
        return len(self.truth)


#: What each figure is, and what is better.
FIGURES: Mapping[str, tuple[str, str]] = {
    "accuracy": ("share of rows predicted correctly", "higher"),
    "balanced_accuracy": ("the same share in each class, averaged over the classes", "higher"),
    "f1_macro": ("F1 of each class, averaged over the classes", "higher"),
    "auc": ("area under the ROC curve, averaged over the classes", "higher"),
    "log_loss": ("mean of −ln of the probability given to the true class", "lower"),
    "brier": ("mean squared distance between the probabilities and the truth", "lower"),
    "r2": ("share of the variance that the model explains", "higher"),
    "rmse": ("root mean squared error, in units of the target", "lower"),
    "mae": ("mean absolute error, in units of the target", "lower"),
    "median_error": ("median absolute error: half of the errors are smaller", "lower"),
    "bias": ("mean of prediction − truth", "closer to 0"),
}


def judged(model: Any, X: Any, y: np.ndarray) -> Judged:
    """Return what a model of tables says of rows X (N, I) with targets y (N,)."""
    classes = getattr(model, "classes_", None)
    if classes is None:
        prediction = np.asarray(model.predict(X), np.float64)
        return Judged(y, prediction, None, None, _of_numbers(y, prediction))
    p = model.predict_proba(X)
    prediction = classes[p.argmax(axis=1)]
    return Judged(y, prediction, classes, p, _of_classes(y, prediction, classes, p))


def _of_numbers(y: np.ndarray, prediction: np.ndarray) -> dict[str, Figure]:
    error, of_mean = prediction - y, y.mean() - y
    of_median, size = np.median(y) - y, np.abs(error)
    variance = float((of_mean**2).mean())
    mse = float((error**2).mean())
    rmse = mse**0.5
    # The root's margin follows from that of the square: d√m = dm / (2 √m).
    margin = _margin(error**2) / (2 * rmse) if rmse else 0.0
    return {
        "r2": Figure(1 - mse / variance if variance else np.nan, 0.0),
        "rmse": Figure(rmse, variance**0.5, margin),
        "mae": Figure(float(size.mean()), float(np.abs(of_median).mean()), _margin(size)),
        "median_error": Figure(float(np.median(size)), float(np.median(np.abs(of_median)))),
        "bias": Figure(float(error.mean()), 0.0, _margin(error)),
    }


def _margin(values: np.ndarray) -> float:
    """Return half the width of the interval of a mean of values (N,)."""
    return float(TWO_SIGMA * np.std(values) / len(values) ** 0.5)


def _of_classes(
    y: np.ndarray, prediction: np.ndarray, classes: np.ndarray, p: np.ndarray
) -> dict[str, Figure]:
    from sklearn import metrics

    codes = np.searchsorted(classes, y)
    shares = np.bincount(codes, minlength=len(classes)) / len(codes)
    constant = np.full(len(y), classes[shares.argmax()])
    flat = np.broadcast_to(shares, p.shape)
    right = prediction == y
    surprise, distance = _surprise(p, codes), _distance(p, codes)
    f1: Callable[[np.ndarray], float] = lambda labels: float(  # noqa: E731
        metrics.f1_score(y, labels, average="macro", zero_division=0)
    )
    there = np.unique(codes)
    recall = float(np.mean([right[codes == k].mean() for k in there]))
    return {
        "accuracy": Figure(float(right.mean()), float(shares.max()), _margin(right)),
        "balanced_accuracy": Figure(recall, 1 / len(there)),
        "f1_macro": Figure(f1(prediction), f1(constant)),
        "auc": Figure(_auc(p, codes), 0.5),
        "log_loss": Figure(
            float(surprise.mean()), float(_surprise(flat, codes).mean()), _margin(surprise)
        ),
        "brier": Figure(
            float(distance.mean()), float(_distance(flat, codes).mean()), _margin(distance)
        ),
    }


def _surprise(p: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """Return −ln of the probabilities (N, K) of the true classes, (N,)."""
    likelihood = p[np.arange(len(p)), codes]
    surprise: np.ndarray = -np.log(np.maximum(likelihood, np.finfo(np.float64).tiny))
    return surprise


def _distance(p: np.ndarray, codes: np.ndarray) -> np.ndarray:
    distance: np.ndarray = ((p - np.eye(p.shape[1])[codes]) ** 2).sum(axis=1)
    return distance


def _auc(p: np.ndarray, codes: np.ndarray) -> float:
    """Return the area under the ROC curve, the mean over the classes; NaN without any."""
    from sklearn.metrics import roc_auc_score

    K = p.shape[1]
    areas = [
        roc_auc_score(codes == k, p[:, k])
        for k in (range(K) if K > 2 else [1])
        if 0 < np.count_nonzero(codes == k) < len(codes)
    ]
    return float(np.mean(areas)) if areas else np.nan
