"""What a user should know of a table before a model learns from it."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from fastmlp.cli.tables.natures import is_text
from fastmlp.cli.tables.reading import Table
from fastmlp.cli.tables.refusals import listed
from fastmlp.cli.tables.target import Aimed
from fastmlp.validation.wording import brief, counted

__all__ = ["remarks_on"]

#: Shares of missing cells, and of different texts among all, that are worth a remark.
MOSTLY_MISSING, MOSTLY_DIFFERENT = 0.5, 0.5

#: A class of fewer rows can hardly be learnt.
FEW_OF_A_CLASS = 5


def remarks_on(problem: Aimed, dropped: tuple[str, ...] = ()) -> list[str]:
    """Return what a user should know, a line each."""
    table = problem.table
    names = [name for name in table.names if name not in dropped]
    lines = [
        *_gaps(table, names),
        *(_numbering(name, table.columns[name]) for name in names),
        *(_different(name, table.columns[name]) for name in names),
        *(_copy(name, table.columns[name], problem) for name in names),
        _ordered_in_time(table, names),
        _twice(table, names),
        _rare(problem),
    ]
    return [line for line in lines if line]


def _gaps(table: Table, names: list[str]) -> list[str]:
    shares = {name: table.columns[name].null_count / max(len(table), 1) for name in names}
    mostly = [name for name, share in shares.items() if MOSTLY_MISSING < share < 1]
    same = [name for name in names if _is_constant(table.columns[name])]
    return [
        f"{_columns(same, 'has', 'have')} the same value in all rows: left out" if same else "",
        f"{_columns(mostly, 'has', 'have')} more gaps than values" if mostly else "",
    ]


def _is_constant(column: pa.ChunkedArray) -> bool:
    """Return whether all cells are alike."""
    if column.null_count or not len(column) or pa.types.is_nested(column.type):
        return False
    return bool(column[0] == column[-1] and pc.count_distinct(column).as_py() == 1)


def _columns(names: list[str], has: str, have: str) -> str:
    """Return some columns with a verb."""
    one = len(names) == 1
    return f"column{'' if one else 's'} {listed(names)} {has if one else have}"


def _numbering(name: str, column: pa.ChunkedArray) -> str:
    """Remark on whole numbers that count the rows."""
    if not pa.types.is_integer(column.type) or column.null_count or len(column) < 3:
        return ""
    numbers = column.to_numpy()
    if not (np.diff(numbers) == 1).all():
        return ""
    return f"column {brief(name)} numbers the rows: leave it out with --drop {brief(name)}"


def _different(name: str, column: pa.ChunkedArray) -> str:
    """Remark on texts of which hardly two are alike."""
    if not is_text(column.type):
        return ""
    n_cells, n_texts = len(column) - column.null_count, pc.count_distinct(column).as_py()
    if n_texts < 20 or n_texts <= MOSTLY_DIFFERENT * n_cells:
        return ""
    return (
        f"column {brief(name)} has {n_texts:,} different texts in {counted(n_cells, 'row')}: "
        "little can be learnt from it"
    )


def _copy(name: str, column: pa.ChunkedArray, problem: Aimed) -> str:
    """Remark on a column that is the target itself."""
    if column.null_count or pa.types.is_nested(column.type):
        return ""
    values = column.to_numpy()
    kinds = {values.dtype.kind, problem.y.dtype.kind}
    same = kinds <= set("biuf") and np.array_equal(values, problem.y)
    texts = kinds <= set("OU") and bool((values.astype(str) == problem.y).all())
    if not (same or texts):
        return ""
    return f"column {brief(name)} repeats the target: leave it out with --drop {brief(name)}"


def _ordered_in_time(table: Table, names: list[str]) -> str:
    dates = [name for name in names if pa.types.is_temporal(table.columns[name].type)]
    if not dates:
        return ""
    return (
        f"{_columns(dates, 'holds', 'hold')} dates: the rows that judge the model are chosen at "
        "random, so the figures are too good if it is to predict later rows; to judge it by the "
        "latest rows, give them with --test"
    )


def _twice(table: Table, names: list[str]) -> str:
    """Remark on rows that are there more than once."""
    if not len(table):
        return ""
    try:
        n_different = table.columns.select(names).group_by(names).aggregate([]).num_rows
    except pa.ArrowException:  # of types that can't be told apart
        return ""
    share = 1 - n_different / len(table)
    if share < 0.01:
        return ""
    return f"{100 * share:.2g} % of the rows are copies of others, apart from the target"


def _rare(problem: Aimed) -> str:
    if problem.task == "regression":
        return ""
    labels, counts = np.unique(problem.y, return_counts=True)
    rare = [str(label) for label in labels[counts < FEW_OF_A_CLASS]]
    if not rare:
        return ""
    what = "class {} has" if len(rare) == 1 else "classes {} have"
    return f"{what.format(listed(rare))} fewer than {FEW_OF_A_CLASS} rows"
