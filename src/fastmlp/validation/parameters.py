"""Checks of constructor parameters: one table, and what must hold between entries of it."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from numbers import Real
from types import MappingProxyType
from typing import Any

import numpy as np

from fastmlp.backends import BACKENDS
from fastmlp.names import Names
from fastmlp.optimizers import CLASSES, Optimizer
from fastmlp.plan.description import MAX_PARAMETERS
from fastmlp.plan.initializers import INITIALIZERS
from fastmlp.plan.user_functions import CustomActivation, CustomLoss
from fastmlp.registry import (
    ACTIVATIONS,
    CLASSIFIER_LOSSES,
    REGRESSOR_LOSSES,
    SOLVERS,
)
from fastmlp.schedules import OF_SCIKIT_LEARN, SCHEDULES, Scaled, Schedule
from fastmlp.validation.initial_values import check_init
from fastmlp.validation.normalizations import NORMALIZATION_NAMES, check_normalization
from fastmlp.validation.rules import (
    Number,
    OneOf,
    OneOrEach,
    Rule,
    callables,
    flag,
    literal,
    real_type,
    seed,
    verbosity,
)
from fastmlp.validation.schedules import Schedulable, check_learning_rate, check_scheduled
from fastmlp.validation.wording import brief, count_of, unknown_name

__all__ = [
    "check_activation",
    "check_combination",
    "check_layer_sizes",
    "check_magnitudes",
    "check_parameters",
    "check_same_network",
    "check_stochastic",
    "n_parameters",
]

#: As many as the core's team has seats: ``MAX_MEMBERS`` in csrc/threads/team.c.
MAX_THREADS = 256


def check_activation(name: str, value: Any) -> str | CustomActivation:
    """Return an activation's name, or one that the user wrote; raise unless ``value`` is one."""
    if isinstance(value, CustomActivation):
        return value
    if value not in ACTIVATIONS:
        raise unknown_name(name, value, ACTIVATIONS.by_name, ", or made by custom_activation")
    return ACTIVATIONS[value].name


def _regression_loss(name: str, value: Any) -> str | CustomLoss:
    if isinstance(value, CustomLoss):
        return value
    if value not in REGRESSOR_LOSSES:
        raise unknown_name(name, value, REGRESSOR_LOSSES, ", or made by custom_loss")
    return REGRESSOR_LOSSES[value]


_LEVELS = OneOrEach(Number(0, 1, closed="neither"), kind="number", example="(0.1, 0.9)")


def _quantiles(name: str, value: Any) -> Any:
    levels = _LEVELS(name, value)
    if np.size(levels) == 0 or np.any(np.diff(np.ravel(levels)) <= 0):
        raise ValueError(f"{name} must be one level, or several that ascend; got {brief(value)}.")
    return levels


def _backend(name: str, value: Any) -> str:
    # Read by name in several places, so there are no other spellings.
    known = Names((backend, backend, ()) for backend in BACKENDS)
    if not isinstance(value, str) or value not in BACKENDS:
        raise unknown_name(name, value, known)
    return value


def _standardization(name: str, value: Any) -> bool | str:
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    if not (isinstance(value, str) and value in ("auto", "mean", "median")):
        raise ValueError(
            f"{name} must be True, False, 'auto', 'mean' or 'median'; got {brief(value)}."
        )
    return value


def _betas(name: str, value: Any) -> tuple[float, float]:
    if not (isinstance(value, (tuple, list)) and len(value) == 2):
        raise TypeError(f"{name} must be a tuple of two numbers; got {brief(value)}.")
    first, second = (Number(0, 1)(f"{name}[{i}]", beta) for i, beta in enumerate(value))
    return first, second


_POSITIVE = Number(0, closed="neither")
_NOT_NEGATIVE = Number(0, closed="left")
_BOUND = Number(0, closed="neither", also=(None,))
_COUNT = Number(1, integral=True)

#: Rules of the options of optimisers, by their names in ``fastmlp.optimizers``.
_OPTIONS: Mapping[str, Rule] = MappingProxyType(
    {
        "momentum": Schedulable(Number(0, 1, closed="both")),
        "nesterov": flag,
        "centered": flag,
        "betas": _betas,
        "alpha": Number(0, 1),
        "rho": Number(0, 1),
        "eps": _POSITIVE,
        "lr_decay": _NOT_NEGATIVE,
        "momentum_decay": _NOT_NEGATIVE,
        "initial_accumulator_value": _NOT_NEGATIVE,
        "weight_decay": Schedulable(_NOT_NEGATIVE),
    }
)


def _solver(name: str, value: Any) -> Any:
    """Return a solver's name, or an optimiser whose options are right; raise if it is neither."""
    if type(value) in CLASSES.values():
        options = {
            option: _OPTIONS[option](f"{name}.{option}", number)
            for option, number in vars(value).items()
        }
        return type(value)(**options)
    if value not in SOLVERS:
        raise unknown_name(name, value, SOLVERS, ", or an object of fastmlp.optimizers")
    return SOLVERS.name_of(value)


#: Random numbers are within sixteen times their spread, so that first weights stay finite.
MAX_SPREAD = sys.float_info.max / 16


def _spread(name: str, value: Any) -> float:
    spread: float = _NOT_NEGATIVE(name, value)
    if spread > MAX_SPREAD:
        raise ValueError(f"{name} must be at most {MAX_SPREAD:.2g}; got {brief(value)}.")
    return spread


_DROPOUTS = OneOrEach(Number(0, 1), kind="number", example="(0.2, 0.5)")
_SCHEDULED_DROPOUT = Schedulable(Number(0, 1))


def _dropout(name: str, value: Any) -> Any:
    return (_SCHEDULED_DROPOUT if isinstance(value, Schedule) else _DROPOUTS)(name, value)


#: Parameter → what returns its value as a fit takes it, or raises because it is not right.
RULES: Mapping[str, Rule] = MappingProxyType(
    {
        "label_smoothing": Schedulable(Number(0, 1)),
        "focal_gamma": _NOT_NEGATIVE,
        "huber_delta": _POSITIVE,
        "smooth_l1_beta": _POSITIVE,
        "tweedie_power": Number(1, 2, closed="both"),
        "quantiles": _quantiles,
        "standardize_target": _standardization,
        "hidden_layer_sizes": OneOrEach(_COUNT, kind="integer", example="(50, 50)"),
        "activation": OneOrEach(check_activation, kind="activation", example="('tanh', 'relu')"),
        "solver": _solver,
        "alpha": _NOT_NEGATIVE,
        "l1": _NOT_NEGATIVE,
        "weight_decay": Schedulable(Number(0, also=(None,))),
        "max_norm": _BOUND,
        "input_noise": _NOT_NEGATIVE,
        "gradient_noise": _NOT_NEGATIVE,
        "gradient_noise_decay": _NOT_NEGATIVE,
        "clip_value": _BOUND,
        "clip_norm": _BOUND,
        "batch_size": Number(1, integral=True, also=("auto",)),
        "learning_rate": check_learning_rate,
        "learning_rate_init": _POSITIVE,
        "power_t": _NOT_NEGATIVE,
        "max_iter": _COUNT,
        "shuffle": flag,
        "random_state": seed,
        "tol": _NOT_NEGATIVE,
        "verbose": verbosity,
        "warm_start": flag,
        "momentum": Schedulable(Number(0, 1, closed="both")),
        "nesterovs_momentum": flag,
        "early_stopping": flag,
        "validation_fraction": Number(0, 1),
        "beta_1": Number(0, 1),
        "beta_2": Number(0, 1),
        "epsilon": _POSITIVE,
        "n_iter_no_change": Number(1, integral=True, also=(np.inf,)),
        "max_fun": _COUNT,
        "dropout": _dropout,
        "input_dropout": Number(0, 1),
        "normalization": OneOrEach(check_normalization, kind="name", example="('batch', None)"),
        "n_groups": Number(1, integral=True, also=(None,)),
        "n_channels": Number(1, integral=True, also=(None,)),
        "batch_norm_momentum": Number(0, 1, closed="right"),
        "init": check_init,
        "init_std": _spread,
        "init_range": _spread,
        "dtype": real_type,
        "backend": _backend,
        "n_threads": Number(1, MAX_THREADS, closed="both", integral=True, also=(None,)),
        "callbacks": callables,
    }
)


#: The same for ``loss``, which is not the same parameter in both estimators.
LOSS_RULES: Mapping[str, Rule] = MappingProxyType(
    {"classifier": OneOf(CLASSIFIER_LOSSES), "regressor": _regression_loss}
)


def check_parameters(parameters: Mapping[str, Any], task: str = "regressor") -> dict[str, Any]:
    """Return the parameters as a fit takes them: Python's own numbers, and no aliases.

    Raise TypeError or ValueError, naming the parameter, unless all are right by themselves.
    """
    # A loss in front of the others: what was meant for the next argument may have gone to it.
    names: Iterable[str] = {"loss": None, **parameters} if "loss" in parameters else parameters
    return {name: _checked(name, parameters[name], task) for name in names}


def _checked(name: str, value: Any, task: str) -> Any:
    rule = LOSS_RULES[task] if name == "loss" else RULES[name]
    try:
        return rule(name, value)
    except (TypeError, ValueError) as error:
        meant = _meant(name, value, task)
        if meant is None:
            raise
        text = str(error).partition(" Did you mean")[0]
        raise type(error)(f"{text} {meant}") from error


#: Parameters whose values are mistaken for each other's, but ``loss``, which depends on the task.
_NAMED: Mapping[str, Names] = MappingProxyType(
    {
        "activation": ACTIVATIONS.by_name,
        "solver": SOLVERS,
        "learning_rate": SCHEDULES,
        "init": INITIALIZERS,
        "normalization": NORMALIZATION_NAMES,
    }
)


def _meant(name: str, value: Any, task: str) -> str | None:
    """Return a hint at the parameter that a wrong value of another may have been meant for."""
    if name == "loss" and _is_like_sizes(value):
        sizes = brief(literal(value) if isinstance(value, str) else value)
        if task == "classifier":
            return f"Did you mean hidden_layer_sizes={sizes}?"
        return f"The first argument is loss, as in scikit-learn: write hidden_layer_sizes={sizes}."
    if name != "activation" and isinstance(value, CustomActivation):
        return "Did you mean activation=…?"
    if name != "loss" and isinstance(value, CustomLoss):
        return "Did you mean loss=…?"
    losses = CLASSIFIER_LOSSES if task == "classifier" else REGRESSOR_LOSSES
    for other, names in {**_NAMED, "loss": losses}.items():
        if other != name and value in names:
            return f"Did you mean {other}={brief(value)}?"
    return None


def _is_like_sizes(value: Any) -> bool:
    """Return whether a value, or what a text reads as, is a number or a sequence of numbers."""
    entries = literal(value) if isinstance(value, str) else value
    if isinstance(entries, np.ndarray):
        entries = entries.ravel().tolist()
    if not isinstance(entries, (list, tuple, range)):
        entries = [entries]
    return all(isinstance(entry, Real) and not isinstance(entry, bool) for entry in entries)


#: Parameters that the core computes with in the network's real type.
_REAL_PARAMETERS = (
    "alpha",
    "l1",
    "weight_decay",
    "max_norm",
    "input_noise",
    "gradient_noise",
    "clip_value",
    "clip_norm",
    "learning_rate_init",
    "epsilon",
    "init_std",
    "init_range",
    "focal_gamma",
    "huber_delta",
    "smooth_l1_beta",
)

#: Those of them that the core divides by, or that mean nothing at 0.
_DIVISORS = ("huber_delta", "smooth_l1_beta")


def _base(value: Any) -> Any:
    """Return a number, also of one that has a schedule."""
    return value.base if isinstance(value, Scaled) else value


def check_magnitudes(parameters: Mapping[str, Any], dtype: np.dtype) -> None:
    """Raise ValueError for a number that the network's real type can't hold."""
    limit, least = float(np.finfo(dtype).max), float(np.finfo(dtype).tiny)
    for name in _REAL_PARAMETERS:
        value = _base(parameters.get(name))
        if value is not None and value > limit:
            raise ValueError(
                f"{name} must be at most {limit:.2g} for dtype {dtype.name}; got {brief(value)}."
            )
    solver = parameters.get("solver")
    for name, value in vars(solver).items() if isinstance(solver, Optimizer) else ():
        if np.max(_base(value)) > limit:
            raise ValueError(
                f"solver.{name} must be at most {limit:.2g} for dtype {dtype.name}; got {value!r}."
            )
    for name in _DIVISORS:
        if parameters.get(name, 1) < least:
            raise ValueError(
                f"{name} must be at least {least:.2g} for dtype {dtype.name}; "
                f"got {brief(parameters[name])}."
            )


#: What L-BFGS cannot do → the value that leaves it out.
_OFF_FOR_LBFGS: Mapping[str, object] = MappingProxyType(
    {
        "learning_rate": "'constant'",
        "l1": 0,
        "dropout": 0,
        "input_dropout": 0,
        "weight_decay": 0,
        "max_norm": None,
        "input_noise": 0,
        "gradient_noise": 0,
        "clip_value": None,
        "clip_norm": None,
    }
)


def _is_off(name: str, value: Any) -> bool:
    """Return whether L-BFGS may ignore a parameter, as it does scikit-learn's learning rates."""
    return value in OF_SCIKIT_LEARN if name == "learning_rate" else not np.any(value)


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
    for name in ("activation", "dropout", "normalization"):
        value = parameters[name]
        if np.ndim(value) and len(value) != n_hidden:
            raise ValueError(
                f"{name} has {len(value)} entries, but hidden_layer_sizes has {n_hidden} layers."
            )
    if incremental and parameters["early_stopping"]:
        raise ValueError("partial_fit does not support early_stopping=True.")
    if isinstance(parameters["solver"], Optimizer) and parameters["weight_decay"] is not None:
        raise ValueError(
            f"weight_decay={parameters['weight_decay']!r} stands beside a solver that has its own: "
            f"set weight_decay of {parameters['solver']!r} instead."
        )
    for name, value in _scheduled(parameters).items():
        check_scheduled(name, value, incremental)
    if parameters["solver"] == "lbfgs":
        for name, off in _OFF_FOR_LBFGS.items():
            if not _is_off(name, parameters[name]):
                raise ValueError(
                    f"solver='lbfgs' needs a smooth, fixed objective and its exact gradient: set "
                    f"{name}={off} (got {brief(parameters[name])}) or take another solver."
                )


def check_stochastic(solver: object) -> None:
    """Raise AttributeError, as for any missing method, if ``solver`` knows no mini-batches."""
    if solver in SOLVERS and SOLVERS.name_of(solver) == "lbfgs":
        raise AttributeError("partial_fit needs a solver that learns by mini-batches, not 'lbfgs'.")


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


def check_same_network(present: Sequence[int], wanted: Sequence[int]) -> None:
    """Raise ValueError if a fit that goes on from an earlier one asks for other layer widths."""
    if list(present[1:-1]) != list(wanted[1:-1]):
        raise ValueError(
            f"hidden_layer_sizes is now {brief(tuple(wanted[1:-1]))}, but the network that "
            f"warm_start or partial_fit goes on with has {brief(tuple(present[1:-1]))}."
        )
    if present[-1] != wanted[-1]:
        raise ValueError(
            f"y asks for {wanted[-1]} outputs, but the network that warm_start or partial_fit goes "
            f"on with has {present[-1]}."
        )
