"""Those who predict learn from all rows of a table of which a sample has raced."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from fastmlp import validation
from fastmlp.notices import notify
from fastmlp.tabular.member import LEAST_TIME, Learner, Member, learn_all, share_of_time, train
from fastmlp.tabular.portfolio import epochs_of_all
from fastmlp.tabular.problem import Problem
from fastmlp.tabular.recipe import Recipe
from fastmlp.tabular.split import Split
from fastmlp.tabular.whole import AllRows
from fastmlp.training import clock
from fastmlp.training.divergence import DivergenceError
from fastmlp.training.loop import INTERRUPTED

__all__ = ["ALL_ROWS", "Teaching"]

#: How the name of a member ends whose networks have learnt from all rows.
ALL_ROWS = ", all rows"


@dataclass(eq=False)
class Teaching:
    """How members of a race on a sample learn from all rows.

    Attributes
    ----------
    problem : Problem
        Of the sample.
    splits : list of Split, or None
        Whose held-out rows stay held out, and judge; None to learn from these rows as well.
    all_rows : AllRows
    seed : int
    deadline : float or None
        What ``clock.now()`` shows when the time is over.
    n_late : int
        How many members there was no time for, or too little for an epoch.
    tell : callable
        Is told of members that judge worse than before, a line each.
    """

    problem: Problem
    splits: list[Split] | None
    all_rows: AllRows
    seed: int
    deadline: float | None
    n_late: int = field(default=0, init=False)
    tell: Callable[[str], None] = field(default=lambda _: None, init=False)

    def recipe(self, member: Member) -> Recipe:
        """Return the recipe of a member with as many epochs as its networks learn from all rows."""
        assert isinstance(member.recipe, Recipe)
        n_sample = len(self.all_rows.keys)
        return member.recipe.with_(
            max_iter=epochs_of_all(member.recipe, n_sample, self.all_rows.n_rows)
        )

    def n_epochs(self, members: Sequence[Member]) -> int:
        """Return how many epochs there will be, of all networks."""
        networks = filter(_is_network, members)
        return sum(len(each.learners) * self.recipe(each).max_iter for each in networks)

    def run(
        self, members: Sequence[Member], weights: np.ndarray, report: Callable[[Member], bool]
    ) -> tuple[Member, ...]:
        """Return members whose networks have learnt from all rows.

        Those with the largest ``weights`` (M,) come first, and share the time as they did in the
        race. Partners stay as they were, and so does a member that diverges, of which a warning is
        given, that judges worse than before, or that Ctrl-C or ``report`` leaves no time for.
        """
        result = list(members)
        firsts = self.seed + np.cumsum([0, *(len(member.learners) for member in members)])
        turns = [i for i in np.argsort(-weights, kind="stable") if _is_network(members[i])]
        seconds = [members[i].seconds for i in turns]
        try:
            for turn, i in enumerate(turns):
                until = self._until(seconds[turn:])
                if until is not None and until <= clock.now():
                    self.n_late += 1
                    continue
                taught = self._taught(members[i], int(firsts[i]) % 2**32, until)
                if taught is None:
                    continue
                is_last = report(taught)
                if taught.error > members[i].error:
                    self.tell(_stays(members[i], taught))
                else:
                    result[i] = taught
                if is_last:
                    break
        except KeyboardInterrupt:
            notify(INTERRUPTED)
        return tuple(result)

    def _until(self, seconds: list[float]) -> float | None:
        """Return when the first of those has to end that took so many seconds in the race."""
        if self.deadline is None:
            return None
        now = clock.now()
        return now + (self.deadline - now) * seconds[0] / max(sum(seconds), LEAST_TIME)

    def _taught(self, member: Member, seed: int, until: float | None) -> Member | None:
        """Return a member that has learnt from all rows; None if it is to stay as it was."""
        try:
            taught = (
                self._judged(member, seed, until) if self.splits else self._all(member, seed, until)
            )
        except DivergenceError as error:
            notify(validation.stays_as_it_was(member.name, error))
            return None
        if taught.was_interrupted:
            raise KeyboardInterrupt
        is_late = not min(each.n_epochs for each in taught.learners)
        self.n_late += is_late
        if is_late and not self.splits:  # nothing tells what a part of the rows has taught it
            return None
        return replace(taught, name=member.name + ALL_ROWS)

    def _judged(self, member: Member, seed: int, until: float | None) -> Member:
        """Return a member as it is after all rows but those held out, which judge it."""
        assert self.splits is not None
        recipe = self.recipe(member)
        return train(self.problem, recipe, self.splits, seed, until, self.all_rows)

    def _all(self, member: Member, seed: int, until: float | None) -> Member:
        """Return a member as it is after all rows, judged as it was before."""
        recipe, began = self.recipe(member), clock.now()
        n_learners, learners = len(member.learners), []
        for k in range(n_learners):
            own, end = (seed + k) % 2**32, share_of_time(until, n_learners - k)
            each = learn_all(self.problem, recipe, recipe.max_iter, own, end, self.all_rows)
            learners.append(each)
            if each.was_interrupted:
                break
        return replace(member, learners=tuple(learners), seconds=clock.now() - began)


def _stays(member: Member, taught: Member) -> str:
    """Return a line on a member that all rows have not made better, and how these were learnt."""
    endings = {str(each.network.stop_reason_) for each in taught.learners}  # type: ignore[union-attr]
    return f"{member.error:.5g}  stays: {member.name} (all rows: {' '.join(sorted(endings))})"


def _is_network(member: Member) -> bool:
    """Return whether a member is no partner."""
    return isinstance(member.learners[0], Learner)
