"""What the models that learn on a cluster share."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from copy import copy
from typing import Any, ClassVar, Self

import dask
import distributed
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from fastmlp import validation
from fastmlp.dask.learning import prepare_distributed
from fastmlp.dask.partitions import Parts, is_distributed, parts_of
from fastmlp.dask.prediction import Asked, predicted
from fastmlp.dask.waiting import gathered
from fastmlp.estimators.hiding import available
from fastmlp.estimators.preparation import ValidationRows
from fastmlp.training import clock

__all__ = ["NetworkOnCluster", "OnCluster", "rows_in_memory", "with_cluster"]

#: The parameters that these models have beside those of their siblings, and their defaults.
OWN = {"client": None, "exchange": "auto", "n_shards": None, "local_steps": "auto"}


def with_cluster(sibling: type) -> Callable[..., None]:
    """Return an ``__init__`` that takes what the sibling's takes, and a cluster's parameters."""

    def __init__(self: Any, *args: Any, **given: Any) -> None:  # noqa: N807
        bound = signature.bind(self, *args, **given)
        bound.apply_defaults()
        values = dict(bound.arguments)
        del values["self"]
        for name, value in values.items():
            setattr(self, name, value)

    known = inspect.signature(sibling.__init__)  # type: ignore[misc]
    own = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=value)
        for name, value in OWN.items()
    ]
    signature = known.replace(parameters=[*known.parameters.values(), *own])
    __init__.__signature__ = signature  # type: ignore[attr-defined]
    return __init__


def _never(model: Any) -> bool:
    validation.raise_no_partial_fit(type(model).__name__)
    return False


class OnCluster:
    """A model that learns from rows on the workers of a Dask cluster.

    What it has learnt is that of its sibling, the estimator of the same parameters that learns
    from rows in memory.
    """

    _sibling: ClassVar[type]
    client: Any
    exchange: str
    n_shards: int | None
    local_steps: int | str

    @property
    def client_(self) -> distributed.Client:
        """The client by which the model reaches its cluster.

        Raises
        ------
        ValueError, TypeError
            If there is none that could be used.
        """
        try:
            found = distributed.default_client()
        except ValueError:
            found = None
        validation.check_client(self.client, found, distributed.Client)
        return found if self.client is None else self.client

    def to_local(self) -> Any:
        """Return the fitted model as one that needs no cluster.

        Returns
        -------
        MLPClassifier or MLPRegressor
            With the same parameters, and what was learnt; the arrays are the same.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            If the model has not been fitted.
        """
        check_is_fitted(self)
        learnt = self._shown()
        parameters = self.get_params(deep=False)  # type: ignore[attr-defined]
        local = self._sibling(**{name: parameters[name] for name in parameters.keys() - OWN.keys()})
        local._published = learnt
        return local

    def save(self, path: Any) -> None:
        """Write what ``to_local`` returns into a file, which :func:`fastmlp.load` reads.

        Parameters
        ----------
        path : str or path-like

        Raises
        ------
        sklearn.exceptions.NotFittedError, TypeError, OSError, ImportError
            As ``save`` of the estimators that learn from data in memory.
        """
        self.to_local().save(path)

    def _parts(self, X: Any, y: Any, sample_weight: Any) -> Parts:
        return parts_of(X, y, sample_weight, type(self).__name__, self._sibling.__name__)

    def _lazily(
        self, method: str, X: Any, columns: Any = None, item: int | None = None, **options: Any
    ) -> Any:
        """Return what the sibling's method says of X; of rows on workers, lazily."""
        if not is_distributed(X):
            return getattr(super(), method)(X, **options)
        asked = Asked(method, options, item, columns)
        return predicted(self._to_ship(), asked, X, type(self).__name__, self._sibling.__name__)

    def _to_ship(self) -> Any:
        """Return the model in the form in which workers get it."""
        local = self.to_local()
        local.callbacks = None  # they need not be picklable, and are of no use there
        return local

    def _shown(self) -> Any:
        """Return what has been learnt; in a callback, so far."""
        return self._published  # type: ignore[attr-defined]

    def __sklearn_clone__(self) -> Self:
        # A client can't be copied, so the clone has the same one.
        made: Self = BaseEstimator.__sklearn_clone__(copy(self))
        made.client = self.client
        return made

    def __getstate__(self) -> dict[str, Any]:
        return {**super().__getstate__(), "client": None}  # type: ignore[dict-item]


class NetworkOnCluster(OnCluster):
    """A network that learns from rows on the workers."""

    exchange_: str
    local_steps_: int

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
        """Train the network on the cluster for up to ``max_iter`` epochs.

        Rows are learnt from where workers have encoded them; only a sample of them comes here.

        Parameters
        ----------
        X : dask array or data frame, source, path, or list of Delayed
            Rows in parts. A source of Parquet files (:func:`fastmlp.data.from_parquet`), or a path
            or pattern of such files, is read by the workers, which must see the same files. Of a
            list of delayed parts, each makes an array or a data frame, or such with y, and maybe
            weights, as a tuple.
        y : the like, or name or names of columns, default=None
            Labels or targets, in the parts of X; for a data frame or files, also the name of a
            column. None where X brings y.
        sample_weight : the like, or name of a column, default=None
            How much each row counts.
        X_val, y_val, sample_weight_val : array-like, default=None
            Rows to judge by, as for the sibling's ``fit``; they come here if they are on workers.

        Returns
        -------
        self : object

        Raises
        ------
        ValueError, TypeError
            If a parameter or the data is not as it must be, a part does not have the same rows
            each time it is made, or there is no client or no worker.
        DivergenceError
            If the loss becomes infinite or NaN; the estimator is as it was before.

        Warns
        -----
        ConvergenceWarning, RuntimeWarning, UserWarning
            As for the sibling's ``fit``.
        """
        began = clock.now()
        validation.check_distributed_parameters(self.exchange, self.n_shards, self.local_steps)
        client = self.client_
        given = rows_in_memory(client, X_val, y_val, sample_weight_val)
        parts = self._parts(X, y, sample_weight)
        fitting, distribution = prepare_distributed(self, parts, client, began, given)
        self._run(fitting, X, y, sample_weight)  # type: ignore[attr-defined]
        chosen = distribution.chosen
        assert chosen is not None
        self.exchange_, self.local_steps_ = chosen.way, chosen.local_steps
        return self

    @available(_never)
    def partial_fit(self, *_: Any) -> Self:
        """Be hidden: a cluster learns in whole fits."""
        raise NotImplementedError

    def _shown(self) -> Any:
        return self._learnt  # type: ignore[attr-defined]

    def _to_ship(self) -> Any:
        local = super()._to_ship()
        local._published = local._published.without_moments()
        return local


def rows_in_memory(client: Any, X: Any, y: Any, sample_weight: Any) -> ValidationRows:
    """Return rows that judge, computed if they are collections of Dask's."""
    return ValidationRows(
        *(
            gathered(client, [client.compute(each)])[0] if dask.is_dask_collection(each) else each
            for each in (X, y, sample_weight)
        )
    )
