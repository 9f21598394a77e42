"""The candidates of the benchmarks: one class each, run in a process of its own.

A process of its own lets each have its best environment (thread counts, OpenBLAS's kernels) and
keeps one library's thread pool out of another's way. To add a peer, write a class and put it into
``PEERS``.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, partial
from multiprocessing import get_context
from time import perf_counter
from typing import Any, ClassVar

import numpy as np
from sklearn import config_context

from fastmlp.cli.epochs import GRID, GridCell

__all__ = ["PEERS", "Peer", "PeerProcess", "Result"]

#: OpenBLAS chooses its kernels itself, also where the machine's environment says otherwise.
OPENBLAS_FREE = {"OPENBLAS_CORETYPE": None, "OPENBLAS_L2_SIZE": None}


@dataclass(frozen=True)
class Result:
    """One fit: seconds per epoch and the mean loss of each epoch."""

    seconds_per_epoch: float
    loss_curve: list[float]


class Peer:
    """What is compared; ``settings`` says in words how it was given its best."""

    name: ClassVar[str]
    settings: ClassVar[str]
    #: Set (or, with None, removed) before the process starts.
    environment: ClassVar[dict[str, str | None]] = OPENBLAS_FREE

    @classmethod
    def is_available(cls) -> bool:
        """Whether it can run on this machine."""
        return True

    def prepare(
        self, cell: GridCell, X: np.ndarray, y: np.ndarray, n_epochs: int
    ) -> Callable[[], list[float]]:
        """Return a call that trains from new on X (N, I), y (N,) and returns the loss curve.

        Every peer starts from the parameters of ``random_state=0`` by scikit-learn's rule where it
        can, so that the first epochs' losses can be compared.
        """
        raise NotImplementedError


class EstimatorPeer(Peer):
    """Anything with scikit-learn's constructor names."""

    @staticmethod
    def estimator(is_regression: bool) -> Callable[..., Any]:
        """Return the class to be constructed."""
        raise NotImplementedError

    def prepare(
        self, cell: GridCell, X: np.ndarray, y: np.ndarray, n_epochs: int
    ) -> Callable[[], list[float]]:
        """Return a call of ``fit`` that runs exactly ``n_epochs``."""
        model = self.estimator(cell.is_regression)(
            hidden_layer_sizes=cell.layer_sizes[1:-1],
            solver=cell.optimizer,
            batch_size=cell.batch_size,
            nesterovs_momentum=False,
            max_iter=n_epochs,
            n_iter_no_change=n_epochs,
            random_state=0,
        )
        return lambda: list(model.fit(X, y).loss_curve_)


class FastmlpPeer(EstimatorPeer):
    """Our own estimators; the subclasses name the backend."""

    backend: ClassVar[str]

    @classmethod
    def estimator(cls, is_regression: bool) -> Callable[..., Any]:
        """Return an estimator class bound to the backend."""
        import fastmlp

        kind = fastmlp.MLPRegressor if is_regression else fastmlp.MLPClassifier
        return partial(kind, backend=cls.backend)


class Compiled(FastmlpPeer):
    """The compiled core."""

    name = "fastmlp"
    settings = "backend compiled, instruction set chosen at import"
    backend = "compiled"


class Numba(FastmlpPeer):
    """The JIT backend."""

    name = "fastmlp numba"
    settings = "backend numba, compiled before the timing"
    backend = "numba"


class Numpy(FastmlpPeer):
    """The reference."""

    name = "fastmlp numpy"
    settings = "backend numpy on OpenBLAS"
    backend = "numpy"


class ScikitLearn(EstimatorPeer):
    """scikit-learn's own MLP on float32 input."""

    name = "scikit-learn"
    settings = "float32 input, checks for finite values off, OpenBLAS chooses its kernels"

    @staticmethod
    def estimator(is_regression: bool) -> Callable[..., Any]:
        """Return scikit-learn's class."""
        from sklearn.neural_network import MLPClassifier, MLPRegressor

        return MLPRegressor if is_regression else MLPClassifier


class ScikitLearnAVX512(ScikitLearn):
    """The same on OpenBLAS's AVX-512 kernels, which it leaves unused on some CPUs that could."""

    name = "scikit-learn SkylakeX"
    settings = "as scikit-learn, with OPENBLAS_CORETYPE=SkylakeX"
    environment = OPENBLAS_FREE | {"OPENBLAS_CORETYPE": "SkylakeX"}

    @classmethod
    def is_available(cls) -> bool:
        """Whether the CPU has AVX-512."""
        from fastmlp.backends.compiled import available_isas

        return any("v4" in isa for isa in available_isas())


PEERS: dict[str, type[Peer]] = {
    peer.name: peer for peer in (Compiled, Numba, Numpy, ScikitLearn, ScikitLearnAVX512)
}


class PeerProcess:
    """A peer in a process of its own, which lives until ``close``."""

    def __init__(self, name: str, n_threads: int) -> None:
        self.name = name
        threads = {
            f"{library}_NUM_THREADS": str(n_threads) for library in ("OMP", "OPENBLAS", "MKL")
        }
        with _environment(PEERS[name].environment | threads):
            self._pool = ProcessPoolExecutor(1, mp_context=get_context("spawn"))
            self.blas = self._pool.submit(_blas_kernels).result()

    def fit(self, cell: str, n_epochs: int) -> Result:
        """Train a cell of the grid from new."""
        return self._pool.submit(_fit, self.name, cell, n_epochs).result()

    def close(self) -> None:
        """End the process."""
        self._pool.shutdown()


@contextmanager
def _environment(changes: dict[str, str | None]) -> Iterator[None]:
    """Change environment variables for the processes that start inside the block."""
    before = {name: os.environ.get(name) for name in changes}
    _set_environment(changes)
    try:
        yield
    finally:
        _set_environment(before)


def _set_environment(values: dict[str, str | None]) -> None:
    for name, value in values.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


def _blas_kernels() -> str:
    """Return which kernels NumPy's BLAS runs in this process."""
    from threadpoolctl import threadpool_info

    return ", ".join(
        f"{pool['internal_api']} {pool.get('architecture', '')} × {pool['num_threads']}"
        for pool in threadpool_info()
        if pool["user_api"] == "blas"
    )


@cache
def _data(cell: str) -> tuple[np.ndarray, np.ndarray]:
    return GRID[cell].data(np.dtype(np.float32))


def _fit(peer: str, cell: str, n_epochs: int) -> Result:
    X, y = _data(cell)
    # The number of epochs is ours, so that it is reached is no news; X is known to be finite.
    with warnings.catch_warnings(), config_context(assume_finite=True):
        warnings.simplefilter("ignore")
        call = PEERS[peer]().prepare(GRID[cell], X, y, n_epochs)
        start = perf_counter()
        loss_curve = call()
        seconds = perf_counter() - start
    return Result(seconds / n_epochs, loss_curve)
