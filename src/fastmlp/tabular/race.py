"""The race: recipes learn one after the other, and the best of them several times."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from fastmlp.tabular.member import Member, train
from fastmlp.tabular.problem import Problem
from fastmlp.tabular.recipe import Recipe
from fastmlp.tabular.split import Split

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
        What ``time.perf_counter()`` shows when the time is over.
    report : callable
        Is told of each member; True ends the race.
    members : list of Member
        In the order in which they learnt.
    """

    problem: Problem
    splits: list[Split]
    seed: int
    deadline: float | None
    report: Callable[[Member], bool]
    members: list[Member] = field(default_factory=list)

    def run(self, entrants: Sequence[Recipe], n_winners: int, n_further: int) -> list[Member]:
        """Train all entrants once, then the ``n_winners`` best of them ``n_further`` times more."""
        told_to_stop = False
        for recipe in self._in_turn(entrants, n_winners, n_further):
            if told_to_stop or (self.members and not self._has_time_for(recipe)):
                break
            left = None if self.deadline is None else self.deadline - time.perf_counter()
            seed = (self.seed + len(self.members)) % 2**32
            self.members.append(train(self.problem, recipe, self.splits, seed, left))
            told_to_stop = self.report(self.members[-1])
        return self.members

    def _in_turn(
        self, entrants: Sequence[Recipe], n_winners: int, n_further: int
    ) -> Iterator[Recipe]:
        """Yield recipes; who wins is looked up when the entrants have all learnt."""
        yield from entrants
        ranking = sorted(self.members, key=lambda member: member.error)
        for _ in range(n_further):
            for member in ranking[:n_winners]:
                yield member.recipe

    def _has_time_for(self, recipe: Recipe) -> bool:
        """Return whether most of what such a recipe takes is left."""
        if self.deadline is None:
            return True
        alike = [member.seconds for member in self.members if member.recipe == recipe]
        expected = alike[-1] if alike else max(member.seconds for member in self.members)
        return self.deadline - time.perf_counter() > WORTH_BEGINNING * expected
