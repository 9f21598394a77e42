"""The classifier of raw tables."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import ClassifierMixin

from fastmlp import validation
from fastmlp.data.source import Piece
from fastmlp.data.survey import Survey
from fastmlp.estimators.class_weights import factors_of
from fastmlp.notices import notify
from fastmlp.tables import EncodedTable
from fastmlp.tabular.aims import ClassAim
from fastmlp.tabular.base import BaseTabular, Ensemble
from fastmlp.tabular.calibration import best_temperature, tempered
from fastmlp.tabular.documentation import with_shared_parts
from fastmlp.tabular.member import Member
from fastmlp.tabular.metrics import metric_of
from fastmlp.tabular.problem import Problem
from fastmlp.tabular.recipe import Recipe
from fastmlp.tabular.split import Split

if TYPE_CHECKING:
    from fastmlp.export.program import Program

__all__ = ["TabularClassifier"]


@dataclass(frozen=True, eq=False)
class _Labels:
    """Classes (K,) and what their rows count, (K,), None if all count alike.

    ``learnt`` are those of which a row counts.
    """

    classes: np.ndarray
    factors: np.ndarray | None
    learnt: np.ndarray

    def encoded(
        self, y: Any, weights: np.ndarray | None, n_rows: int
    ) -> tuple[np.ndarray, np.ndarray | None]:
        """Return the numbers of the classes (N,) of labels, and what the rows count, (N,) or None.

        That is their ``weights`` (N,) times those of their classes.
        """
        y, _ = validation.check_scored(y, None, n_rows, numeric_y=False)
        validation.check_one_label_a_row(y)
        validation.check_labels_known(y, self.classes)
        places = {label: k for k, label in enumerate(self.classes.tolist())}
        target = np.array([places[label] for label in y.tolist()])
        return target, self.weights(target, weights)

    def weights(self, target: np.ndarray, weights: np.ndarray | None) -> np.ndarray | None:
        """Return what rows of the classes ``target`` (N,) and with these weights (N,) count."""
        if self.factors is None:
            return weights
        factors: np.ndarray = self.factors[target]
        return factors if weights is None else factors * weights

    def judging(
        self, y: Any, sample_weight: Any, n_rows: int
    ) -> tuple[np.ndarray, np.ndarray | None]:
        """Return target (V,) and weights (V,) of ``n_rows`` rows that the user judges by."""
        y, weights = validation.check_scored(y, sample_weight, n_rows, numeric_y=False)
        target, weights = self.encoded(y, weights, n_rows)
        if self.factors is not None and weights is not None:
            name = validation.weights_name(self.factors, sample_weight)
            weights = validation.check_row_weights(weights, name, np.dtype(np.float64))
        validation.check_labels_known(y if weights is None else y[weights > 0], self.learnt)
        return target, weights

    def n_counting(self, found: Survey) -> int:
        """Return how many rows there are, without those of classes that do not count."""
        if self.factors is None:
            return found.n_rows
        factors = dict(zip(self.classes.tolist(), self.factors.tolist(), strict=True))
        return sum(count for label, count in found.counts.items() if factors[label])


def _look_at_labels(piece: Piece) -> None:
    """Raise unless the labels and weights of a piece are as they must be."""
    y, _ = validation.check_scored(piece.y, piece.weights, len(piece), numeric_y=False)
    validation.check_one_label_a_row(y)


@dataclass(frozen=True, eq=False)
class _Published:
    ensemble: Ensemble
    classes: np.ndarray
    temperature: float

    def probabilities(self, prediction: np.ndarray) -> np.ndarray:
        """Return the probabilities (N, K) of the classes that a prediction of the members is."""
        return tempered(prediction[:, : len(self.classes)], self.temperature)

    def labels(self, prediction: np.ndarray) -> np.ndarray:
        """Return the most probable classes (N,)."""
        labels: np.ndarray = self.classes[self.probabilities(prediction).argmax(axis=1)]
        return labels


@with_shared_parts
class TabularClassifier(ClassifierMixin, BaseTabular):
    """Classifier of raw tables: a few networks that were chosen in a race.

    Parameters
    ----------
    {recipes}
    metric : str or callable, default="error"
        The metric by which candidates are chosen: "error" (the share of wrong classes), "log_loss",
        "auc", "brier", the name of a metric of scikit-learn, or a scorer.
    {limits}
    class_weight : dict or "balanced", default=None
        How much the rows of each class count, in learning and in judging. It is multiplied by
        ``sample_weight``.
    calibrate : bool, default=True
        Whether to correct probabilities that are too sure, or not sure enough, by a temperature
        that fits the held-out rows. The most probable class stays the same.
    {others}
    n_threads : int, default=None
        See :class:`MLPClassifier`.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
    {attributes}

    Examples
    --------
    >>> import pandas as pd
    >>> from fastmlp import TabularClassifier
    >>> X = pd.DataFrame({"size": [1.0, 2.0, None, 9.0, 8.0, 9.5] * 20,
    ...                   "colour": ["red", "red", "blue", None, "blue", "blue"] * 20})
    >>> y = ["small", "small", "small", "large", "large", "large"] * 20
    >>> model = TabularClassifier(preset="fast", random_state=0).fit(X, y)
    >>> model.predict(X.head(4)).tolist()
    ['small', 'small', 'small', 'large']
    """

    def __init__(
        self,
        *,
        preset: str = "default",
        recipe: Recipe | None = None,
        partners: Sequence[Any] | None = None,
        metric: Any = "error",
        time_limit: float | None = None,
        n_members: int | None = None,
        n_folds: int | None = None,
        refit: bool = False,
        validation_fraction: float = 0.15,
        class_weight: Any = None,
        calibrate: bool = True,
        categorical_features: Any = "auto",
        ordinal_features: Any = None,
        drop: Any = None,
        callbacks: Sequence[Callable[[Member], object]] | None = None,
        verbose: bool | str = False,
        random_state: int | np.random.RandomState | None = None,
        n_threads: int | None = None,
    ) -> None:
        self.preset = preset
        self.recipe = recipe
        self.partners = partners
        self.metric = metric
        self.time_limit = time_limit
        self.n_members = n_members
        self.n_folds = n_folds
        self.refit = refit
        self.validation_fraction = validation_fraction
        self.class_weight = class_weight
        self.calibrate = calibrate
        self.categorical_features = categorical_features
        self.ordinal_features = ordinal_features
        self.drop = drop
        self.callbacks = callbacks
        self.verbose = verbose
        self.random_state = random_state
        self.n_threads = n_threads

    _published: _Published

    def _problem(
        self, table: EncodedTable, y: Any, sample_weight: Any, given: dict[str, Any], seen: Any
    ) -> tuple[Problem, _Labels]:
        y = validation.labels_of_own_type(y)
        y, weights = validation.check_scored(y, sample_weight, len(table), numeric_y=False)
        validation.check_one_label_a_row(y)
        if self.recipe is not None:
            validation.check_no_transform(self.recipe.transform)
        classes, target = np.unique(y, return_inverse=True)
        class_weight, factors = given["class_weight"], None
        name = validation.weights_name(class_weight, sample_weight)
        if class_weight is not None:
            validation.check_class_weight_fits(class_weight, "labels", len(classes))
            factors = factors_of(class_weight, classes, target, weights)
        labels = _Labels(classes, factors, classes)
        weights = labels.weights(target, weights)
        if factors is not None and weights is not None:
            weights = validation.check_row_weights(weights, name, np.dtype(np.float64))
        problem = Problem(
            table,
            target,
            weights,
            ClassAim(max(len(classes), 2)),
            metric_of(self.metric, classes),
            {"n_threads": given["n_threads"]},
        ).counting()
        counting = classes[np.unique(problem.target)]
        text = validation.one_class_only(counting, classes, name)
        if text:
            notify(text, RuntimeWarning)
        return problem, replace(labels, learnt=counting)

    def _first_sight(self, given: dict[str, Any]) -> Callable[[Piece], None]:
        return _look_at_labels

    def _publish(
        self, ensemble: Ensemble, problem: Problem, splits: list[Split], learnt: _Labels
    ) -> None:
        temperature = 1.0
        if self.calibrate:
            rows = np.concatenate([split.held for split in splits])
            truth, weights = problem.target[rows], problem.weights_of(rows)
            temperature = best_temperature(ensemble.held_out, truth, weights)
        self._published = _Published(ensemble, learnt.classes, temperature)

    @property
    def classes_(self) -> np.ndarray:
        """The labels (n_classes,), sorted."""
        published: _Published = self._fitted()
        return published.classes

    def _program(self) -> Program:
        from fastmlp.tabular.exporting import program_of_classes  # noqa: PLC0415 - seldom needed

        published: _Published = self._fitted()
        ensemble = published.ensemble
        return program_of_classes(
            type(self).__name__,
            ensemble,
            ensemble.reader.reading,
            published.classes,
            published.temperature,
        )

    def predict_proba(self, X: Any) -> np.ndarray:
        """Return the probability of each class.

        Parameters
        ----------
        X : data frame, array-like or source, of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            Probabilities, with columns in the order of ``classes_``.
        """
        published: _Published = self._fitted()
        return published.probabilities(published.ensemble.predict(X))

    def predict(self, X: Any) -> np.ndarray:
        """Return the most probable class of each row.

        Parameters
        ----------
        X : data frame, array-like or source, of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples,)
        """
        published: _Published = self._fitted()
        return published.labels(published.ensemble.predict(X))

    def score(self, X: Any, y: Any = None, sample_weight: Any = None) -> float:
        """Return the accuracy: the share of rows whose class is predicted right.

        Parameters
        ----------
        X : data frame, array-like or source, of shape (n_samples, n_features)
            A source of :mod:`fastmlp.data` brings y and the weights itself.
        y : array-like of shape (n_samples,), default=None
        sample_weight : array-like of shape (n_samples,), default=None

        Returns
        -------
        float
        """
        from sklearn.metrics import accuracy_score  # noqa: PLC0415 - slow to import

        published: _Published = self._fitted()
        prediction, y, sample_weight = self._asked(published.ensemble, X, y, sample_weight)
        labels = published.labels(prediction)
        return float(accuracy_score(y, labels, sample_weight=sample_weight))
