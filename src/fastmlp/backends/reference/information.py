"""Measures of information: each takes rows p and, where it compares two, q, (B, K) both."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from fastmlp.backends.reference.losses import LINK_FUNCTIONS
from fastmlp.registry import MEASURES

__all__ = ["MEASURE_FUNCTIONS", "measure_information"]

MeasureFunction = Callable[[np.ndarray, np.ndarray], np.ndarray]


def _log_ratio(p: np.ndarray, q: np.ndarray) -> np.ndarray:
    # The difference of two numbers within a factor of two is exact; that of their logarithms loses
    # digits unless it is large itself, as it is where p/q can't be had.
    alike = (p < 2 * q) & (q < 2 * p)
    ratio = p / q
    normal = (ratio >= np.finfo(p.dtype).tiny) & (ratio < np.inf)
    far = np.where(normal, np.log(ratio), np.log(p) - np.log(q))
    ratio_log: np.ndarray = np.where(alike, np.log1p((p - q) / q), far)
    return ratio_log


def _expected(p: np.ndarray, q: np.ndarray, information: np.ndarray) -> np.ndarray:
    """Return Σ p · information, with 0 · ∞ = 0; NaN in q counts even where p is 0."""
    terms = np.where(p == 0, 0 * q, p * information)
    total: np.ndarray = terms.sum(axis=1)
    return total


def _self_information(p: np.ndarray, q: np.ndarray) -> np.ndarray:
    information: np.ndarray = 0 - np.log(p)  # 0, not −0, for what is certain
    return information


def _entropy(p: np.ndarray, q: np.ndarray) -> np.ndarray:
    return _expected(p, p, -np.log(p))


def _cross_entropy(p: np.ndarray, q: np.ndarray) -> np.ndarray:
    return _expected(p, q, -np.log(q))


def _kl_divergence(p: np.ndarray, q: np.ndarray) -> np.ndarray:
    return _expected(p, q, _log_ratio(p, q))


def _softmax(z: np.ndarray, q: np.ndarray) -> np.ndarray:
    return LINK_FUNCTIONS["softmax"](z)


def _log_softmax(z: np.ndarray, q: np.ndarray) -> np.ndarray:
    shifted: np.ndarray = z - z.max(axis=1, keepdims=True)
    others = np.exp(shifted)
    # Without the 1 of the largest, so that log1p sees the digits of the rest.
    others[np.arange(len(z)), z.argmax(axis=1)] -= 1
    shifted -= np.log1p(others.sum(axis=1, keepdims=True))
    return shifted


#: By the name in the registry.
MEASURE_FUNCTIONS: dict[str, MeasureFunction] = {
    "self_information": _self_information,
    "entropy": _entropy,
    "cross_entropy": _cross_entropy,
    "kl_divergence": _kl_divergence,
    "softmax": _softmax,
    "log_softmax": _log_softmax,
}


def measure_information(code: int, p: np.ndarray, q: np.ndarray | None) -> np.ndarray:
    """Return the measure with this code of p (B, K) and q (B, K): (B, K) or (B,)."""
    return MEASURE_FUNCTIONS[MEASURES.by_code(code).name](p, p if q is None else q)
