"""Curves and counters of a network's life."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np

from fastmlp.backends.protocol import Totals

__all__ = [
    "COLUMNS",
    "LATEST_PARTIAL_FITS",
    "UNCHANGED",
    "CostUnit",
    "EpochRow",
    "History",
    "means_of",
]

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


def means_of(totals: Totals, cost_divisor: int) -> tuple[float, float]:
    """Return an epoch's mean loss and mean cost, in the core's unit.

    ``cost_divisor`` is the number of outputs or 1.
    """
    cost = totals.cost / cost_divisor / totals.n_samples
    return cost + totals.penalty / totals.n_samples, cost


class EpochRow(NamedTuple):
    """Numbers of an epoch, in the user's unit; NaN where none were taken.

    ``epoch`` counts from the first one of the network's life, ``learning_rate`` is that of the
    epoch's last update, ``seconds`` are those from the begin of its training, and ``metrics`` are
    whatever else was measured, by name.
    """

    epoch: int
    loss: float
    cost: float
    validation_loss: float
    validation_score: float
    learning_rate: float
    seconds: float
    metrics: Mapping[str, float] | None = None


#: What ``history_`` has for every epoch, besides metrics.
COLUMNS = tuple(name for name in EpochRow._fields if name != "metrics")


@dataclass
class History:
    """Curves and counters; they go on under warm start and partial fits.

    Rows are in the user's unit from the moment when they are added, because a later fit may have
    another loss and with it another unit of cost. They are never changed.

    Attributes
    ----------
    before : list of EpochRow
        Of all earlier fits; shared with earlier histories, so never changed.
    present : list of EpochRow
        Of this fit, or of the latest partial fits.
    incremental : bool
        Whether ``present`` is of partial fits.
    n_samples_seen : int
    n_epochs : int
        Epochs of the last fit.
    n_ever : int
        Epochs of the network's life, also those whose rows are no longer there.
    """

    before: list[EpochRow] = field(default_factory=list)
    present: list[EpochRow] = field(default_factory=list)
    incremental: bool = False
    n_samples_seen: int = 0
    n_epochs: int = 0
    n_ever: int = 0

    def add(self, row: EpochRow) -> None:
        """Append an epoch."""
        self.present.append(row)
        self.n_epochs += 1
        self.n_ever += 1

    def curve(self, name: str) -> list[float]:
        """Return a number of all epochs, in a list of its own."""
        column = EpochRow._fields.index(name)
        return [row[column] for row in (*self.before, *self.present)]  # type: ignore[misc]

    def table(self) -> dict[str, list]:
        """Return all numbers of all epochs by column, in lists of their own.

        Of a metric there is NaN for epochs without it.
        """
        rows = [*self.before, *self.present]
        metrics = dict.fromkeys(name for row in rows for name in row.metrics or ())
        return {
            **{name: self.curve(name) for name in COLUMNS},
            **{name: [(row.metrics or {}).get(name, np.nan) for row in rows] for name in metrics},
        }

    @property
    def last_loss(self) -> float:
        """Loss of the last epoch; NaN before the first."""
        rows = self.present or self.before
        return rows[-1].loss if rows else np.nan

    def copied(self) -> History:
        """Return an independent copy."""
        return replace(self, present=self.present.copy())

    def __deepcopy__(self, memo: object) -> History:
        return self.copied()

    def continued(self, incremental: bool) -> History:
        """Return what a further fit, or a partial one, adds to; its epochs count from 0.

        A partial fit costs the same however many there were before it.
        """
        if incremental and self.incremental:
            before, present = self.before, self.present[-(LATEST_PARTIAL_FITS - 1) :]
        else:
            before, present = self.before + self.present, []
        return History(before, present, incremental, self.n_samples_seen, 0, self.n_ever)
