"""Losses, each with its gradient, and the links that turn logits into predictions.

A loss takes logits (B, C), a target (B, T) and its parameters as separate numbers; it returns the
loss of each sample (B,) and the gradient with respect to the logits (B, C), both without sample
weights. A link takes logits and the same numbers.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.special import xlogy

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


def _soft_cross_entropy(logits: np.ndarray, target: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    values = -np.where(target == 0, 0, target * _log_softmax(logits)).sum(axis=1)
    return values, _softmax(logits) * target.sum(axis=1, keepdims=True) - target


def _kl_divergence(logits: np.ndarray, target: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    values, gradient = _soft_cross_entropy(logits, target)
    return values + xlogy(target, target).sum(axis=1), gradient


def _focal(logits: np.ndarray, target: np.ndarray, gamma: float) -> tuple[np.ndarray, np.ndarray]:
    # Lin et al. 2017, "Focal loss for dense object detection", eq. 5.
    one_hot = np.arange(logits.shape[1]) == target[:, :1].astype(np.intp)
    q = _softmax(logits)
    log_q = np.where(one_hot, _log_softmax(logits), 0).sum(axis=1)
    others = np.where(one_hot, 0, q).sum(axis=1)  # 1 − q_y without cancellation
    ratio = np.where(others > 0, log_q / others, -1)
    slope = others**gamma * (gamma * np.exp(log_q) * ratio - 1)
    towards_label = np.where(one_hot, others[:, np.newaxis], -q)
    return -(others**gamma) * log_q, slope[:, np.newaxis] * towards_label


def _softplus(z: np.ndarray) -> np.ndarray:
    return np.asarray(np.logaddexp(0, z))


def _binary_focal(
    logits: np.ndarray, target: np.ndarray, gamma: float
) -> tuple[np.ndarray, np.ndarray]:
    sign = 2 * target - 1
    u = sign * logits
    factor = np.exp(-gamma * _softplus(u))
    slope = -factor * (gamma * logistic(u) * _softplus(-u) + logistic(-u))
    return (factor * _softplus(-u)).sum(axis=1), sign * slope


def _multi_margin(logits: np.ndarray, target: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    n_classes = logits.shape[1]
    classes = target[:, :1].astype(np.intp)
    margins = 1 + logits - np.take_along_axis(logits, classes, axis=1)
    is_label = np.arange(n_classes) == classes
    violated = np.where(is_label, 0, np.heaviside(margins, 0))
    values = np.where(is_label, 0, np.maximum(margins, 0)).sum(axis=1)
    gradient = np.where(is_label, -violated.sum(axis=1, keepdims=True), violated)
    return values / n_classes, gradient / n_classes


def _squared_hinge(logits: np.ndarray, target: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    sign = 2 * target - 1
    margins = np.maximum(1 - sign * logits, 0)
    return (margins**2).sum(axis=1), -2 * sign * margins


def _absolute_error(logits: np.ndarray, target: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    residual = logits - target
    return np.abs(residual).sum(axis=1), np.sign(residual)


def _huber(logits: np.ndarray, target: np.ndarray, delta: float) -> tuple[np.ndarray, np.ndarray]:
    # Huber 1964, "Robust estimation of a location parameter".
    residual = logits - target
    clipped = np.clip(residual, -delta, delta)
    return (clipped * (residual - clipped / 2)).sum(axis=1), clipped


def _smooth_l1(
    logits: np.ndarray, target: np.ndarray, beta: float
) -> tuple[np.ndarray, np.ndarray]:
    values, gradient = _huber(logits, target, beta)
    return values / beta, gradient / beta


def _log_cosh(logits: np.ndarray, target: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    residual = logits - target
    size = np.abs(residual)
    # log(1 + 2 sinh²(r/2)) keeps the digits of a small value, |r| + … does not overflow.
    near = np.log1p(2 * np.sinh(np.minimum(size, 1) / 2) ** 2)
    far = size + (np.log1p(np.exp(-2 * size)) - np.log(2))
    return np.where(size < 1, near, far).sum(axis=1), np.tanh(residual)


def _poisson(logits: np.ndarray, target: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    mean = np.exp(logits)
    terms = (mean - target * logits) + (xlogy(target, target) - target)
    return terms.sum(axis=1), mean - target


def _gamma(logits: np.ndarray, target: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    ratio = target * np.exp(-logits)
    return (logits - np.log(target) + (ratio - 1)).sum(axis=1), 1 - ratio


def _tweedie(logits: np.ndarray, target: np.ndarray, power: float) -> tuple[np.ndarray, np.ndarray]:
    # Jørgensen 1987, "Exponential dispersion models"; half the unit deviance of the mean exp(z).
    # With u = z - log y, no large terms cancel for a power close to 1 or 2.
    a, b = power - 1, 2 - power
    some = target > 0
    log_target = np.log(np.where(some, target, 1))
    falling, rising = (np.expm1(rate * (logits - log_target)) for rate in (-a, b))
    scale, without = np.exp(b * log_target), np.exp(b * logits)
    terms = np.where(some, scale * (falling / a + rising / b), without / b)
    return terms.sum(axis=1), np.where(some, scale * (rising - falling), without)


#: Keeps a variance away from 0.
VARIANCE_FLOOR = 1e-6


def _gaussian_nll(logits: np.ndarray, target: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    # Nix & Weigend 1994, "Estimating the mean and variance of the target probability distribution".
    mean, raw = np.split(logits, 2, axis=1)
    variance, residual = _softplus(raw) + VARIANCE_FLOOR, mean - target
    values = (np.log(variance) + residual**2 / variance).sum(axis=1) / 2
    by_variance = (1 / variance - (residual / variance) ** 2) / 2
    return values, np.hstack([residual / variance, by_variance * logistic(raw)])


def _pinball(
    logits: np.ndarray, target: np.ndarray, *quantiles: float
) -> tuple[np.ndarray, np.ndarray]:
    # Koenker & Bassett 1978, "Regression quantiles".
    tau, shape = np.array(quantiles, logits.dtype), (*target.shape, len(quantiles))
    residual = _quantiles(logits, *quantiles).reshape(shape) - target[:, :, np.newaxis]
    terms = np.maximum((1 - tau) * residual, -tau * residual)
    slopes = np.where(residual > 0, 1 - tau, np.where(residual < 0, -tau, 0 * residual))
    # A quantile's logit lifts all those above it, too.
    lifted = np.flip(np.flip(slopes, axis=2).cumsum(axis=2), axis=2)
    steepness = logistic(logits).reshape(shape)
    steepness[:, :, 0] = 1
    return terms.sum(axis=(1, 2)), (lifted * steepness).reshape(logits.shape)


def _identity(logits: np.ndarray) -> np.ndarray:
    return logits


def _gaussian(logits: np.ndarray) -> np.ndarray:
    mean, raw = np.split(logits, 2, axis=1)
    return np.hstack([mean, _softplus(raw) + VARIANCE_FLOOR])


def _quantiles(logits: np.ndarray, *quantiles: float) -> np.ndarray:
    """Return ascending quantiles: each lies softplus of its logit above the one before."""
    steps = logits.reshape(len(logits), -1, len(quantiles)).copy()
    steps[:, :, 1:] = _softplus(steps[:, :, 1:])
    return steps.cumsum(axis=2).reshape(logits.shape)


#: By the name in the registry.
LOSS_FUNCTIONS: dict[str, LossFunction] = {
    "softmax_cross_entropy": _softmax_cross_entropy,
    "binary_cross_entropy": _binary_cross_entropy,
    "squared_error": _squared_error,
    "soft_cross_entropy": _soft_cross_entropy,
    "kl_divergence": _kl_divergence,
    "focal": _focal,
    "binary_focal": _binary_focal,
    "multi_margin": _multi_margin,
    "squared_hinge": _squared_hinge,
    "absolute_error": _absolute_error,
    "huber": _huber,
    "smooth_l1": _smooth_l1,
    "log_cosh": _log_cosh,
    "poisson": _poisson,
    "gamma": _gamma,
    "tweedie": _tweedie,
    "gaussian_nll": _gaussian_nll,
    "pinball": _pinball,
}

#: By ``Loss.link``.
LINK_FUNCTIONS: dict[str, Callable[..., np.ndarray]] = {
    "softmax": _softmax,
    "logistic": logistic,
    "identity": _identity,
    "exp": np.exp,
    "gaussian": _gaussian,
    "quantiles": _quantiles,
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
    row = LOSSES.by_code(code)
    numbers = parameters.astype(logits.dtype) if row.link == "quantiles" else ()
    return LINK_FUNCTIONS[row.link](logits, *numbers)
