"""What is to be learnt from a table, in the form that every candidate takes."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from fastmlp.tables import EncodedTable
from fastmlp.tabular.aims import Aim, ClassAim
from fastmlp.tabular.metrics import Metric

__all__ = ["Problem"]


@dataclass(frozen=True, eq=False)
class Problem:
    """A table, its target, and what good predictions are.

    Attributes
    ----------
    table : EncodedTable, of N rows
    target : ndarray, shape (N,) or (N, C)
        Numbers of the classes, or real targets in the user's unit.
    weights : ndarray, shape (N,), or None
    aim : Aim
    metric : Metric
    settings : dict
        What all networks share beside their recipes: ``loss`` and its numbers, ``n_threads``.
    """

    table: EncodedTable
    target: np.ndarray
    weights: np.ndarray | None
    aim: Aim
    metric: Metric
    settings: dict = field(default_factory=dict)

    def counting(self) -> Problem:
        """Return the same without rows of weight 0."""
        if self.weights is None or self.weights.all():
            return self
        rows = np.flatnonzero(self.weights)
        return replace(
            self,
            table=self.table.rows(rows),
            target=self.target[rows],
            weights=self.weights[rows],
        )

    def joined(
        self, table: EncodedTable, target: np.ndarray, weights: np.ndarray | None
    ) -> Problem:
        """Return the same with further rows (K,), of which none has the weight 0."""
        both = None
        if not (self.weights is None and weights is None):
            both = np.concatenate(
                [
                    np.ones(len(rows)) if given is None else given
                    for rows, given in ((self.table, self.weights), (table, weights))
                ]
            )
        targets = np.concatenate([self.target, target])
        return replace(self, table=self.table.joined(table), target=targets, weights=both)

    @property
    def is_classification(self) -> bool:
        """Whether classes are told apart."""
        return isinstance(self.aim, ClassAim)

    def weights_of(self, rows: np.ndarray) -> np.ndarray | None:
        """Return the weights (K,) of some rows (K,)."""
        return None if self.weights is None else self.weights[rows]

    def error(self, prediction: np.ndarray, rows: np.ndarray) -> float:
        """Return the metric's error of a prediction (K, …) for some rows (K,)."""
        return self.metric.error(self.target[rows], prediction, self.weights_of(rows))

    def smooth_error(self, prediction: np.ndarray, rows: np.ndarray) -> float:
        """Return what means of several models are told apart by: the error, if it is smooth."""
        measure = self.metric.smooth or self.metric.error
        return measure(self.target[rows], prediction, self.weights_of(rows))
