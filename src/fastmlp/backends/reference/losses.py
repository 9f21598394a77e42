"""Losses, each with its gradient, and the links that turn logits into predictions.

A loss takes logits (B, C), a target (B, T) and its parameters as separate numbers; it returns the
loss of each sample (B,) and the gradient with respect to the logits (B, C), both without sample
weights. A link takes logits and the same numbers.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from fastmlp.backends.reference.activations import logistic
from fastmlp.registry import LOSSES

__all__ = ["LINK_FUNCTIONS", "LOSS_FUNCTIONS", "link", "loss_and_gradient"]

LossFunction = Callable[..., tuple[np.ndarray, np.ndarray]]


def _log_softmax(logits: np.ndarray) -> np.ndarray:
    # The largest logit becomes 0: no exponential overflows and their sum is at least 1.
    shifted: np.ndarray = logits - logits.max(axis=1, keepdims=True)
    shifted -= np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return shifted


def _softmax(logits: np.ndarray) -> np.ndarray:
    powers: np.ndarray = np.exp(logits - logits.max(axis=1, keepdims=True))
    powers /= powers.sum(axis=1, keepdims=True)
    return powers


def _softmax_cross_entropy(logits: np.ndarray, target: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    classes = target[:, :1].astype(np.intp)
    values = -np.take_along_axis(_log_softmax(logits), classes, axis=1)[:, 0]
    one_hot = np.arange(logits.shape[1]) == classes
    return values, _softmax(logits) - one_hot


def _binary_cross_entropy(logits: np.ndarray, target: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    # log(1 + exp(z)) = max(z, 0) + log(1 + exp(-|z|)); taking max(z, 0) - y z first keeps the
    # digits of a small loss.
    terms = (np.maximum(logits, 0) - target * logits) + np.log1p(np.exp(-np.abs(logits)))
    return terms.sum(axis=1), logistic(logits) - target


def _squared_error(logits: np.ndarray, target: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    residual = logits - target
    return (residual**2).sum(axis=1) / 2, residual


def _identity(logits: np.ndarray) -> np.ndarray:
    return logits


#: By the name in the registry.
LOSS_FUNCTIONS: dict[str, LossFunction] = {
    "softmax_cross_entropy": _softmax_cross_entropy,
    "binary_cross_entropy": _binary_cross_entropy,
    "squared_error": _squared_error,
}

#: By ``Loss.link``.
LINK_FUNCTIONS: dict[str, Callable[..., np.ndarray]] = {
    "softmax": _softmax,
    "logistic": logistic,
    "identity": _identity,
}


def loss_and_gradient(
    code: int,
    parameters: np.ndarray,
    logits: np.ndarray,
    target: np.ndarray,
    sample_weight: np.ndarray | None,
) -> tuple[np.ndarray, np.ndarray]:
    """Return each sample's loss (B,) and w_r · ∂loss_r/∂logits (B, C).

    ``parameters`` is (K,), ``logits`` (B, C), ``target`` (B, T), ``sample_weight`` (B,) or None
    for ones.
    """
    values, gradient = LOSS_FUNCTIONS[LOSSES.by_code(code).name](
        logits, target, *parameters.astype(logits.dtype)
    )
    if sample_weight is not None:
        gradient = sample_weight[:, np.newaxis] * gradient
    return values, gradient


def link(code: int, parameters: np.ndarray, logits: np.ndarray) -> np.ndarray:
    """Return the natural prediction (B, C) of a loss for ``logits`` (B, C)."""
    numbers = parameters.astype(logits.dtype)
    return LINK_FUNCTIONS[LOSSES.by_code(code).link](logits, *numbers)
