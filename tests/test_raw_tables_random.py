"""What holds for every raw table, tried on random ones."""

from __future__ import annotations

import datetime as dt
import pickle
from decimal import Decimal

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from fastmlp import TabularClassifier, TabularRegressor
from fastmlp.tables import TableReader
from fastmlp.tables.encoders import FIRST_CODE, MISSING_CODE, RARE_CODE
from fastmlp.tabular import Recipe

FRAMES = (
    lambda data: pd.DataFrame(data, dtype=object),
    lambda data: pd.DataFrame(data).convert_dtypes(),
    lambda data: pl.DataFrame(data, strict=False),
    pa.table,
)


def random_cells(rng, n_rows):
    """Return the cells of a column, each of one kind."""
    start, second = dt.datetime(1990, 1, 1), dt.timedelta(seconds=1)
    makers = (
        lambda: int(rng.integers(-3, 9)),
        lambda: float(rng.choice([rng.normal(), 1e15, -1e-300, 0.0])),
        lambda: bool(rng.integers(2)),
        lambda: f"level {rng.integers(max(2, n_rows // 3))}",
        lambda: start + int(rng.integers(10**9)) * second,
        lambda: dt.date.fromordinal(int(rng.integers(1, 3_000_000))),
        lambda: int(rng.integers(10**6)) * second,
        lambda: Decimal(int(rng.integers(-99, 99))) / 4,
        lambda: dt.time(int(rng.integers(24)), int(rng.integers(60)), int(rng.integers(60))),
    )
    make = makers[rng.integers(len(makers))]
    missing = rng.choice([0, 0.3, 1], p=[0.6, 0.3, 0.1])
    return [None if rng.random() < missing else make() for _ in range(n_rows)]


def random_table(seed):
    """Return random columns by name, the last of which can be told apart."""
    rng = np.random.default_rng(seed)
    n_rows = int(rng.choice([2, 3, 20]))
    data = {f"c{i}": random_cells(rng, n_rows) for i in range(rng.integers(8))}
    return rng, {**data, "row": list(range(n_rows))}


@pytest.mark.parametrize("seed", range(24))
def test_what_holds_for_every_table(seed):
    rng, data = random_table(seed)
    tables = [make(data) for make in FRAMES]
    readers = [TableReader().fit(table) for table in tables]
    encoded = [reader.transform(table) for reader, table in zip(readers, tables, strict=True)]
    for other in encoded[1:]:  # the libraries agree
        assert other.number_names == encoded[0].number_names
        assert_array_equal(other.numbers, encoded[0].numbers)
        assert_array_equal(other.categories, encoded[0].categories)
        assert other.sizes == encoded[0].sizes
    one, n_rows = encoded[0], len(data["row"])
    assert one.numbers.shape == (n_rows, len(one.number_names))
    assert one.numbers.flags.c_contiguous
    assert (one.categories < one.sizes).all()
    assert (one.categories >= 0).all()
    check_cells(data, one)
    check_rows_and_columns_may_move(rng, readers[1], tables[1], encoded[1])
    with_all = readers[0].fit_transform(tables[0])
    assert_array_equal(with_all.numbers, one.numbers)


def real(cell):
    """Return the number that a cell stands for."""
    if isinstance(cell, dt.time):
        return 3600 * cell.hour + 60 * cell.minute + cell.second
    return cell.total_seconds() if isinstance(cell, dt.timedelta) else cell


def check_cells(data, encoded):
    """Hold numbers against the cells, and equal codes against equal levels."""
    for name, column in zip(encoded.number_names, encoded.numbers.T, strict=True):
        cells = data.get(name)
        if cells is None:  # a part of a date
            cells = data[name.split("_")[0]]
            assert_array_equal(np.isnan(column), [each is None for each in cells])
            continue
        assert_array_equal(column, np.array(list(map(real, cells)), float))
    for name, codes in zip(encoded.category_names, encoded.categories.T, strict=True):
        cells = data[name]
        for code, cell in zip(codes, cells, strict=True):
            assert (code == MISSING_CODE) == (cell is None)
            assert (code == RARE_CODE) == (cell is not None and cells.count(cell) == 1)
            if code >= FIRST_CODE:
                others = [each for each, its in zip(cells, codes, strict=True) if its == code]
                assert set(others) == {cell}


def check_rows_and_columns_may_move(rng, reader, table, encoded):
    """Hold that rows are read one by one, whatever the order of the columns."""
    rows = rng.permutation(len(table))[: max(1, len(table) // 2)]
    columns = rng.permutation(table.columns)
    part = pickle.loads(pickle.dumps(reader)).transform(table.iloc[rows][list(columns)])
    assert_array_equal(part.numbers, encoded.numbers[rows])
    assert_array_equal(part.categories, encoded.categories[rows])


@pytest.mark.parametrize("seed", range(10))
def test_the_order_of_rows_does_not_matter(seed):
    rng, data = random_table(seed)
    table = pd.DataFrame(data, dtype=object)
    order = rng.permutation(len(table))
    one, other = TableReader().fit_transform(table), TableReader().fit_transform(table.iloc[order])
    assert_array_equal(other.numbers, one.numbers[order])
    assert_array_equal(other.categories, one.categories[order])


# -- models ----------------------------------------------------------------------------------------

QUICK = Recipe(hidden_layer_sizes=(4,), max_iter=2, inputs=("pieces", "places", "pairs"), n_pairs=2)


#: Types of cells, those of missing ones first.
KINDS = [type(None), bool, int, float, str, dt.date, dt.datetime, dt.timedelta, Decimal, dt.time]


def changed(rng, data):
    """Return other rows for a table: gaps, levels and dates that it lacks, numbers far outside."""
    kinds = {
        int: [None, 10**15, -(10**15)],
        float: [None, np.inf, -np.inf, 1e300, -1e300],
        bool: [None, True],
        str: [None, "new", "", "level 1"],
        dt.datetime: [None, dt.datetime(1, 1, 1), dt.datetime(9999, 12, 31, 23, 59, 59)],
        dt.date: [None, dt.date(1, 1, 1), dt.date(9999, 12, 31)],
        dt.timedelta: [None, dt.timedelta(days=10**5), dt.timedelta(days=-(10**5))],
        Decimal: [None, Decimal(10) ** 20],
        dt.time: [None, dt.time.max],
        type(None): [None],
    }
    kind = {name: max(map(type, cells), key=KINDS.index) for name, cells in data.items()}
    others = {name: kinds[kind.get(name, str)] for name in rng.permutation([*data, "further"])}
    return {name: [few[i] for i in rng.integers(len(few), size=9)] for name, few in others.items()}


def as_any_frame(rng, data):
    """Return a data frame of any library."""
    makers = (
        lambda data: pd.DataFrame(data, dtype=object),
        lambda data: pl.DataFrame(data, strict=False),
    )
    return makers[rng.integers(2)](data)


@pytest.mark.filterwarnings("ignore:Column.* no values")
@pytest.mark.filterwarnings("ignore:y has only one class")
@pytest.mark.parametrize("seed", range(20))
def test_whatever_comes_the_answer_is_sane(seed):
    rng, data = random_table(seed)
    n_rows = len(data["row"])
    later = as_any_frame(rng, changed(rng, data))
    given = {"recipe": QUICK, "n_folds": int(rng.integers(1, 3)), "random_state": seed}
    y = rng.normal(size=n_rows) * 10.0 ** rng.integers(-20, 20)
    regressor = TabularRegressor(**given).fit(as_any_frame(rng, data), y)
    values = regressor.predict(later)
    assert values.shape == (9,)
    margin = 0.051 * np.ptp(y)
    assert y.min() - margin <= values.min() <= values.max() <= y.max() + margin
    labels = rng.choice(["a", "b", "c"], n_rows)
    labels[:2] = "a"  # one of which can be held out
    p = TabularClassifier(**given).fit(as_any_frame(rng, data), labels).predict_proba(later)
    assert_allclose(p.sum(axis=1), 1)
    assert p.min() >= 0
    with pytest.raises((TypeError, ValueError), match="row"):  # which nothing has come of
        regressor.fit(pl.DataFrame({**data, "row": [[each] for each in data["row"]]}), y)
    assert_array_equal(regressor.predict(later), values)
