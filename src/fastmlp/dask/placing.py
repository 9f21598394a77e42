"""Which worker each rank trains on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence

__all__ = ["placed"]


def placed(
    workers: Collection[str], holders: Sequence[Collection[str]], present: Sequence[str]
) -> tuple[str, ...]:
    """Return the worker of each rank: as many ranks on each, and as few moves as may be.

    Parameters
    ----------
    workers : collection of str
        Addresses; at least one.
    holders : sequence of collections of str, length R
        Who has each rank's shard.
    present : sequence of str, length R or 0
        Where the ranks are now.
    """
    most = -(-len(holders) // len(workers))
    loads = Counter(dict.fromkeys(sorted(workers), 0))
    chosen: dict[int, str] = {}
    wishes: list[list[tuple[int, Collection[str]]]]
    wishes = [[(rank, [place]) for rank, place in enumerate(present)], list(enumerate(holders))]
    for wish in wishes:
        for rank, places in wish:
            fitting = [w for w in sorted(places) if w in loads and loads[w] < most]
            if rank not in chosen and fitting:
                chosen[rank] = min(fitting, key=loads.__getitem__)
                loads[chosen[rank]] += 1
    for rank in range(len(holders)):
        if rank not in chosen:
            chosen[rank] = min(loads, key=loads.__getitem__)
            loads[chosen[rank]] += 1
    return tuple(chosen[rank] for rank in range(len(holders)))
