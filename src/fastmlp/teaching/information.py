"""Self-information, entropy, comparisons of distributions, and softmax, on the compiled core.

Logarithms are natural, so information is in nats, and 0 · log 0 = 0, the limit. Arrays of float32
give float32, all others float64. NaN gives NaN; a negative probability is an error.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from fastmlp.backends import get_backend
from fastmlp.plan.parameters import readable
from fastmlp.registry import MEASURES
from fastmlp.validation.information import (
    check_axes,
    check_probabilities,
    check_shapes_agree,
)
from fastmlp.validation.real_numbers import real_array

__all__ = [
    "cross_entropy",
    "entropy",
    "kl_divergence",
    "log_softmax",
    "self_information",
    "softmax",
]

Axis = int | Sequence[int] | None


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
        Self-information in nats. A scalar gives a scalar.

    Raises
    ------
    TypeError, ValueError
        If p holds anything but numbers between 0 and 1 (or NaN).

    Examples
    --------
    >>> from fastmlp import self_information
    >>> self_information([1.0, 0.5]).round(4)
    array([0.    , 0.6931])
    """
    p = check_probabilities("p", p)
    return _measure("self_information", tuple(range(p.ndim)), p)


def entropy(p: npt.ArrayLike, axis: Axis = -1) -> np.ndarray:
    """Return the expected self-information of a distribution.

    H(p) = −Σ p log p (Shannon 1948).

    Parameters
    ----------
    p : array-like of float, any shape
        Probabilities; zeros are fine.
    axis : int, sequence of int or None, default=-1
        Axis along which the outcomes of a distribution lie. None means that p is one distribution.

    Returns
    -------
    ndarray of float, shape of ``p`` without ``axis``
        Entropy in nats, between 0 and log K for K outcomes. One distribution gives a scalar.

    Raises
    ------
    TypeError, ValueError
        If p holds anything but numbers between 0 and 1 (or NaN), or lacks the axis.

    Examples
    --------
    >>> from fastmlp import entropy
    >>> float(entropy([0.5, 0.5, 0.0]).round(4))
    0.6931
    """
    p = check_probabilities("p", p)
    return _measure("entropy", check_axes(axis, p.ndim), p)


def cross_entropy(p: npt.ArrayLike, q: npt.ArrayLike, axis: Axis = -1) -> np.ndarray:
    """Return the expected self-information under ``q`` of events that follow ``p``.

    H(p, q) = −Σ p log q = H(p) + D(p‖q), so what minimises it over q minimises D(p‖q).

    Parameters
    ----------
    p, q : array-like of float, shapes that broadcast
        True and assumed probabilities.
    axis : int, sequence of int or None, default=-1
        Axis along which the outcomes of a distribution lie, after p and q have been broadcast.

    Returns
    -------
    ndarray of float, the common shape of p and q without ``axis``
        In nats. It is ∞ where ``q`` is 0 and ``p`` is not.

    Raises
    ------
    TypeError, ValueError
        If p or q hold anything but numbers between 0 and 1 (or NaN), do not broadcast, or
        lack the axis.

    Examples
    --------
    >>> from fastmlp import cross_entropy
    >>> float(cross_entropy([0, 0, 1, 0], [0.05, 0.1, 0.7, 0.15]).round(4))
    0.3567
    """
    return _compare("cross_entropy", p, q, axis)


def kl_divergence(p: npt.ArrayLike, q: npt.ArrayLike, axis: Axis = -1) -> np.ndarray:
    """Return the relative entropy: what it costs, in nats, to assume ``q`` when ``p`` is true.

    D(p‖q) = Σ p (log p − log q) ≥ 0, and 0 only for p = q (Kullback and Leibler 1951).

    Parameters
    ----------
    p, q : array-like of float, shapes that broadcast
        True and assumed probabilities.
    axis : int, sequence of int or None, default=-1
        Axis along which the outcomes of a distribution lie, after p and q have been broadcast.

    Returns
    -------
    ndarray of float, the common shape of p and q without ``axis``
        In nats. It is ∞ where ``q`` is 0 and ``p`` is not.

    Raises
    ------
    TypeError, ValueError
        As for ``cross_entropy``.

    Examples
    --------
    >>> from fastmlp import kl_divergence
    >>> float(kl_divergence([0.5, 0.5], [0.25, 0.75]).round(4))
    0.1438
    """
    return _compare("kl_divergence", p, q, axis)


def softmax(z: npt.ArrayLike, axis: Axis = -1) -> np.ndarray:
    """Turn real numbers into probabilities.

    S(z)ᵢ = exp(zᵢ) / Σ exp(zⱼ) (Bridle 1990). It is computed from z − max z, so that nothing
    overflows.

    Parameters
    ----------
    z : array-like of float, any shape
        Logits. −∞ gives the probability 0.
    axis : int, sequence of int or None, default=-1
        Axis along which the probabilities sum to 1. None means all of them together.

    Returns
    -------
    ndarray of float, shaped like ``z``
        Probabilities. They are NaN if a logit of the row is NaN or ∞, or if all are −∞.

    Raises
    ------
    TypeError, ValueError
        If z does not hold real numbers, or lacks the axis.

    Examples
    --------
    >>> from fastmlp import softmax
    >>> softmax([1e4, 1e4, -1e4])
    array([0.5, 0.5, 0. ])
    """
    z = real_array("z", z)
    return _measure("softmax", check_axes(axis, z.ndim), z)


def log_softmax(z: npt.ArrayLike, axis: Axis = -1) -> np.ndarray:
    """Return the logarithm of ``softmax``, which is finite even where softmax underflows.

    It is (z − max z) − log(1 + u), where 1 + u = Σ exp(z − max z). The 1 is kept apart, so that the
    logarithm of the most probable outcome is not rounded to 0.

    Parameters
    ----------
    z : array-like of float, any shape
        Logits.
    axis : int, sequence of int or None, default=-1
        As in ``softmax``.

    Returns
    -------
    ndarray of float, shaped like ``z``

    Raises
    ------
    TypeError, ValueError
        As for ``softmax``.

    Examples
    --------
    >>> from fastmlp import log_softmax
    >>> log_softmax([0.0, -1000.0])
    array([    0., -1000.])
    """
    z = real_array("z", z)
    return _measure("log_softmax", check_axes(axis, z.ndim), z)


def _compare(name: str, p: npt.ArrayLike, q: npt.ArrayLike, axis: Axis) -> np.ndarray:
    p, q = check_probabilities("p", p), check_probabilities("q", q)
    shape = check_shapes_agree(p, q)
    axes = check_axes(axis, len(shape))
    return _measure(name, axes, np.broadcast_to(p, shape), np.broadcast_to(q, shape))


def _measure(name: str, axes: tuple[int, ...], *arguments: np.ndarray) -> np.ndarray:
    """Return a measure of one or two arrays of one shape, whose outcomes lie along ``axes``."""
    measure, shape = MEASURES[name], arguments[0].shape
    kept = [axis for axis in range(len(shape)) if axis not in axes]
    order = [*kept, *axes]
    table = math.prod(shape[axis] for axis in kept), math.prod(shape[axis] for axis in axes)
    dtype = np.result_type(*arguments)
    p, *q = (readable(a.transpose(order), dtype).reshape(table) for a in arguments)
    shape_out = table if measure.per_outcome else table[:1]
    out = np.empty(shape_out, dtype) if p.size else np.zeros(shape_out, dtype)
    if p.size:
        backend = get_backend("compiled")
        backend.measure_information(measure.code, p, q[0] if q else None, out)
    if not measure.per_outcome:
        return out.reshape([shape[axis] for axis in kept])[()]
    return out.reshape([shape[axis] for axis in order]).transpose(np.argsort(order))[()]
