"""Calibrated probabilities: as sure as they are right, by one temperature (Guo et al. 2017)."""

from __future__ import annotations

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import softmax

__all__ = ["best_temperature", "tempered"]

#: The least probability whose logarithm is taken.
LEAST = 1e-12

#: Logarithms of temperatures between which the best one is sought.
BOUNDS = (-2.5, 2.5)


def tempered(p: np.ndarray, temperature: float) -> np.ndarray:
    """Return softmax(log p / T) of probabilities (N, K): T < 1 makes them surer.

    The most probable class stays the most probable one, and what is impossible stays so.
    """
    if temperature == 1:
        return p
    logarithms = np.where(p > 0, np.log(np.maximum(p, LEAST)), -np.inf)
    tempered_p: np.ndarray = softmax(logarithms / temperature, axis=1)
    return tempered_p


def best_temperature(p: np.ndarray, truth: np.ndarray, weights: np.ndarray | None) -> float:
    """Return the temperature with the least log-loss on held-out rows.

    One further row is counted, whose class may be any: without it, few rows of which all are right
    would ask for certainty.

    Parameters
    ----------
    p : ndarray, shape (V, K)
        Probabilities.
    truth : ndarray of int, shape (V,)
        Numbers of the true classes.
    weights : ndarray, shape (V,), or None

    Returns
    -------
    float
        T of softmax(log p / T), between 0.08 and 12. Guo, Pleiss, Sun & Weinberger 2017, "On
        calibration of modern neural networks", section 4.2.
    """
    rows, further = np.arange(len(p)), 1 / (len(p) + 1)

    def cost(log_temperature: float) -> float:
        surprise = -np.log(np.maximum(tempered(p, float(np.exp(log_temperature))), LEAST))
        known = np.average(surprise[rows, truth], weights=weights)
        unknown = np.average(surprise, axis=0, weights=weights).mean()
        return float((1 - further) * known + further * unknown)

    return float(np.exp(minimize_scalar(cost, bounds=BOUNDS, method="bounded").x))
