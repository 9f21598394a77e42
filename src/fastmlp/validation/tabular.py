"""Checks of the parameters and the targets of models of raw tables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np
from sklearn.base import is_classifier, is_regressor

from fastmlp.registry import LOSSES, REGRESSOR_LOSSES
from fastmlp.validation.class_weights import check_class_weight
from fastmlp.validation.labels import check_labels
from fastmlp.validation.parameter_rules import (
    BOUND,
    COUNT,
    COUNT_OR_NONE,
    POSITIVE,
    THREADS,
    quantiles,
)
from fastmlp.validation.rules import Number, OneOf, Rule, Verbatim, callables, flag, seed, verbosity
from fastmlp.validation.targets import check_any_positive, check_target_range
from fastmlp.validation.validation_rows import check_validation_rows_given
from fastmlp.validation.wording import brief, one_line

__all__ = [
    "check_any_judged",
    "check_metric_of_quantiles",
    "check_no_transform",
    "check_one_label_a_row",
    "check_own_rows",
    "check_partners",
    "check_recipe",
    "check_rows_to_learn_from",
    "check_tabular",
    "check_target_of_loss",
    "check_target_transforms",
    "labels_of_own_type",
    "no_time_for_all_rows",
    "no_time_to_learn",
    "no_value_of",
    "parameter_of_quantiles",
    "partner_fails",
    "partner_without_time",
    "stays_as_it_was",
    "takes_transforms",
]


def _verbosity(name: str, value: Any) -> bool | str:
    """Return a bool or "bar"; raise unless ``value`` is one, and can be shown."""
    if isinstance(value, str):
        verbosity(name, value)
        return "bar"
    return flag(name, value)


#: Rules by parameter. Those of columns are in ``raw_columns.py``, that of ``metric`` in
#: ``scoring.py``.
_RULES: Mapping[str, Rule] = MappingProxyType(
    {
        "time_limit": BOUND,
        "n_folds": COUNT_OR_NONE,
        "validation_fraction": Number(0, 1, closed="neither"),
        "class_weight": check_class_weight,
        "calibrate": flag,
        "loss": OneOf(REGRESSOR_LOSSES),
        "quantiles": quantiles,
        "huber_delta": BOUND,
        "tweedie_power": Number(1, 2, closed="both"),
        "callbacks": callables,
        "n_members": COUNT_OR_NONE,
        "refit": flag,
        "verbose": _verbosity,
        "random_state": seed,
        "n_threads": THREADS,
    }
)


def check_tabular(
    parameters: Mapping[str, Any], presets: Sequence[str], transforms: Sequence[str]
) -> dict[str, Any]:
    """Return the parameters as a fit takes them; raise unless all are right by themselves."""
    rules: dict[str, Rule] = {"preset": Verbatim(tuple(presets)), **_RULES}
    if parameters.get("target_transform") is not None:
        rules["target_transform"] = Verbatim(("auto", *transforms))
    return {
        name: rules[name](name, value) if name in rules else value
        for name, value in parameters.items()
    }


def check_recipe(value: Any, kind: type, inputs: Iterable[str], transforms: Iterable[str]) -> None:
    """Raise unless a recipe is None or of its ``kind``, and its counts and names are right.

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
    for name in ("n_pieces", "n_pairs", "n_angles", "max_levels", "batch_size", "max_iter"):
        COUNT(f"recipe.{name}", getattr(value, name))
    POSITIVE("recipe.input_scale", value.input_scale)  # type: ignore[attr-defined]
    if value.transform is not None:  # type: ignore[attr-defined]
        Verbatim(tuple(transforms))("recipe.transform", value.transform)  # type: ignore[attr-defined]


def check_partners(value: Any, *, classify: bool, loss: str | None = None) -> None:
    """Raise unless ``value`` is None or a list of classifiers with probabilities, or of regressors.

    ``classify`` says which of the two are wanted, ``loss`` what regressors are to predict.
    """
    if value is None:
        return
    if isinstance(value, str) or not isinstance(value, Sequence):
        raise TypeError(f"partners must be None or a list of estimators; got {brief(value)}.")
    for i, partner in enumerate(value):
        _check_partner(f"partners[{i}]", partner, classify)
        if loss == "gaussian_nll":
            raise ValueError(
                "partners must be None for loss='gaussian_nll': they predict no standard "
                "deviations."
            )
        if loss == "pinball" and parameter_of_quantiles(partner.get_params(deep=True)) is None:
            raise ValueError(
                f"partners[{i}] must have a parameter 'quantile' for loss='pinball'; "
                f"{brief(partner)} has none."
            )


def parameter_of_quantiles(parameters: Iterable[str]) -> str | None:
    """Return by which of its ``parameters`` a partner is told which quantile it predicts."""
    return next((name for name in parameters if name.split("__")[-1] == "quantile"), None)


def _check_partner(name: str, partner: Any, classify: bool) -> None:
    """Raise unless a partner is an estimator of the wanted kind."""
    wanted = "classifier" if classify else "regressor"
    methods = ("fit", "get_params", "set_params", "predict")
    if isinstance(partner, type) or not all(hasattr(partner, each) for each in methods):
        raise TypeError(
            f"{name} must be a {wanted} with scikit-learn's interface; got {brief(partner)}."
        )
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


def partner_without_time(partner: Any) -> str:
    """Return what to warn of when there is no time for a partner."""
    return f"time_limit leaves no time for the partner {brief(partner)}: it is left out."


def check_one_label_a_row(y: np.ndarray) -> None:
    """Raise ValueError unless y (N,) has one label a row."""
    if y.ndim == 2:
        raise ValueError(
            f"y must have one label per row; got {y.shape[1]} columns: fit a classifier for each, "
            "as sklearn.multioutput.MultiOutputClassifier does."
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


def check_no_transform(transform: str | None) -> None:
    """Raise ValueError if a recipe is to transform classes."""
    if transform is not None:
        raise ValueError(
            f"recipe.transform must be None for TabularClassifier; got {brief(transform)}: classes "
            "can't be transformed."
        )


def takes_transforms(loss: str) -> bool:
    """Return whether what a loss makes the network predict can be transformed back."""
    return loss not in ("gaussian_nll", "poisson", "gamma", "tweedie")


def check_target_transforms(y: np.ndarray, loss: str, transform: Any, recipe: Any) -> None:
    """Raise ValueError if the targets (N,) or (N, C), or the loss, do not go with a transform.

    ``transform`` is what the estimator was given, and ``recipe`` its recipe, if any.
    """
    given = {"target_transform": transform}
    if recipe is not None:
        given["recipe.transform"] = recipe.transform
    for name, value in given.items():
        if value in (None, "auto"):
            continue
        if not takes_transforms(loss):
            raise ValueError(
                f"{name}={brief(value)} can't be used with loss={brief(loss)}: set it to None."
            )
        if value == "log" and y.min() <= 0:
            raise ValueError(
                f"{name}='log' needs targets above 0; the smallest y is {y.min():g}: set it to "
                "None, or to 'quantile'."
            )


def check_target_of_loss(
    y: np.ndarray, weights: np.ndarray | None, loss: str, *, whole: bool = True
) -> None:
    """Raise ValueError if a loss has no value for a target (N,) or (N, C) with weights (N,).

    Unless it is the ``whole`` target, all may be 0.
    """
    kind = LOSSES[loss].target
    if weights is not None:
        counts = weights.reshape(-1, *[1] * (y.ndim - 1)) > 0
        y = np.where(counts, y, y[weights > 0][:1])
    check_target_range(y, loss, kind, np.dtype(np.float32), np.ones(1))
    if whole:
        check_any_positive(y, loss, kind)


def check_metric_of_quantiles(metric: Any, several: bool) -> None:
    """Raise ValueError if a metric of one prediction a row is to judge several quantiles."""
    if several and not (metric is None or (isinstance(metric, str) and metric == "pinball")):
        raise ValueError(
            f"metric={brief(metric)} can't judge several quantiles: set metric=None, which means "
            "'pinball'."
        )


def check_rows_to_learn_from(n_rows: int) -> None:
    """Raise ValueError unless one row can be learnt from while another one judges."""
    if n_rows < 2:
        raise ValueError(
            f"X has {n_rows} sample with a positive weight; a model of raw tables needs at least "
            "two, one to learn from and one to be judged by."
        )


def check_own_rows(rows: tuple[Any, Any, Any], n_folds: Any) -> bool:
    """Return whether there are rows to judge by; ValueError if only some are given, or folds too.

    ``rows`` are X_val, y_val and sample_weight_val.
    """
    given = check_validation_rows_given(*rows, splits=False)
    if given and n_folds not in (None, 1):
        raise ValueError(
            f"X_val is given as well as n_folds={brief(n_folds)}: rows of your own take the place "
            "of folds, so set n_folds=None."
        )
    return given


def check_any_judged(n_held: int) -> None:
    """Raise ValueError if no row can be held out, as each is the only one of its class."""
    if n_held == 0:
        raise ValueError(
            "y has only one row of each class, so none can be held out for validation: give two "
            "rows or more of at least one class."
        )


def no_time_to_learn(limit: float) -> str:
    """Return what to say of a fit whose time was over before a network could learn."""
    return (
        f"time_limit={limit:g} seconds had passed before a network could learn, so predictions may "
        "be hardly better than a constant: give the fit more time."
    )


def no_time_for_all_rows(limit: float | None, n_late: int, n_members: int) -> str:
    """Return what to say of networks that had no time to learn from all rows of a source."""
    return (
        f"time_limit={limit:g} seconds were over before {n_late} of {n_members} members had learnt "
        "from all rows of the source: they have seen a sample, or a part. Give the fit more time."
    )


def stays_as_it_was(name: str, error: Exception) -> str:
    """Return what to warn of when networks can't learn from all rows, and stay as they raced."""
    return (
        f"The networks of {one_line(name, 100)} could not learn from all rows, and predict as they "
        f"did in the race: {one_line(str(error), 300)}"
    )


def no_value_of(metric: str) -> str:
    """Return what to warn of when a metric has no value for any candidate."""
    return (
        f"metric={brief(metric)} is not finite on the held-out rows for any candidate: all "
        "of them predict with equal weights. Hold out more rows or choose another metric."
    )
