"""When to stop: counters of epochs without progress, and the best network so far."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from fastmlp.network import Network
from fastmlp.training.history import UNCHANGED, CostUnit

__all__ = ["LossMonitor", "ScoreMonitor"]


@dataclass
class LossMonitor:
    """Watches the training loss; an epoch counts as idle unless it lowers the best by ``tol``."""

    tol: float
    patience: float
    best: float = np.inf
    idle: int = 0

    def update(self, loss: float, network: Network) -> None:
        """Take note of an epoch."""
        self.idle = self.idle + 1 if loss > self.best - self.tol else 0
        self.best = min(self.best, loss)

    @property
    def stalled(self) -> bool:
        """More idle epochs in a row than ``patience``."""
        return self.idle > self.patience

    @property
    def stall_text(self) -> str:
        """What has happened then."""
        return _stall_text("Training loss", self.tol, self.patience)

    @property
    def last_score(self) -> None:
        """No validation score is taken."""

    @property
    def reported_score(self) -> None:
        """No validation score is taken."""

    @property
    def can_go_back(self) -> bool:
        """No earlier network is kept."""
        return False

    def finish(self, network: Network) -> None:
        """Leave the last parameters in place."""


@dataclass
class ScoreMonitor:
    """Watches a validation score and keeps the parameters that scored best.

    Attributes
    ----------
    score : callable
        Maps the network to its score on the held-out rows; larger is better.
    unit : CostUnit
        Of the scores, where they are minus a cost; what ``tol`` is held against is the core's.
    best_parameters : ndarray or None, shape (V,)
        Parameters at the best score; None before the first one, and where they are not kept.
    restores_best : bool
        Whether they are kept, to be put back.
    """

    score: Callable[[Network], float]
    tol: float
    patience: float
    unit: CostUnit = UNCHANGED
    best: float = -np.inf
    idle: int = 0
    best_parameters: np.ndarray | None = None
    last_score: float | None = None
    restores_best: bool = True

    def update(self, loss: float, network: Network) -> None:
        """Score the network after an epoch."""
        self.last_score = self.score(network)
        self.idle = self.idle + 1 if self.last_score < self.best + self.tol else 0
        if self.last_score > self.best:
            self.best = self.last_score
            if self.restores_best:
                self.best_parameters = network.parameters.copy()

    @property
    def reported_score(self) -> float | None:
        """The last score in the user's unit."""
        return None if self.last_score is None else -self.unit.of(-self.last_score)

    @property
    def reported_best(self) -> float:
        """The best score in the user's unit."""
        return -self.unit.of(-self.best)

    @property
    def stalled(self) -> bool:
        """More idle epochs in a row than ``patience``."""
        return self.idle > self.patience

    @property
    def stall_text(self) -> str:
        """What has happened then."""
        return _stall_text("Validation score", self.tol, self.patience)

    @property
    def can_go_back(self) -> bool:
        """Whether the network of an earlier epoch is kept."""
        return self.best_parameters is not None

    def finish(self, network: Network) -> None:
        """Put the best parameters back."""
        if self.best_parameters is not None:
            network.parameters[...] = self.best_parameters


def _stall_text(what: str, tol: float, patience: float) -> str:
    """Return scikit-learn's words for epochs without progress."""
    return f"{what} did not improve more than tol={tol:f} for {patience:g} consecutive epochs."
