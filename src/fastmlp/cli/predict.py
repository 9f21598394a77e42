"""``fastmlp predict``: what a model says of the rows of a table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from fastmlp.cli.errors import RefusedError
from fastmlp.cli.guarding import loaded, naming_table
from fastmlp.cli.tables.dialect import Dialect
from fastmlp.cli.tables.natures import as_learnt
from fastmlp.cli.tables.opening import STANDARD
from fastmlp.cli.tables.reading import Table, read_table
from fastmlp.cli.telling import Teller
from fastmlp.cli.unknown import tell_unknown_levels

__all__ = ["PREDICTION", "Predicted", "predict"]

#: The column of predictions.
PREDICTION = "prediction"


class Predicted(NamedTuple):
    """A table, and what a model says of its rows (N,).

    Attributes
    ----------
    table : Table
    prediction : ndarray, shape (N,)
    probabilities : dict of str to ndarray, shape (N,)
        By class, if they are wanted.
    """

    table: Table
    prediction: np.ndarray
    probabilities: dict[str, np.ndarray]

    def columns(self, keep: Sequence[str]) -> dict[str, pa.Array]:
        """Return the columns of the table to be written; ``keep`` are taken along, unchanged."""
        kept = {name: self.table.columns[name].combine_chunks() for name in keep}
        sure = {f"probability_{name}": pa.array(p) for name, p in self.probabilities.items()}
        return {**kept, PREDICTION: pa.array(self.prediction), **sure}

    def as_plain(self, out: str, keep: Sequence[str], told: list[str]) -> dict[str, Any]:
        """Return what JSON says; the columns themselves if no file has them."""
        whole = {"rows": len(self.prediction), "out": None if out == STANDARD else out}
        columns = self.columns(keep) if out == STANDARD else {}
        values = {name: column.to_pylist() for name, column in columns.items()}
        return {**whole, "warnings": told, **({"columns": values} if values else {})}


def predict(
    model_path: str,
    data: str,
    dialect: Dialect,
    keep: Sequence[str],
    teller: Teller,
    *,
    proba: bool,
) -> Predicted:
    """Return what a model says of the rows of a table.

    Raises
    ------
    TableError
        The model or the table is not as it must be.
    """
    model = loaded(model_path, "predict", data)
    table = read_table(data, dialect)
    teller.say(table.told)
    table.require(keep, option="--keep")
    rows = as_learnt(table, model.columns_).columns
    tell_unknown_levels(model, rows, teller)
    with naming_table(table.name), teller.listening():
        prediction, probabilities = _answers(model, rows, proba=proba)
    return Predicted(table, prediction, probabilities)


def _answers(model: Any, X: pa.Table, *, proba: bool) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    if not hasattr(model, "classes_"):
        if proba:
            raise RefusedError("--proba is for models of classes, but this one predicts numbers")
        return np.asarray(model.predict(X), np.float64), {}
    p = model.predict_proba(X)
    prediction = model.classes_[p.argmax(axis=1)]
    by_class = {str(label): p[:, k] for k, label in enumerate(model.classes_)}
    return prediction, by_class if proba else {}
