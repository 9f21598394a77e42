"""The classifier."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.utils import Tags

from fastmlp import validation
from fastmlp.estimators.base import BaseMLP, stochastic
from fastmlp.estimators.documentation import with_shared_parts
from fastmlp.estimators.labels import LabelCoding

if TYPE_CHECKING:
    from fastmlp.initializers import Initializer
    from fastmlp.training import EpochRecord
    from fastmlp.user_functions import CustomActivation

__all__ = ["MLPClassifier"]


@with_shared_parts
class MLPClassifier(ClassifierMixin, BaseMLP):
    """Multi-layer perceptron for classification.

    Two classes are told apart by one logistic output, more by softmax outputs, and several labels
    per sample (y an indicator matrix) by a logistic output each. The loss is the cross-entropy of
    the outputs.

    Parameters
    ----------
    {parameters}

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The labels, sorted.
    {attributes}

    See Also
    --------
    MLPRegressor : The same network for real targets.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from fastmlp import MLPClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> model = MLPClassifier((16,), solver="lbfgs", alpha=0.1, random_state=0).fit(X, y)
    >>> model.predict(X[[0, 60, 120]])
    array([0, 1, 2])
    >>> model.predict_proba(X[:2]).shape
    (2, 3)
    """

    _numeric_target = False
    _labels: LabelCoding

    def __init__(
        self,
        hidden_layer_sizes: int | Sequence[int] = (100,),
        activation: str | CustomActivation | Sequence[str | CustomActivation] = "relu",
        *,
        solver: str = "adam",
        alpha: float = 0.0001,
        batch_size: int | str = "auto",
        learning_rate: str = "constant",
        learning_rate_init: float = 0.001,
        power_t: float = 0.5,
        max_iter: int = 200,
        shuffle: bool = True,
        random_state: int | np.random.RandomState | None = None,
        tol: float = 1e-4,
        verbose: bool | int = False,
        warm_start: bool = False,
        momentum: float = 0.9,
        nesterovs_momentum: bool = True,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        n_iter_no_change: float = 10,
        max_fun: int = 15000,
        dropout: float | Sequence[float] = 0.0,
        input_dropout: float = 0.0,
        l1: float = 0.0,
        weight_decay: float | None = None,
        init: Initializer = "auto",
        init_std: float = 0.01,
        init_range: float = 0.05,
        dtype: Any = "float32",
        backend: str = "compiled",
        n_threads: int | None = None,
        callbacks: Sequence[Callable[[EpochRecord], object]] | None = None,
    ) -> None:
        self._set_parameters(locals())

    # -- labels ---------------------------------------------------------------------------------

    def _learn_outputs(
        self, y: np.ndarray, sample_weight: np.ndarray | None, incremental: bool, classes: Any
    ) -> None:
        labels = LabelCoding.announced(classes, y) if incremental else LabelCoding.of_target(y)
        if not incremental and labels.kind != "multilabel":
            present = y if sample_weight is None else y[sample_weight > 0]
            validation.check_two_classes(np.unique(present), "y")
        self._labels, self.classes_ = labels, labels.classes

    def _check_outputs(self, y: np.ndarray) -> None:
        self._labels.check(y)

    def _encode(self, y: np.ndarray, dtype: np.dtype) -> np.ndarray:
        return self._labels.encode(y, dtype)

    def _output_layer(self) -> tuple[int, str]:
        return self._labels.n_outputs, self._labels.loss

    def _strata(self, target: np.ndarray) -> np.ndarray | None:
        # Two classes only: scikit-learn's own choice, which the held-out rows must match.
        return target.ravel() if self._labels.kind == "binary" else None

    def _score_logits(
        self, logits: np.ndarray, target: np.ndarray, sample_weight: np.ndarray | None
    ) -> float:
        decisions = self._labels.decide(logits).reshape(target.shape)
        return float(np.average((decisions == target).all(axis=1), weights=sample_weight))

    @stochastic
    def partial_fit(self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None) -> Self:
        """Train for one epoch on a part of the data, going on from the present network.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        classes : array-like of shape (n_classes,), default=None
            All labels that will ever come; needed on the first call, unless y is an indicator
            matrix, whose columns are the labels.
        sample_weight : array-like of shape (n_samples,), default=None

        Returns
        -------
        self : object

        Raises
        ------
        ValueError, TypeError
            As for ``fit``; also if y has a label that is not among ``classes``.
        DivergenceError
            If the loss becomes infinite or NaN; the estimator is as it was before.
        """
        with self._all_or_nothing():
            if self.__sklearn_is_fitted__():
                validation.check_classes_agree(classes, self.classes_)
            self._fit(X, y, sample_weight, incremental=True, classes=classes)
        return self

    # -- prediction -----------------------------------------------------------------------------

    def predict(self, X: Any) -> np.ndarray:
        """Return the most probable label of each sample.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_classes)
            Labels; for multilabel targets, ones where the probability exceeds 1/2.
        """
        logits = self._forward(X, apply_link=False)
        return self._labels.decode(logits)

    def predict_proba(self, X: Any) -> np.ndarray:
        """Return the probability of each class.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            Columns in the order of ``classes_``; for multilabel targets the rows need not sum to 1.
        """
        outputs = self._forward(X, apply_link=True)
        return np.hstack([1 - outputs, outputs]) if self._labels.kind == "binary" else outputs

    def predict_log_proba(self, X: Any) -> np.ndarray:
        """Return the logarithm of each class's probability, finite where that underflows.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
        """
        from scipy.special import log_expit, log_softmax  # noqa: PLC0415 - seldom needed

        logits = self._forward(X, apply_link=False)
        if self._labels.kind == "multiclass":
            return np.asarray(log_softmax(logits, axis=1))
        both = np.hstack([-logits, logits]) if self._labels.kind == "binary" else logits
        return np.asarray(log_expit(both))

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags
