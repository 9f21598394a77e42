"""``fastmlp evaluate``: how good a model is on a table whose target is known."""

from __future__ import annotations

from typing import Any, NamedTuple

import click

from fastmlp.cli.guarding import loaded, naming_table
from fastmlp.cli.judging.figures import Judged, judged
from fastmlp.cli.judging.importances import Importances, importances_of
from fastmlp.cli.notes import notes_of
from fastmlp.cli.tables.dialect import Dialect
from fastmlp.cli.tables.natures import as_learnt
from fastmlp.cli.tables.reading import read_table
from fastmlp.cli.tables.target import Aimed, aimed_as_learnt
from fastmlp.cli.telling import Teller
from fastmlp.cli.unknown import tell_unknown_levels

__all__ = ["Evaluated", "evaluate", "judge"]


class Evaluated(NamedTuple):
    """What came of it.

    Attributes
    ----------
    model : TabularClassifier or TabularRegressor
    target, data : str
    judged : Judged
    importances : Importances or None
    """

    model: Any
    target: str
    data: str
    judged: Judged
    importances: Importances | None


def judge(
    model: Any,
    rows: Aimed,
    seed: int,
    teller: Teller,
    *,
    shuffles: bool,
    tells_unknown: bool = True,
) -> tuple[Judged, Importances | None]:
    """Return how good a model is on rows, and how much each column matters, if that is wanted.

    ``tells_unknown`` says whether levels that the model does not know are worth a warning.

    Raises
    ------
    TableError
        The rows are not like those that the model has learnt from.
    """
    X = as_learnt(rows.table, model.columns_).columns
    if tells_unknown:
        tell_unknown_levels(model, X, teller)
    with naming_table(rows.table.name), teller.listening():
        result = judged(model, X, rows.y)
        return result, importances_of(model, X, rows.y, seed) if shuffles else None


def evaluate(
    model_path: str, data: str, target: str | None, dialect: Dialect, seed: int, teller: Teller
) -> Evaluated:
    """Return how good a model is on the rows of a table.

    Raises
    ------
    TableError
        The model or the table is not as it must be.
    """
    model = loaded(model_path, "evaluate", data)
    option = "--target" if target else ""
    target = target or notes_of(model).get("target")
    if target is None:
        raise click.UsageError(
            f"{model_path} does not say which column it predicts: name that column with --target."
        )
    table = read_table(data, dialect)
    teller.say(table.told)
    rows = aimed_as_learnt(table, target, getattr(model, "classes_", None), option)
    for remark in rows.table.remarks:
        teller.warn(remark)
    result, found = judge(model, rows, seed, teller, shuffles=True)
    return Evaluated(model, target, table.name, result, found)
