"""Inputs of a network made of an encoded table: scaled numbers, bins, turned pairs, levels."""

from __future__ import annotations

import pickle
import tracemalloc
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import issparse
from sklearn.preprocessing import OneHotEncoder, RobustScaler

from fastmlp.tables import TableReader
from fastmlp.tables.coordinates import find_coordinates, fit_rotations
from fastmlp.tables.encoded import EncodedTable
from fastmlp.tables.inputs import fit_inputs
from fastmlp.tables.one_hot import fit_levels
from fastmlp.tables.piecewise import fit_piecewise
from fastmlp.tables.quantiles import quantiles
from fastmlp.tables.scaling import fit_scaling, smoothly_clipped

NAN, INF = np.nan, np.inf
EPS = np.finfo(np.float32).eps


def random_numbers(seed, n_rows=60, n_columns=7):
    """Return numbers of many scales, with missing ones in some columns, and repeated values."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n_rows, n_columns)) * 10.0 ** rng.integers(-4, 5, n_columns)
    X[:, 1] = rng.integers(0, 4, n_rows)
    X[rng.random(n_rows) < 0.3, 2] = NAN
    X[rng.random(n_rows) < 0.9, 3] = 0  # quartiles coincide
    return X


# -- quantiles -------------------------------------------------------------------------------------

SHARES = np.array([0, 0.1, 0.25, 0.5, 0.77, 1])


@pytest.mark.parametrize("block", [1, 150, 2**22])
def test_quantiles_are_numpys(block, monkeypatch):
    monkeypatch.setattr("fastmlp.tables.quantiles.BLOCK", block)
    X = random_numbers(0)
    assert_allclose(quantiles(X, SHARES), np.nanquantile(X, SHARES, axis=0), rtol=1e-14, atol=1e-16)
    found = quantiles(X, SHARES, of_data=True)
    assert_array_equal(found, np.nanquantile(X, SHARES, axis=0, method="nearest"))


def test_quantiles_leave_out_what_is_not_finite():
    X = np.array([[1, NAN, INF], [INF, NAN, 4], [3, NAN, -INF]])
    assert_array_equal(quantiles(X, np.array([0, 0.5, 1])), [[1, NAN, 4], [2, NAN, 4], [3, NAN, 4]])


# -- scaling ---------------------------------------------------------------------------------------


def test_smooth_clipping():
    z = np.array([0, 1e-3, -3, 3, 1e200, -INF, INF, NAN])
    root = 3 / np.sqrt(2)
    assert_allclose(smoothly_clipped(z), [0, 1e-3, -root, root, 3, -3, 3, NAN], rtol=1e-6)


def test_scaling_is_that_of_scikit_learn_but_for_the_clipping():
    X = random_numbers(1)[:, :3]
    scaled = RobustScaler().fit_transform(X)
    expected = np.where(np.isnan(X), 0, scaled / np.sqrt(1 + (scaled / 3) ** 2))
    found = fit_scaling(X).transform(X)
    assert found.dtype == np.float32
    assert_allclose(found[:, :3], expected, rtol=4 * EPS, atol=1e-7)
    assert_array_equal(found[:, 3:], np.isnan(X[:, [2]]))


def test_where_quartiles_coincide_the_range_counts():
    X = np.array([[0.0]] * 8 + [[4], [-6]])
    assert_allclose(fit_scaling(X).factors, [2 / 10])


def test_what_does_not_vary_has_no_input():
    X = np.array([[1, NAN, 5, 2, NAN], [1, NAN, NAN, 2, INF], [1, NAN, 5, INF, 3]])
    scaling = fit_scaling(X)
    assert_array_equal(scaling.kept, [3, 4])
    assert_array_equal(scaling.indicated, [2, 4])
    assert scaling.names(tuple("abcde")) == ("d", "e", "c_missing", "e_missing")
    assert_array_equal(scaling.transform(X), [[0, 0, 0, 1], [0, 3, 1, 0], [3, 0, 0, 0]])


def test_missing_later_only_is_the_median():
    scaling = fit_scaling(np.array([[1.0], [2], [4]]))
    assert_array_equal(scaling.transform(np.array([[NAN], [2]])), [[0], [0]])


@pytest.mark.parametrize("extreme", [1e308, 5e-324, 1e-310])
def test_scaling_of_extreme_numbers(extreme):
    X = np.array([[-extreme], [0], [extreme], [extreme]])
    found = fit_scaling(X).transform(np.array([[-INF], [-extreme], [0], [extreme], [INF]]))
    assert np.isfinite(found).all()
    assert np.abs(found).max() <= 3
    assert (np.diff(found[:, 0]) >= 0).all()
    assert found[0] < found[-1]


# -- bins ------------------------------------------------------------------------------------------


def filled(x, edges, is_open):
    """Return the bins of one number, by their definition."""
    out = []
    for i, (b, end) in enumerate(pairwise(edges)):
        z = (x - b) / (end - b)
        value = min(max(z, 0), 1)
        if is_open and i == 0 and z < 0:
            value = z / np.sqrt(1 + (z / 3) ** 2)
        if is_open and i == len(edges) - 2 and z > 1:
            value = 1 + (z - 1) / np.sqrt(1 + ((z - 1) / 3) ** 2)
        out.append(value)
    return out


@pytest.mark.parametrize("is_open", [True, False])
def test_bins_by_their_definition(is_open, monkeypatch):
    monkeypatch.setattr("fastmlp.tables.piecewise.BLOCK", 100)
    X = random_numbers(2)
    encoding = fit_piecewise(X, 5, is_open=is_open)
    far = np.concatenate([X, X * 3 + 1, -5 * X])
    edges = [
        np.unique(np.nanquantile(column, np.linspace(0, 1, 6), method="nearest")) for column in X.T
    ]
    expected = [
        np.concatenate(
            [
                np.zeros(len(its) - 1) if np.isnan(x) else filled(x, its, is_open)
                for x, its in zip(row, edges, strict=True)
            ]
        )
        for row in far
    ]
    found = encoding.transform(far)
    assert found.dtype == np.float32
    assert_allclose(found, expected, rtol=8 * EPS, atol=1e-7)


def test_bins_add_up_to_the_place_among_quantiles():
    x = np.linspace(0, 1, 33)[:, None]
    encoding = fit_piecewise(x, 8)
    assert_allclose(encoding.transform(x).sum(axis=1), 8 * x[:, 0], atol=1e-6)


def test_columns_with_few_values():
    X = np.array([[0, 1, NAN, 3, INF], [1, 1, NAN, NAN, 2], [1, 1, NAN, 4, 5]], float)
    encoding = fit_piecewise(X, 4)
    assert encoding.names(tuple("abcde")) == ("a_bin0", "d_bin0", "e_bin0")
    assert_array_equal(encoding.transform(X), [[0, 0, 4], [1, 0, 0], [1, 1, 1]])


def test_no_bins_at_all():
    encoding = fit_piecewise(np.ones((3, 2)), 4)
    assert encoding.transform(np.ones((3, 2))).shape == (3, 0)
    assert encoding.names(("a", "b")) == ()


def test_bins_of_a_wide_range_stay_finite():
    X = np.array([[-1.7e308], [1.7e308]])
    found = fit_piecewise(X, 2).transform(np.array([[-INF], [0], [INF]]))
    assert np.isfinite(found).all()
    assert (np.diff(found[:, 0]) > 0).all()


# -- coordinates -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("names", "pairs"),
    [
        (("longitude", "latitude"), [(0, 1)]),
        (("Lat", "x", "Long_"), [(2, 0)]),
        (("start_lng", "end_lat", "start_lat", "end_lng"), [(0, 2), (3, 1)]),
        (("pickupLongitude", "pickupLatitude"), [(0, 1)]),
        (("start_lng", "end_lat"), []),
        (("long", "flat", "platform", "lonely", "translation"), []),
        ((), []),
    ],
)
def test_coordinates_are_found_by_name(names, pairs):
    assert find_coordinates(names) == pairs


def test_turned_coordinates():
    east, north = np.array([0.0, 10, NAN]), np.array([60.0, 60, 60])
    rotations = fit_rotations(np.column_stack([east, north]), ("lon", "lat"), 2)
    half = np.sqrt(0.5)  # 45° and 135°; a degree of longitude is half as long at 60° north
    expected = [[60, 60], [60 + 5, 60 - 5], [NAN, NAN]]
    assert_allclose(rotations.transform(np.column_stack([east, north])), half * np.array(expected))
    assert rotations.names(("lon", "lat")) == ("lon_lat_turned0", "lon_lat_turned1")


@pytest.mark.parametrize("wrong", [1000.0, INF, NAN])
def test_what_can_be_no_degrees_is_not_turned(wrong):
    X = np.full((3, 2), wrong)
    assert fit_rotations(X, ("lon", "lat"), 4).transform(X).shape == (3, 0)


# -- all together ----------------------------------------------------------------------------------


def encoded(**columns):
    reader = TableReader(min_count=1)
    return reader, reader.fit_transform(pd.DataFrame(columns))


def test_inputs_stand_side_by_side():
    reader, table = encoded(
        n=[1.0, 2, NAN, 5], lat=[0.0, 1, 2, 3], lon=[0.0, 1, 2, 4], c=["x", "y", None, "x"]
    )
    inputs = fit_inputs(table, n_bins=2, n_angles=2)
    X = inputs.matrix(table)
    assert X.shape == (4, len(inputs.names))
    assert X.dtype == np.float32
    assert X.flags.c_contiguous
    numbers = ("n", "lat", "lon", "lon_lat_turned0", "lon_lat_turned1")
    bins = (f"{name}_bin{i}" for name in numbers for i in range(2))
    assert inputs.names == (*numbers, "n_missing", *bins, "c_1", "c_2", "c_3")
    assert_array_equal(X[:, -3:], [[0, 1, 0], [0, 0, 1], [1, 0, 0], [0, 1, 0]])
    assert_array_equal(X[:, 6:8], [[0, 0], [0.5, 0], [0, 0], [0.5, 0.5]])
    later = reader.transform(pd.DataFrame({"n": [0], "lat": [0], "lon": [0], "c": ["new"]}))
    assert_array_equal(inputs.matrix(later)[0, -3:], [0, 0, 0])
    again = pickle.loads(pickle.dumps(inputs))
    assert_array_equal(again.matrix(table), X)


def test_few_inputs_for_many_levels():
    _, table = encoded(c=[*"aaabbbcde"])
    X = fit_inputs(table, max_levels=3).matrix(table)
    assert_array_equal(X.sum(axis=0), [3, 3, 3])
    assert_array_equal(X.sum(axis=1), np.ones(9))


@pytest.mark.parametrize("max_levels", [None, 1, 2, 5, 50])
@pytest.mark.parametrize("seed", range(4))
def test_levels_are_those_of_scikit_learn(seed, max_levels):
    rng = np.random.default_rng(seed)
    codes = np.minimum(rng.geometric(0.2, (80, 3)) - 1, 8).astype(np.int32)
    codes[:, 2] = rng.choice([0, 3], 80)  # others were not seen
    encoded_as = lambda codes: EncodedTable(np.empty((len(codes), 0)), codes, (), "abc", (9, 9, 5))  # noqa: E731
    levels = fit_levels(encoded_as(codes), max_levels)
    other = OneHotEncoder(max_categories=max_levels, sparse_output=False).fit(codes)
    found, wanted = levels.transform(codes), other.transform(codes)
    if max_levels is None:
        assert_array_equal(found, wanted)
    # Of equally frequent levels, the library has another one of its own.
    assert_array_equal(np.sort(found.sum(axis=0)), np.sort(wanted.sum(axis=0)))
    assert_array_equal(found.sum(axis=1), 3)
    later = np.concatenate([codes, rng.integers(0, [9, 9, 5], (20, 3))])
    assert levels.transform(later).sum(axis=1).max() == 3
    assert len(levels.names(("a", "b", "c"))) == levels.n_outputs == len(set(levels.names("abc")))


def test_many_levels_take_no_room_for_zeros():
    codes = np.arange(100_000, dtype=np.int32)[:, None]
    table = EncodedTable(np.zeros((len(codes), 1)), codes, ("n",), ("c",), (len(codes),))
    tracemalloc.start()
    X = fit_inputs(table).matrix(table)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert X.shape == (100_000, 100_000)
    assert (X[[0, 9, 99_999]] != 0).nonzero()[1].tolist() == [0, 9, 99_999]
    assert most < 100e6


@pytest.mark.parametrize("max_levels", [None, 4])
def test_sparse_inputs_are_the_same(max_levels, monkeypatch):
    rng = np.random.default_rng(0)
    reader, table = encoded(
        n=rng.normal(size=90), c=[f"{level}x" for level in rng.integers(0, 30, 90)]
    )
    given = {"n_bins": 3, "max_levels": max_levels}
    later = reader.transform(pd.DataFrame({"n": [NAN, 0, INF], "c": ["new", None, "3x"]}))
    inputs = fit_inputs(table, **given)
    dense = [inputs.matrix(each) for each in (table, later)]
    monkeypatch.setattr("fastmlp.tables.inputs.LARGE", 0)
    monkeypatch.setattr("fastmlp.tables.inputs.SPARSE", 0)
    for one, other in zip(dense, map(inputs.matrix, (table, later)), strict=True):
        assert issparse(other)
        assert other.has_canonical_format
        assert_array_equal(other.toarray(), one)


def test_numbers_alone_and_categories_alone():
    _, numbers = encoded(n=[1.0, 2, 3])
    assert_array_equal(
        fit_inputs(numbers).matrix(numbers), fit_scaling(numbers.numbers).transform(numbers.numbers)
    )
    _, categories = encoded(c=["x", "y", "x"])
    assert fit_inputs(categories, n_bins=3, n_angles=3).matrix(categories).shape == (3, 2)


@pytest.mark.parametrize("seed", range(10))
def test_no_row_gives_more_than_bounded_inputs(seed):
    X = random_numbers(seed)
    names = ("lon", "lat", *"abcde")
    X[:, :2] = np.clip(X[:, :2], -90, 90)
    reader = TableReader()
    table = reader.fit_transform(pd.DataFrame(X, columns=names))
    inputs = fit_inputs(table, n_bins=6, n_angles=3)
    rng = np.random.default_rng(seed)
    far = rng.choice([NAN, INF, -INF, 1e300, -1e300, 0, 1e-300, 1e30], size=(200, 7))
    found = inputs.matrix(reader.transform(pd.DataFrame(far, columns=names)))
    assert np.isfinite(found).all()
    assert np.abs(found).max() <= 3


def test_bins_of_a_column_that_is_mostly_one_value_lie_among_the_others():
    rng = np.random.RandomState(0)
    paid = np.where(rng.rand(20_000) < 0.1, rng.lognormal(8, 1, 20_000), 0)[:, None]
    bins = fit_piecewise(paid, 16)
    edges = np.append(bins.starts, bins.starts[-1] + bins.widths[-1])
    assert bins.n_outputs >= 12
    assert edges[0] == 0
    assert np.isclose(edges[-1], paid.max())
    rows = np.histogram(paid[paid > 0], edges[1:])[0]
    assert rows.min() >= 64  # and no bin of the rest has few rows to learn from


def test_bins_of_few_rows_are_not_made_finer():
    x = np.where(np.arange(400) % 4 == 0, np.arange(400), 0.0)[:, None]
    assert fit_piecewise(x, 32).n_outputs < 12


def test_all_inputs_are_multiplied():
    table = TableReader().fit_transform(
        pd.DataFrame({"x": [1.0, 2.0, 3.0, 4.0], "c": list("abab")})
    )
    one, three = fit_inputs(table, n_bins=2), fit_inputs(table, n_bins=2, scale=3.0)
    assert one.names == three.names
    assert_array_equal(three.matrix(table), 3 * one.matrix(table))


def test_codes_of_categories_may_be_inputs_as_they_are():
    frame = pd.DataFrame({"x": [1.0, 2.0, 3.0, 4.0], "c": list("abab")})
    table = TableReader().fit_transform(frame)
    inputs = fit_inputs(table, as_codes=True, scale=3.0)
    assert inputs.names[-1] == "c"
    assert inputs.codes == [len(inputs.names) - 1]
    matrix = inputs.matrix(table)
    assert matrix.dtype == np.float32
    assert_array_equal(matrix[:, -1], table.categories[:, 0])
