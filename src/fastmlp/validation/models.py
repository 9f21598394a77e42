"""Checks of fitted models that are handed over."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from fastmlp.validation.real_numbers import finite_array
from fastmlp.validation.wording import a_kind_of, brief

__all__ = [
    "check_model",
    "check_models_to_average",
    "check_refitted",
    "check_same_meaning",
    "check_weights_of_models",
]

#: What models that are averaged may differ in, and what that means.
_DIFFERENCES = {
    "network": "its network has another shape, activation or loss",
    "target": "its outputs mean something else: other classes, or another unit of the target",
    "columns": "it has learnt from columns of other names",
    "type": "its numbers have another type",
    "optimiser": "its optimiser has another memory",
}


def check_model(model: Any, kind: type) -> None:
    """Raise TypeError unless ``model`` is an object of a class of this library's networks."""
    if isinstance(model, kind):
        return
    given = model if isinstance(model, type) else type(model)
    what = "the class" if isinstance(model, type) else "an object of"
    if given.__module__.startswith("fastmlp.tabular"):
        raise TypeError(
            f"model must be a network; got {what} {given.__qualname__}, which reads raw tables and "
            "consists of several networks: call its own methods, or export it with to_onnx or to_c "
            "to predict single rows quickly."
        )
    raise TypeError(
        "model must be a fitted MLPClassifier or MLPRegressor of fastmlp, alone or within a "
        "Pipeline, a TransformedTargetRegressor or a search such as GridSearchCV; got "
        f"{what} {given.__module__}.{given.__qualname__}."
    )


def check_refitted(search: Any) -> None:
    """Raise ValueError if a fitted search over parameters keeps no model."""
    if not hasattr(search, "best_estimator_"):
        raise ValueError(
            f"{type(search).__name__} has kept no fitted model: it was fitted with "
            f"refit={brief(search.refit)}; fit it with refit=True."
        )


def check_models_to_average(models: Any, kinds: tuple[type, ...]) -> list[Any]:
    """Return fitted models of one kind as a list; raise unless they are that."""
    if not isinstance(models, Iterable):
        raise TypeError(f"models must be a sequence of fitted models; got {a_kind_of(models)}.")
    given = list(models)
    if not given:
        raise ValueError("models must have at least one model; got none.")
    names = " or ".join(kind.__name__ for kind in kinds)
    for number, model in enumerate(given):
        if not isinstance(model, kinds):
            raise TypeError(f"models must be of {names}; models[{number}] is {a_kind_of(model)}.")
        if type(model) is not type(given[0]):
            raise TypeError(
                f"models must all be of one class; models[0] is {a_kind_of(given[0])} and "
                f"models[{number}] {a_kind_of(model)}."
            )
        check_is_fitted(model, msg=f"models[{number}] has learnt nothing: call fit first.")
    return given


def check_weights_of_models(weights: Any, n_models: int) -> np.ndarray:
    """Return the share (k,) of each of k models; raise unless the weights make such shares."""
    if weights is None:
        return np.full(n_models, 1 / n_models)
    array = finite_array("weights", weights).astype(np.float64)
    if array.shape != (n_models,):
        raise ValueError(
            f"weights must have one number for each of the {n_models} models; got shape "
            f"{array.shape}."
        )
    if array.min() < 0 or not 0 < array.sum() < np.inf:
        raise ValueError(
            "weights must not be negative, and their sum must be a number above 0; got "
            f"{brief(weights)}."
        )
    shares: np.ndarray = array / array.sum()
    return shares


def check_same_meaning(number: int, differences: Sequence[str]) -> None:
    """Raise ValueError if the parameters of a model do not mean what those of the first do."""
    if differences:
        raise ValueError(
            f"models[{number}] can't be averaged with models[0]: "
            f"{'; '.join(_DIFFERENCES[each] for each in differences)}. Let all go on from one "
            "fitted model, by partial_fit or warm_start."
        )
