"""Schedules that follow the clock alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from fastmlp.schedules.schedule import Clock, Schedule

__all__ = ["Cosine", "CosineLog", "Exponential", "FlatCosine", "OneCycle", "Polynomial", "Step"]


@dataclass(frozen=True)
class Step(Schedule):
    """The number is multiplied by gamma every step_size epochs, as in PyTorch's ``StepLR``.

    factor = gamma^⌊epoch/step_size⌋.

    Parameters
    ----------
    step_size : int, default=30
        Number of epochs between two steps.
    gamma : float, default=0.1
        Factor by which each step multiplies the number.

    Examples
    --------
    >>> from fastmlp.schedules import Clock, Step
    >>> [Step(step_size=10, gamma=0.5)(Clock(epoch=epoch)) for epoch in (0, 9.9, 10, 25)]
    [1.0, 1.0, 0.5, 0.25]
    """

    step_size: int = 30
    gamma: float = 0.1

    def factors(self, clock: Clock) -> np.ndarray:
        """Return the factors (n,)."""
        return np.asarray(np.power(self.gamma, np.floor(clock.epoch / self.step_size)))


@dataclass(frozen=True)
class Exponential(Schedule):
    """The number is multiplied by gamma in each epoch, little by little.

    factor = gamma^epoch. PyTorch's ``ExponentialLR`` changes the number between epochs only.

    Parameters
    ----------
    gamma : float, default=0.98
        Factor by which each epoch multiplies the number.

    Examples
    --------
    >>> from fastmlp.schedules import Clock, Exponential
    >>> Exponential(gamma=0.25)(Clock(epoch=1.5))
    0.125
    """

    gamma: float = 0.98

    def factors(self, clock: Clock) -> np.ndarray:
        """Return the factors (n,)."""
        return np.asarray(np.power(self.gamma, clock.epoch))


@dataclass(frozen=True)
class Polynomial(Schedule):
    """The number falls to 0 along a line or a power of it, as in PyTorch's ``PolynomialLR``.

    factor = (1 - min(epoch, total_iters)/total_iters)^power.

    Parameters
    ----------
    total_iters : float or None, default=None
        Number of epochs after which the number is 0. None means the whole fit.
    power : float, default=1.0
        The power. 1 gives a straight line.

    Examples
    --------
    >>> from fastmlp.schedules import Clock, Polynomial
    >>> Polynomial(power=2)(Clock(epoch=50, n_epochs=100))
    0.25
    """

    total_iters: float | None = None
    power: float = 1.0

    @property
    def spans_fit(self) -> bool:
        """Whether its length is the fit's."""
        return self.total_iters is None

    def factors(self, clock: Clock) -> np.ndarray:
        """Return the factors (n,)."""
        total = clock.n_epochs if self.total_iters is None else self.total_iters
        return np.asarray(np.power(1 - np.minimum(clock.epoch / total, 1.0), self.power))


def _half_wave(share: np.ndarray) -> np.ndarray:
    """Return (1 + cos(π share))/2, which falls from 1 at 0 to 0 at 1."""
    wave: np.ndarray = 0.5 * (1 + np.cos(np.pi * share))
    return wave


@dataclass(frozen=True)
class Cosine(Schedule):
    """The number falls to eta_min along half a cosine, once in a fit or again and again (SGDR).

    number = eta_min + (first number - eta_min) · (1 + cos(π t/T))/2 (Loshchilov & Hutter 2017), as
    in PyTorch's ``CosineAnnealingLR`` and ``CosineAnnealingWarmRestarts``, but in every update.

    Parameters
    ----------
    T_0 : float or None, default=None
        Length of the first period in epochs. After each period, the number starts again from the
        top. None means the whole fit.
    T_mult : int, default=1
        How many times longer each period is than the one before it.
    eta_min : float, default=0.0
        The smallest value of the number: a learning rate, not a factor.

    Examples
    --------
    >>> from fastmlp.schedules import Clock, Cosine
    >>> Cosine()(Clock(epoch=50, n_epochs=100))
    0.5
    >>> Cosine(T_0=10, T_mult=2)(Clock(epoch=10))
    1.0
    """

    T_0: float | None = None
    T_mult: int = 1
    eta_min: float = 0.0

    @property
    def spans_fit(self) -> bool:
        """Whether its period is the fit."""
        return self.T_0 is None

    def values(self, base: float, clock: Clock, state: Any) -> np.ndarray:
        """Return the numbers (n,)."""
        share = clock.progress if self.T_0 is None else self._share(clock.epoch / self.T_0)
        numbers: np.ndarray = self.eta_min + (base - self.eta_min) * _half_wave(share)
        return numbers

    def _share(self, periods: np.ndarray) -> np.ndarray:
        """Return the share (n,) of the present period that is done; times in first periods."""
        if self.T_mult == 1:
            return np.asarray(np.mod(periods, 1.0))
        ratio = float(self.T_mult)

        def beginning(n: np.ndarray) -> np.ndarray:
            begin: np.ndarray = (np.power(ratio, n) - 1) / (ratio - 1)
            return begin

        number = np.floor(np.log(periods * (ratio - 1) + 1) / np.log(ratio))
        # A logarithm may be rounded to the wrong side of a whole number.
        number += beginning(number + 1) <= periods
        number -= beginning(number) > periods
        share: np.ndarray = (periods - beginning(number)) / np.power(ratio, number)
        return share


@dataclass(frozen=True)
class OneCycle(Schedule):
    """The number rises from a fraction of itself to its full size, then falls to almost 0.

    This takes the whole fit, and is PyTorch's ``OneCycleLR`` (Smith & Topin 2019), where the number
    is ``max_lr``. The factor goes from 1/div_factor to 1 in the share pct_start of the fit, and
    then to 1/(div_factor · final_div_factor). The momentum does not change.

    Parameters
    ----------
    pct_start : float, default=0.3
        Share of the fit in which the number rises.
    div_factor : float, default=25.0
        How many times smaller than the largest value the first one is.
    final_div_factor : float, default=1e4
        How many times smaller than the first value the last one is.
    anneal_strategy : {"cos", "linear"}, default="cos"
        Whether the number changes along half a cosine, or along a line.

    Examples
    --------
    >>> from fastmlp.schedules import Clock, OneCycle
    >>> [round(OneCycle()(Clock(epoch=epoch, n_epochs=10)), 6) for epoch in (0, 3, 10)]
    [0.04, 1.0, 4e-06]
    """

    pct_start: float = 0.3
    div_factor: float = 25.0
    final_div_factor: float = 1e4
    anneal_strategy: str = "cos"

    @property
    def spans_fit(self) -> bool:
        """It does."""
        return True

    def factors(self, clock: Clock) -> np.ndarray:
        """Return the factors (n,)."""
        progress, top = clock.progress, self.pct_start
        rises = progress < top
        share = np.where(rises, progress / top, (progress - top) / (1 - top))
        first = 1 / self.div_factor
        begin, end = (
            np.where(rises, first, 1.0),
            np.where(rises, 1.0, first / self.final_div_factor),
        )
        rest = _half_wave(share) if self.anneal_strategy == "cos" else 1 - share
        return np.asarray(end + (begin - end) * rest)


@dataclass(frozen=True)
class FlatCosine(Schedule):
    """The number stays as it is at first, and then falls to 0 along half a cosine.

    factor = (1 + cos(π · max(0, t - pct_start)/(1 - pct_start)))/2 for the share t of the fit
    that is done. With pct_start=0.5 it is RealMLP's "flat_cos" (Holzmüller et al. 2024).

    Parameters
    ----------
    pct_start : float, default=0.5
        Share of the fit after which the number begins to fall.

    Examples
    --------
    >>> from fastmlp.schedules import Clock, FlatCosine
    >>> [FlatCosine()(Clock(epoch=epoch, n_epochs=4)) for epoch in (0, 2, 3, 4)]
    [1.0, 1.0, 0.5, 0.0]
    """

    pct_start: float = 0.5

    @property
    def spans_fit(self) -> bool:
        """It does."""
        return True

    def factors(self, clock: Clock) -> np.ndarray:
        """Return the factors (n,)."""
        late = np.maximum(clock.progress - self.pct_start, 0.0)
        return _half_wave(late / (1 - self.pct_start))


@dataclass(frozen=True)
class CosineLog(Schedule):
    """The number goes in waves from 0 to its full size and back, each twice as long as the last.

    factor = (1 - cos(2π · log₂(1 + (2^n_cycles - 1) t)))/2 for the share t of the fit that is done:
    RealMLP's "coslog4" (Holzmüller et al. 2024).

    Parameters
    ----------
    n_cycles : int, default=4
        Number of waves in a fit.

    Examples
    --------
    >>> from fastmlp.schedules import Clock, CosineLog
    >>> [round(CosineLog()(Clock(epoch=epoch, n_epochs=15)), 9) for epoch in (0, 1, 3, 7, 15)]
    [0.0, 0.0, 0.0, 0.0, 0.0]
    >>> round(CosineLog()(Clock(epoch=2**2.5 - 1, n_epochs=15)), 9)
    1.0
    """

    n_cycles: int = 4

    @property
    def spans_fit(self) -> bool:
        """It does."""
        return True

    def factors(self, clock: Clock) -> np.ndarray:
        """Return the factors (n,)."""
        waves = np.log2(1 + (2.0**self.n_cycles - 1) * clock.progress)
        return np.asarray(0.5 * (1 - np.cos(2 * np.pi * waves)))
