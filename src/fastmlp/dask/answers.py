"""What models on a cluster say of rows, and how good that is: lazily where the rows are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fastmlp import validation
from fastmlp.dask.documentation import documented
from fastmlp.dask.model import OnCluster
from fastmlp.dask.partitions import is_distributed
from fastmlp.dask.scoring import accuracy_of, r2_of

__all__ = ["ClassifierOnCluster", "RegressorOnCluster"]


@documented
class ClassifierOnCluster(OnCluster):
    """What classifiers on a cluster share."""

    classes_: Any

    def predict(self, X: Any) -> Any:
        """Return the most probable label of each row, lazily if X is on workers.

        {answer}
        """
        return self._lazily("predict", X)

    def predict_proba(self, X: Any) -> Any:
        """Return the probability of each class, lazily if X is on workers.

        {answer}
        """
        return self._lazily("predict_proba", X, self._names(X))

    def _names(self, X: Any) -> Sequence[Any] | None:
        """Return the classes, which name the columns of answers for data frames."""
        return list(self.classes_) if is_distributed(X) else None

    def score(self, X: Any, y: Any = None, sample_weight: Any = None) -> float:
        """Return the accuracy; of rows on workers, these compute it part by part.

        Parameters
        ----------
        X, y, sample_weight
            As for ``fit``, or rows in memory.

        Returns
        -------
        float
        """
        if not is_distributed(X):
            return super().score(X, y, sample_weight)  # type: ignore[misc, no-any-return]
        model, parts = self._to_ship(), self._parts(X, y, sample_weight).parts
        return accuracy_of(model, parts, self.client_)


@documented
class RegressorOnCluster(OnCluster):
    """What regressors on a cluster share."""

    def predict(self, X: Any, return_std: bool = False) -> Any:
        """Return the predicted targets, lazily if X is on workers.

        {answer}
        With ``return_std`` there are two, the second of standard deviations.
        """
        if not (return_std and is_distributed(X)):
            return self._lazily("predict", X, return_std=return_std)
        return tuple(self._lazily("predict", X, item=item, return_std=True) for item in range(2))

    def score(self, X: Any, y: Any = None, sample_weight: Any = None) -> float:
        """Return R²; of rows on workers, these compute it part by part.

        Parameters
        ----------
        X, y, sample_weight
            As for ``fit``, or rows in memory.

        Returns
        -------
        float

        Raises
        ------
        ValueError
            For quantiles of rows on workers, which are scored by D²: that does not follow from
            what parts have.
        """
        if not is_distributed(X):
            return super().score(X, y, sample_weight)  # type: ignore[misc, no-any-return]
        model = self._to_ship()
        validation.check_scored_by_parts(model.loss)
        return r2_of(model, self._parts(X, y, sample_weight).parts, self.client_)
