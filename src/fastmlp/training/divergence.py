"""The error, and its text, for numbers that become infinite or NaN in training."""

from __future__ import annotations

import numpy as np

from fastmlp.network import Network

__all__ = ["DivergenceError", "divergence_text", "require_finite"]


class DivergenceError(ValueError):
    """Raised if a loss, a parameter or a validation score becomes infinite or NaN.

    The estimator is as it was before the fit.
    """


def require_finite(network: Network, epoch: int) -> None:
    """Raise DivergenceError if a parameter is infinite or NaN."""
    if not np.isfinite(network.parameters).all():
        raise DivergenceError(divergence_text(epoch, "network's parameters"))


def divergence_text(epoch: int, what: str) -> str:
    """Return what to say, and to do, when ``what`` is no longer finite."""
    return (
        f"The {what} became infinite or NaN in epoch {epoch}. Try a smaller learning_rate_init, "
        "smaller alpha, l1 or init_std where these are large, "
        "X scaled to about unit variance (and, for regression, standardize_target=True), or "
        "dtype='float64'. Solver produced non-finite parameter weights. The input data may contain "
        "large values and need to be preprocessed."
    )
