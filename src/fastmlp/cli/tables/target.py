"""The column that is to be predicted: whether it holds classes or numbers, and its values."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from fastmlp.cli.errors import RefusedError, TableError
from fastmlp.cli.tables.natures import MOSTLY, is_text, numbers_of, share_of_numbers, typed
from fastmlp.cli.tables.reading import Table
from fastmlp.cli.tables.refusals import listed, raise_cell
from fastmlp.validation.wording import brief, counted

__all__ = ["MOST_CLASSES", "TASKS", "Aimed", "aimed", "aimed_as_learnt"]

TASKS = ("classification", "regression")

#: Whole numbers are classes if there are so few different ones, with so many rows each on average.
MOST_CLASSES, ROWS_OF_A_CLASS = 20, 10


class Aimed(NamedTuple):
    """A table with what is to be predicted of its rows.

    Attributes
    ----------
    table : Table, of N rows
        Without the target's column, and without rows that have no target.
    y : ndarray, shape (N,)
        Labels or numbers.
    task : str
        "classification" or "regression".
    why : str
        How the task was found.
    """

    table: Table
    y: np.ndarray
    task: str
    why: str

    def rows(self, which: np.ndarray) -> Aimed:
        """Return some rows (K,), by their numbers."""
        return self._replace(table=self.table.rows(which), y=self.y[which])


def aimed(table: Table, target: str, task: str | None) -> Aimed:
    """Return what is to be learnt; ``task`` is found of the target's values if it is None.

    Texts, booleans and categories are classes, and so are whole numbers of few different values
    (``MOST_CLASSES``). All other numbers are to be predicted as numbers.

    Raises
    ------
    RefusedError
        There is no such column, or its type is not one that is predicted, or not by this task.
    TableError
        It has no values, or a cell is wrong.
    """
    table.require([target], option="--target")
    if len(table.names) == 1:
        raise TableError(
            f"{table.name} has no column but {brief(target)}, so there is nothing to predict it "
            "from: check --delimiter"
        )
    table, remarks = _with_targets(table, target)
    column = _plain(table.columns[target])
    if task is None:
        task, why = _task_of(table.name, target, column)
    else:
        _check_task(table, target, column, task)
        why = f"--task {task} was given"
    y = _values_of(table, target, task)
    rest = replace(table, columns=table.columns.drop_columns([target]), remarks=remarks)
    return Aimed(rest, y, task, why)


def _check_task(table: Table, target: str, column: pa.ChunkedArray, task: str) -> None:
    """Raise RefusedError if a column has not the type that a task is for.

    A few cells that are wrong are the table's fault, and told of elsewhere.
    """
    are_numbers = not is_text(column.type) or share_of_numbers(table, target) > MOSTLY
    if task == "regression" and not are_numbers:
        raise RefusedError(
            f"--task regression: column {brief(target)} of {table.name} holds text, such as "
            f"{brief(str(column[0].as_py()), 40)} in {table.place_of(0)}, not numbers"
        )
    if task == "classification" and pa.types.is_floating(column.type):
        fractions = pc.not_equal(column, pc.floor(column))
        row = pc.index(fractions, True).as_py()
        if row >= 0:
            raise RefusedError(
                f"--task classification: column {brief(target)} of {table.name} holds numbers with "
                f"fractions, such as {column[row]} in {table.place_of(row)}, not classes"
            )


def _values_of(table: Table, target: str, task: str) -> np.ndarray:
    """Return the targets (N,) of a task."""
    if task == "classification":
        labels = _labels_of(table, target)
        _check_classes(table.name, target, labels)
        return labels
    numbers = numbers_of(table, target).to_numpy()
    finite = np.isfinite(numbers)
    if not finite.all():
        row = int(np.argmin(finite))
        cell, where = str(numbers[row]), table.place_of(row)
        raise_cell(table.name, target, cell, where, "finite numbers", "fix the cell")
    return np.asarray(numbers)


def aimed_as_learnt(
    table: Table, target: str, classes: np.ndarray | None, option: str = ""
) -> Aimed:
    """Return a table's targets in the form that a model knows.

    ``table`` is as its file has it, and ``classes`` (K,) are the labels, None for numbers.
    ``option`` is what has named the target, if an option has.

    Raises
    ------
    TableError
        There is no such column, or it has another kind of targets, or labels that are unknown.
    """
    table.require([target], option=option, why="which the model predicts")
    table, remarks = _with_targets(table, target)
    if classes is None:
        y = numbers_of(table, target).to_numpy()
    elif classes.dtype.kind == "U":
        y = np.array([str(each) for each in _plain(table.columns[target]).to_pylist()])
    else:
        y = _labels_of(typed(table), target)
    if classes is not None:
        _check_known(table.name, target, y, classes)
    rest = replace(table, columns=table.columns.drop_columns([target]), remarks=remarks)
    task = "regression" if classes is None else "classification"
    return Aimed(rest, y, task, "the model says so")


def _check_known(name: str, target: str, y: np.ndarray, classes: np.ndarray) -> None:
    """Raise TableError for labels that a model has not learnt."""
    known = set(classes.tolist())
    unknown = [str(label) for label in np.unique(y).tolist() if label not in known]
    if unknown:
        raise TableError(
            f"{name}: column {brief(target)} has {listed(unknown)}, which the model has not "
            f"learnt; it knows {listed([str(each) for each in classes])}: fix the labels"
        )


def _with_targets(table: Table, target: str) -> tuple[Table, tuple[str, ...]]:
    """Return the rows that have a target, and what is to be said of the others."""
    column = table.columns[target]
    if pa.types.is_floating(column.type):
        column = pc.if_else(pc.is_nan(column), pa.scalar(None, column.type), column)
    there = pc.is_valid(column)
    n_rows = pc.sum(there).as_py()
    if not n_rows:
        raise TableError(f"{table.name}: column {brief(target)}, the target, has no values")
    n_lacking = len(table) - n_rows
    if not n_lacking:
        return table, table.remarks
    are = "is" if n_lacking == 1 else "are"
    remark = f"{counted(n_lacking, 'row')} without a value of {brief(target)} {are} left out"
    return table.rows(np.flatnonzero(there.to_numpy())), (*table.remarks, remark)


def _plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return a column of categories as what its categories are."""
    kind = column.type
    return column.cast(kind.value_type) if pa.types.is_dictionary(kind) else column


def _task_of(name: str, target: str, column: pa.ChunkedArray) -> tuple[str, str]:
    """Return the task of a target without gaps, and how it was found."""
    kind = column.type
    if pa.types.is_boolean(kind) or pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return "classification", "the target holds text, or true and false"
    if not (pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)):
        raise RefusedError(
            f"--target: column {brief(target)} of {name} holds {kind}, which can't be predicted: "
            "name a column of numbers or classes"
        )
    numbers = pc.cast(column, pa.float64(), safe=False).to_numpy()
    if not (numbers == np.floor(numbers)).all():
        return "regression", "the target holds numbers with fractions"
    n_values = len(np.unique(numbers))
    if n_values <= MOST_CLASSES and len(numbers) >= ROWS_OF_A_CLASS * n_values:
        return "classification", f"the target holds {n_values} different whole numbers"
    return "regression", f"the target holds {n_values:,} different whole numbers"


def _labels_of(table: Table, target: str) -> np.ndarray:
    """Return labels (N,): texts, booleans or whole numbers.

    Raises
    ------
    TableError
        They are none of these.
    """
    column = _plain(table.columns[target])
    kind = column.type
    if pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        numbers = pc.cast(column, pa.float64(), safe=False).to_numpy()
        whole = np.isfinite(numbers) & (numbers == np.floor(numbers)) & (np.abs(numbers) < 2**63)
        if not whole.all():
            row = int(np.argmin(whole))
            cell, remedy = str(column[row].as_py()), "give --task regression to predict numbers"
            raise_cell(table.name, target, cell, table.place_of(row), "classes", remedy)
        return np.asarray(numbers.astype(np.int64))
    if pa.types.is_integer(kind):
        return np.asarray(column.to_numpy())
    if pa.types.is_boolean(kind):
        return np.array(column.to_pylist(), bool)
    return np.array([str(each) for each in column.to_pylist()])


def _check_classes(name: str, target: str, y: np.ndarray) -> None:
    n_classes = len(np.unique(y))
    if n_classes == 1:
        raise TableError(
            f"{name}: column {brief(target)} has only one value, {brief(str(y[0]), 40)}, so there "
            "is nothing to learn"
        )
    if n_classes > max(len(y) // 2, 2):
        raise RefusedError(
            f"--target: column {brief(target)} of {name} has {n_classes:,} different values in "
            f"{counted(len(y), 'row')}, too many to learn as classes: name another column"
        )
