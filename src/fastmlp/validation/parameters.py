"""Checks of constructor parameters: one table, and what must hold between entries of it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from numbers import Integral, Real
from types import MappingProxyType
from typing import Any

import numpy as np
from sklearn.utils import check_random_state

from fastmlp.backends import BACKENDS
from fastmlp.description import MAX_PARAMETERS
from fastmlp.optimizers import CLASSES, Optimizer
from fastmlp.parameters import REAL_TYPES
from fastmlp.registry import ACTIVATIONS, CLASSIFIER_LOSSES, OPTIMIZERS, REGRESSOR_LOSSES
from fastmlp.schedules import POLICIES
from fastmlp.user_functions import CustomActivation, CustomLoss
from fastmlp.validation.initial_values import check_init
from fastmlp.validation.memory import blaming
from fastmlp.validation.normalizations import check_normalization
from fastmlp.validation.wording import brief

__all__ = [
    "check_activation",
    "check_combination",
    "check_layer_sizes",
    "check_magnitudes",
    "check_parameters",
    "check_same_network",
    "check_stochastic",
    "naming_network",
]

#: As many as the core's team has seats: ``MAX_MEMBERS`` in csrc/team.c.
MAX_THREADS = 256


def _is_among(value: Any, others: Sequence[object]) -> bool:
    """Return whether ``value`` is one of ``others``; never so for arrays: == has no one answer."""
    return any(value is other for other in others) or (
        isinstance(value, (str, Real)) and value in others
    )


@dataclass(frozen=True)
class Number:
    """A number between two bounds; ``closed`` says which bounds belong to the range."""

    low: float
    high: float = np.inf
    closed: str = "left"
    integral: bool = False
    also: tuple[object, ...] = ()

    def __call__(self, name: str, value: Any) -> None:
        """Raise unless ``value`` is such a number."""
        if _is_among(value, self.also):
            return
        kind: Any = Integral if self.integral else Real
        # NumPy counts spans of time among its integers.
        if not isinstance(value, kind) or isinstance(value, (bool, np.bool_, np.timedelta64)):
            raise TypeError(f"{name} must be {self}; got {brief(value)}.")
        above = value >= self.low if self.closed in ("both", "left") else value > self.low
        if not self.integral and self.high == np.inf:
            above = above and value <= sys.float_info.max
        below = value <= self.high if self.closed in ("both", "right") else value < self.high
        if not (above and below):
            raise ValueError(f"{name} must be {self}; got {brief(value)}.")

    def __str__(self) -> str:
        left = "≥" if self.closed in ("both", "left") else ">"
        right = "≤" if self.closed in ("both", "right") else "<"
        kind = "a finite number" if self.high == np.inf else "a number"
        text = f"{'an integer' if self.integral else kind} {left} {self.low:g}"
        if np.isfinite(self.high):
            text += f" and {right} {self.high:g}"
        return " or ".join([text, *map(repr, self.also)])


@dataclass(frozen=True)
class OneOf:
    """One of some strings."""

    names: tuple[str, ...]

    def __call__(self, name: str, value: object) -> None:
        """Raise unless ``value`` is one of the names."""
        if not (isinstance(value, str) and value in self.names):
            raise ValueError(f"{name} must be one of {', '.join(self.names)}; got {brief(value)}.")


def _flag(name: str, value: object) -> None:
    if not isinstance(value, (bool, np.bool_)):
        raise TypeError(f"{name} must be True or False; got {value!r}.")


def _verbosity(name: str, value: object) -> None:
    if not isinstance(value, (bool, np.bool_, Integral)):
        raise TypeError(f"{name} must be True, False or an integer; got {value!r}.")


def _seed(name: str, value: object) -> None:
    try:
        check_random_state(value)
    except ValueError as error:
        raise ValueError(
            f"{name} must be None, an integer or a numpy.random.RandomState; got {brief(value)}."
        ) from error


@dataclass(frozen=True)
class OneOrEach:
    """One value, or a flat sequence of such values."""

    rule: Callable[[str, Any], None]
    kind: str = "number"

    def __call__(self, name: str, value: object) -> None:
        """Raise unless ``value``, or each entry of it, is right; a wrong entry is numbered."""
        entries = np.asarray(value, dtype=object)
        if entries.ndim == 0:
            self.rule(name, entries[()])
            return
        if entries.ndim > 1:
            raise ValueError(f"{name} must be one {self.kind} or a flat sequence; got {value!r}.")
        for position, entry in enumerate(entries):
            self.rule(f"{name}[{position}]", entry)


def _real_type(name: str, value: Any) -> None:
    if isinstance(value, str) and value == "auto":
        return
    try:
        known = value is not None and np.dtype(value) in REAL_TYPES
    except (SyntaxError, TypeError, ValueError):
        known = False
    if not known:
        raise ValueError(f"{name} must be one of float32, float64, auto; got {value!r}.")


def _callables(name: str, value: object) -> None:
    if value is None:
        return
    if not isinstance(value, Sequence) or not all(map(callable, value)):
        raise TypeError(f"{name} must be None or a list of callables; got {value!r}.")


def check_activation(name: str, value: object) -> None:
    """Raise unless ``value`` names an activation, or is one that the user wrote."""
    if isinstance(value, CustomActivation):
        return
    if not (isinstance(value, str) and value in ACTIVATIONS):
        known = ", ".join(ACTIVATIONS.names_and_aliases)
        raise ValueError(
            f"{name} must be one of {known}, or made by custom_activation; got {brief(value)}."
        )


def _regression_loss(name: str, value: object) -> None:
    if isinstance(value, CustomLoss):
        return
    if not (isinstance(value, str) and value in REGRESSOR_LOSSES):
        known = ", ".join(REGRESSOR_LOSSES)
        raise ValueError(f"{name} must be one of {known}, or made by custom_loss; got {value!r}.")


def _quantiles(name: str, value: Any) -> None:
    OneOrEach(Number(0, 1, closed="neither"))(name, value)
    levels = np.asarray(value)
    if levels.size == 0 or np.any(np.diff(levels.ravel()) <= 0):
        raise ValueError(f"{name} must be one level, or several that ascend; got {value!r}.")


def _betas(name: str, value: Any) -> None:
    if not (isinstance(value, tuple) and len(value) == 2):
        raise TypeError(f"{name} must be a tuple of two numbers; got {brief(value)}.")
    for position, beta in enumerate(value):
        Number(0, 1)(f"{name}[{position}]", beta)


_POSITIVE = Number(0, closed="neither")
_NOT_NEGATIVE = Number(0, closed="left")
_BOUND = Number(0, closed="neither", also=(None,))
_COUNT = Number(1, integral=True)

#: Rules of the options of optimisers, by their names in ``fastmlp.optimizers``.
_OPTIONS: Mapping[str, Callable[[str, Any], None]] = MappingProxyType(
    {
        "momentum": Number(0, 1, closed="both"),
        "nesterov": _flag,
        "centered": _flag,
        "betas": _betas,
        "alpha": Number(0, 1),
        "rho": Number(0, 1),
        "eps": _POSITIVE,
        "lr_decay": _NOT_NEGATIVE,
        "momentum_decay": _NOT_NEGATIVE,
        "initial_accumulator_value": _NOT_NEGATIVE,
        "weight_decay": _NOT_NEGATIVE,
    }
)


def _solver(name: str, value: object) -> None:
    """Raise unless ``value`` names a solver, or is an optimiser whose options are right."""
    if type(value) in CLASSES.values():
        for option, number in vars(value).items():
            _OPTIONS[option](f"{name}.{option}", number)
        return
    known = (*OPTIMIZERS.names, "lbfgs")
    if not (isinstance(value, str) and value in known):
        raise ValueError(
            f"{name} must be one of {', '.join(known)}, or an object of fastmlp.optimizers; "
            f"got {brief(value)}."
        )


#: Random numbers are within sixteen times their spread, so that first weights stay finite.
MAX_SPREAD = sys.float_info.max / 16


def _spread(name: str, value: Any) -> None:
    _NOT_NEGATIVE(name, value)
    if value > MAX_SPREAD:
        raise ValueError(f"{name} must be at most {MAX_SPREAD:.2g}; got {brief(value)}.")


#: Parameter → what raises unless its value is right.
RULES: Mapping[str, Callable[[str, Any], None]] = MappingProxyType(
    {
        "label_smoothing": Number(0, 1),
        "focal_gamma": _NOT_NEGATIVE,
        "huber_delta": _POSITIVE,
        "smooth_l1_beta": _POSITIVE,
        "tweedie_power": Number(1, 2, closed="both"),
        "quantiles": _quantiles,
        "hidden_layer_sizes": OneOrEach(Number(1, integral=True)),
        "activation": OneOrEach(check_activation, kind="activation"),
        "solver": _solver,
        "alpha": _NOT_NEGATIVE,
        "l1": _NOT_NEGATIVE,
        "weight_decay": Number(0, also=(None,)),
        "max_norm": _BOUND,
        "input_noise": _NOT_NEGATIVE,
        "gradient_noise": _NOT_NEGATIVE,
        "gradient_noise_decay": _NOT_NEGATIVE,
        "clip_value": _BOUND,
        "clip_norm": _BOUND,
        "batch_size": Number(1, integral=True, also=("auto",)),
        "learning_rate": OneOf(POLICIES),
        "learning_rate_init": _POSITIVE,
        "power_t": _NOT_NEGATIVE,
        "max_iter": _COUNT,
        "shuffle": _flag,
        "random_state": _seed,
        "tol": _NOT_NEGATIVE,
        "verbose": _verbosity,
        "warm_start": _flag,
        "momentum": Number(0, 1, closed="both"),
        "nesterovs_momentum": _flag,
        "early_stopping": _flag,
        "validation_fraction": Number(0, 1),
        "beta_1": Number(0, 1),
        "beta_2": Number(0, 1),
        "epsilon": _POSITIVE,
        "n_iter_no_change": Number(1, integral=True, also=(np.inf,)),
        "max_fun": _COUNT,
        "dropout": OneOrEach(Number(0, 1)),
        "input_dropout": Number(0, 1),
        "normalization": OneOrEach(check_normalization, kind="name"),
        "n_groups": Number(1, integral=True, also=(None,)),
        "n_channels": Number(1, integral=True, also=(None,)),
        "batch_norm_momentum": Number(0, 1, closed="right"),
        "init": check_init,
        "init_std": _spread,
        "init_range": _spread,
        "dtype": _real_type,
        "backend": OneOf(tuple(BACKENDS)),
        "n_threads": Number(1, MAX_THREADS, closed="both", integral=True, also=(None,)),
        "callbacks": _callables,
    }
)


#: The same for ``loss``, which is not the same parameter in both estimators.
LOSS_RULES: Mapping[str, Callable[[str, Any], None]] = MappingProxyType(
    {"classifier": OneOf(tuple(CLASSIFIER_LOSSES)), "regressor": _regression_loss}
)


def check_parameters(parameters: Mapping[str, Any], task: str = "regressor") -> None:
    """Raise TypeError or ValueError, naming the parameter, unless all are right by themselves."""
    for name, value in parameters.items():
        rule = LOSS_RULES[task] if name == "loss" else RULES[name]
        rule(name, value)


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


def check_magnitudes(parameters: Mapping[str, Any], dtype: np.dtype) -> None:
    """Raise ValueError for a number that the network's real type can't hold."""
    limit, least = float(np.finfo(dtype).max), float(np.finfo(dtype).tiny)
    for name in _REAL_PARAMETERS:
        value = parameters.get(name)
        if value is not None and value > limit:
            raise ValueError(
                f"{name} must be at most {limit:.2g} for dtype {dtype.name}; got {value!r}."
            )
    solver = parameters.get("solver")
    for name, value in vars(solver).items() if isinstance(solver, Optimizer) else ():
        if np.max(value) > limit:
            raise ValueError(
                f"solver.{name} must be at most {limit:.2g} for dtype {dtype.name}; got {value!r}."
            )
    for name in _DIVISORS:
        if parameters.get(name, 1) < least:
            raise ValueError(
                f"{name} must be at least {least:.2g} for dtype {dtype.name}; "
                f"got {parameters[name]!r}."
            )


#: What L-BFGS cannot do → the value that leaves it out.
_OFF_FOR_LBFGS: Mapping[str, object] = MappingProxyType(
    {
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
    if parameters["solver"] == "lbfgs":
        for name, off in _OFF_FOR_LBFGS.items():
            if np.any(parameters[name]):
                raise ValueError(
                    f"solver='lbfgs' needs a smooth, fixed objective and its exact gradient: set "
                    f"{name}={off} (got {parameters[name]!r}) or take another solver."
                )


def check_stochastic(solver: object) -> None:
    """Raise AttributeError, as for any missing method, if ``solver`` knows no mini-batches."""
    if solver == "lbfgs":
        raise AttributeError("partial_fit needs a solver that learns by mini-batches, not 'lbfgs'.")


def _n_parameters(layer_sizes: Sequence[int]) -> int:
    return sum(i * o + o for i, o in pairwise(layer_sizes))


def check_layer_sizes(layer_sizes: Sequence[int]) -> None:
    """Raise ValueError if a network of these widths has more parameters than can be addressed."""
    count = _n_parameters(layer_sizes)
    if count > MAX_PARAMETERS:
        raise ValueError(
            f"hidden_layer_sizes gives a network of {count:.3g} parameters between {layer_sizes[0]}"
            f" inputs and {layer_sizes[-1]} outputs; at most {MAX_PARAMETERS:.3g} are possible."
        )


@contextmanager
def naming_network(layer_sizes: Sequence[int]) -> Iterator[None]:
    """Name the parameter to blame when memory for a new network cannot be had."""
    with blaming(
        f"hidden_layer_sizes={tuple(layer_sizes[1:-1])} makes a network of "
        f"{_n_parameters(layer_sizes):.3g} parameters"
    ):
        yield


def check_same_network(present: Sequence[int], wanted: Sequence[int]) -> None:
    """Raise ValueError if a fit that goes on from an earlier one asks for other layer widths."""
    if list(present[1:-1]) != list(wanted[1:-1]):
        raise ValueError(
            f"hidden_layer_sizes is now {tuple(wanted[1:-1])}, but the network that warm_start or "
            f"partial_fit goes on with has {tuple(present[1:-1])}."
        )
    if present[-1] != wanted[-1]:
        raise ValueError(
            f"y asks for {wanted[-1]} outputs, but the network that warm_start or partial_fit goes "
            f"on with has {present[-1]}."
        )
