"""Observers of a training: the moments at which they are called, and the list that calls them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache

from fastmlp.training.divergence import DivergenceError, require_finite
from fastmlp.training.state import TrainerState

__all__ = ["Observer", "Observers"]


class Observer:
    """Something that reads a training's state, and may change it, at certain moments.

    A class overrides the methods of the moments that concern it; the others are never called.
    """

    def training_begins(self, state: TrainerState) -> None:
        """Before anything is learnt."""

    def epoch_begins(self, state: TrainerState) -> None:
        """Before an epoch."""

    def call_begins(self, state: TrainerState, n_rows: int, last: bool) -> None:
        """Before the backend trains on ``n_rows``, the epoch's last ones if ``last``.

        An ending that is set now comes before these rows, in the middle of an epoch.
        """

    def call_ended(self, state: TrainerState, n_updates: int) -> None:
        """After these rows have made so many updates of the weights."""

    def epoch_ended(self, state: TrainerState) -> None:
        """After an epoch, whose numbers the state has."""

    def diverged(self, state: TrainerState, error: DivergenceError) -> None:
        """After numbers that are not finite; ``error`` is raised unless an ending is set now."""

    def training_ends(self, state: TrainerState) -> None:
        """Once there is an ending: the last moment at which the network may be changed."""

    def training_ended(self, state: TrainerState) -> None:
        """Once all has gone well, and nothing changes any more."""

    def close(self, state: TrainerState) -> None:
        """At the very end, whatever has happened."""


#: Names of the moments.
MOMENTS = [name for name in vars(Observer) if not name.startswith("_")]


@lru_cache(maxsize=64)
def _places_of(kinds: tuple[type[Observer], ...]) -> list[tuple[str, list[int]]]:
    """Return which of observers of these classes, by place, listen at each moment."""
    return [
        (
            moment,
            [
                place
                for place, kind in enumerate(kinds)
                if getattr(kind, moment) is not getattr(Observer, moment)
            ],
        )
        for moment in MOMENTS
    ]


class Observers:
    """Observers in the order in which they are told."""

    def __init__(self, observers: Sequence[Observer]) -> None:
        self._listening: dict[str, list[Callable[..., None]]] = {
            moment: [getattr(observers[place], moment) for place in places]
            for moment, places in _places_of(tuple(map(type, observers)))
        }

    def listening(self, moment: str) -> list[Callable[..., None]]:
        """Return everyone's method of that name: an epoch may take but microseconds."""
        return self._listening[moment]

    def tell(self, moment: str, *about: object) -> None:
        """Call everyone's method of that name."""
        for listener in self._listening[moment]:
            listener(*about)

    def around(self, state: TrainerState, train: Callable[[], None]) -> None:
        """Call ``train``, which leaves an ending in the state, and tell of its begin and end.

        Raises
        ------
        DivergenceError
            If a parameter is not finite in the end.
        """
        try:
            self.tell("training_begins", state)
            train()
            self.tell("training_ends", state)
            require_finite(state.network, state.epoch)
            self.tell("training_ended", state)
        finally:
            self.tell("close", state)
