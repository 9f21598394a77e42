"""What is predicted: probabilities of classes, or numbers, quantiles or means with deviations.

Legend: N rows, T targets, Q quantiles, K classes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from fastmlp.tabular.transforms import Transform

__all__ = ["Aim", "ClassAim", "Extent", "RealAim"]

#: Predictions leave the range of the targets by this share of it at most.
MARGIN = 0.05

#: An end of the range that so many rows share is where the target ends.
SHARED = 0.01


@dataclass(frozen=True, eq=False)
class Extent:
    """The ends of targets, and how many rows share them.

    Attributes
    ----------
    least, largest : ndarray, shape () or (T,)
    n_least, n_largest : ndarray of int, of the same shape
        How many rows have this target.
    n_rows : int
        How many rows there are.
    """

    least: np.ndarray
    largest: np.ndarray
    n_least: np.ndarray
    n_largest: np.ndarray
    n_rows: int

    @classmethod
    def of(cls, y: np.ndarray) -> Extent:
        """Return the extent of targets y (N,) or (N, T)."""
        least, largest = y.min(axis=0), y.max(axis=0)
        n_least, n_largest = (y == least).sum(axis=0), (y == largest).sum(axis=0)
        return cls(least, largest, n_least, n_largest, len(y))

    def joined(self, other: Extent) -> Extent:
        """Return the extent of these rows and of others."""
        both = self, other
        least = np.minimum(self.least, other.least)
        largest = np.maximum(self.largest, other.largest)
        n_least = np.sum([each.n_least * (each.least == least) for each in both], axis=0)
        n_largest = np.sum([each.n_largest * (each.largest == largest) for each in both], axis=0)
        return Extent(least, largest, n_least, n_largest, self.n_rows + other.n_rows)


class Aim(Protocol):
    """How models are asked, and in what form their answers are averaged."""

    def ask(self, model: Any, X: np.ndarray, transform: Transform | None) -> np.ndarray:
        """Return what a fitted network predicts for its inputs X (N, I), (N, …).

        ``transform`` is what its target went through.
        """

    def ask_partner(self, models: list[Any], X: np.ndarray) -> np.ndarray:
        """Return the same of a partner: of one model, or of one for each quantile."""


@dataclass(frozen=True)
class ClassAim:
    """Probabilities (N, K).

    Attributes
    ----------
    n_classes : int
    """

    n_classes: int

    def ask(self, model: Any, X: np.ndarray, transform: Transform | None) -> np.ndarray:
        """See :class:`Aim`; a class that the model has not seen has probability 0."""
        probabilities = np.zeros((X.shape[0], self.n_classes))
        probabilities[:, model.classes_] = model.predict_proba(X)
        return probabilities

    def ask_partner(self, models: list[Any], X: np.ndarray) -> np.ndarray:
        """See :class:`Aim`."""
        return self.ask(models[0], X, None)


@dataclass(frozen=True, eq=False)
class RealAim:
    """Numbers (N,) or (N, T), with a last axis for quantiles or for a mean and its spread.

    Means and deviations are averaged as those of the mixture: what is averaged is the mean's
    distance from ``center``, and the square of that distance plus the variance.

    Attributes
    ----------
    loss : str
        The registry's name.
    quantiles : float or sequence of float, or None
        As the user gave them; None unless the loss is "pinball".
    center : ndarray, shape () or (T,)
        Somewhere among the targets.
    low, high : ndarray, shape () or (T,)
        Bounds of predictions.
    """

    loss: str
    quantiles: Any
    center: np.ndarray
    low: np.ndarray
    high: np.ndarray

    @classmethod
    def of(cls, extent: Extent, loss: str, quantiles: Any) -> RealAim:
        """Return what a loss aims at for targets of an extent."""
        low, high = bounds(extent)
        levels = quantiles if loss == "pinball" else None
        return cls(loss, levels, low / 2 + high / 2, low, high)

    @property
    def has_deviation(self) -> bool:
        """Whether deviations are predicted as well."""
        return self.loss == "gaussian_nll"

    @property
    def levels(self) -> np.ndarray:
        """Levels of the quantiles (Q,); none unless quantiles are predicted."""
        return np.array([]) if self.quantiles is None else np.atleast_1d(self.quantiles)

    @property
    def has_axis_of_quantiles(self) -> bool:
        """Whether predictions have a last axis for quantiles."""
        return self.quantiles is not None and np.ndim(self.quantiles) > 0

    def ask(self, model: Any, X: np.ndarray, transform: Transform | None) -> np.ndarray:
        """See :class:`Aim`."""
        if self.has_deviation:
            mean, deviation = model.predict(X, return_std=True)
            distance = self._bounded(mean.astype(np.float64)) - self.center
            deviation = np.minimum(deviation, self.high - self.low)
            return np.stack([distance, distance**2 + deviation**2], axis=-1)
        values = model.predict(X).astype(np.float64)
        return self._bounded(values if transform is None else transform.back(values))

    def ask_partner(self, models: list[Any], X: np.ndarray) -> np.ndarray:
        """See :class:`Aim`."""
        values = np.stack([np.asarray(each.predict(X), np.float64) for each in models], axis=-1)
        values.sort(axis=-1)  # models of quantiles that don't know of each other may cross
        return self._bounded(values if self.has_axis_of_quantiles else values[..., 0])

    def answer(self, prediction: np.ndarray) -> np.ndarray:
        """Return predictions as users see them: without the axis of deviations."""
        if not self.has_deviation:
            return prediction
        mean: np.ndarray = prediction[..., 0] + self.center
        return mean

    def deviation(self, prediction: np.ndarray) -> np.ndarray:
        """Return the standard deviations in predictions."""
        variance = prediction[..., 1] - prediction[..., 0] ** 2
        deviation: np.ndarray = np.sqrt(np.maximum(variance, 0))
        return deviation

    def by_level(self, prediction: np.ndarray) -> np.ndarray:
        """Return quantiles as (N, T, Q)."""
        return prediction.reshape(len(prediction), self.center.size, -1)

    def _bounded(self, values: np.ndarray) -> np.ndarray:
        """Return values, or quantiles of them, within the bounds."""
        low, high = self.low, self.high
        if self.has_axis_of_quantiles:
            low, high = low[..., np.newaxis], high[..., np.newaxis]
        bounded: np.ndarray = np.clip(values, low, high)
        return bounded


def bounds(extent: Extent) -> tuple[np.ndarray, np.ndarray]:
    """Return between what predictions of targets of an extent lie, () or (T,) each.

    They leave its range by a share of it at most, never change its sign, and don't leave it at an
    end that many rows share, where the target has been cut off or can't go on.
    """
    least, largest = extent.least, extent.largest
    margin = MARGIN * largest - MARGIN * least
    enough = max(2.0, SHARED * extent.n_rows)
    with np.errstate(over="ignore"):
        low = np.where(extent.n_least >= enough, least, least - margin)
        high = np.where(extent.n_largest >= enough, largest, largest + margin)
    low = np.where(least >= 0, np.maximum(low, 0), low)
    high = np.where(largest <= 0, np.minimum(high, 0), high)
    return low, high
