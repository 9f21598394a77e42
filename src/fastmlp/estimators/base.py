"""What classifier and regressor share: the course of a fit, and access to what was learnt."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Self, TypeVar

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from fastmlp import validation
from fastmlp.backends import Backend, get_backend
from fastmlp.estimators.transaction import AllOrNothing
from fastmlp.plan import groups_of_layers
from fastmlp.registry import SOLVERS
from fastmlp.threads import default_threads

if TYPE_CHECKING:
    from fastmlp.estimators.fitting import Learnt
    from fastmlp.network import Gradient, Network
    from fastmlp.registry import Loss

__all__ = ["BaseMLP", "available", "stochastic"]

_Method = TypeVar("_Method", bound=Callable)


def _has_batches(model: Any) -> bool:
    validation.check_stochastic(model.solver)
    return True


def available(when: Callable[[Any], bool]) -> Callable[[_Method], _Method]:
    """Return a decorator that hides a method where ``when`` of the model raises AttributeError."""

    def hide(method: _Method) -> _Method:
        hidden: _Method = available_if(when)(method)
        return hidden

    return hide


#: Parameters by which prediction, score and cost read a network: they count as the fit had them.
_KEPT = ("loss", "alpha", "l1", "label_smoothing", "quantiles")

#: Hides a method unless the solver learns from mini-batches.
stochastic = available(_has_batches)


class BaseMLP(AllOrNothing, BaseEstimator, ABC):
    """A multi-layer perceptron without a notion of what its outputs mean.

    A fit either succeeds or leaves the estimator as it was: a copy of the network is trained,
    and attributes are put back when anything is raised.
    """

    _learnt: Learnt
    _numeric_target: bool
    _task: str  # "classifier" or "regressor"
    loss: Any

    def _set_parameters(self, values: dict[str, Any]) -> None:
        """Store the arguments of ``__init__``, given as its ``locals()``, under their names."""
        for name in self._get_param_names():
            setattr(self, name, values[name])

    # -- what a subclass knows ------------------------------------------------------------------

    @abstractmethod
    def _learn_outputs(
        self, y: np.ndarray, sample_weight: np.ndarray | None, incremental: bool, classes: Any
    ) -> None:
        """Learn from ``y`` (N,) or (N, C), or from ``classes``, what the outputs mean."""

    @abstractmethod
    def _loss_row(self, dtype: np.dtype) -> Loss:
        """Return the registry's row for the loss; ValueError if it does not fit the outputs."""

    @abstractmethod
    def _check_outputs(
        self, y: np.ndarray, row: Loss, dtype: np.dtype, given: Mapping[str, Any], whole: bool
    ) -> None:
        """Raise ValueError unless ``y`` agrees with what was learnt before, and with the loss.

        ``y`` is (N,) or (N, C), ``whole`` whether it is all that a fit learns from.
        """

    @abstractmethod
    def _encode(
        self, y: np.ndarray, row: Loss, dtype: np.dtype, given: Mapping[str, Any]
    ) -> np.ndarray:
        """Return the core's target (N, T) for ``y`` (N,) or (N, C)."""

    @abstractmethod
    def _n_outputs(self, row: Loss) -> int:
        """Return the width of the output layer."""

    @abstractmethod
    def _strata(self, target: np.ndarray) -> np.ndarray | None:
        """Return what held-out rows must represent evenly, given the target (N, T)."""

    @abstractmethod
    def _scores_logits(self, row: Loss) -> bool:
        """Return whether ``_score_outputs`` takes logits, not what the link makes of them."""

    @abstractmethod
    def _score_outputs(
        self,
        network: Network,
        outputs: np.ndarray,
        target: np.ndarray,
        sample_weight: np.ndarray | None,
    ) -> float:
        """Return what early stopping maximises, of outputs (K, C) against the target (K, T)."""

    # -- fitting --------------------------------------------------------------------------------

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Train the network for up to ``max_iter`` epochs.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            C-contiguous arrays of uint8, float32 and float64 are read in place; others are
            converted once.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Class labels, label indicators, or real targets.
        sample_weight : array-like of shape (n_samples,), default=None
            How much each row counts; not negative.

        Returns
        -------
        self : object

        Raises
        ------
        ValueError, TypeError
            If a parameter or the data is not as it must be; nothing has changed then.
        DivergenceError
            If the loss, a parameter or, with early stopping, the score of the held-out rows becomes
            infinite or NaN; the estimator is as it was before.

        Warns
        -----
        ConvergenceWarning
            If ``max_iter`` ended the fit.
        """
        with self._all_or_nothing():
            self._fit(X, y, sample_weight, incremental=False)
        return self

    def _fit(
        self, X: Any, y: Any, sample_weight: Any, *, incremental: bool, classes: Any = None
    ) -> None:
        """Check everything, then train a new network or a copy of the present one."""
        # Imported here because a process that only predicts, or only imports, needs none of it.
        from fastmlp.estimators.fitting import Fitting  # noqa: PLC0415
        from fastmlp.training import TrainingData  # noqa: PLC0415

        hidden, parameters = self._check_parameters(incremental)
        earlier = self._learnt if self._goes_on(incremental) else None
        X, y, dtype = validation.check_data(
            self,
            X,
            y,
            dtype=earlier.network.dtype if earlier and self.dtype == "auto" else self.dtype,
            reset=earlier is None,
            numeric_y=self._numeric_target,
        )
        validation.check_magnitudes(vars(parameters), dtype)
        weights = validation.check_sample_weight(sample_weight, len(X), dtype)
        if earlier is None:
            self._learn_outputs(y, weights, incremental, classes)
        loss, given = self._loss_row(dtype), self._given()
        self._check_outputs(y, loss, dtype, given, whole=not incremental)
        sizes = [X.shape[1], *hidden, self._n_outputs(loss)]
        validation.check_layer_sizes(sizes)
        validation.check_initial_arrays(self.init, sizes, dtype)
        normalizations = validation.each_normalization(self.normalization, len(hidden))
        validation.check_rows_for_batch_norm(normalizations, len(X), weights)
        if earlier:
            validation.check_same_network(earlier.network.layer_sizes, sizes)
            validation.check_same_normalizations(earlier.network.normalizations, normalizations)
            validation.check_same_groups(
                earlier.network.normalizations,
                earlier.network.groups,
                groups_of_layers(
                    normalizations, hidden, parameters.n_groups, parameters.n_channels
                ),
            )
        target = self._encode(y, loss, dtype, given)
        data = TrainingData(X, target, weights, np.arange(len(X), dtype=np.int64))
        fitting = Fitting(
            model=parameters,
            layer_sizes=sizes,
            loss=loss,
            data=data,
            earlier=earlier,
            incremental=incremental,
            strata=self._strata(target),
            score=self._score_outputs,
            scores_logits=self._scores_logits(loss),
            given=given,
            backend=self._backend,
            n_threads=self._n_threads,
        )
        with validation.naming_training(vars(parameters), sizes, len(X)):
            self._publish(fitting.run())

    @property
    def _backend(self) -> Backend:
        """What computes; checked here because it may have been set after the fit."""
        validation.check_parameters({"backend": self.backend})
        return get_backend(self.backend)

    @property
    def _n_threads(self) -> int:
        """How many threads a call may use; checked for the same reason."""
        validation.check_parameters({"n_threads": self.n_threads})
        return default_threads() if self.n_threads is None else int(self.n_threads)

    def _given(self) -> dict[str, Any]:
        """Return the parameters that a fit keeps for later."""
        given = {name: getattr(self, name) for name in _KEPT if hasattr(self, name)}
        return validation.check_parameters(given, self._task)

    def _goes_on(self, incremental: bool) -> bool:
        return self.__sklearn_is_fitted__() and bool(self.warm_start or incremental)

    def _check_parameters(self, incremental: bool) -> tuple[list[int], SimpleNamespace]:
        """Return the hidden layers' widths, and all parameters as a fit takes them."""
        parameters = validation.check_parameters(self.get_params(deep=False), self._task)
        sizes = parameters["hidden_layer_sizes"]
        hidden = list(sizes) if isinstance(sizes, tuple) else [sizes]
        validation.check_combination(parameters, len(hidden), incremental)
        validation.check_normalizations(parameters, hidden)
        return hidden, SimpleNamespace(**parameters)

    def _publish(self, learnt: Learnt) -> None:
        """Make a fit's result the estimator's, with scikit-learn's names for its parts."""
        network, history = learnt.network, learnt.history
        self._learnt = learnt
        self.n_layers_ = len(network.plan.layers) + 1
        self.n_outputs_ = network.plan.n_outputs
        self.out_activation_ = network.plan.loss_row.link
        self.n_iter_ = history.n_epochs
        self.t_ = history.n_samples_seen
        self.loss_curve_ = history.loss_curve
        self.cost_curve_ = history.cost_curve
        self.loss_ = history.loss_curve[-1] if history.loss_curve else np.nan
        stops_early = self.early_stopping and SOLVERS[self.solver] is not None
        self.best_loss_ = None if stops_early else learnt.best_loss
        self.validation_scores_ = history.validation_scores if stops_early else None
        self.best_validation_score_ = learnt.best_score if stops_early else None

    def __sklearn_is_fitted__(self) -> bool:
        return "_learnt" in vars(self)

    # -- what was learnt ------------------------------------------------------------------------

    @property
    def _network(self) -> Network:
        """The trained network; NotFittedError without one."""
        if not self.__sklearn_is_fitted__():
            check_is_fitted(self)
        return self._learnt.network

    @property
    def coefs_(self) -> list[np.ndarray]:
        """Weights, one (fan_in, fan_out) array per layer: views that may be written to."""
        return self._network.weights

    @property
    def intercepts_(self) -> list[np.ndarray]:
        """Biases, one (fan_out,) array per layer: views that may be written to."""
        return self._network.biases

    @property
    def norm_gains_(self) -> list[np.ndarray | None]:
        """γ of each hidden layer, (fan_out,), None without normalisation; views to write to."""
        return self._network.norm_gains

    @property
    def norm_shifts_(self) -> list[np.ndarray | None]:
        """β of each hidden layer, (fan_out,), None without normalisation; views to write to."""
        return self._network.norm_shifts

    @property
    def running_means_(self) -> list[np.ndarray | None]:
        """Means (fan_out,) that batch norm predicts with, None for a layer without it."""
        return self._network.running_means

    @property
    def running_variances_(self) -> list[np.ndarray | None]:
        """Variances (fan_out,) that batch norm predicts with, None for a layer without it."""
        return self._network.running_variances

    def _forward(self, X: Any, *, apply_link: bool) -> np.ndarray:
        """Return outputs, or logits, (N, C) for ``X`` (N, I)."""
        network = self._network
        X = validation.check_features(self, X, network.dtype)
        backend, n_threads = self._backend, self._n_threads
        with validation.naming_rows(len(X)):
            return network.forward(backend, X, apply_link=apply_link, n_threads=n_threads)

    def loss_per_sample(self, X: Any, y: Any) -> np.ndarray:
        """Return the loss of each sample, without penalties.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)

        Returns
        -------
        ndarray of shape (n_samples,)
            What ``loss`` said in the fit, summed over labels, averaged over targets and quantiles.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            If the model has not been fitted.
        ValueError, TypeError
            If X or y is not as it was in the fit, or the loss has no value for a y.
        """
        network, backend = self._network, self._backend
        X, target = self._encoded(X, y)
        n_threads = self._n_threads
        with validation.naming_rows(len(X)):
            logits = network.forward(backend, X, apply_link=False, n_threads=n_threads)
            return network.losses(backend, logits, target)

    def _encoded(self, X: Any, y: Any) -> tuple[np.ndarray, np.ndarray]:
        """Return X (N, I), checked, and the core's target (N, T) for y (N,) or (N, C)."""
        dtype, loss = self._network.dtype, self._network.plan.loss_row
        X, y, _ = validation.check_data(
            self, X, y, dtype=dtype, reset=False, numeric_y=self._numeric_target
        )
        given = self._learnt.given
        self._check_outputs(y, loss, dtype, given, whole=False)
        return X, self._encode(y, loss, dtype, given)

    def cost(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Return the weighted mean of ``loss_per_sample``.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        sample_weight : array-like of shape (n_samples,), default=None

        Returns
        -------
        float

        Raises
        ------
        sklearn.exceptions.NotFittedError
            If the model has not been fitted.
        ValueError, TypeError
            If X or y is not as it was in the fit, the loss has no value for a y, or a weight is
            negative.
        """
        return self._cost_and_total(X, y, sample_weight)[0]

    def _cost_and_total(self, X: Any, y: Any, sample_weight: Any) -> tuple[float, float]:
        """Return the cost and the sum of the sample weights."""
        losses = self.loss_per_sample(X, y).astype(np.float64)
        weights = validation.check_sample_weight(sample_weight, len(losses), losses.dtype)
        total = len(losses) if weights is None else weights.sum()
        return float(np.average(losses, weights=weights)), float(total)

    def objective(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Return ``cost`` plus the penalties on the weights: the number that ``loss_`` reports.

        The penalties are (alpha/2 · Σw² + l1 · Σ|w|) / W, alpha and l1 those of the fit, W the sum
        of sample weights, the number of samples without them.

        Training descends along this, but for a regressor with several targets or quantiles whose
        cost is their mean: it minimises their sum plus the same penalties, as scikit-learn does.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        sample_weight : array-like of shape (n_samples,), default=None

        Returns
        -------
        float

        Raises
        ------
        sklearn.exceptions.NotFittedError
            If the model has not been fitted.
        ValueError, TypeError
            As for ``cost``.
        """
        cost, total = self._cost_and_total(X, y, sample_weight)
        network, given = self._network, self._learnt.given
        w = network.parameters[: network.plan.n_weights].astype(np.float64)
        penalty = given["alpha"] / 2 * (w @ w) + given["l1"] * np.abs(w).sum()
        return float(cost + penalty / total)

    def gradient(self, X: Any, y: Any, sample_weight: Any = None) -> Gradient:
        """Return the derivatives of ``cost`` by the weights and biases, by back-propagation.

        ∂L/∂W = xᵀ ∂L/∂z, ∂L/∂b = ∂L/∂z and ∂L/∂x = ∂L/∂z Wᵀ, layer by layer from the loss back to
        the input (Rumelhart, Hinton and Williams 1986). Nothing is dropped and no noise is added.
        Penalties are left out.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        sample_weight : array-like of shape (n_samples,), default=None

        Returns
        -------
        named tuple of lists of ndarray
            ``coefs`` and ``intercepts``, shaped like ``coefs_`` and ``intercepts_``; ``norm_gains``
            and ``norm_shifts``, like ``norm_gains_`` and ``norm_shifts_``.

        Raises
        ------
        ValueError, TypeError
            If the data is not as it must be.
        sklearn.exceptions.NotFittedError
            If there is no network yet.

        Notes
        -----
        Batch norm takes the mean and variance of the rows given, as in training, whereas ``cost``
        takes those that prediction uses: there, this is the gradient of what training minimises.
        Where ``cost`` is a mean over several targets, training descends along their sum, that many
        times as steep.

        Examples
        --------
        >>> import numpy as np
        >>> from fastmlp import MLPRegressor
        >>> X, y = np.array([[1.0], [2.0]]), np.array([1.0, 0.0])
        >>> line = MLPRegressor(hidden_layer_sizes=(), init=[(np.ones((1, 1)), np.zeros(1))],
        ...                     learning_rate_init=1e-9).partial_fit(X, y)
        >>> gradient = line.gradient(X, y)  # z = x: ½ (x − y)², by the weight x (x − y)
        >>> gradient.coefs[0].round(3), gradient.intercepts[0].round(3)
        (array([[2.]], dtype=float32), array([1.], dtype=float32))
        """
        network, backend = self._network, self._backend
        X, target = self._encoded(X, y)
        weights = validation.check_sample_weight(sample_weight, len(X), network.dtype)
        validation.check_rows_for_batch_norm(network.normalizations, len(X), weights)
        n_threads = self._n_threads
        with validation.naming_rows(len(X)):
            return network.cost_gradient(backend, X, target, weights, n_threads)
