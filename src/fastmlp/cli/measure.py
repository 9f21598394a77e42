"""What ``fastmlp bench`` measures: results first checked against NumPy, then timed in turn."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import cache
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from fastmlp.backends import Backend, get_backend
from fastmlp.backends.compiled import attainable_rate, fma_peak
from fastmlp.cli.epochs import EpochRun, GridCell
from fastmlp.cli.kernels import KernelCase, check
from fastmlp.cli.timing import Timing, WrongResultError, interleave

__all__ = [
    "Effort",
    "Measurement",
    "attainable_of",
    "measure_epoch",
    "measure_kernel",
    "peak_of",
    "thread_limit",
]

#: A float32 epoch drifts from another backend's by rounding; wrong formulas are far beyond this.
EPOCH_TOLERANCE = 1e-3


@dataclass(frozen=True)
class Effort:
    """How long to measure: values per candidate, and how long each of them lasts."""

    n_rounds: int = 15
    min_seconds: float = 0.02
    n_epoch_rounds: int = 7

    @classmethod
    def quick(cls) -> Effort:
        """Return a few seconds' worth."""
        return cls(n_rounds=5, min_seconds=0.002, n_epoch_rounds=3)


@dataclass(frozen=True)
class Measurement:
    """One piece of work, timed on several backends.

    Attributes
    ----------
    name, detail : str
    n_elements, flops, n_bytes : int
        Size of the work; 0 where the figure makes no sense.
    n_threads : int
    peak : float
        One thread's FMA peak in GFLOP/s, in the real type of the work.
    attainable : float
        What the core's microkernel reaches of it on packed operands in the caches.
    timings : dict of backend name to Timing
    """

    name: str
    detail: str
    n_elements: int
    flops: int
    n_bytes: int
    n_threads: int
    peak: float
    attainable: float
    timings: dict[str, Timing]

    def gflops(self, backend: str) -> float:
        """Median speed in GFLOP/s."""
        return self.flops / self.timings[backend].median / 1e9

    def gbytes(self, backend: str) -> float:
        """Median traffic in GB/s."""
        return self.n_bytes / self.timings[backend].median / 1e9

    def nanoseconds(self, backend: str) -> float:
        """Median time per element in ns."""
        return self.timings[backend].median / self.n_elements * 1e9

    def peak_fraction(self, backend: str) -> float:
        """Fraction of ``n_threads`` times one thread's FMA peak."""
        return self.gflops(backend) / (self.peak * self.n_threads)

    def attainable_fraction(self, backend: str) -> float:
        """Fraction of ``n_threads`` times the microkernel's rate."""
        return self.gflops(backend) / (self.attainable * self.n_threads)

    @property
    def reference(self) -> str:
        """Name of the candidate that all others are set beside: the first."""
        return next(iter(self.timings))

    def ratio(self, name: str) -> float:
        """Return a candidate's median time over the reference's."""
        return self.timings[name].median / self.timings[self.reference].median

    def as_dict(self) -> dict[str, Any]:
        """Return what a JSON report keeps."""
        timings = {backend: timing.as_dict() for backend, timing in self.timings.items()}
        return asdict(self) | {"timings": timings}


@cache
def peak_of(dtype: np.dtype) -> float:
    """Return one thread's FMA peak in GFLOP/s, measured once in a process."""
    return float(fma_peak(dtype))


@cache
def attainable_of(dtype: np.dtype) -> float:
    """Return the rate of one thread's microkernel in GFLOP/s, measured once in a process."""
    return float(attainable_rate(dtype))


@contextmanager
def thread_limit(n_threads: int) -> Iterator[None]:
    """Hold the thread pools that a backend may use below us to ``n_threads``."""
    numba = sys.modules.get("numba")
    before = numba.get_num_threads() if numba else 0
    with threadpool_limits(n_threads):
        if numba:
            numba.set_num_threads(min(n_threads, numba.config.NUMBA_NUM_THREADS))
        yield
        if numba:
            numba.set_num_threads(before)


def measure_kernel(case: KernelCase, names: Sequence[str], effort: Effort) -> Measurement:
    """Check and time one kernel, on one thread.

    Raises
    ------
    WrongResultError
        A backend's result differs from the reference's.
    """
    backends = {name: get_backend(name) for name in names}
    with thread_limit(1):
        check(case, list(backends.values()), get_backend("numpy"))
        timings = interleave(
            {name: _bind(case.call, backend) for name, backend in backends.items()},
            n_rounds=effort.n_rounds,
            min_seconds=effort.min_seconds,
        )
    real = case.outputs[0].dtype
    return Measurement(
        name=case.name,
        detail=case.detail,
        n_elements=case.n_elements,
        flops=case.flops,
        n_bytes=case.n_bytes,
        n_threads=1,
        peak=peak_of(real),
        attainable=attainable_of(real),
        timings=timings,
    )


def _bind(call: Callable[[Backend], None], backend: Backend) -> Callable[[], None]:
    return lambda: call(backend)


def measure_epoch(
    cell: GridCell, names: Sequence[str], dtype: np.dtype, n_threads: int, effort: Effort
) -> Measurement:
    """Check the first epoch's loss and time the next ones.

    Raises
    ------
    WrongResultError
        A backend's loss differs from the reference's.
    """
    with thread_limit(n_threads):
        expected = EpochRun(cell, get_backend("numpy"), dtype, n_threads)()
        runs = {name: EpochRun(cell, get_backend(name), dtype, n_threads) for name in names}
        for name, run in runs.items():
            loss = run()
            if not abs(loss - expected) <= EPOCH_TOLERANCE * expected:
                raise WrongResultError(
                    f"an epoch of {cell.name} on {name} ends with loss {loss:.6g}, "
                    f"on numpy with {expected:.6g}"
                )
        timings = interleave(runs, n_rounds=effort.n_epoch_rounds)
    return Measurement(
        name=f"epoch {cell.name}",
        detail=cell.describe(),
        n_elements=cell.n_samples,
        flops=cell.flops,
        n_bytes=0,
        n_threads=n_threads,
        peak=peak_of(dtype),
        attainable=attainable_of(dtype),
        timings=timings,
    )
