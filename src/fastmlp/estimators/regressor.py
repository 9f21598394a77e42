"""The regressor."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.utils import Tags

from fastmlp import validation
from fastmlp.estimators.base import BaseMLP, stochastic
from fastmlp.estimators.documentation import with_shared_parts

if TYPE_CHECKING:
    from fastmlp.initializers import Initializer
    from fastmlp.training import EpochRecord
    from fastmlp.user_functions import CustomActivation, CustomLoss

__all__ = ["MLPRegressor"]


@with_shared_parts
class MLPRegressor(RegressorMixin, BaseMLP):
    """Multi-layer perceptron for regression on one or several real targets.

    Parameters
    ----------
    loss : {"squared_error"} or CustomLoss, default="squared_error"
        What is minimised: half the squared error, summed over the outputs (as in scikit-learn its
        mean over the outputs is what ``loss_`` and the curves report), or your own, made by
        :func:`fastmlp.custom_loss`.
    {parameters}

    Attributes
    ----------
    {attributes}

    See Also
    --------
    MLPClassifier : The same network for class labels.

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

    def __init__(
        self,
        loss: str | CustomLoss = "squared_error",
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

    # -- targets --------------------------------------------------------------------------------

    def _learn_outputs(
        self, y: np.ndarray, sample_weight: np.ndarray | None, incremental: bool, classes: Any
    ) -> None:
        self._n_targets = 1 if y.ndim == 1 else y.shape[1]

    def _check_outputs(self, y: np.ndarray) -> None:
        validation.check_target_width(y, self._n_targets)

    def _encode(self, y: np.ndarray, dtype: np.dtype) -> np.ndarray:
        return np.ascontiguousarray(y.reshape(len(y), -1), dtype=dtype)

    def _output_layer(self) -> tuple[int, str | CustomLoss]:
        return self._n_targets, self.loss

    def _strata(self, target: np.ndarray) -> np.ndarray | None:
        return None

    def _score_logits(
        self, logits: np.ndarray, target: np.ndarray, sample_weight: np.ndarray | None
    ) -> float:
        from sklearn.metrics import r2_score  # noqa: PLC0415 - slow to import

        return float(r2_score(target, logits, sample_weight=sample_weight))

    @stochastic
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Train for one epoch on a part of the data, going on from the present network.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
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
        with self._all_or_nothing():
            self._fit(X, y, sample_weight, incremental=True)
        return self

    # -- prediction -----------------------------------------------------------------------------

    def predict(self, X: Any) -> np.ndarray:
        """Return the predicted targets.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_outputs)
        """
        outputs = self._forward(X, apply_link=True)
        return outputs.ravel() if self._n_targets == 1 else outputs

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags
