"""Names the argument to blame when there is not enough memory."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import numpy as np

from fastmlp.optimizers import CLASSES
from fastmlp.plan.members import MEMBERS
from fastmlp.validation.normalizations import each_normalization
from fastmlp.validation.parameters import largest_batch, n_parameters
from fastmlp.validation.wording import brief, count_of

__all__ = ["blaming", "check_memory", "naming_rows", "naming_training"]

#: How many vectors as long as the parameters a fit keeps, and how many values for each unit and row
#: of a batch. Both are rough, since they only decide which of two parameters is to blame.
VECTORS, VECTORS_OF_LBFGS, VALUES_A_UNIT = 4, 50, 3

#: About how many rows L-BFGS takes at once in a wide network, unless batch norm needs all of them.
BLOCK_OF_LBFGS = 512


@contextmanager
def _saying(text: Callable[[], str], also: type[Exception] = MemoryError) -> Iterator[None]:
    """Turn a MemoryError, or an error ``also``, into a MemoryError with a ``text``."""
    try:
        yield
    except (MemoryError, also) as error:
        raise MemoryError(text()) from error


def blaming(what: str) -> AbstractContextManager[None]:
    """Say in a MemoryError what asked for the memory, such as "fan_in=5 makes 10 weights".

    Where Python cannot even count the bytes, OverflowError becomes MemoryError.
    """
    return _saying(lambda: f"{what}, for which there is not enough memory.", OverflowError)


def naming_training(
    parameters: Mapping[str, Any], layer_sizes: Sequence[int], n_rows: int
) -> AbstractContextManager[None]:
    """Name the parameter to blame when memory for a network, or for training it, cannot be had."""
    return _saying(lambda: _cause(parameters, layer_sizes, n_rows))


def naming_rows(n_rows: int) -> AbstractContextManager[None]:
    """Name X when memory for what a network makes of so many rows cannot be had."""
    return _saying(
        lambda: (
            f"There is not enough memory for the outputs of the {n_rows} rows of X: pass fewer "
            "rows at a time."
        )
    )


#: The system is not asked about a network that needs less: where that can't be had, nothing can.
SMALL = 2**28


def check_memory(
    parameters: Mapping[str, Any], layer_sizes: Sequence[int], n_of_columns: int, dtype: np.dtype
) -> None:
    """Raise MemoryError if what is laid out for training is more than there is.

    Systems that promise more memory than they have end the process instead. Counted are the
    parameters, ``n_of_columns`` of which are those of embeddings, their gradient and what the
    solver remembers, and nothing that depends on rows.
    """
    solver, of_layers = parameters["solver"], n_parameters(layer_sizes) * _own_networks(parameters)
    rule = CLASSES.get(solver) if isinstance(solver, str) else solver
    vectors = 2 + len(() if rule is None else rule.moments)
    needed = (of_layers + n_of_columns) * dtype.itemsize * vectors
    available = available_memory() if needed > SMALL else None
    if available is not None and needed > available:
        makes = (
            f"hidden_layer_sizes={brief(tuple(layer_sizes[1:-1]))} makes a network of "
            f"{count_of(of_layers)} parameters with the {layer_sizes[0]} columns of X"
            if of_layers > n_of_columns
            else f"categorical_features has levels of {count_of(n_of_columns)} parameters"
        )
        raise MemoryError(
            f"{makes}, for which there is not enough memory: training takes "
            f"{needed / 2**30:.3g} GiB, and {available / 2**30:.3g} GiB are available."
        )


def _own_networks(parameters: Mapping[str, Any]) -> int:
    """Return how often the network's parameters are there: once, or for each member."""
    n_members: int = parameters["n_members"]
    return n_members if n_members > 1 and MEMBERS[parameters["members"]] else 1


def available_memory() -> int | None:
    """Return how many bytes can still be had; None where the system does not tell."""
    try:
        with open("/proc/meminfo", encoding="ascii") as lines:  # of Linux
            sizes = dict(line.split(":", 1) for line in lines)
        return sum(int(sizes[name].split()[0]) * 1024 for name in ("MemAvailable", "SwapFree"))
    except (OSError, KeyError, ValueError):
        pass
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, OSError, ValueError):
        return None


def _cause(parameters: Mapping[str, Any], layer_sizes: Sequence[int], n_rows: int) -> str:
    by_lbfgs, batch_size = parameters["solver"] == "lbfgs", parameters["batch_size"]
    norms = each_normalization(parameters["normalization"], len(layer_sizes) - 2)
    by_block = by_lbfgs and "batch" not in norms
    most = BLOCK_OF_LBFGS if by_block else n_rows if by_lbfgs else largest_batch(parameters)
    n_at_once = min(n_rows, most) * parameters["n_members"]
    network = n_parameters(layer_sizes) * (VECTORS_OF_LBFGS if by_lbfgs else VECTORS)
    network *= _own_networks(parameters)
    sizes = f"hidden_layer_sizes={brief(tuple(layer_sizes[1:-1]))}"
    if network >= n_at_once * sum(layer_sizes) * VALUES_A_UNIT:
        count = count_of(n_parameters(layer_sizes))
        return (
            f"{sizes} makes a network of {count} parameters, for which there is not enough memory."
        )
    if by_lbfgs:
        rows = f"{min(n_rows, most)} rows" if by_block else f"all {n_rows} rows"
        return (
            f"solver='lbfgs' takes {rows} at once, for which there is not enough memory with "
            f"{sizes}: choose another solver."
        )
    if parameters["n_members"] > 1:
        sizes = f"{sizes} and n_members={parameters['n_members']}"
    return f"batch_size={brief(batch_size)} needs more memory than there is with {sizes}: lower it."
