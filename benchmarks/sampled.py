"""What learning from all rows adds to a race on a sample: ``python benchmarks/sampled.py --help``.

A table is read as a source of which a sample races. The same fifth of the rows as in ``tabular.py``
judges: what the members of the race predict that have seen the sample only, what they predict once
they have learnt from all rows with so many times the updates of the race, and the fit in memory.
"""

from __future__ import annotations

import warnings
from time import perf_counter
from typing import Any

import click
import numpy as np
import pandas as pd
from table_data import TABLES, Split, available, split_of

from fastmlp import TabularClassifier, TabularRegressor
from fastmlp.data import from_batches
from fastmlp.tabular import portfolio

#: Rows of a batch of the source.
ROWS = 1000

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
    portfolio.LONGER_FOR_ALL = float(way)  # which only this benchmark changes
    return model.fit(from_batches(lambda: batches_of(split), sample_rows=sample_rows))


@click.command(context_settings={"show_default": True})
@click.option("--table", "tables", type=click.Choice(list(TABLES)), multiple=True)
@click.option("--way", "ways", multiple=True, default=(SAMPLE, "1", "2", "4", MEMORY))
@click.option("--sample-rows", type=click.IntRange(min=100), default=5000)
@click.option("--seeds", type=click.IntRange(min=1), default=3)
@click.option("--preset", default="fast")
@click.option("--threads", type=click.IntRange(min=1), default=None)
def main(
    tables: tuple[str, ...],
    ways: tuple[str, ...],
    sample_rows: int,
    seeds: int,
    preset: str,
    threads: int | None,
) -> None:
    """Print mean and spread of the errors, and seconds of a fit, for each table and way."""
    for name in tables or available():
        rows: list[tuple[str, int, float, float]] = []
        task = TABLES[name]()
        split = split_of(task)
        kind = TabularClassifier if task.is_classification else TabularRegressor
        for seed in range(seeds):
            for way in ways:
                model = kind(preset=preset, random_state=seed, n_threads=threads)
                began = perf_counter()
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    fitted(way, split, model, sample_rows, seed)
                seconds = perf_counter() - began
                rows.append((way, seed, error_of(model, split), seconds))
                click.echo(f"{name} {way} {seed} {rows[-1][2]:.4f} {seconds:.1f} s", err=True)
        frame = pd.DataFrame(rows, columns=["way", "seed", "error", "seconds"])
        figures = frame.groupby("way", sort=False).agg(
            error=("error", "mean"), spread=("error", "std"), seconds=("seconds", "median")
        )
        click.echo(f"{name}, {len(split.train)} rows, {sample_rows} of which race\n{figures}")


if __name__ == "__main__":
    main()
