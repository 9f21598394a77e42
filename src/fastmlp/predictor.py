"""Predictions of a fitted model at the least cost per call."""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING, Any

import numpy as np

from fastmlp.parameters import aligned_zeros

if TYPE_CHECKING:
    from fastmlp.estimators.base import BaseMLP

__all__ = ["Predictor"]


class Predictor:
    """A fitted model made ready for many small calls.

    It is checked once, when it is made, and keeps its own copy of the parameters: later fits of
    the model don't change it. Calls take about a microsecond for one row of a small network,
    and several threads may call at once. It always runs on the compiled core.

    Parameters
    ----------
    model : MLPClassifier or MLPRegressor
        A fitted model.
    n_threads : int, default=1
        Threads that a call with many rows may use.

    Raises
    ------
    sklearn.exceptions.NotFittedError
        If the model has not been fitted.
    ValueError
        If ``n_threads`` is not a positive integer.

    Examples
    --------
    >>> import numpy as np
    >>> from fastmlp import MLPClassifier, Predictor
    >>> X = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], dtype=np.float32)
    >>> model = MLPClassifier((8,), solver="lbfgs", random_state=0)
    >>> predict = Predictor(model.fit(X, ["no", "yes", "yes", "no"]))
    >>> np.array_equal(predict(X[:1]), model.predict_proba(X[:1]))
    True
    """

    def __init__(self, model: BaseMLP, n_threads: int = 1) -> None:
        from fastmlp.backends.compiled import CompiledBackend  # noqa: PLC0415 - not at import
        from fastmlp.validation import check_parameters  # noqa: PLC0415 - not at import

        check_parameters({"n_threads": n_threads})
        self._model = copy(model)  # its checks, whatever becomes of the original
        network = self._model._network
        network.require_widths(self._model.n_features_in_, self._model.n_outputs_)
        self._real_type = network.dtype
        parameters = aligned_zeros(network.parameters.shape, network.dtype)
        parameters[:] = network.parameters
        self._run = CompiledBackend().predictor(network.plan, parameters, n_threads)

    def __call__(self, X: Any) -> np.ndarray:
        """Return probabilities, or predicted targets.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            C-contiguous arrays of float32, float64 or uint8 are taken as they are, without a
            look at their values: NaN gives NaN. Everything else is checked and converted.

        Returns
        -------
        ndarray of shape (n_samples, n_classes) or (n_samples, n_outputs)
            What ``predict_proba`` gives for a classifier, or the logits where the loss knows no
            probabilities; the targets of a regressor, always with two axes: several quantiles of
            a target follow one another, and for "gaussian_nll" the variances follow the means.

        Raises
        ------
        ValueError
            If X has not the shape that the model was fitted on.
        """
        outputs = self._run(X)
        if outputs is None:
            outputs = self._run(self._converted(X))
            assert outputs is not None
        return outputs

    def _converted(self, X: Any) -> np.ndarray:
        from fastmlp.validation import check_features  # noqa: PLC0415 - not at import

        return check_features(self._model, X, self._real_type)
