"""What a peer has to offer, and what every peer starts from."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

import numpy as np

from fastmlp.cli.epochs import GridCell
from fastmlp.plan.initializers import initialize
from fastmlp.plan.parameters import bias_views, weight_views

__all__ = ["Layers", "Peer", "Prepared", "reported_outputs", "shared_start"]

#: Weights (fan_in, fan_out) and biases (fan_out,) of each layer.
Layers = list[tuple[np.ndarray, np.ndarray]]


@dataclass(frozen=True)
class Prepared:
    """A call that is ready to be timed.

    Attributes
    ----------
    run : callable
        Training: without arguments, returns the mean loss of each epoch, that of several targets
        divided by their number, as scikit-learn reports it. Prediction: from rows
        (K, I) to outputs (K, C), probabilities of a classifier; (K,) will do for C = 1.
    setting : str
        What was chosen for this network because it was fastest, in words.
    compile_seconds : float
        What compilation took; no part of the timing.
    """

    run: Callable[..., Any]
    setting: str = ""
    compile_seconds: float = 0.0


class Peer:
    """A library at its best; one object lives as long as the peer's process.

    No network has a penalty. The cost is the cross-entropy or half the squared error, summed over
    the outputs; its mean over the batch is descended.
    """

    def prepare(self, cell: GridCell, X: np.ndarray, y: np.ndarray, n_epochs: int) -> Prepared:
        """Return a call that trains from ``shared_start`` on X (N, I), y (N,) each time."""
        raise NotImplementedError

    def prepare_prediction(
        self, cell: GridCell, X: np.ndarray, y: np.ndarray, n_rows: int
    ) -> Prepared:
        """Return the predictions of a network trained for one epoch, best at ``n_rows`` rows."""
        raise NotImplementedError

    def prediction_mode(self) -> AbstractContextManager[Any]:
        """Return what a server would enter once, around all its predictions."""
        return nullcontext()


def reported_outputs(cell: GridCell) -> int:
    """Return what the cost that is descended is divided by when it is reported."""
    return cell.layer_sizes[-1] if cell.plan.loss_row.mean_over_outputs else 1


def shared_start(cell: GridCell) -> tuple[Layers, np.random.RandomState]:
    """Return the parameters from which all train, and the generator that shuffles next.

    This is what scikit-learn and fastmlp do for ``random_state=0``: initial values and, in every
    epoch, a shuffle in place of the order of rows come from one generator. So all peers see the
    same batches.
    """
    rng = np.random.RandomState(0)
    parameters = np.zeros(cell.plan.n_parameters, cell.dtype)
    initialize(cell.plan, parameters, "auto", rng)
    weights, biases = weight_views(cell.plan, parameters), bias_views(cell.plan, parameters)
    return list(zip(weights, biases, strict=True)), rng
