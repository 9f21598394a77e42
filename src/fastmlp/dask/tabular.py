"""The models of raw tables that learn on a cluster."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self

from sklearn.base import is_classifier

from fastmlp import validation
from fastmlp.dask.documentation import documented
from fastmlp.dask.model import OnCluster, with_cluster
from fastmlp.dask.partitions import Part, is_distributed
from fastmlp.dask.scoring import accuracy_of, r2_of
from fastmlp.dask.tables import PartedTable
from fastmlp.data.source import Piece
from fastmlp.tabular.classifier import TabularClassifier
from fastmlp.tabular.regressor import TabularRegressor
from fastmlp.tabular.whole import Sampled

__all__ = ["DaskTabularClassifier", "DaskTabularRegressor"]


@dataclass(frozen=True, eq=False)
class _Parted:
    """Rows in parts, in the place of a source."""

    parts: list[Part]
    has_target: bool = True
    once: bool = False


class _TableOnCluster(OnCluster):
    """A model of raw tables whose rows are on workers."""

    def fit(
        self,
        X: Any,
        y: Any = None,
        sample_weight: Any = None,
        *,
        X_val: Any = None,
        y_val: Any = None,
        sample_weight_val: Any = None,
    ) -> Self:
        """Race on a sample of the rows here; those that predict then learn from all on the cluster.

        Parameters
        ----------
        X, y, sample_weight
            As for ``fit`` of :class:`~fastmlp.dask.DaskMLPClassifier`; X is a raw table.
        X_val, y_val, sample_weight_val : default=None
            Rows that judge, in memory.

        Returns
        -------
        self : object

        Raises
        ------
        ValueError, TypeError
            If a parameter or the data is wrong.
        """
        validation.check_distributed_parameters(self.exchange, self.n_shards, self.local_steps)
        parted = _Parted(self._parts(X, y, sample_weight))
        return super().fit(  # type: ignore[misc, no-any-return]
            parted, X_val=X_val, y_val=y_val, sample_weight_val=sample_weight_val
        )

    def _comes_in_parts(self, X: Any) -> bool:
        return isinstance(X, _Parted)

    def _sampled(self, X: Any, given: dict[str, Any], look: Callable[[Piece], None]) -> Sampled:
        table = PartedTable.of(X.parts, self, self.client_, look, has_labels=is_classifier(self))
        return Sampled.of(table)


@documented
class DaskTabularClassifier(_TableOnCluster, TabularClassifier):
    """:class:`~fastmlp.TabularClassifier` of raw tables on the workers of a Dask cluster.

    {shared}
    """

    _sibling = TabularClassifier
    __init__ = with_cluster(TabularClassifier)

    def predict(self, X: Any) -> Any:
        """Return the most probable label of each row, lazily if X is on workers.

        {answer}
        """
        return self._lazily("predict", X)

    def predict_proba(self, X: Any) -> Any:
        """Return the probability of each class, lazily if X is on workers.

        {answer}
        """
        return self._lazily("predict_proba", X, list(self.classes_))

    def score(self, X: Any, y: Any = None, sample_weight: Any = None) -> float:
        """Return the accuracy; of rows on workers, these compute it part by part.

        Parameters
        ----------
        X, y, sample_weight
            As for ``fit``, or a table in memory.

        Returns
        -------
        float
        """
        if not is_distributed(X):
            return super().score(X, y, sample_weight)
        return accuracy_of(self._to_ship(), self._parts(X, y, sample_weight), self.client_)


@documented
class DaskTabularRegressor(_TableOnCluster, TabularRegressor):
    """:class:`~fastmlp.TabularRegressor` of raw tables on the workers of a Dask cluster.

    {shared}
    """

    _sibling = TabularRegressor
    __init__ = with_cluster(TabularRegressor)

    def predict(self, X: Any, return_std: bool = False) -> Any:
        """Return the predicted targets, lazily if X is on workers.

        {answer}
        """
        if not (return_std and is_distributed(X)):
            return self._lazily("predict", X, return_std=return_std)
        return tuple(self._lazily("predict", X, item=item, return_std=True) for item in range(2))

    def score(self, X: Any, y: Any = None, sample_weight: Any = None) -> float:
        """Return R²; of rows on workers, these compute it part by part.

        Parameters
        ----------
        X, y, sample_weight
            As for ``fit``, or a table in memory.

        Returns
        -------
        float

        Raises
        ------
        ValueError
            For quantiles of rows on workers, whose score does not add up over parts.
        """
        if not is_distributed(X):
            return super().score(X, y, sample_weight)
        model = self._to_ship()
        validation.check_scored_by_parts(model.loss)
        return r2_of(model, self._parts(X, y, sample_weight), self.client_)
