"""Tables in files for the command line: a small one, as text and in other formats."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

N_ROWS = 80


def houses(n_rows=N_ROWS, seed=0):
    """Return columns of a table of houses, prices and kinds that follow from them."""
    rng = np.random.default_rng(seed)
    area = rng.uniform(30, 200, n_rows).round(1)
    town = rng.choice(["Oslo", "Rome", "Bern"], n_rows)
    built = rng.integers(1900, 2020, n_rows)
    price = (area * 10 + np.where(town == "Oslo", 300, 0) + rng.normal(0, 5, n_rows)).round(2)
    kind = np.where(area > 110, "large", "small")
    gaps = [None if i % 9 == 0 else float(each) for i, each in enumerate(area)]
    return {
        "area": gaps,
        "town": town.tolist(),
        "built": built.tolist(),
        "price": price.tolist(),
        "kind": kind.tolist(),
    }


def as_text(columns, delimiter=",", decimal=".", missing="", heading=True):
    """Return columns as CSV."""

    def cell(value):
        if value is None:
            return missing
        text = str(value)
        return text.replace(".", decimal) if isinstance(value, float) else text

    rows = zip(*columns.values(), strict=True)
    lines = [delimiter.join(map(cell, row)) for row in rows]
    return "\n".join([delimiter.join(columns)] * heading + lines) + "\n"


def as_arrow(columns):
    """Return columns as a table of Arrow's."""
    return pa.table(columns)
