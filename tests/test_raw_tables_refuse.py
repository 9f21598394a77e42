"""Bad raw tables: one line that names the column, and nothing has changed."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from numpy.testing import assert_array_equal
from scipy import sparse
from sklearn.exceptions import NotFittedError

from fastmlp.tables import TableReader

FRAME = pd.DataFrame(
    {
        "n": [1.0, 2.0, 4.0],
        "c": ["x", "y", "x"],
        "day": pd.to_datetime(["2020-01-01", "2021-02-03", None]),
        "took": pd.to_timedelta([1, 2, 3], unit="h"),
    }
)


def refused(X, error, text, **parameters):
    """Hold the text of ``fit`` in a new and in a fitted reader, which stays as it was."""
    with pytest.raises(error) as caught:
        TableReader(**parameters).fit(X)
    said = str(caught.value)
    assert text in said
    assert "\n" not in said
    assert len(said) <= 300
    reader = TableReader(min_count=1).fit(FRAME)
    before = reader.transform(FRAME)
    reader.set_params(**{"min_count": 2, **parameters})
    for method in (reader.fit, reader.fit_transform):
        with pytest.raises(error, match=re.escape(said)):
            method(X)
    assert_array_equal(reader.transform(FRAME).numbers, before.numbers)
    assert reader.n_features_in_ == 4


def refused_later(X, error, text):
    """Hold the text of ``transform``."""
    reader = TableReader(min_count=1).fit(FRAME)
    with pytest.raises(error) as caught:
        reader.transform(X)
    assert text in str(caught.value)
    assert "\n" not in str(caught.value)


def with_cell(value):
    """Return a data frame of which one cell is this value, in row 1 of column "bad"."""
    return FRAME.assign(bad=pd.Series([None, value, value], dtype=object))


class Plain:
    """What has no text of its own."""


class Hostile:
    """What raises whatever it is asked for."""

    def __getattr__(self, name):
        raise RuntimeError(f"no\n{name}")


# -- no table --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("X", "error", "text"),
    [
        (None, ValueError, "X must be a data frame of pandas, polars or pyarrow, a NumPy array or"),
        ("a.csv", TypeError, "a list of rows; got 'a.csv'. pandas.read_csv reads a file."),
        (Path("a.csv"), TypeError, "('a.csv'). pandas.read_csv reads a file."),
        (3.0, TypeError, "X must be a data frame of pandas, polars or pyarrow"),
        ({"a": [1.0]}, TypeError, "a list of rows; got a dict: use pandas.DataFrame(X)"),
        (iter([[1]]), TypeError, "use list(X)"),
        ([], ValueError, "X is a table without rows: it has 0 sample(s)"),
        ([[], []], ValueError, "0 feature(s)"),
        ([1.0, 2.0], ValueError, "give a list of rows"),
        ([{"a": 1}, {"a": 2}], ValueError, "use pandas.DataFrame(X)"),
        ([[1, 2], [3]], ValueError, "row 0 has 2 entries and row 1 has 1"),
        ([[1, 2], [3, [4]]], TypeError, "column 1, must hold numbers"),
        (FRAME["n"], ValueError, "X.to_frame() if it is one feature"),
        (pl.Series([1, 2]), ValueError, "X.to_frame() if it is one feature"),
        (FRAME["n"].to_numpy(), ValueError, "X.reshape(-1, 1)"),
        (np.zeros((2, 2, 2)), ValueError, "got shape (2, 2, 2)"),
        (np.zeros((0, 3)), ValueError, "X is a table without rows: it has 0 sample(s)"),
        (np.zeros(3, dtype=[("a", float)]), ValueError, "structured_to_unstructured"),
        (
            FRAME.iloc[:0],
            ValueError,
            "X is a table without rows: it has 0 sample(s) (shape=(0, 4))",
        ),
        (FRAME[[]], ValueError, "0 feature(s)"),
        (pl.DataFrame(), ValueError, "X is a table without rows: it has 0 sample(s)"),
        (pl.DataFrame({"a": [1]}).lazy(), TypeError, "X.collect()"),
        (sparse.csr_array(np.eye(3)), TypeError, "pass X.toarray()"),
        (np.eye(3) + 1j, ValueError, "Complex data not supported"),
    ],
)
def test_what_is_no_table(X, error, text):
    refused(X, error, text)


# -- names -----------------------------------------------------------------------------------------


def test_names_that_are_there_twice():
    text = "X must have a different name for each column; 'a' is used more than once"
    refused(pd.DataFrame([[1, 2, 3]], columns=["a", "b", "a"]), ValueError, text)
    refused(pa.table([[1], [2]], names=["a", "a"]), ValueError, text)
    refused(pd.DataFrame([[1, 2]], columns=[0, 0]), ValueError, "0 is used more than once")


def test_names_that_are_texts_in_part():
    X = pd.DataFrame([[1, 2]], columns=["a", 1])
    refused(X, ValueError, "got names of type int, str: use X.rename(columns=str)")


# -- cells -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (
            [1, 2],
            "got [1, 2] in row 1 (dtype object): make columns of its entries, or drop the column",
        ),
        ({"a": 1}, "make columns of its entries"),
        ((1, 2), "make columns of its entries"),
        (np.zeros(2), "make columns of its entries"),
        ({1}, "make columns of its entries"),
        (1 + 2j, "Complex data not supported; use the real and the imaginary parts"),
        (Plain(), "convert it to one of these, or drop"),
    ],
)
def test_cells_of_other_things(value, text):
    X, error = with_cell(value), ValueError if isinstance(value, complex) else TypeError
    refused(X, error, "X, column 'bad', must hold numbers, texts, booleans, dates or durations")
    refused(X, error, text)


def test_what_raises_when_it_is_asked():
    refused(Hostile(), ValueError, "X: no collect")
    text = "got a Hostile in row 1 (dtype object): convert it to one of these, or drop the column"
    refused([[1], [Hostile()]], TypeError, text)


@pytest.mark.parametrize(
    "X",
    [
        pl.DataFrame({"a": [1, 2], "bad": [[1], [2, 3]]}),
        pl.DataFrame({"a": [1, 2], "bad": [{"b": 1}, {"b": 2}]}),
        pa.table({"a": [1, 2], "bad": [[1], None]}),
    ],
)
def test_lists_and_structures_by_type(X):
    refused(X, TypeError, "X, column 'bad', must hold numbers, texts, booleans, dates or durations")


def test_what_another_library_can_not_read():
    """Its own error says nothing of the column; it may be no ValueError."""
    either = pa.UnionArray.from_sparse(pa.array([0, 1], pa.int8()), [pa.array([1, 2])] * 2)
    refused(pa.table({"a": [1, 2], "bad": either}), ValueError, "X, column 'bad', can't be read: ")


def test_what_no_float_can_be_made_of():
    refused([[np.timedelta64(1, "M")], [None]], ValueError, "X, column 0, can't be read: Cannot")
    refused([[10**400], [pd.NA]], ValueError, "X, column 0, can't be read: int too large")
    late = [dt.datetime.max.replace(tzinfo=dt.timezone(dt.timedelta(hours=-1)))] * 2
    refused([[each] for each in late], ValueError, "X, column 0, can't be read: date value out")
    refused(with_cell(10**400), ValueError, "X, column 'bad', can't be read: int too large")


def test_dates_beyond_pythons_years():
    days = np.array(["2020-01-01", "10000-01-01", "NaT"], "M8[D]")
    text = "X, column 'bad', must hold dates in the years 1 to 9999; got the year 10000 in row 1"
    refused(FRAME.assign(bad=days.astype("M8[s]")), ValueError, text)
    refused(days[:, None], ValueError, "X, column 0, must hold dates in the years 1 to 9999")
    before = np.array([["0000-12-31"], ["2020-01-01"]], "M8[D]")
    refused(before, ValueError, "got the year 0 in row 0")
    # In microseconds this year would come round to another.
    refused(np.array([["600000"]], "M8[Y]"), ValueError, "got the year 600000")


def test_dates_with_and_without_a_zone():
    some = [dt.datetime(2020, 1, 1), dt.datetime(2020, 1, 1, tzinfo=dt.UTC), None]
    X = FRAME.assign(bad=pd.Series(some, dtype=object))
    refused(X, ValueError, "X, column 'bad', has dates with and without a time zone")


# -- nothing to learn ------------------------------------------------------------------------------


def test_a_table_in_which_nothing_varies():
    text = "X has no column that tells rows apart: all columns are constant, empty, rare or"
    refused(FRAME.assign(n=1)[["n"]], ValueError, text)
    refused(pd.DataFrame({"a": [None, None], "id": ["u", "v"]}), ValueError, text)
    refused(FRAME, ValueError, text, drop=list(FRAME))
    refused(FRAME.iloc[:1], ValueError, "tells rows apart: X has 1 sample")


# -- parameters ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("parameters", "error", "text"),
    [
        ({"drop": ["m"]}, ValueError, "drop: X has no such column: 'm'."),
        ({"drop": ["tok"]}, ValueError, "Did you mean 'took'?"),
        ({"drop": "n"}, TypeError, "drop must be a list of column names or positions, or a mask"),
        ({"drop": 3}, TypeError, "got 3"),
        ({"drop": [4]}, ValueError, "drop: X has 4 columns; got the position 4"),
        ({"drop": [1.5]}, TypeError, "drop must hold column names or positions; got 1.5"),
        ({"drop": [True]}, ValueError, "must have an entry for each of 4 columns; got 1"),
        (
            {"drop": ["n"], "categorical_features": [0]},
            ValueError,
            "categorical_features and drop must name different columns; both name 'n'",
        ),
        ({"ordinal_features": ["c"]}, ValueError, "pass {'c': ['x', 'y']}, with the lowest"),
        ({"ordinal_features": {"c": "xy"}}, TypeError, "must be a list of levels, from lowest"),
        ({"ordinal_features": {"c": ["x"]}}, ValueError, "but 'y' is missing"),
        ({"ordinal_features": {"c": ["x", "y", "x"]}}, ValueError, "has 'x' more than once"),
        ({"min_count": 0}, ValueError, "min_count must be an integer ≥ 1; got 0"),
        ({"min_count": 2.5}, TypeError, "min_count must be an integer ≥ 1; got 2.5"),
    ],
)
def test_wrong_parameters(parameters, error, text):
    refused(FRAME, error, text, **parameters)


def test_names_of_columns_without_a_name():
    refused(FRAME.to_numpy(), ValueError, "drop: X has no column names: 'n'", drop=["n"])


# -- later tables ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "error", "text"),
    [
        (
            {"n": pd.Series(["1", "2", "3"], dtype=object)},
            TypeError,
            "X, column 'n', held numbers in fit; got texts (dtype object, such as '1'): "
            "pandas.to_numeric(X['n']) makes numbers.",
        ),
        ({"n": pd.Categorical(["1", "2", "3"])}, TypeError, "got texts (dtype category"),
        ({"n": FRAME["day"]}, TypeError, "column 'n', held numbers in fit; got dates"),
        ({"n": FRAME["took"]}, TypeError, "column 'n', held numbers in fit; got durations"),
        ({"day": ["a", "b", "c"]}, TypeError, "pandas.to_datetime(X['day']) makes dates"),
        ({"day": [1, 2, 3]}, TypeError, "column 'day', held dates in fit; got numbers"),
        ({"took": [1, 2, 3]}, TypeError, "pandas.to_timedelta(X['took']) makes durations"),
        (
            {"day": FRAME["day"].dt.tz_localize("UTC")},
            ValueError,
            "column 'day', had dates without a time zone in fit; got some in UTC",
        ),
        ({"n": with_cell([1])["bad"]}, TypeError, "column 'n', must hold numbers"),
    ],
)
def test_columns_of_another_kind_than_in_fit(change, error, text):
    refused_later(FRAME.assign(**change), error, text)


def test_dates_whose_zone_has_gone():
    aware = FRAME.assign(day=FRAME["day"].dt.tz_localize("Europe/Paris"))
    reader = TableReader(min_count=1).fit(aware)
    with pytest.raises(ValueError, match="in the time zone Europe/Paris in fit; got some without"):
        reader.transform(FRAME)


def test_columns_that_are_missing():
    refused_later(FRAME.drop(columns="c"), ValueError, "must have the columns that it had in fit, ")
    refused_later(FRAME[["n"]], ValueError, "'c', 'day', 'took' are missing")
    wide = pd.DataFrame(np.arange(40.0).reshape(2, 20)).rename(columns="c{}".format)
    with pytest.raises(ValueError, match="'c1', 'c2', 'c3', 'c4', 'c5' and 14 more are missing"):
        TableReader().fit(wide).transform(wide[["c0"]])


def test_another_number_of_columns_without_names():
    reader = TableReader().fit(np.eye(3))
    with pytest.raises(ValueError, match="X has 4 features, but TableReader is expecting 3"):
        reader.transform(np.eye(4))


def test_a_reader_without_a_fit():
    reader = TableReader()
    with pytest.raises(NotFittedError):
        reader.transform(FRAME)
    for name in ("columns_", "n_features_in_", "feature_names_in_"):
        assert not hasattr(reader, name)
