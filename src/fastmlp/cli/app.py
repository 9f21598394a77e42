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
from fastmlp.cli.options import Widths, default_of, seed_option, threads_option, type_of
from fastmlp.cli.output import Output, Picture
from fastmlp.cli.table_commands import TABLE_COMMANDS
from fastmlp.cli.table_options import check_files, json_option, overwrite_option

__all__ = ["commands"]

_BACKEND = type_of("backend")
_FILE = click.Path(path_type=Path, dir_okay=False)


_HELP = """Multi-layer perceptrons on CPUs: from a table to a model and its predictions.

\b
fastmlp train houses.csv --target price --report report.html
fastmlp predict model.fastmlp new.csv --out predictions.csv

Exit status: 0 after success; 1 if a table, a model or another file can't be used; 2 for a wrong
option or argument; 3 for a defect of fastmlp; 130 after Ctrl-C. No file is replaced unless
--overwrite is given.
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
    "--data",
    type=_FILE,
    help="MNIST as an .npz file.  "
    f"[default: what ${DATA_VARIABLE} names, else 1,797 digits of scikit-learn]",
)
@click.option(
    "--epochs",
    type=type_of("max_iter"),
    metavar="NUMBER",
    default=60,
    help="Maximum number of epochs.",
)
@click.option("--hidden", type=Widths(), default="256,128", help="Widths of the hidden layers.")
@click.option(
    "--dropout",
    type=type_of("dropout"),
    metavar="SHARE",
    default=0.2,
    help="Share of the hidden units that each batch leaves out.",
)
@click.option(
    "--backend", type=_BACKEND, default=default_of("backend"), help="What computes the network."
)
@threads_option
@seed_option
@click.option("--output", type=Picture(), default="demo.png", help="Where to save the picture.")
@overwrite_option
@json_option
def demo(
    data: Path | None,
    epochs: int,
    hidden: tuple[int, ...],
    dropout: float,
    backend: str,
    threads: int | None,
    seed: int,
    output: Path,
    overwrite: bool,
    as_json: bool,
) -> None:
    """Learn to read handwritten digits, and draw what was learnt."""
    from rich.console import Console

    from fastmlp.cli import demo as work
    from fastmlp.cli.data import load
    from fastmlp.cli.outcome import print_json

    check_files(str(data) if data else None, overwrite=overwrite, **{"--output": output})
    digits = load(data)
    parameters = {
        "hidden_layer_sizes": hidden,
        "dropout": dropout,
        "max_iter": epochs,
        "backend": backend,
        "n_threads": threads,
        "random_state": seed,
    }
    found = work.run(digits, parameters, output, Console(stderr=as_json))
    if as_json:
        print_json(found)
    if found["interrupted"]:
        click.get_current_context().exit(INTERRUPTED)


@commands.command(cls=Command)
@click.option("--quick", is_flag=True, help="Measure fewer and shorter runs.")
@click.option(
    "--backend",
    "backends",
    type=_BACKEND,
    multiple=True,
    default=list(BACKENDS),
    help="Backend to time. Repeatable.",
)
@click.option(
    "--cell",
    "cells",
    type=click.Choice(list(GRID)),
    multiple=True,
    default=["digits"],
    help="Network whose epochs are timed. Repeatable.",
)
@click.option(
    "--dtype",
    type=click.Choice(["float32", "float64"]),
    default="float32",
    help="Type of the numbers.",
)
@threads_option
@click.option("--output", type=Picture(), default="bench.png", help="Where to save the picture.")
@click.option(
    "--json", "json_path", type=Output(), help="Also write the figures to this file, as JSON."
)
@overwrite_option
def bench(
    quick: bool,
    backends: tuple[str, ...],
    cells: tuple[str, ...],
    dtype: str,
    threads: int | None,
    output: Path,
    json_path: Path | None,
    overwrite: bool,
) -> None:
    """Time kernels and epochs on every backend.

    The figures are compared with the peak of this machine's multiply-add units.
    """
    import numpy as np
    from rich.console import Console

    from fastmlp.cli import bench as work
    from fastmlp.cli.measure import Effort
    from fastmlp.threads import default_threads

    check_files(overwrite=overwrite, **{"--output": output, "--json": json_path})
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


@commands.command(cls=Command)
@json_option
def info(as_json: bool) -> None:
    """Print the instruction set, threads, compiler and versions."""
    from fastmlp.cli.outcome import print_json
    from fastmlp.config import config_dict, show_config

    if as_json:
        print_json(config_dict())
    else:
        show_config()
