"""Checks of constructor parameters: each by its rule, and what must hold between several."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import pairwise
from numbers import Real
from typing import Any

import numpy as np

from fastmlp.optimizers import Optimizer
from fastmlp.plan.description import MAX_PARAMETERS
from fastmlp.plan.user_functions import CustomActivation, CustomLoss
from fastmlp.registry import SOLVERS
from fastmlp.schedules import SCHEDULES, Scaled, Schedule
from fastmlp.validation.parameter_table import BY_TASK, PARAMETERS
from fastmlp.validation.rules import literal, own_number
from fastmlp.validation.schedules import check_scheduled
from fastmlp.validation.wording import brief, count_of

__all__ = [
    "check_combination",
    "check_layer_sizes",
    "check_magnitudes",
    "check_parameters",
    "check_same_activations",
    "check_same_network",
    "check_same_scaling",
    "check_sklearn_callbacks",
    "check_stochastic",
    "kept_of",
    "largest_batch",
    "n_parameters",
    "runs_as_highest",
]

#: Largest batch that ``batch_size="auto"`` makes.
AUTO_BATCH = 200


def check_parameters(parameters: Mapping[str, Any], task: str = "regressor") -> dict[str, Any]:
    """Return the parameters as a fit takes them: Python's own numbers, and no aliases.

    Raise TypeError or ValueError, naming the parameter, unless all are right by themselves.
    """
    # The loss comes first, because what was meant for another argument may have gone to it.
    names: Iterable[str] = {"loss": None, **parameters} if "loss" in parameters else parameters
    rows, checked = BY_TASK[task], {}
    for name in names:
        value = parameters[name]
        kind = type(value)
        known = kind in _PLAIN or (kind is str and value == rows[name].default)
        checked[name] = (_checked_before if known else _checked)(name, value, task)
    return checked


#: Of values of these types, and of a default text, a rule always makes the same.
_PLAIN = frozenset((bool, int, float, type(None)))


@lru_cache(maxsize=4096, typed=True)
def _checked_before(name: str, value: Any, task: str) -> Any:
    """Do what ``_checked`` does, once for each value: all rules take longer than a small fit."""
    return _checked(name, value, task)


def _checked(name: str, value: Any, task: str) -> Any:
    try:
        return BY_TASK[task][name].rule(name, value)
    except (TypeError, ValueError) as error:
        meant = _meant(name, value, task)
        if meant is None:
            raise
        text = str(error).partition(" Did you mean")[0]
        raise type(error)(f"{text} {meant}") from None


def _meant(name: str, value: Any, task: str) -> str | None:
    """Return a hint at the parameter that a wrong value of another may have been meant for."""
    if name == "loss" and _is_like_sizes(value):
        sizes = brief(literal(value) if isinstance(value, str) else value)
        if task == "classifier":
            return f"Did you mean hidden_layer_sizes={sizes}?"
        return f"The first argument is loss, as in scikit-learn: write hidden_layer_sizes={sizes}."
    meant = _meant_rate(name, value) or _meant_function(name, value) or _meant_by_habit(name, value)
    if meant is not None:
        return meant
    other = _other_task(name, value, task)
    if other is not None:
        return other
    for row in BY_TASK[task].values():
        if row.name == "loss" and name == "scoring":
            continue  # whose own texts know scikit-learn's name for it
        if row.name != name and row.names is not None and value in row.names:
            return f"Did you mean {row.name}={brief(value)}?"
    return None


def _meant_function(name: str, value: Any) -> str | None:
    """Return a hint at where an activation or a loss of the user's belongs."""
    if name != "activation" and isinstance(value, CustomActivation):
        return "Did you mean activation=…?"
    if name != "loss" and isinstance(value, CustomLoss):
        return "Did you mean loss=…?"
    return None


def _meant_by_habit(name: str, value: Any) -> str | None:
    """Return a hint for a value that other libraries, or other parameters, have."""
    own = own_number(value)
    if name == "n_threads" and isinstance(own, int) and own == -1:
        return "Write n_threads=None to use all cores."
    if name == "callbacks" and callable(value) and not isinstance(value, type):
        return "Write callbacks=[…] around the function."
    if name != "validation_split" or isinstance(own, bool):
        return None
    if isinstance(own, float) and 0 < own < 1:
        return f"Write validation_fraction={own:g}."
    return f"Write KFold({own})." if isinstance(own, int) and own > 1 else None


def _other_task(name: str, value: Any, task: str) -> str | None:
    """Return a hint at the other estimator, which has a loss of this name."""
    other = "regressor" if task == "classifier" else "classifier"
    names = BY_TASK[other]["loss"].names
    if name != "loss" or names is None or value not in names:
        return None
    return f"{'MLP' + other.capitalize()} has loss={brief(value)}."


def _meant_rate(name: str, value: Any) -> str | None:
    """Return a hint at where an optimiser or a schedule, or the class of one, belongs."""
    kind = value if isinstance(value, type) else type(value)
    made = f"{kind.__name__}()" if isinstance(value, type) else brief(value)
    if issubclass(kind, Optimizer):
        if name != "solver":
            return f"Did you mean solver={kind.__name__}(…)?"
        return f"It must be an object, not a class: write {made}." if kind is value else None
    if issubclass(kind, Schedule) and name == "learning_rate_init":
        if isinstance(value, Scaled):
            return f"Write {name}={brief(value.base)}, learning_rate={brief(value.schedule)}."
        return f"Write learning_rate={made}, whose factors change it."
    if issubclass(kind, Schedule) and name == "solver":
        return f"Did you mean learning_rate={made}?"
    return None


def _is_like_sizes(value: Any) -> bool:
    """Return whether a value, or what a text reads as, is a number or a sequence of numbers."""
    entries = literal(value) if isinstance(value, str) else value
    if isinstance(entries, np.ndarray):
        entries = entries.ravel().tolist()
    if not isinstance(entries, (list, tuple, range)):
        entries = [entries]
    return all(isinstance(entry, Real) and not isinstance(entry, bool) for entry in entries)


_ROWS = {row.name: row for row in PARAMETERS}
_REAL = [name for name, row in _ROWS.items() if row.real]
_DIVISORS = [name for name, row in _ROWS.items() if row.divisor]


def _base(value: Any) -> Any:
    """Return a number, also of one that has a schedule."""
    return value.base if isinstance(value, Scaled) else value


def check_magnitudes(parameters: Mapping[str, Any], dtype: np.dtype) -> None:
    """Raise ValueError for a number that the network's real type can't hold."""
    limit, least = float(np.finfo(dtype).max), float(np.finfo(dtype).tiny)
    for name in _REAL:
        value = _base(parameters.get(name))
        if value is not None and value > limit:
            raise ValueError(
                f"{name} must be at most {limit:.2g} for dtype {dtype.name}; got {brief(value)}."
            )
    solver = parameters.get("solver")
    for name, value in vars(solver).items() if isinstance(solver, Optimizer) else ():
        if np.max(_base(value)) > limit:
            raise ValueError(
                f"solver.{name} must be at most {limit:.2g} for dtype {dtype.name}; "
                f"got {brief(value)}."
            )
    for name in _DIVISORS:
        if parameters.get(name, 1) < least:
            raise ValueError(
                f"{name} must be at least {least:.2g} for dtype {dtype.name}; "
                f"got {brief(parameters[name])}."
            )


def _scheduled(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return what may have a schedule, by its name in error texts; a named one as an object."""
    solver, rate = parameters["solver"], parameters["learning_rate"]
    names = ("weight_decay", "momentum", "dropout", "label_smoothing")
    own = vars(solver) if isinstance(solver, Optimizer) else {}
    return {
        **{name: parameters.get(name) for name in names},
        **{f"solver.{name}": value for name, value in own.items()},
        "learning_rate": SCHEDULES[rate]() if isinstance(rate, str) else rate,
    }


def check_combination(parameters: Mapping[str, Any], n_hidden: int, incremental: bool) -> None:
    """Raise ValueError for parameters that are right alone but not together."""
    for name in ("activation", "parametric_activation", "dropout", "normalization"):
        value = parameters[name]
        if np.ndim(value) and len(value) != n_hidden:
            raise ValueError(
                f"{name} has {len(value)} entries, but hidden_layer_sizes has {n_hidden} layers."
            )
    if incremental and parameters["early_stopping"]:
        raise ValueError("partial_fit does not support early_stopping=True.")
    if incremental and parameters["averaging"] is not None:
        raise ValueError(
            "partial_fit does not average the weights: set averaging=None (got "
            f"{brief(parameters['averaging'])})."
        )
    if isinstance(parameters["solver"], Optimizer):
        _check_left_to_solver(parameters)
    for name, value in _scheduled(parameters).items():
        check_scheduled(name, value, incremental)
    if parameters["solver"] == "lbfgs":
        _check_lbfgs(parameters)


#: Options of optimisers for which the estimators have parameters: an object has its own.
_OF_SOLVERS = {
    "weight_decay": "weight_decay",
    "momentum": "momentum",
    "nesterovs_momentum": "nesterov",
    "beta_1": "betas",
    "beta_2": "betas",
    "epsilon": "eps",
}


def _check_left_to_solver(parameters: Mapping[str, Any]) -> None:
    """Raise ValueError for an option that the solver, an object, does not look at."""
    solver = parameters["solver"]
    for name, option in _OF_SOLVERS.items():
        value = parameters[name]
        if value == _ROWS[name].default:
            continue
        if not hasattr(solver, option):
            raise ValueError(
                f"{name}={brief(value)} can't be used with solver={brief(solver)}, which has no "
                f"{option}: leave {name} out."
            )
        raise ValueError(
            f"{name}={brief(value)} conflicts with the solver, which has an option of its own: set "
            f"{option} of {brief(solver)} instead."
        )


def _check_lbfgs(parameters: Mapping[str, Any]) -> None:
    smoothing = parameters.get("label_smoothing")
    if isinstance(smoothing, Scaled):
        raise ValueError(
            "solver='lbfgs' needs an objective that stays the same, and label_smoothing="
            f"{brief(smoothing)} has a schedule: make it a number or choose another solver."
        )
    for name, value in parameters.items():
        row = _ROWS[name]
        if row.refused_by("lbfgs", value):
            raise ValueError(
                "solver='lbfgs' needs a smooth, fixed objective and its exact gradient: set "
                f"{name}={brief(row.off)} (got {brief(value)}) or choose another solver."
            )


def check_sklearn_callbacks(exist: bool) -> None:
    """Raise AttributeError, as for any missing method, without scikit-learn's own callbacks."""
    if not exist:
        raise AttributeError(
            "set_callbacks needs scikit-learn 1.9 or later; the parameter callbacks does not."
        )


def check_stochastic(solver: object) -> None:
    """Raise AttributeError, as for any missing method, if ``solver`` knows no mini-batches."""
    if solver in SOLVERS and SOLVERS.name_of(solver) == "lbfgs":
        raise AttributeError("partial_fit needs a solver that learns by mini-batches, not 'lbfgs'.")


def kept_of(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return those of a fit's parameters that are read after it."""
    return {name: value for name, value in parameters.items() if _ROWS[name].kept}


def largest_batch(parameters: Mapping[str, Any]) -> int:
    """Return how many rows an update takes where there are as many."""
    wanted = parameters["batch_size"]
    return AUTO_BATCH if wanted == "auto" else int(wanted)


def n_parameters(layer_sizes: Sequence[int]) -> int:
    """Return how many weights and biases a network of these widths has."""
    return sum(i * o + o for i, o in pairwise(layer_sizes))


def check_layer_sizes(layer_sizes: Sequence[int]) -> None:
    """Raise ValueError if a network of these widths has more parameters than can be addressed."""
    count = n_parameters(layer_sizes)
    if count > MAX_PARAMETERS:
        raise ValueError(
            f"hidden_layer_sizes gives a network of {count_of(count)} parameters between "
            f"{layer_sizes[0]} inputs and {layer_sizes[-1]} outputs; at most {MAX_PARAMETERS:.3g} "
            "are possible."
        )


def check_same_activations(present: Sequence[bool], wanted: Sequence[bool]) -> None:
    """Raise ValueError if a fit that goes on asks for parametric activations in other layers."""
    if list(present) != list(wanted):
        raise ValueError(
            f"parametric_activation is now {brief(tuple(wanted))}, but the network that warm_start "
            f"or partial_fit continues has {brief(tuple(present))}."
        )


def check_same_network(present: Sequence[int], wanted: Sequence[int]) -> None:
    """Raise ValueError if a fit that goes on from an earlier one asks for other layer widths."""
    if list(present[1:-1]) != list(wanted[1:-1]):
        raise ValueError(
            f"hidden_layer_sizes is now {brief(tuple(wanted[1:-1]))}, but the network that "
            f"warm_start or partial_fit continues has {brief(tuple(present[1:-1]))}."
        )
    if present[-1] != wanted[-1]:
        raise ValueError(
            f"y asks for {wanted[-1]} outputs, but the network that warm_start or partial_fit "
            f"continues has {present[-1]}."
        )


def check_same_scaling(present: bool, wanted: bool) -> None:
    """Raise ValueError if a fit that goes on would get a scaling layer, or lose the one it has."""
    if present != wanted:
        raise ValueError(
            f"scaling_layer is now {'set' if wanted else 'False'}, but the network that warm_start "
            f"or partial_fit continues has {'one' if present else 'none'}."
        )


def runs_as_highest(precision: str, backend: str, dtype: np.dtype) -> str:
    """Return what to say where products can't be made faster at a ``precision``."""
    if dtype != np.float32:
        why = f"the dtype is {dtype}, and only products of float32 can be made faster"
    elif backend == "compiled":
        why = "this machine's instruction set has nothing that makes such products faster"
    else:
        why = f"the backend {brief(backend)} has no other products"
    return f'matmul_precision={brief(precision)} runs as "highest": {why}.'
