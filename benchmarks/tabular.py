"""Models of raw tables: ``python benchmarks/tabular.py --help``.

Each model learns from four fifths of each table, once a seed, and is judged by the last fifth:
share of wrong classes, or root mean squared error over the target's standard deviation. The models
take turns, and each fit is kept in the file of figures as soon as it has ended.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import product
from pathlib import Path
from time import perf_counter
from typing import Any

import click
import numpy as np
from candidates.tables import MODELS
from options import console_for_tables, outputs, slices, threads
from results_file import Results, Slice, circumstances
from rich.console import Console
from table_data import GROUPS, TABLES, Split, Task, available, split_of
from table_picture import draw_panels
from table_report import markdown, overall, table_of
from table_results import LIBRARIES, Entry, reached, restored, summaries
from threadpoolctl import threadpool_limits

from fastmlp.threads import default_threads


@click.command(context_settings={"show_default": True})
@click.option("--table", "tables", type=click.Choice(list(TABLES)), multiple=True)
@click.option("--group", "groups", type=click.Choice(list(GROUPS)), multiple=True)
@click.option("--model", "models", type=click.Choice(list(MODELS)), multiple=True)
@click.option("--seeds", type=click.IntRange(min=1), default=3)
@slices(*MODELS)
@click.option(
    "--markdown",
    "markdown_path",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write the figures as tables of Markdown too.",
)
@threads
@outputs("tabular")
def main(
    tables: tuple[str, ...],
    groups: tuple[str, ...],
    models: tuple[str, ...],
    seeds: int,
    cut: Slice,
    markdown_path: Path | None,
    threads: int | None,
    json_path: Path,
    output: Path,
) -> None:
    """Compare models on raw tables, by default all that are there on all tables that are there.

    Seeds come last, so that a run which is ended early has figures of many tables.
    """
    n_threads, console = threads or default_threads(), console_for_tables()
    results = Results(json_path, circumstances(n_threads, LIBRARIES), restored).continued(cut)
    names = tables or tuple(name for name in available() if _group_is_wanted(name, groups))
    chosen = [name for name in MODELS if name in (models or MODELS) and MODELS[name].is_there]
    fits = [(table, model, seed) for seed, table, model in product(range(seeds), names, chosen)]
    for entry in run(fits, n_threads, results):
        _tell(console, entry)
    report(results.entries, console, output, markdown_path)
    console.print(f"figures: {json_path}, picture: {output}")
    results.end(fits, console)


def _group_is_wanted(table: str, groups: Sequence[str]) -> bool:
    return not groups or any(table in GROUPS[group] for group in groups)


def run(
    fits: Sequence[tuple[str, str, int]], n_threads: int, results: Results[Entry]
) -> Iterator[Entry]:
    """Yield each fit (table, model, seed) that the results lack, once they have it."""
    warm = set()
    for table, model, seed in results.lacking(fits):
        task, split = _table(table)
        with threadpool_limits(n_threads), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of peers, about their own settings
            if model not in warm:
                warm.add(model)
                _warm_up(model, n_threads)
            entry = judge(table, model, seed, split, task.is_classification, n_threads)
        results.add(entry)
        yield entry


@cache
def _table(name: str) -> tuple[Task, Split]:
    task = TABLES[name]()
    return task, split_of(task)


def _warm_up(model: str, n_threads: int) -> None:
    """Let a model load what it loads on first use; one that fails is told of by its own fits."""
    task, split = _table("wine")
    judge("wine", model, 0, split, task.is_classification, n_threads)


def judge(
    table: str, model: str, seed: int, split: Split, is_classification: bool, n_threads: int
) -> Entry:
    """Return a model's error on the rows held back, and its seconds; or why it has none."""
    n_rows = len(split.test_target)
    try:
        estimator = MODELS[model].build(split.train, is_classification, seed, n_threads)
        fit_seconds, _ = _timed(lambda: estimator.fit(split.train, split.train_target))
        predict_seconds, prediction = _timed(lambda: estimator.predict(split.test))
        error = error_of(np.ravel(prediction), split.test_target, is_classification)
    except Exception as failure:
        told = f"{type(failure).__name__}: {failure}"
        return Entry(table, model, seed, n_rows=n_rows, failure=told)
    return Entry(table, model, seed, error, fit_seconds, predict_seconds, n_rows)


def _timed(task: Any) -> tuple[float, Any]:
    start = perf_counter()
    result = task()
    return perf_counter() - start, result


def error_of(prediction: np.ndarray, target: np.ndarray, is_classification: bool) -> float:
    """Return the share of wrong classes, or the root mean squared error over the deviation."""
    if is_classification:
        return float((prediction != target).mean())
    error = float(np.sqrt(((prediction - target) ** 2).mean()) / target.std())
    if not np.isfinite(error):
        raise ArithmeticError(f"an error of {error}")
    return error


def _tell(console: Console, entry: Entry) -> None:
    told = entry.failure or f"{entry.error:.4f}, {entry.fit_seconds:.1f} s"
    console.print(f"{entry.table}, {entry.model}, seed {entry.seed}: {told}", markup=False)


def report(
    entries: Sequence[Entry], console: Console, output: Path, markdown_path: Path | None
) -> None:
    """Print the figures, and draw them; write them as Markdown if that is wanted."""
    means = reached(entries)
    models = [name for name in MODELS if any(each.model == name for each in means)]
    summary = summaries(means, models)
    console.print(table_of(means))
    console.print(overall(summary))
    draw_panels(means, models).savefig(output)
    if markdown_path is not None:
        markdown_path.write_text(markdown(means, models, summary))


if __name__ == "__main__":
    main()
