"""What classifier and regressor each know of their outputs, behind one interface."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

import numpy as np

from fastmlp.backends import Backend
from fastmlp.network import Network
from fastmlp.plan.user_functions import CustomLoss
from fastmlp.registry import Loss
from fastmlp.training.history import UNCHANGED, CostUnit

__all__ = ["Judge", "TargetCoder", "mean_loss", "parameters_of"]


def parameters_of(model: Any, row: Loss) -> tuple[float, ...]:
    """Return the numbers, K of them, that a loss depends on, from the parameters of those names."""
    if not row.parameters:
        return ()
    numbers = np.hstack([np.empty(0), *(getattr(model, name) for name in row.parameters)])
    return tuple(numbers.tolist())


class Judge(NamedTuple):
    """How good a network is on held-out rows.

    Attributes
    ----------
    score : callable
        Maps the network and its outputs or logits (K, C) on these rows to a number; larger is
        better.
    takes_logits : bool
    loss : callable or None
        Maps the same to the cost of these rows, in the core's unit; None where the score is minus
        that cost.
    unit : CostUnit
        Of the score, where that is minus a cost.
    """

    score: Callable[[Network, np.ndarray], float]
    takes_logits: bool
    loss: Callable[[Network, np.ndarray], float] | None = None
    unit: CostUnit = UNCHANGED

    def score_and_loss(self, network: Network, outputs: np.ndarray) -> tuple[float, float]:
        """Return both numbers for the network's outputs or logits (K, C)."""
        score = self.score(network, outputs)
        return score, -score if self.loss is None else self.loss(network, outputs)


def mean_loss(
    backend: Backend, target: np.ndarray, weights: np.ndarray | None
) -> Callable[[Network, np.ndarray], float]:
    """Return what gives a network's cost by its logits (K, C), in the core's unit.

    ``target`` is (K, T), ``weights`` are (K,).
    """

    def cost(network: Network, logits: np.ndarray) -> float:
        return _mean(network.losses(backend, logits, target).astype(np.float64), weights)

    return cost


def _mean(values: np.ndarray, weights: np.ndarray | None) -> float:
    """Return the mean of real values (K,) with weights (K,): NumPy's average, but sooner."""
    if weights is None:
        return float(np.add.reduce(values)) / len(values)
    return float(np.average(values, weights=weights))


@dataclass(frozen=True, eq=False)
class TargetCoder(ABC):
    """How users' targets become the core's, and its outputs become predictions; never changed.

    It is made at the first fit and goes on under warm starts and partial fits.

    Attributes
    ----------
    loss : str or CustomLoss
        As ``validation.check_parameters`` returns it.
    row : Loss
        The registry's row that the network minimises.
    loss_parameters : tuple of float, length K
        The numbers that this loss depends on.
    cost_unit : CostUnit
        What makes the core's costs those of the loss that the user asked for.
    dtype : dtype
        The network's real type.
    smoothing : float
        Share of a label's certainty that is spread over all classes; 0 for real targets.
    """

    loss: str | CustomLoss
    row: Loss
    loss_parameters: tuple[float, ...]
    cost_unit: CostUnit
    dtype: np.dtype
    smoothing: float

    @abstractmethod
    def under(self, parameters: Any, dtype: np.dtype) -> Self:
        """Return the coder of the same outputs for the loss that ``parameters`` now ask for."""

    def scheduled_smoothing(self, parameters: Any) -> Any:
        """Return what the updates may smooth the targets by; None for real targets."""
        return None

    @abstractmethod
    def check_goes_on(self, y: np.ndarray, *, incremental: bool) -> None:
        """Raise ValueError unless a fit that goes on can learn from ``y`` (N,) or (N, C)."""

    @property
    @abstractmethod
    def n_outputs(self) -> int:
        """Width of the output layer."""

    @abstractmethod
    def check(self, y: np.ndarray, *, whole: bool) -> None:
        """Raise ValueError unless ``y`` (N,) or (N, C) is as the outputs and the loss demand.

        ``whole`` says whether it is all that a fit learns from.
        """

    def remark(self, y: np.ndarray, *, whole: bool, weights: str) -> str | None:
        """Return what to warn of in ``y`` (N,) or (N, C), of rows that count; None for nothing.

        ``weights`` names what makes up the weights of rows.
        """
        return None

    @abstractmethod
    def encode(self, y: np.ndarray) -> np.ndarray:
        """Return the core's target (N, T) for ``y`` (N,) or (N, C)."""

    def in_users_unit(self, outputs: np.ndarray) -> np.ndarray:
        """Return what the link gave, (N, C), in the unit of the user's y."""
        return outputs

    @abstractmethod
    def plain_target(self, y: np.ndarray) -> np.ndarray | None:
        """Return the core's target (N, T) for a ``y`` (N,) or (N, C) that needs no conversion.

        None where all of ``check`` and what comes before it must be gone through.
        """

    @abstractmethod
    def classes_of_rows(self, target: np.ndarray) -> np.ndarray | None:
        """Return the class of each row (N,), or which classes it has (N, C), of a target (N, T).

        None for real targets.
        """

    @abstractmethod
    def strata(self, target: np.ndarray) -> np.ndarray | None:
        """Return what held-out rows must represent evenly, given the target (N, T)."""

    @abstractmethod
    def judge(self, backend: Backend, target: np.ndarray, weights: np.ndarray | None) -> Judge:
        """Return what scores outputs against the target (K, T) of rows with weights (K,)."""

    def minus_cost(self, backend: Backend, target: np.ndarray, weights: np.ndarray | None) -> Judge:
        """Return what judges by the loss itself, on a target (K, T) of rows with weights (K,)."""
        cost = mean_loss(backend, target, weights)
        return Judge(lambda *given: -cost(*given), takes_logits=True, unit=self.cost_unit)

    @abstractmethod
    def constant_logits(
        self, target: np.ndarray, weights: np.ndarray | None, parameters: np.ndarray
    ) -> np.ndarray:
        """Return the logits (C,) of the best constant prediction of a target (N, T).

        ``weights`` are (N,), ``parameters`` (K,) are the loss's. It is nearly the best one where
        quantiles lie close together, and the mean for a loss that the user wrote.
        """

    def worst_target(
        self, outputs: np.ndarray, target: np.ndarray, weights: np.ndarray | None
    ) -> str | None:
        """Return what to say of a target that outputs (N, C) predict worse than a constant does.

        ``target`` is (N, T), ``weights`` (N,); None where each target is learnt, or is a class.
        """
        return None

    @property
    @abstractmethod
    def starts_at_constant(self) -> bool:
        """Whether the output biases begin there, so that training need not find the way."""

    @property
    def certain(self) -> bool:
        """Whether the prediction is a probability of 1 whatever the network puts out."""
        return False

    @abstractmethod
    def scale_of_target(self, target: np.ndarray, weights: np.ndarray | None) -> list[str]:
        """Return a sentence that says what to do if the target (N, T) is out of scale, if it is.

        ``weights`` (N,) are above 0.
        """

    @property
    def class_labels(self) -> np.ndarray:
        """The user's labels (K,), by number; none for real targets."""
        return np.empty(0)
