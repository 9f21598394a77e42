"""The regressor."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, Self, overload

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.utils import Tags

from fastmlp import validation
from fastmlp.estimators.base import BaseMLP
from fastmlp.estimators.documentation import with_shared_parts
from fastmlp.estimators.hiding import stochastic
from fastmlp.estimators.learnt import Learnt
from fastmlp.estimators.real_coder import RealCoder
from fastmlp.estimators.scores import quantile_score
from fastmlp.registry import REGRESSOR_LOSSES

if TYPE_CHECKING:
    from fastmlp.averaging import Average
    from fastmlp.embeddings import Categories, NumericEmbedding
    from fastmlp.optimizers import Optimizer
    from fastmlp.plan.initializers import Initializer
    from fastmlp.plan.user_functions import CustomActivation, CustomLoss
    from fastmlp.schedules import Clock, Scaled
    from fastmlp.training.callbacks import EpochRecord

__all__ = ["MLPRegressor"]


#: Losses whose targets are not negative.
_OF_POSITIVE = ("poisson", "gamma", "tweedie")


def _coder_of(learnt: Learnt) -> RealCoder:
    """Return what a regressor's outputs mean."""
    assert isinstance(learnt.coder, RealCoder)
    return learnt.coder


@with_shared_parts
class MLPRegressor(RegressorMixin, BaseMLP):
    """Multi-layer perceptron for regression on one or several real targets.

    Parameters
    ----------
    {own_parameters}
    {parameters}

    Attributes
    ----------
    target_center_, target_scale_ : ndarray of shape (n_outputs,)
        The network learns ``(y − target_center_)/target_scale_``. They are zeros and ones without
        ``standardize_target``.
    {attributes}

    See Also
    --------
    MLPClassifier : The same network for class labels.

    Notes
    -----
    If the target is standardised, training minimises the same loss of y, times a factor:

    - Predictions, deviations, quantiles, losses, curves and printed lines are in the unit of y, in
      float64. ``huber_delta`` and ``smooth_l1_beta`` are in it, too.
    - ``tol``, ``alpha``, ``l1`` and step sizes act on the standardised problem, so that they mean
      the same in every unit; ``objective`` and ``loss_`` tell penalties in the unit of the cost.
    - "log_cosh", which has no parameter for its scale, is s² log cosh(r/s), s being
      ``target_scale_``, and the least variance of "gaussian_nll" is 1e-6 s².
    - Several targets count alike, whatever their units, so a sum over them has no unit of y: their
      losses and curves, ``huber_delta`` and ``smooth_l1_beta`` are multiples of the scales. (Those
      of "gamma" and "gaussian_nll" stay in the unit of y: a scale only adds a constant to them.)

    Center and scale are those of all rows of the first ``fit``, held out or not, with their
    weights, or of the first batch of ``partial_fit``. That batch should be large enough to estimate
    them. A target that does not vary there, as in a batch of one row, is only centered. A warm
    start and later partial fits keep both, whatever ``standardize_target`` is by then.

    Examples
    --------
    >>> import numpy as np
    >>> from fastmlp import MLPRegressor
    >>> X = np.linspace(-3, 3, 200).reshape(-1, 1)
    >>> y = np.sin(X).ravel()
    >>> model = MLPRegressor(hidden_layer_sizes=(20,), activation="tanh", solver="lbfgs",
    ...                      alpha=0.0, tol=1e-5, max_iter=2000, dtype="float64", random_state=0)
    >>> model.fit(X, y).score(X, y) > 0.999
    True
    """

    _numeric_target = True
    _task = "regressor"

    def __init__(
        self,
        loss: str | CustomLoss = "squared_error",
        hidden_layer_sizes: int | Sequence[int] = (100,),
        activation: str | CustomActivation | Sequence[str | CustomActivation] = "relu",
        *,
        parametric_activation: bool | Sequence[bool] = False,
        huber_delta: float = 1.0,
        smooth_l1_beta: float = 1.0,
        tweedie_power: float = 1.5,
        quantiles: float | Sequence[float] = 0.5,
        standardize_target: bool | str = "auto",
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

    # -- targets --------------------------------------------------------------------------------

    def _new_coder(
        self,
        parameters: Any,
        y: np.ndarray,
        weights: np.ndarray | None,
        dtype: np.dtype,
        *,
        incremental: bool,
        classes: Any,
    ) -> RealCoder:
        return RealCoder.of(parameters, y, weights, dtype)

    @property
    def target_center_(self) -> np.ndarray:
        """The number subtracted from each target, (n_outputs,): 0 if it is not standardised."""
        return _coder_of(self._learnt).unit.center.copy()

    @property
    def target_scale_(self) -> np.ndarray:
        """The number that each target is divided by, (n_outputs,): 1 if it is not standardised."""
        return _coder_of(self._learnt).unit.scale.copy()

    @stochastic
    def partial_fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Self:
        """Train for one epoch on a part of the data, beginning with the present network.

        As in scikit-learn, an integer ``random_state`` begins every call with the same draws. So
        all calls shuffle alike, except the first one, which also draws the weights. With
        ``standardize_target``, the first call takes the center and the scale from its rows, and
        later calls keep them.

        Parameters
        ----------
        X : array-like, sparse matrix or source, of shape (n_samples, n_features)
            A source of :mod:`fastmlp.data` brings y and the weights itself.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs), default=None
        sample_weight : array-like of shape (n_samples,), default=None

        Returns
        -------
        self : object

        Raises
        ------
        ValueError, TypeError
            As for ``fit``.
        DivergenceError
            If the loss becomes infinite or NaN; the estimator is as it was before.
        """
        return self._fit(X, y, sample_weight, incremental=True)

    # -- prediction -----------------------------------------------------------------------------

    @overload
    def predict(self, X: Any, return_std: Literal[False] = False) -> np.ndarray: ...
    @overload
    def predict(self, X: Any, return_std: Literal[True]) -> tuple[np.ndarray, np.ndarray]: ...
    @overload
    def predict(self, X: Any, return_std: bool) -> np.ndarray | tuple[np.ndarray, np.ndarray]: ...
    def predict(
        self, X: Any, return_std: bool = False
    ) -> np.ndarray | tuple[np.ndarray, np.ndarray]:
        """Return the predicted targets.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
        return_std : bool, default=False
            Whether to return the standard deviation as well, which ``loss="gaussian_nll"`` learns.
            It does not work through :class:`~sklearn.compose.TransformedTargetRegressor`, which
            cannot transform deviations back.

        Returns
        -------
        y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
            Predictions. With several ``quantiles`` there is a last axis for them. They have the
            type of the network, or float64 if the target was standardised.
        std : ndarray, of the shape of y
            Standard deviations, only with ``return_std``.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            If the model has not been fitted.
        ValueError, TypeError
            If X is not as it was in the fit, or ``return_std`` is asked of a model without a
            variance.

        Warns
        -----
        RuntimeWarning
            If what the network puts out is infinite or NaN.
        """
        learnt = self._learnt
        coder = _coder_of(learnt)
        if return_std:
            validation.check_return_std(str(coder.loss), coder.row.link)
        outputs = coder.in_users_unit(self._forward(learnt, X, apply_link=True))
        if coder.row.link == "quantiles":
            return coder.quantiles_of(outputs)
        predicted = coder.by_target(outputs[:, : coder.n_targets])
        if not return_std:
            return predicted
        std = np.sqrt(coder.by_target(outputs[:, coder.n_targets :]))
        return validation.MeanAndStd((predicted, std))

    def score(self, X: Any, y: Any = None, sample_weight: Any = None) -> float:
        """Return R² of the prediction, or for "pinball" D², the share of its loss explained.

        Parameters
        ----------
        X : array-like, sparse matrix or source, of shape (n_samples, n_features)
            A source of :mod:`fastmlp.data` brings y and the weights itself.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs), default=None
        sample_weight : array-like of shape (n_samples,), default=None

        Returns
        -------
        float
            1 for a perfect prediction, 0 for the best constant. All losses but "pinball" are scored
            by R², so that models can be compared, although some losses do not aim at the mean.
            :mod:`sklearn.metrics` has D² of deviances and of the absolute error. For "pinball" this
            is :func:`sklearn.metrics.d2_pinball_score`, as a mean over quantiles and outputs.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            If the model has not been fitted.
        ValueError, TypeError
            If X or y is not as it was in the fit, or a weight is negative.
        """
        learnt = self._learnt
        coder = _coder_of(learnt)
        outputs, y, sample_weight = self._to_score(learnt, X, y, sample_weight, apply_link=True)
        outputs = coder.in_users_unit(outputs)
        y, weights = validation.check_scored(y, sample_weight, len(outputs), numeric_y=True)
        validation.check_target_width(y, coder.n_targets)
        if coder.row.link != "quantiles":
            from sklearn.metrics import r2_score  # noqa: PLC0415 - slow to import

            predicted = coder.by_target(outputs[:, : coder.n_targets])
            return float(r2_score(y, predicted, sample_weight=weights))
        quantiles = outputs.reshape(len(outputs), coder.n_targets, -1)
        return quantile_score(y.reshape(len(outputs), -1), quantiles, coder.levels, weights)

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        tags.target_tags.positive_only = REGRESSOR_LOSSES.get(self.loss) in _OF_POSITIVE
        return tags
