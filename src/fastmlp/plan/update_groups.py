"""The rates at which a network's arrays learn: factors from the user and from a parametrisation."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

from fastmlp.names import Names
from fastmlp.optimizers import Optimizer
from fastmlp.plan.layout import Plan
from fastmlp.plan.records import ALPHAS, BIASES, GAINS, GROUP_DTYPE, SHIFTS, WEIGHTS, rows_of

__all__ = ["PARAMETRIZATIONS", "PARTS", "with_factors"]

#: Kinds of arrays that a factor of the learning rate may be for.
_KINDS: Mapping[str, tuple[int, ...]] = MappingProxyType(
    {
        "weights": (WEIGHTS,),
        "biases": (BIASES,),
        "norms": (GAINS, SHIFTS),
        "activations": (ALPHAS,),
    }
)
_OF_LAYERS = [kind for kinds in _KINDS.values() for kind in kinds]

#: All that a factor of the learning rate may be for.
PARTS = (*_KINDS, "first_layer", "last_layer")

#: Names of what the weights W (I, O) of a layer stand for: themselves, or W' / √I.
PARAMETRIZATIONS: Names[str] = Names([("standard", "standard", ()), ("ntk", "ntk", ())])


def with_factors(
    plan: Plan,
    learning_rate_factors: Mapping[str, float] | None,
    parametrization: str,
    optimizer: Optimizer,
) -> Plan:
    """Return the same network with the groups that these factors make.

    Parameters
    ----------
    plan : Plan
        Factors of its groups are multiplied.
    learning_rate_factors : mapping of str to float, or None
        Factors by names in ``PARTS``; an array has the product of those that concern it.
    parametrization : str
        Name in ``PARAMETRIZATIONS``.
    optimizer : Optimizer
        What the factors of a parametrisation depend on.
    """
    if not learning_rate_factors and parametrization == "standard":
        return plan
    rows = []
    for slot in rows_of(plan.trained_slots):
        factors = np.array(plan.groups[slot["group"]].tolist())
        factors[0] *= _factor_of(plan, slot, learning_rate_factors or {})
        if parametrization == "ntk" and slot["kind"] == WEIGHTS:
            factors *= _neural_tangent_factors(int(plan.layers["fan_in"][slot["layer"]]), optimizer)
        rows.append(tuple(factors.tolist()))
    groups = list(dict.fromkeys([*map(tuple, plan.groups.tolist()), *rows]))
    return plan.grouped(groups, [groups.index(row) for row in rows])


def _factor_of(plan: Plan, slot: Mapping[str, int], given: Mapping[str, float]) -> float:
    """Return the product of the factors that concern a slot."""
    kind, layer = slot["kind"], slot["layer"]
    concerned = [name for name, kinds in _KINDS.items() if kind in kinds]
    if kind in _OF_LAYERS and layer == 0:
        concerned.append("first_layer")
    if kind in _OF_LAYERS and layer == len(plan.layers) - 1:
        concerned.append("last_layer")
    factor = 1.0
    for name in concerned:
        factor *= given.get(name, 1.0)
    return factor


def _neural_tangent_factors(fan_in: int, optimizer: Optimizer) -> tuple[float, ...]:
    """Return the factors of W = s W', s = 1/√I, by which W moves as if W' were trained.

    ∂L/∂W' = s ∂L/∂W, so with a step that goes by the p-th power of the gradient's scale, W moves by
    s · s^p of its own step. Shrinking W' shrinks W alike. Σ W'² is Σ W² / s², and Σ|W'| is
    Σ|W| / s.
    """
    s = fan_in**-0.5
    rate = s ** (1 + optimizer.power_of_gradient)
    decay = 1 / s if optimizer.has_trust_ratio else 1 / rate  # there it is a part of the direction
    factors = {"learning_rate": rate, "l1": 1 / s, "l2": 1 / s**2, "weight_decay": decay}
    names = GROUP_DTYPE.names
    assert names is not None
    return tuple(factors[name] for name in names)
