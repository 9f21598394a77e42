"""Checks of the normalisation of hidden layers, against their widths and the rows of a batch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from fastmlp.names import Names
from fastmlp.registry import NORMALIZATIONS
from fastmlp.validation.wording import brief, unknown_name

__all__ = [
    "NORMALIZATION_NAMES",
    "check_normalization",
    "check_normalizations",
    "check_rows_for_batch_norm",
    "check_same_groups",
    "check_same_normalizations",
    "each_normalization",
]

#: What ``normalization`` may be besides None, in which the registry's "none" is written.
NORMALIZATION_NAMES = Names(
    (row.name, row.name, row.aliases) for row in NORMALIZATIONS if row.name != "none"
)


def check_normalization(name: str, value: Any) -> str | None:
    """Return None or the name of a normalisation; raise ValueError unless ``value`` is one."""
    if value is None:
        return None
    if value not in NORMALIZATION_NAMES:
        raise unknown_name(name, value, NORMALIZATION_NAMES, ", or None")
    return NORMALIZATION_NAMES[value]


def each_normalization(value: Any, n_hidden: int) -> list[str]:
    """Return the name in the registry for each hidden layer, from a checked parameter."""
    if value is None:
        return ["none"] * n_hidden
    entries = np.broadcast_to(np.asarray(value, dtype=object), n_hidden)
    return ["none" if entry is None else NORMALIZATIONS[entry].name for entry in entries]


def check_normalizations(parameters: Mapping[str, Any], widths: Sequence[int]) -> None:
    """Raise ValueError for a normalisation that the widths of the hidden layers rule out."""
    names = each_normalization(parameters["normalization"], len(widths))
    n_groups, n_channels = parameters["n_groups"], parameters["n_channels"]
    for name, width in zip(names, widths, strict=True):
        if name in ("instance", "group"):
            _check_channels(n_channels, width)
        if name == "layer" and width == 1:
            raise ValueError("normalization='layer' needs two units or more in each hidden layer.")
        if name == "instance":
            _check_positions(n_channels, width)
        if name == "group":
            _check_groups(n_groups, n_channels or width, width)
    if "batch" in names and parameters["solver"] != "lbfgs" and parameters["batch_size"] == 1:
        raise ValueError(
            "normalization='batch' needs two rows or more in a batch; got batch_size=1."
        )


def _check_channels(n_channels: int | None, width: int) -> None:
    if n_channels is not None and width % n_channels:
        raise ValueError(
            f"n_channels={brief(n_channels)} must divide the width of each hidden layer with "
            f"instance or group norm; got a layer of {width} units."
        )


def _check_positions(n_channels: int | None, width: int) -> None:
    if n_channels in (None, width):
        raise ValueError(
            f"normalization='instance' needs more than one position in a channel: set n_channels "
            f"below the layer's {width} units (got {brief(n_channels)})."
        )


def _check_groups(n_groups: int | None, n_channels: int, width: int) -> None:
    if n_groups is None:
        raise ValueError("normalization='group' needs n_groups; got None.")
    if n_channels % n_groups:
        raise ValueError(
            f"n_groups={brief(n_groups)} must divide the number of channels, which is {n_channels} "
            f"in a layer of {width} units."
        )
    if n_groups == width:
        raise ValueError(
            f"n_groups={brief(n_groups)} leaves one unit in each group of a layer of {width} units."
        )


def check_rows_for_batch_norm(
    normalization: Any, n_rows: int, sample_weight: np.ndarray | None
) -> None:
    """Raise ValueError if batch norm would have a single row of positive weight to train on.

    ``normalization`` is the parameter or a sequence of names, ``sample_weight`` is (n_rows,).
    """
    n_hidden = 1 if isinstance(normalization, (str, type(None))) else len(normalization)
    if "batch" not in each_normalization(normalization, n_hidden):
        return
    if n_rows == 1:
        raise ValueError("normalization='batch' needs two rows or more to train on; n_samples=1.")
    if sample_weight is not None and np.count_nonzero(sample_weight) == 1:
        raise ValueError(
            "normalization='batch' needs two rows or more to train on; sample_weight leaves one."
        )


def check_same_normalizations(present: Sequence[str], wanted: Sequence[str]) -> None:
    """Raise ValueError if a fit that goes on from an earlier one asks for other normalisations."""
    if list(present) != list(wanted):
        raise ValueError(
            f"normalization is now {', '.join(wanted)}, but the network that warm_start or "
            f"partial_fit continues has {', '.join(present)} in its hidden layers."
        )


def check_same_groups(
    normalizations: Sequence[str], present: Sequence[int], wanted: Sequence[int]
) -> None:
    """Raise ValueError if a fit that goes on would take other units of a row together."""
    for name, before, now in zip(normalizations, present, wanted, strict=True):
        if before != now:
            parameter = "n_groups" if name == "group" else "n_channels"
            raise ValueError(
                f"{parameter} is now {now}, but the network that warm_start or partial_fit "
                f"continues has {before} in a hidden layer with {name} norm."
            )
