"""What all schedules share: the clock, the state, and a number times a schedule."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np

from fastmlp.options import Options

__all__ = ["Clock", "EpochResult", "Function", "Scaled", "Schedule", "as_schedule"]


class _Times(NamedTuple):
    """The numbers of a clock."""

    update: Any
    epoch: Any
    n_epochs: Any


class Clock(_Times):
    """The time at which an update begins. All arguments are given by name.

    Attributes
    ----------
    update : int
        Number of updates made so far in this fit, or in this stream of partial fits.
    epoch : float
        Number of epochs done, including the share of the present epoch that is done.
    n_epochs : int
        Number of epochs that the fit may take (``max_iter``).

    Examples
    --------
    >>> from fastmlp.schedules import Clock
    >>> Clock(update=30, epoch=1.5, n_epochs=6).progress
    0.25
    """

    __slots__ = ()

    def __new__(cls, *, update: Any = 0, epoch: Any = 0.0, n_epochs: Any = 200) -> Clock:
        """Return a clock."""
        return cls._make((update, epoch, n_epochs))

    def __reduce__(self) -> tuple[Callable[[tuple], Clock], tuple[tuple]]:
        return Clock._make, (tuple(self),)

    @property
    def progress(self) -> Any:
        """The share of the fit that is done, from 0 to 1."""
        share = self.epoch / self.n_epochs
        return np.minimum(share, 1.0) if isinstance(share, np.ndarray) else min(share, 1.0)

    def after(self, n_epochs: float) -> Clock:
        """Return a clock that starts after ``n_epochs`` epochs; until then it stands at 0."""
        rest = max(self.n_epochs - n_epochs, 1e-12)
        return Clock._make((self.update, np.maximum(self.epoch - n_epochs, 0.0), rest))


class EpochResult(NamedTuple):
    """What a schedule hears after each epoch.

    Attributes
    ----------
    loss : float
        In the user's unit.
    score : float or None
        Of the held-out rows; None without early stopping.
    n_samples : int
        Samples trained on so far, those of earlier fits that this one goes on from included.
    """

    loss: float
    score: float | None
    n_samples: int


class Schedule(Options):
    """The base class of all schedules.

    A schedule never changes. If it has to remember something of a fit, this is a *state*, which
    never changes either and is kept with the fit. A number times a schedule is a :class:`Scaled`.
    """

    __array_ufunc__ = None  # a product with a number of NumPy's is ours

    #: Whether the number changes between epochs only.
    steady: ClassVar[bool] = False

    @property
    def spans_fit(self) -> bool:
        """Whether it runs over the whole fit, so that it needs to know how long the fit is."""
        return False

    @property
    def answers_stalls(self) -> bool:
        """Whether it shrinks the number when the fit would end because progress has stalled."""
        return False

    @property
    def last_words(self) -> str:
        """The end of the message of a fit that has stalled."""
        return "Stopping."

    def factors(self, clock: Clock) -> np.ndarray:
        """Return the factors (n,) at the times of ``clock``, whose entries are arrays (n,)."""
        raise NotImplementedError

    def values(self, base: float, clock: Clock, state: Any) -> Any:
        """Return ``base`` at each time: an array (n,), or one number for all times."""
        return base * self.factors(clock)

    def first_state(self) -> Any:
        """Return the state at the beginning of a fit."""
        return None

    def next_state(self, state: Any, result: EpochResult) -> Any:
        """Return the state after an epoch."""
        return state

    def after_stall(self, base: float, state: Any) -> Any:
        """Return the state with which a fit that has stalled goes on; None ends the fit."""
        return None

    def __call__(self, clock: Clock) -> float:
        """Return the factor at a time, as long as nothing has been heard of a fit.

        Parameters
        ----------
        clock : Clock

        Returns
        -------
        factor : float
        """
        if not isinstance(clock, Clock):
            raise TypeError(
                f"A schedule takes a clock, such as Clock(epoch=3, n_epochs=10); got a "
                f"{type(clock).__name__}."
            )
        update, epoch = np.array([clock.update]), np.array([clock.epoch], np.float64)
        values = self.values(1.0, Clock._make((update, epoch, clock.n_epochs)), self.first_state())
        return float(np.ravel(values)[0])

    def __rmul__(self, base: Any) -> Scaled:
        return Scaled(base.item() if isinstance(base, np.generic) else base, self)

    __mul__ = __rmul__


@dataclass(frozen=True)
class Function(Schedule):
    """A function of the user's that takes a clock and returns the factor."""

    function: Callable[[Clock], float]

    def factors(self, clock: Clock) -> np.ndarray:
        """Call the function for each update."""
        times = zip(clock.update.tolist(), clock.epoch.tolist(), strict=True)
        return np.array([self.function(Clock._make((*time, clock.n_epochs))) for time in times])


def as_schedule(schedule: Any) -> Schedule:
    """Return a schedule, also of a function."""
    return schedule if isinstance(schedule, Schedule) else Function(schedule)


@dataclass(frozen=True, repr=False)
class Scaled(Schedule):
    """A number together with the schedule that changes it, written as their product.

    Parameters
    ----------
    base : float
        The number.
    schedule : Schedule or callable
        The schedule, which gives the factor of the number.

    Examples
    --------
    >>> from fastmlp import MLPClassifier
    >>> from fastmlp.schedules import FlatCosine
    >>> model = MLPClassifier(dropout=0.15 * FlatCosine())
    >>> model.dropout
    0.15 * FlatCosine(pct_start=0.5)
    >>> model.set_params(dropout__base=0.3).dropout.base
    0.3
    """

    base: float
    schedule: Any

    def __repr__(self) -> str:
        return f"{self.base!r} * {self.schedule!r}"

    @property
    def spans_fit(self) -> bool:
        """Whether the schedule runs over the whole fit."""
        return as_schedule(self.schedule).spans_fit

    @property
    def answers_stalls(self) -> bool:
        """Whether the schedule does."""
        return as_schedule(self.schedule).answers_stalls

    @property
    def last_words(self) -> str:
        """Those of the schedule."""
        return as_schedule(self.schedule).last_words

    def values(self, base: float, clock: Clock, state: Any) -> Any:
        """Return what the schedule makes of the product of both numbers."""
        return as_schedule(self.schedule).values(base * self.base, clock, state)

    def first_state(self) -> Any:
        """Return that of the schedule."""
        return as_schedule(self.schedule).first_state()

    def next_state(self, state: Any, result: EpochResult) -> Any:
        """Return that of the schedule."""
        return as_schedule(self.schedule).next_state(state, result)

    def after_stall(self, base: float, state: Any) -> Any:
        """Return that of the schedule."""
        return as_schedule(self.schedule).after_stall(base * self.base, state)
