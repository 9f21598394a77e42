"""Updates of the flat parameter vector, in place, and the penalties on its weights."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from fastmlp.registry import OPTIMIZERS

__all__ = ["UPDATE_RULES", "optimizer_update", "penalty", "penalty_gradient"]

#: (settings, parameters (P,), gradient (P,), moments (M, P)) → None
UpdateRule = Callable[[np.ndarray, np.ndarray, np.ndarray, np.ndarray], None]


def _sgd(
    settings: np.ndarray, parameters: np.ndarray, gradient: np.ndarray, moments: np.ndarray
) -> None:
    # Settings are float64 scalars, which would widen float32 arrays; Python floats don't.
    momentum = float(settings["momentum"])
    step = -float(settings["learning_rate"]) * gradient
    velocity = moments[0]
    velocity[:] = momentum * velocity + step
    parameters += momentum * velocity + step if settings["nesterov"] else velocity


def _adam(
    settings: np.ndarray, parameters: np.ndarray, gradient: np.ndarray, moments: np.ndarray
) -> None:
    beta_1, beta_2 = float(settings["beta_1"]), float(settings["beta_2"])
    first, second = moments
    first[:] = beta_1 * first + (1 - beta_1) * gradient
    second[:] = beta_2 * second + (1 - beta_2) * gradient**2
    t = int(settings["step"]) + 1
    rate = float(settings["learning_rate"]) * math.sqrt(1 - beta_2**t) / (1 - beta_1**t)
    parameters -= rate * first / (np.sqrt(second) + float(settings["epsilon"]))


#: By the name in the registry. AdamW is Adam; its decay is step 2 of every update.
UPDATE_RULES: dict[str, UpdateRule] = {"sgd": _sgd, "adam": _adam, "adamw": _adam}


def penalty(settings: np.ndarray, weights: np.ndarray) -> float:
    """Return l2/2 · Σw² + l1 · Σ|w| over ``weights`` (n_weights,), summed in float64."""
    squares = np.sum(np.square(weights, dtype=np.float64))
    return float(settings["l2"] / 2 * squares + settings["l1"] * np.abs(weights).sum(dtype=float))


def penalty_gradient(settings: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return l2 · w + l1 · sign(w), shape (n_weights,); sign(0) = 0."""
    gradient: np.ndarray = float(settings["l2"]) * weights
    gradient += float(settings["l1"]) * np.sign(weights)
    return gradient


def _shrink(weights: np.ndarray, amount: float) -> None:
    """Move every weight by ``amount`` towards 0 and not beyond, in place."""
    weights[:] = np.sign(weights) * np.maximum(np.abs(weights) - amount, 0)


def optimizer_update(
    settings: np.ndarray,
    parameters: np.ndarray,
    gradient: np.ndarray,
    moments: np.ndarray,
    n_weights: int,
    weight_sum: float,
) -> None:
    """Do the four steps of ``Backend.optimizer_update``, arrays as there."""
    learning_rate, l1 = float(settings["learning_rate"]), float(settings["l1"])
    weights = parameters[:n_weights]
    gradient[:n_weights] += float(settings["l2"]) / weight_sum * weights
    weights *= 1 - learning_rate * float(settings["weight_decay"])
    rule = UPDATE_RULES[OPTIMIZERS.by_code(int(settings["optimizer"])).name]
    rule(settings, parameters, gradient, moments)
    if l1 != 0:
        _shrink(weights, learning_rate * l1 / weight_sum)
