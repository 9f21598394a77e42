"""Results of tasks, which are not waited for where nobody is there to make them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from distributed import Client, Future, wait
from distributed.client import FutureCancelledError, FuturesCancelledError

from fastmlp import validation

__all__ = [
    "CANCELLED",
    "POLL",
    "WORKER_TIMEOUT",
    "fetched",
    "gathered",
    "running_workers",
    "wait_a_moment",
]

#: Seconds between two looks at who is there.
POLL = 0.5

#: Seconds to wait for workers when there is none.
WORKER_TIMEOUT = 60.0

#: What Dask raises of one task, and of several, that nobody will do any more.
CANCELLED = (FutureCancelledError, FuturesCancelledError)


def running_workers(client: Client) -> list[str]:
    """Return the addresses of workers that take tasks.

    Raises
    ------
    RuntimeError
        If the client has lost its scheduler.
    """
    workers = client.scheduler_info(n_workers=-1).get("workers")
    validation.check_scheduler_answers(client.status == "running" and workers is not None)
    return [address for address, about in workers.items() if about["status"] == "running"]


def wait_a_moment(client: Client, futures: Sequence[Future]) -> None:
    """Wait until one of the tasks has ended, or for ``POLL`` seconds."""
    with suppress(TimeoutError, *CANCELLED), client.as_current():
        wait(futures, timeout=POLL, return_when="FIRST_COMPLETED")


def fetched(client: Client, futures: Sequence[Future], check: Callable[[], None]) -> list[Any]:
    """Return what tasks have made; ``check`` is called now and then, and may raise.

    A worker that dies before its result has been sent would else be waited for.
    """

    async def ask() -> list[Any]:
        results: list[Any] = await client.gather(list(futures), asynchronous=True)
        return results

    asked = asyncio.run_coroutine_threadsafe(ask(), client.loop.asyncio_loop)
    try:
        while True:
            try:
                return asked.result(POLL)
            except TimeoutError:
                if asked.done():  # it is Dask's, which would come again and again
                    raise
                check()
    finally:
        asked.cancel()


def gathered(client: Client, futures: Sequence[Future]) -> list[Any]:
    """Return what tasks make.

    Parameters
    ----------
    client : distributed.Client
    futures : sequence of Future, length n

    Returns
    -------
    list, length n

    Raises
    ------
    RuntimeError
        If the cluster is without workers for ``WORKER_TIMEOUT``.
    """
    last_seen = time.monotonic()

    def check() -> None:
        nonlocal last_seen
        now = time.monotonic()
        last_seen = now if running_workers(client) else last_seen
        validation.check_workers_come(now - last_seen < WORKER_TIMEOUT, WORKER_TIMEOUT)

    return fetched(client, futures, check)
