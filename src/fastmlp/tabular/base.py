"""What the classifier and the regressor of raw tables share."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, is_classifier
from sklearn.utils import Tags, check_random_state
from sklearn.utils.validation import check_is_fitted

from fastmlp import validation
from fastmlp.notices import notify
from fastmlp.tables import ColumnTable, EncodedTable, TableReader
from fastmlp.tabular.leaderboard import Leaderboard
from fastmlp.tabular.member import Member
from fastmlp.tabular.partner import Partner
from fastmlp.tabular.portfolio import PRESETS, Portfolio, portfolio_for
from fastmlp.tabular.problem import Problem
from fastmlp.tabular.race import Race
from fastmlp.tabular.recipe import INPUTS, Recipe
from fastmlp.tabular.selection import greedy_weights
from fastmlp.tabular.split import Split, folds, hold_out
from fastmlp.tabular.transforms import TRANSFORMS
from fastmlp.training import clock

__all__ = ["BaseTabular", "Ensemble"]

#: Tables of fewer rows are judged by folds: too few rows would be held out to choose by.
FEW_ROWS = 3000
FOLDS_OF_FEW = 5

#: Share of the time limit in which candidates learn; the rest is for choosing.
SHARE_OF_LEARNING = 0.97


@dataclass(frozen=True, eq=False)
class Ensemble:
    """What a fit leaves: the reader and the members that predict.

    Attributes
    ----------
    reader : TableReader
    members : tuple of Member
    weights : ndarray, shape (M,)
        Their sum is 1.
    leaderboard : Leaderboard
        Of all candidates, those without a weight too.
    """

    reader: TableReader
    members: tuple[Member, ...]
    weights: np.ndarray
    leaderboard: Leaderboard

    @property
    def held_out(self) -> np.ndarray:
        """What the weighted mean predicts for the held-out rows, (V, …)."""
        return self._mean([member.held_out for member in self.members])

    def predict(self, X: Any) -> np.ndarray:
        """Return what the weighted mean predicts for a raw table, (N, …)."""
        table = self.reader.transform(X)
        return self._mean([member.predict(table) for member in self.members])

    def _mean(self, predictions: list[np.ndarray]) -> np.ndarray:
        mean: np.ndarray = np.einsum("m,m...->...", self.weights, np.stack(predictions))
        return mean


class BaseTabular(BaseEstimator):
    """Reading, racing, selecting: all but what the target is."""

    preset: str
    recipe: Recipe | None
    partners: Sequence[Any] | None
    metric: Any
    time_limit: float | None
    n_folds: int | None
    validation_fraction: float
    categorical_features: Any
    ordinal_features: Any
    drop: Any
    callbacks: Any
    verbose: bool
    random_state: Any
    n_threads: int | None

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Read the table, train the candidates and choose those that predict.

        Parameters
        ----------
        X : data frame or array-like of shape (n_samples, n_features)
            Raw: texts, categories, dates and missing values are read as they are.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        sample_weight : array-like of shape (n_samples,), default=None
            Rows of weight 0 are not learnt from and do not judge; they are seen only when it is
            decided what the columns are.

        Returns
        -------
        self : object

        Raises
        ------
        ValueError, TypeError
            If a parameter or the data is not as it must be; nothing has changed then.
        """
        began = clock.now()
        given = self._given()
        rng = check_random_state(given["random_state"])
        reader = TableReader(
            categorical_features=self.categorical_features,
            ordinal_features=self.ordinal_features,
            drop=self.drop,
        )
        table = reader.fit_transform(X, owner=type(self).__name__)
        problem, learnt = self._problem(table, y, sample_weight, given)
        validation.check_rows_to_learn_from(len(problem.table))
        splits = self._splits(problem, given, rng)
        deadlines = _deadlines(began, given["time_limit"])
        race = Race(problem, splits, int(rng.randint(2**31)), deadlines[0], self._report)
        partners = [Partner(estimator) for estimator in self.partners or ()]
        transform = self._transform_to_try(problem, splits[0])
        race.run(*self._portfolio(len(splits[0].train)), partners, transform)
        ensemble = self._chosen(reader, race, deadlines[1])
        self._publish(ensemble, problem, splits, learnt)
        return self

    def _given(self) -> dict[str, Any]:
        """Return the parameters as a fit takes them; raise unless they are right."""
        validation.check_recipe(self.recipe, Recipe, INPUTS, TRANSFORMS)
        given = validation.check_tabular(self.get_params(deep=False), PRESETS, TRANSFORMS)
        classify, loss = is_classifier(self), given.get("loss")
        validation.check_partners(self.partners, classify=classify, loss=loss)
        return given

    def _splits(
        self, problem: Problem, given: dict[str, Any], rng: np.random.RandomState
    ) -> list[Split]:
        """Return which rows judge: a part of them, or all of them in turn."""
        n_rows = len(problem.table)
        strata = problem.target if problem.is_classification else None
        n_folds = given["n_folds"]
        if n_folds is None:
            n_folds = FOLDS_OF_FEW if n_rows < FEW_ROWS else 1
        if n_folds > 1:
            return folds(n_rows, min(n_folds, n_rows), strata, rng)
        return hold_out(n_rows, given["validation_fraction"], strata, rng)

    def _portfolio(self, n_rows: int) -> Portfolio:
        if self.recipe is not None:
            return Portfolio((self.recipe,))
        return portfolio_for(self.preset, n_rows)

    def _transform_to_try(self, problem: Problem, split: Split) -> str | None:
        """Return the transform of the target that the best recipe also tries, if any."""
        return None

    def _report(self, member: Member) -> bool:
        """Tell of a member; return whether a callback has ended the race."""
        if self.verbose:
            print(f"{member.error:.5g}  {member.seconds:.1f} s  {member.name}")
        answers = [callback(member) for callback in self.callbacks or ()]
        return any(answer is True for answer in answers)

    def _chosen(self, reader: TableReader, race: Race, deadline: float | None) -> Ensemble:
        """Return the members that the greedy selection takes."""
        problem, members = race.problem, race.members
        if not any(np.isfinite(member.error) for member in members):
            notify(validation.no_value_of(problem.metric.name))
        rows = np.concatenate([split.held for split in race.splits])
        error: Callable[[np.ndarray], float] = lambda prediction: problem.error(prediction, rows)  # noqa: E731
        held_out = [member.held_out for member in members]
        weights = greedy_weights(held_out, error, deadline=deadline)
        taken = weights > 0
        return Ensemble(
            reader,
            tuple(member for member, is_taken in zip(members, taken, strict=True) if is_taken),
            weights[taken],
            Leaderboard.of(problem.metric.name, members, weights, race.failures),
        )

    @abstractmethod
    def _problem(
        self, table: EncodedTable, y: Any, sample_weight: Any, given: dict[str, Any]
    ) -> tuple[Problem, Any]:
        """Return what is to be learnt, and what the estimator must know of y."""

    @abstractmethod
    def _publish(
        self, ensemble: Ensemble, problem: Problem, splits: list[Split], learnt: Any
    ) -> None:
        """Keep what a fit has found, by one assignment."""

    # -- what was learnt ------------------------------------------------------------------------

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "_published")

    def _fitted(self) -> Any:
        """Return what the last fit has published, to be taken once by a method and gone by."""
        check_is_fitted(self)
        return self._published

    @property
    def _ensemble(self) -> Ensemble:
        ensemble: Ensemble = self._fitted().ensemble
        return ensemble

    @property
    def columns_(self) -> ColumnTable:
        """What each column of the table was taken for."""
        return self._ensemble.reader.columns_

    @property
    def leaderboard_(self) -> Leaderboard:
        """What each candidate reached on held-out rows."""
        return self._ensemble.leaderboard

    @property
    def n_features_in_(self) -> int:
        """Number of columns of the table."""
        return self._ensemble.reader.n_features_in_

    @property
    def feature_names_in_(self) -> np.ndarray:
        """Names of the columns, (I,), if they have any."""
        return self._ensemble.reader.feature_names_in_

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.categorical = True
        tags.input_tags.string = True
        return tags


def _deadlines(began: float, time_limit: float | None) -> tuple[float | None, float | None]:
    """Return when candidates must have learnt, and when it must be known which of them predict."""
    if time_limit is None:
        return None, None
    return began + SHARE_OF_LEARNING * time_limit, began + time_limit
