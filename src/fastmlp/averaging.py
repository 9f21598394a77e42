"""Averages of the weights, as objects: ``averaging=`` takes one, or a name of one.

Weights that are found by noisy steps lie around a better point than any of them. An average of the
weights is nearer to it, and it costs no further training. The optimiser goes on with its own
weights; the average is what predicts, what held-out rows judge, and what a fit leaves behind.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from fastmlp.names import Names
from fastmlp.options import Options

__all__ = ["EMA", "SWA", "Average"]


class Average(Options):
    """What all averages share."""

    #: The average takes the weights in after so many updates at most; None: after each epoch.
    interval: ClassVar[int | None] = None

    def share(self, n_before: int, n_new: int, progress: float) -> float:
        """Return the share that the present weights get in the average; 0 for none yet.

        Parameters
        ----------
        n_before : int
            Updates (epochs, without an ``interval``) that are in the average already.
        n_new : int
            Those that follow, of which the present weights are the last.
        progress : float
            Share of ``max_iter`` that is done.
        """
        raise NotImplementedError


@dataclass(frozen=True)
class EMA(Average):
    """An exponential moving average: older weights count less and less.

    An update leaves the average min(decay, t/(t + 9)) of its value and adds the rest of the present
    weights; t is the number of updates before. So in the beginning it reaches back over a
    tenth of the updates so far, and later over about 1/(1 − decay) of them. The weights are looked
    at after every sixteen updates, and after each epoch.

    Parameters
    ----------
    decay : float, default=0.999
        What is left of the average in an update, between 0 and 1.

    Examples
    --------
    >>> from fastmlp import MLPRegressor
    >>> from fastmlp.averaging import EMA
    >>> model = MLPRegressor(averaging=EMA(decay=0.99))
    >>> model.set_params(averaging__decay=0.9).averaging
    EMA(decay=0.9)
    """

    interval: ClassVar[int | None] = 16
    decay: float = 0.999

    def share(self, n_before: int, n_new: int, progress: float) -> float:
        """Return 1 minus what so many updates leave."""
        updates = range(n_before, n_before + n_new)
        return 1 - math.prod(min(self.decay, t / (t + 9)) for t in updates)


@dataclass(frozen=True)
class SWA(Average):
    """The mean of the weights after each of the last epochs (Izmailov et al. 2018).

    It wants a learning rate that stays large to the end, so that the weights move around.

    Parameters
    ----------
    start : float, default=0.75
        Share of ``max_iter`` after which epochs count. A fit that ends before has no average.

    Examples
    --------
    >>> from fastmlp.averaging import SWA
    >>> SWA(start=0.5)
    SWA(start=0.5)
    """

    start: float = 0.75

    def share(self, n_before: int, n_new: int, progress: float) -> float:
        """Return that of one epoch among all that count."""
        return 1 / (n_before + 1) if progress > self.start else 0.0


#: Classes by their names as ``averaging``.
AVERAGES: Names[type[Average]] = Names(
    [
        ("ema", EMA, ("exponential_moving_average",)),
        ("swa", SWA, ("stochastic_weight_averaging",)),
    ]
)


def __dir__() -> list[str]:
    """Return the public names."""
    return sorted(__all__)
