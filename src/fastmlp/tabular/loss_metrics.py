"""The metric that goes with each loss, by which regressors are chosen."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from fastmlp.estimators.scores import pinball_loss
from fastmlp.tabular.aims import RealAim
from fastmlp.tabular.metrics import REAL_METRICS, ErrorFunction, Metric, metric_of

__all__ = ["real_metric"]

#: By the loss: the metric that finds the same predictions good, for those that have a name.
_NAMED = {"squared_error": "rmse", "absolute_error": "mae", "log_cosh": "mae"}

#: Powers of the variance of Tweedie's family.
_POWERS = {"poisson": 1.0, "gamma": 2.0}

#: Means and variances of which a logarithm is taken are this at least.
LEAST = 1e-300


def real_metric(
    scoring: Any, aim: RealAim, options: Mapping[str, Any], scales: np.ndarray | float = 1.0
) -> Metric:
    """Return the metric of real targets that ``scoring`` asks for; None is that of the loss.

    ``options`` are the numbers of the loss, by the names of MLPRegressor, and ``scales`` (T,) the
    units in which ``huber_delta`` counts.
    """
    own = _NAMED.get(aim.loss, aim.loss)
    known = {
        name: Metric(name, _of_answers(aim, metric.error)) for name, metric in REAL_METRICS.items()
    }
    if own not in known:
        known[own] = Metric(own, _error_of_loss(aim, options, scales))
    known[own] = replace(known[own], is_native=True)
    return metric_of(own if scoring is None else scoring, None, known, aim.answer)


def _of_answers(aim: RealAim, error: ErrorFunction) -> ErrorFunction:
    """Return an error of the predicted numbers alone."""
    return lambda truth, prediction, weights: error(truth, aim.answer(prediction), weights)


def _error_of_loss(
    aim: RealAim, options: Mapping[str, Any], scales: np.ndarray | float
) -> ErrorFunction:
    """Return the mean of a loss."""
    if aim.loss == "pinball":
        return lambda truth, prediction, weights: pinball_loss(
            truth.reshape(len(truth), -1), aim.by_level(prediction), aim.levels, weights
        )
    if aim.loss == "gaussian_nll":
        return _mean_of(lambda truth, prediction: _surprise(aim, truth, prediction))
    if aim.loss in ("huber", "smooth_l1"):
        delta = options["huber_delta"]
        divisor = 1.0 if aim.loss == "huber" else delta
        return _mean_of(lambda truth, values: _huber((values - truth) / scales, delta) / divisor)
    return _deviance(_POWERS.get(aim.loss, options.get("tweedie_power", 1.5)))


def _mean_of(loss: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> ErrorFunction:
    """Return the weighted mean over rows of a loss (V,) or (V, T)."""

    def error(truth: np.ndarray, prediction: np.ndarray, weights: np.ndarray | None) -> float:
        by_row = loss(truth, prediction).reshape(len(truth), -1).mean(axis=1)
        return float(np.average(by_row, weights=weights))

    return error


def _surprise(aim: RealAim, truth: np.ndarray, prediction: np.ndarray) -> np.ndarray:
    """Return −log of the normal density, but for a constant, (V,) or (V, T)."""
    variance = np.maximum(aim.deviation(prediction) ** 2, LEAST)
    surprise: np.ndarray = (np.log(variance) + (aim.answer(prediction) - truth) ** 2 / variance) / 2
    return surprise


def _huber(error: np.ndarray, delta: float) -> np.ndarray:
    """Return Huber's loss of errors: a parabola that goes on as straight lines."""
    size = np.abs(error)
    loss: np.ndarray = np.where(size <= delta, size**2 / 2, delta * (size - delta / 2))
    return loss


def _deviance(power: float) -> ErrorFunction:
    """Return the mean of Tweedie's deviance of positive means, the mean over targets."""
    from sklearn.metrics import mean_tweedie_deviance  # noqa: PLC0415 - slow to import

    def error(truth: np.ndarray, values: np.ndarray, weights: np.ndarray | None) -> float:
        columns = zip(
            truth.reshape(len(truth), -1).T, values.reshape(len(values), -1).T, strict=True
        )
        deviances = [
            mean_tweedie_deviance(y, np.maximum(mean, LEAST), sample_weight=weights, power=power)
            for y, mean in columns
        ]
        return float(np.mean(deviances))

    return error
