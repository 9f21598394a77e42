"""The commands for people with a table: their options; each hands over to what does the work."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from fastmlp.cli import INTERRUPTED
from fastmlp.cli.command import TableCommand
from fastmlp.cli.options import FiniteRange, seed_option, threads_option
from fastmlp.cli.output import Output
from fastmlp.cli.table_options import (
    check_columns,
    check_files,
    dialect_of,
    json_option,
    overwrite_option,
    quiet_option,
    reading_options,
)
from fastmlp.validation.wording import counted

__all__ = ["TABLE_COMMANDS"]

_DATA = click.argument("data", metavar="TABLE")
_MODEL = click.argument("model", metavar="MODEL")


@click.command(cls=TableCommand)
@_DATA
@click.option("--target", required=True, metavar="COLUMN", help="The column to predict.")
@click.option("--out", type=Output(), default="model.fastmlp", help="Where to save the model.")
@click.option(
    "--task",
    type=click.Choice(["auto", "classification", "regression"]),
    default="auto",
    help="Whether to predict classes or numbers. With auto, text and whole numbers of few "
    "different values are classes.",
)
@click.option(
    "--preset",
    type=click.Choice(["fast", "default", "best"]),
    default="default",
    help="How many networks to try: more take longer, and usually predict better.",
)
@click.option(
    "--time-limit",
    type=FiniteRange(0, min_open=True),
    metavar="SECONDS",
    help="Stop training after this time and keep the best model so far.",
)
@click.option(
    "--metric",
    metavar="NAME",
    help="What to choose networks by: error, log_loss, auc or brier for classes; rmse or mae for "
    "numbers; or a scorer of scikit-learn.  [default: error or rmse]",
)
@click.option(
    "--test-size",
    type=FiniteRange(0, 1, max_open=True),
    metavar="SHARE",
    default=0.2,
    help="Share of the rows to judge the model by; it does not learn from them. 0 means none.",
)
@click.option("--test", metavar="TABLE", help="Judge the model by the rows of this table instead.")
@click.option("--drop", multiple=True, metavar="COLUMN", help="Ignore this column. Repeatable.")
@click.option(
    "--category",
    multiple=True,
    metavar="COLUMN",
    help="Treat this column of numbers as categories. Repeatable.",
)
@click.option("--report", type=Output(), help="Write an HTML report about the model.")
@seed_option
@threads_option
@overwrite_option
@reading_options
@json_option
@quiet_option
def train(data: str, out: Path, report: Path | None, as_json: bool, **options: Any) -> None:
    """Learn to predict one column of a TABLE from the others.

    TABLE is a CSV, Parquet, Arrow or npz file, which may be compressed with gzip, or - for
    standard input. The kind of file, the delimiter and the decimal mark are detected.

    Some of the rows are set aside to judge the model, so the figures say how good it is on new
    rows.
    """
    written = {"--out": out, "--report": report}
    check_files(data, options["test"], overwrite=options["overwrite"], **written)
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
@click.option(
    "--out",
    default="-",
    metavar="FILE",
    help="Where to write predictions: .csv, .csv.gz, .parquet, .arrow, .feather or .npz; - is "
    "standard output.",
)
@click.option("--proba", is_flag=True, help="Also write the probability of each class.")
@click.option(
    "--keep",
    multiple=True,
    metavar="COLUMN",
    help="Copy this column of TABLE to the output. Repeatable.",
)
@overwrite_option
@reading_options
@json_option
@quiet_option
def predict(
    model: str, data: str, out: str, keep: tuple[str, ...], as_json: bool, **options: Any
) -> None:
    """Predict the rows of a TABLE with a MODEL.

    MODEL is a file that fastmlp train has written. Predictions go to standard output as CSV, or to
    a file in the format that its ending names.
    """
    from fastmlp.cli import predict as work
    from fastmlp.cli.outcome import print_json
    from fastmlp.cli.tables.opening import STANDARD
    from fastmlp.cli.tables.writing import check_ending, write_table

    check_ending(out)
    written = {"--out": None if out == STANDARD else Path(out)}
    check_files(data, model, overwrite=options["overwrite"], **written)
    if out != STANDARD:
        Output().convert(out, None, click.get_current_context())
    if work.PREDICTION in keep:
        raise click.UsageError("--keep prediction: the column of predictions has that name.")
    teller = _teller(options, as_json)
    wants_proba = bool(options["proba"])
    found = work.predict(model, data, _dialect(options), keep, teller, proba=wants_proba)
    if out != STANDARD or not as_json:
        write_table(out, found.columns(keep), found.table.dialect)
    if as_json:
        print_json(found.as_plain(out, keep, teller.told))
    elif out != STANDARD:
        teller.say(f"{counted(len(found.prediction), 'prediction')} written to {out}")


@click.command(cls=TableCommand)
@_MODEL
@_DATA
@click.option(
    "--target",
    metavar="COLUMN",
    help="The column with the true values.  [default: the one the model learnt to predict]",
)
@click.option("--report", type=Output(), help="Write an HTML report about the model on these rows.")
@seed_option
@overwrite_option
@reading_options
@json_option
@quiet_option
def evaluate(model: str, data: str, report: Path | None, as_json: bool, **options: Any) -> None:
    """Judge a MODEL by a TABLE that has the true values.

    The figures are honest only if the model has not learnt from these rows.
    """
    check_files(data, model, overwrite=options["overwrite"], **{"--report": report})
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
    """Show what is in a MODEL: columns, candidates, version, size."""
    from fastmlp.cli.showing import inspect as work

    work(model, as_json=as_json)


@click.command(cls=TableCommand)
@_MODEL
@click.argument("out", type=Output(), metavar="FILE")
@click.option("--name", help="Prefix of all names in a C file.  [default: model]")
@click.option(
    "--weights",
    type=click.Choice(["float", "int16", "int8"]),
    help="How a C file stores weights: integers take less memory and round.  [default: float]",
)
@overwrite_option
@json_option
def export(model: str, out: Path, overwrite: bool, as_json: bool, **options: str | None) -> None:
    """Write a MODEL to a FILE of C or ONNX.

    FILE ends with .c or .onnx. Both take rows of the raw table: the preprocessing of the columns
    is included.
    """
    check_files(model, overwrite=overwrite, **{"FILE": out})
    from fastmlp.cli.export import export as work
    from fastmlp.cli.outcome import print_json
    from fastmlp.cli.wording import size

    n_bytes = work(model, out, options)
    if as_json:
        print_json({"model": model, "out": str(out), "bytes": n_bytes})
    else:
        click.echo(f"written to {out} ({size(n_bytes)})")


def _dialect(options: dict[str, Any]) -> Any:
    names = ("delimiter", "decimal", "encoding", "no_header", "missing")
    return dialect_of(**{name: options[name] for name in names})


def _teller(options: dict[str, Any], as_json: bool) -> Any:
    from fastmlp.cli.telling import Teller

    return Teller(is_quiet=options["quiet"])


def _end_as_interrupted(teller: Any) -> None:
    """End with the status of Ctrl-C if it has ended a fit, of which a model was left."""
    if teller.interrupted:
        click.echo("Interrupted: the model holds what was learnt so far.", err=True)
        click.get_current_context().exit(INTERRUPTED)


TABLE_COMMANDS = (train, predict, evaluate, inspect, export)
