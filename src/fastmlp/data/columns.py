"""Columns of Arrow's: which ones are X, the target and the weights; their types in all parts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from fastmlp import validation
from fastmlp.data.source import Piece

__all__ = ["Columns", "common_schema", "file_of", "is_of_parquet", "place_of"]


class Columns:
    """Which columns of a dataset are X, the target and the weights."""

    def __init__(
        self, names: Sequence[str], target: str | Sequence[str] | None, weight: str | None
    ) -> None:
        self.targets = [target] if isinstance(target, str) else list(target or ())
        self.several = not (target is None or isinstance(target, str))
        self.weight = weight
        self.of_x = list(names)

    @property
    def all(self) -> list[str]:
        """Names of all that are read."""
        return [*self.of_x, *self.targets, *([self.weight] if self.weight else [])]

    def piece(self, table: Any, place: str) -> Piece:
        """Return a table's rows."""
        y = None
        if self.targets:
            y = np.column_stack([_plain(table, name, place) for name in self.targets])
            y = y if self.several else y[:, 0]
        weights = _plain(table, self.weight, place).astype(np.float64) if self.weight else None
        return Piece(table.select(self.of_x), y, weights, place)


def _plain(table: Any, name: str, place: str) -> np.ndarray:
    """Return a column (n,) of targets or weights."""
    column = table.column(name)
    validation.check_no_nulls(name, column.null_count, place)
    values: np.ndarray = column.to_numpy()
    return values


def is_of_parquet(fragment: Any) -> bool:
    """Return whether a fragment of a dataset is a Parquet file, or a row group of one."""
    import pyarrow.dataset as ds  # noqa: PLC0415 - an extra

    return isinstance(fragment, ds.ParquetFileFragment)


def place_of(fragment: Any) -> str:
    """Return where the rows of a part lie: a row group of a Parquet file, or other fragments."""
    file = file_of(fragment)
    return f"{file}, row group {fragment.row_groups[0].id}" if is_of_parquet(fragment) else file


def file_of(fragment: Any) -> str:
    """Return the file of a fragment, as errors call it."""
    return str(getattr(fragment, "path", "") or "a fragment")


def common_schema(schema: Any, fragments: Sequence[Any], wanted: Sequence[str], whole: bool) -> Any:
    """Return a schema whose types hold the values of all fragments.

    Parameters
    ----------
    schema : pyarrow.Schema
        The dataset's, which is that of its first file where nobody says another one.
    fragments : sequence of pyarrow.dataset.Fragment
    wanted : sequence of str
        Columns that each fragment must have.
    whole : bool
        Whether fragments must have no columns but those of ``schema``.

    Raises
    ------
    ValueError, OSError
        If a fragment lacks a column, has another one, or one of quite another type.
    """
    import pyarrow.dataset as ds  # noqa: PLC0415 - an extra

    types = {name: schema.field(name).type for name in wanted}
    for fragment in fragments:
        place = file_of(fragment)
        with validation.naming_piece(place):
            own = fragment.physical_schema
            keys = ds.get_partition_keys(fragment.partition_expression)
            validation.check_same_columns(wanted, [*own.names, *keys], place)
            if whole:
                validation.check_no_new_columns(schema.names, own.names, place)
            for name in set(wanted).intersection(own.names):
                if own.field(name).type != types[name]:
                    types[name] = validation.common_type(
                        name, types[name], own.field(name).type, place
                    )
    for name, kind in types.items():
        schema = schema.set(schema.get_field_index(name), schema.field(name).with_type(kind))
    return schema
