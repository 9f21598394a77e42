"""Checks of networks that are trained together, as members of one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fastmlp.plan.description import MAX_PARAMETERS
from fastmlp.plan.members import MEMBERS, Members
from fastmlp.validation.wording import brief

__all__ = ["check_members", "check_same_members"]


def check_members(parameters: Mapping[str, Any], layer_sizes: Sequence[int]) -> None:
    """Raise ValueError unless the members that are asked for can be made."""
    n_members = parameters["n_members"]
    if n_members == 1:
        return
    if n_members * sum(layer_sizes) * max(layer_sizes) > MAX_PARAMETERS:
        raise ValueError(
            f"n_members={brief(n_members)} networks of hidden_layer_sizes="
            f"{brief(tuple(layer_sizes[1:-1]))} have more parameters than fastmlp can address."
        )
    if isinstance(parameters["init"], str) and parameters["init"] == "data_driven":
        raise ValueError(
            "init='data_driven' needs n_members=1: choose another init for several members."
        )
    normalization = parameters["normalization"]
    names = [normalization] if isinstance(normalization, str) else normalization or ()
    if MEMBERS[parameters["members"]] and any(name != "none" for name in names):
        raise ValueError(
            f"normalization={brief(normalization)} needs members='tabm-mini', whose hidden layers "
            "are shared; for members='independent' set normalization=None."
        )


def check_same_members(present: Members, wanted: Members) -> None:
    """Raise ValueError if a fit that goes on from an earlier one asks for other members."""
    if present.n_members != wanted.n_members:
        raise ValueError(
            f"n_members is now {wanted.n_members}, but the network that warm_start or partial_fit "
            f"continues has {present.n_members}."
        )
    if present != wanted:
        raise ValueError(
            "members or scaling_layer differs from that of the network that warm_start or "
            "partial_fit continues."
        )
