"""The networks that learn on a cluster."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fastmlp import validation
from fastmlp.dask.documentation import documented
from fastmlp.dask.model import NetworkOnCluster, with_cluster
from fastmlp.dask.partitions import is_distributed
from fastmlp.dask.scoring import accuracy_of, r2_of
from fastmlp.estimators.classifier import MLPClassifier
from fastmlp.estimators.regressor import MLPRegressor

__all__ = ["DaskMLPClassifier", "DaskMLPRegressor"]


@documented
class DaskMLPClassifier(NetworkOnCluster, MLPClassifier):
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

    def predict(self, X: Any) -> Any:
        """Return the most probable label of each sample, lazily if X is on workers.

        {answer}
        """
        return self._lazily("predict", X)

    def predict_proba(self, X: Any) -> Any:
        """Return the probability of each class, lazily if X is on workers.

        {answer}
        """
        return self._lazily("predict_proba", X, self._names(X))

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

    def _names(self, X: Any) -> Sequence[Any] | None:
        """Return the classes, which name the columns of answers for data frames."""
        return list(self.classes_) if is_distributed(X) else None

    def score(self, X: Any, y: Any = None, sample_weight: Any = None) -> float:
        """Return the accuracy; of rows on workers, these compute it part by part.

        Parameters
        ----------
        X, y, sample_weight
            As for ``fit``, or arrays in memory.

        Returns
        -------
        float
        """
        if not is_distributed(X):
            return super().score(X, y, sample_weight)
        return accuracy_of(self._to_ship(), self._parts(X, y, sample_weight), self.client_)


@documented
class DaskMLPRegressor(NetworkOnCluster, MLPRegressor):
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
            As for ``fit``, or arrays in memory.

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
            return super().score(X, y, sample_weight)
        model = self._to_ship()
        validation.check_scored_by_parts(model.loss)
        return r2_of(model, self._parts(X, y, sample_weight), self.client_)
