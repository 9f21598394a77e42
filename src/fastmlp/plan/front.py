"""The front: what a network makes of the columns of X before its first layer.

A column is one of ``KINDS``. With x a row's number in it, its inputs of layer 0 are

- plain: x;
- periodic: the terms cos(2π w x + b), K frequencies w and phases b;
- waves: the terms cos(2π w x), then sin(2π w x), K frequencies w each;
- piecewise: the terms are how far x fills each of K bins: (x - start) / width, bounded by 0 and 1
  except where the first bin begins and where the last one ends;
- table: row number x of a table of K levels;
- one_hot: none. Row number x of a table (K, width of layer 0) is added to layer 0's z.

Terms t (M,) become d inputs t W + c, with W (M, d) and c (d,) learnt, of which those below 0 may be
made 0; or, where d is 0, they are inputs themselves. x may stand in front of these inputs. What is
no level of a table is level 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

import numpy as np

__all__ = [
    "FEATURE_DTYPE",
    "KINDS",
    "MOST_LEVELS",
    "MOST_TERMS",
    "ONE_HOT",
    "PERIODIC",
    "PIECEWISE",
    "PLAIN",
    "PLAIN_COLUMN",
    "TABLE",
    "WAVES",
    "Column",
    "features_of",
    "front_width",
    "move_offsets",
    "n_learnt_of",
    "starts_and_widths",
    "wrong_columns",
]

KINDS = ("plain", "periodic", "waves", "piecewise", "table", "one_hot")
PLAIN, PERIODIC, WAVES, PIECEWISE, TABLE, ONE_HOT = range(len(KINDS))

#: Terms of a column, for which the core has room. It also bounds the inputs that they become.
MOST_TERMS = 512
#: Whole numbers that float32 holds exactly.
MOST_LEVELS = 2**24

#: What the core knows of a column; mirrors ``fastmlp_feature``.
FEATURE_DTYPE = np.dtype(
    [
        ("kind", np.int32),
        ("beside", np.int32),  # 1 where x itself is the first of the column's inputs of layer 0
        ("rectified", np.int32),  # 1 where negative inputs become 0; not x itself
        ("offset", np.int64),  # of the column's first input of layer 0
        ("n_terms", np.int64),  # K
        ("width", np.int64),  # d; of a table, its columns
        ("frequency_offset", np.int64),  # of w (K,) in the flat vector
        ("phase_offset", np.int64),  # of b (K,)
        ("weight_offset", np.int64),  # of W (M, d)
        ("bias_offset", np.int64),  # of c (d,)
        ("table_offset", np.int64),  # of a table (K, d)
        ("bin_offset", np.int64),  # of the first of K (start, 1 / width) among all bins
    ],
    align=True,
)

#: Field that says where a column's part of a slot begins, in the order of the slots' kinds.
_OFFSETS = ("frequency_offset", "phase_offset", "weight_offset", "bias_offset", "table_offset")


@dataclass(frozen=True)
class Column:
    """What is made of one column of X.

    Attributes
    ----------
    kind : str
        One of ``KINDS``.
    n_terms : int
        K: frequencies, bins or levels; 1 for a plain one.
    width : int
        d; 0 for a plain and for a one-hot one.
    beside : bool
        Whether x itself stands in front of the inputs; True for a plain one.
    rectified : bool
        Whether negative inputs become 0.
    edges : tuple of float, length K + 1
        Ends of the bins, ascending; empty without bins.
    """

    kind: str
    n_terms: int = 1
    width: int = 0
    beside: bool = False
    rectified: bool = False
    edges: tuple[float, ...] = ()

    @property
    def total_terms(self) -> int:
        """M."""
        return {"waves": 2 * self.n_terms, "periodic": self.n_terms, "piecewise": self.n_terms}.get(
            self.kind, 0
        )

    @property
    def n_inputs(self) -> int:
        """How many inputs of layer 0 it makes."""
        return self.beside + (self.width or self.total_terms)

    def sizes(self, width_of_layer: int) -> tuple[int, int, int, int, int]:
        """Return how many numbers of each of the front's kinds of slots it learns.

        These are frequencies, phases, weights, biases and rows of tables.
        """
        waves = self.kind in ("periodic", "waves")
        table = self.width if self.kind == "table" else width_of_layer
        return (
            self.n_terms if waves else 0,
            self.n_terms if self.kind == "periodic" else 0,
            self.total_terms * self.width,
            self.width if self.total_terms else 0,
            self.n_terms * table if self.kind in ("table", "one_hot") else 0,
        )


PLAIN_COLUMN = Column("plain", beside=True)


def front_width(columns: Sequence[Column]) -> int:
    """Return how many inputs of layer 0 the columns make together."""
    return sum(column.n_inputs for column in columns)


def n_learnt_of(columns: Sequence[Column], width_of_layer: int) -> int:
    """Return how many numbers the columns learn together."""
    return sum(sum(column.sizes(width_of_layer)) for column in columns)


def features_of(
    columns: Sequence[Column], width_of_layer: int
) -> tuple[np.ndarray, tuple[int, ...]]:
    """Return what the core knows of the columns (F,), and the sizes of the front's slots (5,).

    Offsets begin at 0 in each slot.
    """
    features = np.zeros(len(columns), FEATURE_DTYPE)
    sizes = [column.sizes(width_of_layer) for column in columns]
    for name in ("beside", "rectified", "n_terms", "width"):
        features[name] = [getattr(column, name) for column in columns]
    features["kind"] = [KINDS.index(column.kind) for column in columns]
    one_hot = features["kind"] == ONE_HOT
    features["width"][one_hot] = width_of_layer
    features["offset"] = _begins([column.n_inputs for column in columns])
    features["bin_offset"] = _begins([max(0, len(column.edges) - 1) for column in columns])
    for name, each in zip(_OFFSETS, zip(*sizes, strict=True), strict=True):
        features[name] = _begins(each)
    return features, tuple(map(sum, zip(*sizes, strict=True)))


def _begins(sizes: Sequence[int]) -> list[int]:
    return list(accumulate(sizes, initial=0))[:-1]


def move_offsets(features: np.ndarray, bases: Sequence[int]) -> None:
    """Add where each of the front's slots begins to the offsets of ``features`` (F,)."""
    for name, base in zip(_OFFSETS, bases, strict=True):
        features[name] += base


def starts_and_widths(columns: Sequence[Column]) -> np.ndarray:
    """Return where each bin of all columns begins, and 1 / its width, float64 (T, 2)."""
    parts = [
        np.column_stack([edges[:-1], 1 / np.diff(edges)])
        for edges in (np.array(column.edges) for column in columns)
        if len(edges)
    ]
    return np.concatenate(parts) if parts else np.zeros((0, 2))


def wrong_columns(columns: Any, n_inputs: int) -> str | None:
    """Return what is wrong with the columns of a pickle, None if nothing is."""
    if not isinstance(columns, tuple) or len(columns) not in (0, n_inputs):
        return "its columns are missing"
    if not all(type(column) is Column and _is_column(column) for column in columns):
        return "a column is wrong"
    return "it has no inputs" if columns and front_width(columns) == 0 else None


def _is_column(column: Column) -> bool:
    names = set(Column.__dataclass_fields__)
    if set(vars(column)) != names or column.kind not in KINDS:
        return False
    flags, counts = (column.beside, column.rectified), (column.n_terms, column.width)
    if not all(type(flag) is bool for flag in flags) or not all(type(n) is int for n in counts):
        return False
    return _has_sizes(column) and _has_edges(column)


def _has_sizes(column: Column) -> bool:
    """Return whether the numbers of a column are those that its kind may have."""
    kind, n, width = column.kind, column.n_terms, column.width
    if kind == "plain":
        return column == PLAIN_COLUMN
    if kind in ("table", "one_hot"):
        in_range = 1 <= n <= MOST_LEVELS and 0 <= width <= MOST_TERMS
        return in_range and (width > 0) == (kind == "table") and not column.beside
    return 1 <= n <= MOST_TERMS and column.total_terms <= MOST_TERMS and 0 <= width <= MOST_TERMS


def _has_edges(column: Column) -> bool:
    """Return whether edges ascend, where there are bins, by steps that can be divided by."""
    edges = column.edges
    if column.kind != "piecewise":
        return edges == ()
    if not isinstance(edges, tuple) or len(edges) != column.n_terms + 1:
        return False
    if not all(type(edge) is float for edge in edges):
        return False
    with np.errstate(all="ignore"):
        scales = 1 / np.diff(edges)
    return bool(np.all(np.isfinite(edges)) and np.all(scales > 0) and np.all(np.isfinite(scales)))
