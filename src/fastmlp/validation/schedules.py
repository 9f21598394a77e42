"""Checks of schedules, and of the numbers that they give."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np

from fastmlp.options import Options, by_object
from fastmlp.plan.description import DROPOUT_LEVELS
from fastmlp.plan.layout import dropout_threshold
from fastmlp.schedules import CLASSES, SCHEDULES, Clock, Scaled, Schedule, WarmUp
from fastmlp.schedules.schedule import Function
from fastmlp.validation.rules import Number, Rule, own_number
from fastmlp.validation.wording import brief, unknown_name

__all__ = [
    "Schedulable",
    "changed_options",
    "check_dropouts",
    "check_learning_rate",
    "check_scheduled",
    "check_values",
    "small_factors",
]

_POSITIVE = Number(0, closed="neither")
_NOT_NEGATIVE = Number(0)
_COUNT = Number(1, integral=True)
_COUNT_OR_NONE = Number(0, integral=True)


@dataclass(frozen=True)
class _Word:
    """One of some words, written exactly so."""

    words: tuple[str, ...]

    def __call__(self, name: str, value: Any) -> str:
        if not isinstance(value, str) or value not in self.words:
            raise ValueError(f"{name} must be one of {', '.join(self.words)}; got {brief(value)}.")
        return value


def _is_number(value: Any) -> bool:
    """Return whether a value is a number of any library, but no bool."""
    own = own_number(value)
    return isinstance(own, (int, float)) and not isinstance(own, bool)


def _schedule(name: str, value: Any) -> Schedule:
    """Return a schedule whose options are right, also for a function; raise if it is neither."""
    if isinstance(value, Schedule):
        if type(value) is Schedule:
            raise TypeError(
                f"{name} must be one of the schedules, such as Cosine(); Schedule itself is only "
                "their base class and gives no numbers."
            )
        if type(value) not in CLASSES.values():
            return value  # the user's own, which checks itself
        if type(value) is WarmUp and _is_number(value.schedule):
            raise TypeError(
                f"{name}.schedule must be an object of fastmlp.schedules or a function; got "
                f"{brief(value.schedule)}: write WarmUp(total_iters={brief(value.schedule)})."
            )
        options = {
            option: _OPTIONS[option](f"{name}.{option}", number)
            for option, number in vars(value).items()
        }
        return type(value)(**options)
    if isinstance(value, type) and issubclass(value, Schedule):
        raise TypeError(f"{name} must be an object, not a class: write {value.__name__}().")
    if not callable(value) or isinstance(value, type):
        raise TypeError(
            f"{name} must be an object of fastmlp.schedules or a function; got {brief(value)}."
        )
    return Function(value if isinstance(value, _Checked) else _Checked(name, value))


#: Rules of the options of schedules.
_OPTIONS: Mapping[str, Rule] = MappingProxyType(
    {
        "base": _NOT_NEGATIVE,
        "schedule": _schedule,
        "function": lambda name, value: value,
        "power_t": _NOT_NEGATIVE,
        "divisor": Number(1, closed="neither"),
        "min_lr": _NOT_NEGATIVE,
        "step_size": _COUNT,
        "gamma": _POSITIVE,
        "total_iters": Number(0, closed="neither", also=(None,)),
        "power": _NOT_NEGATIVE,
        "T_0": Number(0, closed="neither", also=(None,)),
        "T_mult": _COUNT,
        "eta_min": _NOT_NEGATIVE,
        "pct_start": Number(0, 1, closed="neither"),
        "div_factor": Number(1),
        "final_div_factor": Number(1),
        "anneal_strategy": _Word(("cos", "linear")),
        "n_cycles": Number(1, 64, closed="both", integral=True),
        "start_factor": Number(0, 1, closed="both"),
        "factor": Number(0, 1, closed="neither"),
        "patience": _COUNT_OR_NONE,
        "threshold": _NOT_NEGATIVE,
        "threshold_mode": _Word(("rel", "abs")),
        "cooldown": _COUNT_OR_NONE,
    }
)


@dataclass(frozen=True)
class _Checked:
    """A function of the user's whose factors are looked at."""

    name: str
    function: Callable[[Clock], Any]
    largest: list[float] = field(default_factory=lambda: [0.0], compare=False, repr=False)

    def __call__(self, clock: Clock) -> float:
        what = f"What {self.name} returns for {clock}"
        factor = float(_NOT_NEGATIVE(what, self.function(clock)))
        self.largest[0] = max(self.largest[0], factor)
        return factor


#: Factors of a learning rate that are all below this were probably meant to be rates.
SMALL_FACTOR = 0.1


def small_factors(learning_rate: Any, rate: float) -> str | None:
    """Return what to warn of when a function has given rates, and not factors of ``rate``."""
    function = getattr(learning_rate, "function", None)
    if not isinstance(function, _Checked) or not 0 < function.largest[0] < SMALL_FACTOR:
        return None
    largest = function.largest[0]
    return (
        f"learning_rate returns factors of learning_rate_init={rate:g}, but they were never above "
        f"{largest:.3g}, so no step was larger than {largest * rate:.3g}. If it returns learning "
        "rates, set learning_rate_init=1.0."
    )


def check_learning_rate(name: str, value: Any) -> str | Schedule:
    """Return the name of a schedule, or a schedule, also for a function; raise if it is neither."""
    if isinstance(value, Scaled):
        raise TypeError(
            f"{name} takes a factor: write learning_rate_init={brief(value.base)}, "
            f"learning_rate={brief(value.schedule)}."
        )
    if isinstance(value, Schedule) or callable(value):
        return _schedule(name, value)
    if _is_number(value):
        raise TypeError(
            f"{name} must be a schedule or the name of one. For a number, write "
            f"learning_rate_init={brief(value)}."
        )
    if value not in SCHEDULES:
        raise unknown_name(name, value, SCHEDULES, ", an object of fastmlp.schedules or a function")
    return SCHEDULES.name_of(value)


@dataclass(frozen=True)
class Schedulable:
    """A number, or such a number times a schedule."""

    rule: Rule
    of_base: Rule | None = None  #: of the number in a product, where it is another

    def __call__(self, name: str, value: Any) -> Any:
        """Return the number, or the product; raise unless it is right."""
        if not isinstance(value, Schedule):
            return self.rule(name, value)
        if not isinstance(value, Scaled):
            raise TypeError(
                f"{name} needs a number for the schedule to change: write "
                f"{name.rpartition('.')[2]}=0.1 * {brief(value)}."
            )
        schedule = _schedule(name, value.schedule)
        if schedule.answers_stalls:
            raise ValueError(f"{name} can't be adaptive; only learning_rate can be.")
        rule = self.of_base or self.rule
        return Scaled(rule(f"{name}.base", value.base), schedule)


def check_scheduled(name: str, value: Any, incremental: bool) -> None:
    """Raise ValueError for a partial fit's schedule that runs over a whole fit."""
    if incremental and isinstance(value, Schedule) and value.spans_fit:
        raise ValueError(
            f"partial_fit has no end, but {name}={brief(value)} runs over a whole fit: give it a "
            "length in epochs (T_0 of Cosine, total_iters of Polynomial), or choose a schedule "
            "that needs none, such as Step or Exponential."
        )


def check_values(name: str, values: Any, largest: float) -> None:
    """Raise ValueError unless all ``values`` (n,) of a schedule are from 0 to ``largest``."""
    wrong = np.ravel(values)[~((np.ravel(values) >= 0) & (np.ravel(values) <= largest))]
    if wrong.size > 0:
        raise ValueError(
            f"{name} must stay between 0 and {largest:.6g}; its schedule makes it "
            f"{brief(float(wrong[0]))}."
        )


def check_dropouts(values: Any, base: float, input_dropout: float) -> None:
    """Raise ValueError if ``values`` (n,) of dropout are too large, or no multiple of ``base``.

    ``input_dropout`` is multiplied by the same factor, and has to stay below 1 as well.
    """
    largest = float(np.max(values))
    if dropout_threshold(base) == 0 and largest > base:  # no factor makes anything of 0
        raise ValueError(
            f"dropout.base must be above 1/{DROPOUT_LEVELS}, since its schedule makes dropout "
            f"{brief(largest)}."
        )
    if largest * input_dropout > 0 and largest / base * input_dropout >= 1:
        raise ValueError(
            f"input_dropout={brief(input_dropout)} must stay below 1, but the schedule of dropout, "
            f"whose factor applies to it too, makes it {brief(largest / base * input_dropout)}."
        )


def changed_options(model: str, name: str, value: Any, options: Mapping[str, Any]) -> Any:
    """Return a parameter's object with other options; raise unless it has them.

    ``model`` is the name of the estimator's class.
    """
    if not isinstance(value, Options):
        raise ValueError(
            f"{name}__{next(iter(options))} is not a parameter of {model} while {name} is "
            f"{brief(value)}, which has no options: make it an object of fastmlp.optimizers, "
            "fastmlp.schedules or fastmlp.averaging first."
        )
    known = value.get_params(deep=False)
    own, inner = by_object(options, known)
    for option in own:
        if option not in known:
            raise ValueError(
                f"{name}__{option} is not a parameter of {model}: {brief(value)} has "
                f"{', '.join(known) or 'no options'}."
            )
    changed = value.set_params(**own)
    for option, new in inner.items():
        within = changed_options(model, f"{name}__{option}", getattr(changed, option), new)
        changed = changed.set_params(**{option: within})
    return changed
