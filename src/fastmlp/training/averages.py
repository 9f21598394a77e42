"""The observer that keeps an average of the weights, and leaves it behind."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from fastmlp.averaging import Average
from fastmlp.plan.parameters import aligned_zeros
from fastmlp.training.observers import Observer
from fastmlp.training.state import TrainerState

__all__ = ["WeightAverage"]


class WeightAverage(Observer):
    """Averages the weights; the running statistics of batch norm are averaged along with them.

    The optimiser knows nothing of it. It must be told of an epoch before those who judge.

    Attributes
    ----------
    average : Average
        Says how much the present weights count.
    """

    def __init__(self, average: Average) -> None:
        self.average = average
        self._n_before = 0
        self._difference = np.empty(0)

    def call_ended(self, state: TrainerState, n_updates: int) -> None:
        """Take the weights in after some updates."""
        if self.average.interval is not None:
            self._take_in(state, n_updates)

    def epoch_ended(self, state: TrainerState) -> None:
        """Take the weights in after an epoch."""
        if self.average.interval is None:
            self._take_in(state, 1)

    def _take_in(self, state: TrainerState, n_new: int) -> None:
        """Move the average towards the present weights."""
        share = self.average.share(self._n_before, n_new, state.epoch / state.max_iter)
        if share == 0:
            return
        self._n_before += n_new
        weights = state.network.parameters
        if state.average is None:
            copy = aligned_zeros(weights.shape, weights.dtype)
            copy[...] = weights
            state.average = replace(state.network, parameters=copy)
            self._difference = np.empty_like(weights)
            return
        mean, difference = state.average.parameters, self._difference
        with np.errstate(all="ignore"):  # weights that are no longer finite are told of elsewhere
            np.subtract(weights, mean, out=difference)
            difference *= weights.dtype.type(share)
            mean += difference
        state.average.step = state.network.step

    def training_ends(self, state: TrainerState) -> None:
        """Leave the average in the place of the weights."""
        if state.average is not None:
            state.network.parameters[...] = state.average.parameters
