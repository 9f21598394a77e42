"""Predictions of a fitted model at the lowest cost per call."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from fastmlp.files.savable import Savable

if TYPE_CHECKING:
    from fastmlp.estimators.coding import TargetCoder
    from fastmlp.network import Network
    from fastmlp.plan.inputs import Inputs

__all__ = ["Predictor"]


class Predictor(Savable):
    """A fitted model made ready for many small calls.

    The model is checked once, when the Predictor is made. The Predictor has its own copy of the
    parameters, so later fits of the model don't change it. A call takes about a microsecond for one
    row of a small network, and a few more if the target was standardised. Several threads may call
    it at once. It always runs on the compiled core. It can be copied, pickled, and sent to other
    processes.

    Parameters
    ----------
    model : MLPClassifier or MLPRegressor, or what wraps one
        A fitted model. If it is in a :class:`~sklearn.pipeline.Pipeline`, each call transforms X
        by the earlier steps. If it is in a :class:`~sklearn.compose.TransformedTargetRegressor`,
        predictions are transformed back. Of a search, such as
        :class:`~sklearn.model_selection.GridSearchCV`, the best estimator is taken. These can be
        nested.
    n_threads : int, default=None
        The largest number of threads that a call may use. It uses as many of them as its work is
        worth, and one for a few rows. None means all that the process may use.
    matmul_precision : {"highest", "high", "medium"}, optional
        How exactly products take their numbers, as for :class:`~fastmlp.MLPClassifier`. The default
        is what the model was fitted with.

    Raises
    ------
    TypeError
        If there is no model of fastmlp in ``model``.
    sklearn.exceptions.NotFittedError
        If the model has not been fitted.
    ValueError
        If ``n_threads`` is not a positive integer, ``matmul_precision`` is no such name, or a
        search keeps no fitted model.

    Examples
    --------
    >>> import numpy as np
    >>> from fastmlp import MLPClassifier, Predictor
    >>> X = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], dtype=np.float32)
    >>> model = MLPClassifier(hidden_layer_sizes=(8,), solver="lbfgs", random_state=0)
    >>> predict = Predictor(model.fit(X, ["no", "yes", "yes", "no"]))
    >>> np.array_equal(predict(X[:1]), model.predict_proba(X[:1]))
    True
    """

    _network: Network
    _coder: TargetCoder
    _steps: tuple[Any, ...]
    _targets: tuple[Any, ...]
    _n_threads: int | None
    _model_name: str
    _feature_names: np.ndarray | None

    def __init__(
        self, model: Any, n_threads: int | None = None, matmul_precision: str | None = None
    ) -> None:
        # Imported here because ``import fastmlp`` needs none of it.
        from fastmlp.estimators import MLPRegressor  # noqa: PLC0415
        from fastmlp.estimators.base import BaseMLP  # noqa: PLC0415
        from fastmlp.validation import check_model, check_parameters  # noqa: PLC0415
        from fastmlp.wrapped import unwrap  # noqa: PLC0415

        found = unwrap(model)
        check_model(found.model, MLPRegressor if found.targets else BaseMLP)
        learnt = found.model._learnt
        network = learnt.predicting()
        plan = network.plan
        if matmul_precision is not None:
            plan = replace(plan, **check_parameters({"matmul_precision": matmul_precision}))
        self._network = replace(network.without_moments(), plan=plan)
        self._steps, self._targets = deepcopy((found.steps, found.targets))
        self._n_threads = check_parameters({"n_threads": n_threads})["n_threads"]
        self._model_name = type(found.model).__name__
        self._feature_names = learnt.feature_names
        self._coder = learnt.coder
        self._bind()

    def _bind(self) -> None:
        """Make what lives in this process only."""
        from fastmlp.backends.compiled import CompiledBackend  # noqa: PLC0415 - not at import
        from fastmlp.estimators.precision import say_what_runs  # noqa: PLC0415 - not at import
        from fastmlp.validation import stand_in  # noqa: PLC0415 - not at import

        network, backend = self._network, CompiledBackend()
        self._in_users_unit = self._coder.in_users_unit
        self._checked_as = stand_in(self._model_name, network.plan.n_inputs, self._feature_names)
        say_what_runs(backend, network.plan.precision, network.dtype)
        self._run = backend.packed_predictor(network.plan, network.parameters)
        # One logistic output becomes two columns, 1 − p and p.
        plan = network.plan
        self._paired = plan.loss_row.link == "logistic" and plan.n_outputs == 1

    def __getstate__(self) -> dict[str, Any]:
        """Return all that another process can use."""
        state = super().__getstate__()
        for name in ("_run", "_paired", "_checked_as", "_in_users_unit"):
            del state[name]
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        self._bind()

    def _check_savable(self) -> None:
        from fastmlp.validation import check_no_guests  # noqa: PLC0415 - not at import

        guests = [*self._steps, *self._targets]
        check_no_guests("Predictor", guests, "save a Predictor of the model alone")

    def __call__(self, X: Any) -> np.ndarray:
        """Return probabilities, or predicted targets.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            C-contiguous, aligned arrays of float32, float64 or uint8 are taken as they are, without
            a look at their values: NaN gives NaN, and infinite outputs give no warning. Everything
            else, sparse matrices among it, is checked and converted. The steps of a pipeline check
            X in their own way.

        Returns
        -------
        ndarray of shape (n_samples, n_classes) or (n_samples, n_outputs)
            What ``predict_proba`` gives for a classifier, or the logits where the loss knows no
            probabilities; the targets of a regressor, always with two axes: several quantiles of
            a target follow one another, and for "gaussian_nll" the variances follow the means.
            All are in the unit of y.
            Where targets are transformed back there are only the means, as a variance has no place
            on the scale of y.

        Raises
        ------
        ValueError
            If X has not the shape that the model was fitted on.
        """
        for step in self._steps:
            X = step.transform(X)
        outputs = self._run(X, self._paired, self._n_threads)
        if outputs is None:
            outputs = self._at(self._converted(X))
        outputs = self._in_users_unit(outputs)
        return self._transformed_back(outputs) if self._targets else outputs

    def _converted(self, X: Any) -> Inputs:
        from fastmlp.validation import check_features  # noqa: PLC0415 - not at import

        return check_features(self._checked_as, X, self._network.dtype)

    def _at(self, X: Inputs) -> np.ndarray:
        """Return the outputs (N, C) at X (N, I), which has been checked."""
        if not isinstance(X, np.ndarray):
            return self._run.at_sparse(X, self._paired, self._n_threads)
        outputs = self._run(X, self._paired, self._n_threads)
        assert outputs is not None
        return outputs

    def _transformed_back(self, outputs: np.ndarray) -> np.ndarray:
        """Return outputs (N, C) on the scale of y, each quantile for itself."""
        plan, n_rows = self._network.plan, len(outputs)
        if plan.loss_row.link == "gaussian":
            return self._on_scale_of_y(outputs[:, : plan.target_width])
        by_target = outputs.reshape(n_rows, plan.target_width, -1)
        levels = [self._on_scale_of_y(by_target[..., k]) for k in range(by_target.shape[2])]
        return np.stack(levels, axis=2).reshape(n_rows, -1)

    def _on_scale_of_y(self, y: np.ndarray) -> np.ndarray:
        """Return a prediction (N, T) after the inverse of what transformed the targets."""
        for transformer in self._targets:
            y = np.asarray(transformer.inverse_transform(y)).reshape(len(y), -1)
        return y
