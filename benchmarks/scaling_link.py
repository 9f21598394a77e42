"""The exchange between workers by itself: how long sums take, and a link that is made slow."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from distributed import Client, get_worker, secede

from fastmlp.dask.exchange import KEY_PREFIX, Exchange, Message
from fastmlp.dask.sums import weighted_sum_of_ranks

__all__ = ["SlowExchange", "measure_link"]


def measure_link(
    client: Client, sizes: Sequence[int], repeats: int, *, shares_memory: bool
) -> list[dict[str, Any]]:
    """Return the median seconds of sums over all workers, of so many float32 each."""
    exchange = Exchange()
    exchange.shares_memory = shares_memory  # else by messages, as between machines
    client.register_plugin(exchange)
    addresses = tuple(client.scheduler_info()["workers"])
    group = uuid.uuid4().hex
    futures = [
        client.submit(
            seconds_of_sums,
            group,
            rank,
            addresses,
            tuple(sizes),
            repeats,
            key=f"{KEY_PREFIX}-{group}-{rank}",
            workers=[address],
            pure=False,
        )
        for rank, address in enumerate(addresses)
    ]
    seconds = client.gather(futures)[0]
    return [
        {"workers": len(addresses), "bytes": 4 * size, "seconds": float(np.median(each))}
        for size, each in zip(sizes, seconds, strict=True)
    ]


def seconds_of_sums(
    group: str, rank: int, addresses: tuple[str, ...], sizes: tuple[int, ...], repeats: int
) -> list[list[float]]:
    """Take part in sums of each size; return how long each took."""
    worker = get_worker()
    exchange, key = Exchange.of(worker), str(worker.get_current_task())
    secede()
    member = exchange.found(key, group, rank, addresses)
    member.join()
    return [_timed(member, number, size, repeats) for number, size in enumerate(sizes)]


def _timed(member: Any, number: int, size: int, repeats: int) -> list[float]:
    n_ranks = len(member.addresses)
    arrays = [member.zeros(size, np.float32) for _ in range(2)]
    for array in arrays:
        array[...] = 1
    out = np.empty(size, np.float32)
    shares = [1 / n_ranks] * n_ranks
    seconds = []
    for i in range(repeats):
        began = time.perf_counter()
        weighted_sum_of_ranks(member, (number, i), arrays[i % 2], (), lambda _: shares, out)
        seconds.append(time.perf_counter() - began)
    if not np.allclose(out, 1):
        raise AssertionError("the sum is wrong")
    return seconds[repeats // 4 :]


class Delayed:
    """What puts messages into a box some time after they have come, in their order."""

    def __init__(
        self,
        put: Callable[[Message], None],
        loop: Any,
        latency: float,
        loss: float,
        retry: float,
        seed: int,
    ) -> None:
        self.put, self.loop, self.latency, self.loss, self.retry = put, loop, latency, loss, retry
        self.rng = np.random.default_rng(seed)
        self.last = 0.0

    def __call__(self, message: Message) -> None:
        """Put a message later; one that is lost comes after another try."""
        self.loop.call_soon_threadsafe(self._later, message)

    def _later(self, message: Message) -> None:
        delay = self.latency + self.retry * (self.rng.random() < self.loss)
        self.last = max(self.last, self.loop.time() + delay)
        self.loop.call_at(self.last, self.put, message)


class SlowExchange(Exchange):
    """An exchange with a longer latency, and with messages that are lost and sent again."""

    shares_memory = False  # in which nothing comes late

    def __init__(self, latency: float, loss: float, retry: float) -> None:
        self.latency, self.loss, self.retry = latency, loss, retry

    def box(self, group: str, receiver: int, sender: int) -> Any:
        """Return a box into which messages come late."""
        box = super().box(group, receiver, sender)
        if not isinstance(box.put, Delayed):
            seed = 1000 * receiver + sender
            box.put = Delayed(box.put, self.loop, self.latency, self.loss, self.retry, seed)
        return box
