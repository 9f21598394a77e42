"""Timing that survives a noisy machine: interleaved runs, median and quartiles.

Every round runs each candidate once, so that a slow second of the machine hits all of them alike,
and every other round runs them backwards, so that none always follows the same neighbour.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from time import perf_counter

import numpy as np

from fastmlp.cli.errors import CommandError

__all__ = ["Timing", "WrongResultError", "interleave", "rounds_of"]


class WrongResultError(CommandError, RuntimeError):
    """A candidate's result is wrong, so there is nothing to time."""


@dataclass(frozen=True)
class Timing:
    """Seconds per call, one value a round."""

    seconds: tuple[float, ...]

    @property
    def median(self) -> float:
        """Median of the rounds, in seconds."""
        return float(np.median(self.seconds))

    @property
    def quartiles(self) -> tuple[float, float]:
        """First and third quartile of the rounds, in seconds."""
        low, high = np.quantile(self.seconds, (0.25, 0.75))
        return float(low), float(high)

    @property
    def spread(self) -> float:
        """Distance between the quartiles as a fraction of the median."""
        low, high = self.quartiles
        return (high - low) / self.median

    def as_dict(self) -> dict[str, float | list[float]]:
        """Return what a JSON report keeps."""
        return {"median_s": self.median, "spread": self.spread, "seconds": list(self.seconds)}


def rounds_of(names: list[str], n_rounds: int) -> list[str]:
    """Return the order of the runs: each name once a round, every other round backwards.

    >>> rounds_of(["a", "b"], 3)
    ['a', 'b', 'b', 'a', 'a', 'b']
    """
    return [name for i in range(n_rounds) for name in (names if i % 2 == 0 else names[::-1])]


def interleave(
    calls: Mapping[str, Callable[[], object]], *, n_rounds: int, min_seconds: float = 0.0
) -> dict[str, Timing]:
    """Time several calls in turn.

    Parameters
    ----------
    calls : mapping of name to callable
        Each is called once beforehand, to compile, allocate and warm the caches.
    n_rounds : int
        Values per call.
    min_seconds : float, default=0
        A short call is repeated within a round until a value spans about so long.
    """
    loops = {name: _loops_for(call, min_seconds) for name, call in calls.items()}
    seconds: dict[str, list[float]] = {name: [] for name in calls}
    for name in rounds_of(list(calls), n_rounds):
        seconds[name].append(_seconds(calls[name], loops[name]) / loops[name])
    return {name: Timing(tuple(values)) for name, values in seconds.items()}


def _seconds(call: Callable[[], object], loops: int) -> float:
    start = perf_counter()
    for _ in range(loops):
        call()
    return perf_counter() - start


def _loops_for(call: Callable[[], object], min_seconds: float) -> int:
    """Return how often to call within one value; doubles until a value lasts long enough."""
    call()
    loops = 1
    while min_seconds > 0 and _seconds(call, loops) < min_seconds:
        loops *= 2
    return loops
