"""The race: recipes learn one after the other, and the best of them several times."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from fastmlp.notices import notify
from fastmlp.tabular.member import Failure, Member, train
from fastmlp.tabular.problem import Problem
from fastmlp.tabular.recipe import Recipe
from fastmlp.tabular.split import Split
from fastmlp.training import clock
from fastmlp.training.divergence import DivergenceError
from fastmlp.training.loop import INTERRUPTED

__all__ = ["Race"]

#: A candidate is begun only if so much of the time that its like have taken is left.
WORTH_BEGINNING = 0.5


@dataclass
class Race:
    """Candidates that learn from a problem, within a time.

    Attributes
    ----------
    problem : Problem
    splits : list of Split
    seed : int
        The first network's; each further one has the next.
    deadline : float or None
        What ``clock.now()`` shows when the time is over.
    report : callable
        Is told of each member; True ends the race.
    members : list of Member
        In the order in which they learnt.
    failures : list of Failure
        Those whose networks left the finite numbers.
    """

    problem: Problem
    splits: list[Split]
    seed: int
    deadline: float | None
    report: Callable[[Member], bool]
    members: list[Member] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)

    def run(self, entrants: Sequence[Recipe], n_winners: int, n_further: int) -> list[Member]:
        """Train all entrants once, then the ``n_winners`` best of them ``n_further`` times more.

        Ctrl-C ends the race, and those who have learnt by then are returned. If none has,
        KeyboardInterrupt passes, or the DivergenceError of the last one.
        """
        try:
            for recipe in self._in_turn(entrants, n_winners, n_further):
                if self.members and not self._has_time_for(recipe):
                    break
                if self._enter(recipe):
                    break
        except KeyboardInterrupt:
            if not self.members:
                raise
            notify(INTERRUPTED)
        if not self.members:
            raise self.failures[-1].cause
        return self.members

    def _enter(self, recipe: Recipe) -> bool:
        """Let a recipe learn; return whether the race has been told to end."""
        began = clock.now()
        seed = (self.seed + len(self.members) + len(self.failures)) % 2**32
        try:
            member = train(self.problem, recipe, self.splits, seed, self.deadline)
        except DivergenceError as error:
            self.failures.append(Failure(recipe, clock.now() - began, error))
            return False
        self.members.append(member)
        if member.was_interrupted:
            raise KeyboardInterrupt
        return self.report(member)

    def _in_turn(
        self, entrants: Sequence[Recipe], n_winners: int, n_further: int
    ) -> Iterator[Recipe]:
        """Yield recipes; who wins is looked up when the entrants have all learnt."""
        yield from entrants
        ranking = sorted(self.members, key=lambda member: (np.isnan(member.error), member.error))
        for _ in range(n_further):
            for member in ranking[:n_winners]:
                yield member.recipe

    def _has_time_for(self, recipe: Recipe) -> bool:
        """Return whether most of what such a recipe takes is left."""
        if self.deadline is None:
            return True
        alike = [member.seconds for member in self.members if member.recipe == recipe]
        expected = alike[-1] if alike else max(member.seconds for member in self.members)
        return self.deadline - clock.now() > WORTH_BEGINNING * expected
