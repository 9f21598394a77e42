"""Schedules that change between epochs, by what they are told of them, and constant ones."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

from fastmlp.schedules.schedule import Clock, EpochResult, Schedule

__all__ = ["Adaptive", "Constant", "InverseScaling", "ReduceOnPlateau"]


@dataclass(frozen=True)
class Constant(Schedule):
    """The number stays as it is.

    Examples
    --------
    >>> from fastmlp.schedules import Clock, Constant
    >>> Constant()(Clock(epoch=100))
    1.0
    """

    steady: ClassVar[bool] = True

    def values(self, base: float, clock: Clock, state: Any) -> Any:
        """Return ``base``."""
        return base


@dataclass(frozen=True)
class InverseScaling(Schedule):
    """The number falls with the number of samples, at the end of each epoch.

    factor = 1/(n + 1)^power_t after n training samples, as scikit-learn's
    ``learning_rate="invscaling"``. n is the model's ``t_``.

    Parameters
    ----------
    power_t : float, default=0.5
        The power of n + 1 by which the number is divided.

    Examples
    --------
    >>> from fastmlp import MLPRegressor
    >>> from fastmlp.schedules import InverseScaling
    >>> rates = []
    >>> model = MLPRegressor(learning_rate=InverseScaling(), learning_rate_init=0.2, max_iter=2,
    ...     callbacks=[lambda record: rates.append(record.learning_rate)], tol=1e9)
    >>> X = [[0.0], [1.0], [2.0]]
    >>> import warnings
    >>> with warnings.catch_warnings(action="ignore"):
    ...     _ = model.fit(X, [0.0, 1.0, 2.0])
    >>> rates[0]
    0.1
    """

    steady: ClassVar[bool] = True
    power_t: float = 0.5

    def first_state(self) -> int:
        """Return 0 samples."""
        return 0

    def next_state(self, state: int, result: EpochResult) -> int:
        """Return the number of samples."""
        return result.n_samples

    def values(self, base: float, clock: Clock, state: int) -> float:
        """Return the number after so many samples."""
        return float(base / (state + 1) ** self.power_t)


@dataclass(frozen=True)
class Adaptive(Schedule):
    """The learning rate is divided each time progress stalls. When it is small, the fit ends.

    As scikit-learn's ``learning_rate="adaptive"``. Progress stalls when the loss, or the validation
    score, has not improved by ``tol`` for ``n_iter_no_change`` epochs. This schedule is for the
    learning rate only.

    Parameters
    ----------
    divisor : float, default=5.0
        What the learning rate is divided by.
    min_lr : float, default=1e-6
        A learning rate at or below this ends the fit.

    Examples
    --------
    >>> from fastmlp import MLPRegressor
    >>> from fastmlp.schedules import Adaptive
    >>> model = MLPRegressor(solver="adam", learning_rate=Adaptive(min_lr=1e-4), random_state=0)
    >>> model.fit([[0.0], [1.0]], [0.0, 1.0]).stop_reason_.endswith("rate too small. Stopping.")
    True
    """

    steady: ClassVar[bool] = True
    divisor: float = 5.0
    min_lr: float = 1e-6

    @property
    def answers_stalls(self) -> bool:
        """It does."""
        return True

    @property
    def last_words(self) -> str:
        """Those of scikit-learn."""
        return "Learning rate too small. Stopping."

    def first_state(self) -> int:
        """Return that there has been no division."""
        return 0

    def values(self, base: float, clock: Clock, state: int) -> float:
        """Return ``base`` after ``state`` divisions."""
        for _ in range(state):
            base /= self.divisor
        return base

    def after_stall(self, base: float, state: int) -> int | None:
        """Return one division more."""
        return None if self.values(base, Clock(), state) <= self.min_lr else state + 1


class _Plateau(NamedTuple):
    """What ReduceOnPlateau remembers."""

    n_reductions: int = 0
    best: float = math.inf
    n_bad: int = 0
    cooldown: int = 0


@dataclass(frozen=True)
class ReduceOnPlateau(Schedule):
    """The number is reduced when the loss has not fallen for a while.

    This is PyTorch's ``ReduceLROnPlateau``. It looks at the loss of each epoch, as in
    ``loss_curve_``, or with early stopping at the score of the held-out rows. An epoch is bad if
    it does not improve the best value by ``threshold``. After more than ``patience`` bad epochs in
    a row, the number is multiplied by ``factor``. A fit does not end in an epoch that reduces the
    number, but ``n_iter_no_change`` should be larger than ``patience``.

    Parameters
    ----------
    factor : float, default=0.1
        What the number is multiplied by.
    patience : int, default=10
        Number of bad epochs in a row after which nothing happens yet.
    threshold : float, default=1e-4
        By how much an epoch must improve the best value.
    threshold_mode : {"rel", "abs"}, default="rel"
        Whether the threshold is a share of the best value, or a difference from it.
    cooldown : int, default=0
        Number of epochs after a reduction that are not counted as bad.
    min_lr : float, default=0.0
        The smallest value of the number: a learning rate, not a factor.

    Examples
    --------
    >>> from fastmlp import MLPRegressor
    >>> from fastmlp.schedules import ReduceOnPlateau
    >>> model = MLPRegressor(learning_rate=ReduceOnPlateau(patience=5))
    >>> model.set_params(learning_rate__factor=0.5).learning_rate.factor
    0.5
    """

    steady: ClassVar[bool] = True
    factor: float = 0.1
    patience: int = 10
    threshold: float = 1e-4
    threshold_mode: str = "rel"
    cooldown: int = 0
    min_lr: float = 0.0

    def first_state(self) -> _Plateau:
        """Return that nothing has been heard."""
        return _Plateau()

    def _betters(self, loss: float, best: float) -> bool:
        if best == math.inf:
            return loss < best
        margin = abs(best) * self.threshold if self.threshold_mode == "rel" else self.threshold
        return loss < best - margin

    def next_state(self, state: _Plateau, result: EpochResult) -> _Plateau:
        """Return what follows from an epoch."""
        loss = result.loss if result.score is None else -result.score
        n_reductions, best, n_bad, cooldown = state
        if self._betters(loss, best):
            best, n_bad = loss, 0
        else:
            n_bad += 1
        if cooldown > 0:
            n_bad, cooldown = 0, cooldown - 1
        if n_bad > self.patience:
            n_reductions, n_bad, cooldown = n_reductions + 1, 0, self.cooldown
        return _Plateau(n_reductions, best, n_bad, cooldown)

    def values(self, base: float, clock: Clock, state: _Plateau) -> float:
        """Return the number after so many reductions."""
        for _ in range(state.n_reductions):
            if base > self.min_lr:
                base = max(base * self.factor, self.min_lr)
        return base

    def after_stall(self, base: float, state: _Plateau) -> _Plateau | None:
        """Go on in an epoch that is not bad, such as one that reduces the number."""
        return state if state.n_bad == 0 else None
