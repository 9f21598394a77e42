"""The user's callbacks, and what they are told."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import NamedTuple

import numpy as np

from fastmlp.training.observers import Observer
from fastmlp.training.state import TrainerState

__all__ = ["Callbacks", "EpochRecord"]


class EpochRecord(NamedTuple):
    """What a callback is told after each epoch (each iteration, for lbfgs).

    Attributes
    ----------
    epoch : int
        Number of the epoch in this fit, from 1.
    max_iter : int
        Epochs that the fit may take.
    loss : float
        Objective: cost plus penalties, mean over the epoch's batches.
    cost : float
        The same without penalties.
    validation_score : float or None
        Score on the held-out rows under early stopping.
    learning_rate : float or None
        Step size of the next epoch; None for lbfgs.
    seconds : float
        Time since the training began.

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

    epoch: int
    max_iter: int
    loss: float
    cost: float
    validation_score: float | None
    learning_rate: float | None
    seconds: float

    @classmethod
    def of(cls, state: TrainerState) -> EpochRecord:
        """Return what callbacks are told of the last epoch."""
        return cls(
            state.epoch,
            state.max_iter,
            state.loss,
            state.cost,
            state.validation_score,
            state.learning_rate,
            state.seconds,
        )


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
        with self.showing(state):
            answers = [callback(record) for callback in self.callbacks]
        if any(isinstance(answer, (bool, np.bool_)) and answer for answer in answers):
            state.stop("A callback returned True.", on_demand=True)
