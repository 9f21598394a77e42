"""Peers with scikit-learn's interface: fastmlp on each backend, and scikit-learn."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, ClassVar

import numpy as np

import fastmlp
from candidates.base import Layers, Peer, Prepared
from fastmlp.cli.epochs import GridCell
from fastmlp.threads import default_threads

__all__ = [
    "Compiled",
    "High",
    "Medium",
    "MediumPredictor",
    "Numba",
    "Numpy",
    "PreparedPredictor",
    "ScikitLearn",
    "one_epoch_layers",
]


class EstimatorPeer(Peer):
    """Anything with scikit-learn's constructor names."""

    def estimator(self, cell: GridCell) -> Callable[..., Any]:
        """Return what constructs the estimator."""
        raise NotImplementedError

    def prepare(self, cell: GridCell, X: np.ndarray, y: np.ndarray, n_epochs: int) -> Prepared:
        """Return a call of ``fit`` that runs exactly ``n_epochs``."""
        model = self.model(cell, n_epochs)
        return Prepared(lambda: list(model.fit(X, y).loss_curve_))

    def prepare_prediction(
        self, cell: GridCell, X: np.ndarray, y: np.ndarray, n_rows: int
    ) -> Prepared:
        """Return ``predict`` or ``predict_proba`` of a fitted estimator."""
        model = self.model(cell, n_epochs=1).fit(X, y)
        return Prepared(model.predict if cell.is_regression else model.predict_proba)

    def model(self, cell: GridCell, n_epochs: int) -> Any:
        """Return an estimator that is not yet fitted."""
        return self.estimator(cell)(
            hidden_layer_sizes=cell.layer_sizes[1:-1],
            activation=cell.activation,
            solver=cell.optimizer,
            alpha=0.0,
            batch_size=cell.batch_size,
            nesterovs_momentum=False,
            max_iter=n_epochs,
            n_iter_no_change=n_epochs,
            random_state=0,
        )


class FastmlpPeer(EstimatorPeer):
    """Our own estimators; the subclasses name the backend."""

    backend: ClassVar[str]
    options: ClassVar[dict[str, Any]] = {}

    def estimator(self, cell: GridCell) -> Callable[..., Any]:
        """Return an estimator class bound to the backend."""
        kind = fastmlp.MLPRegressor if cell.is_regression else fastmlp.MLPClassifier
        return partial(
            kind, backend=self.backend, dropout=cell.dropout, dtype=cell.dtype, **self.options
        )


class Compiled(FastmlpPeer):
    """The compiled core."""

    backend = "compiled"


class Numba(FastmlpPeer):
    """The JIT backend."""

    backend = "numba"


class Numpy(FastmlpPeer):
    """The reference."""

    backend = "numpy"


class PreparedPredictor(Compiled):
    """Predictions through ``fastmlp.Predictor``."""

    def prepare_prediction(
        self, cell: GridCell, X: np.ndarray, y: np.ndarray, n_rows: int
    ) -> Prepared:
        """Return a predictor that may use as many threads as the others."""
        model = self.model(cell, n_epochs=1).fit(X, y)
        return Prepared(fastmlp.Predictor(model, default_threads()))


class Medium(Compiled):
    """The compiled core with bfloat16 operands."""

    options: ClassVar[dict[str, Any]] = {"matmul_precision": "medium"}


class High(Compiled):
    """The compiled core with operands of two bfloat16 parts."""

    options: ClassVar[dict[str, Any]] = {"matmul_precision": "high"}


class MediumPredictor(Medium, PreparedPredictor):
    """Predictions through ``fastmlp.Predictor`` with bfloat16 operands."""


class ScikitLearn(EstimatorPeer):
    """scikit-learn's own MLP."""

    def estimator(self, cell: GridCell) -> Callable[..., Any]:
        """Return scikit-learn's class; it computes in the type of its input."""
        from sklearn.neural_network import MLPClassifier, MLPRegressor

        return MLPRegressor if cell.is_regression else MLPClassifier


def one_epoch_layers(cell: GridCell, X: np.ndarray, y: np.ndarray) -> Layers:
    """Return what fastmlp learns in one epoch, for peers that only predict with it."""
    model = Compiled().model(cell, n_epochs=1).fit(X, y)
    return list(zip(model.coefs_, model.intercepts_, strict=True))
