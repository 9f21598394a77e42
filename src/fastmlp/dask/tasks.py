"""What Dask runs on the workers: a task of each rank for each round."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple

from distributed import get_worker, secede

from fastmlp.backends import Totals
from fastmlp.dask.exchange import Exchange, Member
from fastmlp.dask.rounds import Job, State, Stretch, Trainee

if TYPE_CHECKING:
    from fastmlp.dask.shards import Shard

__all__ = ["Outcome", "Place", "run_round"]


class Place(NamedTuple):
    """Where a rank stands.

    Attributes
    ----------
    group : str
        Name of those who train together; others have another name.
    rank : int
    addresses : tuple of str
        Workers of all ranks.
    earlier : str
        Key of the rank's task in the round before; "" in the first round of a group.
    """

    group: str
    rank: int
    addresses: tuple[str, ...]
    earlier: str


class Outcome(NamedTuple):
    """What a rank hands back.

    Attributes
    ----------
    totals : Totals
        Of all ranks.
    n_bytes : int
        Of the arrays that this rank has sent.
    seconds : float
        That the round took here.
    exchanging : float
        Those of them in which the rank sent, waited and summed.
    state : State or None
        Of the first rank only: all have the same.
    """

    totals: Totals
    n_bytes: int
    seconds: float
    exchanging: float
    state: State | None


def run_round(job: Job, place: Place, stretch: Stretch, shard: Shard, state: State) -> Outcome:
    """Make the updates of a round, together with the tasks of all other ranks.

    It leaves Dask's pool of threads at once: ranks wait for each other, and must not keep the
    tasks of others from beginning.

    Parameters
    ----------
    job : Job
    place : Place
    stretch : Stretch
    shard : Shard
    state : State or None
        What the round begins with; None where the rank has it from the round before.

    Raises
    ------
    PeerLostError
        If another rank is gone, or nobody waits for this one any more.
    """
    worker = get_worker()
    exchange, key = Exchange.of(worker), str(worker.get_current_task())
    secede()
    if place.earlier:
        member = exchange.take_over(key, place.earlier)
    else:
        member = exchange.found(key, place.group, place.rank, place.addresses)
    try:
        return _train(member, job, stretch, shard, state, worker.state.nthreads)
    except BaseException:
        member.close("another rank has failed")
        raise


def _train(
    member: Member, job: Job, stretch: Stretch, shard: Shard, state: State | None, n_threads: int
) -> Outcome:
    began, sent = time.perf_counter(), member.n_bytes
    if member.kept is None:
        member.join()
    if state is not None:
        here = member.addresses.count(member.addresses[member.rank])
        member.kept = Trainee(job, member, max(1, n_threads // here), state)
    trainee: Trainee = member.kept
    before = trainee.exchanging
    totals = trainee.train(shard.rows, stretch)
    member.check()
    left = None if member.rank else State(*(each.copy() for each in trainee.state))
    return Outcome(
        totals=totals,
        n_bytes=member.n_bytes - sent,
        seconds=time.perf_counter() - began,
        exchanging=trainee.exchanging - before,
        state=left,
    )
