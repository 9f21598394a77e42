"""Normalisations: z (B, O) → ẑ → y = γ ⊙ ẑ + β, and the way back.

ẑ = (z − μ) / √(σ² + ε): Ioffe & Szegedy 2015 (batch), algorithm 1; Ba et al. 2016 (layer), eq. 4;
Ulyanov et al. 2016 (instance), eq. 4; Wu & He 2018 (group), eq. 1-4. A row that weighs twice as
much as another counts as two in the statistics of its batch.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from fastmlp.plan.layout import NORMALIZATION_EPSILON
from fastmlp.registry import NORMALIZATIONS

__all__ = [
    "GradientsOfNorm",
    "Normalized",
    "follow_batch",
    "normalize",
    "normalize_by_running",
    "normalize_gradient",
]

_BATCH = NORMALIZATIONS["batch"].code


class Normalized(NamedTuple):
    """ẑ and what it was made by; S is O for batch norm, else one for each row and group."""

    normalized: np.ndarray  # (B, O)
    mean: np.ndarray  # (O,) or (B, n_groups)
    variance: np.ndarray  # likewise, divided by the count

    @property
    def scale(self) -> np.ndarray:
        """1 / √(σ² + ε), shaped as the variance."""
        scale: np.ndarray = (self.variance + NORMALIZATION_EPSILON) ** -0.5
        return scale


class GradientsOfNorm(NamedTuple):
    """∂L/∂z (B, O), ∂L/∂γ (O,), ∂L/∂β (O,)."""

    dz: np.ndarray
    dgain: np.ndarray
    dshift: np.ndarray


def _shares(sample_weight: np.ndarray | None, like: np.ndarray) -> np.ndarray:
    """Return each row's share (B, 1) in the statistics of its batch."""
    if sample_weight is None:
        return np.full((len(like), 1), 1 / len(like), like.dtype)
    shares: np.ndarray = sample_weight / sample_weight.sum(dtype=np.float64)
    return shares.astype(like.dtype).reshape(-1, 1)


def _by_columns(z: np.ndarray, shares: np.ndarray) -> Normalized:
    mean = (shares * z).sum(axis=0)
    variance = (shares * (z - mean) ** 2).sum(axis=0)
    return Normalized((z - mean) / np.sqrt(variance + NORMALIZATION_EPSILON), mean, variance)


def _by_groups(z: np.ndarray, n_groups: int) -> Normalized:
    grouped = z.reshape(len(z), n_groups, -1)
    mean, variance = grouped.mean(axis=2), grouped.var(axis=2)
    deviation = np.sqrt(variance + NORMALIZATION_EPSILON)
    normalized = (grouped - mean[..., np.newaxis]) / deviation[..., np.newaxis]
    return Normalized(normalized.reshape(z.shape), mean, variance)


def normalize(
    normalization: int, n_groups: int, z: np.ndarray, sample_weight: np.ndarray | None
) -> Normalized:
    """Return ẑ for z (B, O); the weights (B,) count for batch norm alone."""
    if normalization == _BATCH:
        return _by_columns(z, _shares(sample_weight, z))
    return _by_groups(z, n_groups)


def normalize_by_running(z: np.ndarray, mean: np.ndarray, variance: np.ndarray) -> np.ndarray:
    """Return ẑ for z (B, O) by the running statistics (O,) of batch norm."""
    normalized: np.ndarray = (z - mean) / np.sqrt(variance + NORMALIZATION_EPSILON)
    return normalized


def normalize_gradient(
    n_groups: int,
    dy: np.ndarray,
    sample_weight: np.ndarray | None,
    gain: np.ndarray,
    normalized: np.ndarray,
    scale: np.ndarray,
) -> GradientsOfNorm:
    """Return the gradients for dy (B, O) = ∂L/∂y.

    With g = γ ⊙ dy and ⟨·⟩ the mean that made the statistics, ∂L/∂z = scale · (g − ⟨g⟩ − ẑ ⟨g ẑ⟩).
    """
    g = gain * dy
    if scale.ndim == 1:  # batch: a row's share of the sums over the batch
        shares = _shares(sample_weight, dy)
        sums = g.sum(axis=0), (g * normalized).sum(axis=0)
        dz = scale * (g - shares * (sums[0] + normalized * sums[1]))
    else:
        g, z_hat = (a.reshape(len(a), n_groups, -1) for a in (g, normalized))
        means = g.mean(axis=2, keepdims=True), (g * z_hat).mean(axis=2, keepdims=True)
        dz = (scale[..., np.newaxis] * (g - means[0] - z_hat * means[1])).reshape(dy.shape)
    return GradientsOfNorm(dz, (dy * normalized).sum(axis=0), dy.sum(axis=0))


def follow_batch(
    running_mean: np.ndarray,
    running_variance: np.ndarray,
    seen: Normalized,
    sample_weight: np.ndarray | None,
    momentum: float,
) -> None:
    """Move the running statistics (O,) towards those of a batch, in place.

    The variance is made unbiased, as PyTorch's is, by n / (n − 1). Weights count rows: n is their
    sum, or the number of rows that have any where that is more.
    """
    n = float(len(seen.normalized))
    if sample_weight is not None:
        n = max(float(sample_weight.sum(dtype=np.float64)), float(np.count_nonzero(sample_weight)))
    correction = n / (n - 1) if n > 1 else 1.0
    running_mean += momentum * (seen.mean - running_mean)
    running_variance += momentum * (correction * seen.variance - running_variance)
