"""What a fit of a historic neuron leaves behind, published by one assignment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from fastmlp.validation import stand_in

__all__ = ["Seen", "SeenAttributes"]


@dataclass(frozen=True, eq=False)
class Seen:
    """What a fit has seen of X and y; never changed.

    Attributes
    ----------
    classes : ndarray, shape (K,)
        Sorted.
    n_features : int
    feature_names : ndarray of str, shape (n_features,), or None
    """

    classes: np.ndarray
    n_features: int
    feature_names: np.ndarray | None

    def columns(self, owner: str) -> Any:
        """Return what scikit-learn's checks compare X with; ``owner`` is the estimator's class."""
        return stand_in(owner, self.n_features, self.feature_names)


class SeenAttributes:
    """Public attributes of X, read from the one object that a fit has published."""

    _published: Seen | None

    def _seen(self) -> Seen:
        """Return it; AttributeError before the first fit."""
        seen: Seen | None = vars(self).get("_published")
        if seen is None:
            raise AttributeError(f"this {type(self).__name__} has not been fitted yet")
        return seen

    @property
    def n_features_in_(self) -> int:
        """Columns of X."""
        return self._seen().n_features

    @property
    def feature_names_in_(self) -> np.ndarray:
        """Names of the columns of X; AttributeError where these had none."""
        names = self._seen().feature_names
        if names is None:
            raise AttributeError("feature_names_in_ is there only when all columns of X have names")
        return names
