"""Which columns matter: how much worse predictions become if a column is shuffled."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

__all__ = ["Importance", "Importances", "importances_of"]

#: So many columns are looked at closely; of wider tables fewer rows are shuffled, once.
FEW_COLUMNS, MANY_COLUMNS = 40, 400
ROWS, ROWS_OF_MANY = 2000, 400
REPEATS = 3


class Importance(NamedTuple):
    """How much a column matters.

    Attributes
    ----------
    column : str
    increase : float
        Of the error, on average, if the column is shuffled.
    spread : float
        Between the largest and the smallest increase.
    """

    column: str
    increase: float
    spread: float


class Importances(NamedTuple):
    """Columns, the one that matters most first.

    Attributes
    ----------
    measure : str
        What error is meant: "log loss", or "RMSE" in the target's unit.
    error : float
        Of the rows as they are.
    columns : list of Importance
    n_rows : int
        So many were shuffled.
    """

    measure: str
    error: float
    columns: list[Importance]
    n_rows: int


def importances_of(model: Any, X: pa.Table, y: np.ndarray, seed: int) -> Importances:
    """Return how much each column of X (N, I) matters for predictions of y (N,).

    Permutation importance (Breiman 2001, "Random forests", section 10): a column's values are
    shuffled, and all else stays as it is. Columns that hold the same share the credit.
    """
    rng = np.random.RandomState(seed)
    used = [str(each.name) for each in model.columns_ if each.taken_for != "dropped"]
    many = len(used) > FEW_COLUMNS
    n_rows, repeats = (ROWS_OF_MANY, 1) if many else (ROWS, REPEATS)
    rows = np.sort(rng.permutation(len(y))[:n_rows])
    X, y = X.select(used).take(rows), y[rows]
    measure, error = _error_of(model, y)
    as_is = error(X)
    found = []
    for name in used[:MANY_COLUMNS]:
        worse = [error(_shuffled(X, name, rng)) - as_is for _ in range(repeats)]
        found.append(Importance(name, float(np.mean(worse)), float(np.ptp(worse))))
    found.sort(key=lambda each: -each.increase)
    return Importances(measure, as_is, found, len(y))


def _shuffled(X: pa.Table, name: str, rng: np.random.RandomState) -> pa.Table:
    place = X.column_names.index(name)
    return X.set_column(place, name, X.column(name).take(rng.permutation(X.num_rows)))


def _error_of(model: Any, y: np.ndarray) -> tuple[str, Callable[[pa.Table], float]]:
    """Return the name of the error that is looked at, and the function of a table."""
    classes = getattr(model, "classes_", None)
    if classes is None:
        return "RMSE", lambda X: float(np.sqrt(np.mean((model.predict(X) - y) ** 2)))
    codes = np.searchsorted(classes, y)

    def log_loss(X: pa.Table) -> float:
        p = model.predict_proba(X)[np.arange(len(codes)), codes]
        return float(-np.log(np.maximum(p, np.finfo(np.float64).tiny)).mean())

    return "log loss", log_loss
