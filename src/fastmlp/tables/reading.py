"""What a fit remembers of a raw table, and how it reads others like it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from fastmlp import validation
from fastmlp.notices import notify
from fastmlp.tables.columns import levels_of
from fastmlp.tables.encoded import EncodedTable
from fastmlp.tables.encoders import (
    FIRST_CODE,
    CategoryEncoder,
    Encoder,
    NumberEncoder,
    RankEncoder,
)
from fastmlp.tables.learning import AS_TEXTS, Learnt, learn
from fastmlp.tables.levels import Levels
from fastmlp.tables.plain import fill
from fastmlp.tables.report import ColumnTable
from fastmlp.tables.roles import Roles
from fastmlp.tables.sources import RawTable

__all__ = ["Reading", "UnknownLevels", "read"]


class UnknownLevels(NamedTuple):
    """Levels in a column of another table that have no code.

    Attributes
    ----------
    column : str or int
        Its name, or its place in a table without names.
    n_rows : int
        How many rows have one.
    levels : list of str
        The levels, those with the most rows first.
    is_ordinal : bool
        Whether the levels have an order, so that these are read as missing; others are read as
        rare.
    """

    column: str | int
    n_rows: int
    levels: list[str]
    is_ordinal: bool


@dataclass(frozen=True, eq=False)
class Reading:
    """How the columns of a raw table are read; it never changes.

    Attributes
    ----------
    owner : str
        Name of the class that texts mention.
    names : tuple of str, length I, or None
    labels : tuple, length I, or None
        Names that are no texts.
    encoders : tuple of Encoder or None, length I
        None for a column that is not read.
    slots : ndarray of int64, shape (I,)
        Where the outputs of each column begin, among numbers or among categories.
    dtype : dtype
        Of the numbers.
    number_names : tuple of str, length F
    category_names : tuple of str, length C
    report : ColumnTable, length I
    """

    owner: str
    names: tuple[str, ...] | None
    labels: tuple[Any, ...] | None
    encoders: tuple[Encoder | None, ...]
    slots: np.ndarray
    dtype: np.dtype
    number_names: tuple[str, ...]
    category_names: tuple[str, ...]
    report: ColumnTable

    def encode(self, table: RawTable) -> EncodedTable:
        """Return the rows (N, I) of another table as numbers and codes."""
        places = self.places(table)
        numbers = np.empty((table.n_rows, len(self.number_names)), self.dtype)
        codes = np.empty((table.n_rows, len(self.category_names)), np.int32)
        plain = self._plain(table, places)
        fill(numbers, self.slots[plain], table, places[plain])
        sizes = [0] * codes.shape[1]
        others = np.ones(len(places), bool)
        others[plain] = False
        for i in np.flatnonzero(others).tolist():
            encoder, slot = self.encoders[i], int(self.slots[i])
            if encoder is None:
                continue
            zone = getattr(encoder, "zone", None)
            values = encoder.encode(table.column(int(places[i]), zone), table.n_rows)
            if isinstance(encoder, CategoryEncoder):
                codes[:, slot], sizes[slot] = values, FIRST_CODE + len(encoder.codes)
            else:
                with np.errstate(over="ignore"):
                    numbers[:, slot : slot + values.shape[1]] = values
        return EncodedTable(numbers, codes, self.number_names, self.category_names, tuple(sizes))

    def unknown_levels(self, table: RawTable) -> list[UnknownLevels]:
        """Return what levels of another table have no code, by column."""
        places, found = self.places(table), []
        for i, encoder in enumerate(self.encoders):
            if isinstance(encoder, (CategoryEncoder, RankEncoder)):
                levels = levels_of(table.column(int(places[i])), table.n_rows)
                found.append(_unknown(self.report[i].name, encoder, levels))
        return [each for each in found if each.n_rows]

    def _plain(self, table: RawTable, places: np.ndarray) -> np.ndarray:
        """Return which columns (K,) of the fit are numbers, there and by their type here."""
        wanted = np.array(
            [
                type(each) is NumberEncoder and each.is_plain and place >= 0
                for each, place in zip(self.encoders, places.tolist(), strict=True)
            ]
        )
        here = table.are_numbers | table.are_booleans
        return np.flatnonzero(wanted & here[places])

    def places(self, table: RawTable) -> np.ndarray:
        """Return where the fit's columns are in a table, (I,); 0 for those that are not read."""
        if self.names is not None and table.names is not None:
            if self.names == table.names:
                return np.arange(len(self.names))
            wanted = [self.names[i] for i, each in enumerate(self.encoders) if each is not None]
            validation.check_columns_there(wanted, table.names)
            place = dict(zip(table.names, range(table.n_columns), strict=True))
            return np.array([place.get(name, 0) for name in self.names])
        validation.check_n_columns(table.n_columns, len(self.encoders), self.owner)
        if self.names is not None:
            notify(
                f"X does not have valid feature names, but {self.owner} was fitted with feature "
                "names"
            )
        elif table.names is not None:
            notify(f"X has feature names, but {self.owner} was fitted without feature names")
        return self._places_by_label(table.labels)

    def _places_by_label(self, labels: tuple[Any, ...] | None) -> np.ndarray:
        """Return where the fit's columns are, (I,): by their labels if these have only moved."""
        n_columns = len(self.encoders)
        if self.labels is None or labels is None or set(labels) != set(self.labels):
            return np.arange(n_columns)
        place = dict(zip(labels, range(n_columns), strict=True))
        return np.array([place[label] for label in self.labels])


def read(owner: str, table: RawTable, roles: Roles, min_count: int) -> Reading:
    """Return how a table (N, I) is read, of which this is the fit."""
    learnt, single = learn(table, roles, min_count)
    _warn_of_texts(learnt)
    encoders = tuple(each.encoder for each in learnt)
    numbers, categories = _names_of(learnt, False), _names_of(learnt, True)
    validation.check_any_varies(len(numbers) + len(categories), table.n_rows)
    return Reading(
        owner=owner,
        names=table.names,
        labels=table.labels,
        encoders=encoders,
        slots=_slots(learnt),
        dtype=np.dtype(np.float32 if single else np.float64),
        number_names=numbers,
        category_names=categories,
        report=ColumnTable(each.report for each in learnt),
    )


def _is_category(learnt: Learnt) -> bool:
    return isinstance(learnt.encoder, CategoryEncoder)


def _names_of(learnt: Sequence[Learnt], categories: bool) -> tuple[str, ...]:
    """Return the names of all outputs that are categories, or of those that are numbers."""
    chosen = (each for each in learnt if _is_category(each) == categories)
    return tuple(name for each in chosen for name in each.report.outputs)


def _slots(learnt: Sequence[Learnt]) -> np.ndarray:
    """Return where the outputs of each column (I,) begin, among others of their sort."""
    widths = np.array([len(each.report.outputs) for each in learnt])
    categories = np.array([_is_category(each) for each in learnt])
    slots = np.empty(len(learnt), np.int64)
    for sort in (categories, ~categories):
        slots[sort] = np.cumsum(widths[sort]) - widths[sort]
    return slots


def _warn_of_texts(learnt: Sequence[Learnt]) -> None:
    """Warn of columns that are taken for categories, or left out, but were hardly meant as such."""
    found = [
        report
        for encoder, report in learnt
        if report.remark and (encoder is not None or report.remark in AS_TEXTS)
    ]
    if found:
        first = found[0]
        more = f" and {len(found) - 1} more" if len(found) > 1 else ""
        fate = "dropped" if first.taken_for == "dropped" else "treated as a category"
        way = AS_TEXTS.get(first.remark, AS_TEXTS["numbers as texts"])
        notify(
            f"Column {first.name!r}{more} of X has {first.remark} and is {fate}: {way}; list it in "
            "categorical_features if it is a category."
        )


def _unknown(
    label: str | int, encoder: CategoryEncoder | RankEncoder, levels: Levels
) -> UnknownLevels:
    """Return the levels of a column that an encoder does not know."""
    is_ordinal = isinstance(encoder, RankEncoder)
    known = encoder.ranks if isinstance(encoder, RankEncoder) else encoder.codes
    counts = levels.counts()
    order = np.argsort(-counts, kind="stable").tolist()
    new = [k for k in order if counts[k] and levels.texts[k] not in known]
    texts = [levels.texts[k] for k in new]
    return UnknownLevels(label, int(counts[new].sum()), texts, is_ordinal)
