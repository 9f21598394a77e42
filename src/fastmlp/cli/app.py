"""The commands and their options; each hands over to the module that does the work."""

from __future__ import annotations

from pathlib import Path

import click
import matplotlib as mpl
import numpy as np
from matplotlib.backend_bases import FigureCanvasBase
from rich.console import Console

from fastmlp._version import __version__
from fastmlp.backends import BACKENDS, get_backend
from fastmlp.cli.data import DATA_VARIABLE, DataError
from fastmlp.cli.epochs import GRID
from fastmlp.cli.timing import WrongResultError

__all__ = ["commands"]

_BACKEND = click.Choice(list(BACKENDS))
_FILE = click.Path(path_type=Path, dir_okay=False)
_POSITIVE = click.IntRange(min=1)
_PROBABILITY = click.FloatRange(min=0, max=1, max_open=True)


class _Widths(click.ParamType[tuple[int, ...]]):
    """Widths of the hidden layers, such as 256,128."""

    name = "widths"

    def convert(
        self,
        value: str | tuple[int, ...],
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> tuple[int, ...]:
        if isinstance(value, tuple):
            return value
        try:
            widths = tuple(int(width) for width in value.split(","))
        except ValueError:
            widths = ()
        if not widths or min(widths) < 1:
            self.fail(f"{value!r} is no list of whole numbers >= 1 such as 256,128", param, ctx)
        return widths


class _Output(click.ParamType[Path]):
    """A file to write, in a folder that exists; said before the work, not after it."""

    name = "file"

    def convert(
        self, value: str | Path, param: click.Parameter | None, ctx: click.Context | None
    ) -> Path:
        path = Path(value)
        if path.is_dir() or not path.resolve().parent.is_dir():
            self.fail(f"{value} is a folder or lies in one that does not exist", param, ctx)
        return path


class _Picture(_Output):
    """An output whose suffix names a format that matplotlib writes."""

    def convert(
        self, value: str | Path, param: click.Parameter | None, ctx: click.Context | None
    ) -> Path:
        path = super().convert(value, param, ctx)
        formats = sorted(FigureCanvasBase.get_supported_filetypes())
        if path.suffix.removeprefix(".").lower() not in formats:
            self.fail(f"{value} must end with one of {', '.join(formats)}", param, ctx)
        return path


@click.group(context_settings={"help_option_names": ["-h", "--help"], "show_default": True})
@click.version_option(__version__, prog_name="fastmlp")
def commands() -> None:
    """Multi-layer perceptrons on CPUs: a demonstration, timings and facts about this build."""
    mpl.use("Agg")  # pictures go to files; a display may not exist
    try:
        get_backend("compiled")
    except ValueError as error:  # FASTMLP_ISA names what this machine has not
        raise click.UsageError(str(error)) from error


@commands.command()
@click.option(
    "--data", type=_FILE, help=f"MNIST as .npz; else ${DATA_VARIABLE}, else 1,797 digits."
)
@click.option("--epochs", type=_POSITIVE, default=60, help="At most so many epochs.")
@click.option("--hidden", type=_Widths(), default="256,128", help="Widths of the hidden layers.")
@click.option("--dropout", type=_PROBABILITY, default=0.2, help="Of the hidden units.")
@click.option("--backend", type=_BACKEND, default="compiled")
@click.option("--threads", type=_POSITIVE, help="Default: what the machine allows.")
@click.option("--seed", type=click.IntRange(0, 2**32 - 1), default=0)
@click.option("--output", type=_Picture(), default="demo.png", help="Picture to write.")
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
    """Train a classifier on handwritten digits and draw what it learnt."""
    from fastmlp.cli import demo as work
    from fastmlp.cli.data import load

    try:
        digits = load(data)
    except DataError as error:
        raise click.UsageError(str(error)) from error
    parameters = {
        "hidden_layer_sizes": hidden,
        "dropout": dropout,
        "max_iter": epochs,
        "backend": backend,
        "n_threads": threads,
        "random_state": seed,
    }
    work.run(digits, parameters, output, Console())


@commands.command()
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
@click.option("--threads", type=_POSITIVE, help="For epochs; default: what the machine allows.")
@click.option("--output", type=_Picture(), default="bench.png", help="Picture to write.")
@click.option("--json", "json_path", type=_Output(), help="Write the figures to this file too.")
def bench(
    quick: bool,
    backends: tuple[str, ...],
    cells: tuple[str, ...],
    dtype: str,
    threads: int | None,
    output: Path,
    json_path: Path | None,
) -> None:
    """Time kernels and epochs on every backend, beside this machine's FMA peak."""
    from fastmlp.cli import bench as work
    from fastmlp.cli.measure import Effort
    from fastmlp.threads import default_threads

    settings = work.Bench(
        backends=backends,
        cells=cells,
        dtype=np.dtype(dtype),
        n_threads=threads or default_threads(),
        effort=Effort.quick() if quick else Effort(),
        picture=output,
        json=json_path,
    )
    try:
        work.run(settings, Console())
    except WrongResultError as error:
        raise click.ClickException(str(error)) from error


@commands.command()
def info() -> None:
    """Print the instruction set, threads, compiler and versions."""
    from fastmlp.config import show_config

    show_config()
