"""What a fit has learnt, as one object that never changes once it is published."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from copy import copy
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from fastmlp.estimators.coding import TargetCoder
from fastmlp.network import Network
from fastmlp.registry import LOSSES
from fastmlp.training.courses import Rates
from fastmlp.training.history import History
from fastmlp.validation import stand_in

if TYPE_CHECKING:
    from fastmlp.estimators.stream import Stream

__all__ = ["Learnt", "is_in_training", "learnt_by", "shown_as"]


@dataclass(frozen=True, eq=False)
class Learnt:
    """All that a fit leaves behind, and all that a later one needs in order to go on.

    An estimator refers to one such object, by one attribute. Whoever reads it takes it once, so
    that a fit in another thread can't exchange one part of it for a newer one in between. The
    network's parameters are the one thing in it that users may write to.

    Attributes
    ----------
    network : Network
    coder : TargetCoder
        What the network's outputs mean, with the loss that it was trained by.
    feature_names : ndarray of str, shape (I,), or None
        Names of the columns of X, where they had any.
    history : History
    rate : Rates
    moments : tuple of str
        What the vectors of the optimiser's memory are.
    kept : mapping
        Parameters of the fit that are read after it, as the parameters' table says.
    stops_early : bool
        Whether a score, instead of the loss, could end the fit.
    has_scores : bool
        Whether it was judged by rows that it did not learn from.
    best_loss : float
        Least loss of an epoch, in the core's unit; infinite before the first.
    best_score : float
        Largest score of these rows, in the user's unit.
    stop_reason : str
        Why the fit ended.
    stream : Stream or None
        What a partial fit after this one can take over; not pickled.
    """

    network: Network
    coder: TargetCoder
    feature_names: np.ndarray | None
    history: History
    rate: Rates
    moments: tuple[str, ...]
    kept: Mapping[str, Any]
    stops_early: bool = False
    has_scores: bool = False
    best_loss: float = np.inf
    best_score: float = -np.inf
    stop_reason: str = ""
    stream: Stream | None = None

    def __getstate__(self) -> dict[str, Any]:
        state = dict(self.__dict__)
        state.pop("stream", None)  # so that the class's own None shows
        return state

    def columns(self, owner: str) -> Any:
        """Return what scikit-learn's checks compare X with; ``owner`` is the estimator's class."""
        return stand_in(owner, self.network.plan.n_inputs, self.feature_names)

    def predicting(self) -> Network:
        """Return a network whose outputs are the predictions; of the only class they are 1."""
        if not self.coder.certain:
            return self.network
        without_link = replace(
            self.network.plan, loss=LOSSES["squared_error"].code, loss_parameters=np.empty(0)
        )
        network = replace(self.network.copied(), plan=without_link)
        network.weights[-1][...] = 0
        network.biases[-1][...] = 1
        return network

    def without_moments(self) -> Learnt:
        """Return the same without the optimiser's memory, which only further fits need."""
        return replace(self, network=self.network.without_moments())

    def detached(self) -> Learnt:
        """Return a copy that a training under way does not move."""
        return replace(
            self,
            network=self.network.copied(),
            history=self.history.copied(),
            rate=copy(self.rate),
        )


#: What callbacks see of the models that the present thread is training, by the models' id.
_IN_TRAINING: ContextVar[Mapping[int, Learnt]] = ContextVar(
    "in_training", default=MappingProxyType({})
)


@contextmanager
def shown_as(model: Any, learnt: Learnt) -> Iterator[None]:
    """Let ``model`` show, within the block and to this thread, what it has learnt so far."""
    before = _IN_TRAINING.get()
    try:
        _IN_TRAINING.set({**before, id(model): learnt})  # within, as Ctrl-C may come at once
        yield
    finally:
        _IN_TRAINING.set(before)


def is_in_training(model: Any) -> bool:
    """Return whether a callback of the model's own fit asks."""
    return id(model) in _IN_TRAINING.get()


def learnt_by(model: Any) -> Learnt | None:
    """Return what a model has learnt: in a callback so far, else by its last fit; None if never."""
    if is_in_training(model):
        return _IN_TRAINING.get()[id(model)]
    published: Learnt | None = model.__dict__.get("_published")
    return published
