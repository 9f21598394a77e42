"""Learning rates: how they change with time and when progress stalls."""

from __future__ import annotations

from dataclasses import dataclass, field

from fastmlp.names import Names

__all__ = ["POLICIES", "LearningRate"]

#: What ``learning_rate`` may be; each stands for itself.
POLICIES: Names[str] = Names((name, name, ()) for name in ("constant", "invscaling", "adaptive"))

#: An adaptive rate at or below this ends the fit instead of shrinking further.
SMALLEST_ADAPTIVE_RATE = 1e-6


@dataclass
class LearningRate:
    """The step size of an optimiser and the policy that moves it.

    ``constant`` stays; ``invscaling`` is initial / (n + 1)^power_t after n training samples,
    changed at the end of an epoch; ``adaptive`` is divided by five whenever progress stalls.
    The definitions are scikit-learn's.

    Examples
    --------
    >>> rate = LearningRate("adaptive", 0.1)
    >>> rate.gives_up(), rate.value
    (False, 0.02)
    """

    policy: str
    initial: float
    power_t: float = 0.5
    value: float = field(init=False)
    #: What the policy's rate is multiplied by, since a callback set another one.
    factor: float = field(init=False, default=1.0)
    #: Whether the last epoch has made an adaptive rate smaller.
    shrank: bool = field(init=False, default=False)

    def __post_init__(self) -> None:
        self.value = self.initial

    def epoch_ended(self, n_samples_seen: int) -> None:
        """Follow the policy's clock."""
        self.shrank = False
        if self.policy == "invscaling":
            self.value = self.factor * (self.initial / (n_samples_seen + 1) ** self.power_t)

    def set(self, value: float) -> None:
        """Take another rate, from which the policy goes on."""
        self.factor *= value / self.value
        self.value = value

    def gives_up(self) -> bool:
        """Answer a stall: shrink the rate and go on (False), or end the fit (True)."""
        if self.policy != "adaptive" or self.value <= SMALLEST_ADAPTIVE_RATE:
            return True
        self.value /= 5.0
        self.shrank = True
        return False

    @property
    def last_words(self) -> str:
        """What scikit-learn says when it has given up."""
        return "Learning rate too small. Stopping." if self.policy == "adaptive" else "Stopping."

    def resumed_from(self, earlier: LearningRate | None) -> LearningRate:
        """Return self at the value that ``earlier`` had reached, if its rule was the same."""
        rule = (self.policy, self.initial, self.power_t)
        if earlier and rule == (earlier.policy, earlier.initial, earlier.power_t):
            self.value, self.factor = earlier.value, earlier.factor
        return self
