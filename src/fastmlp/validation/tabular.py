"""Checks of the parameters and the targets of models of raw tables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np
from sklearn.base import is_classifier, is_regressor

from fastmlp.validation.class_weights import check_class_weight
from fastmlp.validation.labels import check_labels
from fastmlp.validation.parameter_rules import BOUND, COUNT, COUNT_OR_NONE, THREADS
from fastmlp.validation.rules import Number, Rule, Verbatim, callables, flag, seed
from fastmlp.validation.wording import brief, one_line

__all__ = [
    "check_any_judged",
    "check_has_logarithm",
    "check_no_logarithm",
    "check_one_label_a_row",
    "check_partners",
    "check_recipe",
    "check_rows_to_learn_from",
    "check_tabular",
    "labels_of_own_type",
    "no_value_of",
    "partner_fails",
]

#: Rules by parameter. Those of columns are in ``raw_columns.py``, that of ``metric`` in
#: ``scoring.py``.
_RULES: Mapping[str, Rule] = MappingProxyType(
    {
        "time_limit": BOUND,
        "n_folds": COUNT_OR_NONE,
        "validation_fraction": Number(0, 1, closed="neither"),
        "class_weight": check_class_weight,
        "calibrate": flag,
        "callbacks": callables,
        "verbose": flag,
        "random_state": seed,
        "n_threads": THREADS,
    }
)


def check_tabular(parameters: Mapping[str, Any], presets: Sequence[str]) -> dict[str, Any]:
    """Return the parameters as a fit takes them; raise unless all are right by themselves."""
    rules: dict[str, Rule] = {"preset": Verbatim(tuple(presets)), **_RULES}
    return {
        name: rules[name](name, value) if name in rules else value
        for name, value in parameters.items()
    }


def check_recipe(value: Any, kind: type, inputs: Iterable[str]) -> None:
    """Raise unless a recipe is None or of its ``kind``, and its counts and ``inputs`` are right.

    What it says of the network is checked where the network is made.
    """
    if value is None:
        return
    if not isinstance(value, kind):
        raise TypeError(f"recipe must be None or a fastmlp.tabular.Recipe; got {brief(value)}.")
    given = value.inputs  # type: ignore[attr-defined]
    if isinstance(given, str) or not isinstance(given, Sequence):
        raise TypeError(f"recipe.inputs must be a tuple of names; got {brief(given)}.")
    one_of_them = Verbatim(tuple(inputs))
    for i, each in enumerate(given):
        one_of_them(f"recipe.inputs[{i}]", each)
    for name in ("n_pieces", "n_pairs", "n_angles", "max_levels", "batch_size"):
        COUNT(f"recipe.{name}", getattr(value, name))
    flag("recipe.logarithm", value.logarithm)  # type: ignore[attr-defined]


def check_partners(value: Any, *, classify: bool) -> None:
    """Raise unless ``value`` is None or a list of classifiers with probabilities, or of regressors.

    ``classify`` says which of the two are wanted.
    """
    if value is None:
        return
    if isinstance(value, str) or not isinstance(value, Sequence):
        raise TypeError(f"partners must be None or a list of estimators; got {brief(value)}.")
    for i, partner in enumerate(value):
        _check_partner(f"partners[{i}]", partner, classify)


def _check_partner(name: str, partner: Any, classify: bool) -> None:
    """Raise unless a partner is an estimator of the wanted kind."""
    wanted = "classifier" if classify else "regressor"
    methods = ("fit", "get_params", "set_params", "predict")
    if isinstance(partner, type) or not all(hasattr(partner, each) for each in methods):
        raise TypeError(f"{name} must be a {wanted} as in scikit-learn; got {brief(partner)}.")
    if not (is_classifier if classify else is_regressor)(partner):
        raise ValueError(f"{name} must be a {wanted}; got {brief(partner)}.")
    if classify and not hasattr(partner, "predict_proba"):
        raise ValueError(
            f"{name} must give probabilities; {brief(partner)} has no predict_proba: wrap it in "
            "sklearn.calibration.CalibratedClassifierCV."
        )


def partner_fails(partner: Any, error: Exception) -> str:
    """Return what to warn of when a partner has raised an error, and is left out."""
    text = one_line(str(error), 200)
    return f"The partner {brief(partner)} is left out: {type(error).__name__}: {text}"


def check_one_label_a_row(y: np.ndarray) -> None:
    """Raise ValueError unless y (N,) has one label a row."""
    if y.ndim == 2:
        raise ValueError(
            f"y must have one label a row; got {y.shape[1]} columns: fit a classifier for each, as "
            "sklearn.multioutput.MultiOutputClassifier does."
        )
    check_labels(y)


def labels_of_own_type(y: Any) -> Any:
    """Return labels (N,) of pandas's nullable booleans or integers as NumPy's, if none is missing.

    scikit-learn, which reads them next, would make floats of them.
    """
    plain = getattr(getattr(y, "dtype", None), "numpy_dtype", None)
    if getattr(plain, "kind", "") not in ("b", "i", "u") or y.isna().any():
        return y
    return y.to_numpy(plain)


def check_no_logarithm(logarithm: bool) -> None:
    """Raise ValueError if a recipe is to learn the logarithm of classes."""
    if logarithm:
        raise ValueError(
            "recipe.logarithm must be False for TabularClassifier: classes have no logarithm."
        )


def check_has_logarithm(y: np.ndarray) -> None:
    """Raise ValueError unless all targets (N,) or (N, C) have a logarithm to be learnt."""
    if y.min() <= 0:
        raise ValueError(
            f"recipe.logarithm=True needs targets above 0; the least of y is {y.min():g}: set it "
            "to False."
        )


def check_rows_to_learn_from(n_rows: int) -> None:
    """Raise ValueError unless one row can be learnt from while another one judges."""
    if n_rows < 2:
        raise ValueError(
            f"X has {n_rows} sample with a weight; a model of a table needs two at least, one to "
            "learn from and one to be judged by."
        )


def check_any_judged(n_held: int) -> None:
    """Raise ValueError if no row can be held out, as each is the only one of its class."""
    if n_held == 0:
        raise ValueError(
            "y has one row of each class only, so that none can be held out to judge by: give two "
            "rows or more of at least one class."
        )


def no_value_of(metric: str) -> str:
    """Return what to warn of when a metric has no value for any candidate."""
    return (
        f"metric={brief(metric)} has no finite value for the held-out rows of any candidate: all "
        "of them predict with equal weights. Hold out more rows, or take another metric."
    )
