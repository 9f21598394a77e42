"""When to stop: counters of epochs without progress, and the best network so far."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from fastmlp.network import Network
from fastmlp.training.divergence import DivergenceError, divergence_text
from fastmlp.training.history import UNCHANGED, CostUnit
from fastmlp.training.observers import Observer
from fastmlp.training.state import TrainerState

__all__ = ["LossMonitor", "ScoreMonitor"]


@dataclass
class LossMonitor(Observer):
    """Watches the training loss; an epoch counts as idle unless it lowers the best by ``tol``."""

    tol: float
    patience: float
    best: float = np.inf
    idle: int = 0

    def epoch_ended(self, state: TrainerState) -> None:
        """Take note of an epoch."""
        loss = state.core_loss
        self.idle = self.idle + 1 if loss > self.best - self.tol else 0
        self.best = min(self.best, loss)
        if self.idle > self.patience:
            self.idle = 0
            state.stalled = _stall_text("Training loss", self.tol, self.patience)


@dataclass
class ScoreMonitor(Observer):
    """Watches a validation score and keeps the parameters that scored best.

    Attributes
    ----------
    score : callable
        Maps the network to its score on the held-out rows, larger is better, and their cost in the
        core's unit.
    unit : CostUnit
        Of the scores, where they are minus a cost; what ``tol`` is held against is the core's.
    best_parameters : ndarray or None, shape (V,)
        Parameters at the best score; None before the first one, and where they are not kept.
    restores_best : bool or "last"
        Whether they are kept, to be put back: of several epochs that score alike those of the
        first one, or of the last.
    """

    score: Callable[[Network], tuple[float, float]]
    tol: float
    patience: float
    unit: CostUnit = UNCHANGED
    best: float = -np.inf
    idle: int = 0
    best_parameters: np.ndarray | None = None
    restores_best: bool | str = True

    def epoch_ended(self, state: TrainerState) -> None:
        """Score the network after an epoch."""
        score, cost = self.score(state.predicting)
        if not np.isfinite(score):
            raise DivergenceError(divergence_text(state.epoch, "validation score"))
        state.validation_score = self._reported(score)
        state.validation_loss = state.unit.of(cost)
        self.idle = self.idle + 1 if score < self.best + self.tol else 0
        if score > self.best or (score == self.best and self.restores_best == "last"):
            self.best = score
            if self.restores_best:
                self._keep(state.predicting.parameters)
        if self.idle > self.patience:
            self.idle = 0
            state.stalled = _stall_text("Validation score", self.tol, self.patience)

    def _keep(self, parameters: np.ndarray) -> None:
        """Copy the parameters (V,) into the one buffer that there is for the best ones."""
        if self.best_parameters is None:
            self.best_parameters = np.empty_like(parameters)
        self.best_parameters[...] = parameters

    def _reported(self, score: float) -> float:
        """Return a score in the user's unit."""
        return -self.unit.of(-score)

    @property
    def reported_best(self) -> float:
        """The best score in the user's unit."""
        return self._reported(self.best)

    def diverged(self, state: TrainerState, error: DivergenceError) -> None:
        """Be content with an earlier network, if there is one.

        A partial fit that goes on from it begins with a new optimiser.
        """
        if self.best_parameters is None:
            return
        state.network.moments[...] = 0
        state.network.step = 0
        state.stop(f"{error} The network of the best epoch is kept.", converged=False, remedy="")

    def training_ends(self, state: TrainerState) -> None:
        """Put the best parameters back."""
        if self.best_parameters is not None:
            state.network.parameters[...] = self.best_parameters


def _stall_text(what: str, tol: float, patience: float) -> str:
    """Return scikit-learn's words for epochs without progress."""
    return f"{what} did not improve more than tol={tol:f} for {patience:g} consecutive epochs."
