"""Self-information, entropy and the two ways to compare distributions, in nats.

Distributions lie along the last axis. Logarithms are natural and 0 · log 0 = 0, the limit.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.special import entr, rel_entr

__all__ = ["cross_entropy", "entropy", "kl_divergence", "self_information"]


def self_information(p: npt.ArrayLike) -> np.ndarray:
    """Return how surprising an event of probability ``p`` is.

    I(p) = −log p: 0 for what is certain, ∞ for what is impossible.

    Parameters
    ----------
    p : array-like of float, any shape
        Probabilities.

    Returns
    -------
    ndarray of float, shaped like ``p``
        Nats.

    Examples
    --------
    >>> self_information([1.0, 0.5]).round(4)
    array([0.    , 0.6931])
    """
    with np.errstate(divide="ignore"):
        # Adding 0 turns the −0 of a certain event into 0.
        return np.asarray(-np.log(p) + 0.0)


def entropy(p: npt.ArrayLike) -> np.ndarray:
    """Return the expected self-information of a distribution.

    H(p) = −Σ p log p (Shannon 1948).

    Parameters
    ----------
    p : array-like of float, shape (..., K)
        Probabilities of K outcomes; zeros are fine.

    Returns
    -------
    ndarray of float, shape (...)
        Nats, between 0 and log K.

    Examples
    --------
    >>> float(entropy([0.5, 0.5, 0.0]).round(4))
    0.6931
    """
    return np.asarray(entr(p).sum(axis=-1))


def cross_entropy(p: npt.ArrayLike, q: npt.ArrayLike) -> np.ndarray:
    """Return the expected self-information under ``q`` of events that follow ``p``.

    H(p, q) = −Σ p log q = H(p) + D(p‖q), so what minimises it over q minimises D(p‖q).

    Parameters
    ----------
    p, q : array-like of float, shapes that broadcast to (..., K)
        True and assumed probabilities of K outcomes.

    Returns
    -------
    ndarray of float, shape (...)
        Nats; ∞ where ``q`` is 0 and ``p`` is not.

    Examples
    --------
    >>> float(cross_entropy([0, 0, 1, 0], [0.05, 0.1, 0.7, 0.15]).round(4))
    0.3567
    """
    return np.asarray((entr(p) + rel_entr(p, q)).sum(axis=-1))


def kl_divergence(p: npt.ArrayLike, q: npt.ArrayLike) -> np.ndarray:
    """Return the relative entropy, the price in nats of assuming ``q`` where ``p`` is true.

    D(p‖q) = Σ p (log p − log q) ≥ 0, and 0 only for p = q (Kullback and Leibler 1951).

    Parameters
    ----------
    p, q : array-like of float, shapes that broadcast to (..., K)
        True and assumed probabilities of K outcomes.

    Returns
    -------
    ndarray of float, shape (...)
        Nats; ∞ where ``q`` is 0 and ``p`` is not.

    Examples
    --------
    >>> float(kl_divergence([0.5, 0.5], [0.25, 0.75]).round(4))
    0.1438
    """
    return np.asarray(rel_entr(p, q).sum(axis=-1))
