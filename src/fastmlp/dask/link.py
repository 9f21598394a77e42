"""Which way of exchange a link between workers is fast enough for."""

from __future__ import annotations

from typing import NamedTuple

from fastmlp.dask.cluster import Cluster
from fastmlp.dask.rounds import State

__all__ = ["LOCAL", "SYNCHRONOUS", "WAYS", "Chosen", "choose"]

SYNCHRONOUS, LOCAL = "synchronous", "local"

#: Names of the ways of exchange.
WAYS = (SYNCHRONOUS, LOCAL)


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


def choose(cluster: Cluster, state: State, exchange: str, local_steps: int | str) -> Chosen:
    """Return how ranks exchange what they learn."""
    way = SYNCHRONOUS if exchange == "auto" else exchange
    steps = 32 if local_steps == "auto" else int(local_steps)
    return Chosen(way, 1 if way == SYNCHRONOUS else steps, f"{way}")
