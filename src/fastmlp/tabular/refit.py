"""Those who predict learn again, from all rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from fastmlp.notices import notify
from fastmlp.tabular.member import Learner, Member, learn_all
from fastmlp.tabular.partner import PartnerLearner
from fastmlp.tabular.problem import Problem
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
    diverges or that Ctrl-C ends stays as it was, and so do those after Ctrl-C.
    """
    result = list(members)
    try:
        for i in np.argsort(-weights, kind="stable"):
            wanted = LONGER * members[i].seconds
            if deadline is None or deadline - clock.now() > wanted:
                result[i] = _refitted(problem, members[i], (seed + int(i)) % 2**32, deadline)
    except KeyboardInterrupt:
        notify(INTERRUPTED)
    return tuple(result)


def _refitted(problem: Problem, member: Member, seed: int, deadline: float | None) -> Member:
    """Return a member with as many networks as before, or with one partner; or as it was."""
    is_partner = isinstance(member.learners[0], PartnerLearner)
    wanted = [each.best_epoch for each in member.learners if isinstance(each, Learner)]
    n_epochs = round(float(np.median(wanted))) if wanted else 0
    learners: list[Learner | PartnerLearner] = []
    for k in range(1 if is_partner else len(member.learners)):
        try:
            each = learn_all(problem, member.recipe, n_epochs, (seed + k) % 2**32, deadline)
        except DivergenceError:
            return member
        if each.was_interrupted:
            raise KeyboardInterrupt
        if each.n_epochs < n_epochs:
            return member
        learners.append(each)
    return replace(member, learners=tuple(learners))
