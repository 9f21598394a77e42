"""The unit in which a network sees real targets; its costs, converted to the user's unit.

Legend: N rows, T targets, C outputs, K parameters of the loss, Q quantiles of each target.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from fastmlp.estimators.constants import quantiles_of
from fastmlp.kept import kept_property
from fastmlp.registry import LOSSES, Loss
from fastmlp.training.history import UNCHANGED, CostUnit

__all__ = ["MEDIAN", "StandardLoss", "TargetUnit", "loss_in_unit"]

MEDIAN, DECILES_AND_MEDIAN = np.array([0.5]), np.array([0.1, 0.5, 0.9])

#: The first and the last decile of a normal distribution are so many deviations apart.
DECILES_APART = 2.5631031310892007

#: A target that varies less than this share of its size is a constant, seen through rounding.
CONSTANT = 8 * float(np.finfo(np.float64).eps)

#: Smaller scales can't be divided by.
LEAST = float(np.finfo(np.float64).tiny)


@dataclass(frozen=True, eq=False)
class TargetUnit:
    """y = center + scale · (what the network sees); never changed.

    Attributes
    ----------
    kind : {"none", "mean", "median"}
        How it was taken; "none" leaves targets as they are.
    center : ndarray of float64, shape (T,)
    scale : ndarray of float64, shape (T,)
        Above 0.
    """

    kind: str
    center: np.ndarray
    scale: np.ndarray

    @classmethod
    def none(cls, n_targets: int) -> TargetUnit:
        """Return the unit of y itself."""
        return cls("none", np.zeros(n_targets), np.ones(n_targets))

    @classmethod
    def of(
        cls, y: np.ndarray, weights: np.ndarray | None, kind: str, *, positive: bool
    ) -> TargetUnit:
        """Return the center and the scale of y (N, T) with weights (N,).

        Those of "mean" are the mean and the standard deviation, those of "median" the median and
        the distance of the outer deciles, measured in normal deviations: unlike the quartiles,
        they rarely coincide where most targets are 0. Positive targets, which are predicted
        through an exponential, are only divided by their mean or median.
        """
        if kind == "none":
            return cls.none(y.shape[1])
        if weights is not None:
            y, weights = y[weights > 0], weights[weights > 0]
        measure = _level if positive else _center_and_scale
        columns = [measure(column, weights, kind) for column in y.astype(np.float64).T]
        center, scale = np.array(columns).T
        return cls(kind, center.copy(), scale.copy())

    @property
    def standardizes(self) -> bool:
        """Whether it is any other than the unit of y."""
        return self.kind != "none"

    def encode(self, y: np.ndarray, dtype: np.dtype) -> np.ndarray:
        """Return y (N, T) as the network sees it, C-contiguous."""
        if self.standardizes:
            with np.errstate(over="ignore"):  # found by validation
                y = (y.astype(np.float64) - self.center) / self.scale
                return np.ascontiguousarray(y, dtype=dtype)
        return np.ascontiguousarray(y, dtype=dtype)

    def by_output(self, link: str, n_quantiles: int) -> tuple[np.ndarray, np.ndarray]:
        """Return what outputs (N, C) of a link are multiplied by and then added to, (C,) each."""
        if link == "gaussian":
            zeros = np.zeros_like(self.center)
            return np.r_[self.scale, self.scale**2], np.r_[self.center, zeros]
        return np.repeat(self.scale, n_quantiles), np.repeat(self.center, n_quantiles)

    @kept_property
    def of_costs(self) -> float:
        """The scale that costs are told in: the target's; 1 where several have different ones."""
        return float(self.scale[0]) if len(self.scale) == 1 else 1.0


def _center_and_scale(
    column: np.ndarray, weights: np.ndarray | None, kind: str
) -> tuple[float, float]:
    """Return what standardises a column of y (N,) whose weights (N,) are positive."""
    if column.min() == column.max():
        return float(column[0]), 1.0
    mean, deviation = _mean_and_deviation(column, weights)
    if kind == "mean":
        return mean, deviation or 1.0
    low, median, high = quantiles_of(column, DECILES_AND_MEDIAN, weights)
    scale = float(high / DECILES_APART - low / DECILES_APART)
    scale = _unless_rounding(scale, max(abs(low), abs(high))) or deviation
    return float(median), scale or 1.0


def _mean_and_deviation(column: np.ndarray, weights: np.ndarray | None) -> tuple[float, float]:
    """Return those of y (N,); the deviation is 0 where it is but rounding."""
    size = float(np.abs(column).max())
    shares = column / size  # whose squares can't overflow
    mean = float(np.average(shares, weights=weights))
    deviation = float(np.sqrt(np.average((shares - mean) ** 2, weights=weights)))
    return mean * size, _unless_rounding(deviation * size, size)


def _unless_rounding(scale: float, size: float) -> float:
    """Return a scale of numbers of some size that can be divided by, or 0 for rounding errors."""
    return max(scale, LEAST) if scale > CONSTANT * size else 0.0


def _level(column: np.ndarray, weights: np.ndarray | None, kind: str) -> tuple[float, float]:
    """Return 0 and what a column of y (N,), not negative, is divided by."""
    size = float(np.abs(column).max()) or 1.0
    level = size * float(np.average(column / size, weights=weights))
    if kind == "median":
        level = float(quantiles_of(column, MEDIAN, weights)[0]) or level
    return 0.0, max(level, LEAST) if level > 0 else 1.0


class StandardLoss(NamedTuple):
    """A loss as the network minimises it in a unit of its own.

    Attributes
    ----------
    row : Loss
    parameters : tuple of float, length K
    cost_unit : CostUnit
        What makes it the loss that was asked for, of y.
    """

    row: Loss
    parameters: tuple[float, ...]
    cost_unit: CostUnit


def loss_in_unit(
    row: Loss, parameters: tuple[float, ...], unit: TargetUnit, dtype: np.dtype
) -> StandardLoss:
    """Return what to minimise in a unit so that ``row`` with its ``parameters`` is minimised of y.

    A loss of several targets is told in scales, and its ``lengths`` count in scales: a sum over
    targets of different units would mean nothing. ``dtype`` is the network's.
    """
    if not unit.standardizes:
        return StandardLoss(row, parameters, UNCHANGED)
    if row.lengths:
        return _bent_loss(row, parameters[0], unit.of_costs, dtype)
    degree = row.degree - (parameters[0] if row.name == "tweedie" else 0)
    offset = float(np.log(unit.scale).mean()) if row.link == "gaussian" else 0.0
    return StandardLoss(row, parameters, CostUnit(_power(unit.of_costs, degree), offset))


def _bent_loss(row: Loss, bend: float, scale: float, dtype: np.dtype) -> StandardLoss:
    """Return that of a parabola up to ``|r|`` = bend, and lines beyond.

    "huber" is bend times "smooth_l1". Of the two, the one is taken whose slope and curvature are 1
    at most and not both far below: else prices with a bend of one dollar would have slopes of
    1e-5, next to which any ``tol`` or ``alpha`` is large.
    """
    limits = np.finfo(dtype)
    bend_in_unit = float(np.clip(bend / scale, limits.tiny, limits.max))
    name = "huber" if bend_in_unit >= 1 else "smooth_l1"
    factor = _power(scale, 2) if name == "huber" else scale * bend
    if row.name == "smooth_l1":
        factor /= bend
    return StandardLoss(LOSSES[name], (bend_in_unit,), CostUnit(factor))


def _power(scale: float, degree: float) -> float:
    with np.errstate(over="ignore", under="ignore"):
        return float(np.power(scale, degree))
