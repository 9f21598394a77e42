"""The fitted network that a display is asked to draw."""

from __future__ import annotations

from typing import Any

from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

__all__ = ["fitted_network"]


def fitted_network(estimator: Any, attribute: str) -> Any:
    """Return the estimator, or the last step of a pipeline; NotFittedError without ``attribute``.

    The steps before the last only prepare the data: nothing of them is drawn.
    """
    while isinstance(estimator, Pipeline):
        estimator = estimator[-1]
    check_is_fitted(estimator, attribute)
    return estimator
