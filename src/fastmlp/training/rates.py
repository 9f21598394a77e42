"""The observer that changes the learning rate after an epoch."""

from __future__ import annotations

from fastmlp.schedules.schedule import EpochResult
from fastmlp.training.courses import Rates
from fastmlp.training.observers import Observer
from fastmlp.training.state import TrainerState

__all__ = ["RateFollower"]


class RateFollower(Observer):
    """Moves the learning rate on, and answers a stall: a smaller rate, or the end of the fit."""

    def __init__(self, rate: Rates) -> None:
        self.rate = rate

    def epoch_ended(self, state: TrainerState) -> None:
        """Follow the schedules."""
        result = EpochResult(state.loss, state.validation_score, state.n_samples_seen)
        self.rate.epoch_ended(result)
        if state.stalled is None:
            return
        if self.rate.gives_up():
            state.stop(f"{state.stalled} {self.rate.last_words}")
        elif self.rate.shrank:
            state.remarks.append(f"{state.stalled} Setting learning rate to {self.rate.value:f}")
