"""What models of raw tables have reached, and how it is summed up."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
from scipy.stats import rankdata

__all__ = ["LIBRARIES", "Entry", "Reached", "Summary", "reached", "restored", "summaries"]

#: Those whose versions the figures depend on.
LIBRARIES = ("lightgbm", "xgboost", "xgboost-cpu", "catboost", "pytabkit", "torch", "pandas")


class Entry(NamedTuple):
    """One fit: a table, a model and a seed.

    Attributes
    ----------
    error : float or None
        Share of wrong classes, or root mean squared error over the target's standard deviation.
    fit_seconds, predict_seconds : float or None
    n_rows : int
        Rows that were predicted.
    failure : str
        Why there are no figures, if so; else empty.
    """

    table: str
    model: str
    seed: int
    error: float | None = None
    fit_seconds: float | None = None
    predict_seconds: float | None = None
    n_rows: int = 0
    failure: str = ""

    @property
    def key(self) -> tuple[str, str, int]:
        """What is measured once."""
        return self.table, self.model, self.seed

    def as_dict(self) -> dict[str, Any]:
        """Return what the file of figures keeps."""
        return self._asdict()


def restored(row: dict[str, Any]) -> Entry:
    """Return the entry of which the file keeps ``row``."""
    return Entry(**row)


class Reached(NamedTuple):
    """What a model reached on a table over all seeds.

    ``fit_seconds`` and ``microseconds``, those that a row's prediction takes, are means.
    """

    table: str
    model: str
    error: float
    spread: float
    fit_seconds: float
    microseconds: float
    n_seeds: int


class Summary(NamedTuple):
    """A model over all tables on which each model has figures.

    Attributes
    ----------
    rank : float
        Mean place by error, 1 for the best.
    error, fit_seconds, predict_seconds : float
        Geometric mean of the ratios to the first model. Those of errors are of ``n_ratios`` tables,
        on which each model makes some.
    """

    model: str
    rank: float
    error: float
    fit_seconds: float
    predict_seconds: float
    n_tables: int
    n_ratios: int


def reached(entries: Iterable[Entry]) -> list[Reached]:
    """Return the mean over seeds of those that did not fail, by table and model."""
    groups = defaultdict(list)
    for entry in entries:
        if not entry.failure:
            groups[entry.table, entry.model].append(entry)
    return [_mean_of(group) for group in groups.values()]


def _mean_of(group: Sequence[Entry]) -> Reached:
    errors = np.array([entry.error for entry in group], float)
    fit_seconds = np.array([entry.fit_seconds for entry in group], float)
    a_row = np.array([(entry.predict_seconds or 0) / entry.n_rows for entry in group])
    return Reached(
        group[0].table,
        group[0].model,
        float(errors.mean()),
        float(errors.std()),
        float(fit_seconds.mean()),
        float(1e6 * a_row.mean()),
        len(group),
    )


def summaries(means: Sequence[Reached], models: Sequence[str]) -> list[Summary]:
    """Return how the models compare over the tables on which each of them has figures."""
    by_table: dict[str, dict[str, Reached]] = defaultdict(dict)
    for each in means:
        by_table[each.table][each.model] = each
    shared = [row for row in by_table.values() if set(models) <= row.keys()]
    if not shared:
        return []
    errors, fits, predictions = (
        np.array([[getattr(row[model], name) for model in models] for row in shared])
        for name in ("error", "fit_seconds", "microseconds")
    )  # (tables, models) each
    ranks = rankdata(errors, axis=1).mean(axis=0)
    wrong = (errors > 0).all(axis=1)
    columns = zip(models, ranks, *map(_ratios, (errors[wrong], fits, predictions)), strict=True)
    return [
        Summary(model, *map(float, figures), len(shared), int(wrong.sum()))
        for model, *figures in columns
    ]


def _ratios(figures: np.ndarray) -> np.ndarray:
    """Return geometric means of ratios to the first column, (models,); NaN without rows."""
    if len(figures) == 0:
        return np.full(figures.shape[1], np.nan)
    ratios: np.ndarray = np.exp(np.log(figures / figures[:, :1]).mean(axis=0))
    return ratios
