"""The perceptron of 1958: a neuron that learns its weights from its mistakes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, NamedTuple, Self

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted

from fastmlp import validation
from fastmlp.backends import get_backend
from fastmlp.files.savable import Savable
from fastmlp.historic.learnt import Seen, SeenAttributes
from fastmlp.notices import notify
from fastmlp.plan.parameters import readable
from fastmlp.training.shuffling import shuffle

__all__ = ["DecisionLine", "RosenblattPerceptron"]


class DecisionLine(NamedTuple):
    """The line x₁ = slope · x₀ + intercept, on which w · x + b = 0."""

    slope: float
    intercept: float


@dataclass(frozen=True, eq=False)
class _Learnt(Seen):
    """What a perceptron has learnt; never changed.

    Attributes
    ----------
    coef : ndarray, shape (K, I)
        K units: one for two classes, else one a class.
    intercept : ndarray, shape (K,)
    mistakes_curve : list of int
    converged : bool
    """

    coef: np.ndarray
    intercept: np.ndarray
    mistakes_curve: list[int]
    converged: bool = False

    @classmethod
    def nothing(cls, classes: np.ndarray, X: np.ndarray, names: np.ndarray | None) -> _Learnt:
        """Return zero weights for the columns and the type of X (N, I)."""
        n_units, n_features = _n_units(classes), X.shape[1]
        coef, intercept = np.zeros((n_units, n_features), X.dtype), np.zeros(n_units, X.dtype)
        return cls(classes, n_features, names, coef, intercept, [])

    def check(self) -> None:
        """Raise ValueError unless the arrays fit together: they may come out of a pickle."""
        n_units = _n_units(self.classes)
        validation.check_weights(self.coef, self.intercept, n_units, self.n_features)


class RosenblattPerceptron(Savable, ClassifierMixin, SeenAttributes, BaseEstimator):
    """A classifier trained by the perceptron rule.

    The output is o = σ(w · x + b) with σ(z) = 1 if z > 0 else 0. Rows are visited one by one. If o
    differs from the label t, w ← w + eta0 (t − o) x and b ← b + eta0 (t − o) (Rosenblatt 1958).
    Weights start at zero. The fit ends with the first epoch without a mistake. If the data are
    linearly separable, this happens after at most (R/γ)² mistakes, where R is the largest length
    and γ the margin of the rows (x, 1) (Novikoff 1962). With several classes, each is told apart
    from the rest, and the largest w · x + b decides.

    Parameters
    ----------
    eta0 : float, default=1.0
        Step size. The weights start at zero, so it only scales them, and changes no prediction.
    max_iter : int, default=1000
        Maximum number of epochs.
    shuffle : bool, default=True
        Whether to draw a new order of the rows for each epoch.
    random_state : int, RandomState or None, default=None
        Source of the orders.
    backend : {"compiled", "numba", "numpy"}, default="compiled"
        The implementation that computes. All give the same bits.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The labels, sorted.
    coef_ : ndarray of shape (1, n_features) or (n_classes, n_features)
        Weights, in one row for two classes. They are float32 if X has float32, float16 or small
        integers, and float64 otherwise.
    intercept_ : ndarray of shape (1,) or (n_classes,)
        The b of each row.
    converged_ : bool
        Whether the last epoch made no mistake.
    n_iter_ : int
        Number of epochs.
    mistakes_curve_ : list of int
        Number of mistakes in each epoch, summed over all units.
    n_features_in_ : int
        Number of columns of X.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of the columns. They are there only if all columns of X had names that were strings.

    See Also
    --------
    McCullochPittsNeuron : A neuron whose weights are set by hand.
    MLPClassifier : A network that solves what no line can separate.

    References
    ----------
    F. Rosenblatt (1958), "The perceptron: a probabilistic model for information storage and
    organization in the brain", Psychological Review 65, 386–408.

    A. B. J. Novikoff (1962), "On convergence proofs on perceptrons", Symposium on the Mathematical
    Theory of Automata 12, 615–622.

    Examples
    --------
    >>> from fastmlp import RosenblattPerceptron
    >>> inputs = [[0, 0], [0, 1], [1, 0], [1, 1]]
    >>> gate = RosenblattPerceptron(shuffle=False).fit(inputs, [0, 0, 0, 1])
    >>> gate.predict(inputs), gate.converged_
    (array([0, 0, 0, 1]), True)
    >>> gate.mistakes_curve_
    [1, 3, 3, 2, 1, 0]
    >>> gate.decision_line()
    DecisionLine(slope=-2.0, intercept=2.0)
    """

    def __init__(
        self,
        eta0: float = 1.0,
        *,
        max_iter: int = 1000,
        shuffle: bool = True,
        random_state: int | np.random.RandomState | None = None,
        backend: str = "compiled",
    ) -> None:
        self.eta0 = eta0
        self.max_iter = max_iter
        self.shuffle = shuffle
        self.random_state = random_state
        self.backend = backend

    # -- fitting --------------------------------------------------------------------------------

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Learn until an epoch makes no mistake.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)
            Class labels.
        sample_weight : array-like of shape (n_samples,), default=None
            Factors of the step size. Rows of weight 0 are left out.

        Returns
        -------
        self : object

        Raises
        ------
        ValueError, TypeError
            If a parameter or the data is wrong. In that case nothing has changed.
        DivergenceError
            If a weight becomes infinite or NaN; the estimator is as it was before.

        Warns
        -----
        ConvergenceWarning
            If the last of ``max_iter`` epochs still made a mistake.
        """
        self._check_parameters()
        columns = validation.stand_in(type(self).__name__)
        X, y, rates = self._check_data(columns, X, y, sample_weight, None)
        check_classification_targets(y)  # warns of numbers that may be no classes
        present = np.unique(y if sample_weight is None else y[rates > 0])
        validation.check_two_classes(present, "y")
        names = getattr(columns, "feature_names_in_", None)
        learnt = self._learn(_Learnt.nothing(np.unique(y), X, names), X, y, rates, self.max_iter)
        self._published = learnt
        if not learnt.converged:
            _warn_not_converged(learnt)
        return self

    def partial_fit(self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None) -> Self:
        """Learn for one epoch, beginning with the present weights.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)
        classes : array-like of shape (n_classes,), default=None
            All labels that will ever occur. The first call needs them.
        sample_weight : array-like of shape (n_samples,), default=None

        Returns
        -------
        self : object

        Raises
        ------
        ValueError, TypeError, DivergenceError
            As for ``fit``; also if y has a label that is not among ``classes``.
        """
        self._check_parameters()
        earlier: _Learnt | None = vars(self).get("_published")
        owner = type(self).__name__
        if earlier is None:
            columns = validation.stand_in(owner)
            validation.check_classes(classes)
            validation.check_two_classes(np.unique(classes), "classes")
        else:
            earlier.check()
            columns = earlier.columns(owner)
            validation.check_classes_agree(classes, earlier.classes)
        X, y, rates = self._check_data(columns, X, y, sample_weight, earlier)
        if earlier is None:
            names = getattr(columns, "feature_names_in_", None)
            earlier = _Learnt.nothing(np.unique(classes), X, names)
        validation.check_labels_known(y, earlier.classes)
        self._published = self._learn(earlier, X, y, rates, 1)
        return self

    def _check_parameters(self) -> None:
        validation.check_perceptron(self.get_params(deep=False))

    def _check_data(
        self, columns: Any, X: Any, y: Any, sample_weight: Any, earlier: _Learnt | None
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return X (N, I), y (N,) and each row's step size (N,)."""
        X, y, real = validation.check_data(
            columns,
            X,
            y,
            dtype="auto" if earlier is None else earlier.coef.dtype,
            reset=earlier is None,
            numeric_y=False,
            accept_sparse=False,
        )
        assert isinstance(X, np.ndarray)
        validation.check_labels(y)
        validation.check_label_width(y, None)
        weights = validation.check_sample_weight(sample_weight, len(X), real)
        rates = validation.check_rates(self.eta0, weights, len(X), real)
        return readable(X, real), y, rates

    def _learn(
        self, earlier: _Learnt, X: np.ndarray, y: np.ndarray, rates: np.ndarray, n_epochs: int
    ) -> _Learnt:
        """Run up to ``n_epochs`` on copies of the weights; X (N, I), y and rates (N,)."""
        backend, rng = get_backend(self.backend), check_random_state(self.random_state)
        w, b = earlier.coef.copy(), earlier.intercept.copy()
        target = _targets(y, earlier.classes, X.dtype)
        order, curve = np.arange(len(X), dtype=np.int64), list(earlier.mistakes_curve)
        for _ in range(n_epochs):
            if self.shuffle:
                shuffle(rng, order)
            curve.append(backend.perceptron_epoch(X, target, rates, order, w, b))
            _require_finite(w, b, len(curve))
            if curve[-1] == 0:
                break
        converged = curve[-1] == 0
        return replace(earlier, coef=w, intercept=b, mistakes_curve=curve, converged=converged)

    # -- what was learnt ------------------------------------------------------------------------

    def _learnt(self) -> _Learnt:
        """Return it, to be taken once per call; NotFittedError without a fit."""
        if not self.__sklearn_is_fitted__():
            check_is_fitted(self)
        learnt: _Learnt = vars(self)["_published"]
        return learnt

    def __sklearn_is_fitted__(self) -> bool:
        return "_published" in vars(self)

    @property
    def classes_(self) -> np.ndarray:
        """The labels (n_classes,), sorted."""
        return self._learnt().classes

    @property
    def coef_(self) -> np.ndarray:
        """The weights (n_units, n_features). You can assign to them."""
        return self._learnt().coef

    @coef_.setter
    def coef_(self, value: Any) -> None:
        learnt = self._learnt()
        coef = validation.check_layer_values("coef_", value, learnt.coef)
        self._published = replace(learnt, coef=np.array(coef, learnt.coef.dtype))

    @property
    def intercept_(self) -> np.ndarray:
        """The b of each unit, (n_units,). You can assign to it."""
        return self._learnt().intercept

    @intercept_.setter
    def intercept_(self, value: Any) -> None:
        learnt = self._learnt()
        intercept = validation.check_layer_values("intercept_", value, learnt.intercept)
        self._published = replace(learnt, intercept=np.array(intercept, learnt.coef.dtype))

    @property
    def mistakes_curve_(self) -> list[int]:
        """The number of mistakes in each epoch, summed over all units."""
        return list(self._learnt().mistakes_curve)

    @property
    def n_iter_(self) -> int:
        """The number of epochs."""
        return len(self._learnt().mistakes_curve)

    @property
    def converged_(self) -> bool:
        """Whether the last epoch made no mistake."""
        return self._learnt().converged

    def decision_function(self, X: Any) -> np.ndarray:
        """Return w · x + b.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_classes)
            With two classes, it is positive for the second one. With more, there is a column for
            each class.
        """
        learnt = self._learnt()
        self._check_parameters()
        return self._scores(learnt, X)

    def _scores(self, learnt: _Learnt, X: Any) -> np.ndarray:
        """Return w · x + b of each unit, (N, K), or (N,) of one."""
        learnt.check()
        w, b = (readable(array) for array in (learnt.coef, learnt.intercept))
        columns = learnt.columns(type(self).__name__)
        X = validation.check_features(columns, X, w.dtype, accept_sparse=False)
        assert isinstance(X, np.ndarray)
        X = readable(X, w.dtype)
        scores = np.empty((len(X), len(w)), w.dtype)
        get_backend(self.backend).perceptron_scores(X, w, b, scores)
        return scores.ravel() if len(w) == 1 else scores

    def predict(self, X: Any) -> np.ndarray:
        """Return the label of each row.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples,)
        """
        learnt = self._learnt()
        self._check_parameters()
        scores = self._scores(learnt, X)
        numbers = (scores > 0).astype(np.intp) if scores.ndim == 1 else scores.argmax(axis=1)
        return np.asarray(learnt.classes[numbers])

    def decision_line(self, unit: int = 0) -> DecisionLine:
        """Return the line on which a unit's decision changes: x₁ = −(w₀/w₁) x₀ − b/w₁.

        Parameters
        ----------
        unit : int, default=0
            Row of ``coef_``. With two classes there is only one.

        Returns
        -------
        DecisionLine
            ``slope`` and ``intercept``.

        Raises
        ------
        ValueError
            If there are not two features, if w₁ is 0 (the line is vertical, or there is none), or
            if ``unit`` is not a row of ``coef_``.
        """
        learnt = self._learnt()
        validation.check_decision_line(learnt.coef, unit)
        (w0, w1), b = learnt.coef[unit].tolist(), float(learnt.intercept[unit])
        return DecisionLine(-w0 / w1, -b / w1)


def _n_units(classes: np.ndarray) -> int:
    """Return how many neurons tell classes (C,) apart: one for two."""
    return 1 if len(classes) == 2 else len(classes)


def _targets(y: np.ndarray, classes: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """Return what each unit ought to say (N, K): one for two classes, else one a class."""
    firing = classes[1:] if len(classes) == 2 else classes
    return np.ascontiguousarray(y[:, np.newaxis] == firing, dtype)


def _warn_not_converged(learnt: _Learnt) -> None:
    notify(
        f"The perceptron made {learnt.mistakes_curve[-1]} mistakes in the last of "
        f"{len(learnt.mistakes_curve)} epochs: the classes are not linearly separable, or max_iter "
        "is too small.",
        ConvergenceWarning,
    )


def _require_finite(w: np.ndarray, b: np.ndarray, epoch: int) -> None:
    """Raise DivergenceError if a weight (K, I) or bias (K,) has become infinite or NaN."""
    if np.isfinite(w).all() and np.isfinite(b).all():
        return
    from fastmlp.training.divergence import DivergenceError  # noqa: PLC0415 - seldom needed

    raise DivergenceError(
        f"A weight became infinite or NaN in epoch {epoch}. Scale X, or lower eta0."
    )
