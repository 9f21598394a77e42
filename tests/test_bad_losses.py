"""Losses that don't fit: one clear text for every backend, before anything has changed."""

from __future__ import annotations

import contextlib
import re

import numpy as np
import pytest
from helpers_rejection import LABELS, X, Y, assert_rejected, classifier, regressor
from sklearn.compose import TransformedTargetRegressor
from sklearn.preprocessing import StandardScaler

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

INDICATORS = np.c_[Y > 0, X[:, 0] > 0, X[:, 1] > 0].astype(int)
SHARES = np.abs(X) / np.abs(X).sum(axis=1, keepdims=True)


def changed(y, row, value):
    """Return a copy of ``y`` with another value in a row."""
    copy = np.array(y, dtype=float)
    copy[row] = value
    return copy


# -- parameters ------------------------------------------------------------------------------------

WRONG_PARAMETERS = [
    ("label_smoothing", 1, ValueError, "a number ≥ 0 and < 1; got 1"),
    ("label_smoothing", -0.1, ValueError, "a number ≥ 0 and < 1"),
    ("label_smoothing", np.nan, ValueError, "got nan"),
    ("label_smoothing", True, TypeError, "got True"),
    ("focal_gamma", -1, ValueError, "a finite number ≥ 0; got -1"),
    ("focal_gamma", np.inf, ValueError, "got inf"),
    ("focal_gamma", "2", TypeError, "got '2'"),
    ("focal_gamma", 1e300, ValueError, "at most 3.4e+38 for dtype float32"),
    ("huber_delta", 0, ValueError, "a finite number > 0; got 0"),
    ("huber_delta", np.nan, ValueError, "got nan"),
    ("huber_delta", 1e-300, ValueError, "at least 1.2e-38 for dtype float32; got 1e-300"),
    ("huber_delta", 1e300, ValueError, "at most 3.4e+38 for dtype float32"),
    ("smooth_l1_beta", 0, ValueError, "a finite number > 0; got 0"),
    ("smooth_l1_beta", None, TypeError, "got None"),
    ("smooth_l1_beta", 1e-300, ValueError, "at least 1.2e-38 for dtype float32"),
    ("smooth_l1_beta", 1e300, ValueError, "at most 3.4e+38 for dtype float32"),
    ("tweedie_power", 0.9, ValueError, "a number ≥ 1 and ≤ 2; got 0.9"),
    ("tweedie_power", 2.1, ValueError, "a number ≥ 1 and ≤ 2"),
    ("tweedie_power", np.nan, ValueError, "got nan"),
    ("quantiles", 0, ValueError, "a number > 0 and < 1; got 0"),
    ("quantiles", [0.5, 1], ValueError, "[1] must be a number > 0 and < 1; got 1"),
    ("quantiles", [0.5, np.nan], ValueError, "[1] must be a number"),
    ("quantiles", [], ValueError, "one level, or several that ascend; got []"),
    ("quantiles", [0.9, 0.1], ValueError, "several that ascend; got [0.9, 0.1]"),
    ("quantiles", [0.1, 0.1], ValueError, "several that ascend"),
    ("quantiles", [[0.1, 0.5]], ValueError, "a flat sequence"),
    ("quantiles", "median", TypeError, "got 'median'"),
    ("standardize_target", "yes", ValueError, "True, False, 'auto', 'mean' or 'median'; got 'yes'"),
    ("standardize_target", 1, ValueError, "got 1"),
    ("standardize_target", None, ValueError, "got None"),
    ("standardize_target", np.array([1, 2]), ValueError, "got array([1, 2])"),
]


@pytest.mark.parametrize(("name", "value", "error", "text"), WRONG_PARAMETERS)
@pytest.mark.parametrize("fitted", [False, True])
def test_parameters(name, value, error, text, fitted):
    model, y = (classifier(), LABELS) if hasattr(classifier(), name) else (regressor(), Y)
    if fitted:
        model.fit(X, y)
    model.set_params(**{name: value})
    assert_rejected(model, (X, y), error, f"^{name}.*{re.escape(text)}")


@pytest.mark.parametrize("loss", ["hinge", None, "poisson", ["cross_entropy"], 3])
def test_unknown_losses_of_a_classifier(loss):
    text = "^loss must be one of cross_entropy, binary_cross_.*, focal, .*, kl_divergence; got "
    assert_rejected(classifier(loss=loss), (X, LABELS), ValueError, text)


@pytest.mark.parametrize("loss", ["hinge", None, "cross_entropy", ["poisson"], 3])
def test_unknown_losses_of_a_regressor(loss):
    text = "^loss must be one of squared_error, .*, pinball, or made by custom_loss; got "
    assert_rejected(regressor(loss=loss), (X, Y), ValueError, text)


# -- targets of a classifier -----------------------------------------------------------------------

LABEL_KIND = "needs one of two labels per row or one label per row"


@pytest.mark.parametrize(
    ("loss", "y", "text"),
    [
        (
            "kl_divergence",
            LABELS,
            "needs a distribution over the classes in each row in y; got one",
        ),
        ("multi_margin", INDICATORS, f"{LABEL_KIND} in y; got an indicator matrix"),
        ("multi_margin", SHARES, f"{LABEL_KIND} in y; got a distribution over the classes"),
        ("focal", SHARES, ".* or an indicator matrix of zeros and ones in y; got a distribution"),
        ("squared_hinge", SHARES, ".* or an indicator matrix of zeros and ones in y; got a dis"),
    ],
)
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_targets_that_a_loss_does_not_take(loss, y, text, method):
    arguments = {"classes": np.unique(y)} if y.ndim == 1 and method == "partial_fit" else {}
    text = f"^loss='{loss}' {text}"
    assert_rejected(classifier(loss=loss), (X, y), ValueError, text, method=method, **arguments)


@pytest.mark.parametrize("loss", ["cross_entropy", "kl_divergence"])
@pytest.mark.parametrize(
    ("y", "text"),
    [
        (changed(SHARES, (3, 1), -0.5), r"must hold probabilities; got -0.5 \(column 1, row 3\)"),
        (changed(SHARES, 3, 0.5), r"of a row of y must sum to 1; got 1.5 \(row 3\)"),
        (changed(SHARES, 3, 0), r"of a row of y must sum to 1; got 0 \(row 3\)"),
        (SHARES * 1.01, r"of a row of y must sum to 1; got 1.01 \(row 0\)"),
        (changed(SHARES, (3, 1), np.nan), r"Input y contains NaN \(column 1, row 3\)"),
        (changed(SHARES, (3, 1), np.inf), r"Input y contains infinity \(column 1, row 3\)"),
    ],
)
def test_rows_that_are_no_distributions(loss, y, text):
    assert_rejected(classifier(loss=loss), (X, y), ValueError, text)
    fitted = classifier(loss=loss).fit(X, SHARES)
    assert_rejected(fitted, (X, y), ValueError, text, method="partial_fit")
    assert_rejected(fitted, (X, y), ValueError, text, method="loss_per_sample")


def test_counts_are_no_distributions():
    text = r"of a row of y must sum to 1; got 3 \(row 0\)"
    counts = np.ones((40, 3), dtype=int)
    assert_rejected(classifier(loss="kl_divergence"), (X, counts), ValueError, text)


def test_distributions_over_other_classes():
    fitted = classifier().fit(X, SHARES)
    text = r"^y must hold 3 probabilities per row, one for each class; got shape \(40, 2\)"
    two = SHARES[:, :2] / SHARES[:, :2].sum(axis=1, keepdims=True)
    assert_rejected(fitted, (X, two), ValueError, text, method="partial_fit")
    text = r"^y must hold 3 probabilities per row, one for each class; got shape \(40,\)"
    assert_rejected(fitted, (X, LABELS), ValueError, text, method="partial_fit")
    text = "needs an indicator matrix of zeros and ones in y; got a distribution"
    several = classifier().fit(X, INDICATORS)
    assert_rejected(several, (X, SHARES), ValueError, text, method="partial_fit")


@pytest.mark.parametrize("loss", ["multi_margin", "kl_divergence", "focal"])
def test_going_on_with_a_loss_that_does_not_fit(loss):
    if loss == "multi_margin":  # compares two outputs, where the network has one
        model = classifier(warm_start=True).fit(X, LABELS).set_params(loss=loss)
        assert_rejected(model, (X, LABELS), ValueError, "y asks for 2 outputs, but the network")
    elif loss == "focal":
        model = classifier(warm_start=True).fit(X, SHARES).set_params(loss=loss)
        assert_rejected(model, (X, SHARES), ValueError, "^loss='focal' needs one of two labels")
    else:
        model = classifier(warm_start=True).fit(X, LABELS).set_params(loss=loss)
        assert_rejected(model, (X, LABELS), ValueError, "^loss='kl_divergence' needs a distrib")


# -- targets of a regressor ------------------------------------------------------------------------

POSITIVE = np.abs(Y) + 0.1


@pytest.mark.parametrize(
    ("loss", "y", "text"),
    [
        ("poisson", changed(POSITIVE, 7, -1), r"needs every y ≥ 0; got -1 \(row 7\)"),
        ("tweedie", changed(POSITIVE, 7, -0.5), r"needs every y ≥ 0; got -0.5 \(row 7\)"),
        ("gamma", changed(POSITIVE, 7, 0), r"needs every y > 0 .*; got 0 \(row 7\)"),
        ("gamma", changed(POSITIVE, 7, 1e-44), r"needs every y > 0 \(from 1.2e-38, for dtype flo"),
        ("gamma", changed(np.c_[POSITIVE, POSITIVE], (7, 1), -2), r"got -2 \(row 7\)"),
        ("poisson", changed(POSITIVE, 7, np.nan), r"Input y contains NaN \(row 7\)"),
    ],
)
@pytest.mark.parametrize("method", ["fit", "partial_fit", "cost", "loss_per_sample"])
def test_values_that_a_loss_does_not_take(loss, y, text, method):
    model = regressor(loss=loss, standardize_target=False)
    if method in ("cost", "loss_per_sample"):
        model.fit(X, np.c_[POSITIVE, POSITIVE] if y.ndim == 2 else POSITIVE)
    assert_rejected(model, (X, y), ValueError, text, method=method)


def test_tweedie_of_power_two_is_gamma():
    model = regressor(loss="tweedie", tweedie_power=2)
    text = r"^loss='tweedie' needs every y > 0 .*; got 0 \(row 7\)"
    assert_rejected(model, (X, changed(POSITIVE, 7, 0)), ValueError, text)


def first_part_alone(loss):
    """Expect the warning of a first part that tells no scale, for a loss that takes one."""
    if loss == "poisson":
        return contextlib.nullcontext()
    return pytest.warns(RuntimeWarning, match="The first part has only one value of y")


@pytest.mark.parametrize("loss", ["poisson", "tweedie"])
def test_counts_that_are_all_zero(loss):
    text = f"^loss='{loss}' needs at least one y above 0; all are 0"
    assert_rejected(regressor(loss=loss), (X, np.zeros(40)), ValueError, text)
    with first_part_alone(loss):
        part = regressor(loss=loss).partial_fit(X, np.zeros(40))  # others may come
    assert part.partial_fit(X, POSITIVE).t_ == 80


@pytest.mark.parametrize("loss", ["poisson", "tweedie"])
def test_a_target_whose_counts_are_all_zero(loss):
    counts = np.c_[POSITIVE, np.zeros(40), POSITIVE]
    text = f"^loss='{loss}' needs at least one y above 0 in each column; all of column 1 are 0"
    assert_rejected(regressor(loss=loss), (X, counts), ValueError, text)
    with first_part_alone(loss):
        part = regressor(loss=loss).partial_fit(X, counts)  # others may come
    assert part.partial_fit(X, counts + 1).t_ == 80


def test_values_beyond_single_precision_are_fine_in_double():
    y = changed(POSITIVE, 7, 1e-44)
    assert np.isfinite(regressor(loss="gamma", dtype="float64").fit(X, y).loss_)


# -- prediction ------------------------------------------------------------------------------------


@pytest.mark.parametrize("loss", ["squared_error", "pinball", "poisson"])
def test_no_standard_deviation(loss):
    model = regressor(loss=loss).fit(X, POSITIVE)
    text = f"return_std=True needs a model fitted with loss='gaussian_nll'; this one has '{loss}'"
    assert_rejected(model, (X,), ValueError, text, method="predict", return_std=True)


def test_a_standard_deviation_is_not_transformed_back():
    model = TransformedTargetRegressor(regressor(loss="gaussian_nll"), transformer=StandardScaler())
    model.fit(X, Y)
    text = r"can.t transform a standard deviation back: use MLPRegressor.* standardize_target=True"
    with pytest.raises(AttributeError, match=text):
        model.predict(X, return_std=True)
    both = model.regressor_.predict(X, return_std=True)
    assert isinstance(both, tuple)
    assert np.ndim(both) == 2  # NumPy asks in a way that bears the refusal
    assert not hasattr(both, "ndim")


def test_more_quantiles_than_the_network_has():
    model = regressor(loss="pinball", quantiles=[0.2, 0.8], warm_start=True).fit(X, Y)
    model.set_params(quantiles=[0.1, 0.5, 0.9])
    text = "y asks for 3 outputs, but the network that warm_start or partial_fit continues has 2"
    assert_rejected(model, (X, Y), ValueError, text)
