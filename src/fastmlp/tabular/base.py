"""What the classifier and the regressor of raw tables share."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, Self

import numpy as np
from sklearn.base import BaseEstimator, is_classifier
from sklearn.utils import Tags, check_random_state
from sklearn.utils.validation import check_is_fitted

from fastmlp import validation
from fastmlp.data.source import Piece, Source
from fastmlp.estimators.preparation import ValidationRows
from fastmlp.export.exportable import Exportable
from fastmlp.files.savable import Savable
from fastmlp.notices import notify
from fastmlp.tables import ColumnTable, EncodedTable, TableReader
from fastmlp.tabular.leaderboard import Leaderboard
from fastmlp.tabular.member import Member
from fastmlp.tabular.partner import Partner, PartnerLearner
from fastmlp.tabular.portfolio import PRESETS, Portfolio, portfolio_for
from fastmlp.tabular.problem import Problem
from fastmlp.tabular.race import Race
from fastmlp.tabular.recipe import INPUTS, Recipe
from fastmlp.tabular.refit import refitted
from fastmlp.tabular.selection import greedy_weights
from fastmlp.tabular.showing import n_epochs_of, showing
from fastmlp.tabular.split import Split, folds, hold_out
from fastmlp.tabular.teaching import Teaching
from fastmlp.tabular.transforms import TRANSFORMS
from fastmlp.tabular.whole import AllRows, Sampled, StreamedTable, Targets
from fastmlp.training import clock

__all__ = ["BaseTabular", "Ensemble"]

#: Tables of fewer rows are judged by folds: too few rows would be held out to choose by.
FEW_ROWS = 3000
FOLDS_OF_FEW = 5

#: Share of the time limit in which candidates learn; the rest is for choosing.
SHARE_OF_LEARNING = 0.97

#: Share of that in which candidates race, where the chosen ones learn again from all rows.
SHARE_BEFORE_REFIT = 0.45


class _Limits(NamedTuple):
    """What the clock shows when something has to end; None where there is no limit.

    Attributes
    ----------
    race, choice, refit : float or None
    """

    race: float | None = None
    choice: float | None = None
    refit: float | None = None

    @classmethod
    def of(cls, began: float, limit: float | None, *, again: bool) -> _Limits:
        """Return the limits of a fit that began then, in which networks may learn ``again``."""
        if limit is None:
            return cls()
        learning = SHARE_OF_LEARNING * limit
        if not again:
            return cls(began + learning, began + limit)
        race = began + SHARE_BEFORE_REFIT * learning
        return cls(race, race + limit - learning, began + learning)


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

    @property
    def has_learnt(self) -> bool:
        """Whether a partner, or a network that has seen all of its rows, is among the members."""
        networks = [each for member in self.members for each in member.learners]
        return any(each.n_epochs or isinstance(each, PartnerLearner) for each in networks)

    def predict(self, X: Any) -> np.ndarray:
        """Return what the weighted mean predicts for a raw table, (N, …), or for a source's."""
        if not isinstance(X, Source):
            return self._predict(X)
        parts = []
        for piece in X.pieces(X.rows_of_piece):
            with validation.naming_piece(piece.place):
                parts.append(self._predict(piece.X))
        validation.check_any_row_to_stream(len(parts))
        return np.concatenate(parts)

    def _predict(self, X: Any) -> np.ndarray:
        table = self.reader.transform(X)
        return self._mean([member.predict(table) for member in self.members])

    def _mean(self, predictions: list[np.ndarray]) -> np.ndarray:
        mean: np.ndarray = np.einsum("m,m...->...", self.weights, np.stack(predictions))
        return mean


class BaseTabular(Exportable, Savable, BaseEstimator):
    """Reading, racing, selecting: all but what the target is."""

    preset: str
    recipe: Recipe | None
    partners: Sequence[Any] | None
    metric: Any
    time_limit: float | None
    n_members: int | None
    n_folds: int | None
    refit: bool
    validation_fraction: float
    categorical_features: Any
    ordinal_features: Any
    drop: Any
    callbacks: Any
    verbose: bool | str
    random_state: Any
    n_threads: int | None

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
        """Read the table, train the candidates and choose those that predict.

        Parameters
        ----------
        X : data frame, array-like or source, of shape (n_samples, n_features)
            The raw table. Texts, categories, dates and missing values are read as they are. A
            source of :mod:`fastmlp.data` is read piece by piece, and brings y and the weights. If
            it has more rows than are drawn (``sample_rows``), the candidates race on these, and
            those that predict then learn from all rows but those that judge.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs), default=None
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the rows. Rows of weight 0 are neither learnt from nor used to judge; they
            count only when it is decided what the columns are.
        X_val : data frame or array-like of shape (n_validation_rows, n_features), default=None
            Rows of your own that judge the candidates, in the place of rows of X.
        y_val : array-like of shape (n_validation_rows,) or (n_validation_rows, n_outputs), \
                default=None
        sample_weight_val : array-like of shape (n_validation_rows,), default=None

        Returns
        -------
        self : object

        Raises
        ------
        ValueError, TypeError
            If a parameter or the data is wrong. In that case nothing has changed.
        """
        began = clock.now()
        given = self._given()
        own = ValidationRows(X_val, y_val, sample_weight_val)
        judged_by_own = validation.check_own_rows(own, self.n_folds)
        sampled, seen = None, None
        if self._comes_in_parts(X):
            validation.check_streamed_arguments(X, y, sample_weight, again=True)
            validation.check_streamed_refit(own, refit=self.refit)
            seen = self._first_sight(given)
            sampled = self._sampled(X, given, seen)
            X, y, sample_weight = sampled.rows.X, sampled.rows.y, sampled.rows.weights
        rng = check_random_state(given["random_state"])
        reader = TableReader(
            categorical_features=self.categorical_features,
            ordinal_features=self.ordinal_features,
            drop=self.drop,
        )
        table = reader.fit_transform(X, owner=type(self).__name__)
        problem, targets = self._problem(table, y, sample_weight, given, seen)
        all_rows = None if sampled is None else AllRows.of(sampled, reader, targets)
        n_rows = len(problem.table)
        if judged_by_own:
            validation.check_validation_columns(X, X_val)
            problem = self._with_own_rows(problem, reader, own, targets)
        validation.check_rows_to_learn_from(len(problem.table))
        if judged_by_own:
            splits = [_after(n_rows, problem)]
        else:
            n_folds = self._n_folds(given, n_rows, is_all=all_rows is None)
            splits = self._splits(problem, given, n_folds, rng)
        limits = _Limits.of(began, given["time_limit"], again=self.refit or all_rows is not None)
        is_late = limits.race is not None and clock.now() >= limits.race
        ensemble = self._raced(problem, targets, reader, splits, limits, rng, all_rows)
        self._publish(ensemble, problem, splits, targets)
        has_learnt = (
            ensemble.has_learnt or all_rows is not None
        )  # of that, a warning has been given
        if is_late or (limits.race is not None and not has_learnt):
            notify(validation.no_time_to_learn(given["time_limit"]))
        return self

    def _with_own_rows(
        self, problem: Problem, reader: TableReader, own: ValidationRows, targets: Targets
    ) -> Problem:
        """Return a problem with the rows that the user has given to judge by, after its own."""
        with validation.naming_validation_rows():
            table = reader.transform(own.X)
            target, weights = targets.judging(own.y, own.sample_weight, len(table))
        rows = np.arange(len(table)) if weights is None else np.flatnonzero(weights)
        counted = None if weights is None else weights[rows]
        return problem.joined(table.rows(rows), target[rows], counted)

    def _raced(
        self,
        problem: Problem,
        targets: Targets,
        reader: TableReader,
        splits: list[Split],
        limits: _Limits,
        rng: np.random.RandomState,
        all_rows: AllRows | None,
    ) -> Ensemble:
        """Return those who predict, after a race."""
        portfolio = self._portfolio(len(splits[0].train))
        partners = [Partner(estimator) for estimator in self.partners or ()]
        transform = self._transform_to_try(problem, targets)
        seed, n_epochs = int(rng.randint(2**31)), n_epochs_of(portfolio, transform, splits)
        with showing(self.verbose, problem, n_epochs) as (shown, tell):
            report = lambda member: self._report(member, tell)  # noqa: E731
            race = Race(shown, splits, seed, limits.race, report)
            race.run(portfolio, partners, transform)
        ensemble = self._chosen(reader, race, limits.choice)
        if race.was_interrupted and all_rows is not None:
            return ensemble
        if all_rows is not None:
            return self._taught(ensemble, problem, splits, all_rows, seed, limits.refit)
        if not self.refit:
            return ensemble
        members = refitted(problem, ensemble.members, ensemble.weights, seed, limits.refit)
        return replace(ensemble, members=members)

    def _taught(
        self,
        ensemble: Ensemble,
        problem: Problem,
        splits: list[Split],
        all_rows: AllRows,
        seed: int,
        deadline: float | None,
    ) -> Ensemble:
        """Return the same with networks that have learnt from all rows of which some have raced."""
        judged = None if self.refit else splits
        teaching = Teaching(problem, judged, all_rows, seed, deadline)
        with showing(self.verbose, problem, teaching.n_epochs(ensemble.members)) as (shown, tell):
            report = lambda member: self._report(member, tell)  # noqa: E731
            teaching.problem, teaching.tell = shown, tell
            members = teaching.run(ensemble.members, ensemble.weights, report)
        if self.time_limit is not None and teaching.n_late:
            notify(validation.no_time_for_all_rows(self.time_limit, teaching.n_late, len(members)))
        return replace(ensemble, members=members)

    def _comes_in_parts(self, X: Any) -> bool:
        """Return whether a table is not in memory, and is drawn a sample of."""
        return isinstance(X, Source)

    def _sampled(
        self, source: Any, given: dict[str, Any], look: Callable[[Piece], None]
    ) -> Sampled:
        """Return the rows of a source that race; ``look`` is shown all of them."""
        has_labels = is_classifier(self)
        table = StreamedTable.of(source, given["random_state"], look, has_labels=has_labels)
        return table.sampled()

    def _given(self) -> dict[str, Any]:
        """Return the parameters as a fit takes them; raise unless they are right."""
        validation.check_recipe(self.recipe, Recipe, INPUTS, TRANSFORMS)
        given = validation.check_tabular(self.get_params(deep=False), PRESETS, TRANSFORMS)
        classify, loss = is_classifier(self), given.get("loss")
        validation.check_partners(self.partners, classify=classify, loss=loss)
        return given

    def _n_folds(self, given: dict[str, Any], n_rows: int, *, is_all: bool) -> int:
        """Return how many folds a table is cut into; each would learn from all rows of a source."""
        if given["n_folds"] is not None:
            return int(given["n_folds"])
        return FOLDS_OF_FEW if is_all and n_rows < FEW_ROWS else 1

    def _splits(
        self, problem: Problem, given: dict[str, Any], n_folds: int, rng: np.random.RandomState
    ) -> list[Split]:
        """Return which rows judge: a part of them, or all of them in turn."""
        n_rows = len(problem.table)
        strata = problem.target if problem.is_classification else None
        if n_folds > 1:
            return folds(n_rows, min(n_folds, n_rows), strata, rng)
        return hold_out(n_rows, given["validation_fraction"], strata, rng)

    def _portfolio(self, n_rows: int) -> Portfolio:
        portfolio = portfolio_for(self.preset, n_rows)
        if self.recipe is not None:
            portfolio = Portfolio((self.recipe,))
        if self.n_members is None:
            return portfolio
        n_winners = max(portfolio.n_winners, 1)
        n_further = self.n_members - 1
        return portfolio._replace(n_winners=n_winners, n_further=n_further, n_of_small=1)

    def _transform_to_try(self, problem: Problem, targets: Any) -> str | None:
        """Return the transform of the target that the best recipe also tries, if any."""
        return None

    def _report(self, member: Member, tell: Callable[[str], None]) -> bool:
        """Tell of a member; return whether a callback has ended the race."""
        tell(f"{member.error:.5g}  {member.seconds:.1f} s  {member.name}")
        answers = [callback(member) for callback in self.callbacks or ()]
        return any(answer is True for answer in answers)

    def _chosen(self, reader: TableReader, race: Race, deadline: float | None) -> Ensemble:
        """Return the members that the greedy selection takes."""
        problem, members = race.problem, race.members
        if not any(np.isfinite(member.error) for member in members):
            notify(validation.no_value_of(problem.metric.name))
        rows = np.concatenate([split.held for split in race.splits])
        error: Callable[[np.ndarray], float] = lambda p: problem.smooth_error(p, rows)  # noqa: E731
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
    def _first_sight(self, given: dict[str, Any]) -> Callable[[Piece], None]:
        """Return what looks at y in a first pass over a source; it raises where y is wrong."""

    @abstractmethod
    def _problem(
        self, table: EncodedTable, y: Any, sample_weight: Any, given: dict[str, Any], seen: Any
    ) -> tuple[Problem, Any]:
        """Return what is to be learnt, and what is known of y.

        ``seen`` has looked at all rows of which these are a sample, or is None.
        """

    @abstractmethod
    def _publish(
        self, ensemble: Ensemble, problem: Problem, splits: list[Split], learnt: Any
    ) -> None:
        """Keep what a fit has found, by one assignment."""

    # -- what was learnt ------------------------------------------------------------------------

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "_published")

    def _check_savable(self) -> None:
        super()._check_savable()
        recipes = [member.recipe for member in self._ensemble.members]
        guests = [each.estimator for each in recipes if isinstance(each, Partner)]
        validation.check_no_guests(type(self).__name__, guests, "fit it without partners")

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
        """A table that says what each column was taken for."""
        return self._ensemble.reader.columns_

    @property
    def leaderboard_(self) -> Leaderboard:
        """A table that says how good each candidate was on the held-out rows."""
        return self._ensemble.leaderboard

    @property
    def n_features_in_(self) -> int:
        """The number of columns of the table."""
        return self._ensemble.reader.n_features_in_

    @property
    def feature_names_in_(self) -> np.ndarray:
        """The names of the columns, (I,), if they have any."""
        return self._ensemble.reader.feature_names_in_

    def _asked(
        self, ensemble: Ensemble, X: Any, y: Any, sample_weight: Any
    ) -> tuple[np.ndarray, Any, Any]:
        """Return what is predicted, (N, …), y and the weights, which a source brings itself."""
        if not isinstance(X, Source):
            return ensemble.predict(X), y, sample_weight
        validation.check_streamed_arguments(X, y, sample_weight, again=False)
        parts = []
        for piece in X.pieces(X.rows_of_piece):
            with validation.naming_piece(piece.place):
                validation.check_brings_target(piece.y, piece.place)
                parts.append((ensemble.predict(piece.X), piece.y, piece.weights))
        validation.check_any_row_to_stream(len(parts))
        predictions, targets, weights = zip(*parts, strict=True)
        every = None if weights[0] is None else np.concatenate(weights)
        return np.concatenate(predictions), np.concatenate(targets), every

    def _raw_values(self, X: Any) -> list[np.ndarray]:
        from fastmlp.export.of_table import raw_values  # noqa: PLC0415 - seldom needed

        reader = self._ensemble.reader
        reader.transform(X)  # which says what is wrong with X
        return raw_values(reader.reading, X)

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.categorical = True
        tags.input_tags.string = True
        return tags


def _after(n_rows: int, problem: Problem) -> Split:
    """Return the split that learns from the first ``n_rows`` rows and is judged by the others."""
    rows = np.arange(len(problem.table))
    return Split(rows[:n_rows], rows[n_rows:])
