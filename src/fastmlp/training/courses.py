"""The numbers that schedules change during a fit or a stream of partial fits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

import numpy as np

from fastmlp.schedules.schedule import Clock, EpochResult, Scaled, Schedule
from fastmlp.training.updates import UpdateRule
from fastmlp.validation import check_dropouts, check_values

__all__ = ["Course", "Rates"]

#: The factor of dropout is a multiple of it, so that its product with a threshold is exact and
#: every backend rounds it alike.
_DROPOUT_UNIT = 2.0**-24

#: The largest value of what a schedule may change.
_LARGEST = MappingProxyType(
    {
        "learning_rate": np.finfo(np.float64).max,
        "weight_decay": np.finfo(np.float64).max,
        "momentum": 1.0,
        "dropout": np.nextafter(1.0, 0.0),
        "label_smoothing": np.nextafter(1.0, 0.0),
    }
)


@dataclass(frozen=True)
class Course:
    """A number and its schedule, with what this remembers of the fit."""

    name: str
    base: float
    schedule: Schedule
    state: Any

    @classmethod
    def beginning(cls, name: str, base: float, schedule: Schedule) -> Course:
        """Return a course at the beginning of a fit."""
        return cls(name, base, schedule, schedule.first_state())

    @property
    def rule(self) -> tuple[str, float, Schedule]:
        """What makes two courses alike, wherever they are."""
        return self.name, self.base, self.schedule

    def values(self, clock: Clock) -> Any:
        """Return the number at the times of ``clock``: an array (n,), or one for all."""
        values = self.schedule.values(self.base, clock, self.state)
        if not self.schedule.steady:  # those only ever shrink
            check_values(self.name, values, _LARGEST[self.name])
        return values

    def after(self, result: EpochResult) -> Course:
        """Return the course after an epoch."""
        state = self.schedule.next_state(self.state, result)
        return self if state is self.state else replace(self, state=state)


@dataclass
class Rates:
    """The learning rate and all else that changes from update to update.

    Attributes
    ----------
    learning_rate : Course
    others : tuple of Course
        Of "weight_decay", "momentum", "dropout" and "label_smoothing", those that have a schedule.
    n_epochs : float
        Epochs that the fit may take, or will have taken when its time is over.
    input_dropout : float
        What is multiplied by the same factor as dropout.
    ends : bool
        Whether no update follows these epochs; a stream of partial fits goes on.
    value : float
        The learning rate of the next update: with a steady schedule, of the whole epoch. Where no
        update follows, an unsteady schedule is not asked, and the rate is the last update's.
    factor : float
        What the schedule's learning rate is multiplied by, since another one was set.
    shrank : bool
        Whether the last epoch's stall has made the learning rate smaller.
    """

    learning_rate: Course
    others: tuple[Course, ...] = ()
    n_epochs: float = 1
    input_dropout: float = 0.0
    ends: bool = False
    value: float = field(init=False)
    factor: float = field(init=False, default=1.0)
    shrank: bool = field(init=False, default=False)
    _epoch: int = field(init=False, default=0)
    _update: int = field(init=False, default=0)
    _batch: int = field(init=False, default=0)
    _n_batches: int = field(init=False, default=1)

    def __post_init__(self) -> None:
        self._set_value()

    @classmethod
    def of(
        cls,
        learning_rate: tuple[float, Schedule],
        numbers: Mapping[str, Any],
        n_epochs: float,
        *,
        input_dropout: float = 0.0,
        ends: bool = False,
    ) -> Rates:
        """Return the beginning of a fit; of ``numbers`` those count that have schedules."""
        others = tuple(
            Course.beginning(name, number.base, number.schedule)
            for name, number in numbers.items()
            if isinstance(number, Scaled)
        )
        rate = Course.beginning("learning_rate", *learning_rate)
        return cls(rate, others, n_epochs, input_dropout, ends)

    def __copy__(self) -> Rates:
        # Courses never change. This is faster than what copy.copy does by itself.
        other = object.__new__(Rates)
        other.__dict__.update(self.__dict__)
        return other

    def begin_epoch(self, n_batches: int) -> None:
        """Begin an epoch of so many updates."""
        self._batch, self._n_batches = 0, n_batches

    def numbers(self, rule: UpdateRule, step: int, n_updates: int) -> np.ndarray:
        """Return the records (n_updates,) of the next updates, after ``step`` of the optimiser."""
        steady = self.learning_rate.schedule.steady
        if steady and not self.others:  # a stream of rows, where each microsecond counts
            updates = rule.numbers(step, n_updates, self.value)
        else:
            clock = self._clock(n_updates)
            rate = self.value if steady else self._values(clock)
            others = {each.name: self._in_record(each, clock) for each in self.others}
            updates = rule.numbers(step, n_updates, rate, others)
        self._update += n_updates
        self._batch += n_updates
        return updates

    def _values(self, clock: Clock) -> Any:
        """Return the learning rates (n,) of an unsteady schedule; the last one is the value now."""
        rates = self.factor * self.learning_rate.values(clock)
        self.value = float(np.ravel(rates)[-1])
        return rates

    def _in_record(self, course: Course, clock: Clock) -> Any:
        """Return what stands for a number in the records of updates: of dropout, its factor."""
        values = course.values(clock)
        if course.name != "dropout":
            return values
        check_dropouts(values, course.base, self.input_dropout)
        factor = values / course.base if course.base > 0 else np.ones_like(values)
        return np.rint(factor / _DROPOUT_UNIT) * _DROPOUT_UNIT

    def _clock(self, n_updates: int) -> Clock:
        """Return the times (n_updates,) at which the next updates begin."""
        numbers = np.arange(n_updates)
        epochs = self._epoch + (self._batch + numbers) / self._n_batches
        return Clock._make((self._update + numbers, epochs, self.n_epochs))

    def epoch_ended(self, result: EpochResult) -> None:
        """Let the schedules hear of an epoch."""
        self.shrank = False
        self._epoch += 1
        self._batch = 0
        before = self.learning_rate
        self.learning_rate = before.after(result)
        if self.others:
            self.others = tuple(each.after(result) for each in self.others)
        if self.learning_rate is not before or not before.schedule.steady:
            self._set_value()

    def _set_value(self) -> None:
        course = self.learning_rate
        if course.schedule.steady:
            self.value = self.factor * course.values(Clock())
        elif not (self.ends and self._epoch >= self.n_epochs):
            self._values(self._clock(1))

    def set(self, value: float) -> None:
        """Take another learning rate, from which the schedule goes on."""
        if self.value > 0:  # where a schedule has come to 0, it stays there
            self.factor *= value / self.value
        self.value = value

    def gives_up(self) -> bool:
        """Answer a stall: go on, perhaps with a smaller rate (False), or end the fit (True)."""
        course = self.learning_rate
        state = course.schedule.after_stall(self.factor * course.base, course.state)
        if state is None:
            return True
        before, self.learning_rate = self.value, replace(course, state=state)
        self._set_value()
        self.shrank = self.value < before
        return False

    @property
    def span_fit(self) -> bool:
        """Whether anything has a schedule that runs over the whole fit."""
        return any(each.schedule.spans_fit for each in (self.learning_rate, *self.others))

    @property
    def share_of_epoch(self) -> float:
        """How much of the present epoch's updates have been made."""
        return self._batch / self._n_batches

    @property
    def ends_with_fit(self) -> bool:
        """Whether the learning rate's schedule is at its end when all epochs are done."""
        return self.learning_rate.schedule.spans_fit

    @property
    def last_words(self) -> str:
        """What is said when it has given up."""
        return self.learning_rate.schedule.last_words

    def resumed_from(self, earlier: Rates | None) -> Rates:
        """Return self at the point that ``earlier`` had reached, if its schedules were the same."""
        if earlier is None or self._rules != earlier._rules:
            return self
        self.learning_rate, self.others = earlier.learning_rate, earlier.others
        self.value, self.factor = earlier.value, earlier.factor
        self._epoch, self._update = earlier._epoch, earlier._update
        return self

    @property
    def _rules(self) -> tuple[tuple[str, float, Schedule], ...]:
        return tuple(each.rule for each in (self.learning_rate, *self.others))
