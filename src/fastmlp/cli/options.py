"""Types of options that stand for an estimator's parameters: they take what its rule takes."""

from __future__ import annotations

import math
from typing import Any

import click
import numpy as np

from fastmlp.validation.parameter_table import BY_TASK
from fastmlp.validation.rules import MAX_SEED, Number, OneOrEach, Verbatim
from fastmlp.validation.schedules import Schedulable
from fastmlp.validation.wording import brief

__all__ = ["FiniteRange", "Widths", "default_of", "seed_option", "threads_option", "type_of"]


class FiniteRange(click.FloatRange):
    """A range of numbers, to which NaN does not belong, although it is never outside of one."""

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Return a number of the range."""
        number = float(super().convert(value, param, ctx))
        if math.isnan(number):
            self.fail(f"nan is not in the range {self._describe_range()}.", param, ctx)
        return number


class Widths(click.ParamType):
    """Widths of the hidden layers, such as 256,128."""

    name = "widths"

    def convert(
        self,
        value: str | tuple[int, ...],
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> tuple[int, ...]:
        """Return the widths that a text names."""
        if isinstance(value, tuple):
            return value
        try:
            widths = tuple(int(width) for width in value.split(","))
        except ValueError:
            widths = ()
        if not widths or min(widths) < 1:
            self.fail(
                f"{brief(value)} is not a list of whole numbers >= 1, such as 256,128", param, ctx
            )
        return widths


def type_of(name: str) -> click.ParamType:
    """Return the type of an option that takes one value of the classifier's parameter ``name``."""
    rule = BY_TASK["classifier"][name].rule
    while isinstance(rule, (OneOrEach, Schedulable)):
        rule = rule.rule
    if isinstance(rule, Verbatim):
        return click.Choice(rule.names)
    assert isinstance(rule, Number)
    if rule.integral:
        return click.IntRange(int(rule.low), int(rule.high) if np.isfinite(rule.high) else None)
    return FiniteRange(
        rule.low,
        rule.high,
        min_open=rule.closed in ("right", "neither"),
        max_open=rule.closed in ("left", "neither"),
    )


def default_of(name: str) -> Any:
    """Return the default of the classifier's parameter ``name``."""
    return BY_TASK["classifier"][name].default


seed_option = click.option(
    "--seed",
    type=click.IntRange(0, MAX_SEED),
    metavar="NUMBER",
    default=0,
    help="Where random numbers start: the same seed gives the same result.",
)
threads_option = click.option(
    "--threads",
    type=type_of("n_threads"),
    metavar="NUMBER",
    help="How many threads compute.  [default: all cores]",
)
