"""The training loop: epochs, chunks of batches, Ctrl-C. What else happens is up to observers.

An epoch is handed to the backend in slices of whole batches that last up to some tenths of a
second, so that Ctrl-C and a diverging loss are noticed soon.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from fastmlp.backends.protocol import Backend, Rows, Totals
from fastmlp.notices import notify
from fastmlp.plan.layout import Plan
from fastmlp.training.divergence import DivergenceError, divergence_text
from fastmlp.training.observers import Observer, Observers
from fastmlp.training.shuffling import shuffle
from fastmlp.training.state import Ending, TrainerState
from fastmlp.training.updates import UpdateRule

__all__ = ["INTERRUPTED", "INTERRUPTION", "TrainingData", "TrainingRun", "interrupted"]

#: Floating-point operations per call: about 10 ms on fast cores, a few tenths of a second on slow
#: ones or in NumPy.
WORK_PER_CALL = 4_000_000_000

#: A call begins by packing all weights, which may take a tenth of the time of a batch. So even of
#: large batches there are several in a call, up to so many operations: about a second.
LARGE_BATCHES, WORK_OF_LARGE = 4, 200_000_000_000

#: What a batch costs beside its operations, in operations: so many take NumPy 100 µs or so.
BATCH_OVERHEAD = 1_000_000

#: What a fit warns of that Ctrl-C has ended.
INTERRUPTED = "Training was interrupted; what was learnt is kept."

#: The reason why such a training ended.
INTERRUPTION = "Training was interrupted."


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


def batches_per_call(plan: Plan, batch_size: int) -> int:
    """Return how many batches go into one call of the backend.

    The number follows from the work, not from the clock: sums of losses are rounded once a call,
    so a measured number would make their last digits, and with them the epoch at which a fit
    stops, a matter of chance.
    """
    work = plan.flops_per_sample() * batch_size + BATCH_OVERHEAD
    return max(1, WORK_PER_CALL // work, min(LARGE_BATCHES, WORK_OF_LARGE // work))


def interrupted() -> Ending:
    """Warn that Ctrl-C has ended the training, and return that ending."""
    notify(INTERRUPTED)
    return Ending(INTERRUPTION, on_demand=True)


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
    state : TrainerState
        Of the network that learns; has the learning rate.
    observers : sequence of Observer
        Who is told of each epoch, in this order.
    most_updates : int or None
        How many updates a call of the backend makes at most, for an observer's sake.
    n_orders : int
        1, or the number of members, each of which then has an order of its own.
    """

    backend: Backend
    data: TrainingData
    settings: np.ndarray
    rule: UpdateRule
    batch_size: int
    n_threads: int
    rng: np.random.RandomState | None
    state: TrainerState
    observers: Sequence[Observer] = ()
    most_updates: int | None = None
    n_orders: int = 1

    def __post_init__(self) -> None:
        network = self.state.network
        network.require_inputs(self.data.rows.X)
        network.require_target(self.data.rows.target)
        assert self.state.rate is not None
        self._rate = self.state.rate
        order = self.data.order
        self._order = order if self.n_orders == 1 else np.tile(order, (self.n_orders, 1))
        self._merges = network.plan.has_batch_norm
        n_rows = self.batch_size + self._merges
        self._executor = self.backend.bind(
            network.plan, self.settings, network.dtype, n_rows, self.n_threads
        )
        n_batches = batches_per_call(network.plan, self.batch_size)
        self._rows_per_call = self.batch_size * min(n_batches, self.most_updates or n_batches)
        self._observers = Observers(self.observers)
        self._before_call = self._observers.listening("call_begins")
        self._after_call = self._observers.listening("call_ended")
        self._after_epoch = self._observers.listening("epoch_ended")

    def run(self) -> Ending:
        """Train until an observer ends it, or ``max_iter`` epochs are done.

        Raises
        ------
        DivergenceError
            If the loss, a parameter or a score is no longer finite, and no observer has kept an
            earlier network to go back to.
        """
        state = self.state
        self._observers.around(state, self._epochs)
        assert state.ending is not None
        return state.ending

    def _epochs(self) -> None:
        """Train epoch after epoch, until the state has an ending."""
        state = self.state
        try:
            while state.ending is None and state.epoch < state.max_iter:
                self._epoch()
        except DivergenceError as error:
            self._observers.tell("diverged", state, error)
            if state.ending is None:
                raise
        except KeyboardInterrupt:
            state.ending = interrupted()
        if state.ending is None:
            reason = f"max_iter={state.max_iter} epochs are done."
            state.stop(reason, converged=self._rate.ends_with_fit)

    def _epoch(self) -> None:
        """Train one epoch, and tell of it unless it has been ended before all rows were seen."""
        self._shuffle()
        state = self.state
        self._observers.tell("epoch_begins", state)
        totals = self._pass_over_data()
        if totals is not None:
            state.count_epoch(totals)
            for epoch_ended in self._after_epoch:
                epoch_ended(state)

    def _shuffle(self) -> None:
        """Shuffle the order of the rows, or of each member's rows."""
        if self.rng is not None:
            for order in np.atleast_2d(self._order):
                shuffle(self.rng, order)

    def _pass_over_data(self) -> Totals | None:
        """Run every batch once, in chunks; return None if an observer has ended that."""
        cost = penalty = 0.0
        n_rows, state = len(self.data.order), self.state
        calls = list(self._calls(n_rows))
        self._rate.begin_epoch(sum(-(-(end - begin) // size) for begin, end, size in calls))
        for begin, end, batch_size in calls:
            for call_begins in self._before_call:
                call_begins(state, end - begin, end == n_rows)
            if state.ending is not None:
                return None
            totals = self._train(np.ascontiguousarray(self._order[..., begin:end]), batch_size)
            cost += totals.cost
            penalty += totals.penalty
            if not np.isfinite(cost + penalty):
                state.count_diverged()
                raise DivergenceError(divergence_text(state.epoch, "loss"))
            for call_ended in self._after_call:
                call_ended(state, -(-(end - begin) // batch_size))
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
        """Train on the rows ``order`` (K,), or (k, K) of k members, in one call of the backend."""
        state, network, n_rows = self.state, self.state.network, order.shape[-1]
        n_updates = -(-n_rows // batch_size)
        updates = self._rate.numbers(self.rule, network.step, n_updates)
        state.epoch_rate = float(updates["learning_rate"][-1])
        # Counted first: Ctrl-C surfaces when the call returns, and the updates are made by then.
        network.step += n_updates
        totals = self._executor.train(
            network.parameters, network.moments, self.data.rows, order, batch_size, updates
        )
        state.n_samples_seen += n_rows
        return totals
