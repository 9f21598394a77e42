"""The observer that ends a training when its time is over."""

from __future__ import annotations

from fastmlp.training import clock
from fastmlp.training.observers import Observer
from fastmlp.training.state import TrainerState

__all__ = ["TimeLimit"]


class TimeLimit(Observer):
    """Ends the training at that end of a call of the backend which is nearest to the limit.

    How long a call will take, with all that happens until the next one begins, follows from how
    long the one before took. An epoch's last call is a kind of its own, since the epoch is judged
    after it.

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

    def call_begins(self, state: TrainerState, n_rows: int, last: bool) -> None:
        """End the training if this moment is nearer to the limit than the call's end will be."""
        present = clock.now()
        if self._call_before is not None:
            begin, n_before, kind = self._call_before
            self._seconds_per_row[kind] = (present - begin) / n_before
            expected = n_rows * self._seconds_per_row.get(last, self._seconds_per_row[kind])
            if present + expected / 2 >= self.began + self.limit:
                state.stop(self._reason(state.epoch), on_demand=True)
        self._call_before = present, n_rows, last

    def epoch_ended(self, state: TrainerState) -> None:
        """Tell how much time is left."""
        state.seconds_left = max(0.0, self.began + self.limit - clock.now())

    def _reason(self, n_epochs: int) -> str:
        too_soon = "" if n_epochs else " before the first epoch is done"
        return f"time_limit={self.limit:g} seconds are over{too_soon}."
