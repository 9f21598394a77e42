"""How far a training has come: the one state that the loop moves and its observers read."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from fastmlp.backends.protocol import Totals
from fastmlp.network import Network
from fastmlp.training import clock
from fastmlp.training.courses import Rates
from fastmlp.training.history import UNCHANGED, CostUnit, means_of

__all__ = ["Ending", "TrainerState"]


class Ending(NamedTuple):
    """How a training ended: for which reason, in a sentence.

    ``converged`` is False where it had more to learn, and ``remedy`` says what to do about it then;
    ``on_demand`` is True where the user ended it.
    """

    reason: str
    converged: bool = True
    on_demand: bool = False
    remedy: str = "Raise max_iter or loosen tol."


@dataclass
class TrainerState:
    """All that is known of a training under way.

    The loop counts and measures; observers add a score or metrics, change the rate, and end it.

    Attributes
    ----------
    network : Network
        What learns.
    average : Network or None
        An average of its weights, if one is kept and has begun.
    max_iter : int
        Epochs (iterations, for lbfgs) that the training may take.
    unit : CostUnit
        In which ``loss``, ``cost`` and ``validation_loss`` are told.
    rate : Rates or None
        None for lbfgs, which has none.
    n_samples_seen : int
        In the network's life.
    epoch : int
        Epochs done in this training.
    loss : float
        Cost plus penalties, the mean over the last epoch; NaN before the first and where it
        diverged.
    cost : float
        The same without penalties.
    core_loss : float
        The loss in the core's unit, which ``tol`` is held against.
    epoch_rate : float or None
        The learning rate of the last epoch's last update.
    validation_score, validation_loss : float or None
        Of the held-out rows after the last epoch, in the user's unit; None where there are none.
    metrics : dict of str to float
        What else was measured in the last epoch.
    stalled : str or None
        What has happened, if progress has come to a halt and nobody has answered that yet.
    remarks : list of str
        What is to be said of the last epoch, in sentences.
    seconds : float
        From the begin of the training to the end of the last epoch.
    seconds_left : float or None
        Until a limit of time ends the training, if there is one.
    ending : Ending or None
        Why the training ends; None while it goes on.
    """

    network: Network
    max_iter: int
    unit: CostUnit = UNCHANGED
    rate: Rates | None = None
    n_samples_seen: int = 0
    epoch: int = field(init=False, default=0)
    loss: float = field(init=False, default=np.nan)
    cost: float = field(init=False, default=np.nan)
    core_loss: float = field(init=False, default=np.nan)
    epoch_rate: float | None = field(init=False, default=None)
    validation_score: float | None = field(init=False, default=None)
    validation_loss: float | None = field(init=False, default=None)
    metrics: dict[str, float] = field(init=False, default_factory=dict)
    stalled: str | None = field(init=False, default=None)
    remarks: list[str] = field(init=False, default_factory=list)
    began: float = field(init=False, default_factory=lambda: clock.now())  # noqa: PLW0108 - tests replace it
    seconds: float = field(init=False, default=0.0)
    seconds_left: float | None = field(init=False, default=None)
    ending: Ending | None = field(init=False, default=None)
    average: Network | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        self._cost_divisor = self.network.cost_divisor  # it is looked up, which takes its time

    @property
    def predicting(self) -> Network:
        """The network that is judged, and that is left if the training ends now."""
        return self.network if self.average is None else self.average

    @property
    def update(self) -> int:
        """Updates in the network's life."""
        return self.network.step

    @property
    def learning_rate(self) -> float | None:
        """The rate of the next update; None for lbfgs."""
        return None if self.rate is None else self.rate.value

    def stop(
        self, reason: str, *, converged: bool = True, on_demand: bool = False, **more: str
    ) -> None:
        """End the training after this epoch; what the user demands outweighs other reasons."""
        if self.ending is None or (on_demand and not self.ending.on_demand):
            self.ending = Ending(reason, converged, on_demand, **more)

    def count_epoch(self, totals: Totals) -> None:
        """Take note of an epoch's sums."""
        self.core_loss, cost = means_of(totals, self._cost_divisor)
        self._begin_anew(self.unit.of(self.core_loss), self.unit.of(cost))

    def count_diverged(self) -> None:
        """Take note of an epoch whose loss is infinite or NaN."""
        self.core_loss = np.nan
        self._begin_anew(np.nan, np.nan)

    def _begin_anew(self, loss: float, cost: float) -> None:
        """Leave nothing in the state that belongs to the epoch before."""
        self.epoch += 1
        self.loss, self.cost = loss, cost
        self.validation_score = self.validation_loss = self.stalled = None
        self.metrics, self.remarks = {}, []
        self.seconds = clock.now() - self.began
