"""What holds for every raw table, tried on random ones."""

from __future__ import annotations

import datetime as dt
import pickle

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from numpy.testing import assert_array_equal

from fastmlp.tables import TableReader
from fastmlp.tables.encoders import FIRST_CODE, MISSING_CODE, RARE_CODE

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


def check_cells(data, encoded):
    """Hold numbers against the cells, and equal codes against equal levels."""
    for name, column in zip(encoded.number_names, encoded.numbers.T, strict=True):
        cells = data.get(name)
        if cells is None:  # a part of a date
            cells = data[name.split("_")[0]]
            assert_array_equal(np.isnan(column), [each is None for each in cells])
            continue
        real = [each.total_seconds() if hasattr(each, "days") else each for each in cells]
        assert_array_equal(column, np.array(real, float))
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
