"""What learning from all rows adds to a race on a sample: ``python benchmarks/sampled.py --help``.

A table is read as a source of which a sample races. The same fifth of the rows as in ``tabular.py``
judges: what the members of the race predict that have seen the sample only, what they predict once
they have learnt from all rows with so many times the updates of the race, and the fit in memory.
"""

from __future__ import annotations

import warnings
from typing import Any
from unittest.mock import patch

import click
import numpy as np
import pandas as pd
from table_data import TABLES, Split, available, split_of

from fastmlp import TabularClassifier, TabularRegressor
from fastmlp.data import from_batches
from fastmlp.tabular import Recipe, portfolio

#: Rows of a batch of the source.
ROWS = 1000

#: A network of which fits take seconds.
RECIPE = Recipe(hidden_layer_sizes=(128, 128), dropout=0.05, input_scale=3.0, max_iter=48)

#: Models without an epoch's factor: the sample alone, and the table in memory.
SAMPLE, MEMORY = "sample", "memory"


def batches_of(split: Split) -> Any:
    """Yield the rows to learn from."""
    for i in range(0, len(split.train), ROWS):
        yield split.train[i : i + ROWS], split.train_target[i : i + ROWS]


def error_of(model: Any, split: Split) -> float:
    """Return the share of wrong classes, or the root mean squared error in deviations."""
    predicted = model.predict(split.test)
    if isinstance(model, TabularClassifier):
        return float(np.mean(predicted != split.test_target))
    error = np.sqrt(np.mean((predicted - split.test_target) ** 2))
    return float(error / np.std(split.test_target))


def fitted(way: str, split: Split, model: Any, sample_rows: int, seed: int) -> Any:
    """Return a model, fitted in a way: ``SAMPLE``, ``MEMORY`` or a number of times the updates."""
    if way == MEMORY:
        return model.fit(split.train, split.train_target)
    if way == SAMPLE:
        rows = np.random.default_rng(seed).permutation(len(split.train))[:sample_rows]
        return model.fit(split.train.iloc[rows], split.train_target[rows])
    with patch.object(portfolio, "LONGER_FOR_ALL", float(way)):  # only this benchmark changes it
        return model.fit(from_batches(lambda: batches_of(split), sample_rows=sample_rows))


@click.command(context_settings={"show_default": True})
@click.option("--table", "tables", type=click.Choice(list(TABLES)), multiple=True)
@click.option("--way", "ways", multiple=True, default=(SAMPLE, "1", "2", "4", "8"))
@click.option("--sample-rows", type=click.IntRange(min=100), default=5000)
@click.option("--seeds", type=click.IntRange(min=1), default=3)
@click.option("--preset", default=None, help="Instead of one network of 128-128 units.")
@click.option("--most-rows", type=click.IntRange(min=1000), default=None)
@click.option("--threads", type=click.IntRange(min=1), default=None)
def main(
    tables: tuple[str, ...],
    ways: tuple[str, ...],
    sample_rows: int,
    seeds: int,
    preset: str | None,
    most_rows: int | None,
    threads: int | None,
) -> None:
    """Print mean and spread of the errors for each table and way."""
    for name in tables or available():
        rows: list[tuple[str, int, float]] = []
        task = TABLES[name]()
        split = split_of(task)
        split = split._replace(
            train=split.train[:most_rows], train_target=split.train_target[:most_rows]
        )
        kind = TabularClassifier if task.is_classification else TabularRegressor
        for seed in range(seeds):
            for way in ways:
                given = {"recipe": RECIPE} if preset is None else {"preset": preset}
                model = kind(**given, n_folds=1, random_state=seed, n_threads=threads)
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    fitted(way, split, model, sample_rows, seed)
                rows.append((way, seed, error_of(model, split)))
        frame = pd.DataFrame(rows, columns=["way", "seed", "error"])
        figures = frame.groupby("way", sort=False)["error"].agg(["mean", "std"])
        click.echo(f"{name}, {len(split.train)} rows, {sample_rows} of which race\n{figures}")


if __name__ == "__main__":
    main()
