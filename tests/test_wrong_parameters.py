"""Wrong values of every parameter: one line that names it, before anything changes."""

from __future__ import annotations

import datetime
import re
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from helpers_custom import half_square, half_square_slope, tanh, tanh_slope
from helpers_rejection import (
    LABELS,
    Hostile,
    X,
    Y,
    classifier,
    refusal,
    regressor,
    rejection,
    state_of,
)
from numpy.testing import assert_equal
from scipy import sparse
from sklearn.metrics import accuracy_score
from sklearn.model_selection import KFold

from fastmlp.custom import custom_activation, custom_loss
from fastmlp.embeddings import PBLD, Categories, PiecewiseLinear
from fastmlp.optimizers import SGD
from fastmlp.validation.parameter_table import PARAMETERS

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

#: None of these is any parameter's value.
NEVER = [
    {},
    {"a": 1},
    {3},
    frozenset([0.5]),
    object(),
    Ellipsis,
    b"relu",
    b"5",
    1j,
    np.complex64(1),
    "",
    "zzz",
    "nan",
    "(50, 'x')",
    "0" * 1000,
    pd.NA,
    pd.NaT,
    pd.Timestamp(0),
    datetime.date(2020, 1, 1),
    datetime.timedelta(1),
    np.datetime64("2020"),
    np.timedelta64(1, "D"),
    pd.DataFrame({"a": [1, 2]}),
    np.full((2, 2), 0.5),
    np.zeros(2, dtype=[("a", float)]),
    [[0.5], [0.5, [0.5]]],
    [None, {}],
    Hostile(),
    sparse.csr_array(np.eye(2)),
    np.ma.masked,
]
NAN = [np.nan, np.float16("nan"), Decimal("NaN"), Decimal("sNaN"), np.array(np.nan)]
BELOW_ZERO = [-1, -0.5, np.float16(-1), Decimal(-1), Fraction(-1, 2), -np.inf, -(10**400)]
TOO_LARGE = [np.inf, 10**400, Fraction(10**400), Decimal("1e400"), np.float16(np.inf), 10**5000]
TEXTS_OF_NUMBERS = ["5", "0.5", "1e-3", "[5]", "(0.5, 0.5)", "True", "None"]
BOOLS = [True, False, np.True_, np.array(True)]
NUMBERS = [5, 0.5, np.float32(0.5), Decimal(5), 0, -1, np.array(0.5)]
SEQUENCES = [[5], (0.5,), np.array([5]), pd.Series([5]), [True], range(1, 3), ["x"]]
NAMES = ["relu", "adam", "adaptive", "batch", "float32", "numpy", "auto"]

_NO_REAL = [*TEXTS_OF_NUMBERS, *BOOLS, *NAMES, *NAN, *BELOW_ZERO]
_NO_NUMBER = [*_NO_REAL, *TOO_LARGE, *SEQUENCES, None]
_NO_SHARE = [*_NO_NUMBER, 1.5, 2]
_NO_COUNT = [*_NO_REAL, *SEQUENCES, 0, 0.5, 2.0, np.inf, Decimal(5), Fraction(1, 2), None]
_NO_FLAG = [*TEXTS_OF_NUMBERS, *NAMES, *NUMBERS, *SEQUENCES, None, 0, 1, np.array([True])]
_NO_NAME = [*TEXTS_OF_NUMBERS, *BOOLS, *NUMBERS, *SEQUENCES, None, ["adam"]]


def without(values, *some):
    """Return ``values`` less those that some parameter takes, by identity or as texts."""
    return [value for value in values if not any(value is each for each in some)]


_NOT_NEGATIVE = (
    *("alpha", "l1", "input_noise", "gradient_noise", "gradient_noise_decay", "power_t", "tol"),
    *("init_std", "init_range", "focal_gamma"),
)
_POSITIVE = ("learning_rate_init", "epsilon", "huber_delta", "smooth_l1_beta")
_NOT_POSITIVE = [*_NO_NUMBER, 0, -0.0, Fraction(0)]
_SHARES = ("label_smoothing", "validation_fraction", "beta_1", "beta_2", "input_dropout")

#: Parameter → values that it refuses besides ``NEVER``.
WRONG = {
    **dict.fromkeys(_NOT_NEGATIVE, _NO_NUMBER),
    **dict.fromkeys(_POSITIVE, _NOT_POSITIVE),
    **dict.fromkeys(
        ("max_norm", "clip_value", "clip_norm", "time_limit"), without(_NOT_POSITIVE, None)
    ),
    "weight_decay": without(_NO_NUMBER, None),
    **dict.fromkeys(_SHARES, (*_NO_SHARE, 1)),
    "momentum": _NO_SHARE,
    "batch_norm_momentum": [*_NO_SHARE, 0],
    "tweedie_power": [*_NO_NUMBER, 0.5, 2.5],
    "standardize_target": [None, 1, 0.5, "yes", "Mean", ["mean"], np.ones(2)],
    "quantiles": [*without(_NO_SHARE, SEQUENCES[1]), 0, 1, [], [0.5, 0.5], [0.9, 0.1], ["0.5"]],
    "dropout": [*without(_NO_SHARE, SEQUENCES[1]), 1, [0.5, 0.5], [-0.5], [[0.5]], ["0.5"]],
    **dict.fromkeys(("max_iter", "max_fun", "n_members"), _NO_COUNT),
    "members": [*_NO_NAME, *NAMES, "tabm", Hostile],
    "batch_size": without(_NO_COUNT, "auto"),
    "n_iter_no_change": without(_NO_COUNT, np.inf),
    **dict.fromkeys(("n_groups", "n_channels"), without(_NO_COUNT, None)),
    "n_threads": [*without(_NO_COUNT, None), 257, 10**400],
    "hidden_layer_sizes": [
        *without(_NO_COUNT, *SEQUENCES), ["5"], [5.0], [None], [True], [[5], [5]], (5, -1),
        [10**400], 10**5000, np.array([5.0]), (value for value in [5]), np.array([[5, 5]]),
        "5, 5", {5: 5},
    ],
    **dict.fromkeys(
        ("shuffle", "warm_start", "nesterovs_momentum", "early_stopping", "restore_best",
         "own_batches"),
        _NO_FLAG,
    ),
    "averaging": [*without(_NO_NAME, None), *NAMES, "mean", Hostile],
    "parametric_activation": [
        *TEXTS_OF_NUMBERS, *NAMES, *NUMBERS, [5], (0.5,), ["x"], None, 0, 1, [True, 1], [[True]],
    ],
    "scaling_layer": [
        *TEXTS_OF_NUMBERS, *NAMES, *NAN, *BELOW_ZERO, *TOO_LARGE, *SEQUENCES, None, 0, np.inf,
    ],
    "numeric_embedding": [
        *without(_NO_NAME, None), *NAMES, "sine", Hostile, PBLD, PBLD(width=0), PBLD(sigma=np.nan),
        PiecewiseLinear(n_bins=0), Categories(),
    ],
    "categorical_features": [
        *TEXTS_OF_NUMBERS, *NUMBERS, *NAMES, [-1], [10_000], [0, 0], [0.5], ["no such column"],
        [[0]], [None],
    ],
    "category_embedding": [
        *without(_NO_NAME, None), *NAMES, Categories, Categories(width=0), Categories(one_hot=-1),
        PBLD(),
    ],
    "parametrization": [*_NO_NAME, *NAMES, "NTK v2"],
    "learning_rate_factors": [
        *TEXTS_OF_NUMBERS, *BOOLS, *NUMBERS, *SEQUENCES, *NAMES, {"bias": 1}, {"biases": -1},
        {"biases": "1"}, {1: 1}, {"weights": np.inf},
    ],
    "verbose": [*TEXTS_OF_NUMBERS, *NAMES, *SEQUENCES, None, 0.5, np.array([1])],
    "random_state": [
        *TEXTS_OF_NUMBERS, *NAMES, *SEQUENCES, -1, 0.5, 2**32, 10**400, np.random.default_rng(0),
    ],
    "solver": [*_NO_NAME, *without(NAMES, "adam")],
    "learning_rate": [*_NO_NAME, *without(NAMES, "adaptive")],
    "backend": [*_NO_NAME, *without(NAMES, "numpy"), "NumPy"],
    "activation": [*_NO_NAME, *without(NAMES, "relu"), ["relu", "relu"], ["adam"], [["relu"]]],
    "normalization": [
        *without(_NO_NAME, None), *without(NAMES, "batch"), ["batch", None], "none", ["layer", 3],
    ],
    "init": [
        *TEXTS_OF_NUMBERS, *BOOLS, *NUMBERS, *SEQUENCES, None, *without(NAMES, "auto"),
        [np.ones((3, 4))], [np.ones((3, 4)), np.ones((4, 2))], [None, None], ["normal", "zeros"],
        [[[1, 2], [3]], np.ones((4, 1))], [np.ma.masked_less(np.ones((3, 4)), 2), np.ones((4, 1))],
        [np.full((3, 4), 1j), np.ones((4, 1))], [np.full((3, 4), "a"), np.ones((4, 1))],
        [Hostile(), Hostile()], [(np.ones((3, 4)), np.ones(3)), np.ones((4, 1))],
    ],
    "dtype": [
        *TEXTS_OF_NUMBERS, *BOOLS, *NUMBERS, *SEQUENCES, *without(NAMES, "float32", "auto"), None,
        "float16", np.float16, int, "complex64", "a", "a5", "M8[s]", ",", "i4, f4", [("a", "f4")],
    ],
    "matmul_precision": [*_NO_NAME, *without(NAMES, "highest"), "low", "bfloat16"],
    "class_weight": [*TEXTS_OF_NUMBERS, *BOOLS, *NUMBERS, *SEQUENCES, *NAMES, "balance",
        {"up": -1, "down": 1}, {"up": "1", "down": 1}, {"up": np.nan, "down": 1},
        [{"up": 1, "down": 1}], {"up": 1, "left": 1}, {"up": 0, "down": 0}, [],
        {"up": 1e300, "down": 1},
    ],
    "validation_split": [
        *TEXTS_OF_NUMBERS, *BOOLS, *NUMBERS, *SEQUENCES, *NAMES, KFold, [([0], [1]), ([1], [0])],
        ([0], [1]), [([0],)], [[0, 1]], iter([([0], [1])]), {"train": [0], "test": [1]}, [],
    ],
    "scoring": [
        *TEXTS_OF_NUMBERS, *BOOLS, *NUMBERS, *SEQUENCES, *NAMES, accuracy_score, ["accuracy"],
        {"accuracy"}, KFold, "acuracy",
    ],
    "callbacks": [
        *TEXTS_OF_NUMBERS, *BOOLS, *NUMBERS, *SEQUENCES, *NAMES, print, [print, None], "", {print},
    ],
    "loss": [*_NO_NAME, *NAMES, "hinge", ["squared_error"], "smooth l2", (50, 50), Hostile],
}  # fmt: skip


#: Values in ``NEVER`` that a parameter takes: as in scikit-learn, {} weighs no class;
#: nor has it any factor.
TAKEN = {"class_weight": [{}], "learning_rate_factors": [{}]}


def test_the_table_has_every_parameter():
    assert WRONG.keys() == {row.name for row in PARAMETERS}


@pytest.mark.parametrize("make", [classifier, regressor])
def test_parameters(make):
    y = LABELS if make is classifier else Y
    model = make() if make is classifier else make().fit(X, y)
    right, learnt = model.get_params(), state_of(model)
    n_tried = 0
    for name in right:
        for value in [*NEVER, *WRONG[name]]:
            if type(value) is dict and value in TAKEN.get(name, ()):
                continue
            model.set_params(**{name: value})
            text = refusal(model, name, "fit", X, y)
            assert not text.startswith("X"), text
            n_tried += 1
        model.set_params(**{name: right[name]})
    assert_equal(state_of(model), learnt)
    assert n_tried > 2000


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (
            "(50, 50)",
            r"a list or tuple of these, such as \(50, 50\); got '\(50, 50\)': write \(50, ",
        ),
        ("50", "must be an integer ≥ 1; got '50': write 50"),
        (50.0, "must be an integer ≥ 1; got 50.0: write 50"),
        (
            np.array([50.0, 50.0]),
            r"hidden_layer_sizes\[0\] must be an integer ≥ 1; got .*: write 50",
        ),
        ([50, 2.5], r"hidden_layer_sizes\[1\] must be an integer ≥ 1; got 2.5\."),
        ([[50, 50]], r"one integer or a flat sequence, such as \(50, 50\); got \[\[50, 50\]\]"),
        ([50, [50]], r"hidden_layer_sizes\[1\] must be an integer ≥ 1; got \[50\]"),
        ({50: 50}, r"a list or tuple of these, .*; got \{50: 50\}\."),
        ({50}, r"a list or tuple of these, .*; got \{50\}\."),
        ((each for each in [50]), "a list or tuple of these, .*; got <generator object"),
        ([10**30], r"gives a network of 5e\+30 parameters between 3 inputs"),
    ],
)
def test_layer_sizes(value, text):
    for make, y in ((classifier, LABELS), (regressor, Y)):
        said = rejection(make(hidden_layer_sizes=value), "hidden_layer_sizes", "fit", X, y)
        assert re.search(text, said), said


def test_a_number_as_a_text():
    for name, value, meant in [
        ("alpha", "0.1", "0.1"),
        ("max_iter", "5", "5"),
        ("tol", " 1e-3", "0.001"),
    ]:
        text = rejection(regressor(**{name: value}), name, "fit", X, Y)
        assert text.endswith(f"got {value!r}: write {meant}.")


#: What other libraries, or other parameters, have a value for.
HABITS = [
    ("validation_split", 0.2, "Write validation_fraction=0.2."),
    ("validation_split", 5, "Write KFold(5)."),
    ("callbacks", print, "Write callbacks=[…] around the function."),
    ("n_threads", -1, "Write n_threads=None to use all cores."),
    ("activation", lambda z: z, "write custom_activation(f, df), df being its derivative."),
]


@pytest.mark.parametrize(("name", "value", "text"), HABITS, ids=[each[2] for each in HABITS])
@pytest.mark.parametrize("make", [classifier, regressor])
def test_values_by_habit(make, name, value, text):
    said = rejection(make(**{name: value}), name, "fit", X, LABELS if make is classifier else Y)
    assert said.endswith(text)


def test_a_loss_of_the_other_estimator():
    text = rejection(classifier(loss="mse"), "loss", "fit", X, LABELS)
    assert text.endswith("MLPRegressor has loss='mse'.")
    text = rejection(regressor(loss="cross_entropy"), "loss", "fit", X, Y)
    assert text.endswith("MLPClassifier has loss='cross_entropy'.")


def test_functions_of_the_users_own_in_the_wrong_place():
    bend, distance = (
        custom_activation(tanh, tanh_slope),
        custom_loss(half_square, half_square_slope),
    )
    text = rejection(regressor(loss=bend), "loss", "fit", X, Y)
    assert "Did you mean activation=…?" in text
    text = rejection(regressor(activation=distance), "activation", "fit", X, Y)
    assert "Did you mean loss=…?" in text


def test_a_hint_stands_alone():
    """No traceback of what the text with the hint has replaced."""
    for parameters in (
        {"learning_rate_init": SGD()},
        {"activation": "adam"},
        {"random_state": "a"},
    ):
        with pytest.raises((TypeError, ValueError)) as caught:
            regressor(**parameters).fit(X, Y)
        assert caught.value.__suppress_context__
        assert caught.value.__cause__ is None


def test_equal_values_of_another_type_are_checked_for_themselves():
    """What a rule has once said of a number is kept."""
    for name, right, wrong in [("n_threads", 1, True), ("max_iter", 3, 3.0), ("shuffle", True, 1)]:
        regressor(**{name: right}).fit(X, Y)
        rejection(regressor(**{name: wrong}), name, "fit", X, Y)
        regressor(**{name: right}).fit(X, Y)


def test_a_parameter_is_checked_by_the_rule_of_its_own_task():
    classifier(alpha=0.5).fit(X, LABELS)
    regressor(alpha=0.5).fit(X, Y)
    rejection(regressor(loss="cross_entropy"), "loss", "fit", X, Y)
    rejection(classifier(loss="squared_error"), "loss", "fit", X, LABELS)
