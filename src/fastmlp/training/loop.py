"""The training loop: epochs, chunks of batches, Ctrl-C. What else happens is up to observers.

An epoch is handed to the backend in slices of whole batches that last up to some tenths of a
second, so that Ctrl-C and a diverging loss are noticed soon.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field

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
    _orders: np.ndarray | None = field(init=False, repr=False, default=None)

    @property
    def n_rows(self) -> int:
        """Rows of an epoch."""
        return len(self.order)

    def windows(self, epoch: int) -> Generator[TrainingData, None, None]:
        """Yield the rows of an epoch, part by part; here it is one part."""
        yield self

    def orders(self, n_orders: int) -> np.ndarray:
        """Return the order (K,), or one for each of several members, (n_orders, K)."""
        if n_orders == 1:
            return self.order
        if self._orders is None:
            self._orders = np.tile(self.order, (n_orders, 1))
        return self._orders

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
        self._merges = network.plan.has_batch_norm
        self._bind()
        self._observers = Observers(self.observers)
        self._before_call = self._observers.listening("call_begins")
        self._after_call = self._observers.listening("call_ended")
        self._after_epoch = self._observers.listening("epoch_ended")

    def _bind(self) -> None:
        """Get ready to train, so many rows in a call."""
        plan, dtype = self.state.network.plan, self.state.network.dtype
        n_rows = self.batch_size + self._merges
        self._executor = self.backend.bind(plan, self.settings, dtype, n_rows, self.n_threads)
        n_batches = batches_per_call(plan, self.batch_size)
        self._rows_per_call = self.batch_size * min(n_batches, self.most_updates or n_batches)

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
        state = self.state
        self._observers.tell("epoch_begins", state)
        totals = self._pass_over_data()
        if totals is not None:
            state.count_epoch(totals)
            for epoch_ended in self._after_epoch:
                epoch_ended(state)

    def _pass_over_data(self) -> Totals | None:
        """Run every batch once; return None if an observer has ended that."""
        n_rows = self.data.n_rows
        alone = self._merges and n_rows % self.batch_size == 1
        self._rate.begin_epoch(-(-n_rows // self.batch_size) - alone)
        cost = penalty = 0.0
        n_left = n_rows
        # Closed at once, also by an error: a thread may be reading the next window.
        with closing(self.data.windows(self.state.epoch)) as windows:
            for window in windows:
                n_left -= window.n_rows
                totals = self._pass_over_window(window, last=n_left == 0)
                if totals is None:
                    return None
                cost += totals.cost
                penalty += totals.penalty
        return Totals(cost, penalty, n_rows)

    def _pass_over_window(self, window: TrainingData, *, last: bool) -> Totals | None:
        """Run the batches of some rows, in chunks, ``last`` if no others follow in this epoch."""
        cost = penalty = 0.0
        n_rows, state, order = window.n_rows, self.state, self._shuffled(window)
        for begin, end, batch_size in self._calls(n_rows):
            for call_begins in self._before_call:
                call_begins(state, end - begin, last and end == n_rows)
            if state.ending is not None:
                return None
            totals = self._call(window, order, begin, end, batch_size)
            cost += totals.cost
            penalty += totals.penalty
            if not np.isfinite(cost + penalty):
                state.count_diverged()
                raise DivergenceError(divergence_text(state.epoch, "loss"))
            for call_ended in self._after_call:
                call_ended(state, -(-(end - begin) // batch_size))
        return Totals(cost, penalty, n_rows)

    def _shuffled(self, window: TrainingData) -> np.ndarray:
        """Return the order (K,) of a window's rows, or (k, K) of each member, shuffled in place."""
        order = window.orders(self.n_orders)
        if self.rng is not None:
            for each in np.atleast_2d(order):
                shuffle(self.rng, each)
        return order

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

    def _call(
        self, window: TrainingData, order: np.ndarray, begin: int, end: int, batch_size: int
    ) -> Totals:
        """Train on a window's rows from the ``begin``-th to the ``end``-th of ``order``."""
        chosen = np.ascontiguousarray(order[..., begin:end])
        return self._train(window.rows, chosen, batch_size)

    def _train(self, rows: Rows, order: np.ndarray, batch_size: int) -> Totals:
        """Train on ``rows`` by ``order`` (K,), or (k, K) of k members, in one call."""
        state, network, n_rows = self.state, self.state.network, order.shape[-1]
        n_updates = -(-n_rows // batch_size)
        updates = self._numbers(n_updates)
        # Counted first: Ctrl-C surfaces when the call returns, and the updates are made by then.
        network.step += n_updates
        totals = self._executor.train(
            network.parameters, network.moments, rows, order, batch_size, updates
        )
        state.n_samples_seen += n_rows
        return totals

    def _numbers(self, n_updates: int) -> np.ndarray:
        """Return the records (n_updates,) of UPDATE_DTYPE of the next updates."""
        state = self.state
        updates = self._rate.numbers(self.rule, state.network.step, n_updates)
        state.epoch_rate = float(updates["learning_rate"][-1])
        return updates
