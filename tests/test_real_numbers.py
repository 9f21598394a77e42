"""Whatever is no real number is refused wherever numbers are taken, on one line with its name."""

from __future__ import annotations

import datetime
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_array

from fastmlp import (
    McCullochPittsNeuron,
    MLPRegressor,
    activation,
    activation_derivative,
    cross_entropy,
    dropout,
    entropy,
    gradient_descent,
    kl_divergence,
    log_softmax,
    self_information,
    softmax,
)
from fastmlp.plots import (
    DecisionRegionDisplay,
    LossCurveDisplay,
    MisreadDigitsDisplay,
    NetworkDiagramDisplay,
    WeightDistributionDisplay,
)
from fastmlp.validation.real_numbers import finite_array, real_array
from fastmlp.validation.wording import brief


def descend(values):
    return gradient_descent(np.sum, np.ones_like, values, n_steps=1)


def regions(**changes):
    arguments = {"proba": np.full((2, 2, 2), 0.5), "extent": (0, 1, 0, 1), "classes": [0, 1]}
    return DecisionRegionDisplay(**(arguments | changes))


def misread(**changes):
    arguments = {"images": np.zeros((1, 2, 2)), "truth": [1], "predicted": [7], "confidence": [1]}
    return MisreadDigitsDisplay(**(arguments | changes))


def fit_from(weights):
    return MLPRegressor(hidden_layer_sizes=(), init=[weights]).fit([[0.0], [1.0]], [0, 1])


#: The name of an argument → a call that takes numbers by it.
TAKERS = [
    ("x0", descend),
    ("z", lambda values: activation("tanh", values)),
    ("z", lambda values: activation_derivative("tanh", values)),
    ("x", dropout),
    ("p", self_information),
    ("p", entropy),
    ("p", lambda values: cross_entropy(values, [1.0])),
    ("q", lambda values: kl_divergence([1.0], values)),
    ("z", softmax),
    ("z", log_softmax),
    ("weights", lambda values: McCullochPittsNeuron(values, 1).fit([[0]])),
    ("threshold", lambda values: McCullochPittsNeuron(1, values).predict([[0]])),
    (r"init\[0\]: the weights", fit_from),
    ("loss_curve", LossCurveDisplay),
    ("validation_scores", lambda values: LossCurveDisplay([1.0], validation_scores=values)),
    (r"layers\[0\]", lambda values: WeightDistributionDisplay([values])),
    (r"coefs\[0\]", lambda values: NetworkDiagramDisplay([1, 1], coefs=[values])),
    (r"unit_values\[1\]", lambda v: NetworkDiagramDisplay([1, 1], unit_values=[[1.0], v])),
    ("proba", lambda values: regions(proba=values)),
    ("extent", lambda values: regions(extent=values)),
    ("X", lambda values: regions(X=values)),
    ("images", lambda values: misread(images=values)),
    ("confidence", lambda values: misread(confidence=values)),
]

#: Where None stands for nothing given.
MAY_BE_NONE = ("validation_scores", "X")

MASKED = np.ma.masked_array([1.0, 2.0], [False, True])

NO_NUMBERS = {
    "none": (None, TypeError, "got None; write numpy.nan for a missing number"),
    "none inside": ([[0.5, None]], TypeError, r"got None at index \(0, 1\); write numpy.nan"),
    "pandas.NA": ([0.5, pd.NA], TypeError, "got <NA> at index 1; write numpy.nan"),
    "text": ("3", TypeError, r"got '3': convert text by float\(\) first"),
    "texts": (["3"], TypeError, r"got dtype <U1: convert text by float\(\) first"),
    "text among objects": ([None, "3"][::-1], TypeError, r"got '3' at index 0: convert text"),
    "bytes": (b"3", TypeError, r"got b'3': convert text by float\(\) first"),
    "date": (np.datetime64("2020-01-01"), TypeError, "convert dates to numbers first"),
    "Python's date": ([datetime.date(2020, 1, 1)], TypeError, "convert dates to numbers first"),
    "pandas's date": (pd.Timestamp("2020-01-01"), TypeError, "convert dates to numbers first"),
    "span": (np.timedelta64(1, "s"), TypeError, "divide durations by a unit first"),
    "span among objects": ([np.timedelta64(1, "s"), None], TypeError, "divide durations"),
    "Python's span": ([datetime.timedelta(1)], TypeError, "divide durations by a unit first"),
    "complex": ([1 + 0j], TypeError, "got dtype complex128: use the real part or the absolute"),
    "complex object": (np.array([1j], object), TypeError, "got 1j at index 0: use the real part"),
    "sparse": (csr_array(np.eye(2)), TypeError, r"sparse array .*; call its method toarray\(\)"),
    "mapping": ({0: 1.0}, TypeError, r"must hold real numbers; got \{0: 1.0\}"),
    "generator": (iter([1.0]), TypeError, "; make a list of it first"),
    "fields": (np.zeros(1, [("a", float)]), TypeError, "use one field of the structured array"),
    "ragged": ([[0.5], [0.5, 0.5]], ValueError, "whose rows have the same length; got .*0.5, 0.5"),
    "masked": (
        MASKED,
        ValueError,
        r"has masked entries \(row 1\), .*: fill them with",
    ),
    "masked inside": ([MASKED, MASKED], ValueError, "has masked entries"),
    "the masked constant": (np.ma.masked, ValueError, "has masked entries"),
    "integer beyond floats": ([10**400], ValueError, "1.8e308, the largest float; got 1000"),
    "integer beyond text": (
        [-(10**5000)],
        ValueError,
        r"of at most 1.8e308, .*got int\(…\)",
    ),
    "decimal beyond floats": ([Decimal("-1e400")], ValueError, "of at most 1.8e308"),
    "fraction beyond floats": ([Fraction(10**400)], ValueError, "of at most 1.8e308"),
    "signalling NaN": ([Decimal("sNaN")], ValueError, "signaling NaN"),
}
if np.finfo(np.longdouble).maxexp > 1024:
    NO_NUMBERS["long double"] = (np.longdouble("1e400"), ValueError, "of at most 1.8e308")


@pytest.mark.parametrize("case", NO_NUMBERS)
def test_what_is_no_number_is_refused_wherever_numbers_are_taken(case):
    values, error, text = NO_NUMBERS[case]
    for name, take in TAKERS:
        if values is None and name in MAY_BE_NONE:
            continue
        with pytest.raises(error, match=rf"^{name}[ :].*{text}") as caught:
            take(values)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ([1, True, 2.5], [1, 1, 2.5]),
        ([2**70, 1], [2.0**70, 1]),
        ([Decimal("0.5"), Fraction(1, 4)], [0.5, 0.25]),
        ([Decimal("Infinity"), -np.inf], [np.inf, -np.inf]),
        (pd.Series([0.5, None], dtype="Float64"), [0.5, np.nan]),
        (np.ma.masked_array([1.0, 2.0], [False, False]), [1, 2]),
        (np.array([np.nan, np.longdouble(2)]), [np.nan, 2]),
    ],
)
def test_numbers_of_every_kind_become_float64(given, expected):
    array = real_array("a", given)
    assert array.dtype == np.float64
    assert type(array) is np.ndarray
    assert_array_equal(array, expected)


def test_arrays_of_floats_are_not_copied(dtype):
    given = np.ones((2, 3), dtype)
    assert real_array("a", given) is given


@pytest.mark.parametrize(("value", "shown"), [(np.nan, "nan"), (-np.inf, "-inf")])
def test_numbers_that_are_not_finite_are_placed(value, shown):
    with pytest.raises(ValueError, match=rf"^a must be finite; got {shown}\.$"):
        finite_array("a", value)
    with pytest.raises(ValueError, match=rf"^a must be finite; got {shown} at index \(1, 0\)\.$"):
        finite_array("a", [[1, 2], [value, 4]])


def test_what_is_shown_of_a_value_is_one_short_line():
    long = np.zeros((50, 50)), "x" * 500, [["long"] * 9] * 9, 10**5000, pd.DataFrame([[1, 2]])
    for value in long:
        assert 0 < len(brief(value)) <= 80
        assert "\n" not in brief(value)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("form", [list, pl.Series, lambda values: pa.table({"a": values})["a"]])
def test_decimals_are_numbers_of_networks(form):
    """Some libraries hand them on as objects, of which scikit-learn makes no floats."""
    numbers = [0.0, 1.0, 2.0, 3.0]
    exact = list(map(Decimal, numbers))
    model = MLPRegressor(hidden_layer_sizes=(2,), max_iter=1, random_state=0)
    wanted = model.fit([[value] for value in numbers], numbers, numbers).predict([[1.0]])
    model.fit([[value] for value in exact], form(exact), form(exact))
    assert_array_equal(model.predict([[Decimal(1)]]), wanted)


def test_large_integers_are_numbers_of_networks():
    large = [10**20 * value for value in range(4)]
    linear = MLPRegressor(hidden_layer_sizes=(), standardize_target=True, solver="lbfgs")
    X = [[value / 2] for value in range(4)]
    assert_allclose(linear.fit(X, large).predict(X), np.array(large, float), atol=1e17)
