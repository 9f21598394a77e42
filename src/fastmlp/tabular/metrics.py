"""The metrics by which models of a table are chosen, as errors: less is better."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np

from fastmlp import validation
from fastmlp.estimators.judging import takes_weights

__all__ = ["CLASS_METRICS", "REAL_METRICS", "Metric", "metric_of"]

#: Maps the truth (V,) or (V, C), a prediction like it or probabilities (V, K), and weights (V,) or
#: None to a number; less is better.
ErrorFunction = Callable[[np.ndarray, np.ndarray, "np.ndarray | None"], float]


@dataclass(frozen=True)
class Metric:
    """A measure of error.

    Attributes
    ----------
    name : str
    error : callable
        See ``ErrorFunction``. Of classes the truth is their numbers, and the prediction their
        probabilities.
    of_probabilities : bool
        Whether it judges how sure a classifier is, not only which class it names.
    is_native : bool
        Whether a network's own score finds the same epoch the best.
    smooth : callable, optional
        A measure of error by which means of several models are told apart, where the error itself
        changes in steps of a row.
    """

    name: str
    error: ErrorFunction
    of_probabilities: bool = False
    is_native: bool = False
    smooth: ErrorFunction | None = None


def _class_error(truth: np.ndarray, p: np.ndarray, weights: np.ndarray | None) -> float:
    """Return the share of rows (V,) whose most probable class of p (V, K) is wrong."""
    return float(np.average(p.argmax(axis=1) != truth, weights=weights))


def _log_loss(truth: np.ndarray, p: np.ndarray, weights: np.ndarray | None) -> float:
    """Return the mean of −log p (V, K) of the true classes (V,)."""
    likelihood = p[np.arange(len(p)), truth]
    with np.errstate(divide="ignore"):
        return float(np.average(-np.log(likelihood), weights=weights))


def _brier(truth: np.ndarray, p: np.ndarray, weights: np.ndarray | None) -> float:
    """Return the mean of Σ (p − 1[class])² over the rows of p (V, K)."""
    return float(np.average(((p - np.eye(p.shape[1])[truth]) ** 2).sum(axis=1), weights=weights))


def _auc(truth: np.ndarray, p: np.ndarray, weights: np.ndarray | None) -> float:
    """Return 1 − AUC; of several classes each against the rest, the mean of all."""
    from sklearn.metrics import roc_auc_score  # noqa: PLC0415 - slow to import

    areas = [
        roc_auc_score(truth == k, p[:, k], sample_weight=weights)
        for k in (range(p.shape[1]) if p.shape[1] > 2 else [1])
        if 0 < np.count_nonzero(truth == k) < len(truth)
    ]
    return 1 - float(np.mean(areas)) if areas else np.nan


def _by_rows(deviation: np.ndarray) -> np.ndarray:
    """Return the mean (V,) over the outputs of deviations (V,) or (V, C)."""
    means: np.ndarray = deviation.reshape(len(deviation), -1).mean(axis=1)
    return means


def _rmse(truth: np.ndarray, values: np.ndarray, weights: np.ndarray | None) -> float:
    """Return the root of the mean squared error."""
    with np.errstate(over="ignore"):
        return float(np.sqrt(np.average(_by_rows((values - truth) ** 2), weights=weights)))


def _mae(truth: np.ndarray, values: np.ndarray, weights: np.ndarray | None) -> float:
    """Return the mean absolute error."""
    return float(np.average(_by_rows(np.abs(values - truth)), weights=weights))


CLASS_METRICS: Mapping[str, Metric] = MappingProxyType(
    {
        metric.name: metric
        for metric in (
            Metric("error", _class_error, is_native=True, smooth=_brier),
            Metric("log_loss", _log_loss, of_probabilities=True, is_native=True),
            Metric("auc", _auc, of_probabilities=True),
            Metric("brier", _brier, of_probabilities=True),
        )
    }
)
REAL_METRICS: Mapping[str, Metric] = MappingProxyType(
    {metric.name: metric for metric in (Metric("rmse", _rmse), Metric("mae", _mae))}
)


class _Answers:
    """A fitted estimator, as a scorer sees one, whose predictions are given."""

    def __init__(self, prediction: np.ndarray, classes: np.ndarray | None) -> None:
        self._prediction, self._classes = prediction, classes
        if classes is not None:
            self._prediction, self.classes_ = prediction[:, : len(classes)], classes
        self.fitted_ = True

    def __sklearn_tags__(self) -> Any:
        from sklearn.utils import ClassifierTags, RegressorTags, Tags, TargetTags  # noqa: PLC0415

        is_classifier = self._classes is not None
        return Tags(
            estimator_type="classifier" if is_classifier else "regressor",
            target_tags=TargetTags(required=True),
            classifier_tags=ClassifierTags() if is_classifier else None,
            regressor_tags=None if is_classifier else RegressorTags(),
        )

    def fit(self) -> None:
        """Do nothing: scikit-learn takes for an estimator what has this method."""

    def predict(self, X: Any) -> np.ndarray:
        """Return the values, (V,) or (V, C), or the most probable labels (V,)."""
        if self._classes is None:
            return self._prediction
        labels: np.ndarray = self._classes[self._prediction.argmax(axis=1)]
        return labels

    def predict_proba(self, X: Any) -> np.ndarray:
        """Return the probabilities (V, K)."""
        return self._prediction


def metric_of(
    scoring: Any,
    classes: np.ndarray | None,
    known: Mapping[str, Metric] | None = None,
    answer: Callable[[np.ndarray], np.ndarray] | None = None,
) -> Metric:
    """Return the metric of a name of ours or of scikit-learn's, or of one of its scorers.

    Parameters
    ----------
    scoring : str or callable
    classes : ndarray, shape (K,), or None
        The labels, which scorers see in the place of their numbers; None for real targets.
    known : dict, optional
        Our own metrics, by name; by default those of classes or of real targets.
    answer : callable, optional
        Makes of a prediction what scorers see; by default it is the same.
    """
    if known is None:
        known = REAL_METRICS if classes is None else CLASS_METRICS
    scoring = validation.check_table_metric(scoring, tuple(known))
    if isinstance(scoring, str) and scoring in known:
        return known[scoring]
    from sklearn.metrics import get_scorer  # noqa: PLC0415 - slow to import

    scorer = get_scorer(scoring) if isinstance(scoring, str) else scoring
    name = scoring if isinstance(scoring, str) else getattr(scorer, "__name__", repr(scorer))
    error = _error_by(scorer, scoring, classes, answer)
    smooth = _brier if name == "accuracy" else None
    return Metric(name, error, "proba" in repr(scorer), smooth=smooth)


def _error_by(
    scorer: Any,
    scoring: Any,
    classes: np.ndarray | None,
    answer: Callable[[np.ndarray], np.ndarray] | None,
) -> ErrorFunction:
    """Return minus what a scorer gives."""
    from sklearn.exceptions import UndefinedMetricWarning  # noqa: PLC0415 - only with scorers

    def error(truth: np.ndarray, prediction: np.ndarray, weights: np.ndarray | None) -> float:
        given = {"sample_weight": weights} if weights is not None and weighs else {}
        answers = _Answers(prediction if answer is None else answer(prediction), classes)
        labels = truth if classes is None else classes[truth]
        with warnings.catch_warnings(), validation.judging_by(scoring, "metric"):
            warnings.simplefilter("ignore", UndefinedMetricWarning)  # which is NaN then
            score = scorer(answers, np.empty((len(truth), 0)), labels, **given)
        return -validation.check_score(scoring, score, "metric")

    weighs = takes_weights(scorer)
    return error
