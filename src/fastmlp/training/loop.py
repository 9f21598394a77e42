"""The training loop: epochs, chunks of batches, stopping, Ctrl-C.

An epoch is handed to the backend in slices of whole batches that last up to some tenths of a
second, so that Ctrl-C and a diverging loss are noticed soon.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from fastmlp.backends.protocol import Backend, Rows, Totals
from fastmlp.network import Network
from fastmlp.notices import notify
from fastmlp.plan.layout import Plan, batch_norms
from fastmlp.schedules.schedule import EpochResult
from fastmlp.training.courses import Rates
from fastmlp.training.history import History
from fastmlp.training.shuffling import shuffle
from fastmlp.training.stopping import LossMonitor, ScoreMonitor
from fastmlp.training.updates import UpdateRule

__all__ = [
    "DivergenceError",
    "Ending",
    "EpochRecord",
    "TrainingData",
    "TrainingRun",
    "require_finite",
]

#: Floating-point operations per call: about 10 ms on fast cores, a few tenths of a second on slow
#: ones or in NumPy.
WORK_PER_CALL = 4_000_000_000

#: What a batch costs beside its operations, in operations: so many take NumPy 100 µs or so.
BATCH_OVERHEAD = 1_000_000

#: What a fit warns of that Ctrl-C has ended.
INTERRUPTED = "Training was interrupted; what was learnt is kept."


class DivergenceError(ValueError):
    """A loss, parameter or validation score became infinite or NaN; the estimator is as before."""


@dataclass
class TrainingData:
    """What a network learns from; rows are referred to, never copied.

    Attributes
    ----------
    rows : Rows
    order : ndarray of int64, shape (K,)
        Rows to train on, in the order in which they come; shuffled in place.
    """

    rows: Rows
    order: np.ndarray

    def counting(self) -> np.ndarray:
        """Return the rows (K,) to train on whose weight is above 0."""
        weights = self.rows.weights_of(self.order)
        return self.order if weights is None else self.order[weights > 0]


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


class Ending(NamedTuple):
    """How a training ended: for which reason, in a sentence.

    ``converged`` is False where it had more to learn, and ``remedy`` says what to do about it then;
    ``on_demand`` is True where the user ended it.
    """

    reason: str
    converged: bool = True
    on_demand: bool = False
    remedy: str = "Raise max_iter or loosen tol."


#: What a training reports to after each epoch; True ends it.
Report = Callable[[EpochRecord], bool]


def record_of(
    history: History,
    max_iter: int,
    began: float,
    validation_score: float | None = None,
    learning_rate: float | None = None,
) -> EpochRecord:
    """Return what callbacks are told of the epoch added last to ``history``.

    ``began`` is what ``time.perf_counter()`` gave when the training began.
    """
    present = history.present
    return EpochRecord(
        history.n_epochs,
        max_iter,
        present.loss[-1],
        present.cost[-1],
        validation_score,
        learning_rate,
        time.perf_counter() - began,
    )


def batches_per_call(plan: Plan, batch_size: int) -> int:
    """Return how many batches go into one call of the backend.

    The number follows from the work, not from the clock: sums of losses are rounded once a call,
    so a measured number would make their last digits, and with them the epoch at which a fit
    stops, a matter of chance.
    """
    work = plan.flops_per_sample() * batch_size + BATCH_OVERHEAD
    return max(1, WORK_PER_CALL // work)


@dataclass
class TrainingRun:
    """One fit by mini-batches.

    Attributes
    ----------
    settings : ndarray of SETTINGS_DTYPE, 0-d
        What stays the same.
    rule : UpdateRule
        Gives the numbers of each update.
    rng : numpy.random.RandomState or None
        Shuffles the order before each epoch; None keeps the order.
    report : callable
        Called with an ``EpochRecord`` after each epoch; training ends when it returns True.
    """

    backend: Backend
    network: Network
    data: TrainingData
    settings: np.ndarray
    rule: UpdateRule
    batch_size: int
    n_threads: int
    rate: Rates
    monitor: LossMonitor | ScoreMonitor
    history: History
    rng: np.random.RandomState | None
    max_iter: int
    report: Report

    def __post_init__(self) -> None:
        network = self.network
        network.require_inputs(self.data.rows.X)
        network.require_target(self.data.rows.target)
        self._merges = bool(batch_norms(network.plan).any())
        n_rows = self.batch_size + self._merges
        self._executor = self.backend.bind(
            network.plan, self.settings, network.dtype, n_rows, self.n_threads
        )
        self._rows_per_call = self.batch_size * batches_per_call(network.plan, self.batch_size)
        self._began = time.perf_counter()

    def run(self) -> Ending:
        """Train until progress stalls, a callback says so, or ``max_iter`` epochs are done.

        Raises
        ------
        DivergenceError
            If the loss, a parameter or a score is no longer finite, and the monitor has kept no
            earlier network to go back to.
        """
        ending = None
        try:
            while ending is None and self.history.n_epochs < self.max_iter:
                ending = self._epoch()
        except DivergenceError as error:
            if not self.monitor.can_go_back:
                raise
            self._forget_memory()
            ending = Ending(
                f"{error} The network of the best epoch is kept.", converged=False, remedy=""
            )
        except KeyboardInterrupt:
            notify(INTERRUPTED)
            ending = Ending("Training was interrupted.", on_demand=True)
        self.monitor.finish(self.network)
        require_finite(self.network, self.history.n_epochs)
        return ending or Ending(
            f"max_iter={self.max_iter} epochs are done.", converged=self.rate.ends_with_fit
        )

    def _forget_memory(self) -> None:
        """Let a partial fit that goes on from an earlier epoch begin with a new optimiser."""
        self.network.moments[...] = 0
        self.network.step = 0

    def _epoch(self) -> Ending | None:
        """Train one epoch; return why it was the last one, if it was."""
        if self.rng is not None:
            shuffle(self.rng, self.data.order)
        totals = self._pass_over_data()
        loss = self.history.add(totals, self.network.cost_divisor)
        self.monitor.update(loss, self.network)
        if self.monitor.last_score is not None and not np.isfinite(self.monitor.last_score):
            raise DivergenceError(divergence_text(self.history.n_epochs, "validation score"))
        score = self.monitor.reported_score
        if score is not None:
            self.history.present.scores[-1] = score
        self.rate.epoch_ended(
            EpochResult(self.history.present.loss[-1], score, self.history.n_samples_seen)
        )
        ending = self._answer_stall()
        told_to_stop = self.report(
            record_of(self.history, self.max_iter, self._began, score, self.rate.value)
        )
        return Ending("A callback returned True.", on_demand=True) if told_to_stop else ending

    def _answer_stall(self) -> Ending | None:
        """Return the end of the fit; a shrunken learning rate starts the count anew instead."""
        if not self.monitor.stalled:
            return None
        if self.rate.gives_up():
            return Ending(f"{self.monitor.stall_text} {self.rate.last_words}")
        self.monitor.idle = 0
        return None

    def _pass_over_data(self) -> Totals:
        """Run every batch once, in chunks."""
        cost = penalty = 0.0
        n_rows = len(self.data.order)
        calls = list(self._calls(n_rows))
        self.rate.begin_epoch(sum(-(-(end - begin) // size) for begin, end, size in calls))
        for begin, end, batch_size in calls:
            totals = self._train(self.data.order[begin:end], batch_size)
            cost += totals.cost
            penalty += totals.penalty
            if not np.isfinite(cost + penalty):
                self.history.add_diverged()
                raise DivergenceError(divergence_text(self.history.n_epochs, "loss"))
        return Totals(cost, penalty, n_rows)

    def _calls(self, n_rows: int) -> Iterator[tuple[int, int, int]]:
        """Yield (begin, end, batch size) of each call: whole batches, the last one may be short.

        Batch norm can't learn from a batch of one row: it joins the batch before.
        """
        regular = n_rows
        if self._merges and n_rows % self.batch_size == 1:
            regular -= self.batch_size + 1
        for begin in range(0, regular, self._rows_per_call):
            yield begin, min(begin + self._rows_per_call, regular), self.batch_size
        if regular < n_rows:
            yield regular, n_rows, self.batch_size + 1

    def _train(self, order: np.ndarray, batch_size: int) -> Totals:
        """Train on the rows ``order`` (K,) in one call of the backend."""
        network = self.network
        n_updates = -(-len(order) // batch_size)
        updates = self.rate.numbers(self.rule, network.step, n_updates)
        # Counted first: Ctrl-C surfaces when the call returns, and the updates are made by then.
        network.step += n_updates
        totals = self._executor.train(
            network.parameters, network.moments, self.data.rows, order, batch_size, updates
        )
        self.history.n_samples_seen += len(order)
        return totals


def print_record(record: EpochRecord) -> None:
    """Print what scikit-learn prints of an epoch: the callback behind ``verbose``."""
    print(f"Iteration {record.epoch}, loss = {record.loss:.8f}")
    if record.validation_score is not None:
        print(f"Validation score: {record.validation_score:f}")


def require_finite(network: Network, epoch: int) -> None:
    """Raise DivergenceError if a parameter is infinite or NaN."""
    if not np.isfinite(network.parameters).all():
        raise DivergenceError(divergence_text(epoch, "network's parameters"))


def divergence_text(epoch: int, what: str) -> str:
    """Return what to say, and to do, when ``what`` is no longer finite."""
    return (
        f"The {what} became infinite or NaN in epoch {epoch}. Try a smaller learning_rate_init, "
        "smaller alpha, l1 or init_std where these are large, "
        "X scaled to about unit variance (and, for regression, standardize_target=True), or "
        "dtype='float64'. Solver produced non-finite parameter weights. The input data may contain "
        "large values and need to be preprocessed."
    )
