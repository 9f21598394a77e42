"""The race: recipes and partners learn one after the other, and the best recipes several times."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from fastmlp import validation
from fastmlp.notices import notify
from fastmlp.tabular.member import Failure, Member, train
from fastmlp.tabular.partner import Partner, trial_seconds
from fastmlp.tabular.portfolio import Portfolio
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
        Those whose networks left the finite numbers, and partners that raised.
    was_interrupted : bool
        Whether Ctrl-C has ended it.
    """

    problem: Problem
    splits: list[Split]
    seed: int
    deadline: float | None
    report: Callable[[Member], bool]
    members: list[Member] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    was_interrupted: bool = field(default=False, init=False)

    def run(
        self,
        portfolio: Portfolio,
        partners: Sequence[Partner] = (),
        transform: str | None = None,
    ) -> list[Member]:
        """Train all entrants of a portfolio and partners, then the best recipes some more times.

        Before that, the best recipe also learns with a ``transform`` of the target, if there is
        one to be tried.

        Ctrl-C ends the race, and those who have learnt by then are returned. If none has,
        KeyboardInterrupt passes, or the error of the last one.
        """
        try:
            for recipe in self._in_turn(portfolio, partners, transform):
                if self.members and not self._has_time_for(recipe):
                    if isinstance(recipe, Partner):
                        notify(validation.partner_without_time(recipe.estimator))
                    continue
                if self._enter(recipe):
                    break
        except KeyboardInterrupt:
            if not self.members:
                raise
            self.was_interrupted = True
            notify(INTERRUPTED)
        if not self.members:
            raise self.failures[-1].cause
        return self.members

    def _enter(self, recipe: Recipe | Partner) -> bool:
        """Let a candidate learn; return whether the race has been told to end."""
        began = clock.now()
        seed = (self.seed + len(self.members) + len(self.failures)) % 2**32
        try:
            member = train(self.problem, recipe, self.splits, seed, self.deadline)
        except Exception as error:
            if isinstance(recipe, Partner):
                notify(validation.partner_fails(recipe.estimator, error))
            elif not isinstance(error, DivergenceError):
                raise
            self.failures.append(Failure(recipe, clock.now() - began, error))
            return False
        self.members.append(member)
        if member.was_interrupted:
            raise KeyboardInterrupt
        return self.report(member)

    def _in_turn(
        self, portfolio: Portfolio, partners: Sequence[Partner], transform: str | None
    ) -> Iterator[Recipe | Partner]:
        """Yield candidates; who wins is looked up when the entrants have all learnt."""
        yield from portfolio.entrants
        yield from partners
        if transform is not None:
            yield from (recipe.with_(transform=transform) for recipe in self._ranking()[:1])
        winners = self._ranking()[: portfolio.n_winners]
        for _ in range(portfolio.n_further):
            for winner in winners:
                yield from portfolio.turn_of(winner)

    def _ranking(self) -> list[Recipe]:
        """Return the recipes that have learnt, the best one first."""
        members = sorted(self.members, key=lambda member: (np.isnan(member.error), member.error))
        return [member.recipe for member in members if isinstance(member.recipe, Recipe)]

    def _has_time_for(self, recipe: Recipe | Partner) -> bool:
        """Return whether most of what such a candidate takes is left."""
        if self.deadline is None or clock.now() >= self.deadline:
            return self.deadline is None
        if isinstance(recipe, Partner):
            expected = trial_seconds(self.problem, recipe, self.splits)
            return self.deadline - clock.now() > expected
        alike = [member.seconds for member in self.members if member.recipe == recipe]
        expected = alike[-1] if alike else max(member.seconds for member in self.members)
        return self.deadline - clock.now() > WORTH_BEGINNING * expected
