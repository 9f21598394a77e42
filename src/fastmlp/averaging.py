"""Averages of the weights. The parameter ``averaging`` takes one of them, or its name.

Noisy steps move the weights around a point that is better than any of them. An average of the
weights is nearer to that point, and costs no further training. The optimiser goes on with its own
weights. The average predicts, is judged on the held-out rows, and is what a fit leaves behind.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from fastmlp.names import Names
from fastmlp.options import Options

__all__ = ["EMA", "SWA", "Average"]


class Average(Options):
    """The base class of all averages."""

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

    After t updates, an update keeps the share d = min(decay, t/(t + 9)) of the average and adds the
    share 1 − d of the present weights. So the average reaches back over a tenth of the updates at
    first, and over about 1/(1 − decay) updates later. It takes the weights in after every sixteen
    updates, and after each epoch.

    Parameters
    ----------
    decay : float, default=0.999
        The share of the average that an update keeps, between 0 and 1.

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

    It works best with a learning rate that stays large to the end, so that the weights move around.

    Parameters
    ----------
    start : float, default=0.75
        Share of ``max_iter`` after which epochs count. A fit that ends earlier has no average.

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
