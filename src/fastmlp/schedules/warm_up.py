"""A line up to a number, in front of another schedule."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from fastmlp.schedules.by_epoch import Constant
from fastmlp.schedules.schedule import Clock, EpochResult, Schedule, as_schedule

__all__ = ["WarmUp"]

_STAYS = Constant()


@dataclass(frozen=True)
class WarmUp(Schedule):
    """A line up to the number, then another schedule for the rest of the fit.

    For the first total_iters epochs, the factor goes from start_factor to 1, times that with which
    the other schedule begins; its time starts after them. As PyTorch's ``LinearLR``, with the other
    one after it in ``SequentialLR``, in every update.

    Parameters
    ----------
    schedule : Schedule or callable, default=Constant()
        What follows.
    start_factor : float, default=1/3
        The first factor.
    total_iters : float, default=5
        Length of the line in epochs.

    Examples
    --------
    >>> from fastmlp.schedules import Clock, Cosine, WarmUp
    >>> schedule = WarmUp(Cosine(), start_factor=0, total_iters=2)
    >>> [schedule(Clock(epoch=epoch, n_epochs=10)) for epoch in (0, 0.5, 2, 6)]
    [0.0, 0.25, 1.0, 0.5]
    """

    schedule: Any = _STAYS
    start_factor: float = 1 / 3
    total_iters: float = 5

    @property
    def spans_fit(self) -> bool:
        """Whether what follows runs over the whole fit."""
        return as_schedule(self.schedule).spans_fit

    @property
    def answers_stalls(self) -> bool:
        """Whether what follows does."""
        return as_schedule(self.schedule).answers_stalls

    @property
    def last_words(self) -> str:
        """Those of what follows."""
        return as_schedule(self.schedule).last_words

    def values(self, base: float, clock: Clock, state: Any) -> Any:
        """Return the numbers (n,)."""
        share = np.minimum(clock.epoch / self.total_iters, 1.0)
        line = self.start_factor + (1 - self.start_factor) * share
        return line * as_schedule(self.schedule).values(base, clock.after(self.total_iters), state)

    def first_state(self) -> Any:
        """Return that of what follows."""
        return as_schedule(self.schedule).first_state()

    def next_state(self, state: Any, result: EpochResult) -> Any:
        """Return that of what follows."""
        return as_schedule(self.schedule).next_state(state, result)

    def after_stall(self, base: float, state: Any) -> Any:
        """Return that of what follows."""
        return as_schedule(self.schedule).after_stall(base, state)
