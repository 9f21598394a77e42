"""The classifier of raw tables."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import ClassifierMixin

from fastmlp import validation
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

    def weights(
        self, target: np.ndarray, weights: np.ndarray | None, name: str
    ) -> np.ndarray | None:
        """Return what rows count, (N,): their ``weights`` (N,) times those of their classes.

        ``target`` (N,) are the numbers of their classes, ``name`` says what makes up the weights.
        """
        if self.factors is None:
            return weights
        product = self.factors[target]
        if weights is not None:
            product = product * weights
        return validation.check_row_weights(product, name, np.dtype(np.float64))


@dataclass(frozen=True, eq=False)
class _Published:
    ensemble: Ensemble
    classes: np.ndarray
    temperature: float

    def probabilities(self, X: Any) -> np.ndarray:
        """Return the probabilities (N, K) of the classes for a raw table."""
        return tempered(self.ensemble.predict(X)[:, : len(self.classes)], self.temperature)


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
        self, table: EncodedTable, y: Any, sample_weight: Any, given: dict[str, Any]
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
        weights = labels.weights(target, weights, name)
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

    def _judging(
        self, learnt: _Labels, y: Any, sample_weight: Any, n_rows: int
    ) -> tuple[np.ndarray, np.ndarray | None]:
        y, weights = validation.check_scored(y, sample_weight, n_rows, numeric_y=False)
        validation.check_one_label_a_row(y)
        validation.check_labels_known(y, learnt.classes)
        places = {label: k for k, label in enumerate(learnt.classes.tolist())}
        target = np.array([places[label] for label in y.tolist()])
        name = validation.weights_name(self.class_weight, sample_weight)
        weights = learnt.weights(target, weights, name)
        validation.check_labels_known(y if weights is None else y[weights > 0], learnt.learnt)
        return target, weights

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

    if TYPE_CHECKING:  # scikit-learn has it, without types

        def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
            """Return the accuracy."""

    def predict_proba(self, X: Any) -> np.ndarray:
        """Return the probability of each class.

        Parameters
        ----------
        X : data frame or array-like of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            Probabilities, with columns in the order of ``classes_``.
        """
        published: _Published = self._fitted()
        return published.probabilities(X)

    def predict(self, X: Any) -> np.ndarray:
        """Return the most probable class of each row.

        Parameters
        ----------
        X : data frame or array-like of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples,)
        """
        published: _Published = self._fitted()
        labels: np.ndarray = published.classes[published.probabilities(X).argmax(axis=1)]
        return labels
