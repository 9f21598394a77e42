"""The observer that ends a training when its time is over."""

from __future__ import annotations

from math import floor

from fastmlp.training import clock
from fastmlp.training.observers import Observer
from fastmlp.training.state import TrainerState

__all__ = ["TimeLimit", "ended_by_time"]

#: How a reason begins.
_REASON = "time_limit="

#: A fit whose schedules end with it may take longer by this share, to end with a whole epoch.
TOLERANCE = 0.03


def ended_by_time(reason: str) -> bool:
    """Return whether a training ended for a reason of this observer's."""
    return reason.startswith(_REASON)


class TimeLimit(Observer):
    """Ends the training at that end of a call of the backend which is nearest to the limit.

    How long a call will take, with all that happens until the next one begins, follows from how
    long the one before took. An epoch's last call is a kind of its own, since the epoch is judged
    after it.

    Schedules that run over the whole fit run over the epochs that there is time for: these are
    counted again before each call, and the training ends after the last of them.

    Attributes
    ----------
    limit : float
        Seconds.
    began : float
        What the clock showed when they began.
    """

    def __init__(self, limit: float, began: float) -> None:
        self.limit, self.began = limit, began
        self._seconds_per_row: dict[bool, float] = {}
        self._call_before: tuple[float, int, bool] | None = None

    def training_begins(self, state: TrainerState) -> None:
        """Take note of how many epochs there are without a limit."""
        self._n_epochs, self._training_began = state.max_iter, clock.now()
        self._paces = state.rate is not None and state.rate.span_fit

    def call_begins(self, state: TrainerState, n_rows: int, last: bool) -> None:
        """End the training if this moment is nearer to the limit than the call's end will be."""
        present = clock.now()
        if self._call_before is not None:
            begin, n_before, kind = self._call_before
            self._seconds_per_row[kind] = (present - begin) / n_before
            expected = n_rows * self._seconds_per_row.get(last, self._seconds_per_row[kind])
            limit = (1 + TOLERANCE * self._paces) * self.limit
            if present + expected / 2 >= self.began + limit:
                state.stop(self._reason(state.epoch), on_demand=True)
        self._call_before = present, n_rows, last
        if self._paces and state.rate is not None:
            self._pace(state, state.epoch + state.rate.share_of_epoch)

    def epoch_ended(self, state: TrainerState) -> None:
        """Tell how much time is left; end the training if no epoch fits into it."""
        state.seconds_left = max(0.0, self.began + self.limit - clock.now())
        if self._paces:
            self._pace(state, state.epoch)
            if state.epoch >= state.max_iter < self._n_epochs:
                state.stop(self._reason(state.epoch), on_demand=True)

    def _pace(self, state: TrainerState, done: float) -> None:
        """Let schedules end after the epochs that there is time for, of which some are ``done``."""
        spent = clock.now() - self._training_began
        if not done or spent <= 0 or state.rate is None:
            return
        left = max(self.began + self.limit - self._training_began - spent, 0.0)
        fitting = done + left * done / spent
        if not fitting - 1 < state.max_iter <= (1 + TOLERANCE / 2) * fitting:
            state.max_iter = min(max(floor(fitting), state.epoch, 1), self._n_epochs)
        state.rate.n_epochs = max(fitting, done) if fitting < 1 else state.max_iter

    def _reason(self, n_epochs: int) -> str:
        too_soon = "" if n_epochs else " before the first epoch is done"
        return f"{_REASON}{self.limit:g} seconds are over{too_soon}."
