"""Partners: models of other libraries that race beside the networks."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.utils import get_tags
from sklearn.utils.validation import has_fit_parameter
from threadpoolctl import threadpool_limits

from fastmlp import validation
from fastmlp.tables import EncodedTable
from fastmlp.tables.unscaled import Unscaled, fit_unscaled
from fastmlp.tabular.aims import Aim, RealAim
from fastmlp.tabular.problem import Problem
from fastmlp.tabular.split import Split
from fastmlp.training import clock

__all__ = ["Partner", "PartnerLearner", "learn_partner", "trial_seconds"]

#: Inputs of a category at most, for a partner that takes no codes.
MOST_LEVELS = 64

#: Codes of a category at most: as many as scikit-learn's gradient boosting has bins.
MOST_CODES = 255

#: Under a time limit, every so many-th row tells how long a partner takes for all.
TRIED = 10


@dataclass(frozen=True, eq=False)
class Partner:
    """A model of another library, as it was handed in.

    Attributes
    ----------
    estimator : estimator
        Not fitted.
    """

    estimator: Any

    @property
    def summary(self) -> str:
        """The estimator on one line."""
        return " ".join(repr(self.estimator).split())

    @property
    def n_codes(self) -> int:
        """Codes of a category at most; 0 unless it can be told which columns are categories."""
        parameters = self.estimator.get_params(deep=False)
        if "categorical_features" not in parameters:
            return 0
        return min(MOST_CODES, int(parameters.get("max_bins", MOST_CODES)))

    @property
    def takes_gaps(self) -> bool:
        """Whether it takes missing numbers."""
        return bool(get_tags(self.estimator).input_tags.allow_nan)

    def seeded(self, seed: int) -> Any:
        """Return a copy whose random states are integers."""
        copy = clone(self.estimator)
        parameters = copy.get_params(deep=True)
        names = [name for name in parameters if name.split("__")[-1] == "random_state"]
        return copy.set_params(**{name: seed for name in names if parameters[name] is None})


@dataclass(frozen=True, eq=False)
class PartnerLearner:
    """A fitted partner and what makes its inputs.

    Attributes
    ----------
    inputs : Unscaled
    estimators : list of estimator
        One, or one for each quantile.
    aim : Aim
    """

    inputs: Unscaled
    estimators: list[Any]
    aim: Aim
    n_epochs: int = field(default=0, init=False)
    was_interrupted: bool = field(default=False, init=False)

    def predict(self, table: EncodedTable) -> np.ndarray:
        """Return what is aimed at, (N, …)."""
        return self.aim.ask_partner(self.estimators, self.inputs.matrix(table))


def learn_partner(problem: Problem, partner: Partner, split: Split, seed: int) -> PartnerLearner:
    """Return a partner that has learnt from the rows of a split."""
    table, y = problem.table.rows(split.train), problem.target[split.train]
    estimator = partner.seeded(seed)
    inputs = fit_unscaled(
        table, fills=not partner.takes_gaps, n_codes=partner.n_codes, max_levels=MOST_LEVELS
    )
    X = inputs.matrix(table)
    if partner.n_codes:
        estimator.set_params(categorical_features=inputs.is_category(X.shape[1]))
    estimators = [_for_targets(each, y) for each in _for_aim(estimator, problem.aim)]
    weights = problem.weights_of(split.train)
    given = {} if weights is None else dict.fromkeys(_names_of_weights(estimators[0]), weights)
    with _threads(problem.settings["n_threads"]), warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of its end, as of networks'
        for each in estimators:
            each.fit(X, y, **given)
    return PartnerLearner(inputs, estimators, problem.aim)


def trial_seconds(problem: Problem, partner: Partner, splits: list[Split]) -> float:
    """Return how long a partner will take to learn from all splits, by a part of the rows."""
    began, split = clock.now(), splits[0]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            learn_partner(problem, partner, Split(split.train[::TRIED], split.held), 0)
    except Exception:
        return 0.0
    return TRIED * len(splits) * (clock.now() - began)


def _for_aim(estimator: Any, aim: Aim) -> list[Any]:
    """Return the estimators that predict what is aimed at: one, or one for each quantile."""
    if not isinstance(aim, RealAim) or aim.quantiles is None:
        return [estimator]
    parameters = estimator.get_params(deep=True)
    name = validation.parameter_of_quantiles(parameters)
    assert name is not None  # checked before the race
    loss = f"{name.removesuffix('quantile')}loss"
    settings = {loss: "quantile"} if loss in parameters else {}
    return [clone(estimator).set_params(**settings, **{name: level}) for level in aim.levels]


def _for_targets(estimator: Any, y: np.ndarray) -> Any:
    """Return an estimator that takes y (N,) or (N, C)."""
    if y.ndim == 1 or get_tags(estimator).target_tags.multi_output:
        return estimator
    from sklearn.multioutput import MultiOutputRegressor  # noqa: PLC0415 - slow to import

    return MultiOutputRegressor(estimator)


def _names_of_weights(estimator: Any) -> list[str]:
    """Return by what name weights reach an estimator, or the last step of a pipeline, if any."""
    steps = getattr(estimator, "steps", None)
    if not steps:
        return ["sample_weight"] if has_fit_parameter(estimator, "sample_weight") else []
    name, last = steps[-1]
    return [f"{name}__{each}" for each in _names_of_weights(last)]


@contextmanager
def _threads(n_threads: int | None) -> Iterator[None]:
    """Let what uses OpenMP or BLAS have so many threads."""
    if n_threads is None:
        yield
        return
    with threadpool_limits(n_threads):
        yield
