"""Peers in processes of their own."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, lru_cache
from time import perf_counter

import numpy as np
from sklearn import config_context

from candidates.base import Peer, Prepared
from candidates.blas import blas_kernels
from candidates.registered import PEERS
from candidates.workers import start_process
from fastmlp.cli.epochs import CELLS
from fastmlp.cli.timing import interleave

__all__ = ["Fit", "PeerProcess", "Prediction"]

#: So many rows of a prediction go back to be compared with the other peers'.
COMPARED_ROWS = 100


@dataclass(frozen=True)
class Fit:
    """One fit: seconds per epoch, the mean loss of each epoch, and how it was set."""

    seconds_per_epoch: float
    loss_curve: list[float]
    setting: str
    compile_seconds: float


@dataclass(frozen=True)
class Prediction:
    """Seconds per call, the first rows' outputs (K, C) or (K,), and how it was set."""

    seconds: float
    outputs: np.ndarray
    setting: str
    compile_seconds: float


class PeerProcess:
    """A peer in a process of its own, which lives until ``close``."""

    def __init__(self, name: str, n_threads: int) -> None:
        self.name = name
        self._pool = start_process(PEERS[name].environment, n_threads)
        self.blas = self._pool.submit(blas_kernels).result()

    def fit(self, cell: str, n_epochs: int) -> Fit:
        """Train the network of that name from new."""
        return self._pool.submit(_fit, self.name, cell, n_epochs).result()

    def predict(self, cell: str, n_rows: int, min_seconds: float) -> Prediction:
        """Predict ``n_rows`` rows, again and again for about ``min_seconds``."""
        return self._pool.submit(_predict, self.name, cell, n_rows, min_seconds).result()

    def close(self) -> None:
        """End the process."""
        self._pool.shutdown()


@lru_cache(maxsize=1)  # of many processes each holds but the cell at hand
def _data(cell: str) -> tuple[np.ndarray, np.ndarray]:
    return CELLS[cell].data(np.dtype(CELLS[cell].dtype))


@contextmanager
def _best_settings() -> Iterator[None]:
    """Skip checks: X is finite, and that the epochs we asked for were reached is no news."""
    with warnings.catch_warnings(), config_context(assume_finite=True):
        warnings.simplefilter("ignore")
        yield


@cache
def _peer(name: str) -> Peer:
    return PEERS[name].load()


def _fit(name: str, cell: str, n_epochs: int) -> Fit:
    with _best_settings():
        prepared = _peer(name).prepare(CELLS[cell], *_data(cell), n_epochs)
        start = perf_counter()
        loss_curve = prepared.run()
        seconds = perf_counter() - start
    return Fit(seconds / n_epochs, loss_curve, prepared.setting, prepared.compile_seconds)


@cache
def _prepared_prediction(name: str, cell: str, n_rows: int) -> Prepared:
    return _peer(name).prepare_prediction(CELLS[cell], *_data(cell), n_rows)


def _predict(name: str, cell: str, n_rows: int, min_seconds: float) -> Prediction:
    X = np.resize(_data(cell)[0], (n_rows, CELLS[cell].layer_sizes[0]))
    with _best_settings():
        prepared = _prepared_prediction(name, cell, n_rows)
        with _peer(name).prediction_mode():
            call = {name: lambda: prepared.run(X)}
            timing = interleave(call, n_rounds=1, min_seconds=min_seconds)[name]
            outputs = prepared.run(X)[:COMPARED_ROWS]
    return Prediction(timing.median, outputs, prepared.setting, prepared.compile_seconds)
