"""How good predictions are of rows on workers: each scores its parts, the client adds up."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import dask
import numpy as np

from fastmlp import validation
from fastmlp.dask.waiting import gathered

if TYPE_CHECKING:
    from fastmlp.dask.partitions import Part
    from fastmlp.data.source import Piece

__all__ = ["accuracy_of", "r2_of"]


def accuracy_of(model: Any, parts: Sequence[Part], client: Any) -> float:
    """Return the share of the rows, by their weights, whose labels are predicted right."""
    found = [each for each in _of_each(_accuracy, model, parts, client) if each[1] > 0]
    validation.check_rows_on_workers(len(found))
    scores, weights = zip(*found, strict=True)
    return float(np.average(scores, weights=weights))


def _accuracy(model: Any, piece: Piece) -> tuple[float, float]:
    """Return the accuracy for a piece, and the sum of its weights."""
    total = len(piece) if piece.weights is None else float(np.sum(piece.weights))
    if total == 0:
        return 0.0, 0.0
    return model.score(piece.X, piece.y, piece.weights), total


class _Moments(NamedTuple):
    """Sums over rows, by which R² of several parts follows.

    Attributes
    ----------
    weight : float
    mean : ndarray of float64, shape (T,)
        Of the target.
    spread : ndarray of float64, shape (T,)
        Sum of the squares of its distances from the mean.
    error : ndarray of float64, shape (T,)
        Sum of the squares of its distances from what is predicted.
    """

    weight: float
    mean: np.ndarray
    spread: np.ndarray
    error: np.ndarray

    def plus(self, other: _Moments) -> _Moments:
        """Return the sums over the rows of both (Chan, Golub and LeVeque 1983)."""
        weight = self.weight + other.weight
        away = other.mean - self.mean
        return _Moments(
            weight,
            self.mean + away * (other.weight / weight),
            self.spread + other.spread + away**2 * (self.weight * other.weight / weight),
            self.error + other.error,
        )


def r2_of(model: Any, parts: Sequence[Part], client: Any) -> float:
    """Return R², the mean over targets, of what a model predicts."""
    found = [each for each in _of_each(_moments, model, parts, client) if each is not None]
    validation.check_rows_on_workers(len(found))
    total = found[0]
    for each in found[1:]:
        total = total.plus(each)
    constant = total.spread == 0
    with np.errstate(invalid="ignore", divide="ignore"):
        scores = 1 - total.error / total.spread
    # As scikit-learn has it for a target that does not vary.
    return float(np.mean(np.where(constant, np.where(total.error == 0, 1.0, 0.0), scores)))


def _moments(model: Any, piece: Piece) -> _Moments | None:
    """Return the sums over a piece; None if none of its rows counts."""
    if len(piece) == 0 or not (piece.weights is None or piece.weights.any()):
        return None
    predicted = np.asarray(model.predict(piece.X), np.float64)
    y, weights = validation.check_scored(piece.y, piece.weights, len(predicted), numeric_y=True)
    validation.check_target_width(y, 1 if predicted.ndim == 1 else predicted.shape[1])
    y = y.reshape(len(y), -1)
    weights = np.ones(len(y)) if weights is None else weights
    mean = np.average(y, axis=0, weights=weights)
    error = weights @ (y - predicted.reshape(y.shape)) ** 2
    return _Moments(float(weights.sum()), mean, weights @ (y - mean) ** 2, error)


def _of_each(score: Any, model: Any, parts: Sequence[Part], client: Any) -> list[Any]:
    """Return what ``score`` says of each piece, computed on workers."""
    shared = dask.delayed(model, traverse=False, pure=False)
    each = dask.delayed(_scored, pure=False)
    found = gathered(client, client.compute([each(score, shared, part.pieces) for part in parts]))
    return [one for several in found for one in several]


def _scored(score: Any, model: Any, pieces: Sequence[Piece]) -> list[Any]:
    """Return what ``score`` says of the pieces of a part, whose place errors name."""
    found = []
    for piece in pieces:
        validation.check_brings_target(piece.y, piece.place)
        if len(piece):
            with validation.naming_piece(piece.place):
                found.append(score(model, piece))
    return found
