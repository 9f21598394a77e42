"""What a fit on a cluster needs of its workers, and what it says if that is missing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NoReturn

__all__ = [
    "check_no_shard_lost",
    "check_round_can_repeat",
    "check_rows_of_batch",
    "check_scheduler_answers",
    "check_workers_come",
    "raise_round_fails",
    "shards_unlike",
]


def check_rows_of_batch(job: Any) -> None:
    """Raise ValueError if batch norm would have to learn from one row of a shard."""
    if not job.plan.has_batch_norm:
        return
    fewest = min(job.n_rows)
    if fewest // job.n_updates < 2:
        raise ValueError(
            "normalization='batch' needs two rows of each shard in each batch, but the smallest "
            f"shard has {fewest} rows for the {job.n_updates} batches of an epoch: raise "
            "batch_size, lower n_shards, or take normalization='layer'."
        )


def check_scheduler_answers(does: bool) -> None:
    """Raise RuntimeError if the client has lost its scheduler."""
    if not does:
        raise RuntimeError(
            "The connection to Dask's scheduler is lost. Connect a new client, and fit again."
        )


def check_workers_come(in_time: bool, seconds: float) -> None:
    """Raise RuntimeError if the cluster has been without workers for too long."""
    if not in_time:
        raise RuntimeError(
            f"The cluster has no workers, and none came within {seconds:g} seconds. Start "
            "workers, and fit again."
        )


def check_no_shard_lost(ranks: Sequence[int]) -> None:
    """Raise RuntimeError if Dask can't make a shard's rows again."""
    if ranks:
        raise RuntimeError(
            f"The rows of shard {ranks[0]} were lost with a worker, and Dask can't make them "
            "again. Give collections that Dask can compute anew, not data scattered to workers."
        )


def check_round_can_repeat(n_failures: int, most: int, why: str) -> None:
    """Raise RuntimeError if a round has failed too often though all workers are there."""
    if n_failures >= most:
        raise RuntimeError(
            f"A round of training failed {n_failures} times though no worker has left: {why}. "
            "Look at the workers' logs; a network between workers may block their connections."
        )


def raise_round_fails(n_times: int) -> NoReturn:
    """Raise RuntimeError: workers leave faster than rounds are done."""
    raise RuntimeError(
        f"A round of training was begun {n_times} times, and each time a worker left before its "
        "end. Give workers more memory or a longer life."
    )


def shards_unlike() -> str:
    """Return what to warn of when ranks learn apart from rows of different targets."""
    return (
        "Shards have rows of different targets, as those of a sorted table do, which makes a worse "
        "model by local updates. Shuffle the rows once, or take exchange='synchronous'."
    )
