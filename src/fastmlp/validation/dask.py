"""Rows that lie on many machines: collections of Dask's, their parts, and fits of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isnan
from numbers import Integral
from typing import Any

from fastmlp.schedules import Scaled
from fastmlp.validation.export import check_library
from fastmlp.validation.wording import a_kind_of, brief, one_line

__all__ = [
    "check_alike_on_workers",
    "check_can_be_distributed",
    "check_client",
    "check_columns_of_frame",
    "check_dask",
    "check_delayed_rows",
    "check_distributed_parameters",
    "check_matrix_of_blocks",
    "check_no_more_given",
    "check_number_of_parts",
    "check_part_unchanged",
    "check_readable_by_workers",
    "check_rows_of_collection",
    "check_rows_on_workers",
    "check_scored_by_parts",
    "raise_no_partial_fit",
    "raise_not_distributed",
]

#: How workers may tell each other what they have learnt.
EXCHANGES = ("auto", "synchronous", "local")


def check_dask() -> None:
    """Raise ImportError unless Dask and its distributed scheduler are installed."""
    for name in ("dask", "distributed"):
        check_library(name, "Learning on many machines", "dask")


def check_client(client: Any, found: Any, kind: Any) -> None:
    """Raise unless a fit has a client: the one it was given, else the one that was ``found``."""
    if client is not None and not isinstance(client, kind):
        raise TypeError(
            f"client must be a dask.distributed.Client; got {a_kind_of(client)}: "
            "Client(LocalCluster()) makes one on this machine."
        )
    if client is None and found is None:
        raise ValueError(
            "There is no Dask client: make one with dask.distributed.Client(...), and pass it as "
            "client= unless it is the only one."
        )
    chosen = client if client is not None else found
    if chosen.asynchronous:
        raise ValueError("client is asynchronous, but fit waits: pass a synchronous client.")
    if chosen.status != "running":
        raise ValueError(f"client is {chosen.status}: pass one that is connected to a scheduler.")


def check_distributed_parameters(exchange: Any, n_shards: Any, local_steps: Any) -> None:
    """Raise unless the parameters of learning on many machines are valid."""
    if not isinstance(exchange, str) or exchange not in EXCHANGES:
        error = ValueError if isinstance(exchange, str) else TypeError
        raise error(f"exchange must be one of {', '.join(EXCHANGES)}; got {brief(exchange)}.")
    numbers = (("n_shards", n_shards, None, "None"), ("local_steps", local_steps, "auto", "'auto'"))
    for name, value, other, shown in numbers:
        if value is None if other is None else isinstance(value, str) and value == other:
            continue
        whole = isinstance(value, Integral) and not isinstance(value, bool)
        if not whole or value < 1:
            error = ValueError if whole else TypeError
            raise error(f"{name} must be a whole number from 1 up, or {shown}; got {brief(value)}.")


def raise_not_distributed(name: str, value: Any, owner: str, sibling: str) -> None:
    """Raise TypeError for rows that are not on workers."""
    if value is None:
        raise TypeError(f"{name} is missing: {owner} needs it in the form that X has.")
    raise TypeError(
        f"{name} must be a dask array or data frame, a source or path of Parquet files, or a list "
        f"of delayed parts; got {a_kind_of(value)}: {sibling} learns from data in memory."
    )


def check_alike_on_workers(name: str, value: Any, kind_of_x: str) -> None:
    """Raise TypeError for a ``value`` that can't be cut as X is."""
    raise TypeError(
        f"{name} must come in parts as X does; X is {kind_of_x}, but {name} is {a_kind_of(value)}."
    )


def check_no_more_given(kind_of_x: str, **given: Any) -> None:
    """Raise TypeError for y or weights beside rows that bring them along."""
    for name, value in given.items():
        if value is not None:
            raise TypeError(f"X is {kind_of_x}, which brings its own {name}: leave {name} out.")


def check_matrix_of_blocks(name: str, array: Any, most_dimensions: int) -> None:
    """Raise ValueError unless a dask array has as many dimensions as rows of ``name`` may have."""
    least = 2 if name == "X" else 1
    if not least <= array.ndim <= most_dimensions:
        wanted = str(least) if least == most_dimensions else f"{least} or {most_dimensions}"
        raise ValueError(f"{name} must have {wanted} dimensions; got {array.ndim}.")
    if any(isnan(size) for size in array.shape[1:]):
        raise ValueError(
            f"The number of {name}'s columns is unknown: call {name}.compute_chunk_sizes() first."
        )
    if name == "X" and array.shape[1] == 0:
        raise ValueError("X has no columns.")


def check_number_of_parts(name: str, n_parts: int, n_of_x: int) -> None:
    """Raise ValueError unless y, or the weights, have as many parts as X."""
    if n_parts != n_of_x:
        raise ValueError(
            f"X has {n_of_x} partitions, but {name} has {n_parts}, so their rows do not match: "
            f"take both from one collection, or repartition {name} like X."
        )


def check_rows_of_collection(name: str, n_rows: int, n_of_x: int) -> None:
    """Raise ValueError unless y, or the weights, have as many rows as X."""
    if n_rows != n_of_x:
        raise ValueError(f"X has {n_of_x} rows, but {name} has {n_rows}.")


def check_columns_of_frame(name: str, wanted: Sequence[Any], present: Sequence[Any]) -> None:
    """Raise ValueError unless a data frame has the columns that ``name`` names."""
    absent = [column for column in wanted if column not in present]
    if absent:
        raise ValueError(
            f"{name}: there is no column {brief(absent[0])}; the columns are "
            f"{one_line(', '.join(map(str, present[:20])))}."
        )


def check_delayed_rows(name: str, values: Sequence[Any], kind: type) -> None:
    """Raise unless a list of parts holds delayed objects, at least one."""
    if not values:
        raise ValueError(f"{name} is an empty list: it has no rows.")
    for number, value in enumerate(values):
        if not isinstance(value, kind):
            raise TypeError(
                f"{name}[{number}] must be delayed, as dask.delayed makes it; got "
                f"{a_kind_of(value)}."
            )


def check_readable_by_workers(apart: bool) -> None:
    """Raise TypeError for a source whose parts no other process can read."""
    if not apart:
        raise TypeError(
            "X is a source that only this process can read: workers read Parquet files, by "
            "fastmlp.data.from_parquet or a dataset of files given to from_arrow."
        )


def check_rows_on_workers(n_rows: int) -> None:
    """Raise ValueError for collections without a row to learn from."""
    if n_rows == 0:
        raise ValueError("X has no rows, or none whose weight is above 0.")


def check_part_unchanged(place: str, before: tuple[int, int], now: tuple[int, int]) -> None:
    """Raise ValueError unless a part has as many rows as before, with the same targets.

    ``before`` and ``now`` are the number of rows and a digest of the targets.
    """
    if now[0] != before[0]:
        raise ValueError(
            f"{place}: it had {before[0]} rows at first and has {now[0]} now: data must not change "
            "during a fit. Persist the collection if it is not the same each time it is computed."
        )
    if now != before:
        raise ValueError(
            f"{place}: its rows have other targets, or come in another order, than at first: data "
            "must not change during a fit. Persist the collection if it is not the same each time "
            "it is computed."
        )


def check_can_be_distributed(parameters: Mapping[str, Any], exchange: str) -> None:
    """Raise ValueError for parameters by which ranks can't learn together."""
    if parameters["own_batches"]:
        raise ValueError(
            "own_batches=True gives each member an order of rows of its own, which a cluster has "
            "not: leave it out."
        )
    for name in ("dropout", "label_smoothing"):
        if exchange == "synchronous" and isinstance(parameters.get(name), Scaled):
            raise ValueError(
                f"{name} has a schedule, which exchange='synchronous' can't follow: pass a number, "
                "or exchange='local'."
            )


def check_scored_by_parts(loss: Any) -> None:
    """Raise ValueError for a loss whose score does not follow from the scores of parts."""
    if loss == "pinball":
        raise ValueError(
            "score can't add up D² of the quantiles over parts: score rows in memory, by "
            "to_local().score(X, y)."
        )


def raise_no_partial_fit(owner: str) -> None:
    """Raise AttributeError for the method that a model on a cluster does not have."""
    raise AttributeError(
        f"{owner} has no partial_fit: fit with warm_start=True goes on from the present network."
    )
