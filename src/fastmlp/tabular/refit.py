"""The candidates that predict learn again, from all rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from fastmlp import validation
from fastmlp.notices import notify
from fastmlp.tabular.member import Learner, Member, learn_all
from fastmlp.tabular.partner import Partner, PartnerLearner
from fastmlp.tabular.problem import Problem
from fastmlp.tabular.recipe import Recipe
from fastmlp.training import clock
from fastmlp.training.divergence import DivergenceError
from fastmlp.training.loop import INTERRUPTED

__all__ = ["refitted"]

#: So many times the seconds of the race are wanted: there are more rows.
LONGER = 1.2


def refitted(
    problem: Problem,
    members: Sequence[Member],
    weights: np.ndarray,
    seed: int,
    deadline: float | None,
) -> tuple[Member, ...]:
    """Return members whose networks have learnt from all rows, for the epochs that were best.

    Those with the largest ``weights`` (M,) come first. A member that there is no time for, that
    diverges, of which a warning is given, or that Ctrl-C ends stays as it was, and so do those
    after Ctrl-C.
    """
    result = list(members)
    # All learn from the same rows, so that two networks of one seed would be the same.
    firsts = seed + np.cumsum([0, *(len(member.learners) for member in members)])
    try:
        for i in np.argsort(-weights, kind="stable"):
            wanted = LONGER * members[i].seconds
            if deadline is None or deadline - clock.now() > wanted:
                result[i] = _refitted(problem, members[i], int(firsts[i]), deadline)
    except KeyboardInterrupt:
        notify(INTERRUPTED)
    return tuple(result)


def _refitted(problem: Problem, member: Member, seed: int, deadline: float | None) -> Member:
    """Return a member with as many networks as before, or with one partner; or as it was."""
    is_partner = isinstance(member.learners[0], PartnerLearner)
    recipe, n_epochs = _course(member)
    learners: list[Learner | PartnerLearner] = []
    for k in range(1 if is_partner else len(member.learners)):
        try:
            each = learn_all(problem, recipe, n_epochs, (seed + k) % 2**32, deadline)
        except DivergenceError as error:
            notify(validation.stays_as_it_was(member.name, error))
            return member
        if each.was_interrupted:
            raise KeyboardInterrupt
        if each.n_epochs < n_epochs:
            return member
        learners.append(each)
    return replace(member, learners=tuple(learners))


def _course(member: Member) -> tuple[Recipe | Partner, int]:
    """Return the recipe with as many epochs as there was time for, and how many were best."""
    networks = [each for each in member.learners if isinstance(each, Learner)]
    if not networks or not isinstance(member.recipe, Recipe):
        return member.recipe, 0
    course, best = np.rint(np.median([(each.course, each.best_epoch) for each in networks], axis=0))
    return member.recipe.with_(max_iter=max(int(course), 1)), int(best)
