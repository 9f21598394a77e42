"""Partial fits of a few rows, at little more than the cost of their arithmetic.

What a partial fit checks and lays out is the same each time, unless a parameter has been set in
between. The first call does it in full and leaves a ``Stream``; calls that follow only look whether
it still holds.
"""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass, field, replace
from operator import is_
from typing import TYPE_CHECKING, Any

import numpy as np

from fastmlp.backends import Backend, Executor, Rows, Totals
from fastmlp.network import Network
from fastmlp.options import Options
from fastmlp.plan.user_functions import CustomActivation, CustomLoss
from fastmlp.schedules.schedule import EpochResult
from fastmlp.training import clock
from fastmlp.training.courses import Rates
from fastmlp.training.divergence import DivergenceError, divergence_text, require_finite
from fastmlp.training.history import EpochRow, means_of
from fastmlp.training.shuffling import random_state_of, shuffle
from fastmlp.training.updates import UpdateRule
from fastmlp.validation import check_features, largest_batch

if TYPE_CHECKING:
    from fastmlp.estimators.fitting import Fitting
    from fastmlp.estimators.learnt import Learnt

__all__ = ["ONE_EPOCH", "Stream"]

#: Why a partial fit ended.
ONE_EPOCH = "A partial fit is one epoch."

#: Values of parameters that cannot change without being replaced; others end a stream.
_UNCHANGING = (
    *(bool, int, float, str, type(None), np.generic, np.dtype, np.random.RandomState),
    *(CustomActivation, CustomLoss, Options),
)


def _unchanging(value: Any) -> bool:
    if isinstance(value, tuple):
        return all(map(_unchanging, value))
    return callable(value) or isinstance(value, _UNCHANGING)


@dataclass(frozen=True, eq=False)
class Stream:
    """What the next partial fit can take over from the one before.

    Attributes
    ----------
    values : tuple
        The estimator's parameters, as they were parameters.
    shuffles : bool
    backend : Backend
    settings : ndarray of SETTINGS_DTYPE, 0-d
    rule : UpdateRule
    largest_batch : int
        Rows of one update.
    takes_fewer : bool
        Whether fewer rows are one update, too, and no batch size that is to be clipped.
    executors : list of ((int, int), Executor)
        Numbers of rows and threads, and what trains so; a call takes one out while it runs, since
        several threads may be in one stream.
    """

    values: tuple
    shuffles: bool
    backend: Backend
    settings: np.ndarray
    rule: UpdateRule
    largest_batch: int
    takes_fewer: bool
    executors: list[tuple[tuple[int, int], Executor]] = field(default_factory=list)

    @classmethod
    def after(
        cls, fitting: Fitting, network: Network, settings: np.ndarray, rule: UpdateRule
    ) -> Stream | None:
        """Return the stream that a partial fit begins, or None where each must be looked at anew.

        That is where random numbers beside the order of the rows are drawn, where members have
        orders of their own, where a batch has statistics, where epochs are reported, and where a
        parameter is a list or the like, which may change by itself.
        """
        values, parameters = fitting.model._parameter_values(), fitting.parameters
        looks = (
            parameters.verbose
            or parameters.callbacks
            or settings["seed"]
            or network.plan.has_batch_norm
            or (network.plan.has_members and parameters.own_batches)
        )
        if looks or not all(map(_unchanging, values)):
            return None
        largest, takes_fewer = largest_batch(vars(parameters)), parameters.batch_size == "auto"
        return cls(
            values, parameters.shuffle, fitting.backend, settings, rule, largest, takes_fewer
        )

    def holds(self, model: Any) -> bool:
        """Return whether the estimator's parameters are still the same objects."""
        values = model._parameter_values()
        return len(values) == len(self.values) and all(map(is_, self.values, values))

    def go_on(self, model: Any, earlier: Learnt, X: Any, y: Any) -> Learnt | None:
        """Return what a further partial fit has learnt, None if it must go the long way.

        Parameters
        ----------
        model : MLPClassifier or MLPRegressor
        earlier : Learnt
            Not changed.
        X : array-like, shape (N, I)
        y : array-like, shape (N,) or (N, C)
        """
        began, target = clock.now(), self._plain_target(earlier, y)
        if target is None:
            return None
        X = check_features(earlier.columns(type(model).__name__), X, earlier.network.dtype)
        if len(X) != len(target):
            return None
        order = np.arange(len(X), dtype=np.int64)
        if self.shuffles and len(X) > 1:
            shuffle(random_state_of(model.random_state), order)
        network, rate = earlier.network.copied(), copy(earlier.rate)
        history = earlier.history.continued(True)
        n_threads = 1 if len(X) == 1 else model._count_threads()
        totals = self._update(network, Rows(X, target), order, rate, n_threads)
        history.n_samples_seen += len(X)
        if not np.isfinite(totals.cost + totals.penalty):
            raise DivergenceError(divergence_text(1, "loss"))
        loss, cost = means_of(totals, network.cost_divisor)
        epoch, unit, nan = history.n_ever + 1, earlier.coder.cost_unit, np.nan
        numbers = unit.of(loss), unit.of(cost), nan, nan, rate.value, clock.now() - began
        history.add(EpochRow(epoch, *numbers))
        rate.epoch_ended(EpochResult(numbers[0], None, history.n_samples_seen))
        require_finite(network, 1)
        best_loss = min(earlier.best_loss, loss)
        return replace(
            earlier,
            network=network,
            history=history,
            rate=rate,
            best_loss=best_loss,
            stop_reason=ONE_EPOCH,
        )

    def _plain_target(self, earlier: Learnt, y: Any) -> np.ndarray | None:
        """Return the core's target (N, T) for y (N,) or (N, C), None if it goes the long way."""
        if type(y) is list:
            try:
                y = np.array(y)
            except ValueError:  # ragged
                return None
        if type(y) is not np.ndarray or y.size == 0 or not self._is_one_batch(len(y)):
            return None
        return earlier.coder.plain_target(y)

    def _is_one_batch(self, n_rows: int) -> bool:
        """Return whether so many rows are one update, and no batch size is to be clipped."""
        return n_rows == self.largest_batch or (self.takes_fewer and n_rows < self.largest_batch)

    def _update(
        self,
        network: Network,
        rows: Rows,
        order: np.ndarray,
        rate: Rates,
        n_threads: int,
    ) -> Totals:
        """Make one update on the rows ``order`` (N,), which are all that there are."""
        wanted = len(order), n_threads
        made_for, executor = self.executors.pop() if self.executors else (None, None)
        if executor is None or made_for != wanted:
            executor = self.backend.bind(network.plan, self.settings, network.dtype, *wanted)
        rate.begin_epoch(1)
        updates = rate.numbers(self.rule, network.step, 1)
        network.step += 1
        totals = executor.train(
            network.parameters, network.moments, rows, order, len(order), updates
        )
        self.executors.append((wanted, executor))
        return totals
