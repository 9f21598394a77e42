"""The parts of docstrings that the estimators of this package share."""

from __future__ import annotations

from textwrap import indent
from typing import TypeVar

__all__ = ["documented"]

_Class = TypeVar("_Class", bound=type)

SHARED = """\
Epochs, schedules, early stopping, callbacks and limits of time are the sibling's, and happen here;
workers make the updates. The same parts, the same ``n_shards`` and the same seed give the same
bits, whichever workers there are, and whichever of them leave. See :doc:`/guide/dask`.

Parameters
----------
hidden_layer_sizes, activation, and all others of the sibling
    ``batch_size`` counts the rows of an update on all workers. ``n_threads`` is that of the
    client; a worker learns on as many threads as it has.
client : distributed.Client, default=None
    None for the client that Dask knows. It is not saved nor pickled, and clones share it.
exchange : {"auto", "synchronous", "local"}, default="auto"
    How workers learn together. "synchronous": each update sums the gradients of all. "local": each
    makes ``local_steps`` updates of its own, then the networks are averaged. "auto" measures the
    link between workers, sums gradients if shards have rows of different targets, and says in the
    log what it has chosen.
n_shards : int, default=None
    How many learn together; None for as many as there are workers, and never more than there are
    parts. The bits depend on it.
local_steps : int or "auto", default="auto"
    Updates between two averages of "local". The first averages come earlier, and each epoch ends
    with one.

Attributes
----------
exchange_ : str
    The way of exchange of the last fit; not of models of raw tables, which fit several networks.
local_steps_ : int
    Updates between two averages; 1 of a synchronous fit. Likewise.
client_ : distributed.Client
    The client in use.

All attributes of the sibling are there, too."""

ANSWER = """\
Parameters
----------
X : dask array or data frame, source, path, list of Delayed, or array-like
    As for ``fit``, or an array in memory, which is predicted at once.

Returns
-------
dask array, series or data frame, or list of Delayed
    In the parts of X; what a data frame gets has its index. An ndarray for an array in memory."""


def documented(cls: _Class) -> _Class:
    """Fill the gaps ``{shared}`` and ``{answer}`` in the docstrings of a class."""
    for member, gap, text, margin in (
        (cls, "shared", SHARED, "    "),
        *((each, "answer", ANSWER, "        ") for each in vars(cls).values()),
    ):
        if getattr(member, "__doc__", None) and callable(member):  # absent under python -OO
            member.__doc__ = member.__doc__.replace(f"{margin}{{{gap}}}", indent(text, margin), 1)
    return cls
