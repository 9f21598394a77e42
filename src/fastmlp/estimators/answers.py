"""What a fitted network answers: outputs for rows, and losses, costs and gradients on them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from fastmlp import validation
from fastmlp.backends import BACKENDS, Backend, Rows, get_backend
from fastmlp.data.source import Source
from fastmlp.estimators.attributes import LearntAttributes
from fastmlp.estimators.learnt import Learnt
from fastmlp.estimators.precision import say_what_runs
from fastmlp.export.exportable import ExportableNetwork
from fastmlp.notices import notify
from fastmlp.threads import default_threads

if TYPE_CHECKING:
    from fastmlp.export.program import Program
    from fastmlp.network import Gradient
    from fastmlp.plan.inputs import Inputs

__all__ = ["Answers"]


class Answers(LearntAttributes, ExportableNetwork):
    """What a fitted network answers, from the one object that its fit has published."""

    #: Whether y holds real numbers.
    _numeric_target: ClassVar[bool]
    backend: Any
    n_threads: Any

    def _get_backend(self) -> Backend:
        """What computes; checked here because it may have been set after the fit."""
        validation.check_parameters({"backend": self.backend})
        return get_backend(self.backend)

    def _count_threads(self) -> int:
        """How many threads a call may use; checked for the same reason."""
        given: int | None = validation.check_parameters({"n_threads": self.n_threads})["n_threads"]
        return default_threads() if given is None else given

    def _forward(
        self, learnt: Learnt, X: Any, *, apply_link: bool, paired: bool = False
    ) -> np.ndarray:
        """Return outputs, or logits, (N, C) for ``X`` (N, I).

        Of one output that is ``paired`` there are two columns, 1 − p and p.
        """
        if learnt.feature_names is None and type(self.backend) is str and self.backend in BACKENDS:
            backend = get_backend(self.backend)
            say_what_runs(backend, learnt.network.plan.precision, learnt.network.dtype)
            out = learnt.network.at_once(
                backend, X, self.n_threads, apply_link=apply_link, paired=paired
            )
            if out is not None:
                return out
        return self._checked_forward(learnt, X, apply_link, paired)

    def _checked_forward(
        self, learnt: Learnt, X: Any, apply_link: bool, paired: bool
    ) -> np.ndarray:
        """Do the same with every check, whose text says what is wrong."""
        if isinstance(X, Source):
            parts = []
            for piece in X.pieces(X.rows_of_piece):
                with validation.naming_piece(piece.place):
                    parts.append(self._checked_forward(learnt, piece.X, apply_link, paired))
            validation.check_any_row_to_stream(len(parts))
            return np.concatenate(parts)
        network = learnt.network
        X = validation.check_features(learnt.columns(type(self).__name__), X, network.dtype)
        backend, n_threads = self._get_backend(), self._count_threads()
        say_what_runs(backend, network.plan.precision, network.dtype)
        with validation.naming_rows(len(X)):
            out = network.forward(backend, X, apply_link=apply_link, n_threads=n_threads)
            trouble = validation.not_finite(out)
            if trouble:
                notify(trouble, RuntimeWarning)
            return np.hstack([1 - out, out]) if paired else out

    def _program(self) -> Program:
        from fastmlp.estimators.exporting import program_of  # noqa: PLC0415 - seldom needed

        return program_of(type(self).__name__, self._learnt)

    def _raw_values(self, X: Any) -> np.ndarray:
        from fastmlp.plan.inputs import gather  # noqa: PLC0415 - seldom needed

        learnt = self._learnt
        dtype = learnt.network.dtype
        rows = validation.check_features(learnt.columns(type(self).__name__), X, dtype)
        return gather(rows, slice(None), dtype)

    def _to_score(
        self, learnt: Learnt, X: Any, y: Any, sample_weight: Any, *, apply_link: bool
    ) -> tuple[np.ndarray, Any, Any]:
        """Return outputs, or logits, (N, C), y and the weights, which a source brings itself."""
        if not isinstance(X, Source):
            return self._forward(learnt, X, apply_link=apply_link), y, sample_weight
        validation.check_streamed_arguments(X, y, sample_weight, again=False)
        parts = []
        for piece in X.pieces(X.rows_of_piece):
            validation.check_brings_target(piece.y, piece.place)
            with validation.naming_piece(piece.place):
                out = self._checked_forward(learnt, piece.X, apply_link, False)
            parts.append((out, piece.y, piece.weights))
        validation.check_any_row_to_stream(len(parts))
        outputs, targets, weights = zip(*parts, strict=True)
        has_weights = weights[0] is not None
        return (
            np.concatenate(outputs),
            np.concatenate(targets),
            np.concatenate(weights) if has_weights else None,
        )

    def loss_per_sample(self, X: Any, y: Any) -> np.ndarray:
        """Return the loss of each sample, without penalties.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)

        Returns
        -------
        ndarray of shape (n_samples,)
            The loss that the model was fitted with, in the unit of y. It is summed over labels, and
            averaged over targets and quantiles.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            If the model has not been fitted.
        ValueError, TypeError
            If X or y is not as it was in the fit, or the loss has no value for a y.
        """
        return self._losses(self._learnt, X, y)

    def _losses(self, learnt: Learnt, X: Any, y: Any) -> np.ndarray:
        """Return the loss of each row (N,)."""
        network, backend = learnt.network, self._get_backend()
        X, target = self._encoded(learnt, X, y)
        n_threads = self._count_threads()
        with validation.naming_rows(len(X)):
            logits = network.forward(backend, X, apply_link=False, n_threads=n_threads)
            return learnt.coder.cost_unit.of_each(network.losses(backend, logits, target))

    def _encoded(self, learnt: Learnt, X: Any, y: Any) -> tuple[Inputs, np.ndarray]:
        """Return X (N, I), checked, and the core's target (N, T) for y (N,) or (N, C)."""
        X, y, _ = validation.check_data(
            learnt.columns(type(self).__name__),
            X,
            y,
            dtype=learnt.network.dtype,
            reset=False,
            numeric_y=self._numeric_target,
        )
        learnt.coder.check(y, whole=False)
        return X, learnt.coder.encode(y)

    def cost(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Return the weighted mean of ``loss_per_sample``.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
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
        return self._cost_and_total(self._learnt, X, y, sample_weight)[0]

    def _cost_and_total(
        self, learnt: Learnt, X: Any, y: Any, sample_weight: Any
    ) -> tuple[float, float]:
        """Return the cost and the sum of the sample weights."""
        losses = self._losses(learnt, X, y).astype(np.float64)
        weights = validation.check_sample_weight(sample_weight, len(losses), losses.dtype)
        total = len(losses) if weights is None else weights.sum()
        return float(np.average(losses, weights=weights)), float(total)

    def objective(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Return ``cost`` plus the penalties on the weights: the number that ``loss_`` reports.

        The penalties are (alpha/2 · Σw² + l1 · Σ|w|) / W, with alpha and l1 of the fit. W is the
        sum of the sample weights, or without weights the number of samples. If the target is
        standardised, the penalties belong to the cost of the standardised target. Both are then
        converted to the unit of y.

        Training minimises this number, with one exception: a regressor with several targets or
        quantiles, whose cost is a mean over them, minimises their sum plus the same penalties, as
        scikit-learn does.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
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
        learnt = self._learnt
        cost, total = self._cost_and_total(learnt, X, y, sample_weight)
        penalty = learnt.network.penalty(learnt.kept["alpha"], learnt.kept["l1"])
        return float(cost + learnt.coder.cost_unit.factor * penalty / total)

    def gradient(self, X: Any, y: Any, sample_weight: Any = None) -> Gradient:
        """Return the derivatives of ``cost`` by the weights and biases, by back-propagation.

        ∂L/∂W = xᵀ ∂L/∂z, ∂L/∂b = ∂L/∂z and ∂L/∂x = ∂L/∂z Wᵀ, layer by layer from the loss back to
        the input (Rumelhart, Hinton and Williams 1986). Nothing is dropped and no noise is added.
        Penalties are left out.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        sample_weight : array-like of shape (n_samples,), default=None

        Returns
        -------
        named tuple of lists of ndarray
            ``coefs`` and ``intercepts``, shaped like ``coefs_`` and ``intercepts_``; ``norm_gains``
            and ``norm_shifts``, like ``norm_gains_`` and ``norm_shifts_``; ``activation_shares``,
            like ``activation_shares_``.

        Raises
        ------
        ValueError, TypeError
            If the data is wrong.
        sklearn.exceptions.NotFittedError
            If there is no network yet.

        Notes
        -----
        This is the gradient of what training minimises. ``cost`` differs from that in some cases:
        batch norm takes the mean and variance of the given rows here, as in training, and those of
        prediction in ``cost``. With several members, this is the gradient of the mean of their
        costs, and ``cost`` is that of their common prediction. If ``cost`` is a mean over several
        targets, training descends along their sum, which is that many times as steep.

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
        learnt, backend = self._learnt, self._get_backend()
        network = learnt.network
        X, target = self._encoded(learnt, X, y)
        weights = validation.check_sample_weight(sample_weight, len(X), network.dtype)
        validation.check_rows_for_batch_norm(network.normalizations, len(X), weights)
        n_threads = self._count_threads()
        with validation.naming_rows(len(X)):
            gradient = network.cost_gradient(backend, Rows(X, target, weights), n_threads)
        return gradient.times(learnt.coder.cost_unit.factor)
