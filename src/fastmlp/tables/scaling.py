"""Numbers of any scale as inputs of a network: centred, scaled by quartiles, smoothly clipped.

After Holzmüller, Grinsztajn and Steinwart, "Better by Default: Strong Pre-Tuned MLPs and Boosted
Trees on Tabular Data", NeurIPS 2024.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fastmlp.tables.quantiles import quantiles

__all__ = ["BOUND", "FAR", "RobustScaling", "fit_scaling", "smoothly_clipped"]

#: What smoothly clipped values approach.
BOUND = 3.0

#: Beyond this, float32 and float64 round the clipped value to the bound.
FAR = 1e9


def smoothly_clipped(z: np.ndarray) -> np.ndarray:
    """Return z / √(1 + (z / 3)²) of z (...), which is near z around 0 and within ± 3.

    Infinities become ± 3, and NaN stays.
    """
    near = np.clip(z, -FAR, FAR)
    clipped: np.ndarray = near / np.sqrt(1 + np.square(near / BOUND))
    return clipped


@dataclass(frozen=True, eq=False)
class RobustScaling:
    """How columns are centred and scaled, and which have an indicator of missing values.

    Attributes
    ----------
    kept : ndarray of int64, shape (K,)
        Columns whose values differ.
    centres : ndarray of float64, shape (K,)
        Their medians.
    factors : ndarray of float64, shape (K,)
        1 / (distance of the quartiles); where these coincide, 2 / (maximum − minimum).
    indicated : ndarray of int64, shape (M,)
        Columns that had missing values in fit.
    """

    kept: np.ndarray
    centres: np.ndarray
    factors: np.ndarray
    indicated: np.ndarray

    @property
    def n_outputs(self) -> int:
        """K + M."""
        return len(self.kept) + len(self.indicated)

    def names(self, columns: tuple[str, ...]) -> tuple[str, ...]:
        """Return the names of the outputs, given those of the columns (F,)."""
        missing = (f"{columns[i]}_missing" for i in self.indicated)
        return (*(columns[i] for i in self.kept), *missing)

    def transform(self, X: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
        """Return columns (N, F) as inputs (N, K + M), float32, in ``out`` if it is given.

        First come the scaled numbers, of which missing ones are 0, as medians are; then the
        indicators, 1 where a value is missing.
        """
        if out is None:
            out = np.empty((len(X), self.n_outputs), np.float32)
        with np.errstate(over="ignore"):
            scaled = (X[:, self.kept] - self.centres) * self.factors
        scaled[np.isnan(scaled)] = 0
        out[:, : len(self.kept)] = smoothly_clipped(scaled)
        out[:, len(self.kept) :] = np.isnan(X[:, self.indicated])
        return out


def fit_scaling(X: np.ndarray) -> RobustScaling:
    """Return the scaling that columns (N, F) call for."""
    low, first, median, third, high = quantiles(X, np.array([0, 0.25, 0.5, 0.75, 1]))
    half = third / 2 - first / 2  # which can't overflow
    half = np.where(half > 0, half, high / 4 - low / 4)
    with np.errstate(over="ignore"):
        factors = 0.5 / np.where(half > 0, half, 0.5)
    # Infinite values differ from finite ones even where the finite ones are all alike.
    kept = np.flatnonzero((high > low) | (np.isinf(X).any(axis=0) & ~np.isnan(low)))
    missing = np.isnan(X)
    indicated = np.flatnonzero(missing.any(axis=0) & ~missing.all(axis=0))
    return RobustScaling(kept, median[kept], factors[kept], indicated)
