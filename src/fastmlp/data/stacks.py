"""Pieces of arrays and of data frames: some of their rows, and several as one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np

from fastmlp.data.source import Piece

__all__ = ["chosen", "stacked"]


def chosen(piece: Piece, rows: np.ndarray) -> Piece:
    """Return the rows (k,) of a piece, copied."""
    if isinstance(piece.X, np.ndarray):
        X: Any = piece.X[rows]
    else:
        X = nw.from_native(piece.X, eager_only=True)[rows.tolist()].to_native()
    y = None if piece.y is None else piece.y[rows]
    weights = None if piece.weights is None else piece.weights[rows]
    return Piece(X, y, weights, piece.place)


def stacked(pieces: Sequence[Piece]) -> Piece:
    """Return pieces of the same columns as one, under the first one's place."""
    if len(pieces) == 1:
        return pieces[0]
    first = pieces[0]
    if isinstance(first.X, np.ndarray):
        X: Any = np.concatenate([piece.X for piece in pieces])
    else:
        frames = [nw.from_native(piece.X, eager_only=True) for piece in pieces]
        X = nw.concat(frames, how="vertical").to_native()
    y = None if first.y is None else np.concatenate([piece.y for piece in pieces])
    weights = None
    if first.weights is not None:
        weights = np.concatenate([piece.weights for piece in pieces])
    return Piece(X, y, weights, first.place)
