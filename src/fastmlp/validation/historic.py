"""Checks of what the neurons that came before the network are given."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from numbers import Integral
from typing import Any

import numpy as np

from fastmlp.plan.parameters import REAL_TYPES
from fastmlp.validation.parameter_table import BY_TASK
from fastmlp.validation.real_numbers import finite_array
from fastmlp.validation.rules import Number
from fastmlp.validation.wording import brief

__all__ = [
    "check_decision_line",
    "check_gate",
    "check_neuron",
    "check_perceptron",
    "check_rates",
    "check_sums",
    "check_two_labels",
    "check_weights",
]

_SHARED = ("max_iter", "shuffle", "random_state", "backend")
_PERCEPTRON: Mapping[str, Callable[[str, Any], None]] = {
    "eta0": Number(0, closed="neither"),
    **{name: BY_TASK["classifier"][name].rule for name in _SHARED},
}
_GATE = Number(1, integral=True)


def check_gate(n_inputs: Any) -> int:
    """Return how many inputs a gate is to have; raise unless it can have so many."""
    _GATE("n_inputs", n_inputs)
    return int(n_inputs)


def check_neuron(weights: Any, threshold: Any, n_inputs: int) -> tuple[np.ndarray, float]:
    """Return weights (I,), float64, and threshold; raise unless they are finite and fit."""
    w, least = finite_array("weights", weights), finite_array("threshold", threshold)
    if least.shape != ():
        raise ValueError(f"threshold must be one number; got {brief(threshold)}.")
    if w.shape not in ((), (n_inputs,)):
        raise ValueError(
            f"weights must be one number or one for each of the {n_inputs} features of X; got "
            f"shape {w.shape}."
        )
    return np.broadcast_to(w.astype(np.float64), n_inputs), float(least)


def check_sums(sums: np.ndarray) -> None:
    """Raise ValueError if a weighted sum of inputs (N,) is beyond the range of floats."""
    if not np.isfinite(sums).all():
        row = int(np.argmin(np.isfinite(sums)))
        raise ValueError(
            f"The weighted sum of row {row} of X is too large for a float; scale weights, "
            "threshold or X down."
        )


def check_two_labels(classes: np.ndarray) -> None:
    """Raise ValueError unless there is a label for rest and one for firing among classes (K,)."""
    if len(classes) != 2:
        count = "one class" if len(classes) == 1 else f"{len(classes)} classes"
        raise ValueError(
            "Only binary classification is supported: a neuron either rests or fires, but y has "
            f"{count}."
        )


def check_perceptron(parameters: Mapping[str, Any]) -> None:
    """Raise TypeError or ValueError, naming the parameter, unless all are right."""
    for name, value in parameters.items():
        _PERCEPTRON[name](name, value)


def check_weights(coef: Any, intercept: Any, n_units: int, n_features: int) -> None:
    """Raise ValueError unless a fitted perceptron's attributes, which users may set, fit together.

    The core reads ``coef`` (K, I) and ``intercept`` (K,) by the sizes K and I.
    """
    wanted = {"coef_": (n_units, n_features), "intercept_": (n_units,)}
    for (name, shape), array in zip(wanted.items(), (coef, intercept), strict=True):
        real = isinstance(array, np.ndarray) and array.dtype in REAL_TYPES
        if not real or array.dtype != coef.dtype:
            raise ValueError(f"{name} must be an array of float32 or float64, as coef_ is.")
        if array.shape != shape:
            raise ValueError(
                f"{name} must have shape {shape}, by classes_ and n_features_in_; "
                f"got {array.shape}. Fit the model again."
            )


def check_rates(
    eta0: float, weights: np.ndarray | None, n_samples: int, dtype: np.dtype
) -> np.ndarray:
    """Return eta0 times the weights (N,), a step size for each row; ``dtype`` must hold them."""
    factors = np.ones(n_samples) if weights is None else weights
    with np.errstate(over="ignore", under="ignore"):
        rates = np.asarray(float(eta0) * factors, dtype)
    if not np.isfinite(rates).all() or np.any((rates == 0) & (factors != 0)):
        raise ValueError(
            f"eta0={brief(eta0)} gives steps that are too large or too small for {dtype.name}."
        )
    return rates


def check_decision_line(coef: np.ndarray, unit: Any) -> None:
    """Raise ValueError unless the weights (K, I) of a unit define x₁ as a function of x₀."""
    n_units, n_features = coef.shape
    whole = isinstance(unit, Integral) and not isinstance(unit, (bool, np.timedelta64))
    if not whole or not 0 <= int(unit) < n_units:
        raise ValueError(f"unit must be a row of coef_, 0 to {n_units - 1}; got {brief(unit)}.")
    if n_features != 2:
        raise ValueError(f"A decision line needs two features; the model has {n_features}.")
    if coef[unit, 1] == 0:
        w0 = coef[unit, 0]
        where = "vertical: x₀ = −b/w₀" if w0 else "nowhere: both weights are 0"
        raise ValueError(f"The decision line has no slope: w₁ is 0, so it is {where}.")
