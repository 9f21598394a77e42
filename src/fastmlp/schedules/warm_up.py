"""The schedule that begins with small numbers and goes on with another schedule."""

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
    """The number rises along a line; then another schedule takes over.

    In the first total_iters epochs, the factor rises from start_factor to 1, and is multiplied by
    the factor with which the other schedule begins. The clock of the other schedule starts after
    them. This is PyTorch's ``SequentialLR`` of a ``LinearLR`` and another one, in every update.

    Parameters
    ----------
    schedule : Schedule or callable, default=Constant()
        The schedule that takes over.
    start_factor : float, default=1/3
        The factor at the beginning.
    total_iters : float, default=5
        Number of epochs in which the number rises.

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
