"""How fast this machine moves bytes: a copy between two arrays, by each thread its own."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial

import numpy as np

from fastmlp.cli.timing import interleave
from fastmlp.plan.parameters import aligned_zeros

__all__ = ["LARGEST", "SMALLEST", "copy_bandwidth"]

#: Bytes below which the call from Python would be measured; smaller sets count as this.
SMALLEST = 2**18
#: Beyond any cache.
LARGEST = 2**28
#: From here on the threads copy side by side. Below, their caches are their own, and Python's lock
#: would be measured: one thread's bandwidth is multiplied.
SIDE_BY_SIDE = 2**24
MIN_SECONDS = 0.02
N_ROUNDS = 7


def copy_bandwidth(n_bytes: float, n_threads: int) -> float:
    """Measure how fast bytes move that lie in a set of about ``n_bytes``.

    Parameters
    ----------
    n_bytes : float
        Of all arrays of all threads together; decides which cache they fit into. Rounded to a
        power of two between ``SMALLEST`` and ``LARGEST``.
    n_threads : int
        Each copies a part of its own.

    Returns
    -------
    float
        GB/s of all threads; what is read and what is written count once each. The best of some
        rounds.
    """
    exponent = round(float(np.log2(np.clip(n_bytes, SMALLEST, LARGEST))))
    return _measured(2**exponent, n_threads)


@cache
def _measured(n_bytes: int, n_threads: int) -> float:
    copies = [_copy_within(n_bytes // n_threads) for _ in range(n_threads)]
    if n_bytes < SIDE_BY_SIDE:
        return n_bytes / _best_seconds(copies[0]) / 1e9
    with ThreadPoolExecutor(n_threads) as pool:
        return n_bytes / _best_seconds(partial(_all_at_once, pool, copies)) / 1e9


def _copy_within(n_bytes: int) -> Callable[[], None]:
    """Return a copy whose two arrays have ``n_bytes`` together."""
    target, source = (aligned_zeros(n_bytes // 2, np.uint8) for _ in range(2))
    source.fill(1)
    return partial(np.copyto, target, source)


def _all_at_once(pool: ThreadPoolExecutor, copies: list[Callable[[], None]]) -> None:
    for job in [pool.submit(copy) for copy in copies]:
        job.result()


def _best_seconds(call: Callable[[], object]) -> float:
    timing = interleave({"": call}, n_rounds=N_ROUNDS, min_seconds=MIN_SECONDS)[""]
    return min(timing.seconds)
