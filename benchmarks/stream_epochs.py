"""Seconds of an epoch of rows in memory and of rows of a file, and what it waits for windows."""

from __future__ import annotations

from collections.abc import Generator
from time import perf_counter
from typing import Any
from unittest.mock import patch

import numpy as np
from sklearn.base import clone

from fastmlp.data import Source
from fastmlp.training.windows import Streamed

__all__ = ["compared"]

N_EPOCHS = 2


def compared(model: Any, source: Source, n_columns: int, n_rounds: int) -> dict[str, float]:
    """Return medians of ``n_rounds`` rounds: an epoch of each kind, and the waits of the second.

    Parameters
    ----------
    model : MLPRegressor
    source : Source
    n_columns : int
    n_rounds : int
    """
    pieces = list(source.pieces(source.rows_of_piece))
    X = np.concatenate([np.asarray(piece.X).astype(np.float32) for piece in pieces])
    y = np.concatenate([piece.y for piece in pieces if piece.y is not None])
    del pieces
    found: dict[str, list[float]] = {"in memory": [], "of a file": []}
    waits = Waits()
    for number in range(n_rounds):
        ways: list[tuple[str, tuple[Any, ...]]] = [("in memory", (X, y)), ("of a file", (source,))]
        for way, data in ways if number % 2 == 0 else ways[::-1]:
            with patch.object(Streamed, "windows", waits.around(Streamed.windows)):
                found[way].append(seconds_of_epoch(model, *data))
    medians = {way: float(np.median(seconds)) for way, seconds in found.items()}
    return medians | {"first wait": waits.first(), "later waits": waits.later()}


def seconds_of_epoch(model: Any, *data: Any) -> float:
    """Return the seconds of an epoch that comes after another one."""
    ends: list[float] = []

    def note(record: Any) -> None:
        ends.append(perf_counter())

    clone(model).set_params(max_iter=1 + N_EPOCHS, callbacks=[note]).fit(*data)
    return (ends[-1] - ends[0]) / N_EPOCHS


class Waits:
    """How long the training waits for each window of each epoch."""

    def __init__(self) -> None:
        self.epochs: list[list[float]] = []

    def around(self, windows: Any) -> Any:
        """Return a method as ``Streamed.windows`` that notes how long each window takes to come."""

        def noting(streamed: Streamed, epoch: int) -> Generator[Any, None, None]:
            seconds: list[float] = []
            self.epochs.append(seconds)
            source = windows(streamed, epoch)
            try:
                while True:
                    start = perf_counter()
                    window = next(source, None)
                    seconds.append(perf_counter() - start)
                    if window is None:
                        return
                    yield window
            finally:
                source.close()

        return noting

    def first(self) -> float:
        """Return the median of the waits for an epoch's first window."""
        return float(np.median([seconds[0] for seconds in self.epochs]))

    def later(self) -> float:
        """Return the median of the sums of an epoch's other waits."""
        return float(np.median([sum(seconds[1:]) for seconds in self.epochs]))
