"""Models of raw tables: ``python benchmarks/tabular.py --help``.

Each model learns from four fifths of each table, once a seed, and is judged by the last fifth:
share of wrong classes, or root mean squared error over the target's standard deviation.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator
from pathlib import Path
from time import perf_counter
from typing import NamedTuple

import click
import numpy as np
from candidates.tables import MODELS
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter
from options import outputs, threads
from rich.console import Console
from rich.table import Table
from table_data import TABLES, Split, available, split_of

from fastmlp.config import config_dict
from fastmlp.threads import default_threads


class Result(NamedTuple):
    """What a model reached on a table: an entry for each seed."""

    table: str
    model: str
    errors: list[float]
    seconds: list[float]

    @property
    def cells(self) -> tuple[str, ...]:
        """The row of the printed table."""
        mean, spread = np.mean(self.errors), np.std(self.errors)
        return (
            self.table,
            self.model,
            f"{mean:.4f}",
            f"{spread:.4f}",
            f"{np.mean(self.seconds):.1f}",
        )


@click.command(context_settings={"show_default": True})
@click.option("--table", "tables", type=click.Choice(list(TABLES)), multiple=True)
@click.option("--model", "models", type=click.Choice(list(MODELS)), multiple=True)
@click.option("--seeds", type=click.IntRange(min=1), default=3)
@threads
@outputs("tabular")
def main(
    tables: tuple[str, ...],
    models: tuple[str, ...],
    seeds: int,
    threads: int | None,
    json_path: Path,
    output: Path,
) -> None:
    """Compare models on raw tables, by default all that are there on all tables that are there."""
    n_threads = threads or default_threads()
    chosen = [name for name in models or MODELS if MODELS[name].is_there]
    results = list(run(tables or tuple(available()), chosen, seeds, n_threads))
    report(results, n_threads, json_path, output)


def run(
    tables: tuple[str, ...], models: list[str], n_seeds: int, n_threads: int
) -> Iterator[Result]:
    """Yield what each model reaches on each table; the models take turns, seed by seed."""
    for name in tables:
        task = TABLES[name]()
        split = split_of(task)
        results = {model: Result(name, model, [], []) for model in models}
        for seed in range(n_seeds):
            for model, result in results.items():
                error, seconds = judge(split, task.is_classification, model, seed, n_threads)
                result.errors.append(error)
                result.seconds.append(seconds)
        yield from results.values()


def judge(
    split: Split, is_classification: bool, model: str, seed: int, n_threads: int
) -> tuple[float, float]:
    """Return a model's error on the rows held back, and the seconds that its fit took."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of peers, about their own settings
        start = perf_counter()
        predict = MODELS[model].learn(
            split.train, split.train_target, is_classification, seed, n_threads
        )
        seconds = perf_counter() - start
        prediction = predict(split.test)
    if is_classification:
        return float((prediction != split.test_target).mean()), seconds
    squares = (prediction - split.test_target) ** 2
    return float(np.sqrt(squares.mean()) / split.test_target.std()), seconds


def report(results: list[Result], n_threads: int, json_path: Path, output: Path) -> None:
    """Print a line for each result; write the figures and a picture of error against time."""
    table = Table("table", "model", "error, mean", "spread", "seconds")
    for result in results:
        table.add_row(*result.cells)
    Console().print(table)
    rows = [result._asdict() for result in results]
    document = {"config": config_dict(), "n_threads": n_threads, "rows": rows}
    json_path.write_text(json.dumps(document, indent=1) + "\n")
    draw(results).savefig(output)


def draw(results: list[Result]) -> Figure:
    """Return a picture for each table: what a model's error is, and how long it takes."""
    names = list(dict.fromkeys(result.table for result in results))
    figure = Figure(figsize=(4 * len(names), 4), layout="constrained")
    for axes, name in zip(figure.subplots(1, len(names), squeeze=False)[0], names, strict=True):
        for result in (each for each in results if each.table == name):
            point = np.mean(result.seconds), np.mean(result.errors)
            axes.errorbar(*point, yerr=np.std(result.errors), fmt="o", capsize=3)
            axes.annotate(
                result.model, point, textcoords="offset points", xytext=(0, 7), ha="center"
            )
        axes.set(title=name, xlabel="seconds of a fit", ylabel="error", xscale="log")
        axes.xaxis.set_major_formatter("{x:g}")
        axes.xaxis.set_minor_formatter(NullFormatter())
        axes.margins(x=0.5, y=0.15)
    return figure


if __name__ == "__main__":
    main()
