"""Whether products gain by operands of fewer bits on this machine, which is measured.

Some machines have the instructions but do no more of them at a time than of float32's, so products
are either about as fast or about twice as fast, and more with other instructions.
"""

from __future__ import annotations

import math
import time

from fastmlp.backends import _core

__all__ = ["pays"]

#: Products that are so many times as fast are surely not worth it, or surely are. What is in
#: between is measured again, and not worth it in the end.
SLOW, FAST = 1.2, 1.6
ATTEMPTS = 3

#: Short runs of the microkernel, some microseconds each.
RUNS, ROUNDS = 40, 1

#: What has been found, by instruction set and precision. Threads that measure at the same time
#: take what the first of them has found.
_FOUND: dict[tuple[str, str], bool] = {}


def pays(isa: str, precision: str) -> bool:
    """Return whether products of a precision are faster than those of float32.

    It is measured once in a process, in a millisecond.
    """
    if (isa, precision) not in _FOUND:
        _FOUND.setdefault((isa, precision), _measure(isa, precision))
    return _FOUND[isa, precision]


def _measure(isa: str, precision: str) -> bool:
    for _ in range(ATTEMPTS):
        times_as_fast = gain(isa, precision)
        if not SLOW < times_as_fast < FAST:
            return times_as_fast >= FAST
    return False


def gain(isa: str, precision: str) -> float:
    """Measure how many times as fast products are whose operands are rounded.

    Runs of both take turns, and the best of each counts, so that it does not matter what else the
    machine does.
    """
    both = [_core.Kernels(isa, 4, name) for name in ("highest", precision)]
    seconds = [math.inf, math.inf]
    for _ in range(RUNS):
        for i, kernels in enumerate(both):
            start = time.perf_counter()
            flops = kernels.microkernel_rounds(ROUNDS)
            seconds[i] = min(seconds[i], (time.perf_counter() - start) / flops)
    return seconds[0] / seconds[1]
