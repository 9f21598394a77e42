"""Methods that a model has only with some parameters, or with some versions of scikit-learn."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from typing import Any, TypeVar

from sklearn.utils.metaestimators import available_if

from fastmlp import validation

__all__ = ["available", "stochastic", "with_sklearn_callbacks"]

_Method = TypeVar("_Method", bound=Callable)


def available(when: Callable[[Any], bool]) -> Callable[[_Method], _Method]:
    """Return a decorator that hides a method where ``when`` of the model raises AttributeError."""

    def hide(method: _Method) -> _Method:
        hidden: _Method = available_if(when)(method)
        return hidden

    return hide


def _has_batches(model: Any) -> bool:
    validation.check_stochastic(model.solver)
    return True


def _sklearn_has_callbacks(model: Any) -> bool:
    validation.check_sklearn_callbacks(find_spec("sklearn.callback") is not None)
    return True


#: Hides a method unless the solver learns from mini-batches.
stochastic = available(_has_batches)

#: Hides a method where scikit-learn has no callbacks of its own.
with_sklearn_callbacks = available(_sklearn_has_callbacks)
