"""The observer that keeps a training's curves and counters."""

from __future__ import annotations

import numpy as np

from fastmlp.training.history import EpochRow, History
from fastmlp.training.observers import Observer
from fastmlp.training.state import TrainerState

__all__ = ["Recorder"]


class Recorder(Observer):
    """Adds each epoch to a history, once it has been judged and before the user hears of it."""

    def __init__(self, history: History) -> None:
        self.history = history

    def epoch_ended(self, state: TrainerState) -> None:
        """Add the epoch."""
        self._add(state)

    def training_ends(self, state: TrainerState) -> None:
        """Add an epoch that was interrupted, or diverged, while it was judged.

        Samples are counted as they are seen: an interrupted epoch has no means, but taught some.
        """
        if self.history.n_epochs < state.epoch:
            self._add(state)
        self.history.n_samples_seen = state.n_samples_seen

    def _add(self, state: TrainerState) -> None:
        """Add the state's numbers; metrics that come later enter the same dict."""
        row = EpochRow(
            self.history.n_ever + 1,
            state.loss,
            state.cost,
            _number(state.validation_loss),
            _number(state.validation_score),
            _number(state.epoch_rate),
            state.seconds,
            state.metrics,
        )
        self.history.add(row)
        self.history.n_samples_seen = state.n_samples_seen


def _number(value: float | None) -> float:
    return np.nan if value is None else value
