"""What to blame when there is not enough memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from fastmlp.validation.parameters import n_parameters
from fastmlp.validation.words import count_of, shown

__all__ = ["naming_rows", "naming_training"]

#: Vectors as long as the parameters that a fit keeps, and values that it keeps for a unit and row
#: of a batch: roughly, as they only decide which of two parameters is to blame.
VECTORS, VECTORS_OF_LBFGS, VALUES_A_UNIT = 4, 50, 3

#: Rows that ``batch_size="auto"`` takes at most, as far as this matters here.
AUTO_BATCH = 200


@contextmanager
def naming_training(
    parameters: Mapping[str, Any], layer_sizes: Sequence[int], n_rows: int
) -> Iterator[None]:
    """Name the parameter to blame when memory for a network, or for training it, cannot be had."""
    try:
        yield
    except MemoryError as error:
        raise MemoryError(_cause(parameters, layer_sizes, n_rows)) from error


def _cause(parameters: Mapping[str, Any], layer_sizes: Sequence[int], n_rows: int) -> str:
    by_lbfgs, batch_size = parameters["solver"] == "lbfgs", parameters["batch_size"]
    n_at_once = n_rows
    if not by_lbfgs:
        n_at_once = min(n_rows, AUTO_BATCH if batch_size == "auto" else batch_size)
    network = n_parameters(layer_sizes) * (VECTORS_OF_LBFGS if by_lbfgs else VECTORS)
    sizes = f"hidden_layer_sizes={shown(tuple(layer_sizes[1:-1]))}"
    if network >= n_at_once * sum(layer_sizes) * VALUES_A_UNIT:
        count = count_of(n_parameters(layer_sizes))
        return (
            f"{sizes} makes a network of {count} parameters, for which there is not enough memory."
        )
    if by_lbfgs:
        return (
            f"solver='lbfgs' takes all {n_rows} rows at once, for which there is not enough memory "
            f"with {sizes}: take another solver."
        )
    return f"batch_size={shown(batch_size)} needs more memory than there is with {sizes}: lower it."


@contextmanager
def naming_rows(n_rows: int) -> Iterator[None]:
    """Name X when memory for what a network makes of so many rows cannot be had."""
    try:
        yield
    except MemoryError as error:
        raise MemoryError(
            f"X has {n_rows} rows, for whose outputs there is not enough memory: pass fewer rows "
            "at a time."
        ) from error
