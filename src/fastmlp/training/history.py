"""Curves and counters of a network's life."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from fastmlp.backends.protocol import Totals

__all__ = ["LATEST_PARTIAL_FITS", "UNCHANGED", "CostUnit", "Curves", "History"]

#: So many of the latest partial fits have their place in the curves: a stream has no end.
LATEST_PARTIAL_FITS = 1000


class CostUnit(NamedTuple):
    """How the core's costs become those of the target in the user's unit: an increasing line.

    Attributes
    ----------
    factor : float
        Above 0.
    offset : float
    """

    factor: float = 1.0
    offset: float = 0.0

    def of(self, cost: float) -> float:
        """Return a cost in the user's unit."""
        return self.factor * cost + self.offset

    def of_each(self, costs: np.ndarray) -> np.ndarray:
        """Return costs (N,) in the user's unit, in float64 unless that is the core's."""
        if self == UNCHANGED:
            return costs
        return self.factor * costs.astype(np.float64) + self.offset


#: The core's costs are the user's.
UNCHANGED = CostUnit()


class Curves(NamedTuple):
    """Numbers of each epoch, three lists of one length; scores are NaN where none were taken."""

    loss: list[float]
    cost: list[float]
    scores: list[float]

    def __add__(self, later: tuple[list[float], ...]) -> Curves:  # type: ignore[override]
        return Curves(*(mine + more for mine, more in zip(self, later, strict=True)))

    def latest(self, n_epochs: int) -> Curves:
        """Return a copy of the last epochs."""
        return Curves(*(curve[-n_epochs:] for curve in self))


@dataclass
class History:
    """Curves and counters; they go on under warm start and partial fits.

    The curves are in the user's unit from the moment when a number is added, because a later fit
    may have another loss and with it another unit of cost.

    Attributes
    ----------
    before : Curves
        Of all earlier fits; shared with earlier histories, so never changed.
    present : Curves
        Of this fit, or of the latest partial fits.
    incremental : bool
        Whether ``present`` is of partial fits.
    n_samples_seen : int
    n_epochs : int
        Epochs of the last fit.
    unit : CostUnit
        Of the costs of the present fit.
    """

    before: Curves = field(default_factory=lambda: Curves([], [], []))
    present: Curves = field(default_factory=lambda: Curves([], [], []))
    incremental: bool = False
    n_samples_seen: int = 0
    n_epochs: int = 0
    unit: CostUnit = UNCHANGED

    def add(self, totals: Totals, cost_divisor: int) -> float:
        """Append an epoch's means; return its loss in the core's unit, to be judged by.

        ``cost_divisor`` is the number of outputs or 1.
        Its validation score is NaN until one is set, so that all curves have the same epochs.
        Samples are counted as they are seen: an interrupted epoch has no means, but taught some.
        """
        cost = totals.cost / cost_divisor / totals.n_samples
        loss = cost + totals.penalty / totals.n_samples
        self.present.cost.append(self.unit.of(cost))
        self.present.loss.append(self.unit.of(loss))
        self.present.scores.append(np.nan)
        self.n_epochs += 1
        return loss

    def add_diverged(self) -> None:
        """Append an epoch whose loss is infinite or NaN."""
        for curve in self.present:
            curve.append(np.nan)
        self.n_epochs += 1

    @property
    def curves(self) -> Curves:
        """All epochs, in lists of their own."""
        return self.before + self.present

    @property
    def last_loss(self) -> float:
        """Loss of the last epoch; NaN before the first."""
        curve = self.present.loss or self.before.loss
        return curve[-1] if curve else np.nan

    def copied(self) -> History:
        """Return an independent copy."""
        return History(
            self.before,
            self.present + Curves([], [], []),
            self.incremental,
            self.n_samples_seen,
            self.n_epochs,
            self.unit,
        )

    def continued(self, incremental: bool, unit: CostUnit) -> History:
        """Return what a further fit, or a partial one, adds to; its epochs count from 0.

        A partial fit costs the same however many there were before it.
        """
        if incremental and self.incremental:
            before, present = self.before, self.present.latest(LATEST_PARTIAL_FITS - 1)
        else:
            before, present = self.curves, Curves([], [], [])
        return History(before, present, incremental, self.n_samples_seen, unit=unit)
