"""The best of several settings, found by trying them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from time import perf_counter

from fastmlp.cli.timing import interleave
from fastmlp.threads import default_threads

__all__ = ["Choice", "fastest", "thread_counts"]

N_ROUNDS = 3
#: One value decides on a call that takes longer than this.
LONG = 0.3


@dataclass(frozen=True)
class Choice:
    """The fastest setting's name, and what the first calls of all took beyond later ones."""

    name: str
    compile_seconds: float


def thread_counts() -> dict[str, int]:
    """Return the numbers of threads worth trying: one, and all that the benchmark allows."""
    n_threads = default_threads()
    return {"1 thread": 1} | ({f"{n_threads} threads": n_threads} if n_threads > 1 else {})


def fastest(calls: Mapping[str, Callable[[], object]], min_seconds: float = 0.0) -> Choice:
    """Call each in turn, the first time to compile; the best of some rounds decides.

    Long calls have one round.

    Parameters
    ----------
    calls : mapping of name to callable
    min_seconds : float, default=0
        A short call is repeated until so much time has passed.
    """
    first = {name: _seconds(call) for name, call in calls.items()}
    best = {name: _seconds(call) for name, call in calls.items()}
    if min(best.values()) < LONG:
        timings = interleave(calls, n_rounds=N_ROUNDS, min_seconds=min_seconds)
        best = {name: min(timing.seconds) for name, timing in timings.items()}
    name = min(best, key=best.__getitem__)
    # All of them: settings may share what the first of them compiled.
    return Choice(name, sum(max(0.0, first[other] - best[other]) for other in calls))


def _seconds(call: Callable[[], object]) -> float:
    start = perf_counter()
    call()
    return perf_counter() - start
