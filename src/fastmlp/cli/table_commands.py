"""The commands for people with a table: their options; each hands over to what does the work."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from fastmlp.cli import INTERRUPTED
from fastmlp.cli.command import TableCommand
from fastmlp.cli.options import FiniteRange, type_of
from fastmlp.cli.output import Output
from fastmlp.cli.table_options import (
    check_columns,
    check_files,
    dialect_of,
    json_option,
    quiet_option,
    reading_options,
)
from fastmlp.validation.rules import MAX_SEED

__all__ = ["TABLE_COMMANDS"]

_DATA = click.argument("data", metavar="TABLE")
_MODEL = click.argument("model", metavar="MODEL")
_THREADS = click.option("--threads", type=type_of("n_threads"), help="[default: all cores]")


@click.command(cls=TableCommand)
@_DATA
@click.option("--target", required=True, metavar="COLUMN", help="The column to be predicted.")
@click.option("--out", type=Output(), default="model.fastmlp", help="The model's file.")
@click.option(
    "--task",
    type=click.Choice(["auto", "classification", "regression"]),
    default="auto",
    help="By default texts and few different whole numbers are classes.",
)
@click.option(
    "--preset",
    type=click.Choice(["fast", "default", "best"]),
    default="default",
    help="How much is tried.",
)
@click.option(
    "--time-limit",
    type=FiniteRange(0, min_open=True),
    metavar="SECONDS",
    help="End the training then; what was best until then predicts.",
)
@click.option("--metric", metavar="NAME", help="What good is: error, log_loss, auc, rmse, mae, …")
@click.option(
    "--test-size",
    type=FiniteRange(0, 1, max_open=True),
    default=0.2,
    help="Share of the rows that is held out to judge the model; 0: none.",
)
@click.option("--test", metavar="TABLE", help="A table of its own to judge the model.")
@click.option("--drop", multiple=True, metavar="COLUMN", help="Left out; several times.")
@click.option(
    "--category", multiple=True, metavar="COLUMN", help="Numbers that are codes; several times."
)
@click.option("--report", type=Output(), help="An HTML page about the model.")
@click.option("--seed", type=click.IntRange(0, MAX_SEED), default=0)
@_THREADS
@reading_options
@json_option
@quiet_option
def train(data: str, out: Path, report: Path | None, as_json: bool, **options: Any) -> None:
    """Learn to predict a column of a TABLE from the others.

    TABLE is a file of CSV (compressed by gzip, too), Parquet, Arrow or npz, or - for standard
    input. What kind of file it is, its delimiter and its decimal mark are found.

    A part of the rows is held out, so that the figures say how good the model is on new rows.
    """
    check_files(data, options["test"], **{"--out": out, "--report": report})
    check_columns(options["target"], options["drop"], options["category"])
    from fastmlp.cli import train as work
    from fastmlp.cli.reporting import tell_training

    wanted = work.Training(
        data=data,
        target=options["target"],
        dialect=_dialect(options),
        task=None if options["task"] == "auto" else options["task"],
        test=options["test"],
        test_size=options["test_size"],
        drop=options["drop"],
        categories=options["category"],
        seed=options["seed"],
        parameters={
            "preset": options["preset"],
            "time_limit": options["time_limit"],
            "metric": options["metric"],
            "n_threads": options["threads"],
        },
    )
    teller = _teller(options, as_json)
    trained = work.train(wanted, out, teller)
    tell_training(trained, wanted, out, report, teller, as_json=as_json)
    _end_as_interrupted(teller)


@click.command(cls=TableCommand)
@_MODEL
@_DATA
@click.option("--out", default="-", metavar="FILE", help="CSV, .csv.gz, .parquet, .arrow or .npz.")
@click.option("--proba", is_flag=True, help="The probability of each class, too.")
@click.option(
    "--keep", multiple=True, metavar="COLUMN", help="Taken along from TABLE; several times."
)
@reading_options
@json_option
@quiet_option
def predict(
    model: str, data: str, out: str, keep: tuple[str, ...], as_json: bool, **options: Any
) -> None:
    """Predict the rows of a TABLE by a MODEL.

    MODEL is a file that fastmlp train has written. Predictions go to standard output as CSV, or to
    a file whose ending says how it is written.
    """
    from fastmlp.cli import predict as work
    from fastmlp.cli.outcome import print_json
    from fastmlp.cli.tables.opening import STANDARD
    from fastmlp.cli.tables.writing import check_ending, write_table

    check_ending(out)
    check_files(data, model, **{"--out": None if out == STANDARD else Path(out)})
    if out != STANDARD:
        Output().convert(out, None, click.get_current_context())
    if work.PREDICTION in keep:
        raise click.UsageError("--keep prediction: the predictions have that name.")
    teller = _teller(options, as_json)
    wants_proba = bool(options["proba"])
    found = work.predict(model, data, _dialect(options), keep, teller, proba=wants_proba)
    if out != STANDARD or not as_json:
        write_table(out, found.columns(keep), found.table.dialect)
    if as_json:
        print_json(found.as_plain(out, keep, teller.told))
    elif out != STANDARD:
        teller.say(f"{len(found.prediction):,} predictions: {out}")


@click.command(cls=TableCommand)
@_MODEL
@_DATA
@click.option("--target", metavar="COLUMN", help="[default: the column that the model learnt]")
@click.option("--report", type=Output(), help="An HTML page about the model on these rows.")
@click.option("--seed", type=click.IntRange(0, MAX_SEED), default=0, help="Of the shuffled rows.")
@reading_options
@json_option
@quiet_option
def evaluate(model: str, data: str, report: Path | None, as_json: bool, **options: Any) -> None:
    """Judge a MODEL by a TABLE whose target is known.

    The figures are honest only for rows that the model has not learnt from.
    """
    check_files(data, model, **{"--report": report})
    from fastmlp.cli import evaluate as work
    from fastmlp.cli.reporting import tell_evaluation

    teller = _teller(options, as_json)
    target, seed = options["target"], options["seed"]
    found = work.evaluate(model, data, target, _dialect(options), seed, teller)
    tell_evaluation(found, model, report, teller, as_json=as_json)


@click.command(cls=TableCommand)
@_MODEL
@json_option
def inspect(model: str, as_json: bool) -> None:
    """Say what is in a MODEL: columns, candidates, versions, sizes."""
    from fastmlp.cli.showing import inspect as work

    work(model, as_json=as_json)


@click.command(cls=TableCommand)
@_MODEL
@click.argument("out", type=Output(), metavar="FILE")
@click.option("--name", help="With which all names in a file of C begin.  [default: model]")
@click.option(
    "--weights", type=click.Choice(["float", "int16", "int8"]), help="Of C.  [default: float]"
)
def export(model: str, out: Path, name: str | None, weights: str | None) -> None:
    """Write a MODEL as C or ONNX, by how FILE ends.

    FILE ends with .c or .onnx. Both take raw rows: the preprocessing of the columns is within them.
    """
    check_files(model, **{"FILE": out})
    from fastmlp.cli.export import export as work

    click.echo(work(model, out, {"name": name, "weights": weights}))


def _dialect(options: dict[str, Any]) -> Any:
    names = ("delimiter", "decimal", "encoding", "no_header", "missing")
    return dialect_of(**{name: options[name] for name in names})


def _teller(options: dict[str, Any], as_json: bool) -> Any:
    from fastmlp.cli.telling import Teller

    return Teller(is_quiet=options["quiet"])


def _end_as_interrupted(teller: Any) -> None:
    """End with the status of Ctrl-C if it has ended a fit, of which a model was left."""
    if teller.interrupted:
        click.echo("Interrupted: the model is what was learnt until then.", err=True)
        click.get_current_context().exit(INTERRUPTED)


TABLE_COMMANDS = (train, predict, evaluate, inspect, export)
