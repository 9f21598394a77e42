"""The regressor of raw tables."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.base import RegressorMixin

from fastmlp import validation
from fastmlp.tables import EncodedTable
from fastmlp.tabular.base import BaseTabular, Ensemble
from fastmlp.tabular.documentation import with_shared_parts
from fastmlp.tabular.member import Member
from fastmlp.tabular.metrics import metric_of
from fastmlp.tabular.problem import Problem
from fastmlp.tabular.recipe import Recipe
from fastmlp.tabular.split import Split

__all__ = ["TabularRegressor"]


@dataclass(frozen=True, eq=False)
class _Published:
    ensemble: Ensemble
    low: np.ndarray
    high: np.ndarray


@with_shared_parts
class TabularRegressor(RegressorMixin, BaseTabular):
    """Regression on raw tables by a few networks chosen in a race.

    Parameters
    ----------
    {recipes}
    metric : str or callable, default="rmse"
        What candidates are chosen by: "rmse", "mae", or a metric of scikit-learn by name, or one of
        its scorers.
    {limits}
    {others}
    n_threads : int, default=None
        See :class:`MLPRegressor`.

    Attributes
    ----------
    {attributes}

    Notes
    -----
    Predictions lie between the least and the largest target that the fit saw.

    Examples
    --------
    >>> import pandas as pd
    >>> from fastmlp import TabularRegressor
    >>> X = pd.DataFrame({"area": [30.0, 50.0, None, 90.0] * 40,
    ...                   "town": ["Oslo", "Rome", "Rome", None] * 40})
    >>> y = [300.0, 250.0, 200.0, 500.0] * 40
    >>> model = TabularRegressor(preset="fast", random_state=0).fit(X, y)
    >>> model.score(X, y) > 0.9
    True
    """

    def __init__(
        self,
        *,
        preset: str = "default",
        recipe: Recipe | None = None,
        partners: Sequence[Any] | None = None,
        metric: Any = "rmse",
        time_limit: float | None = None,
        n_folds: int | None = None,
        validation_fraction: float = 0.15,
        categorical_features: Any = "auto",
        ordinal_features: Any = None,
        drop: Any = None,
        callbacks: Sequence[Callable[[Member], object]] | None = None,
        verbose: bool = False,
        random_state: int | np.random.RandomState | None = None,
        n_threads: int | None = None,
    ) -> None:
        self.preset = preset
        self.recipe = recipe
        self.partners = partners
        self.metric = metric
        self.time_limit = time_limit
        self.n_folds = n_folds
        self.validation_fraction = validation_fraction
        self.categorical_features = categorical_features
        self.ordinal_features = ordinal_features
        self.drop = drop
        self.callbacks = callbacks
        self.verbose = verbose
        self.random_state = random_state
        self.n_threads = n_threads

    def _problem(
        self, table: EncodedTable, y: Any, sample_weight: Any, given: dict[str, Any]
    ) -> tuple[Problem, None]:
        y, weights = validation.check_scored(y, sample_weight, len(table), numeric_y=True)
        y = y.astype(np.float64)
        if self.recipe is not None and self.recipe.logarithm:
            validation.check_has_logarithm(y)
        metric = metric_of(self.metric, None)
        problem = Problem(table, y, weights, 0, metric, {"n_threads": given["n_threads"]})
        return problem.counting(), None

    def _publish(
        self, ensemble: Ensemble, problem: Problem, splits: list[Split], learnt: None
    ) -> None:
        self._published = _Published(ensemble, problem.target.min(0), problem.target.max(0))

    def predict(self, X: Any) -> np.ndarray:
        """Return the predicted targets, in the unit of y.

        Parameters
        ----------
        X : data frame or array-like of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_outputs)
        """
        published: _Published = self._fitted()
        within: np.ndarray = np.clip(published.ensemble.predict(X), published.low, published.high)
        return within
