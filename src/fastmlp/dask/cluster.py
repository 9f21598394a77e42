"""The coordinator in the client's process: it places ranks, watches them, and repeats rounds.

It waits for no worker that has left, and never for ever.
"""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from distributed import Client, Future

from fastmlp import validation
from fastmlp.dask.exchange import KEY_PREFIX, Exchange, PeerLostError
from fastmlp.dask.placing import placed
from fastmlp.dask.rounds import Job, State, Stretch
from fastmlp.dask.tasks import Outcome, Place, run_round
from fastmlp.dask.waiting import CANCELLED, POLL, fetched, running_workers, wait_a_moment

if TYPE_CHECKING:
    from fastmlp.dask.shards import Shards

__all__ = ["Cluster"]

logger = logging.getLogger("fastmlp.dask")

#: Seconds for which a failed round's last words are awaited, and a worker that shall get a state.
LAST_WORDS, SCATTER_TIMEOUT = 2.0, 5.0

#: So often a round is repeated while no worker has left, and at all.
MOST_FAILURES, MOST_REPEATS = 3, 20

#: Tasks of rounds go before others that wait: ranks that have begun wait for those that have not.
PRIORITY = 10


@dataclass
class _Group:
    """Those who train together, and their tasks of the last round."""

    name: str
    addresses: tuple[str, ...]
    futures: list[Future] = field(default_factory=list)
    n_rounds: int = 0


@dataclass
class Cluster:
    """All ranks of a fit, wherever they are.

    Attributes
    ----------
    client : distributed.Client
    shards : Shards
    job : Job
    worker_timeout : float
        Seconds to wait for workers when there is none.
    n_repeats : int
        Rounds that were begun anew so far.
    n_bytes : int
        Sent by all ranks in all rounds that count.
    """

    client: Client
    shards: Shards
    job: Job
    worker_timeout: float
    n_repeats: int = 0
    n_bytes: int = 0
    _group: _Group | None = None
    _looked: float = -1.0
    _placed: float = -1.0

    def __post_init__(self) -> None:
        self.client.register_plugin(Exchange())

    # -- rounds ---------------------------------------------------------------------------------

    def run(self, state: State, stretch: Stretch, is_new: bool) -> Outcome:
        """Run one round, again if workers are lost, until all ranks have made its updates.

        Parameters
        ----------
        state : State
            What it begins with.
        stretch : Stretch
        is_new : bool
            Whether the state is not the one that the round before has left.

        Raises
        ------
        RuntimeError
            If no workers are left, data are lost, or the round fails again and again.
        """
        n_failures = 0
        for _ in range(MOST_REPEATS):
            group = self._group_now(anew=is_new)
            try:
                return self._attempt(group, state, stretch)
            except PeerLostError as error:
                self.n_repeats += 1
                here = self._workers()
                n_failures += set(group.addresses) <= set(here)
                logger.info("round begins anew (%s); workers now: %d", error, len(here))
                self.disband()
                validation.check_round_can_repeat(n_failures, MOST_FAILURES, str(error))
            except BaseException:
                self.disband()
                # Whatever Dask says of a lost scheduler, that is the reason.
                validation.check_scheduler_answers(self.client.status == "running")
                raise
        return validation.raise_round_fails(MOST_REPEATS)

    def _group_now(self, *, anew: bool) -> _Group:
        """Return the ranks where they shall be in the next round."""
        now = time.monotonic()
        if self._group is not None and not anew and now - self._placed < POLL:
            return self._group
        self._placed = now
        present = () if self._group is None else self._group.addresses
        addresses = placed(self._await_workers(), self._holders(), present)
        if self._group is None or anew or addresses != present:
            self.disband()
            self._group = _Group(uuid.uuid4().hex, addresses)
            logger.info("ranks are on %s", ", ".join(addresses))
        return self._group

    def _attempt(self, group: _Group, state: State, stretch: Stretch) -> Outcome:
        """Run a round once.

        Raises
        ------
        PeerLostError
            If that may go well with other workers, or at another time.
        """
        given = None
        if not group.futures:
            given = self._handed_over(state, group.addresses[0])
        futures = [self._submit(group, rank, stretch, given) for rank in range(self.job.n_ranks)]
        try:
            outcomes = self._watch(futures, group.addresses)
        except BaseException:
            self._cancel(futures)
            raise
        group.futures = futures  # whose release ends the ranks of the round before
        group.n_rounds += 1
        self.n_bytes += sum(each.n_bytes for each in outcomes)
        return outcomes[0]

    def _handed_over(self, state: State, address: str) -> Future:
        """Return a state on a worker."""
        try:
            (given,) = self.client.scatter(
                [state], workers=[address], hash=False, timeout=SCATTER_TIMEOUT
            )
        except (*CANCELLED, OSError, KeyError, TimeoutError) as error:
            raise PeerLostError(f"the state did not arrive: {error!r}") from error
        return given

    def _submit(self, group: _Group, rank: int, stretch: Stretch, given: Future | None) -> Future:
        earlier = group.futures[rank].key if group.futures else ""
        place = Place(group.name, rank, group.addresses, earlier)
        return self.client.submit(
            run_round,
            self.job,
            place,
            stretch,
            self.shards.futures[rank],
            given,
            key=f"{KEY_PREFIX}-{group.name}-{group.n_rounds}-{rank}",
            workers=[group.addresses[rank]],
            allow_other_workers=False,
            pure=False,
            retries=0,
            priority=PRIORITY,
        )

    def disband(self) -> None:
        """Let go of all ranks: what is under way ends."""
        if self._group is not None:
            self._cancel(self._group.futures)
        self._group = None

    def _cancel(self, futures: Sequence[Future]) -> None:
        with suppress(Exception):  # the scheduler may be gone
            self.client.cancel(list(futures))

    # -- watching -------------------------------------------------------------------------------

    def _watch(self, futures: list[Future], addresses: tuple[str, ...]) -> list[Outcome]:
        """Wait for all tasks; raise as soon as one of them can't end well."""
        while pending := [each for each in futures if each.status == "pending"]:
            wait_a_moment(self.client, pending)
            self._raise_error(futures, addresses)
            if self._is_time():
                self._check_present(addresses)
        self._raise_error(futures, addresses)
        try:
            outcomes: list[Outcome] = fetched(
                self.client, futures, lambda: self._check_present(addresses)
            )
        except (*CANCELLED, OSError, KeyError) as error:
            raise PeerLostError(f"a result was lost: {error!r}") from error
        return outcomes

    def _check_present(self, addresses: tuple[str, ...]) -> None:
        """Raise PeerLostError if one of the workers has left."""
        gone = set(addresses) - set(self._workers())
        if gone:
            raise PeerLostError(f"{', '.join(sorted(gone))} left")

    def _is_time(self) -> bool:
        """Return whether it is time to look at who is there."""
        now = time.monotonic()
        is_time = now - self._looked >= POLL
        if is_time:
            self._looked = now
        return is_time

    def _raise_error(self, futures: list[Future], addresses: tuple[str, ...]) -> None:
        """Raise what has gone wrong, if anything has; what is no loss comes first."""
        if not any(each.status in {"error", "cancelled", "lost"} for each in futures):
            return
        end = time.monotonic() + LAST_WORDS
        while time.monotonic() < end and self._is_any_to_come(futures, addresses):
            wait_a_moment(self.client, [each for each in futures if each.status == "pending"])
        errors: list[Any] = [each.exception() for each in futures if each.status == "error"]
        others = [each for each in errors if not isinstance(each, PeerLostError)]
        if others:
            raise others[0]
        # A future that is "lost" is being made again; one that is "cancelled" never will be.
        shards = enumerate(self.shards.futures)
        validation.check_no_shard_lost([r for r, each in shards if each.status == "cancelled"])
        raise errors[0] if errors else PeerLostError("tasks were cancelled")

    def _is_any_to_come(self, futures: list[Future], addresses: tuple[str, ...]) -> bool:
        """Return whether a task is under way on a worker that is there."""
        here = self._workers()
        return any(
            each.status == "pending" and address in here
            for each, address in zip(futures, addresses, strict=True)
        )

    # -- who is there ---------------------------------------------------------------------------

    def _workers(self) -> list[str]:
        return running_workers(self.client)

    def _await_workers(self) -> list[str]:
        """Return who is there, once anybody is.

        Raises
        ------
        RuntimeError
            If nobody comes within ``worker_timeout`` seconds.
        """
        end = time.monotonic() + self.worker_timeout
        while not (workers := self._workers()):
            validation.check_workers_come(time.monotonic() < end, self.worker_timeout)
            time.sleep(POLL / 5)
        return workers

    def _holders(self) -> list[tuple[str, ...]]:
        """Return which workers have each shard."""
        has = self.client.who_has(self.shards.futures)
        return [tuple(has.get(each.key, ())) for each in self.shards.futures]
