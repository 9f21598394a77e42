"""The neuron of 1943, whose weights and threshold are set by hand."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import Tags

from fastmlp import validation
from fastmlp.files.savable import Savable
from fastmlp.historic.learnt import Seen, SeenAttributes
from fastmlp.validation.memory import blaming
from fastmlp.validation.wording import brief

__all__ = ["McCullochPittsNeuron"]


#: What a neuron says unless ``fit`` was given other labels.
_REST_AND_FIRING = np.array([0, 1])


class McCullochPittsNeuron(Savable, ClassifierMixin, SeenAttributes, BaseEstimator):
    """A neuron that fires when the weighted sum of its inputs reaches a threshold.

    y = 1 if Σᵢ wᵢ xᵢ ≥ threshold, else 0 (McCulloch and Pitts 1943). The neuron also fires if the
    sum is equal to the threshold, as in the original; the perceptron of 1958 fires only above it.
    Inhibition is a negative weight here, not the absolute veto of the original. Nothing is learnt:
    you set the weights and the threshold, and ``predict`` needs no ``fit``.

    Parameters
    ----------
    weights : float or array-like of shape (n_features,), default=1.0
        One weight for each input, or one for all.
    threshold : float, default=1.0
        The smallest sum for which the neuron fires.

    Attributes
    ----------
    classes_ : ndarray of shape (2,)
        What ``predict`` returns if the neuron is at rest, and if it fires. It is [0, 1], also
        without a ``fit``, unless ``fit`` was given other labels.
    n_features_in_ : int
        Number of columns of X. It is there only after ``fit``.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of the columns. They are there only after a ``fit`` on columns with names.

    See Also
    --------
    RosenblattPerceptron : A neuron that learns its weights.

    References
    ----------
    W. S. McCulloch and W. Pitts (1943), "A logical calculus of the ideas immanent in nervous
    activity", Bulletin of Mathematical Biophysics 5, 115–133.

    Examples
    --------
    >>> from fastmlp import McCullochPittsNeuron
    >>> inputs = [[0, 0], [0, 1], [1, 0], [1, 1]]
    >>> McCullochPittsNeuron(weights=[1, 1], threshold=2).predict(inputs)
    array([0, 0, 0, 1])
    >>> McCullochPittsNeuron.nor_gate().predict(inputs)
    array([1, 0, 0, 0])
    >>> McCullochPittsNeuron.not_gate().fit([[0], [1]], ["off", "on"]).predict([[0], [1]])
    array(['on', 'off'], dtype='<U3')
    """

    def __init__(self, weights: npt.ArrayLike = 1.0, threshold: float = 1.0) -> None:
        self.weights = weights
        self.threshold = threshold

    # -- gates ----------------------------------------------------------------------------------

    @classmethod
    def and_gate(cls, n_inputs: int = 2) -> Self:
        """Return a neuron that fires when all of its inputs are 1."""
        return cls._gate(n_inputs, weight=1, threshold=n_inputs)

    @classmethod
    def or_gate(cls, n_inputs: int = 2) -> Self:
        """Return a neuron that fires when any of its inputs is 1."""
        return cls._gate(n_inputs, weight=1, threshold=1)

    @classmethod
    def not_gate(cls) -> Self:
        """Return a neuron that fires when its one input is 0."""
        return cls._gate(1, weight=-1, threshold=0)

    @classmethod
    def nand_gate(cls, n_inputs: int = 2) -> Self:
        """Return a neuron that fires unless all of its inputs are 1."""
        return cls._gate(n_inputs, weight=-1, threshold=1 - n_inputs)

    @classmethod
    def nor_gate(cls, n_inputs: int = 2) -> Self:
        """Return a neuron that fires when none of its inputs is 1."""
        return cls._gate(n_inputs, weight=-1, threshold=0)

    @classmethod
    def _gate(cls, n_inputs: int, weight: int, threshold: int) -> Self:
        n_inputs = validation.check_gate(n_inputs)
        with blaming(f"n_inputs={brief(n_inputs)} needs as many weights"):
            return cls([weight] * n_inputs, threshold)

    # -- estimator ------------------------------------------------------------------------------

    def fit(self, X: Any, y: Any = None) -> Self:
        """Check the parameters and X, and take the two labels from y. Weights stay as they are.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        y : array-like of shape (n_samples,), default=None
            Labels. There must be two of them; the second one, in sorted order, stands for firing.
            None means 0 and 1.

        Returns
        -------
        self : object

        Raises
        ------
        ValueError, TypeError
            If a parameter, X or y is wrong. In that case nothing has changed.
        """
        columns = validation.stand_in(type(self).__name__)
        if y is None:
            X = validation.check_table(columns, X, np.dtype(np.float64), reset=True)
            classes = _REST_AND_FIRING
        else:
            X, y, _ = validation.check_data(
                columns,
                X,
                y,
                dtype=np.float64,
                reset=True,
                numeric_y=False,
                accept_sparse=False,
            )
            validation.check_labels(y)
            validation.check_label_width(y, None)
            classes = np.unique(y)
            validation.check_two_labels(classes)
        validation.check_neuron(self.weights, self.threshold, X.shape[1])
        self._published = Seen(classes, X.shape[1], getattr(columns, "feature_names_in_", None))
        return self

    @property
    def classes_(self) -> np.ndarray:
        """The labels (2,) of rest and of firing, which ``fit`` may change."""
        return self._labels(vars(self).get("_published")).copy()

    def _labels(self, seen: Seen | None) -> np.ndarray:
        return _REST_AND_FIRING if seen is None else seen.classes

    def predict(self, X: Any) -> np.ndarray:
        """Return what the neuron does for each row.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples,)
            0 or 1, or the labels given to ``fit``.

        Raises
        ------
        ValueError, TypeError
            If a parameter or X is wrong.
        """
        seen: Seen | None = vars(self).get("_published")
        owner = type(self).__name__
        columns = validation.stand_in(owner) if seen is None else seen.columns(owner)
        X = validation.check_table(columns, X, np.dtype(np.float64), reset=seen is None)
        weights, threshold = validation.check_neuron(self.weights, self.threshold, X.shape[1])
        with np.errstate(over="ignore", invalid="ignore"):
            sums = X @ weights
        validation.check_sums(sums)
        fires = (sums >= threshold).astype(np.intp)
        return np.asarray(self._labels(seen)[fires])

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.requires_fit = False
        tags.target_tags.required = False
        tags.classifier_tags.multi_class = False
        tags.classifier_tags.poor_score = True  # it does not learn
        return tags
