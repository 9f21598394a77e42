"""The networks that learn on a cluster."""

from __future__ import annotations

from typing import Any

from fastmlp.dask.answers import ClassifierOnCluster, RegressorOnCluster
from fastmlp.dask.documentation import documented
from fastmlp.dask.model import NetworkOnCluster, with_cluster
from fastmlp.estimators.classifier import MLPClassifier
from fastmlp.estimators.regressor import MLPRegressor

__all__ = ["DaskMLPClassifier", "DaskMLPRegressor"]


@documented
class DaskMLPClassifier(ClassifierOnCluster, NetworkOnCluster, MLPClassifier):
    """:class:`~fastmlp.MLPClassifier` that learns from rows on the workers of a Dask cluster.

    {shared}

    Examples
    --------
    >>> import dask.array as da
    >>> from dask.distributed import Client
    >>> from fastmlp.dask import DaskMLPClassifier
    >>> client = Client(n_workers=2, threads_per_worker=1)  # doctest: +SKIP
    >>> X = da.random.default_rng(0).normal(size=(1000, 2), chunks=(250, 2))
    >>> model = DaskMLPClassifier((16,), learning_rate_init=0.01, random_state=0)
    >>> model = model.fit(X, X.sum(axis=1) > 0)  # doctest: +SKIP
    >>> model.predict(X).compute()  # doctest: +SKIP
    """

    _sibling = MLPClassifier
    __init__ = with_cluster(MLPClassifier)

    def predict_log_proba(self, X: Any) -> Any:
        """Return the logarithm of each probability, lazily if X is on workers.

        {answer}
        """
        return self._lazily("predict_log_proba", X, self._names(X))

    def decision_function(self, X: Any) -> Any:
        """Return the logits, lazily if X is on workers.

        {answer}
        """
        return self._lazily("decision_function", X, self._names(X))


@documented
class DaskMLPRegressor(RegressorOnCluster, NetworkOnCluster, MLPRegressor):
    """:class:`~fastmlp.MLPRegressor` that learns from rows on the workers of a Dask cluster.

    {shared}

    Examples
    --------
    >>> import dask.array as da
    >>> from dask.distributed import Client
    >>> from fastmlp.dask import DaskMLPRegressor
    >>> client = Client(n_workers=2, threads_per_worker=1)  # doctest: +SKIP
    >>> X = da.random.default_rng(0).normal(size=(1000, 2), chunks=(250, 2))
    >>> model = DaskMLPRegressor(hidden_layer_sizes=(16,), learning_rate_init=0.01, random_state=0)
    >>> model = model.fit(X, X.sum(axis=1))  # doctest: +SKIP
    >>> model.score(X, X.sum(axis=1))  # doctest: +SKIP
    """

    _sibling = MLPRegressor
    __init__ = with_cluster(MLPRegressor)
