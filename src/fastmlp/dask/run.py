"""A fit whose updates are made by a cluster, and all else where ``fit`` was called.

Epochs, observers, schedules, early stopping, callbacks and limits of time are those of every other
fit. A call of the backend becomes a round of the cluster.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from fastmlp import validation
from fastmlp.backends import Totals
from fastmlp.dask.cluster import Cluster
from fastmlp.dask.link import LOCAL, Chosen, choose
from fastmlp.dask.rounds import Job, State, Stretch
from fastmlp.dask.waiting import WORKER_TIMEOUT
from fastmlp.notices import notify
from fastmlp.training.loop import BATCH_OVERHEAD, TrainingData, TrainingRun
from fastmlp.training.state import Ending

if TYPE_CHECKING:
    from distributed import Client

    from fastmlp.dask.shards import Shards

__all__ = ["DistributedRun", "Distribution"]

logger = logging.getLogger("fastmlp.dask")

#: Operations of a rank in a round: about a second on fast cores.
WORK_PER_ROUND = 100_000_000_000

#: Updates that show how fast the link is.
UPDATES_OF_TRIAL = 8


@dataclass
class Distribution:
    """How a fit is spread over a cluster.

    Attributes
    ----------
    client : distributed.Client
    shards : Shards
    exchange : {"auto", "synchronous", "local"}
    local_steps : int or "auto"
        Updates between two averages of "local".
    worker_timeout : float
        Seconds to wait for workers when there is none.
    chosen : Chosen or None
        The way of exchange of the last fit, and why.
    cluster : Cluster or None
        What trained last.
    """

    client: Client
    shards: Shards
    exchange: str = "auto"
    local_steps: int | str = "auto"
    worker_timeout: float = WORKER_TIMEOUT
    chosen: Chosen | None = field(init=False, default=None)
    cluster: Cluster | None = field(init=False, default=None)

    def training(self, **about: Any) -> DistributedRun:
        """Return a run by mini-batches on the cluster; takes what ``TrainingRun`` takes."""
        return DistributedRun(**about, distribution=self)


@dataclass
class DistributedRun(TrainingRun):
    """One fit by mini-batches, on a cluster.

    Attributes
    ----------
    distribution : Distribution
    """

    distribution: Distribution | None = None

    def _bind(self) -> None:
        assert self.distribution is not None
        self._merges = False  # all batches of a rank are alike, none has a row left over
        self._velocity = np.zeros(0)
        self._left: State | None = None
        self._job = self._make_job(self.distribution.shards)
        validation.check_rows_of_batch(self._job)

    def _make_job(self, shards: Shards) -> Job:
        network = self.state.network
        seed = 0 if self.rng is None else int(self.rng.randint(0, 2**31 - 1))
        return Job(
            plan=network.plan,
            settings=self.settings,
            dtype=network.dtype,
            n_moments=len(network.moments),
            backend=self.backend.name,
            n_rows=tuple(shards.n_rows),
            weight_sums=tuple(shards.weight_sums),
            n_updates=-(-self.data.n_rows // self.batch_size),
            seed=seed,
            shuffles=self.rng is not None,
        )

    def run(self) -> Ending:
        """Train as :meth:`TrainingRun.run` does; the cluster is free again when it returns."""
        distribution = self.distribution
        assert distribution is not None
        self._cluster = Cluster(
            distribution.client, distribution.shards, self._job, distribution.worker_timeout
        )
        distribution.cluster = self._cluster
        try:
            return super().run()
        finally:
            self._cluster.disband()

    def _epochs(self) -> None:
        self._choose()
        super()._epochs()

    def _choose(self) -> None:
        """Choose how ranks exchange what they learn, and how much they do in a round."""
        distribution = self.distribution
        assert distribution is not None
        are_unlike = distribution.shards.are_unlike
        chosen = choose(
            self._cluster,
            self._state,
            self._trial(),
            distribution.exchange,
            distribution.local_steps,
            is_free=not {"dropout", "label_smoothing"} & {each.name for each in self._rate.others},
            are_unlike=are_unlike,
        )
        if chosen.way == LOCAL and are_unlike:
            notify(validation.shards_unlike())
        distribution.chosen = chosen
        self._cluster.n_bytes = 0  # without those of the trial
        logger.info("%s", chosen.why)
        self._local_steps = chosen.local_steps if chosen.way == LOCAL else 0
        if chosen.way == LOCAL:
            self._velocity = np.zeros(self._job.plan.n_parameters, self._job.dtype)
        work = self._job.plan.flops_per_sample() * self.batch_size + BATCH_OVERHEAD
        n_updates = max(1, WORK_PER_ROUND * self._job.n_ranks // work)
        n_updates = min(n_updates, self.most_updates or n_updates)
        step = self._local_steps or 1
        self._rows_per_call = self.batch_size * step * max(1, n_updates // step)

    def _trial(self) -> Stretch:
        """Return updates that are made and forgotten, to see how long they take."""
        assert self.state.rate is not None
        n_updates = min(self._job.n_updates, UPDATES_OF_TRIAL)
        updates = self.rule.numbers(self.state.network.step, n_updates, self.state.rate.value)
        return Stretch(0, 0, updates, local_steps=0)

    @property
    def _state(self) -> State:
        network = self.state.network
        return State(network.parameters, network.moments, self._velocity)

    def _shuffled(self, window: TrainingData) -> np.ndarray:
        return np.empty(0, np.int64)  # each rank shuffles its own rows

    def _call(
        self, window: TrainingData, order: np.ndarray, begin: int, end: int, batch_size: int
    ) -> Totals:
        state, network = self.state, self.state.network
        first = begin // batch_size
        updates = self._numbers(-(-end // batch_size) - first)
        stretch = Stretch(state.epoch, first, updates, self._local_steps)
        outcome = self._cluster.run(self._state, stretch, self._is_new)
        left = outcome.state
        assert left is not None
        network.parameters[...], network.moments[...] = left.parameters, left.moments
        self._velocity, self._left = left.velocity, left
        network.step += len(updates)
        state.n_samples_seen += end - begin
        return outcome.totals

    @property
    def _is_new(self) -> bool:
        """Whether somebody, such as a callback, has changed the network since the last round."""
        if self._left is None:
            return True
        network = self.state.network
        return not (
            np.array_equal(network.parameters, self._left.parameters)
            and np.array_equal(network.moments, self._left.moments)
        )
