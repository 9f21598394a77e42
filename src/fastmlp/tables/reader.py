"""The reader of raw tables."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from fastmlp import validation
from fastmlp.notices import notify
from fastmlp.tables.encoded import EncodedTable
from fastmlp.tables.learning import EMPTY
from fastmlp.tables.reading import Reading, UnknownLevels, read
from fastmlp.tables.report import ColumnTable
from fastmlp.tables.roles import roles_of
from fastmlp.tables.sources import RawTable, open_table

__all__ = ["TableReader"]


class TableReader(BaseEstimator):
    """Make numbers and codes of a raw table, each column by what it is.

    Tables are data frames of pandas, polars, pyarrow and other libraries that Narwhals knows, NumPy
    arrays and lists of rows.

    ============================================  ==================================================
    column                                        what it gives
    ============================================  ==================================================
    integers, floats, decimals, booleans          a number; NaN where there is none
    texts, categories without an order            a code for each level; see ``EncodedTable``
    categories with an order (polars: ``Enum``)   the level's place in it, a number from 0
    dates, with or without a time zone, periods   year, month, day, day of week (0 is Monday), day
                                                  of year, hour, minute, second; sine and cosine
                                                  of the day, week and year: those that vary; and
                                                  the days since the first
    durations, times of day                       seconds
    intervals                                     their middle
    objects                                       by their cells; of several kinds: a category
    constant, without values, all levels rare     nothing
    ============================================  ==================================================

    Integers are numbers, and texts are categories, even if they look like dates or numbers. A level
    is known by its text, so 3, 3.0 and "3" are one.

    Missing are None, NaN, NaT, ``pandas.NA``, null and masked entries. Cells with lists, dicts,
    complex numbers and the like are refused.

    Another table may have its columns in another order, if they have names, and more columns than
    the fit saw, which are left out. Those that the fit dropped may be absent. Integers may come for
    floats, booleans for numbers and numbers for booleans, and any type for a category.

    Parameters
    ----------
    categorical_features : "auto" or list of column names or places, or a mask, default="auto"
        Columns that are categories besides those that are so by their type.
    ordinal_features : list of column names or places, a mask, or a dict, default=None
        Columns of ordered levels. A dict has a list of all levels of each, the lowest first;
        without one, the order is that of the type or of the numbers.
    drop : list of column names or places, or a mask, default=None
        Columns that are left out.
    min_count : int, default=2
        A level needs as many rows to have a code of its own. Others share the code of unseen ones,
        which is so learnt as well.

    Attributes
    ----------
    columns_ : ColumnTable, length I
        What each column was taken for.
    n_features_in_ : int
        I, the number of columns.
    feature_names_in_ : ndarray of str, shape (I,)
        Only if the table had names.

    Examples
    --------
    >>> rows = [["red", 1.5, True], ["blue", None, False], ["red", 3.0, True]]
    >>> reader = TableReader(min_count=1).fit(rows)
    >>> reader.columns_
    column  dtype   taken for  missing  levels  range    gives  remark
    0       object  category            2                x0
    1       object  number     33.3 %           1.5 … 3  x1
    2       object  boolean                     0 … 1    x2
    >>> encoded = reader.transform([["green", 2.0, False]])
    >>> encoded.categories, encoded.numbers
    (array([[0]], dtype=int32), array([[2., 0.]]))
    """

    _reading: Reading

    def __init__(
        self,
        *,
        categorical_features: Any = "auto",
        ordinal_features: Any = None,
        drop: Any = None,
        min_count: int = 2,
    ) -> None:
        self.categorical_features = categorical_features
        self.ordinal_features = ordinal_features
        self.drop = drop
        self.min_count = min_count

    def fit(self, X: Any, y: Any = None) -> TableReader:
        """Decide what the columns of X (N, I) are; y is ignored."""
        self._reading = self._read(open_table(X))
        return self

    def transform(self, X: Any) -> EncodedTable:
        """Return X (N, I) as numbers and codes."""
        return self.reading.encode(open_table(X))

    def fit_transform(self, X: Any, y: Any = None, owner: str | None = None) -> EncodedTable:
        """Do both; X is opened once. ``owner`` is the class that texts name, if it is another.

        For an owner, columns without any value are worth a warning, as they are for scikit-learn's
        imputers. Columns of one value are not: a seldom feature has no other in a part of the rows.
        """
        table = open_table(X)
        reading = self._read(table, owner)
        encoded = reading.encode(table)
        empty = [each.name for each in reading.report if each.remark == EMPTY]
        if empty and owner is not None:
            notify(validation.columns_without_values(empty))
        self._reading = reading
        return encoded

    def unknown_levels(self, X: Any) -> list[UnknownLevels]:
        """Return which levels of X (N, I) the fit has not seen, or too seldom, by column."""
        return self.reading.unknown_levels(open_table(X))

    def _read(self, table: RawTable, owner: str | None = None) -> Reading:
        validation.check_min_count(self.min_count)
        given = (self.categorical_features, self.ordinal_features, self.drop)
        roles = roles_of(*given, table.names, table.n_columns)
        return read(owner or type(self).__name__, table, roles, self.min_count)

    @property
    def reading(self) -> Reading:
        """Return what the fit found; NotFittedError, an AttributeError, if there was none."""
        check_is_fitted(self)
        return self._reading

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "_reading")

    @property
    def columns_(self) -> ColumnTable:
        """What each column was taken for."""
        return self.reading.report

    @property
    def n_features_in_(self) -> int:
        """Number of columns that the fit saw."""
        return len(self.reading.encoders)

    @property
    def feature_names_in_(self) -> np.ndarray:
        """Names of the columns that the fit saw, (I,), if they had any."""
        names = self.reading.names
        if names is None:
            raise AttributeError("feature_names_in_: X had no column names in fit")
        return np.array(names, object)
