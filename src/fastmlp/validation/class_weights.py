"""Checks of ``class_weight``, the weights of each class's rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from fastmlp.names import Names
from fastmlp.validation.rules import Number
from fastmlp.validation.wording import brief, unknown_name

__all__ = [
    "check_class_weight",
    "check_class_weight_fits",
    "check_class_weight_of_parts",
    "check_row_weights",
    "each_weight",
    "weights_name",
]

_BY_FREQUENCY = Names([("balanced", "balanced", ())])

_OR_ELSE = ", or a dict of the weight of each class, or a list of such dicts, or None"

_WEIGHT = Number(0)


def check_class_weight(name: str, value: Any) -> Any:
    """Return None, "balanced", a dict of weights, or a list of such dicts; raise for all else."""
    if value is None:
        return None
    if isinstance(value, Mapping):
        return {label: _WEIGHT(f"{name}[{brief(label)}]", each) for label, each in value.items()}
    if isinstance(value, (list, tuple)) and value and all(isinstance(v, Mapping) for v in value):
        return [check_class_weight(f"{name}[{i}]", each) for i, each in enumerate(value)]
    if isinstance(value, str) and value in _BY_FREQUENCY:
        return _BY_FREQUENCY.name_of(value)
    raise unknown_name(name, value, _BY_FREQUENCY, _OR_ELSE)


def check_class_weight_of_parts(class_weight: Any) -> None:
    """Raise ValueError if a partial fit is to weigh classes by frequencies that it can't know."""
    if isinstance(class_weight, str):
        raise ValueError(
            f"class_weight={brief(class_weight)} is not supported by partial_fit, which sees a "
            "part of y at a time: set class_weight=dict(zip(classes, "
            "compute_class_weight('balanced', classes=classes, y=y))), where y is all labels or a "
            "large enough sample of them."
        )


def check_class_weight_fits(class_weight: Any, kind: str, n_classes: int) -> None:
    """Raise ValueError unless ``class_weight`` goes with the ``kind`` of target.

    ``n_classes`` is the number of labels of an indicator matrix.
    """
    if kind == "distribution":
        raise ValueError(
            "class_weight can't be used when each row of y is a distribution over the classes, "
            "since such a row has no single class: set class_weight=None and pass sample_weight "
            "instead."
        )
    several = isinstance(class_weight, list)
    if kind == "multilabel" and isinstance(class_weight, dict):
        raise ValueError(
            "For multi-output, class_weight should be a list of dicts, one for each column of y, "
            f"such as {{0: 1, 1: 5}}, or the string 'balanced'; got {brief(class_weight)}."
        )
    if kind == "multilabel" and several and len(class_weight) != n_classes:
        raise ValueError(
            f"For multi-output, class_weight must have a dict for each of the {n_classes} columns "
            f"of y; got {len(class_weight)}."
        )
    if kind != "multilabel" and several:
        raise ValueError(
            "class_weight must be one dict or 'balanced' if y has one label per row; got a list."
        )


def each_weight(name: str, weights: Mapping[Any, float], classes: np.ndarray) -> np.ndarray:
    """Return the weights (K,) of ``classes`` (K,), 1 for those that are not mentioned.

    Raise ValueError, in scikit-learn's words, if a key of ``weights`` is no class while a class has
    no key. A key too many is no mistake: a part of the data may lack a class.
    """
    labels, known = set(classes), classes.tolist()
    strange = [key for key in weights if key not in labels]
    missing = [each for label, each in zip(classes, known, strict=True) if label not in weights]
    if strange and missing:
        raise ValueError(
            f"The classes, {brief(missing)}, are not in {name}, which has {brief(strange)} "
            f"instead.{_other_kind(strange, known)}"
        )
    return np.array([weights.get(label, 1.0) for label in classes], np.float64)


def _other_kind(strange: list[Any], known: list[Any]) -> str:
    """Return a hint where keys are texts and classes numbers, or the reverse; else ""."""
    texts, of_texts = (all(isinstance(each, str) for each in some) for some in (strange, known))
    if texts == of_texts:
        return ""
    a, b = ("texts", "numbers") if texts else ("numbers", "texts")
    return f" Its keys are {a}, but the classes are {b}."


def check_row_weights(
    weights: np.ndarray, name: str, dtype: np.dtype, *, whole: bool = True
) -> np.ndarray:
    """Return what each row counts (N,), with its class's weight, as ``dtype``, which must hold it.

    Some row of a ``whole`` table must count.
    """
    total = weights.sum(dtype=np.float64)
    if not total <= np.finfo(dtype).max:
        raise ValueError(f"{name} sums to {total:g}, which is too large for dtype {dtype.name}.")
    real: np.ndarray = weights.astype(dtype)
    if whole and not real.any():
        raise ValueError(f"{name} is zero for every row of y; at least one must be positive.")
    return real


def weights_name(class_weight: Any, weights: Any) -> str:
    """Return what makes up the weights of rows, to be named in a text.

    ``weights`` (N,) are the rows' own, None without any.
    """
    if class_weight is None:
        return "sample_weight"
    return "class_weight" if weights is None else "class_weight times sample_weight"
