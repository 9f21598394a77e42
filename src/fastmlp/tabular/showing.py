"""What ``verbose`` shows of a race."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from fastmlp.tabular.portfolio import Portfolio
from fastmlp.tabular.problem import Problem
from fastmlp.tabular.split import Split
from fastmlp.training.progress_bar import console_to_draw_on, progress_on

__all__ = ["n_epochs_of", "showing"]


def n_epochs_of(portfolio: Portfolio, transform: str | None, splits: list[Split]) -> int:
    """Return how many epochs a race takes, if its longest recipes win."""
    longest = max(recipe.max_iter for recipe in portfolio.entrants)
    return len(splits) * (portfolio.n_epochs + (longest if transform is not None else 0))


@contextmanager
def showing(
    verbose: bool | str, problem: Problem, n_epochs: int
) -> Iterator[tuple[Problem, Callable[[str], None]]]:
    """Give a problem whose networks move a bar, if one is wanted, and what tells of a candidate."""
    if verbose != "bar":
        yield problem, print if verbose else _silent
        return
    with progress_on(console_to_draw_on()) as progress:
        task = progress.add_task("", total=n_epochs, figures="")

        def epoch_ended(record: Any) -> None:
            progress.update(task, advance=1)

        def tell(line: str) -> None:
            progress.console.print(line, markup=False, highlight=False, soft_wrap=True)

        settings = {**problem.settings, "callbacks": [epoch_ended]}
        yield replace(problem, settings=settings), tell
        progress.update(task, total=progress.tasks[task].completed)  # fewer where it ended early


def _silent(line: str) -> None:
    """Tell nothing."""
