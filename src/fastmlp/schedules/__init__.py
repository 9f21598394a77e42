"""Schedules say how a number, such as the learning rate, changes from update to update.

``learning_rate=`` takes a schedule, or the name of one, and ``learning_rate_init`` is the number
that it changes. ``weight_decay``, ``momentum``, ``dropout`` and ``label_smoothing`` take the
product of a number and a schedule, such as ``dropout=0.15 * FlatCosine()``. Options have the names
and the meaning that they have in PyTorch, if it has them. Times are in epochs, or they are a share
of the whole fit, which is ``max_iter`` epochs long. The number is computed for each update, at the
time when the update begins.

A schedule can also be a function. It is called with a :class:`Clock` before each update, and
returns the factor by which the number is multiplied.

A partial fit counts as one epoch. A stream of partial fits has no end, so it refuses schedules that
run over a whole fit.
"""

from __future__ import annotations

from collections.abc import Mapping

from fastmlp.names import Names
from fastmlp.schedules.by_epoch import Adaptive, Constant, InverseScaling, ReduceOnPlateau
from fastmlp.schedules.curves import (
    Cosine,
    CosineLog,
    Exponential,
    FlatCosine,
    OneCycle,
    Polynomial,
    Step,
)
from fastmlp.schedules.schedule import Clock, Scaled, Schedule
from fastmlp.schedules.warm_up import WarmUp

__all__ = [
    "Adaptive",
    "Clock",
    "Constant",
    "Cosine",
    "CosineLog",
    "Exponential",
    "FlatCosine",
    "InverseScaling",
    "OneCycle",
    "Polynomial",
    "ReduceOnPlateau",
    "Scaled",
    "Schedule",
    "Step",
    "WarmUp",
]

#: Classes by their names as ``learning_rate``. The first three are scikit-learn's, for "sgd" only.
SCHEDULES: Names[type[Schedule]] = Names(
    [
        ("constant", Constant, ()),
        ("invscaling", InverseScaling, ()),
        ("adaptive", Adaptive, ()),
        ("step", Step, ("step_lr",)),
        ("exponential", Exponential, ("exponential_lr",)),
        ("polynomial", Polynomial, ("polynomial_lr",)),
        ("cosine", Cosine, ("cosine_annealing", "cosine_annealing_lr")),
        ("one_cycle", OneCycle, ("one_cycle_lr",)),
        ("warm_up", WarmUp, ()),
        ("flat_cosine", FlatCosine, ("flat_cos",)),
        ("cosine_log", CosineLog, ("coslog", "coslog4")),
        ("reduce_on_plateau", ReduceOnPlateau, ("reduce_lr_on_plateau",)),
    ]
)

#: Names that scikit-learn has, and that other solvers than "sgd" ignore.
OF_SCIKIT_LEARN = ("constant", "invscaling", "adaptive")

CLASSES: Mapping[str, type[Schedule]] = {**SCHEDULES, "scaled": Scaled}


def named_schedule(name: str, power_t: float) -> Schedule:
    """Return the schedule of a name; ``power_t`` is the estimators' parameter."""
    return InverseScaling(power_t) if name == "invscaling" else SCHEDULES[name]()


def __dir__() -> list[str]:
    """Return the public names."""
    return sorted(__all__)
