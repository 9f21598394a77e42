"""Wrong X, y, sample_weight and classes: one line that names the argument and says what to do.

Each table is tried on every method that takes the argument, and nothing may change.
"""

from __future__ import annotations

import datetime
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from helpers_rejection import FRAME, LABELS, Hostile, X, Y, classifier, regressor, rejection
from scipy import sparse

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

N = len(X)
COLOURS = ["red", "blue"] * (N // 2)


class Frame:
    """What polars and others have in common with pandas: names of columns, and columns by name."""

    def __init__(self, **columns):
        self._columns = {name: pd.Series(values) for name, values in columns.items()}
        self.columns, self.shape = list(columns), (N, len(columns))

    def __len__(self):
        return N

    def __getitem__(self, name):
        return self._columns[name]

    def __array__(self, dtype=None, copy=None):
        columns = [np.asarray(column, dtype=object) for column in self._columns.values()]
        return np.array(columns, dtype=object).T


def with_entry(value, dtype=object):
    """Return X with another value in column 1, row 3."""
    out = X.astype(dtype)
    out[3, 1] = value
    return out


def masked(array, *place):
    """Return a masked array with one masked entry."""
    out = np.ma.array(array)
    out[place] = np.ma.masked
    return out


def wrong_tables():
    """Return what is no table of numbers, with a part of the text that says what to do."""
    return [*no_tables(), *wrong_shapes(), *wrong_types(), *wrong_entries()]


def no_tables():
    """Return what has no rows and columns."""
    return [
        (None, "a table of numbers, of shape (n_samples, n_features); got None"),
        ("abc", "got 'abc'"),
        (b"abc", "got b'abc'"),
        ({"a": [1.0]}, "got a dict: use pandas.DataFrame(X)"),
        ({1.0}, "got a set: it has no order, so pass a list"),
        (iter(X), "got an iterator: use list(X)"),
        ((row for row in X), "got a generator: use list(X)"),
        (map(abs, X), "got a map: use list(X)"),
        (range(N), "numpy.array(X).reshape(-1, 1) if it is one feature"),
        (3.0, "got 3.0"),
        (object(), "got <object object"),
        (Hostile(), "X"),
        (pd.Timestamp(0), "got Timestamp"),
    ]


def wrong_shapes():
    """Return arrays and lists that are no table, or an empty one."""
    vector = sparse.coo_array(X[:, 0])  # a table of one row before SciPy 1.13
    reshape = "got shape (40,). Reshape your data: X.reshape(-1, 1)"
    flat_sparse = [(vector, reshape)] if vector.ndim == 1 else []
    return [
        ([], "X is empty"),
        (np.empty((0, 3)), "0 sample(s)"),
        (np.empty((N, 0)), "0 feature(s)"),
        (X[:, 0], "X.reshape(-1, 1) if it is one feature, X.reshape(1, -1) if it is one sample"),
        (X[:, 0].tolist(), "numpy.array(X).reshape(-1, 1) if it is one feature"),
        (FRAME["age"], "got a Series. Reshape your data: X.to_frame() if it is one feature"),
        (
            COLOURS,
            "put TfidfVectorizer of sklearn.feature_extraction.text before the model in a pipeline",
        ),
        (pd.Series(COLOURS), "put TfidfVectorizer of"),
        (np.array(COLOURS), "put TfidfVectorizer of"),
        (pd.Index(Y), "got an Index. Reshape your data: X.to_frame()"),
        (X.reshape(N, 3, 1), "X.reshape(len(X), -1) makes each picture (or"),
        (np.zeros((N, 2, 2, 2)).tolist(), "got shape (40, 2, 2, 2): X.reshape(len(X), -1)"),
        ([[1, 2], [3]] * 20, "row 0 ([1, 2]) and row 1 have different lengths"),
        ([[1, 2], 3] * 20, "row 0 ([1, 2]) and row 1 have different lengths"),
        ([[1, [2, 3]], [4, [5]]] * 20, "entries have different lengths"),
        *flat_sparse,
        (sparse.csr_array((0, 3)), "0 sample(s)"),
        (sparse.dok_matrix((N, 0)), "0 feature(s)"),
    ]


def wrong_types():
    """Return tables whose entries are no numbers, as their type says."""
    encode = "encode it with OneHotEncoder, OrdinalEncoder or TargetEncoder"
    return [
        (sparse.csr_array(X + 1j), "got a sparse matrix of complex128: Complex data not supported"),
        (np.zeros(N, dtype=[("a", float)]), "structured_to_unstructured(X)"),
        (X + 1j, "column 0 has dtype complex128"),
        (np.full((N, 3), "red"), f"column 0 has dtype <U3 ('red' in row 0): {encode}"),
        (np.full((N, 3), b"red"), encode),
        (np.full((N, 3), "1.5"), "pandas.to_numeric(X[:, 0], errors='coerce') reads numbers"),
        ([["1.5", "2"]] * N, "pandas.to_numeric(X[:, 0], errors='coerce') reads numbers"),
        (X.astype("M8[s]"), "convert dates to numbers, such as days since the earliest date"),
        (X.astype("m8[s]"), "convert dates to numbers"),
    ]


def wrong_entries():
    """Return tables of which an entry is no number, or none that can be used."""
    encode = "encode it with OneHotEncoder, OrdinalEncoder or TargetEncoder"
    return [
        (with_entry(1j), "column 1 has dtype object (1j in row 3): Complex data not supported"),
        (with_entry("red"), f"column 1 has dtype object ('red' in row 3): {encode}"),
        (with_entry("red").tolist(), f"column 1 has 'red' in row 3: {encode}"),
        (with_entry(datetime.date(2020, 1, 1)), "convert dates to numbers"),
        (with_entry(10**400), "00 in row 3): it is too large for a float"),
        (with_entry({"a": 1}), "column 1 has dtype object ({'a': 1} in row 3): float() argument"),
        (with_entry([1]), "X"),
        (with_entry(Hostile()), "X"),
        (
            with_entry(pd.NA),
            "(<NA> in row 3): fill missing values with sklearn.impute.SimpleImputer",
        ),
        (with_entry(pd.NaT), "fill missing values with sklearn.impute.SimpleImputer"),
        (
            with_entry(None),
            "contains NaN (column 1, row 3): fill missing values with sklearn.impute.",
        ),
        (
            with_entry(np.nan, float),
            "(column 1, row 3): fill missing values with sklearn.impute.Sim",
        ),
        (with_entry(np.inf, float), "infinity (column 1, row 3): leave such rows out, or limit"),
        (
            with_entry(1e39, float),
            "too large for dtype float32 (column 1, row 3): scale it, or set",
        ),
        (masked(X, 3, 1), "masked entries (column 1, row 3), whose mask would be lost: fill them"),
        (list(masked(X, 3, 1)), "masked entries (row 3)"),
    ]


def wrong_frames():
    """Return data frames with a wrong column "height", and what to do about it."""
    encode = (
        "encode it with OneHotEncoder, OrdinalEncoder or TargetEncoder of sklearn.preprocessing"
    )
    days = pd.date_range("2020", periods=N)
    several = np.array([1, "red"] * (N // 2), dtype=object)
    columns = [
        (pd.Categorical(COLOURS), f"dtype category ('red' in row 0): {encode}"),
        (pd.array(COLOURS, dtype="string"), f"dtype string ('red' in row 0): {encode}"),
        (pd.array(["red", None] * (N // 2), dtype="string"), encode),
        (np.array(COLOURS, dtype=object), encode),
        (several, f"dtype object ('red' in row 1): {encode}"),
        (["1,5", *["2.5"] * (N - 1)], "pandas.to_numeric(X['height'], errors='coerce') reads num"),
        (days, " in row 0): convert dates to numbers, such as days since the earliest date"),
        (days.tz_localize("UTC"), "UTC] (Timestamp('2020-01-01 00:00:00+0000', tz='UTC') in row"),
        (days - days[0], " in row 0): convert dates to numbers"),
        (days.to_period("D"), "(Period('2020-01-01', 'D') in row 0): convert dates to numbers"),
        (pd.interval_range(0, N), "convert intervals to numbers, such as their midpoints"),
        (pd.array([1, None] * (N // 2), dtype="Int64"), "('height', row 1): fill missing values"),
        (X[:, 0] + 1j, "dtype complex128 ("),
        ([{"a": 1}] * N, "dtype object ({'a': 1} in row 0): float() argument must be a string"),
    ]
    frames = [(FRAME.assign(height=column), text) for column, text in columns]
    return [
        *frames,
        (Frame(age=Y, height=COLOURS, weight=Y), f"('red' in row 0): {encode}"),
        (Frame(age=Y, height=list(days), weight=Y), "column 'height' has dtype datetime64"),
    ]


def methods_of(model, y):
    """Return the methods that take X, with what follows it."""
    names = ["fit", "partial_fit", "cost", "loss_per_sample", "gradient", "objective", "score"]
    found = [(name, (y,)) for name in names]
    return [*found, *((name, ()) for name in ("predict", "predict_proba") if hasattr(model, name))]


MODELS = [(classifier, LABELS), (regressor, Y)]


@pytest.mark.parametrize(("make", "y"), MODELS, ids=["classifier", "regressor"])
def test_tables(make, y):
    model = make().fit(X, y)
    for method, others in methods_of(model, y):
        for value, remedy in wrong_tables():
            text = rejection(model, "X", method, value, *others)
            assert remedy in text, f"{method}: {text}"


@pytest.mark.parametrize(("make", "y"), MODELS, ids=["classifier", "regressor"])
def test_data_frames(make, y):
    model = make().fit(FRAME, y)
    for method, others in methods_of(model, y):
        for value, remedy in wrong_frames():
            if isinstance(value, Frame) and method != "fit":
                continue  # names that scikit-learn does not know
            text = rejection(model, "X", method, value, *others)
            assert remedy.replace("('height', ", "(column 'height', ") in text, f"{method}: {text}"
            assert "'height'" in text, text


def test_names_of_columns_of_several_types():
    text = rejection(regressor(), "X", "fit", FRAME.rename(columns={"age": 1}), Y)
    assert text.endswith("got names of type int, str: use X.rename(columns=str).")


# -- y, sample_weight, classes ---------------------------------------------------------------------


def wrong_vectors():
    """Return what is neither a target nor weights, with a part of the text."""
    days = pd.date_range("2020", periods=N)
    return [
        ("abc", "got 'abc'"),
        ({"a": 1}, "got a dict: use list("),
        ({1, 2}, "got a set"),
        ((each for each in Y), "got a generator: use list("),
        (3.0, "got 3.0"),
        (Hostile(), ""),
        (pd.Timestamp(0), "got Timestamp"),
        ([], ""),
        (Y[:5], ""),
        ([[1], [1, 2]] * (N // 2), "row 0 ([1]) and row 1 have different lengths"),
        (Y.reshape(N, 1, 1), ""),
        (np.where(np.arange(N) == 3, np.nan, 1.0), "contains NaN (row 3)"),
        (np.where(np.arange(N) == 3, np.inf, 1.0), "contains infinity (row 3)"),
        (masked(np.arange(N) % 2, 3), "masked entries (row 3), whose mask would be lost"),
        (np.ma.masked_less(np.ones(N), 2).tolist(), ""),
        (np.array([1, None] * (N // 2), dtype=object), ""),
        (np.array([1, pd.NA] * (N // 2), dtype=object), ""),
        (pd.Series(pd.array([1, None] * (N // 2), dtype="Int64")), "contains NaN (row 1)"),
        ([10**400, 1] * (N // 2), ""),
        (np.array([1, "a"] * (N // 2), dtype=object), ""),
        (np.array([1, {}] * (N // 2), dtype=object), ""),
        (Y + 1j, "Complex data not supported"),
        (np.array([1, 1j] * (N // 2), dtype=object), ""),
        (np.full(N, b"a"), ""),
        (days.to_period("D").to_series(), ""),
        (pd.Series(pd.interval_range(0, N)), ""),
        (np.zeros(N, dtype=[("a", float)]), ""),
        (np.full(N, np.datetime64("NaT", "s")), ""),
    ]


#: What labels may be, but no numbers.
NO_NUMBERS = [
    (np.array(COLOURS), "has dtype <U4 ('red' in row 0)"),
    (COLOURS, "it has 'red' in row 0"),
    (pd.Series(pd.Categorical(COLOURS)), "it has dtype category ('red' in row 0)"),
    (["1", "2"] * (N // 2), "errors='coerce') reads numbers stored as text"),
    (
        np.arange(N).astype("M8[D]"),
        "it has dtype datetime64[D] (1970-01-01 in row 0): convert dates",
    ),
    (pd.Series(pd.date_range("2020", periods=N)), "convert dates to numbers"),
    (np.arange(N).astype("m8[D]"), "it has dtype timedelta64[D] (0 days in row 0): convert dates"),
    (np.array([datetime.date(2020, 1, 1)] * N), "convert dates to numbers"),
    (np.where(np.arange(N) == 3, 1e39, 1.0), "1e+39, too large for dtype float32 (row 3)"),
]
NO_LABELS = [
    (Y, "Unknown label type: continuous"),
    (np.full(N, Fraction(1, 2)), "y holds objects (Fraction)"),
    (np.array(["a", None] * (N // 2), dtype=object), "row 1 has no label: leave it out"),
    (np.array(["a", np.nan] * (N // 2), dtype=object), "row 1 has no label: leave it out"),
    (pd.array(["a", None] * (N // 2), dtype="string"), "row 1 has no label: leave it out"),
    ([{"a"}, {"b"}] * (N // 2), "y holds objects (set)"),
    (np.array([[1, 2], [2, 1]] * (N // 2)), "indicator matrix of zeros and ones"),
    (np.array([["a", "b"]] * N), "indicator matrix of zeros and ones"),
    (np.array([[1, None]] * N, dtype=object), "indicator matrix of zeros and ones"),
    (np.array([[1, pd.NA]] * N, dtype=object), "indicator matrix of zeros and ones"),
    (np.array([[1, {}]] * N, dtype=object), "indicator matrix of zeros and ones"),
]
TAKING_Y = ["fit", "partial_fit", "cost", "loss_per_sample", "gradient", "objective", "score"]


def test_targets_of_a_regressor():
    model = regressor().fit(X, Y)
    for method in TAKING_Y:
        for value, part in [(None, "y is None"), *wrong_vectors(), *NO_NUMBERS]:
            if method == "score" and part.startswith("1e+39"):
                continue  # which is in double precision
            text = rejection(model, "y", method, X, value)
            assert part in text, f"{method}: {text}"


def test_targets_of_a_classifier():
    for value, part in [(None, "y is None"), *wrong_vectors(), *NO_LABELS]:
        text = rejection(classifier(), "y", "fit", X, value)
        assert part in text, text
        rejection(classifier(), "y", "partial_fit", X, value, classes=["down", "up"])
        model = classifier().fit(X, LABELS)
        for method in TAKING_Y[1:]:
            rejection(model, "y", method, X, value)


@pytest.mark.parametrize(("make", "y"), MODELS, ids=["classifier", "regressor"])
def test_sample_weights(make, y):
    model = make().fit(X, y)
    for method in ("fit", "partial_fit", "cost", "objective", "gradient", "score"):
        for value, part in [*wrong_vectors(), *NO_NUMBERS, (-np.ones(N), "must not be negative")]:
            if part.startswith("1e+39") and method in ("cost", "objective", "score"):
                continue  # which are in double precision
            text = rejection(model, "sample_weight", method, X, y, sample_weight=value)
            assert part in text, f"{method}: {text}"


def test_classes():
    wrong = [
        ("abc", "a flat list of labels; got 'abc'"),
        ({"up", "down"}, "got a set: it has no order, so pass a list"),
        ({"up": 1, "down": 2}, "got a dict: use list(classes.values())"),
        ((each for each in ("up", "down")), "got a generator: use list(classes)"),
        (2, "got 2"),
        ([], "classes is empty"),
        (["up"], "y has labels that are not in classes ['up']: ['down']"),
        ([["up", "down"]], "a flat list of labels; got [['up', 'down']]"),
        (["up", ["down"]], "classes must be a flat list of labels"),
        ([[1], [1, 2]], "row 0 ([1]) and row 1 have different lengths"),
        (["up", "down", "up"], "classes must name each label once; 'up' is given twice"),
        ([0, 1, 1], "classes must name each label once; 1 is given twice"),
        ([0.0, 1.0, np.nan], "classes must hold labels; got [0.0, 1.0, nan]"),
        ([0.0, np.inf], "classes must hold labels; got [0.0, inf]"),
        ([0.5, 1.5], "classes must hold class labels; got 0.5 (entry 0)"),
        ([0, 1j], "classes has dtype complex128"),
        (["up", None], "classes holds objects (NoneType, str); entry 1 has no label"),
        (np.array(["up", pd.NA], dtype=object), "classes holds objects (NAType, str)"),
        (np.array(["up", 1], dtype=object), "classes holds objects (int, str)"),
        (np.array(["NaT", "2020"], dtype="M8[D]"), "classes has NaT instead of a label in entry 0"),
        (np.array([b"up", b"down"]), "classes has dtype |S4"),
        (masked(np.arange(3), 1), "classes has masked entries (row 1)"),
        (Hostile(), "classes"),
    ]  # fmt: skip
    for value, part in wrong:
        text = rejection(classifier(), "classes", "partial_fit", X, LABELS, classes=value)
        assert part in text, text
        model = classifier().partial_fit(X, LABELS, classes=["down", "up"])
        rejection(model, "classes", "partial_fit", X, LABELS, classes=value)


@pytest.mark.parametrize(
    ("right", "plain"),
    [
        (np.ma.array(X), X),
        (np.ma.masked_invalid(X), X),
        (np.full((N, 3), Decimal("0.5")), np.full((N, 3), 0.5)),
        (
            FRAME.assign(height=pd.array([1, 2] * (N // 2), dtype="Int64")),
            FRAME.assign(height=[1.0, 2.0] * (N // 2)),
        ),
        (
            FRAME.assign(height=pd.Categorical([1, 2] * (N // 2))),
            FRAME.assign(height=[1.0, 2.0] * (N // 2)),
        ),
        (
            FRAME.assign(height=FRAME["age"] > 0),
            FRAME.assign(height=(FRAME["age"] > 0).astype(float)),
        ),
        (np.full((N, 3), "1.5", dtype=object), np.full((N, 3), 1.5)),
    ],
)
def test_tables_that_are_right(right, plain):
    """They are learnt from as the same numbers in plain arrays are."""
    weights = np.arange(N) % 3
    model = regressor(random_state=0).fit(right, np.ma.array(Y), np.ma.array(weights))
    expected = regressor(random_state=0).fit(plain, Y, weights)
    for actual, coefs in zip(model.coefs_, expected.coefs_, strict=True):
        np.testing.assert_array_equal(actual, coefs)
    np.testing.assert_array_equal(model.predict(right), expected.predict(plain))


def test_weights_that_are_right():
    expected = regressor(random_state=0).fit(X, Y, sample_weight=np.arange(N) % 2).coefs_
    for weights in (np.arange(N) % 2 == 1, [Fraction(i % 2) for i in range(N)]):
        model = regressor(random_state=0).fit(X, Y, sample_weight=weights)
        np.testing.assert_array_equal(model.coefs_[0], expected[0])


def test_labels_that_are_dates():
    days = np.array(["2020-01-01", "2021-01-01"], dtype="M8[D]")[(Y > 0).astype(int)]
    model = classifier().fit(X, days)
    assert model.predict(X).dtype == days.dtype
    assert model.score(X, days) == np.mean(model.predict(X) == days)
