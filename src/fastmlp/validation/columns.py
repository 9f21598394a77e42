"""The columns of X as scikit-learn's checks see them, apart from any estimator."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator

__all__ = ["stand_in"]


@cache
def _named_as(owner: str) -> type:
    """Return a class with an estimator's name, which scikit-learn's texts begin with."""
    return type(owner, (BaseEstimator,), {"__module__": __name__})


def stand_in(owner: str, n_features: int | None = None, names: np.ndarray | None = None) -> Any:
    """Return an object in which ``check_data`` finds, or leaves, what it knows of X's columns.

    An estimator itself must not be handed over: its number of columns would change before it has
    the network that goes with it.

    Parameters
    ----------
    owner : str
        Name of the estimator's class.
    n_features : int, optional
        Columns to demand; None where a new network begins.
    names : ndarray of str, shape (n_features,), optional
    """
    columns = _named_as(owner)()
    if n_features is not None:
        columns.n_features_in_ = n_features
    if names is not None:
        columns.feature_names_in_ = names
    return columns
