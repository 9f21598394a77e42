"""What an update costs on many workers, by a model of compute, bytes, latency and stragglers.

``scale.py`` measures the numbers of the model, and holds it against runs that it was not fitted to.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.optimize import nnls

__all__ = [
    "Link",
    "Work",
    "exchange_seconds",
    "fitted_link",
    "local_seconds",
    "most_useful",
    "synchronous_seconds",
]

BYTES = 4  # of a parameter


@dataclass(frozen=True)
class Link:
    """How fast workers tell each other what they have.

    Attributes
    ----------
    latency : float
        Seconds until a small message has been sent, received and read.
    per_message : float
        Seconds of a worker's processor for each message that it sends and receives.
    bandwidth : float
        Bytes a second that a worker sends while it receives as many.
    loss : float, default=0
        Share of the messages that are lost and sent again.
    retry : float, default=0.2
        Seconds until a lost message is sent again, as TCP's shortest time is on Linux.
    """

    latency: float
    per_message: float
    bandwidth: float
    loss: float = 0.0
    retry: float = 0.2


@dataclass(frozen=True)
class Work:
    """What a worker computes.

    Attributes
    ----------
    n_parameters : int
    per_row : float
        Seconds of the gradient of a row.
    per_update : float
        Seconds of an update beside its rows: the optimiser's step and the call.
    jitter : float
        Standard deviation of a worker's seconds, as a share of them.
    n_vectors : int
        Vectors that local updates average: the parameters and the optimiser's moments.
    """

    n_parameters: int
    per_row: float
    per_update: float
    jitter: float
    n_vectors: int


def slowest(n_workers: int, jitter: float) -> float:
    """Return the time of the slowest of several workers, as a multiple of the mean time.

    The largest of W normal numbers lies about √(2 ln W) standard deviations above their mean.
    """
    return 1 + jitter * math.sqrt(2 * math.log(n_workers)) if n_workers > 1 else 1.0


def exchange_seconds(n_bytes: float, n_workers: int, link: Link) -> float:
    """Return the seconds of a sum of arrays over all workers.

    Two workers send each other all they have. More workers sum a slice each and then send it to all
    others: two steps of W − 1 messages, and 2 (W − 1)/W times the array.
    """
    if n_workers == 1:
        return 0.0
    n_steps, n_messages, n_sent = _counts(n_bytes, n_workers)
    is_any_lost = 1 - (1 - link.loss) ** (n_workers * (n_workers - 1))
    waiting = n_steps * (link.latency + is_any_lost * link.retry)
    return waiting + n_messages * link.per_message + n_sent / link.bandwidth


def _counts(n_bytes: float, n_workers: int) -> tuple[int, int, float]:
    """Return the steps of a sum, and the messages and bytes that each worker sends in it."""
    n_steps = 1 if n_workers == 2 else 2
    return n_steps, n_steps * (n_workers - 1), 2 * (n_workers - 1) / n_workers * n_bytes


def fitted_link(times: Sequence[dict[str, Any]]) -> Link:
    """Return the link whose sums take the measured times, by least squares of relative errors."""
    counts = np.array([_counts(row["bytes"], row["workers"]) for row in times])
    seconds = np.array([row["seconds"] for row in times])
    (latency, per_message, per_byte), _ = nnls(counts / seconds[:, None], np.ones(len(times)))
    return Link(float(latency), float(per_message), 1 / float(per_byte))


def synchronous_seconds(work: Work, link: Link, n_workers: int, batch_size: int) -> float:
    """Return the seconds of an update whose gradient is summed over all workers."""
    computing = batch_size / n_workers * work.per_row
    exchanging = exchange_seconds(BYTES * work.n_parameters, n_workers, link)
    return computing * slowest(n_workers, work.jitter) + work.per_update + exchanging


def local_seconds(work: Work, link: Link, n_workers: int, batch_size: int, n_steps: int) -> float:
    """Return the seconds of an update where workers average after ``n_steps`` of them.

    Jitter averages out over the steps.
    """
    computing = batch_size / n_workers * work.per_row + work.per_update
    vectors = BYTES * work.n_parameters * work.n_vectors
    waiting = slowest(n_workers, work.jitter / math.sqrt(n_steps))
    return computing * waiting + exchange_seconds(vectors, n_workers, link) / n_steps


def most_useful(seconds: dict[int, float], least_efficiency: float = 0.5) -> int:
    """Return the largest number of workers of which each still does that share of what one does.

    Parameters
    ----------
    seconds : dict
        Of an update, by the number of workers; 1 is among them.
    least_efficiency : float, default=0.5
        T(1) / (W · T(W)).
    """
    return max(n for n, took in seconds.items() if seconds[1] / (n * took) >= least_efficiency)
