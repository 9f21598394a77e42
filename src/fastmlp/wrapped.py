"""Finds the fitted model inside scikit-learn's wrappers."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Any

from sklearn.utils.validation import check_is_fitted

from fastmlp.validation.models import check_refitted

__all__ = ["Wrapped", "fitted_model", "unwrap"]


@dataclass(frozen=True)
class Wrapped:
    """A model with all that happens to data before it and to predictions after it.

    Attributes
    ----------
    model : object
        The innermost estimator, whether it is fitted or not.
    steps : tuple of transformers
        What changes X, in the order of their ``transform``.
    targets : tuple of transformers
        What changed y, in the order of their ``inverse_transform``.
    """

    model: Any
    steps: tuple[Any, ...] = ()
    targets: tuple[Any, ...] = ()


def unwrap(estimator: Any) -> Wrapped:
    """Return the model inside pipelines, searches, transformed targets and frozen estimators.

    Raises
    ------
    sklearn.exceptions.NotFittedError
        A wrapper around the model is not fitted.
    ValueError
        A search keeps no fitted model.
    """
    outer = _opened(estimator)
    if outer is None:
        return Wrapped(estimator)
    inner = unwrap(outer.model)
    return Wrapped(inner.model, outer.steps + inner.steps, inner.targets + outer.targets)


def _opened(estimator: Any) -> Wrapped | None:
    """Return what one wrapper holds, or None for what is none."""
    if _is(estimator, "sklearn.pipeline", "Pipeline") and estimator.steps:
        *earlier, (_, last) = estimator.steps
        # "passthrough" and samplers, which change nothing at prediction, have no transform.
        return Wrapped(last, tuple(step for _, step in earlier if hasattr(step, "transform")))
    if _is(estimator, "sklearn.compose", "TransformedTargetRegressor"):
        check_is_fitted(estimator, "regressor_")
        return Wrapped(estimator.regressor_, targets=(estimator.transformer_,))
    if _is(estimator, "sklearn.frozen", "FrozenEstimator"):
        return Wrapped(estimator.estimator)
    if hasattr(estimator, "best_estimator_"):  # a search, be it scikit-learn's or another's
        return Wrapped(estimator.best_estimator_)
    if _is(estimator, "sklearn.model_selection._search", "BaseSearchCV"):
        check_is_fitted(estimator)
        check_refitted(estimator)
    return None


def _is(estimator: Any, module: str, name: str) -> bool:
    """Return whether it is of a class, which it is not if nobody has imported the module."""
    found = sys.modules.get(module)
    return isinstance(estimator, getattr(found, name, ()))


def fitted_model(estimator: Any, attribute: str) -> Any:
    """Return the innermost model; NotFittedError if it has no such attribute."""
    model = unwrap(estimator).model
    check_is_fitted(model, attribute)
    return model
