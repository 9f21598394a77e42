"""Peers that offer no ``fit``: we write their epoch, and they run it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from candidates.base import Layers, Peer, Prepared, reported_outputs, shared_start
from candidates.choice import Choice, fastest
from candidates.estimators import one_epoch_layers
from fastmlp.cli.epochs import GridCell

__all__ = ["BY_BATCH", "BY_EPOCH", "EpochwisePeer"]

#: Two ways to shuffle: gather all rows before the epoch, or each batch's before its step.
BY_EPOCH, BY_BATCH = "rows gathered by the epoch", "rows gathered by the batch"

#: A prediction is tried for so long with each setting.
MIN_SECONDS = 0.02

Epoch = Callable[[np.ndarray], float]
Predict = Callable[[np.ndarray], np.ndarray]


class EpochwisePeer(Peer):
    """Chooses the fastest of its settings once for each network; the choice is not timed."""

    def __init__(self) -> None:
        self._choices: dict[GridCell, Choice] = {}

    def epoch_settings(self) -> Mapping[str, Any]:
        """Return the settings of a training worth trying, by their names."""
        raise NotImplementedError

    def epoch(
        self, cell: GridCell, X: np.ndarray, y: np.ndarray, layers: Layers, setting: Any
    ) -> Epoch:
        """Return a call that trains a copy of ``layers`` through one epoch after the other.

        It takes the order of rows, int64 (N,), and returns the epoch's mean cost per sample.
        """
        raise NotImplementedError

    def predictions(self, cell: GridCell, layers: Layers) -> Mapping[str, Predict]:
        """Return calls from rows (K, I) to outputs, by the names of their settings."""
        raise NotImplementedError

    def prepare(self, cell: GridCell, X: np.ndarray, y: np.ndarray, n_epochs: int) -> Prepared:
        """Compile, choose the fastest setting, and return a training by it."""
        choice = self._choice(cell, X, y)
        layers, rng = shared_start(cell)
        epoch = self.epoch(cell, X, y, layers, self.epoch_settings()[choice.name])
        order = np.arange(cell.n_samples)

        def run() -> list[float]:
            losses = []
            for _ in range(n_epochs):
                rng.shuffle(order)
                losses.append(epoch(order) / reported_outputs(cell))
            return losses

        return Prepared(run, choice.name, choice.compile_seconds)

    def prepare_prediction(
        self, cell: GridCell, X: np.ndarray, y: np.ndarray, n_rows: int
    ) -> Prepared:
        """Predict with the parameters that fastmlp learns in an epoch."""
        calls = self.predictions(cell, one_epoch_layers(cell, X, y))
        rows = np.resize(X, (n_rows, X.shape[1]))
        with self.prediction_mode():
            choice = fastest({name: _bind(call, rows) for name, call in calls.items()}, MIN_SECONDS)
        return Prepared(calls[choice.name], choice.name, choice.compile_seconds)

    def _choice(self, cell: GridCell, X: np.ndarray, y: np.ndarray) -> Choice:
        if cell not in self._choices:
            layers, rng = shared_start(cell)
            order = rng.permutation(cell.n_samples)
            epochs = {
                name: _bind(self.epoch(cell, X, y, layers, setting), order)
                for name, setting in self.epoch_settings().items()
            }
            self._choices[cell] = fastest(epochs)
        return self._choices[cell]


def _bind(call: Callable[[np.ndarray], object], argument: np.ndarray) -> Callable[[], object]:
    return lambda: call(argument)
