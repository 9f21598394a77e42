"""What each part of a recipe is worth: ``python benchmarks/ablation.py --help``.

One network learns by a recipe, and again with one part of it left out or replaced. The figure of a
part is by how many percent the error on the held-back fifth grows without it, the geometric mean
over tables.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import product
from pathlib import Path
from typing import Any

import click
import numpy as np
from matplotlib.figure import Figure
from options import console_for_tables, outputs, slices, threads
from results_file import Results, Slice, circumstances
from rich import box
from rich.table import Table
from table_data import TABLES, Split, available, split_of
from table_results import LIBRARIES, Entry, reached, restored
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
@slices()
@threads
@outputs("ablation")
def main(
    tables: tuple[str, ...],
    parts: tuple[str, ...],
    seeds: int,
    max_iter: int,
    cut: Slice,
    threads: int | None,
    json_path: Path,
    output: Path,
) -> None:
    """Leave out each part of a recipe on all tables that are there."""
    n_threads, console = threads or default_threads(), console_for_tables()
    base = BASE.with_(max_iter=max_iter)
    facts = {**circumstances(n_threads, LIBRARIES), "recipe": str(base)}
    results = Results(json_path, facts, restored).continued(cut)
    chosen = [name for name in PARTS if name == WHOLE or not parts or name in parts]
    names = tables or available()
    fits = [(name, part, seed) for name, seed, part in product(names, range(seeds), chosen)]
    for name, part, seed in results.lacking(fits):
        error, n_rows = error_without(name, base.with_(**PARTS[part]), seed, n_threads)
        results.add(Entry(name, part, seed, error, n_rows=n_rows))
    increases = increases_of(results.entries, chosen)
    console.print(table_of(increases))
    draw(increases).savefig(output)
    console.print(f"figures: {json_path}, picture: {output}")
    results.end(fits, console)


def error_without(table: str, recipe: Recipe, seed: int, n_threads: int) -> tuple[float, int]:
    """Return the error of one network of a recipe, and on how many rows."""
    is_classification, split = _table(table)
    kind = TabularClassifier if is_classification else TabularRegressor
    model = kind(recipe=recipe, n_folds=1, random_state=seed, n_threads=n_threads)
    prediction = model.fit(split.train, split.train_target).predict(split.test)
    error = error_of(prediction, split.test_target, is_classification)
    return error, len(split.test_target)


@lru_cache(maxsize=1)
def _table(name: str) -> tuple[bool, Split]:
    task = TABLES[name]()
    return task.is_classification, split_of(task)


def increases_of(entries: Sequence[Entry], parts: Sequence[str]) -> dict[str, np.ndarray]:
    """Return by how many percent a table's mean error grows without each part, (tables,) each.

    Tables on which the whole recipe makes no error are left out, and of each part those on which it
    changes nothing, such as smoothing of labels where there are none.
    """
    errors = {(each.table, each.model): each.error for each in reached(entries)}
    tables = [table for (table, part), error in errors.items() if part == WHOLE and error > 0]
    growth = {
        part: np.array(
            [
                100 * (errors[table, part] / errors[table, WHOLE] - 1)
                for table in tables
                if (table, part) in errors
            ]
        )
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
