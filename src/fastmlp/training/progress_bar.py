"""What ``verbose="bar"`` shows."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import timedelta
from typing import TYPE_CHECKING

from fastmlp.training.observers import Observer
from fastmlp.training.state import TrainerState

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress, TaskID

__all__ = ["ProgressBar", "console_to_draw_on", "drawing_on", "progress_on"]

#: What this thread draws on, where that is not what rich chooses.
_CONSOLE: ContextVar[Console | None] = ContextVar("_CONSOLE", default=None)


@contextmanager
def drawing_on(console: Console) -> Iterator[None]:
    """Let bars of this thread be drawn on a console, such as that of standard error."""
    token = _CONSOLE.set(console)
    try:
        yield
    finally:
        _CONSOLE.reset(token)


def console_to_draw_on() -> Console:
    """Return what is drawn on: a terminal, a notebook, or a file."""
    from rich.console import Console  # noqa: PLC0415 - not every fit needs it

    return _CONSOLE.get() or Console()


def progress_on(console: Console) -> Progress:
    """Return a bar with the epochs before it and ``figures`` behind."""
    from rich.progress import (  # noqa: PLC0415 - not every fit needs it
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
    )

    return Progress(
        TextColumn("Epoch"),
        MofNCompleteColumn(),
        BarColumn(),
        TextColumn("{task.fields[figures]}", markup=False),
        console=console,
    )


class ProgressBar(Observer):
    """Shows epochs done, loss, score and the time that is left at most.

    Attributes
    ----------
    says_why : bool
        Whether the reason for the end is worth a line.
    """

    _progress: Progress
    _task: TaskID

    def __init__(self, says_why: bool) -> None:
        self.says_why = says_why
        self._is_drawn = False

    def training_begins(self, state: TrainerState) -> None:
        """Draw an empty bar."""
        self._progress = progress_on(console_to_draw_on())
        self._task = self._progress.add_task("", total=state.max_iter, figures="")
        self._progress.start()
        self._is_drawn = True

    def epoch_ended(self, state: TrainerState) -> None:
        """Move the bar on; it is drawn ten times a second, not each time."""
        for remark in state.remarks:
            self._print(remark)
        done, total = state.epoch, state.max_iter  # fewer where the time is limited
        self._progress.update(self._task, completed=done, total=total, figures=_figures(state))

    def training_ended(self, state: TrainerState) -> None:
        """Leave the bar full, and print the reason."""
        self._progress.update(self._task, total=state.epoch, figures=_numbers(state))
        self.close(state)
        if self.says_why and state.ending is not None:
            self._print(state.ending.reason)

    def close(self, state: TrainerState) -> None:
        """Let the bar be drawn no more."""
        if self._is_drawn:
            self._is_drawn = False
            self._progress.stop()

    def _print(self, line: str) -> None:
        self._progress.console.print(line, markup=False, highlight=False, soft_wrap=True)


def _numbers(state: TrainerState) -> str:
    """Return loss and score of the last epoch as a text."""
    if not state.epoch:
        return ""
    score = "" if state.validation_score is None else f"  score {state.validation_score:.4f}"
    return f"loss {state.loss:.4g}{score}"


def _figures(state: TrainerState) -> str:
    """Return loss, score, and the time that is left if no observer ends the training before."""
    left = state.seconds / state.epoch * (state.max_iter - state.epoch)
    if state.seconds_left is not None:
        left = min(left, state.seconds_left)
    return f"{_numbers(state)}  {timedelta(seconds=round(left))} left"
