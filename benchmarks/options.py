"""Options that several benchmarks share, so that they are called and explained alike."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from pathlib import Path
from typing import Any

import click
from results_file import UNFINISHED, Slice
from rich.console import Console

from fastmlp.cli.epochs import CELLS, EXTRA, GRID, WIDE

__all__ = [
    "chosen_cells",
    "console_for_tables",
    "outputs",
    "rounds",
    "slices",
    "threads",
    "training",
]

SHAPES = {"grid": GRID, "extra": EXTRA, "wide": WIDE, "all": CELLS}
#: Columns of the tables where nobody says how wide the paper is.
WIDTH = 132

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]

threads = click.option(
    "--threads", type=click.IntRange(min=1), help="Default: what the machine allows."
)


def rounds(default: int) -> Decorator:
    """Return the option for the number of interleaved rounds."""
    return click.option("--rounds", type=click.IntRange(min=1), default=default)


def outputs(name: str) -> Decorator:
    """Return the options for the files to write, ``bench-NAME.json`` and ``.png`` by default."""
    file = click.Path(path_type=Path, dir_okay=False)
    return _together(
        click.option("--json", "json_path", type=file, default=f"bench-{name}.json"),
        click.option("--output", type=file, default=f"bench-{name}.png", help="Picture to write."),
    )


def slices(*again: str) -> Decorator:
    """Return the options that cut a run into slices; the function gets them as ``cut``.

    ``again`` are those that can be measured anew, if there is a choice.
    """
    options = _together(
        click.option("--resume", is_flag=True, help="Measure only what the file of figures lacks."),
        click.option(
            "--stop-after",
            type=click.FloatRange(min=0),
            metavar="SECONDS",
            help=f"Begin nothing new after so long; exit status {UNFINISHED} if something is left.",
        ),
        click.option(
            "--again",
            type=click.Choice(again),
            multiple=True,
            hidden=not again,
            help="With --resume, measure this one anew, as one whose code has changed.",
        ),
    )

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(function)
        def call(
            *, resume: bool, stop_after: float | None, again: tuple[str, ...], **others: Any
        ) -> Any:
            return function(cut=Slice(resume, stop_after, again), **others)

        return options(call)

    return decorate


def training(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options of whole fits: which networks, and for how long."""
    return _together(
        click.option(
            "--shapes",
            type=click.Choice(list(SHAPES)),
            default="grid",
            help="The grid, what it leaves out, wide networks with some narrow ones, or all.",
        ),
        click.option(
            "--cell",
            "cells",
            type=click.Choice(list(CELLS)),
            multiple=True,
            help="These networks only; may be given several times.",
        ),
        click.option(
            "--seconds", type=float, default=2.0, help="About how long the slowest peer's fit is."
        ),
    )(function)


def chosen_cells(shapes: str, cells: Sequence[str]) -> list[str]:
    """Return the names that ``--shapes`` and ``--cell`` mean."""
    return list(cells or SHAPES[shapes])


def console_for_tables() -> Console:
    """Return a console that is wide enough for the tables also when it writes to a file."""
    console = Console()
    return console if console.is_terminal else Console(width=WIDTH)


def _together(*options: Decorator) -> Decorator:
    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        for option in reversed(options):
            function = option(function)
        return function

    return decorate
