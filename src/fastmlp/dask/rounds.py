"""What a rank does in a round: updates on its own shard, exchanged with the other ranks.

All ranks begin a round with the same network and end it with the same network. Nothing else goes
from round to round, so that a round can be repeated by any workers.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from fastmlp.backends import Backend, Rows, Totals, get_backend
from fastmlp.backends.protocol import Executor
from fastmlp.dask.exchange import Member
from fastmlp.dask.squares import RankSquares
from fastmlp.dask.sums import weighted_sum_of_ranks
from fastmlp.kept import kept_property
from fastmlp.network import PenalizedRun, penalized_runs, penalty_of
from fastmlp.plan.layout import Plan
from fastmlp.plan.parameters import aligned_zeros, weight_views
from fastmlp.training.loop import batches_per_call

__all__ = ["OUTER_MOMENTUM", "OUTER_RATE", "Job", "State", "Stretch", "Trainee"]

#: Of the outer step after local updates: with v ← μ v + Δ, θ ← θ − η (μ v + Δ). A constant Δ comes
#: to move θ by η/(1 − μ) times as much, which is 1 here.
OUTER_MOMENTUM, OUTER_RATE = 0.3, 0.7

#: What makes seeds of ranks differ: the odd number nearest to 2^64 divided by the golden ratio.
_GOLDEN = 0x9E3779B97F4A7C15


@dataclass(frozen=True)
class Job:
    """What all rounds of a fit have in common.

    Attributes
    ----------
    plan : Plan
    settings : ndarray of SETTINGS_DTYPE, 0-d
    dtype : dtype
    n_moments : int
    backend : str
    n_rows : tuple of int, length R
        Rows of each rank's shard.
    weight_sums : tuple of float, length R
    n_updates : int
        Of an epoch.
    seed : int
    shuffles : bool
    """

    plan: Plan
    settings: np.ndarray
    dtype: np.dtype
    n_moments: int
    backend: str
    n_rows: tuple[int, ...]
    weight_sums: tuple[float, ...]
    n_updates: int
    seed: int
    shuffles: bool

    @property
    def n_ranks(self) -> int:
        """Shards that are learnt from."""
        return len(self.n_rows)

    @kept_property
    def shares(self) -> list[float]:
        """Of each rank in all weights."""
        total = sum(self.weight_sums)
        return [each / total for each in self.weight_sums]

    @property
    def n_counting(self) -> int:
        """Ranks that have rows of some weight."""
        return sum(weight > 0 for weight in self.weight_sums)

    def bounds(self, rank: int, update: int) -> int:
        """Return where a rank's rows of an update of an epoch begin: they differ by one at most."""
        fewest, others = divmod(self.n_rows[rank], self.n_updates)
        return fewest * update + min(update, others)

    def most_rows(self, rank: int) -> int:
        """Return how many rows a rank has in an update at most."""
        return -(-self.n_rows[rank] // self.n_updates)

    def order(self, rank: int, epoch: int) -> np.ndarray:
        """Return the order (N,) in which a rank's rows come in an epoch."""
        if not self.shuffles:
            return np.arange(self.n_rows[rank])
        seeds = np.random.SeedSequence([self.seed, epoch, rank])
        rng = np.random.Generator(np.random.Philox(seeds))
        return rng.permutation(self.n_rows[rank])

    def settings_of(self, rank: int, **changed: float) -> np.ndarray:
        """Return the settings of one rank, which draws random bits of its own."""
        settings = self.settings.copy()
        settings["seed"] = (int(settings["seed"]) + rank * _GOLDEN) % 2**64
        for name, value in changed.items():
            settings[name] = value
        return settings


class State(NamedTuple):
    """All that goes from one round to the next.

    Attributes
    ----------
    parameters : ndarray, shape (V,)
    moments : ndarray, shape (M, P)
    velocity : ndarray, shape (P,)
        Of the outer steps; (0,) where there are none.
    """

    parameters: np.ndarray
    moments: np.ndarray
    velocity: np.ndarray


class Stretch(NamedTuple):
    """The updates of a round.

    Attributes
    ----------
    epoch : int
    first : int
        Number of the first one in its epoch.
    updates : ndarray of UPDATE_DTYPE, shape (U,)
        Their numbers.
    local_steps : int
        Updates between two averages; 0 where gradients are summed for each update.
    """

    epoch: int
    first: int
    updates: np.ndarray
    local_steps: int

    def averages(self) -> list[int]:
        """Return after how many of the updates networks are averaged, from 0 on.

        There are never more updates between two averages than before them, as in post-local SGD
        (Lin et al. 2020): while little is known of the gradients, ranks must not go far alone.
        """
        ends, made = [0], int(self.updates["step"][0])
        while ends[-1] < len(self.updates):
            h = min(self.local_steps, max(1, made + ends[-1]))
            ends.append(min(ends[-1] + h, len(self.updates)))
        return ends


class Trainee:
    """A rank's network, and what trains it.

    Attributes
    ----------
    job : Job
    member : Member
    n_threads : int
    exchanging : float
        Seconds that have passed in exchanges with other ranks.
    """

    def __init__(self, job: Job, member: Member, n_threads: int, state: State) -> None:
        self.job, self.member, self.n_threads = job, member, n_threads
        self.backend: Backend = get_backend(job.backend)
        n_values, n_trained = job.plan.n_values, job.plan.n_parameters
        # What is averaged lies in one piece: parameters, and moments from a cache line on.
        self._begin_of_moments = -(-n_values // 16) * 16
        n_all = self._begin_of_moments + job.n_moments * n_trained
        self._squares = RankSquares(job.settings, job.n_counting)
        self._present, self._next = (member.zeros(n_all, job.dtype) for _ in range(2))
        self._velocity = state.velocity.copy()
        self._gradients = [member.zeros(n_values, job.dtype) for _ in range(2)]
        self._mean = aligned_zeros(n_values, job.dtype)
        self._executors: dict[str, Executor] = {}
        self.exchanging = 0.0
        self._order: tuple[int, np.ndarray] = (-1, np.empty(0, np.int64))
        self.parameters[...] = state.parameters
        self.moments[...] = state.moments

    @property
    def parameters(self) -> np.ndarray:
        """The parameters (V,)."""
        return self._present[: self.job.plan.n_values]

    @property
    def moments(self) -> np.ndarray:
        """The optimiser's memory (M, P)."""
        return self._moments_in(self._present)

    def _moments_in(self, piece: np.ndarray) -> np.ndarray:
        """Return the moments (M, P) in what is averaged."""
        part = piece[self._begin_of_moments :]
        return part.reshape(self.job.n_moments, self.job.plan.n_parameters)

    @property
    def state(self) -> State:
        """What goes to the next round; it changes with it."""
        return State(self.parameters, self.moments, self._velocity)

    def train(self, rows: Rows, stretch: Stretch) -> Totals:
        """Make the updates of a stretch on a shard; return its sums, of all ranks.

        Raises
        ------
        PeerLostError
            If another rank is gone.
        """
        if stretch.local_steps == 0:
            return self._train_together(rows, stretch)
        return self._train_apart(rows, stretch)

    def _executor(self, way: str, **changed: float) -> Executor:
        """Return what trains this rank in one of the two ways."""
        if way not in self._executors:
            job, rank = self.job, self.member.rank
            self._executors[way] = self.backend.bind(
                job.plan,
                job.settings_of(rank, **changed),
                job.dtype,
                max(1, job.most_rows(rank)),
                self.n_threads,
            )
        return self._executors[way]

    def _order_of(self, epoch: int) -> np.ndarray:
        if self._order[0] != epoch:
            self._order = epoch, self.job.order(self.member.rank, epoch)
        return self._order[1]

    def _sum(self, tag: tuple[int, int], *about: Any) -> list[tuple[float, ...]]:
        """Do what ``weighted_sum_of_ranks`` does, with an eye on the clock."""
        began = time.perf_counter()
        of_ranks = weighted_sum_of_ranks(self.member, tag, *about)
        self.exchanging += time.perf_counter() - began
        return of_ranks

    # -- gradients summed for each update -------------------------------------------------------

    def _train_together(self, rows: Rows, stretch: Stretch) -> Totals:
        job, rank = self.job, self.member.rank
        order = self._order_of(stretch.epoch)
        totals = np.zeros(3)
        for number, update in enumerate(stretch.updates, stretch.first):
            chosen = order[job.bounds(rank, number) : job.bounds(rank, number + 1)]
            totals += self._update(rows, chosen, (stretch.epoch, number), update)
        return Totals(float(totals[0]), float(totals[1]), int(totals[2]))

    def _update(
        self, rows: Rows, chosen: np.ndarray, tag: tuple[int, int], update: np.void
    ) -> Totals:
        """Make one update by the rows of all ranks, of which ``chosen`` (K,) are this rank's."""
        self._gradients.reverse()
        gradient = self._gradients[0]
        numbers = (
            *self._gradient(rows, chosen, int(update["step"]), gradient),
            penalty_of(self.parameters, self._penalized),
        )

        def shares(all_numbers: list[tuple[float, ...]]) -> list[float]:
            weight = sum(each[0] for each in all_numbers)
            return [each[0] / weight if weight else 0.0 for each in all_numbers]

        of_ranks = self._sum(tag, gradient, numbers, shares, self._mean)
        weight, n_rows = (sum(each[i] for each in of_ranks) for i in (0, 1))
        if weight == 0:
            return Totals(0.0, 0.0, int(n_rows))
        cost = sum(each[0] * each[2] for each in of_ranks) / weight
        penalty = sum(each[3] for each in of_ranks) / weight
        self._step(update, weight)
        return Totals(n_rows * cost, n_rows * penalty, int(n_rows))

    def _gradient(
        self, rows: Rows, chosen: np.ndarray, step: int, gradient: np.ndarray
    ) -> tuple[float, ...]:
        """Set ``gradient`` (V,): that of the cost, and a batch's statistics.

        Return the sum of the rows' weights, their number and their mean cost.
        """
        n_trained = self.job.plan.n_parameters
        weights = rows.weights_of(chosen)
        weight = float(len(chosen) if weights is None else weights.sum(dtype=np.float64))
        if weight == 0:
            gradient[...] = 0
            return 0.0, float(len(chosen)), 0.0
        parameters, running = self.parameters, self.parameters[n_trained:].copy()
        executor = self._executor("together", l1=0.0, l2=0.0)
        cost = executor.gradient(parameters, rows, gradient[:n_trained], step, chosen).cost
        gradient[n_trained:] = parameters[n_trained:]
        parameters[n_trained:] = running
        return weight, float(len(chosen)), cost / len(chosen)

    @kept_property
    def _penalized(self) -> list[PenalizedRun]:
        """Those of the parameters whose penalty this rank sums for all."""
        job, settings = self.job, self.job.settings
        share = self.member.rank, job.n_ranks
        return penalized_runs(job.plan, float(settings["l2"]), float(settings["l1"]), share)

    def _step(self, update: np.void, weight: float) -> None:
        """Make an update by the gradient and the statistics of all ranks."""
        plan, settings, n_trained = self.job.plan, self.job.settings, self.job.plan.n_parameters
        parameters, mean = self.parameters, self._mean
        running = parameters[n_trained:]
        share = parameters.dtype.type(settings["batch_norm_momentum"])
        running += share * (mean[n_trained:] - running)
        self.backend.optimizer_update(
            settings,
            update,
            parameters[:n_trained],
            mean[:n_trained],
            self.moments,
            plan.trained_slots,
            plan.groups,
            weight,
        )
        if settings["max_norm"] > 0:
            for weights in weight_views(plan, parameters)[:-1]:
                for w in weights.reshape(-1, *weights.shape[-2:]):
                    self.backend.limit_norms(w, float(settings["max_norm"]))

    # -- local updates --------------------------------------------------------------------------

    def _train_apart(self, rows: Rows, stretch: Stretch) -> Totals:
        totals = np.zeros(3)
        for begin, after in pairwise(stretch.averages()):
            before = self._present.copy()
            self._squares.begin(self.moments)
            for first, last in self._calls(stretch.first + begin, stretch.first + after):
                self.member.check()
                part = stretch.updates[first - stretch.first : last - stretch.first]
                totals += self._train_alone(rows, stretch.epoch, first, part)
            if self.job.n_ranks > 1:
                tag = stretch.epoch, stretch.first + begin
                totals_of = self._average(tag, before, stretch.updates[begin:after], totals)
        if self.job.n_ranks > 1:
            totals = np.sum(totals_of, axis=0)
        return Totals(float(totals[0]), float(totals[1]), int(totals[2]))

    def _calls(self, first: int, end: int) -> list[tuple[int, int]]:
        """Return (first, end) of the updates of each call: as many rows in each update of one."""
        job, rank = self.job, self.member.rank
        fewest, others = divmod(job.n_rows[rank], job.n_updates)
        at_once = batches_per_call(job.plan, fewest + 1)
        calls = []
        while first < end:
            same_size = min(end, others) if first < others else end
            after = min(first + at_once, same_size)
            calls.append((first, after))
            first = after
        return calls

    def _train_alone(self, rows: Rows, epoch: int, first: int, updates: np.ndarray) -> np.ndarray:
        """Make updates by this rank's rows; return their sums (3,)."""
        job, rank = self.job, self.member.rank
        begin, end = job.bounds(rank, first), job.bounds(rank, first + len(updates))
        if begin == end:
            return np.zeros(3)
        share = job.shares[rank]
        l2, l1 = share * float(job.settings["l2"]), share * float(job.settings["l1"])
        chosen = np.ascontiguousarray(self._order_of(epoch)[begin:end])
        size = (end - begin) // len(updates)
        executor = self._executor("apart", l2=l2, l1=l1)
        own = self._squares.updates(updates)
        return np.array(executor.train(self.parameters, self.moments, rows, chosen, size, own))

    def _average(
        self, tag: tuple[int, int], before: np.ndarray, updates: np.ndarray, totals: np.ndarray
    ) -> list[tuple[float, ...]]:
        """Let the mean of all ranks' networks, and a step beyond, be the network of each.

        Return the totals of all ranks. ``before`` is the network as it was before the ``updates``.
        """
        shares = self.job.shares
        numbers = tuple(totals.tolist())
        of_ranks = self._sum(tag, self._present, numbers, lambda _: shares, self._next)
        self._present, self._next = self._next, self._present
        self._squares.end(self._moments_in(before), self.moments, updates)
        n_trained = self.job.plan.n_parameters
        parameters, real = self.parameters[:n_trained], self.job.dtype.type
        difference = before[:n_trained] - parameters
        self._velocity *= real(OUTER_MOMENTUM)
        self._velocity += difference
        np.multiply(self._velocity, real(OUTER_MOMENTUM), out=parameters)
        parameters += difference
        parameters *= -real(OUTER_RATE)
        parameters += before[:n_trained]
        return of_ranks
