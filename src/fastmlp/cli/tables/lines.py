"""Where in a text the rows of a table stand, so that an editor finds them."""

from __future__ import annotations

import csv
import io

import numpy as np

__all__ = ["lines_of"]


def lines_of(text: str, delimiter: str) -> np.ndarray:
    """Return the lines, from 1, in which the rows (R,) of a text begin, its heading's first.

    Empty lines are no rows, and a quoted cell may go over several lines.
    """
    plain = text.replace("\r\n", "\n").rstrip("\n")
    if '"' not in plain and "\n\n" not in plain and "\r" not in plain and plain[:1] != "\n":
        return np.arange(1, plain.count("\n") + 2)
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=True)
    found, begin = [], 1
    try:
        for row in rows:
            if row:
                found.append(begin)
            begin = rows.line_num + 1
    except csv.Error:  # a cell longer than that module takes
        pass
    return np.array(found, np.int64)
