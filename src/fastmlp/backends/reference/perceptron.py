"""Rosenblatt's perceptron, with sums in the one order that all backends share."""

from __future__ import annotations

import numpy as np

__all__ = ["epoch", "scores"]

#: Sums that a dot product is made of.
CHAINS = 16


def _dot(x: np.ndarray, w: np.ndarray) -> np.ndarray:
    """Return x · w (B,) for x (B, I) and w (I,)."""
    products = x * w
    padding = -len(w) % CHAINS
    blocks = np.pad(products, ((0, 0), (0, padding))).reshape(len(x), -1, CHAINS)
    sums = np.zeros((len(x), CHAINS), x.dtype)
    for block in range(blocks.shape[1]):
        sums += blocks[:, block]
    while sums.shape[1] > 1:
        first, second = np.split(sums, 2, axis=1)
        sums = first + second
    return sums[:, 0]


def scores(x: np.ndarray, w: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return x · wᵀ + b (B, K) for x (B, I), w (K, I) and b (K,)."""
    return np.stack([_dot(x, weights) + bias for weights, bias in zip(w, b, strict=True)], axis=1)


def epoch(
    x: np.ndarray,
    target: np.ndarray,
    rates: np.ndarray,
    order: np.ndarray,
    w: np.ndarray,
    b: np.ndarray,
) -> int:
    """Learn from the rows ``order`` (M,) in turn; return the mistakes. Shapes: see ``Backend``."""
    mistakes = 0
    for row in order[rates[order] != 0]:
        fires = scores(x[row : row + 1], w, b)[0] > 0
        errors = target[row] - fires.astype(x.dtype)
        for unit in np.flatnonzero(errors):
            step = rates[row] * errors[unit]
            w[unit] += step * x[row]
            b[unit] += step
            mistakes += 1
    return mistakes
