"""Which way of exchange a link between workers is fast enough for."""

from __future__ import annotations

import math
from typing import NamedTuple

from fastmlp.dask.cluster import Cluster
from fastmlp.dask.rounds import State, Stretch

__all__ = ["LOCAL", "SYNCHRONOUS", "WAYS", "Chosen", "choose", "decide"]

SYNCHRONOUS, LOCAL = "synchronous", "local"

#: Names of the ways of exchange.
WAYS = (SYNCHRONOUS, LOCAL)

#: What an exchange may cost: a tenth of the time if each update has one, else a fiftieth.
MOST_OF_SYNCHRONOUS, MOST_OF_LOCAL = 0.1, 0.02

#: Local updates between two averages; more of them let networks drift apart.
FEWEST_STEPS, MOST_STEPS = 8, 256

_UNLIKE = (
    "Workers sum the gradients of each update, since the targets of their rows differ, as those of "
    "a sorted table do."
)


class Chosen(NamedTuple):
    """A way of exchange.

    Attributes
    ----------
    way : {"synchronous", "local"}
    local_steps : int
        Updates between two exchanges: 1 of the synchronous way.
    why : str
        A sentence.
    """

    way: str
    local_steps: int
    why: str


def choose(
    cluster: Cluster,
    state: State,
    trial: Stretch,
    exchange: str,
    local_steps: int | str,
    *,
    is_free: bool,
    are_unlike: bool,
) -> Chosen:
    """Return how ranks exchange what they learn: as the user says, or as the link is fit for.

    Parameters
    ----------
    cluster : Cluster
    state : State
    trial : Stretch
        Synchronous updates that are made and forgotten where the link is measured.
    exchange : {"auto", "synchronous", "local"}
    local_steps : int or "auto"
    is_free : bool
        Whether sums of gradients can follow all schedules of the fit: those of dropout and label
        smoothing they can't.
    are_unlike : bool
        Whether the targets of some shard are others than of all. Networks that learn from such
        shards for a while before they are averaged unlearn what they lack.
    """
    steps = None if local_steps == "auto" else int(local_steps)
    if exchange == SYNCHRONOUS:
        return Chosen(SYNCHRONOUS, 1, "Workers sum the gradients of each update, as asked for.")
    if not is_free:
        exchange = LOCAL
    if exchange == LOCAL and steps is not None:
        return Chosen(LOCAL, steps, _local(steps) + ", as asked for.")
    if cluster.job.n_ranks == 1 and is_free:
        return Chosen(SYNCHRONOUS, 1, "One worker learns alone.")
    if exchange == "auto" and are_unlike:
        return Chosen(SYNCHRONOUS, 1, _UNLIKE)
    cluster.run(state, trial, True)  # connections, threads and caches are made ready
    outcome = cluster.run(state, trial, False)  # by the same ranks, whatever they have learnt
    n_updates = len(trial.updates)
    exchanging = outcome.exchanging / n_updates
    computing = max(outcome.seconds / n_updates - exchanging, 1e-9)
    n_vectors = 1 + cluster.job.n_moments
    return decide(computing, exchanging, n_vectors, is_free=exchange == "auto", steps=steps)


def decide(
    computing: float, exchanging: float, n_vectors: int, *, is_free: bool, steps: int | None
) -> Chosen:
    """Return the way of exchange for what was measured.

    Parameters
    ----------
    computing, exchanging : float
        Seconds of an update, without its exchange and of that.
    n_vectors : int
        Arrays as large as a gradient that an average sends.
    is_free : bool
        Whether the synchronous way may be taken.
    steps : int or None
        Local updates between two averages, if the user has said how many.
    """
    share = exchanging / (computing + exchanging)
    measured = (
        f"an update takes {1e3 * computing:.1f} ms of computing and {1e3 * exchanging:.1f} ms of "
        f"exchange ({share:.0%})"
    )
    if is_free and share <= MOST_OF_SYNCHRONOUS:
        return Chosen(
            SYNCHRONOUS, 1, f"Workers sum the gradients of each update, since {measured}."
        )
    if steps is None:
        wanted = max(n_vectors * exchanging / (MOST_OF_LOCAL * computing), 1)
        # A power of two, so that small differences of time seldom make another network.
        power = 2 ** round(math.log2(wanted))
        steps = min(max(power, FEWEST_STEPS), MOST_STEPS)
    return Chosen(LOCAL, steps, f"{_local(steps)}, since {measured}.")


def _local(steps: int) -> str:
    return f"Workers average their networks after every {steps} updates of their own"
