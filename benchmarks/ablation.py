"""What each part of a recipe is worth: ``python benchmarks/ablation.py --help``.

One network learns by a recipe, and again with one part of it left out or replaced. The figure of a
part is by how many percent the error on the held-back fifth grows without it, the geometric mean
over tables.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
import numpy as np
from matplotlib.figure import Figure
from options import console_for_tables, outputs, threads
from rich import box
from rich.table import Table
from table_data import TABLES, Split, available, split_of
from table_results import Entry, Results, circumstances, reached
from tabular import error_of

from fastmlp import TabularClassifier, TabularRegressor
from fastmlp.tabular import Recipe
from fastmlp.threads import default_threads

WHOLE = "whole recipe"
#: What stands in for each part.
PARTS: dict[str, dict[str, Any]] = {
    WHOLE: {},
    "numbers in pieces": {"inputs": ("places",)},
    "turned places": {"inputs": ("pieces",)},
    "gelu (relu instead)": {"activation": "relu"},
    "dropout": {"dropout": 0.0},
    "weight decay": {"weight_decay": 0.0},
    "label smoothing": {"label_smoothing": 0.0},
    "three layers (one instead)": {"hidden_layer_sizes": (256,)},
    "256 units a layer (64 instead)": {"hidden_layer_sizes": (64, 64, 64)},
}
BASE = Recipe(inputs=("pieces", "places"))


@click.command(context_settings={"show_default": True})
@click.option("--table", "tables", type=click.Choice(list(TABLES)), multiple=True)
@click.option("--part", "parts", type=click.Choice(list(PARTS)), multiple=True)
@click.option("--seeds", type=click.IntRange(min=1), default=3)
@click.option("--max-iter", type=click.IntRange(min=1), default=BASE.max_iter, help="Epochs.")
@click.option("--resume", is_flag=True, help="Measure only what the file of figures lacks.")
@threads
@outputs("ablation")
def main(
    tables: tuple[str, ...],
    parts: tuple[str, ...],
    seeds: int,
    max_iter: int,
    resume: bool,
    threads: int | None,
    json_path: Path,
    output: Path,
) -> None:
    """Leave out each part of a recipe on all tables that are there."""
    n_threads, console = threads or default_threads(), console_for_tables()
    base = BASE.with_(max_iter=max_iter)
    facts = {**circumstances(n_threads), "recipe": str(base)}
    results = Results(json_path, facts)
    if resume:
        results = results.continued()
    chosen = [name for name in PARTS if name == WHOLE or not parts or name in parts]
    for table in tables or available():
        learn(table, base, chosen, seeds, n_threads, results)
    increases = increases_of(results.entries, chosen)
    console.print(table_of(increases))
    draw(increases).savefig(output)
    console.print(f"figures: {json_path}, picture: {output}")


def learn(
    table: str, base: Recipe, parts: Sequence[str], n_seeds: int, n_threads: int, results: Results
) -> None:
    """Let the results have what a table says of each part."""
    task = TABLES[table]()
    split = split_of(task)
    for seed in range(n_seeds):
        for part in parts:
            if (table, part, seed) in results:
                continue
            recipe = base.with_(**PARTS[part])
            error = error_without(split, task.is_classification, recipe, seed, n_threads)
            results.add(Entry(table, part, seed, error, n_rows=len(split.test_target)))


def error_without(
    split: Split, is_classification: bool, recipe: Recipe, seed: int, n_threads: int
) -> float:
    """Return the error of one network of a recipe."""
    kind = TabularClassifier if is_classification else TabularRegressor
    model = kind(recipe=recipe, n_folds=1, random_state=seed, n_threads=n_threads)
    prediction = model.fit(split.train, split.train_target).predict(split.test)
    return error_of(prediction, split.test_target, is_classification)


def increases_of(entries: Sequence[Entry], parts: Sequence[str]) -> dict[str, np.ndarray]:
    """Return by how many percent a table's mean error grows without each part, (tables,) each.

    Tables on which the whole recipe makes no error are left out, and of each part those on which it
    changes nothing, such as smoothing of labels where there are none.
    """
    errors = {(each.table, each.model): each.error for each in reached(entries)}
    tables = [table for (table, part), error in errors.items() if part == WHOLE and error > 0]
    growth = {
        part: np.array([100 * (errors[table, part] / errors[table, WHOLE] - 1) for table in tables])
        for part in parts
        if part != WHOLE
    }
    return {part: row[row != 0] for part, row in growth.items() if (row != 0).any()}


def mean_of(increases: np.ndarray) -> float:
    """Return the geometric mean of increases in percent."""
    return float(100 * (np.exp(np.log1p(np.maximum(increases, -99.9) / 100).mean()) - 1))


def table_of(increases: dict[str, np.ndarray]) -> Table:
    """Return a row for each part."""
    table = Table("without", box=box.HORIZONTALS, pad_edge=False)
    for heading in ("error grows by", "tables on which it grows"):
        table.add_column(heading, justify="right")
    for part, row in increases.items():
        table.add_row(part, f"{mean_of(row):+.1f} %", f"{(row > 0).sum()} of {len(row)}")
    return table


def draw(increases: dict[str, np.ndarray]) -> Figure:
    """Return a picture: a row for each part, a point for each table, a bar at their mean."""
    figure = Figure(figsize=(8, 1.5 + 0.45 * len(increases)), layout="constrained")
    axes = figure.subplots()
    for place, row in enumerate(increases.values()):
        axes.scatter(row, np.full(len(row), place), s=14, alpha=0.5, color="C0")
        axes.plot([mean_of(row)] * 2, [place - 0.3, place + 0.3], color="C1", linewidth=3)
    axes.axvline(0, color="0.6", linewidth=1)
    axes.set_yticks(range(len(increases)), list(increases))
    axes.set(xlabel="error grows by %", ylim=(len(increases) - 0.5, -0.5))
    axes.spines[["top", "right"]].set_visible(False)
    return figure


if __name__ == "__main__":
    main()
