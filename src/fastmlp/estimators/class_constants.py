"""The constant that predicts classes best: a yardstick for fits.

Legend: N rows, C outputs.
"""

from __future__ import annotations

import numpy as np

from fastmlp.registry import LOSSES, Loss

__all__ = ["class_constant"]

#: Keeps the logit of a class that no row has finite.
LEAST_SHARE = 1e-6


def class_constant(row: Loss, shares: np.ndarray, parameters: np.ndarray) -> np.ndarray:
    """Return the logits (C,) of the constant prediction that costs least.

    Parameters
    ----------
    row : Loss
    shares : ndarray of float64, shape (C,)
        What part of the rows each output's class, or label, has.
    parameters : ndarray, shape (K,)
        The loss's.
    """
    if row.code == LOSSES["multi_margin"].code:
        return _levels(shares)
    if row.code == LOSSES["squared_hinge"].code:  # the mean of the sides ±1 is best
        return 2 * shares - 1
    shares = np.clip(shares, LEAST_SHARE, 1 - LEAST_SHARE)
    if row.code == LOSSES["focal"].code:
        return _focal_logits(shares, *parameters)
    if row.code == LOSSES["binary_focal"].code:
        pairs = [_focal_logits(np.array([1 - share, share]), *parameters) for share in shares]
        return np.array([pair[1] - pair[0] for pair in pairs])
    return np.asarray(np.log(shares if row.link == "softmax" else shares / (1 - shares)))


def _focal_logits(shares: np.ndarray, gamma: float) -> np.ndarray:
    """Return the logits (C,) that the focal loss is least for: q = softmax(z) is not p.

    What is minimised, Σ p_j (1 − q_j)^γ (−log q_j), is convex in q.
    """
    from scipy.optimize import minimize  # noqa: PLC0415 - not every fit needs it
    from scipy.special import softmax  # noqa: PLC0415

    def cost(z: np.ndarray) -> tuple[float, np.ndarray]:
        q = softmax(z)
        rest = np.maximum(1 - q, np.finfo(float).eps)
        loss = -(rest**gamma) * np.log(q)
        # q times the derivative by q of what each class contributes
        slope = shares * (gamma * rest ** (gamma - 1) * q * np.log(q) - rest**gamma)
        return float(shares @ loss), slope - q * slope.sum()

    return np.asarray(minimize(cost, np.log(shares), jac=True, method="L-BFGS-B").x)


def _levels(shares: np.ndarray) -> np.ndarray:
    """Return the logits (C,) that the multi-class margin loss is least for: whole numbers.

    In the order of falling shares the logits fall by steps of 0 or 1, as the cost of a constant is
    linear between whole numbers. With steps behind the first s₁ < s₂ < … < s_k classes, which have
    the shares P(s₁) < … together, and s_(k+1) = C, the cost is C − 1 + Σ_i (s_i − P(s_i) s_(i+1)),
    divided by C: the best steps behind some s follow from the best ones behind each greater s.
    """
    n_classes, order = len(shares), np.argsort(-shares, kind="stable")
    together = np.cumsum(shares[order])
    least, following = np.zeros(n_classes + 1), np.full(n_classes + 1, n_classes)
    for s in range(n_classes - 1, 0, -1):
        later = np.arange(s + 1, n_classes + 1)
        costs = least[later] - together[s - 1] * later
        following[s] = later[costs.argmin()]
        least[s] = s + costs.min()
    logits, s = np.zeros(n_classes), 1 + int(least[1:].argmin())
    while s < n_classes:
        logits[order[:s]] += 1
        s = int(following[s])
    return logits
