"""The models of raw tables that learn on a cluster."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Self

from fastmlp import validation
from fastmlp.dask.answers import ClassifierOnCluster, RegressorOnCluster
from fastmlp.dask.documentation import documented
from fastmlp.dask.model import OnCluster, rows_in_memory, with_cluster
from fastmlp.dask.partitions import Parts
from fastmlp.dask.tables import PartedTable
from fastmlp.data.source import Piece
from fastmlp.tabular.classifier import TabularClassifier
from fastmlp.tabular.regressor import TabularRegressor
from fastmlp.tabular.whole import Sampled

__all__ = ["DaskTabularClassifier", "DaskTabularRegressor"]


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
            Rows that judge, as for the sibling's ``fit``; they come here if they are on workers.

        Returns
        -------
        self : object

        Raises
        ------
        ValueError, TypeError
            If a parameter or the data is wrong.
        """
        validation.check_distributed_parameters(self.exchange, self.n_shards, self.local_steps)
        parts = self._parts(X, y, sample_weight)
        given = rows_in_memory(self.client_, X_val, y_val, sample_weight_val)
        return super().fit(  # type: ignore[misc, no-any-return]
            parts, X_val=given.X, y_val=given.y, sample_weight_val=given.sample_weight
        )

    def _comes_in_parts(self, X: Any) -> bool:
        return isinstance(X, Parts)

    def _sampled(self, X: Any, given: dict[str, Any], look: Callable[[Piece], None]) -> Sampled:
        return Sampled.of(PartedTable.of(X, self, self.client_, look))


@documented
class DaskTabularClassifier(ClassifierOnCluster, _TableOnCluster, TabularClassifier):
    """:class:`~fastmlp.TabularClassifier` of raw tables on the workers of a Dask cluster.

    {shared}
    """

    _sibling = TabularClassifier
    __init__ = with_cluster(TabularClassifier)


@documented
class DaskTabularRegressor(RegressorOnCluster, _TableOnCluster, TabularRegressor):
    """:class:`~fastmlp.TabularRegressor` of raw tables on the workers of a Dask cluster.

    {shared}
    """

    _sibling = TabularRegressor
    __init__ = with_cluster(TabularRegressor)
