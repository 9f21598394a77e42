"""The training loop: epochs, chunks of batches, stopping, Ctrl-C.

An epoch is handed to the backend in slices of whole batches that last up to some tenths of a
second, so that Ctrl-C and a diverging loss are noticed soon.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from fastmlp.backends.protocol import Backend, Totals
from fastmlp.network import Network
from fastmlp.plan import Plan, batch_norms
from fastmlp.schedules import LearningRate
from fastmlp.shuffling import shuffle
from fastmlp.stopping import LossMonitor, ScoreMonitor

__all__ = [
    "DivergenceError",
    "EpochRecord",
    "History",
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
    X : ndarray of uint8, float32 or float64, shape (N, I)
    target : ndarray of real, shape (N, T)
    sample_weight : ndarray of real or None, shape (N,)
    order : ndarray of int64, shape (K,)
        Rows to train on, in the order in which they come; shuffled in place.
    """

    X: np.ndarray
    target: np.ndarray
    sample_weight: np.ndarray | None
    order: np.ndarray


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
    >>> lines = []
    >>> model = MLPRegressor(tol=1.0, n_iter_no_change=1, random_state=0,
    ...                      callbacks=[lambda record: lines.append(record.epoch)])
    >>> _ = model.fit([[0.0], [1.0]], [0.0, 1.0])
    >>> lines
    [1, 2, 3]
    """

    epoch: int
    max_iter: int
    loss: float
    cost: float
    validation_score: float | None
    learning_rate: float | None
    seconds: float


@dataclass
class History:
    """Curves and counters of a network's life; they go on under warm start and partial fits."""

    loss_curve: list[float] = field(default_factory=list)
    cost_curve: list[float] = field(default_factory=list)
    validation_scores: list[float] = field(default_factory=list)
    n_samples_seen: int = 0
    n_epochs: int = 0

    def add(self, totals: Totals, cost_divisor: int) -> None:
        """Append an epoch's means; ``cost_divisor`` is the number of outputs or 1.

        Its validation score is NaN until one is set, so that all curves have the same epochs.
        Samples are counted as they are seen: an interrupted epoch has no means, but taught some.
        """
        cost = totals.cost / cost_divisor / totals.n_samples
        self.cost_curve.append(cost)
        self.loss_curve.append(cost + totals.penalty / totals.n_samples)
        self.validation_scores.append(np.nan)
        self.n_epochs += 1

    def last_record(
        self,
        max_iter: int,
        seconds: float,
        validation_score: float | None = None,
        learning_rate: float | None = None,
    ) -> EpochRecord:
        """Return what callbacks are told about the epoch added last."""
        return EpochRecord(
            self.n_epochs,
            max_iter,
            self.loss_curve[-1],
            self.cost_curve[-1],
            validation_score,
            learning_rate,
            seconds,
        )

    def continued(self) -> History:
        """Return an independent copy whose epoch count begins anew."""
        return History(
            list(self.loss_curve),
            list(self.cost_curve),
            list(self.validation_scores),
            self.n_samples_seen,
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
        Everything but the learning rate and the step, which change from call to call.
    rng : numpy.random.RandomState or None
        Shuffles the order before each epoch; None keeps the order.
    callbacks : sequence of callable
        Each is called with an ``EpochRecord`` after each epoch.
    """

    backend: Backend
    network: Network
    data: TrainingData
    settings: np.ndarray
    batch_size: int
    n_threads: int
    rate: LearningRate
    monitor: LossMonitor | ScoreMonitor
    history: History
    rng: np.random.RandomState | None
    max_iter: int
    callbacks: Sequence[Callable[[EpochRecord], object]] = ()

    def __post_init__(self) -> None:
        network = self.network
        self._merges = bool(batch_norms(network.plan).any())
        self._workspace = self.backend.workspace(
            network.plan, network.dtype, self.batch_size + self._merges, self.n_threads
        )
        self._rows_per_call = self.batch_size * batches_per_call(network.plan, self.batch_size)
        self._began = time.perf_counter()

    def run(self) -> bool:
        """Train until progress stalls or ``max_iter`` epochs are done.

        Returns
        -------
        bool
            False when ``max_iter`` came first.

        Raises
        ------
        DivergenceError
            If the loss or a parameter is no longer finite.
        """
        ended = False
        try:
            while not ended and self.history.n_epochs < self.max_iter:
                ended = self._epoch()
        except KeyboardInterrupt:
            warnings.warn(INTERRUPTED, stacklevel=6)
            ended = True
        self.monitor.finish(self.network)
        require_finite(self.network, self.history.n_epochs)
        return ended

    def _epoch(self) -> bool:
        """Train one epoch; return whether it was the last one that makes sense."""
        if self.rng is not None:
            shuffle(self.rng, self.data.order)
        totals = self._pass_over_data()
        self.history.add(totals, self.network.cost_divisor)
        self.monitor.update(self.history.loss_curve[-1], self.network)
        score = self.monitor.last_score
        if score is not None:
            if not np.isfinite(score):
                raise DivergenceError(_divergence_text(self.history.n_epochs, "validation score"))
            self.history.validation_scores[-1] = score
        self.rate.epoch_ended(self.history.n_samples_seen)
        ended = self._answer_stall()
        self._report()
        return ended

    def _answer_stall(self) -> bool:
        """Return whether the fit is over; a shrunken learning rate starts the count anew."""
        if not self.monitor.stalled:
            return False
        if self.rate.gives_up():
            return True
        self.monitor.idle = 0
        return False

    def _pass_over_data(self) -> Totals:
        """Run every batch once, in chunks."""
        cost = penalty = 0.0
        n_rows = len(self.data.order)
        for begin, end, batch_size in self._calls(n_rows):
            totals = self._train(self.data.order[begin:end], batch_size)
            cost += totals.cost
            penalty += totals.penalty
            if not np.isfinite(cost + penalty):
                raise DivergenceError(_divergence_text(self.history.n_epochs + 1, "loss"))
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
        self.settings["learning_rate"] = self.rate.value
        self.settings["step"] = network.step
        # Counted first: Ctrl-C surfaces when the call returns, and the updates are made by then.
        network.step += -(-len(order) // batch_size)
        totals = self.backend.train_batches(
            network.plan,
            self.settings,
            network.parameters,
            network.moments,
            self.data.X,
            self.data.target,
            self.data.sample_weight,
            order,
            batch_size,
            self._workspace,
            self.n_threads,
        )
        self.history.n_samples_seen += len(order)
        return totals

    def _report(self) -> None:
        seconds = time.perf_counter() - self._began
        record = self.history.last_record(
            self.max_iter, seconds, self.monitor.last_score, self.rate.value
        )
        for callback in self.callbacks:
            callback(record)


def print_record(record: EpochRecord) -> None:
    """Print one line: the callback behind ``verbose``."""
    score = record.validation_score
    tail = "" if score is None else f", validation score {score:.6f}"
    print(f"Epoch {record.epoch}/{record.max_iter}: loss {record.loss:.8f}{tail}")


def require_finite(network: Network, epoch: int) -> None:
    """Raise DivergenceError if a parameter is infinite or NaN."""
    if not np.isfinite(network.parameters).all():
        raise DivergenceError(_divergence_text(epoch, "network's parameters"))


def _divergence_text(epoch: int, what: str) -> str:
    return (
        f"The {what} became infinite or NaN in epoch {epoch}. Try a smaller learning_rate_init, "
        "smaller alpha, l1 or init_std where these are large, "
        "X (and, for regression, y) scaled to about unit variance, or dtype='float64'."
    )
