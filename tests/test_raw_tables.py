"""What columns of raw tables are taken for, and the numbers and codes that they give."""

from __future__ import annotations

import datetime as dt
import pickle
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from fractions import Fraction
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone

from fastmlp.tables import TableReader

NAN = np.nan
FRAMES = {"pandas": pd.DataFrame, "polars": pl.DataFrame, "pyarrow": pa.table}


@pytest.fixture(params=FRAMES)
def frame(request):
    """What makes a data frame of lists by name."""
    return FRAMES[request.param]


def read(X, **parameters):
    reader = TableReader(**{"min_count": 1, **parameters})
    return reader, reader.fit_transform(X)


def turned(column, cycle, shares):
    """Return the sine and the cosine of shares of a cycle."""
    angles = 2 * np.pi * np.array(shares)
    return {f"{column}_{wave.__name__}_of_{cycle}": wave(angles) for wave in (np.sin, np.cos)}


def one_column(values, **parameters):
    """Return the report and the outputs of a column, by name."""
    reader, encoded = read(pd.DataFrame({"a": values}), **parameters)
    return reader.columns_["a"], outputs_of(encoded)


def outputs_of(encoded):
    numbers = dict(zip(encoded.number_names, encoded.numbers.T.tolist(), strict=True))
    codes = dict(zip(encoded.category_names, encoded.categories.T.tolist(), strict=True))
    return numbers | codes


# -- kinds of columns ------------------------------------------------------------------------------


def test_the_same_of_every_library(frame):
    data = {
        "size": [1, 2, None, 4],
        "price": [0.5, None, 2.5, 3.5],
        "sold": [True, None, False, True],
        "colour": ["red", None, "blue", "red"],
        "day": [dt.date(2024, 2, 29), None, dt.date(2023, 3, 1), dt.date(2024, 2, 28)],
        "at": [dt.datetime(2024, 1, 1, 7), None, dt.datetime(2024, 1, 1, 9), None],
        "took": [dt.timedelta(hours=1), None, dt.timedelta(seconds=5), None],
        "time": [dt.time(1, 2, 3), None, dt.time(0, 0, 0, 500_000), None],
        "cost": [Decimal("1.25"), None, Decimal(7), None],
        "none": [None] * 4,
        "same": [3] * 4,
    }
    reader, encoded = read(frame(data))
    assert [each.taken_for for each in reader.columns_] == [
        *["number", "number", "boolean", "category", "date", "date"],
        *["duration", "duration", "number", "dropped", "dropped"],
    ]
    assert [each.remark for each in reader.columns_[-2:]] == ["no values", "constant"]
    expected = {
        "size": [1, 2, NAN, 4],
        "price": [0.5, NAN, 2.5, 3.5],
        "sold": [1, NAN, 0, 1],
        "day_year": [2024, NAN, 2023, 2024],
        "day_month": [2, NAN, 3, 2],
        "day_day": [29, NAN, 1, 28],
        "day_day_of_week": [3, NAN, 2, 2],  # Thursday, Wednesday, Wednesday
        "day_day_of_year": [60, NAN, 60, 59],
        **turned("day", "week", [3 / 7, NAN, 2 / 7, 2 / 7]),
        **turned("day", "year", [59 / 366, NAN, 59 / 365, 58 / 366]),
        "day_days": [365, NAN, 0, 364],
        "at_hour": [7, NAN, 9, NAN],
        **turned("at", "day", [7 / 24, NAN, 9 / 24, NAN]),
        "at_days": [0, NAN, 1 / 12, NAN],
        "took": [3600, NAN, 5, NAN],
        "time": [3723, NAN, 0.5, NAN],
        "cost": [1.25, NAN, 7, NAN],
        "colour": [2, 1, 3, 2],
    }
    found = outputs_of(encoded)
    assert list(found) == list(expected)
    for name, values in expected.items():
        assert_allclose(found[name], values, rtol=1e-14, atol=1e-15, err_msg=name)
    assert encoded.sizes == (4,)


def test_arrays_lists_and_frames_agree():
    rows = [[1, 2.5, "a"], [2, None, "b"], [3, 0.5, None]]
    _, of_rows = read(rows)
    _, of_array = read(np.array(rows, object))
    reader, of_frame = read(pd.DataFrame(rows))  # its columns are called 0, 1, 2
    for other in (of_array, of_frame):
        assert_array_equal(other.numbers, of_rows.numbers)
        assert_array_equal(other.categories, of_rows.categories)
    assert of_rows.number_names == of_frame.number_names == ("x0", "x1")
    assert not hasattr(reader, "feature_names_in_")
    assert reader.n_features_in_ == 3
    assert list(read(FRAME)[0].feature_names_in_) == list(FRAME)


@pytest.mark.parametrize("dtype", ["Int64", "Float32", "int64[pyarrow]", "double[pyarrow]"])
def test_nullable_numbers(dtype):
    report, found = one_column(pd.array([1, None, 3], dtype=dtype))
    assert report.taken_for == "number"
    assert report.dtype == str(pd.array([1], dtype=dtype).dtype)
    assert_array_equal(found["a"], [1, NAN, 3])


@pytest.mark.parametrize("dtype", ["boolean", "bool[pyarrow]", object])
def test_nullable_booleans(dtype):
    report, found = one_column(pd.array([True, None, False], dtype=dtype))
    assert report.taken_for == "boolean"
    assert_array_equal(found["a"], [1, NAN, 0])


@pytest.mark.parametrize("dtype", ["string", "string[pyarrow]", None, object])
@pytest.mark.parametrize("nothing", [None, NAN, pd.NA])
def test_missing_texts(dtype, nothing):
    report, found = one_column(pd.Series(["b", nothing, "a"], dtype=dtype))
    assert report.taken_for == "category"
    assert found["a"] == [3, 1, 2]


@pytest.mark.parametrize(
    ("values", "taken_for", "expected"),
    [
        ([1, 2.5, None], "number", [1, 2.5, NAN]),
        ([Fraction(1, 2), Decimal(3), pd.NA], "number", [0.5, 3, NAN]),
        ([True, 2, None], "number", [1, 2, NAN]),
        ([2**60, Decimal("NaN"), 5], "number", [2.0**60, NAN, 5]),
        ([True, NAN, False], "boolean", [1, NAN, 0]),
        ([NAN, dt.timedelta(0), dt.timedelta(seconds=1)], "duration", [NAN, 0, 1]),
        ([b"x", b"y", None], "category", [2, 3, 1]),
        ([Fraction, Decimal, None], "category", [3, 2, 1]),
        ([pd.Interval(0, 1), None, pd.Interval(1, 3)], "number", [0.5, NAN, 2]),
        ([dt.timedelta(1), np.timedelta64(3, "s"), None], "duration", [86400, 3, NAN]),
    ],
)
def test_objects_are_what_their_cells_are(values, taken_for, expected):
    report, found = one_column(pd.Series(values, dtype=object))
    assert report.taken_for == taken_for
    assert_array_equal(found["a"], expected)


@pytest.mark.parametrize(
    ("values", "numbers"),
    [
        (pd.arrays.SparseArray([0.0, 1, 0]), [0, 1, 0]),
        (pd.IntervalIndex.from_breaks([0, 1, 2, 4]), [0.5, 1.5, 3]),
        (np.array([1, 2, 3], np.float16), [1, 2, 3]),
    ],
)
def test_other_numbers_of_pandas(values, numbers):
    assert one_column(values)[1] == {"a": numbers}


def test_infinities_stay():
    assert one_column([1.0, np.inf, -np.inf])[1] == {"a": [1, np.inf, -np.inf]}


def test_masked_arrays():
    numbers = np.ma.array([[1, 2], [3, 4]], mask=[[0, 1], [0, 0]])
    assert_array_equal(read(numbers)[1].numbers, [[1, NAN], [3, 4]])
    texts = np.ma.array([["a"], ["b"]], mask=[[1], [0]])
    assert_array_equal(read(texts)[1].categories, [[1], [2]])
    days = np.ma.array([["2020-01-01"], ["2020-01-02"]], "M8[D]", mask=[[1], [0]])
    assert_array_equal(read(days)[1].numbers, [[NAN], [0]])


def test_the_type_of_numbers_holds_them_all():
    single = {
        "a": np.array([1, 2], np.float32),
        "b": np.array([1, 2], np.int16),
        "c": [True, False],
    }
    assert read(pd.DataFrame(single))[1].numbers.dtype == np.float32
    double = {**single, "d": [2**24 + 1, 0]}
    encoded = read(pd.DataFrame(double))[1]
    assert encoded.numbers.dtype == np.float64
    assert encoded.numbers[0, 3] == 2**24 + 1
    assert encoded.numbers.flags.c_contiguous


# -- categories ------------------------------------------------------------------------------------


def test_levels_are_numbered_by_frequency_then_text():
    values = ["b", "a", "c", "c", "a", None, "rare"]
    reader, encoded = read(pd.DataFrame({"a": values}), min_count=2)
    assert_array_equal(encoded.categories[:, 0], [0, 2, 3, 3, 2, 1, 0])
    assert encoded.sizes == (4,)
    assert reader.columns_["a"].levels == 4
    later = reader.transform(pd.DataFrame({"a": ["new", None, "c"]}))
    assert_array_equal(later.categories[:, 0], [0, 1, 3])


@pytest.mark.parametrize(
    ("seen", "later"),
    [
        (["1", "2"], [1, 2]),
        (["1", "2"], [1.0, 2.0]),
        (["1", "2"], pd.Categorical([1, 2])),
        (["1", "2"], pd.Categorical(["1", "2"])),
        (["True", "False"], [True, False]),
        (["0.1", "2"], np.array([0.1, 2], np.float32)),
        (["1.5", "100"], pd.Series([Decimal("1.50"), Decimal("1E2")], dtype=object)),
    ],
)
def test_a_level_is_known_by_its_text(seen, later):
    parameters = {"categorical_features": ["a"], "min_count": 1}
    for one, other in ((seen, later), (later, seen)):
        reader = TableReader(**parameters).fit(pd.DataFrame({"a": one}))
        codes = [reader.transform(pd.DataFrame({"a": each})).categories for each in (one, other)]
        assert_array_equal(*codes)
        assert sorted(codes[0].ravel()) == [2, 3]


def test_categories_of_each_library():
    texts = ["x", None, "y", "x"]
    arrow = pa.chunked_array([pa.array(texts[:2]), pa.array(texts[2:])]).dictionary_encode()
    for table in (
        pd.DataFrame({"a": pd.Categorical(texts, categories=["unused", "y", "x"])}),
        pl.DataFrame({"a": pl.Series(texts, dtype=pl.Categorical)}),
        pa.table({"a": arrow}),
        pa.table({"a": arrow.cast(pa.dictionary(pa.uint8(), pa.string()))}),
    ):
        reader, encoded = read(table)
        assert reader.columns_["a"].taken_for == "category"
        assert_array_equal(encoded.categories[:, 0], [2, 1, 3, 2])


@pytest.mark.parametrize("ordered", [False, True])
def test_dictionaries_of_arrow_within_pandas(ordered):
    array = pa.DictionaryArray.from_arrays([1, None, 0, 1], ["y", "x"], ordered=ordered)
    report, found = one_column(pd.Series(array, dtype=pd.ArrowDtype(array.type)))
    assert report.taken_for == ("ordinal" if ordered else "category")
    assert_array_equal(found["a"], [1, NAN, 0, 1] if ordered else [2, 1, 3, 2])


def test_chunks_with_dictionaries_of_their_own():
    chunks = [pa.array(["x", "y"]).dictionary_encode(), pa.array(["y", None]).dictionary_encode()]
    _, encoded = read(pa.table({"a": pa.chunked_array(chunks)}))
    assert_array_equal(encoded.categories[:, 0], [3, 2, 2, 1])


def test_levels_may_outnumber_the_rows_that_are_needed():
    report, _ = one_column([*"abcdefgh", None], min_count=2)
    assert report.taken_for == "category"  # rare or missing is all that can be told
    reader = TableReader().fit(pd.DataFrame({"id": [*"abcdefgh"], "n": range(8)}))
    assert reader.columns_["id"].taken_for == "dropped"
    assert reader.columns_["id"].remark == "no level is frequent"


# -- order -----------------------------------------------------------------------------------------


def test_ordered_categories_are_ranks():
    texts, order = ["high", None, "low"], ["low", "middle", "high"]
    ordered = pa.DictionaryArray.from_arrays([2, None, 0], order, ordered=True)
    for table in (
        pd.DataFrame({"a": pd.Categorical(texts, order, ordered=True)}),
        pl.DataFrame({"a": pl.Series(texts, dtype=pl.Enum(order))}),
        pa.table({"a": ordered}),
    ):
        reader, encoded = read(table)
        assert reader.columns_["a"].taken_for == "ordinal"
        assert reader.columns_["a"].range == ("low", "high")
        assert_array_equal(encoded.numbers[:, 0], [2, NAN, 0])


@pytest.mark.parametrize(
    ("values", "given", "ranks"),
    [
        (["M", "S", None], {"a": ["S", "M", "L"]}, [1, 0, NAN]),
        ([5, 100, 7], ["a"], [0, 2, 1]),
        ([5, 100, 7], {"a": [7, 5, 100.0]}, [1, 2, 0]),
        ([True, False, None], [0], [1, 0, NAN]),
        (pd.Categorical(["u", "v", "u"], ["v", "u"]), [True], [1, 0, 1]),
        ([dt.date(2020, 1, 2), dt.date(2020, 1, 1), None], ["a"], [1, 0, NAN]),
    ],
)
def test_ordinal_features(values, given, ranks):
    report, found = one_column(values, ordinal_features=given)
    assert report.taken_for == "ordinal"
    assert_array_equal(found["a"], ranks)


# -- dates -----------------------------------------------------------------------------------------


def test_parts_of_dates_are_those_of_python():
    moments = [
        dt.datetime(1, 1, 1),
        dt.datetime(1969, 12, 31, 23, 59, 59),
        dt.datetime(1900, 3, 1, 12, 30, 15),
        dt.datetime(2024, 12, 31, 1, 2, 3),
        dt.datetime(9999, 12, 31, 23, 59, 59, 999_999),
    ]
    for values in (moments, pd.Series(moments, dtype=object), pl.Series(moments)):
        X = (pl.DataFrame if isinstance(values, pl.Series) else pd.DataFrame)({"t": values})
        _, encoded = read(X)
        found = outputs_of(encoded)
        for name in ("year", "month", "day", "hour", "minute", "second"):
            assert found[f"t_{name}"] == [getattr(each, name) for each in moments]
        assert found["t_day_of_week"] == [each.weekday() for each in moments]
        assert found["t_day_of_year"] == [each.timetuple().tm_yday for each in moments]
        passed = [(each - moments[0]) / dt.timedelta(days=1) for each in moments]
        np.testing.assert_allclose(found["t_days"], passed, rtol=1e-15)


def test_cycles_close():
    """Midnight, the end of a week and that of a year are next to what follows them."""
    second = dt.timedelta(seconds=1)
    for end, cycle in (
        (dt.datetime(2024, 5, 8), "day"),
        (dt.datetime(2024, 5, 6), "week"),  # a Monday
        (dt.datetime(2024, 1, 1), "year"),
        (dt.datetime(2025, 1, 1), "year"),
    ):
        others = [end + dt.timedelta(hours=31 * i) for i in range(9)]
        found = outputs_of(read(pd.DataFrame({"t": [end - second, end, *others]}))[1])
        for wave in ("sin", "cos"):
            before, begin, *_ = found[f"t_{wave}_of_{cycle}"]
            assert before == pytest.approx(begin, abs=1e-4)
            assert begin == {"sin": 0, "cos": 1}[wave]


@pytest.mark.parametrize(
    ("dates", "cycles"),
    [
        (["2020-01-01T05:00", "2020-01-01T06:00"], {"day"}),
        (["2020-01-01T05:00", "2020-01-08T05:00"], {"year"}),
        (["2020-01-01", "2021-01-01"], {"week"}),
        (["2020-01-01T05:00:00", "2020-01-01T05:00:07"], set()),
        (["2020-01-01T06:00", "2020-01-02T18:00"], {"day", "week", "year"}),
    ],
)
def test_cycles_that_do_not_vary_are_left_out(dates, cycles):
    found = outputs_of(read(pd.DataFrame({"t": pd.to_datetime(dates)}))[1])
    waves = {name.split("_of_")[1] for name in found if name.split("_")[1] in ("sin", "cos")}
    assert waves == cycles
    for values in found.values():
        assert np.ptp(values) > 1e-9  # no errors of rounding, which would be scaled up


def test_parts_are_those_of_the_fits_time_zone(frame):
    paris, utc = ZoneInfo("Europe/Paris"), dt.UTC
    moments = [dt.datetime(2024, 7, 1, 23, 30), dt.datetime(2024, 1, 1, 6, 30)]
    seen = frame({"t": pd.Series([each.replace(tzinfo=paris) for each in moments])})
    reader, encoded = read(seen)
    assert outputs_of(encoded)["t_hour"] == [23, 6]
    for make in (*FRAMES.values(), lambda data: pd.DataFrame(data, dtype=object)):
        there = [each.replace(tzinfo=paris).astimezone(utc) for each in moments]
        assert_array_equal(reader.transform(make({"t": there})).numbers, encoded.numbers)


def test_a_mere_offset_is_read_in_utc():
    texts = ["2024-01-01T01:00+02:00", "2024-01-02T12:00+02:00"]
    reader, encoded = read(pd.DataFrame({"t": pd.to_datetime(texts)}))
    assert outputs_of(encoded)["t_hour"] == [23, 10]
    objects = [dt.datetime.fromisoformat(each) for each in texts]
    for make in (pl.DataFrame, lambda data: pd.DataFrame(data, dtype=object)):
        assert_array_equal(reader.transform(make({"t": objects})).numbers, encoded.numbers)


def test_periods_are_their_beginnings():
    _, found = one_column(pd.PeriodIndex(["2020-01", None, "2020-03"], freq="M"))
    assert_array_equal(found["a_month"], [1, NAN, 3])
    assert_array_equal(found["a_days"], [0, NAN, 60])


# -- later tables ----------------------------------------------------------------------------------

FRAME = pd.DataFrame({"n": [1.0, 2.0, 4.0], "c": ["x", "y", "x"], "b": [True, False, True]})


def test_columns_are_found_by_name(frame):
    reader, encoded = read(FRAME)
    data = FRAME.to_dict("list")
    later = frame({"extra": [0] * 3, **{name: data[name] for name in "bcn"}})
    assert_array_equal(reader.transform(later).numbers, encoded.numbers)
    assert_array_equal(reader.transform(later).categories, encoded.categories)


def test_a_dropped_column_may_be_absent():
    reader, encoded = read(FRAME.assign(same=1, no=[5, 6, 7]), drop=["no"])
    assert reader.columns_["no"].remark == "by drop="
    assert_array_equal(reader.transform(FRAME).numbers, encoded.numbers)


def test_what_is_missing_later_only():
    reader, _ = read(FRAME.assign(d=pd.date_range("2020", periods=3)))
    for nothing in (None, NAN, pd.NA, pd.NaT):
        row = pd.DataFrame([[nothing] * 4], columns=[*"ncbd"], dtype=object)
        encoded = reader.transform(row)
        assert np.isnan(encoded.numbers).all()
        assert_array_equal(encoded.categories, [[1]])


def test_types_that_may_change_later():
    reader, encoded = read(FRAME)
    for change in (
        {"n": [1, 2, 4]},
        {"n": pd.array([1, 2, 4], dtype="Int8")},
        {"n": [Decimal(1), Decimal(2), Decimal(4)]},
        {"b": [1, 0, 1]},
        {"b": pd.Series([True, False, True], dtype=object)},
        {"c": pd.Categorical(["x", "y", "x"])},
    ):
        later = reader.transform(FRAME.assign(**change))
        assert_array_equal(later.numbers, encoded.numbers)
        assert_array_equal(later.categories, encoded.categories)


@pytest.mark.parametrize("type_", ["datetime64[ns]", "timedelta64[s]", "boolean", "Float64", "str"])
def test_a_column_without_values_is_read_whatever_its_type(type_):
    """An empty column of a file has some type, which says nothing."""
    frame = FRAME.assign(
        d=pd.date_range("2020", periods=3, tz="UTC"), t=pd.to_timedelta([1, 2, 3], "s")
    )
    reader, _ = read(frame)
    nothing = pd.DataFrame({name: pd.Series([None] * 2, dtype=type_) for name in frame})
    encoded = reader.transform(nothing)
    assert np.isnan(encoded.numbers).all()
    assert_array_equal(encoded.categories, [[1], [1]])
    report, _ = read(FRAME.assign(n=pd.Series([None] * 3, dtype=type_)))
    assert report.columns_["n"].remark == "no values"


def test_labels_that_are_no_texts_are_found_too():
    """Integers, dates and tuples as labels: they may move, and else their places count."""
    labels = (7, pd.Timestamp("2020-01-01"), ("a", 1))
    X = FRAME.set_axis(pd.Index(labels, dtype=object, tupleize_cols=False), axis=1)
    reader, encoded = read(X)
    assert not hasattr(reader, "feature_names_in_")
    for later in (X, X.iloc[:, [2, 0, 1]], X.set_axis([1, 2, 3], axis=1)):
        again = reader.transform(later)
        assert_array_equal(again.numbers, encoded.numbers)
        assert_array_equal(again.categories, encoded.categories)


def test_names_in_several_rows_are_labels_too():
    X = FRAME.set_axis(pd.MultiIndex.from_tuples([("u", "n"), ("u", "c"), ("v", "b")]), axis=1)
    reader, encoded = read(X)
    assert_array_equal(reader.transform(X[["v", "u"]]).numbers, encoded.numbers)


def test_a_batch_of_arrow_is_a_table():
    reader, encoded = read(pa.RecordBatch.from_pandas(FRAME))
    assert list(reader.feature_names_in_) == list(FRAME)
    assert_array_equal(encoded.numbers, read(FRAME)[1].numbers)


def test_numbers_wider_than_float64():
    wide = np.array([[1], [2], [np.longdouble("1e400")]], np.longdouble)
    assert_array_equal(read(wide)[1].numbers, [[1], [2], [np.inf]])


def test_names_on_one_side_only():
    reader, encoded = read(FRAME)
    with pytest.warns(UserWarning, match="X does not have valid feature names, but TableReader"):
        assert_array_equal(reader.transform(FRAME.to_numpy()).numbers, encoded.numbers)
    reader, encoded = read(FRAME.to_numpy())
    with pytest.warns(UserWarning, match="X has feature names, but TableReader was fitted without"):
        assert_array_equal(reader.transform(FRAME).numbers, encoded.numbers)


@pytest.mark.parametrize(
    ("column", "text"),
    [
        (["1", "2.5", "3"], r"Column 'a' of X has numbers as texts and is treated as a category"),
        (
            ["2024-05-01", "2024-05-02 10:30", "2024/5/3"],
            r"Column 'a' of X has dates as texts.*datetime",
        ),
        (["31.12.2023", "1.1.2024", "12/31/2023"], r"Column 'a' of X has dates as texts.*category"),
        (
            [1, "x", 2.5],
            r"Column 'a' of X has numbers and texts mixed and is treated as a category",
        ),
        ([1, True, "x"], r"has booleans and numbers and texts mixed"),
    ],
)
def test_warnings_of_columns_that_were_hardly_meant_so(column, text):
    X = pd.DataFrame({"a": pd.Series(column, dtype=object), "b": [1, 2, 3]})
    with pytest.warns(UserWarning, match=text):
        reader, encoded = read(X)
    assert reader.columns_["a"].taken_for == "category"
    assert len(set(encoded.categories[:, 0])) == 3


@pytest.mark.parametrize(
    ("column", "remark", "way"),
    [
        (["1.5", "2.5", "3"], "numbers as texts", "to_numeric"),
        (["2024-05-01", "2024-05-02", "2024-05-03"], "dates as texts", "to_datetime"),
    ],
)
def test_texts_that_are_dropped_and_were_hardly_meant_as_such(column, remark, way):
    X = pd.DataFrame({"a": column, "b": [1, 2, 3]})
    with pytest.warns(UserWarning, match=f"'a' of X has {remark} and is dropped.*pandas.{way}"):
        report = read(X, min_count=2)[0].columns_["a"]
    assert (report.taken_for, report.remark) == ("dropped", remark)


@pytest.mark.parametrize(
    "texts", [["1.2.30", "1.2.31"], ["555-12-3456", "555-12-3457"], ["x", "y"]]
)
def test_texts_that_are_neither_dates_nor_numbers_warn_of_nothing(texts):
    X = pd.DataFrame({"a": texts, "b": [1, 2]})
    assert read(X)[0].columns_["a"].remark == ""
    assert read(X, min_count=2)[0].columns_["a"].remark == "no level is frequent"


def test_a_category_that_was_meant_warns_of_nothing():
    assert one_column(["1", "2"], categorical_features=["a"])[0].remark == ""
    assert one_column(pd.Categorical(["1", "2"]))[0].remark == ""
    assert one_column(pd.Categorical(["2024-05-01", "2024-05-02"]))[0].remark == ""


# -- the reader as an object -----------------------------------------------------------------------


def test_what_a_user_says_counts_more():
    X = pd.DataFrame({"zip": [10, 20, 10], "n": [1, 2, 3], "o": [1, 3, 2]})
    for categorical in (["zip"], [0], [-3], [True, False, False], np.array([True, False, False])):
        reader, encoded = read(X, categorical_features=categorical, drop=["n"])
        assert [each.taken_for for each in reader.columns_] == ["category", "dropped", "number"]
        assert_array_equal(encoded.categories[:, 0], [2, 3, 2])
    ordered = pd.DataFrame({"a": pd.Categorical(["x", "y"], ordered=True)})
    assert read(ordered, categorical_features=["a"])[0].columns_["a"].taken_for == "category"


def test_ends_of_ranges_are_printed():
    reader, _ = read(
        pd.DataFrame({"a": [0, 1484705], "b": [0.1234567, 1484705.5], "c": [1e-9, 1e30]})
    )
    lines = repr(reader.columns_).splitlines()[1:]
    ends = ["0 … 1484705", "0.123457 … 1.48471e+06", "1e-09 … 1e+30"]
    assert all(text in line for text, line in zip(ends, lines, strict=True))


def test_columns_are_printed():
    X = pd.DataFrame({"<n>": [1.5, None, 3], "c": ["x", "y", "x"], "same": 0})
    reader, _ = read(X)
    lines = repr(reader.columns_).splitlines()
    assert lines[0].split() == [
        "column",
        "dtype",
        "taken",
        "for",
        "missing",
        "levels",
        "range",
        "gives",
        "remark",
    ]
    assert lines[1].split() == ["<n>", "float64", "number", "33.3", "%", "1.5", "…", "3", "<n>"]
    assert lines[3].split() == ["same", "int64", "dropped", "constant"]
    html = reader.columns_._repr_html_()
    assert html.count("<tr>") == 4
    assert "&lt;n&gt;" in html
    assert reader.columns_[1] is reader.columns_["c"]
    with pytest.raises(KeyError):
        reader.columns_["z"]


def test_a_long_table_is_printed_in_part():
    reader = TableReader().fit(np.arange(200.0).reshape(2, 100))
    lines = repr(reader.columns_).splitlines()
    assert len(lines) == 62
    assert lines[31].strip() == "… 40 more"
    assert lines[-1].split()[0] == "99"


def test_many_columns():
    numbers = np.random.default_rng(0).normal(size=(3, 20_000))
    names = [f"c{i}" for i in range(20_000)]
    X = pd.DataFrame(numbers, columns=names)
    X["c7"] = [True, False, True]
    X["c9"] = ["x", "y", "x"]
    reader, encoded = read(X)
    assert_array_equal(encoded.numbers[:, 8], numbers[:, 8])
    assert_array_equal(encoded.numbers[:, 9:], numbers[:, 10:])  # "c9" is no number
    assert_array_equal(encoded.numbers[:, 7], [1, 0, 1])
    assert len(reader.columns_) == 20_000


def test_rows_of_an_encoded_table():
    _, encoded = read(FRAME)
    part = encoded.rows(np.array([2, 0]))
    assert len(part) == 2
    assert_array_equal(part.numbers, encoded.numbers[[2, 0]])
    assert_array_equal(part.categories, encoded.categories[[2, 0]])
    assert part.sizes == encoded.sizes


def test_pickles_and_clones():
    reader, encoded = read(FRAME.assign(d=pd.date_range("2020", periods=3)))
    again = pickle.loads(pickle.dumps(reader))
    later = again.transform(FRAME.assign(d=pd.date_range("2020", periods=3)))
    assert_array_equal(later.numbers, encoded.numbers)
    assert repr(again.columns_) == repr(reader.columns_)
    assert not hasattr(clone(reader), "_reading")


def test_threads_share_a_reader():
    rng = np.random.default_rng(0)
    texts = rng.integers(0, 50, 2000).astype(str).astype(object)
    X = pd.DataFrame({"n": rng.normal(size=2000), "c": pd.Categorical(texts), "t": texts + "x"})
    reader, encoded = read(X)
    with ThreadPoolExecutor(4) as pool:
        for later in pool.map(reader.transform, [X] * 8):
            assert_array_equal(later.numbers, encoded.numbers)
            assert_array_equal(later.categories, encoded.categories)


def test_X_is_not_changed():
    X = FRAME.assign(o=pd.Series([1, None, "x"], dtype=object))
    before = X.copy(deep=True)
    with pytest.warns(UserWarning, match="mixed"):
        read(X)
    pd.testing.assert_frame_equal(X, before)
