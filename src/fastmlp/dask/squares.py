"""Mean squares of gradients over local updates, as if all ranks had made each update together.

Adam and its kin divide a mean of gradients by the root of v, a mean of their squares. The gradient
of a batch of B rows is g plus noise of variance σ²/B. Each of R ranks learns from B/R rows, so its
squares are g² + R σ²/B, where those of the whole batch are g² + σ²/B. Most of a square is noise, so
that a rank's steps would be up to √R times too short, and so would be the mean of all ranks'.

So a rank counts v in a unit of its own, R times the v of all: it begins with R v, and its learning
rate is √R times as high. That is right where squares are noise, and nearly so elsewhere until the
next average, if no more updates are made by then than v is made of. The very first update has the
rate as it is. At the average, g is known: the mean of all ranks' means of gradients has little
noise. Let m and v be the moments at the last average, h updates ago, and M and V the means over
all ranks of the present ones, then

    ḡ = (M - β₁ʰ m)/(1 - β₁ʰ),  E ḡ² = g² + κ σ²/B,  κ = (1 - β₁)(1 + β₁ʰ)/((1 + β₁)(1 - β₁ʰ)),
    S = (V - β₂ʰ R v)/(1 - β₂ʰ),  E S = g² + R σ²/B,
    v ← β₂ʰ v + (1 - β₂ʰ) ((R - 1) ḡ² + (1 - κ) S)/(R - κ).

The last term has the mean g² + σ²/B. With h = 1 it is the square of the mean gradient itself.
"""

from __future__ import annotations

import math

import numpy as np

from fastmlp.registry import OPTIMIZERS

__all__ = ["RankSquares", "squares_of_all"]

#: What the moments are called of those that divide by v.
_MOMENTS = OPTIMIZERS["adam"].moments
#: Where these have 1 - β₁, 1 - β₂ and ε among their coefficients; RAdam, whether it divides yet.
_BETA_1, _BETA_2, _EPSILON, _DIVIDES = range(4)

#: Elements at a time: few enough to stay in the cache.
_BLOCK = 1 << 14


class RankSquares:
    """How a rank counts the mean squares of its gradients, between two averages.

    Parameters
    ----------
    settings : ndarray of SETTINGS_DTYPE, 0-d
    n_ranks : int
        Ranks that have rows.
    """

    def __init__(self, settings: np.ndarray, n_ranks: int) -> None:
        self._rule = OPTIMIZERS.by_code(int(settings["optimizer"]))
        self._n_ranks = n_ranks
        self._has_unit = n_ranks > 1 and self._rule.moments == _MOMENTS

    def begin(self, moments: np.ndarray) -> None:
        """Let ``moments`` (M, P) be in the rank's own unit."""
        if self._has_unit:
            moments[1] *= self._n_ranks

    def updates(self, updates: np.ndarray) -> np.ndarray:
        """Return the records (U,) of UPDATE_DTYPE that make the same steps in the rank's unit."""
        if not self._has_unit:
            return updates
        own, scale = updates.copy(), np.full(len(updates), math.sqrt(self._n_ranks))
        scale[own["step"] == 0] = 1  # nothing is known of the noise yet
        if self._rule.name == "radam":
            scale[own["coefficients"][:, _DIVIDES] == 0] = 1
        own["coefficients"][:, _EPSILON] *= scale
        own["weight_decay"] /= scale  # which goes by the learning rate, or is a part of the step
        if not self._rule.has_trust_ratio:  # else steps have the length of their arrays
            own["learning_rate"] *= scale
        return own

    def end(self, before: np.ndarray, moments: np.ndarray, updates: np.ndarray) -> None:
        """Let ``moments`` (M, P), the mean of all ranks', be those of all ranks together.

        Parameters
        ----------
        before : ndarray, shape (M, P)
            The moments before the ``updates``.
        moments : ndarray, shape (M, P)
            Changed.
        updates : ndarray of UPDATE_DTYPE, shape (U,)
        """
        if not self._has_unit:
            return
        betas = 1 - updates["coefficients"][0, [_BETA_1, _BETA_2]]
        for begin in range(0, moments.shape[1], _BLOCK):
            block = slice(begin, begin + _BLOCK)
            squares_of_all(
                before[:, block], moments[:, block], betas.tolist(), len(updates), self._n_ranks
            )


def squares_of_all(
    before: np.ndarray, moments: np.ndarray, betas: list[float], n_updates: int, n_ranks: int
) -> None:
    """Let ``moments[1]`` be v, by the formula above; ``moments`` (2, P) are M and V before.

    Parameters
    ----------
    before : ndarray, shape (2, P)
        m and v.
    moments : ndarray, shape (2, P)
    betas : list of float, length 2
    n_updates, n_ranks : int
        h and R.
    """
    beta, keep, kept = betas[0], betas[0] ** n_updates, betas[1] ** n_updates
    kappa = (1 - beta) * (1 + keep) / ((1 + beta) * (1 - keep))
    slope = (moments[0] - keep * before[0]) / (1 - keep)
    # Rounding could make it negative where gradients have vanished.
    noisy = np.maximum(moments[1] - kept * n_ranks * before[1], 0)
    slope *= slope
    slope *= (n_ranks - 1) * (1 - kept) / (n_ranks - kappa)
    noisy *= (1 - kappa) / (n_ranks - kappa)
    moments[1] = kept * before[1]
    moments[1] += slope
    moments[1] += noisy
