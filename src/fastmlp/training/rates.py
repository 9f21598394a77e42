"""The learning rate's answer to what has happened in an epoch."""

from __future__ import annotations

from fastmlp.schedules import LearningRate
from fastmlp.training.observers import Observer
from fastmlp.training.state import TrainerState

__all__ = ["RateFollower"]


class RateFollower(Observer):
    """Moves the learning rate on, and answers a stall: a smaller rate, or the end of the fit."""

    def __init__(self, rate: LearningRate) -> None:
        self.rate = rate

    def epoch_ended(self, state: TrainerState) -> None:
        """Follow the policy."""
        self.rate.epoch_ended(state.n_samples_seen)
        if state.stalled is None:
            return
        if self.rate.gives_up():
            state.stop(f"{state.stalled} {self.rate.last_words}")
        else:
            state.remarks.append(f"{state.stalled} Setting learning rate to {self.rate.value:f}")
