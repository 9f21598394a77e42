"""The commands and their options; each hands over to the module that does the work."""

from __future__ import annotations

from pathlib import Path

import click

from fastmlp._version import __version__
from fastmlp.backends import BACKENDS
from fastmlp.cli import INTERRUPTED
from fastmlp.cli.command import Command
from fastmlp.cli.data import DATA_VARIABLE
from fastmlp.cli.epochs import GRID
from fastmlp.cli.options import Widths, default_of, type_of
from fastmlp.cli.output import Output, Picture
from fastmlp.cli.table_commands import TABLE_COMMANDS
from fastmlp.validation.rules import MAX_SEED

__all__ = ["commands"]

_BACKEND = type_of("backend")
_THREADS = type_of("n_threads")
_FILE = click.Path(path_type=Path, dir_okay=False)


_HELP = """Multi-layer perceptrons on CPUs: from a table to a model and its predictions.

\b
fastmlp train houses.csv --target price --report report.html
fastmlp predict model.fastmlp new.csv --out predictions.csv

Statuses: 0 if all went well; 1 if a table, a model or a file is not as it must be; 2 for wrong
options; 3 for a defect of fastmlp; 130 after Ctrl-C.
"""


class _InOrder(click.Group):
    """Lists its commands as they were added, the usual ones first."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names."""
        return list(self.commands)


@click.group(
    cls=_InOrder,
    help=_HELP,
    context_settings={"help_option_names": ["-h", "--help"], "show_default": True},
)
@click.version_option(__version__, prog_name="fastmlp")
def commands() -> None:
    """Start what the words after ``fastmlp`` ask for."""


for _each in TABLE_COMMANDS:
    commands.add_command(_each)


@commands.command(cls=Command)
@click.option(
    "--data", type=_FILE, help=f"MNIST as .npz; else ${DATA_VARIABLE}, else 1,797 digits."
)
@click.option("--epochs", type=type_of("max_iter"), default=60, help="At most so many epochs.")
@click.option("--hidden", type=Widths(), default="256,128", help="Widths of the hidden layers.")
@click.option("--dropout", type=type_of("dropout"), default=0.2, help="Of the hidden units.")
@click.option("--backend", type=_BACKEND, default=default_of("backend"))
@click.option("--threads", type=_THREADS, help="Default: what the machine allows.")
@click.option("--seed", type=click.IntRange(0, MAX_SEED), default=0)
@click.option("--output", type=Picture(), default="demo.png", help="Picture to write.")
def demo(
    data: Path | None,
    epochs: int,
    hidden: tuple[int, ...],
    dropout: float,
    backend: str,
    threads: int | None,
    seed: int,
    output: Path,
) -> None:
    """Learn to read handwritten digits and draw what was learnt."""
    from rich.console import Console

    from fastmlp.cli import demo as work
    from fastmlp.cli.data import load

    if data is not None and _same(data, output):
        raise click.UsageError("--output would overwrite the file that --data names.")
    digits = load(data)
    parameters = {
        "hidden_layer_sizes": hidden,
        "dropout": dropout,
        "max_iter": epochs,
        "backend": backend,
        "n_threads": threads,
        "random_state": seed,
    }
    if not work.run(digits, parameters, output, Console()):
        click.get_current_context().exit(INTERRUPTED)


@commands.command(cls=Command)
@click.option("--quick", is_flag=True, help="Fewer and shorter runs.")
@click.option(
    "--backend",
    "backends",
    type=_BACKEND,
    multiple=True,
    default=list(BACKENDS),
    help="May be given several times.",
)
@click.option(
    "--cell",
    "cells",
    type=click.Choice(list(GRID)),
    multiple=True,
    default=["digits"],
    help="Network whose epoch is timed; may be given several times.",
)
@click.option("--dtype", type=click.Choice(["float32", "float64"]), default="float32")
@click.option("--threads", type=_THREADS, help="For epochs; default: what the machine allows.")
@click.option("--output", type=Picture(), default="bench.png", help="Picture to write.")
@click.option("--json", "json_path", type=Output(), help="Write the figures to this file too.")
def bench(
    quick: bool,
    backends: tuple[str, ...],
    cells: tuple[str, ...],
    dtype: str,
    threads: int | None,
    output: Path,
    json_path: Path | None,
) -> None:
    """Time kernels and epochs on every backend.

    Figures stand beside this machine's FMA peak.
    """
    import numpy as np
    from rich.console import Console

    from fastmlp.cli import bench as work
    from fastmlp.cli.measure import Effort
    from fastmlp.threads import default_threads

    if json_path is not None and _same(json_path, output):
        raise click.UsageError("--output and --json name the same file.")
    settings = work.Bench(
        backends=backends,
        cells=cells,
        dtype=np.dtype(dtype),
        n_threads=threads or default_threads(),
        effort=Effort.quick() if quick else Effort(),
        picture=output,
        json=json_path,
    )
    work.run(settings, Console())


def _same(one: Path, other: Path) -> bool:
    """Return whether two paths lead to one file, which need not exist."""
    return one.resolve() == other.resolve()


@commands.command(cls=Command)
def info() -> None:
    """Print the instruction set, threads, compiler and versions."""
    from fastmlp.config import show_config

    show_config()
