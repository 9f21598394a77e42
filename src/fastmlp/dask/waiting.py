"""Results of tasks, which are not waited for where nobody is there to make them."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from distributed import Client, Future, wait
from distributed.client import FutureCancelledError, FuturesCancelledError

from fastmlp import validation

__all__ = ["CANCELLED", "POLL", "WORKER_TIMEOUT", "gathered", "running_workers", "wait_a_moment"]

#: Seconds between two looks at who is there.
POLL = 0.5

#: Seconds to wait for workers when there is none.
WORKER_TIMEOUT = 60.0

#: What Dask raises of one task, and of several, that nobody will do any more.
CANCELLED = (FutureCancelledError, FuturesCancelledError)


def running_workers(client: Client) -> list[str]:
    """Return the addresses of workers that take tasks."""
    workers = client.scheduler_info(n_workers=-1)["workers"]
    return [address for address, about in workers.items() if about["status"] == "running"]


def wait_a_moment(futures: Sequence[Future]) -> None:
    """Wait until one of the tasks has ended, or for ``POLL`` seconds."""
    with suppress(TimeoutError, *CANCELLED):
        wait(futures, timeout=POLL, return_when="FIRST_COMPLETED")


def gathered(
    client: Client, futures: Sequence[Future], worker_timeout: float | None = None
) -> list[Any]:
    """Return what tasks make.

    Parameters
    ----------
    client : distributed.Client
    futures : sequence of Future, length n
    worker_timeout : float, default=None
        Seconds that the cluster may be without workers; None for ``WORKER_TIMEOUT``.

    Returns
    -------
    list, length n

    Raises
    ------
    RuntimeError
        If the cluster is without workers for so long.
    """
    seconds = WORKER_TIMEOUT if worker_timeout is None else worker_timeout
    last_seen = looked = time.monotonic()
    while pending := [each for each in futures if each.status == "pending"]:
        wait_a_moment(pending)
        now = time.monotonic()
        if now - looked >= POLL:
            looked = now
            last_seen = now if running_workers(client) else last_seen
            validation.check_workers_come(now - last_seen < seconds, seconds)
    results: list[Any] = client.gather(list(futures))
    return results
