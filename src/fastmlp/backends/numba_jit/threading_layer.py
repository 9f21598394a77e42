# mypy: disable-error-code="no-untyped-call,attr-defined"
# (Numba declares no types for its configuration)
"""Numba's threads: how many a call may use, and what its layer cannot do.

Numba hands parallel loops to one of three layers and chooses when the first one is loaded:

- ``tbb`` (when installed) and ``omp`` may be entered by several Python threads at once.
- ``omp`` on GNU's OpenMP ends a forked child that enters it when the parent's was loaded. Such a
  child therefore computes on one thread; the results are the same. It also lets a waiting thread
  spin for milliseconds, which on a busy machine makes two threads slower than one: when it is
  loaded from here, threads spin for a fraction of a millisecond and then sleep.
- ``workqueue`` ends the process when two threads enter it at once, so they wait for each other
  here; and it takes some 0.1 ms to start and stop a loop, so only large batches use it.

The user's own choice of a layer, in Numba's configuration, is left alone.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import numba
from numba import config
from numba.np.ufunc.parallel import threading_layer

__all__ = ["launch", "team"]

#: Floating-point operations of a phase below which threads cost more than they save.
_WORTH_A_TEAM = {"tbb": 2e6, "omp": 1e6, "workqueue": 2e7}
#: How often GNU's OpenMP looks before a waiting thread sleeps, and the variables by which a user
#: says otherwise. The library reads them once, when it is loaded.
_SPIN_COUNT = "3000"
_SPIN_VARIABLES = ("GOMP_SPINCOUNT", "OMP_WAIT_POLICY")


class _State:
    """What a fork changes."""

    def __init__(self) -> None:
        self.turn = threading.Lock()
        self.omp_is_the_parents = False


_state = _State()


def _after_fork_in_child() -> None:
    # Another thread of the parent may have held the lock.
    _state.turn = threading.Lock()
    with suppress(ValueError):  # none loaded yet: the child loads its own
        _state.omp_is_the_parents |= threading_layer() == "omp"


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork_in_child)


@contextmanager
def _short_spin() -> Iterator[None]:
    """Let GNU's OpenMP, if it is loaded meanwhile, spin briefly; the environment is restored."""
    if any(name in os.environ for name in _SPIN_VARIABLES):
        yield
        return
    try:
        os.environ["GOMP_SPINCOUNT"] = _SPIN_COUNT
        yield
    finally:
        os.environ.pop("GOMP_SPINCOUNT", None)


def launch() -> str:
    """Load Numba's threading layer, if none is, and return its name.

    Compiled code with parallel loops refers to it and cannot be read from the cache before.
    """
    with suppress(ValueError):
        return str(threading_layer())
    with _state.turn, _short_spin():
        numba.get_num_threads()
    return str(threading_layer())


def _worth_a_team(layer: str, flops: float) -> bool:
    usable = not (layer == "omp" and _state.omp_is_the_parents)
    return usable and flops >= _WORTH_A_TEAM[layer]


@contextmanager
def team(n_threads: int, flops: float) -> Iterator[int]:
    """Reserve threads for one call of compiled code.

    Parameters
    ----------
    n_threads : int
        The most threads that the call may use.
    flops : float
        Floating-point operations between two meetings of the threads.

    Yields
    ------
    int
        Into how many shares to divide the work. One means that no parallel loop may be entered.
    """
    layer = launch()
    if n_threads <= 1 or not _worth_a_team(layer, flops):
        yield 1
        return
    before = numba.get_num_threads()
    turn = _state.turn if layer == "workqueue" else threading.Lock()
    with turn:
        try:
            numba.set_num_threads(min(n_threads, config.NUMBA_NUM_THREADS))
            yield n_threads
        finally:
            numba.set_num_threads(before)
