"""Checks of fitted models that are handed over."""

from __future__ import annotations

from typing import Any

from fastmlp.validation.wording import brief

__all__ = ["check_model", "check_refitted"]


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
