"""The candidates of the benchmarks: one class each, run in a process of its own.

A process of its own lets each have its best environment (thread counts, OpenBLAS's kernels) and
keeps one library's thread pool out of another's way. To add a peer, write a class and put it into
``PEERS``.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cache, partial
from multiprocessing import get_context
from time import perf_counter
from typing import Any, ClassVar

import numpy as np
from sklearn import config_context

from fastmlp.cli.epochs import GRID, GridCell
from fastmlp.cli.timing import interleave

__all__ = ["PEERS", "Peer", "PeerProcess", "Result", "open_peers"]

#: OpenBLAS chooses its kernels itself, also where the machine's environment says otherwise.
OPENBLAS_FREE = {"OPENBLAS_CORETYPE": None, "OPENBLAS_L2_SIZE": None}

#: So many rows of a prediction go back to be compared with the other peers'.
COMPARED_ROWS = 100


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
    #: False for what only predicts.
    trains: ClassVar[bool] = True

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

    def prepare_prediction(
        self, cell: GridCell, X: np.ndarray, y: np.ndarray
    ) -> Callable[[np.ndarray], np.ndarray]:
        """Train one epoch; return a call from rows (K, I) to outputs (K, C).

        The outputs of a classifier are probabilities; (K,) will do for C = 1.
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
        model = self._model(cell, n_epochs)
        return lambda: list(model.fit(X, y).loss_curve_)

    def prepare_prediction(
        self, cell: GridCell, X: np.ndarray, y: np.ndarray
    ) -> Callable[[np.ndarray], np.ndarray]:
        """Return ``predict`` or ``predict_proba`` of a fitted estimator."""
        model = self._model(cell, 1).fit(X, y)
        return model.predict if cell.is_regression else model.predict_proba

    def _model(self, cell: GridCell, n_epochs: int) -> Any:
        return self.estimator(cell.is_regression)(
            hidden_layer_sizes=cell.layer_sizes[1:-1],
            solver=cell.optimizer,
            batch_size=cell.batch_size,
            nesterovs_momentum=False,
            max_iter=n_epochs,
            n_iter_no_change=n_epochs,
            random_state=0,
        )


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


class Prepared(Compiled):
    """The compiled core through the object that is checked once."""

    name = "Predictor"
    settings = "fastmlp.Predictor, all threads"
    trains = False

    def prepare_prediction(
        self, cell: GridCell, X: np.ndarray, y: np.ndarray
    ) -> Callable[[np.ndarray], np.ndarray]:
        """Return a prepared predictor."""
        from fastmlp import Predictor
        from fastmlp.threads import default_threads

        return Predictor(self._model(cell, 1).fit(X, y), n_threads=default_threads())


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

    name = "sklearn SkylakeX"
    settings = "as scikit-learn, with OPENBLAS_CORETYPE=SkylakeX"
    environment = OPENBLAS_FREE | {"OPENBLAS_CORETYPE": "SkylakeX"}

    @classmethod
    def is_available(cls) -> bool:
        """Whether the CPU has AVX-512 and OpenBLAS, left alone, does not use it."""
        from fastmlp.backends.compiled import available_isas

        return any("v4" in isa for isa in available_isas()) and "SkylakeX" not in _blas_kernels()


PEERS: dict[str, type[Peer]] = {
    peer.name: peer for peer in (Compiled, Prepared, Numba, Numpy, ScikitLearn, ScikitLearnAVX512)
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

    def predict(self, cell: str, n_rows: int, min_seconds: float) -> tuple[float, np.ndarray]:
        """Return seconds per call on ``n_rows`` rows, and the first outputs."""
        return self._pool.submit(_predict, self.name, cell, n_rows, min_seconds).result()

    def close(self) -> None:
        """End the process."""
        self._pool.shutdown()


@contextmanager
def open_peers(
    names: Iterable[str], n_threads: int, say: Callable[[str], object]
) -> Iterator[dict[str, PeerProcess]]:
    """Start those of the named peers that can run here, say how each is set, and end them after."""
    with ExitStack() as stack:
        processes = {}
        for name in names:
            if PEERS[name].is_available():
                processes[name] = PeerProcess(name, n_threads)
                stack.callback(processes[name].close)
                say(f"[bold]{name}[/]: {PEERS[name].settings}; BLAS: {processes[name].blas}")
        yield processes


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

    pools = [
        f"{pool['internal_api']} {pool.get('architecture', '')} × {pool['num_threads']}"
        for pool in threadpool_info()
        if pool["user_api"] == "blas"
    ]
    return ", ".join(dict.fromkeys(pools))  # NumPy's and SciPy's, once when they are alike


@cache
def _data(cell: str) -> tuple[np.ndarray, np.ndarray]:
    return GRID[cell].data(np.dtype(np.float32))


@contextmanager
def _best_settings() -> Iterator[None]:
    """Skip checks: X is finite, and that the epochs we asked for were reached is no news."""
    with warnings.catch_warnings(), config_context(assume_finite=True):
        warnings.simplefilter("ignore")
        yield


def _fit(peer: str, cell: str, n_epochs: int) -> Result:
    X, y = _data(cell)
    with _best_settings():
        call = PEERS[peer]().prepare(GRID[cell], X, y, n_epochs)
        start = perf_counter()
        loss_curve = call()
        seconds = perf_counter() - start
    return Result(seconds / n_epochs, loss_curve)


@cache
def _predictor(peer: str, cell: str) -> Callable[[np.ndarray], np.ndarray]:
    return PEERS[peer]().prepare_prediction(GRID[cell], *_data(cell))


def _predict(peer: str, cell: str, n_rows: int, min_seconds: float) -> tuple[float, np.ndarray]:
    X = np.resize(_data(cell)[0], (n_rows, GRID[cell].layer_sizes[0]))
    with _best_settings():
        predict = _predictor(peer, cell)
        timing = interleave({peer: lambda: predict(X)}, n_rounds=1, min_seconds=min_seconds)[peer]
        return timing.median, predict(X)[:COMPARED_ROWS]
