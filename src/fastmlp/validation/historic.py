"""Checks of what the neurons that came before the network are given."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from numbers import Integral
from typing import Any

import numpy as np

from fastmlp.validation.arrays import naming
from fastmlp.validation.parameters import RULES
from fastmlp.validation.rules import Number
from fastmlp.validation.words import shown

__all__ = [
    "check_decision_line",
    "check_gate",
    "check_neuron",
    "check_perceptron",
    "check_rates",
    "check_two_labels",
]

_SHARED = ("max_iter", "shuffle", "random_state", "backend")
_PERCEPTRON: Mapping[str, Callable[[str, Any], None]] = {
    "eta0": Number(0, closed="neither"),
    **{name: RULES[name] for name in _SHARED},
}
_GATE = Number(1, integral=True)


def check_gate(n_inputs: Any) -> None:
    """Raise unless a gate can have so many inputs."""
    _GATE("n_inputs", n_inputs)


def check_neuron(weights: Any, threshold: Any, n_inputs: int) -> np.ndarray:
    """Return the weights (I,), float64; raise unless they and the threshold are finite and fit."""
    values = {}
    for name, value in (("weights", weights), ("threshold", threshold)):
        with naming(name):
            values[name] = np.asarray(value)
        if values[name].dtype.kind not in "biuf":
            raise TypeError(f"{name} must be real numbers; got {shown(value)}.")
        if not np.isfinite(values[name]).all():
            raise ValueError(f"{name} must be finite; got {shown(value)}.")
    if values["threshold"].shape != ():
        raise ValueError(f"threshold must be one number; got {shown(threshold)}.")
    if values["weights"].shape not in ((), (n_inputs,)):
        raise ValueError(
            f"weights must be one number or one for each of the {n_inputs} features of X; got "
            f"shape {values['weights'].shape}."
        )
    return np.broadcast_to(values["weights"].astype(np.float64), n_inputs)


def check_two_labels(classes: np.ndarray) -> None:
    """Raise ValueError unless there is a label for rest and one for firing among classes (K,)."""
    if len(classes) != 2:
        count = "one class" if len(classes) == 1 else f"{len(classes)} classes"
        raise ValueError(
            f"Only binary classification is supported: a neuron rests or fires, but y has {count}."
        )


def check_perceptron(parameters: Mapping[str, Any]) -> None:
    """Raise TypeError or ValueError, naming the parameter, unless all are right."""
    for name, value in parameters.items():
        _PERCEPTRON[name](name, value)


def check_rates(
    eta0: float, weights: np.ndarray | None, n_samples: int, dtype: np.dtype
) -> np.ndarray:
    """Return eta0 times the weights (N,), a step size a row; ValueError if ``dtype`` can't."""
    wanted = np.full(n_samples, float(eta0)) if weights is None else float(eta0) * weights
    with np.errstate(over="ignore", under="ignore"):
        rates = np.asarray(wanted, dtype)
    if not np.isfinite(rates).all() or np.any((rates == 0) & (wanted != 0)):
        raise ValueError(f"eta0={shown(eta0)} gives steps beyond the range of {dtype.name}.")
    return rates


def check_decision_line(coef: np.ndarray, unit: Any) -> None:
    """Raise ValueError unless the weights (K, I) of a unit define x₁ as a function of x₀."""
    n_units, n_features = coef.shape
    if not isinstance(unit, Integral) or not 0 <= int(unit) < n_units:
        raise ValueError(f"unit must be a row of coef_, 0 to {n_units - 1}; got {shown(unit)}.")
    if n_features != 2:
        raise ValueError(f"A decision line needs two features; the model has {n_features}.")
    if coef[unit, 1] == 0:
        w0 = coef[unit, 0]
        where = "vertical: x₀ = −b/w₀" if w0 else "nowhere: both weights are 0"
        raise ValueError(f"The decision line has no slope: w₁ is 0, so it is {where}.")
