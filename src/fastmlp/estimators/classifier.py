"""The classifier."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.utils import Tags

from fastmlp import validation
from fastmlp.estimators.base import BaseMLP
from fastmlp.estimators.class_coder import ClassCoder
from fastmlp.estimators.documentation import with_shared_parts
from fastmlp.estimators.hiding import available, stochastic
from fastmlp.estimators.labels import LabelCoding
from fastmlp.estimators.learnt import Learnt, learnt_by
from fastmlp.notices import notify
from fastmlp.registry import CLASSIFIER_LOSSES, LOSSES

if TYPE_CHECKING:
    from fastmlp.averaging import Average
    from fastmlp.embeddings import Categories, NumericEmbedding
    from fastmlp.optimizers import Optimizer
    from fastmlp.plan.initializers import Initializer
    from fastmlp.plan.user_functions import CustomActivation
    from fastmlp.schedules import Clock, Scaled
    from fastmlp.training.callbacks import EpochRecord

__all__ = ["MLPClassifier"]


def _has_probabilities(model: Any) -> bool:
    """Raise AttributeError where the fitted, or the wanted, loss has no probabilities."""
    loss, learnt = model.loss, learnt_by(model)
    if learnt is not None:
        loss, links = learnt.coder.loss, [learnt.coder.row.link]
    elif isinstance(loss, str) and loss in CLASSIFIER_LOSSES:
        links = [LOSSES[name].link for name in CLASSIFIER_LOSSES[loss].values()]
    else:  # an unknown name: fit will say so
        return True
    validation.check_has_probabilities(loss, links)
    return True


def _labels_of(learnt: Learnt) -> LabelCoding:
    """Return what a classifier's outputs mean."""
    assert isinstance(learnt.coder, ClassCoder)
    return learnt.coder.labels


@with_shared_parts
class MLPClassifier(ClassifierMixin, BaseMLP):
    """Multi-layer perceptron for classification.

    The network has one logistic output for two classes, and softmax outputs for more classes. If y
    is an indicator matrix, a sample can have several labels, with a logistic output for each.
    Instead of labels, each row of y may hold a distribution over the classes ("soft labels").

    Parameters
    ----------
    {parameters}
    {own_parameters}

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
    >>> model = MLPClassifier((16,), solver="lbfgs", alpha=0.1, max_iter=1000, random_state=0)
    >>> model = model.fit(X, y)
    >>> model.predict(X[[0, 60, 120]])
    array([0, 1, 2])
    >>> model.predict_proba(X[:2]).shape
    (2, 3)
    """

    _numeric_target = False
    _task = "classifier"

    def __init__(
        self,
        hidden_layer_sizes: int | Sequence[int] = (100,),
        activation: str | CustomActivation | Sequence[str | CustomActivation] = "relu",
        *,
        parametric_activation: bool | Sequence[bool] = False,
        loss: str = "cross_entropy",
        label_smoothing: float | Scaled = 0.0,
        focal_gamma: float = 2.0,
        class_weight: Mapping[Any, float] | Sequence[Mapping[Any, float]] | str | None = None,
        solver: str | Optimizer = "adam",
        alpha: float = 0.0001,
        batch_size: int | str = "auto",
        learning_rate: str | Callable[[Clock], float] = "constant",
        learning_rate_init: float = 0.001,
        learning_rate_factors: Mapping[str, float] | None = None,
        parametrization: str = "standard",
        power_t: float = 0.5,
        max_iter: int = 200,
        shuffle: bool = True,
        random_state: int | np.random.RandomState | None = None,
        tol: float = 1e-4,
        verbose: bool | int | str = False,
        warm_start: bool = False,
        momentum: float | Scaled = 0.9,
        nesterovs_momentum: bool = True,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        validation_split: Any = None,
        scoring: str | Callable[..., float] | None = None,
        restore_best: bool | str = True,
        averaging: str | Average | None = None,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        n_iter_no_change: float = 10,
        max_fun: int = 15000,
        dropout: float | Sequence[float] | Scaled = 0.0,
        input_dropout: float = 0.0,
        l1: float = 0.0,
        weight_decay: float | Scaled | None = None,
        max_norm: float | None = None,
        input_noise: float = 0.0,
        gradient_noise: float = 0.0,
        gradient_noise_decay: float = 0.0,
        clip_value: float | None = None,
        clip_norm: float | None = None,
        normalization: str | Sequence[str | None] | None = None,
        n_groups: int | None = None,
        n_channels: int | None = None,
        batch_norm_momentum: float = 0.1,
        numeric_embedding: str | NumericEmbedding | None = None,
        categorical_features: Sequence[int] | Sequence[str] | Sequence[bool] | None = None,
        category_embedding: Categories | None = None,
        scaling_layer: bool | float = False,
        n_members: int = 1,
        members: str = "tabm-mini",
        own_batches: bool = False,
        init: Initializer = "auto",
        init_std: float = 0.01,
        init_range: float = 0.05,
        dtype: Any = "float32",
        matmul_precision: str = "highest",
        backend: str = "compiled",
        n_threads: int | None = None,
        time_limit: float | None = None,
        callbacks: Sequence[Callable[[EpochRecord], object]] | None = None,
    ) -> None:
        self._set_parameters(locals())

    # -- labels ---------------------------------------------------------------------------------

    @property
    def classes_(self) -> np.ndarray:
        """The labels (n_classes,) in sorted order."""
        return _labels_of(self._learnt).classes

    def _new_coder(
        self,
        parameters: Any,
        y: np.ndarray,
        weights: np.ndarray | None,
        dtype: np.dtype,
        *,
        incremental: bool,
        classes: Any,
    ) -> ClassCoder:
        if incremental:
            labels = LabelCoding.announced(classes, y, parameters.loss)
        else:
            labels = LabelCoding.of_target(y, parameters.loss)
        return ClassCoder.of(parameters, labels, dtype)

    @stochastic
    def partial_fit(
        self, X: Any, y: Any = None, sample_weight: Any = None, classes: Any = None
    ) -> Self:
        """Train for one epoch on a part of the data, beginning with the present network.

        As in scikit-learn, an integer ``random_state`` begins every call with the same draws. So
        all calls shuffle alike, except the first one, which also draws the weights.

        Parameters
        ----------
        X : array-like, sparse matrix or source, of shape (n_samples, n_features)
            A source of :mod:`fastmlp.data` brings y and the weights itself.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs), default=None
        sample_weight : array-like of shape (n_samples,), default=None
        classes : array-like of shape (n_classes,), default=None
            All labels that will ever occur. The first call needs them, unless y is an indicator
            matrix, whose columns are the labels.

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
        learnt = learnt_by(self)
        if learnt is not None and classes is not None:
            validation.check_classes_agree(classes, _labels_of(learnt).classes)
        return self._fit(X, y, sample_weight, incremental=True, classes=classes)

    # -- prediction -----------------------------------------------------------------------------

    def predict(self, X: Any) -> np.ndarray:
        """Return the most probable label of each sample.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_classes)
            Labels. If a sample can have several labels, these are ones where the probability
            exceeds 1/2, and zeros elsewhere.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            If the model has not been fitted.
        ValueError, TypeError
            If X is not as it was in the fit.

        Warns
        -----
        RuntimeWarning
            If what the network puts out is infinite or NaN.
        """
        learnt = self._learnt
        return _labels_of(learnt).decode(self._forward(learnt, X, apply_link=False))

    def decision_function(self, X: Any) -> np.ndarray:
        """Return the logits, of which softmax or logistic makes probabilities.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_classes)
            Logits. With two classes, a single number says how much speaks for the second one, and
            is positive if that is predicted. With one class, it says how much speaks for that
            class, which is predicted in any case.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            If the model has not been fitted.
        ValueError, TypeError
            If X is not as it was in the fit.

        Warns
        -----
        RuntimeWarning
            If what the network puts out is infinite or NaN.
        """
        learnt = self._learnt
        logits = self._forward(learnt, X, apply_link=False)
        if _labels_of(learnt).kind != "binary":
            return logits
        return logits.ravel() if logits.shape[1] == 1 else logits[:, 1] - logits[:, 0]

    @available(_has_probabilities)
    def predict_proba(self, X: Any) -> np.ndarray:
        """Return the probability of each class.

        The losses "multi_margin" and "squared_hinge" give none.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            Probabilities, with columns in the order of ``classes_``. If a sample can have several
            labels, the rows need not sum to 1. With one class, there is one column of ones.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            If the model has not been fitted.
        AttributeError
            If the loss gives no probabilities.
        ValueError, TypeError
            If X is not as it was in the fit.

        Warns
        -----
        RuntimeWarning
            If what the network puts out is infinite or NaN.
        """
        learnt = self._learnt
        labels = _labels_of(learnt)
        paired = labels.kind == "binary" and not labels.constant
        outputs = self._forward(learnt, X, apply_link=True, paired=paired)
        return np.ones_like(outputs) if labels.constant else outputs

    @available(_has_probabilities)
    def predict_log_proba(self, X: Any) -> np.ndarray:
        """Return the logarithm of each probability, which is finite even if that underflows.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples, n_classes)

        Raises
        ------
        sklearn.exceptions.NotFittedError, AttributeError, ValueError, TypeError
            As for ``predict_proba``.
        """
        from scipy.special import log_expit, log_softmax  # noqa: PLC0415 - seldom needed

        learnt = self._learnt
        labels = _labels_of(learnt)
        logits = self._forward(learnt, X, apply_link=False)
        if labels.constant:
            return np.zeros_like(logits)
        if labels.kind in ("multiclass", "distribution"):
            return np.asarray(log_softmax(logits, axis=1))
        both = np.hstack([-logits, logits]) if labels.kind == "binary" else logits
        return np.asarray(log_expit(both))

    def score(self, X: Any, y: Any = None, sample_weight: Any = None) -> float:
        """Return the accuracy: the share of the rows whose labels are all predicted right.

        Parameters
        ----------
        X : array-like, sparse matrix or source, of shape (n_samples, n_features)
            A source of :mod:`fastmlp.data` brings y and the weights itself.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs), default=None
            Labels. If y holds distributions, the most probable class of each row counts.
        sample_weight : array-like of shape (n_samples,), default=None

        Returns
        -------
        float

        Raises
        ------
        sklearn.exceptions.NotFittedError
            If the model has not been fitted.
        ValueError, TypeError
            If X or y is not as it was in the fit.

        Warns
        -----
        UserWarning
            If y has labels that are not in ``classes_``.
        """
        from sklearn.metrics import accuracy_score  # noqa: PLC0415 - slow to import

        learnt = self._learnt
        labels = _labels_of(learnt)
        logits, y, sample_weight = self._to_score(learnt, X, y, sample_weight, apply_link=False)
        predicted = labels.decode(logits)
        y, weights = validation.check_scored(y, sample_weight, len(predicted), numeric_y=False)
        if y.ndim > 1 or labels.kind == "multilabel":
            labels.check(y, str(learnt.coder.loss))
        else:
            validation.check_scored_labels(y, labels.classes)
            unknown = validation.labels_not_known(y, labels.classes)
            if unknown:
                notify(unknown)
        if y.ndim > 1 and labels.kind == "distribution":
            y = labels.classes[np.argmax(y, axis=1)]
        return float(accuracy_score(y, predicted, sample_weight=weights))

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        kinds = CLASSIFIER_LOSSES.get(self.loss, ()) if isinstance(self.loss, str) else ()
        tags.classifier_tags.multi_label = "multilabel" in kinds
        tags.classifier_tags.multi_class = "binary" not in kinds or "multiclass" in kinds
        return tags
