"""How many threads a call may use; threadpoolctl's control of the core; BLAS on a single thread."""

from __future__ import annotations

import ctypes
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache, partial
from importlib.util import find_spec
from typing import TypeVar

import joblib
import threadpoolctl

from fastmlp._version import __version__

__all__ = [
    "CoreController",
    "OwnLock",
    "available_threads",
    "default_threads",
    "one_blas_thread",
    "register_core",
]

T = TypeVar("T")


def available_threads() -> int:
    """Return the most threads that make sense here without a limit set by the user's code.

    The least of the CPUs that affinity and cgroups leave us (joblib knows them) and
    ``OMP_NUM_THREADS``; of a list of numbers, one per nesting level, the first counts.
    """
    n_cpus = _cpus(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 0)
    first = os.environ.get("OMP_NUM_THREADS", "").split(",")[0].strip()
    return min(n_cpus, int(first)) if first.isdigit() and int(first) > 0 else n_cpus


@cache
def _cpus(n_allowed: int) -> int:
    """Return joblib's count: it reads files, and can change only with the affinity's size."""
    return int(joblib.cpu_count())


def default_threads() -> int:
    """Return the size of a team when ``n_threads`` is None.

    Examples
    --------
    >>> from threadpoolctl import threadpool_limits
    >>> with threadpool_limits(1):
    ...     default_threads()
    1
    """
    register_core()
    limit = _core().fastmlp_get_num_threads()
    return min(available_threads(), limit) if limit > 0 else available_threads()


class CoreController(threadpoolctl.LibController):
    """Lets threadpoolctl see and limit the compiled core like any OpenMP library.

    The core keeps no pool: it stores a limit, 0 for none, that is read at the start of each fit
    and prediction. A limit of at least ``available_threads()`` is the same as none and is stored
    so, which is how leaving a ``threadpool_limits`` block restores the state before it.
    """

    user_api = "openmp"
    internal_api = "fastmlp"
    filename_prefixes = ("_core.",)
    check_symbols = ("fastmlp_get_num_threads", "fastmlp_set_num_threads")

    def get_num_threads(self) -> int:
        """Return the number of threads that the next call will use."""
        limit = int(self.dynlib.fastmlp_get_num_threads())
        return min(available_threads(), limit) if limit > 0 else available_threads()

    def set_num_threads(self, num_threads: int) -> None:
        """Limit the calls to come."""
        self.dynlib.fastmlp_set_num_threads(
            0 if num_threads >= available_threads() else num_threads
        )

    def get_version(self) -> str:
        """Return the version of the package that the core belongs to."""
        return __version__


@cache
def _core() -> ctypes.CDLL:
    """Return the compiled core as a C library, without making a Python module of it."""
    spec = find_spec("fastmlp.backends._core")
    if spec is None or spec.origin is None:
        raise ImportError("fastmlp's compiled core is missing; build the package with pip.")
    return ctypes.CDLL(spec.origin)


@cache
def register_core() -> None:
    """Make the core known to threadpoolctl, once per process, and load it.

    A library that threadpoolctl limits must be loaded when the limit is set, so the package does
    this on import; it takes about a millisecond.
    """
    threadpoolctl.register(CoreController)
    _core()


class OwnLock:
    """A lock that a forked child finds open, whatever other threads of its parent were doing.

    What it guards must be whole at any moment, since nobody in the child finishes what they began.
    """

    def __init__(self) -> None:
        self._open()
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._open)

    def _open(self) -> None:
        self._lock = threading.Lock()

    def during(self, do: Callable[[], T]) -> T:
        """Return what ``do`` returns, which is called while the lock is closed.

        Ctrl-C never leaves it closed. It can come after each call of C, and from Python 3.14 on
        also where ``with`` has closed a lock, but has not begun. So one call closes the lock and
        notes that.
        """
        lock, closed = self._lock, list[bool]()
        try:
            closed.extend(map(lock.acquire, (True,)))
            return do()
        finally:
            if closed:
                lock.release()

    def is_closed(self) -> bool:
        """Return whether somebody has closed it."""
        return self._lock.locked()


class _BlasLimit:
    """A limit of one thread on BLAS for as long as somebody wants it.

    Ctrl-C may break off any of its methods. Whoever leaves restores what was before the limit, be
    it that it was set in full, in part, or not at all.
    """

    def __init__(self) -> None:
        self._lock = OwnLock()
        self._wanted_by: set[object] = set()
        self._before: list[tuple[threadpoolctl.LibController, int]] = []
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._forget)

    def _forget(self) -> None:
        """Restore what was, in a child whose parent's threads want the limit."""
        self._wanted_by.clear()
        self._restore()

    def enter(self, who: object) -> None:
        self._lock.during(partial(self._set_for, who))

    def leave(self, who: object) -> None:
        self._lock.during(partial(self._restore_without, who))

    def _set_for(self, who: object) -> None:
        if not self._wanted_by:
            self._before = self._before or [(each, each.num_threads) for each in _blas()]
            for each, _ in self._before:
                each.set_num_threads(1)
        self._wanted_by.add(who)  # last, so that nobody counts whose limit was not set

    def _restore_without(self, who: object) -> None:
        self._wanted_by.discard(who)  # it is not there where a search goes on in a child
        if not self._wanted_by:
            self._restore()

    def _restore(self) -> None:
        for each, n_threads in self._before:
            each.set_num_threads(n_threads)
        self._before = []


_BLAS_LIMIT = _BlasLimit()


@cache
def _blas() -> list[threadpoolctl.LibController]:
    """Return the BLAS libraries that are loaded by now; looking for them takes 1 ms."""
    found = threadpoolctl.ThreadpoolController().select(user_api="blas")
    return list(found.lib_controllers)


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Leave the cores to a team of the core between calls of BLAS, in all threads of the process.

    After a call, OpenBLAS's threads go on polling for the next one, and keep a core each from a
    team that starts meanwhile. Import what brings its own BLAS beforehand. Several Python threads
    may be within at once: the last to leave restores what was.
    """
    who = object()
    try:
        _BLAS_LIMIT.enter(who)
        yield
    finally:
        try:
            _BLAS_LIMIT.leave(who)
        finally:
            _BLAS_LIMIT.leave(who)  # again, as Ctrl-C may have broken off the first time
