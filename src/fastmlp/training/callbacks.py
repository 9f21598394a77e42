"""The user's callbacks, and what they are told."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import NamedTuple

import numpy as np

from fastmlp.training.history import COLUMNS
from fastmlp.training.observers import Observer
from fastmlp.training.state import TrainerState
from fastmlp.validation import (
    check_metric,
    check_new_learning_rate,
    check_reason,
    check_record_is_present,
    raise_assigned,
)

__all__ = ["Callbacks", "EpochRecord"]


class _Numbers(NamedTuple):
    """The numbers of a record."""

    epoch: int
    max_iter: int
    loss: float
    cost: float
    validation_score: float | None
    learning_rate: float | None
    seconds: float


class EpochRecord(_Numbers):
    """What a callback gets after each epoch, or after each iteration of lbfgs.

    It is a named tuple of numbers, which never change. Its methods act on the training; they work
    only while the callback that was given the record is running.

    Attributes
    ----------
    epoch : int
        Number of the epoch in this fit, counted from 1.
    max_iter : int
        Number of epochs that the fit may take.
    loss : float
        The cost plus the penalties, as a mean over the batches of the epoch.
    cost : float
        The same without the penalties.
    validation_score : float or None
        Score on the held-out rows under early stopping, or on ``X_val``.
    learning_rate : float or None
        The learning rate with which the next epoch begins; None for lbfgs. After the last epoch of
        a schedule that changes within epochs, it is that of the last update.
    seconds : float
        Seconds since the training began.

    Examples
    --------
    >>> from fastmlp import MLPRegressor
    >>> def until_the_third(record):
    ...     print(record.epoch, "of", record.max_iter)
    ...     return record.epoch == 3
    >>> model = MLPRegressor(random_state=0, callbacks=[until_the_third])
    >>> _ = model.fit([[0.0], [1.0]], [0.0, 1.0])
    1 of 200
    2 of 200
    3 of 200
    """

    _state: TrainerState | None = None

    @classmethod
    def of(cls, state: TrainerState) -> EpochRecord:
        """Return what callbacks are told of the last epoch."""
        record = cls(
            state.epoch,
            state.max_iter,
            state.loss,
            state.cost,
            state.validation_score,
            state.learning_rate,
            state.seconds,
        )
        record._state = state
        return record

    def __setattr__(self, name: str, value: object) -> None:
        if name in self._fields:
            raise_assigned(name)
        super().__setattr__(name, value)

    def __reduce__(self) -> tuple[type[EpochRecord], tuple]:
        return EpochRecord, tuple(self)  # a copy acts on nothing

    def _present(self, method: str) -> TrainerState:
        """Return the state of the training whose epoch has just ended."""
        check_record_is_present(method, self._state is not None)
        assert self._state is not None
        return self._state

    def stop(self, reason: str = "A callback ended the fit.") -> None:
        """End the fit after this epoch. The fit keeps what was learnt, and does not warn.

        Parameters
        ----------
        reason : str, default="A callback ended the fit."
            What ``stop_reason_`` will be.

        Raises
        ------
        TypeError
            If ``reason`` is no text.
        RuntimeError
            If the callback that was given the record has returned.
        """
        self._present("stop").stop(check_reason(reason), on_demand=True)

    def set_learning_rate(self, learning_rate: float) -> None:
        """Set the learning rate of the updates that follow.

        A schedule goes on from there: all rates that it will ask for are multiplied by the same
        factor. So nothing changes if the rate has already come to 0.

        Parameters
        ----------
        learning_rate : float
            The learning rate. It must be above 0, unless it is 0 already.

        Raises
        ------
        TypeError, ValueError
            If ``learning_rate`` is no such number, or if the solver is lbfgs, which has none.
        RuntimeError
            If the callback that was given the record has returned.
        """
        state = self._present("set_learning_rate")
        value = check_new_learning_rate(learning_rate, state.learning_rate, state.network.dtype)
        assert state.rate is not None
        state.rate.set(value)

    def add_metric(self, name: str, value: float) -> None:
        """Add a number of this epoch to ``history_``, in a column of this name.

        Parameters
        ----------
        name : str
            Name of the column. It must not be one that ``history_`` has anyway.
        value : float

        Raises
        ------
        TypeError, ValueError
            If ``name`` is no such name, or ``value`` is no number.
        RuntimeError
            If the callback that was given the record has returned.
        """
        metrics = self._present("add_metric").metrics
        key, number = check_metric(name, value, COLUMNS)
        metrics[key] = number


class Callbacks(Observer):
    """Calls plain functions after each epoch; one that returns True ends the training.

    Attributes
    ----------
    callbacks : sequence of callable
        Each takes an :class:`EpochRecord`.
    showing : callable
        Maps the state to a context in which the model shows what has been learnt so far.
    """

    def __init__(
        self,
        callbacks: Sequence[Callable[[EpochRecord], object]],
        showing: Callable[[TrainerState], AbstractContextManager[None]],
    ) -> None:
        self.callbacks = callbacks
        self.showing = showing

    def epoch_ended(self, state: TrainerState) -> None:
        """Call all of them, and then see whether one has had enough."""
        record = EpochRecord.of(state)
        try:
            with self.showing(state):
                answers = [callback(record) for callback in self.callbacks]
        finally:
            record._state = None
        if any(isinstance(answer, (bool, np.bool_)) and answer for answer in answers):
            state.stop("A callback returned True.", on_demand=True)
