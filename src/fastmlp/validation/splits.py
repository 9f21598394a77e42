"""Checks of ``validation_split``: which rows early stopping holds out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np

from fastmlp.validation.shapes import UNREADABLE
from fastmlp.validation.wording import a_kind_of, brief, one_line

__all__ = [
    "check_part",
    "check_parts",
    "check_split_rule",
    "check_weights_of_parts",
    "classes_not_learnt",
    "no_split",
    "splitting",
]

_WANTED = "None, a splitter of sklearn.model_selection or a list of one (train, test) pair"


def check_split_rule(name: str, value: Any) -> Any:
    """Return None, an object that splits, or a list of one pair; raise for everything else."""
    if value is None:
        return None
    if isinstance(value, type) and hasattr(value, "split"):
        raise TypeError(f"{name} must be {_WANTED}; got a class: write {value.__name__}(…).")
    if not isinstance(value, (str, bytes, type)) and callable(getattr(value, "split", None)):
        return value
    if isinstance(value, Iterator):
        raise TypeError(f"{name} must be {_WANTED}; got {a_kind_of(value)}: write [next(…)].")
    if isinstance(value, (list, tuple)) and len(value) == 1 and _is_pair(value[0]):
        return value
    hint = ""
    if isinstance(value, tuple) and _is_pair(value):
        hint = ": write [(train, test)]"
    raise TypeError(f"{name} must be {_WANTED}; got {brief(value)}{hint}.")


def _is_pair(value: Any) -> bool:
    """Return whether a value is two sequences, such as rows' numbers are."""
    return isinstance(value, (list, tuple)) and len(value) == 2 and all(map(_is_sequence, value))


def _is_sequence(value: Any) -> bool:
    """Return whether a value has a length and entries by number."""
    return (
        not isinstance(value, (str, bytes, Mapping))
        and hasattr(value, "__len__")
        and hasattr(value, "__getitem__")
    )


@contextmanager
def splitting(split: Any) -> Iterator[None]:
    """Name ``validation_split`` in what a splitter raises."""
    try:
        yield
    except UNREADABLE as error:
        text = one_line(str(error))
        if "groups" in text:
            text += (
                " A fit has no groups: pass sklearn.model_selection.PredefinedSplit, or the pair "
                "[next(splitter.split(X, y, groups))]."
            )
        raise ValueError(f"validation_split={brief(split)} can't split the rows: {text}") from error


def no_split(split: Any) -> ValueError:
    """Return the error for a splitter without any split."""
    return ValueError(f"validation_split={brief(split)} yields no split.")


def check_part(part: Any, what: str, n_rows: int) -> np.ndarray:
    """Return the numbers of the rows (K,) of a part, given so or as a mask (N,)."""
    try:
        rows = np.asarray(part)
    except UNREADABLE as error:
        raise ValueError(
            f"validation_split has {what} rows that are not an array: {one_line(str(error))}"
        ) from error
    if rows.dtype == bool and rows.shape == (n_rows,):
        rows = np.flatnonzero(rows)
    if rows.size == 0:
        raise ValueError(f"validation_split has no {what} rows: at least one is needed.")
    if rows.ndim != 1 or rows.dtype.kind not in "iu":
        raise ValueError(
            f"validation_split must give {what} rows by their numbers, or by a mask of shape "
            f"({n_rows},); got {brief(part)}."
        )
    if rows.min() < 0 or rows.max() >= n_rows:
        wrong = rows[(rows < 0) | (rows >= n_rows)][0]
        raise ValueError(
            f"validation_split has the {what} row {wrong}; X has the rows 0 to {n_rows - 1}."
        )
    numbers, counts = np.unique(rows, return_counts=True)
    if counts.max() > 1:
        raise ValueError(
            f"validation_split has the {what} row {numbers[counts.argmax()]} more than once: pass "
            "sample_weight instead."
        )
    return rows.astype(np.int64)


def check_parts(train: np.ndarray, test: np.ndarray) -> None:
    """Raise ValueError if a row is both learnt from, (K,), and held out, (V,)."""
    both = np.intersect1d(train, test)
    if len(both):
        raise ValueError(
            f"validation_split has {len(both)} rows in both parts (first: row {both[0]}): a row "
            "that is held out must not be learnt from."
        )


def check_weights_of_parts(train: np.ndarray | None, test: np.ndarray | None) -> None:
    """Raise ValueError if no row of a part has a weight, (K,) to learn from and (V,) held out."""
    for weights, what in ((train, "leaves to train on"), (test, "holds out")):
        if weights is not None and not weights.any():
            raise ValueError(f"the weight is zero for every row that validation_split {what}.")


def classes_not_learnt(present: np.ndarray, learnt: np.ndarray, labels: np.ndarray) -> str | None:
    """Return what to warn of when all rows of a class are held out, or left out.

    ``present`` and ``learnt`` are numbers of ``labels`` (K,): of all rows with a weight, and of
    those that are left to learn from.
    """
    lost = np.setdiff1d(present, learnt)
    if not len(lost):
        return None
    names = labels[lost].tolist()
    return (
        f"validation_split leaves no row of {brief(names)} to train on: nothing is learnt about "
        f"{'it' if len(names) == 1 else 'them'}."
    )
