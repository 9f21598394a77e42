"""What a command tells beside its result: a line a warning, and a bar, all on standard error."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import click

from fastmlp.training.loop import INTERRUPTED
from fastmlp.validation.wording import one_line

__all__ = ["Teller"]

#: A warning may be longer than an error's texts of others.
LONGEST = 400


@dataclass
class Teller:
    """Tells of what a user should know, and keeps it for reports.

    Attributes
    ----------
    is_quiet : bool
        Whether nothing is said until the end.
    told : list of str
        Each text once.
    interrupted : bool
        Whether Ctrl-C has ended a fit, which keeps what it has learnt.
    """

    is_quiet: bool = False
    told: list[str] = field(default_factory=list)
    interrupted: bool = False

    def say(self, text: str) -> None:
        """Say how it goes."""
        if not self.is_quiet:
            click.echo(text, err=True)

    def warn(self, text: str) -> None:
        """Say a warning, if it has not been said."""
        line = one_line(text, LONGEST)
        if line not in self.told:
            self.told.append(line)
            self.say(f"Warning: {line}")

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Make lines of what Python would print of warnings, at the end."""
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("default")
            try:
                yield
            finally:
                notes = [str(note.message) for note in caught]
        for note in notes:
            if note == INTERRUPTED:
                self.interrupted = True
            else:
                self.warn(note)

    @property
    def draws(self) -> bool:
        """Whether a bar is wanted: somebody looks, and nothing else is asked for."""
        return not self.is_quiet and sys.stderr is not None and sys.stderr.isatty()
