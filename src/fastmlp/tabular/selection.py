"""Greedy ensemble selection: which models a weighted mean takes (Caruana et al. 2004)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from fastmlp.training import clock

__all__ = ["greedy_weights"]

#: How often a model is added; a model may be added again, which raises its weight.
ROUNDS = 25


def greedy_weights(
    predictions: Sequence[np.ndarray],
    error: Callable[[np.ndarray], float],
    n_rounds: int = ROUNDS,
    deadline: float | None = None,
) -> np.ndarray:
    """Return the weights of the models whose mean prediction has the least error found.

    The first model is the best one alone. Each round then adds the model, with replacement, that
    makes the error of the mean the least (Caruana, Niculescu-Mizil, Crew & Ksikes 2004, "Ensemble
    selection from libraries of models", section 2). Of the means after each round the best one
    counts, and of several equally good ones the one of most models, since it varies least.

    Parameters
    ----------
    predictions : sequence of ndarray, shape (V, C) or (V,)
        What each of the M models predicts for the held-out rows.
    error : callable
        Maps a prediction like these to a number; less is better.
    n_rounds : int, default=25
    deadline : float, optional
        What ``clock.now()`` shows when no further round may begin.

    Returns
    -------
    ndarray of float64, shape (M,)
        Not negative; their sum is 1. All are alike if no mean of them has a finite error.

    Examples
    --------
    >>> import numpy as np
    >>> truth = np.array([0.0, 1.0, 2.0])
    >>> models = [truth + 1, truth - 1, truth + 5]
    >>> greedy_weights(models, lambda p: float(np.abs(p - truth).mean()), n_rounds=4)
    array([0.5, 0.5, 0. ])
    """
    counts = np.zeros(len(predictions))
    total = np.zeros_like(predictions[0], dtype=np.float64)
    best_error, best_counts = np.inf, np.ones(len(predictions))
    if len(predictions) == 1:
        return best_counts
    for n_chosen in range(n_rounds):
        if n_chosen and deadline is not None and clock.now() >= deadline:
            break
        errors = np.array([error((total + each) / (n_chosen + 1)) for each in predictions])
        errors[~np.isfinite(errors)] = np.inf
        chosen = int(errors.argmin())
        if errors[chosen] == np.inf:
            break
        counts[chosen] += 1
        total += predictions[chosen]
        if errors[chosen] <= best_error:
            best_error, best_counts = errors[chosen], counts.copy()
    weights: np.ndarray = best_counts / best_counts.sum()
    return weights
