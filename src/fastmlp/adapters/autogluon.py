"""The models of raw tables as a model of AutoGluon, which TabArena can run too.

Needs ``autogluon.core``, which ``pip install autogluon.tabular`` brings::

    from autogluon.tabular import TabularPredictor
    from fastmlp.adapters.autogluon import FastMLPModel

    predictor = TabularPredictor(label="price")
    predictor.fit(train, hyperparameters={FastMLPModel: {"preset": "best"}, "GBM": {}})
"""

from __future__ import annotations

from typing import Any

import numpy as np

from fastmlp import TabularClassifier, TabularRegressor

try:
    from autogluon.core.models import AbstractModel
except ModuleNotFoundError as error:
    raise ModuleNotFoundError(
        "fastmlp.adapters.autogluon needs AutoGluon; install it with: pip install autogluon.tabular"
    ) from error

__all__ = ["FastMLPModel"]

#: AutoGluon's names of measures that ours are the same as. Others leave the default in place.
METRICS = {
    "accuracy": "error",
    "log_loss": "log_loss",
    "roc_auc": "auc",
    "roc_auc_ovr": "auc",
    "root_mean_squared_error": "rmse",
    "mean_squared_error": "rmse",
    "r2": "rmse",
    "mean_absolute_error": "mae",
}


class FastMLPModel(AbstractModel):
    """A model for AutoGluon that trains a `TabularClassifier` or a `TabularRegressor`.

    Its hyperparameters are their parameters, such as ``preset``, ``n_folds`` or ``recipe``. What
    AutoGluon decides itself is taken from there: the metric that chooses networks, the rows that
    judge, the rows' weights, seed, threads, and the seconds that a fit may take. Tables go in as
    AutoGluon hands them over, with categories and gaps.

    It handles binary and multiclass problems, regression and quantiles.
    """

    ag_key = "FASTMLP"
    ag_name = "FastMLP"
    ag_priority = 65
    seed_name = "random_state"

    def _fit(
        self,
        X: Any,
        y: Any,
        X_val: Any = None,
        y_val: Any = None,
        time_limit: float | None = None,
        sample_weight: Any = None,
        sample_weight_val: Any = None,
        num_cpus: int | str | None = None,
        **_: Any,
    ) -> None:
        """Fit on X (N, I) and y (N,); rows of ``X_val`` (V, I) judge, if there are any."""
        table = self.preprocess(X, y=y)
        judges: dict[str, Any] = {}
        if X_val is not None and y_val is not None:
            judges = {"X_val": self.preprocess(X_val), "y_val": np.asarray(y_val)}
            if sample_weight is not None and sample_weight_val is not None:
                judges["sample_weight_val"] = np.asarray(sample_weight_val)
        model = self._estimator().set_params(
            time_limit=time_limit, n_threads=num_cpus if isinstance(num_cpus, int) else None
        )
        model.set_params(**self._get_model_params())
        weights = None if sample_weight is None else np.asarray(sample_weight)
        self.model = model.fit(table, np.asarray(y), weights, **judges)

    def _estimator(self) -> TabularClassifier | TabularRegressor:
        """Return the estimator for the kind of problem, chosen by AutoGluon's measure."""
        if self.problem_type == "quantile":
            return TabularRegressor("pinball", quantiles=list(self.quantile_levels))
        kind = TabularRegressor if self.problem_type == "regression" else TabularClassifier
        metric = METRICS.get(self.eval_metric.name)
        return kind() if metric is None else kind(metric=metric)

    @classmethod
    def supported_problem_types(cls) -> list[str]:
        """Return AutoGluon's names of the problems that the models do."""
        return ["binary", "multiclass", "regression", "quantile"]
