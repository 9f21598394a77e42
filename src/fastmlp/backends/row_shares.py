"""The weight of a row in the statistics of its batch."""

from __future__ import annotations

import numpy as np

__all__ = ["row_shares"]


def row_shares(sample_weight: np.ndarray | None, n_rows: int, dtype: np.dtype) -> np.ndarray:
    """Return w_r / Σw for each row, (B,); 1/B each without weights."""
    if sample_weight is None:
        return np.full(n_rows, 1 / n_rows, dtype)
    shares = sample_weight / sample_weight.sum(dtype=np.float64)
    return np.ascontiguousarray(shares, dtype)
