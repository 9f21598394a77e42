"""Bad input: one clear text, the same for every backend, before anything has changed."""

from __future__ import annotations

import re
import warnings

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from helpers import unaligned
from helpers_rejection import FRAME, LABELS, X, Y, assert_rejected, classifier, regressor
from numpy.testing import assert_array_equal
from scipy import sparse
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import KFold
from sklearn.utils.multiclass import check_classification_targets
from test_bad_losses import WRONG_PARAMETERS as OF_LOSSES

from fastmlp import RosenblattPerceptron
from fastmlp.backends import BACKENDS
from fastmlp.optimizers import SGD, Adagrad, Adam, Lion, RMSprop
from fastmlp.validation.parameter_table import PARAMETERS

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

# -- parameters ------------------------------------------------------------------------------------

WRONG_PARAMETERS = [
    ("hidden_layer_sizes", 0, ValueError, "an integer ≥ 1; got 0"),
    ("hidden_layer_sizes", (5, -1), ValueError, "[1] must be"),
    ("hidden_layer_sizes", (5, 2.5), TypeError, "got 2.5"),
    ("hidden_layer_sizes", "100", TypeError, "got '100'"),
    ("hidden_layer_sizes", True, TypeError, "got True"),
    ("hidden_layer_sizes", [[3, 4]], ValueError, "a flat sequence"),
    ("hidden_layer_sizes", (2**31, 2**31), ValueError, "parameters between 3 inputs and"),
    ("hidden_layer_sizes", (2**63,), ValueError, "parameters between 3 inputs and"),
    ("activation", "rleu", ValueError, "one of identity, logistic, tanh, relu, "),
    ("activation", None, ValueError, "got None"),
    ("solver", "newton", ValueError, "lbfgs, or an object of fastmlp.optimizers; got 'newton'"),
    ("solver", SGD, ValueError, "an object of fastmlp.optimizers; got <class"),
    ("solver", SGD(momentum=1.5), ValueError, ".momentum must be a number ≥ 0 and ≤ 1; got 1.5"),
    ("solver", SGD(nesterov=2), TypeError, ".nesterov must be True or False; got 2"),
    ("solver", Adam(betas=0.9), TypeError, ".betas must be a tuple of two numbers; got 0.9"),
    ("solver", Adam(betas=(0.9, 1)), ValueError, ".betas[1] must be a number ≥ 0 and < 1; got 1"),
    ("solver", RMSprop(eps=0), ValueError, ".eps must be a finite number > 0; got 0"),
    ("solver", RMSprop(eps=1e300), ValueError, ".eps must be at most 3.4e+38 for dtype float32"),
    ("solver", Adagrad(lr_decay=-1), ValueError, ".lr_decay must be a finite number ≥ 0; got -1"),
    ("solver", Lion(weight_decay="1"), TypeError, ".weight_decay must be a finite number ≥ 0"),
    ("matmul_precision", "low", ValueError, "one of highest, high, medium; got 'low'"),
    ("alpha", -1e-9, ValueError, "a finite number ≥ 0; got -1e-09"),
    ("alpha", np.nan, ValueError, "got nan"),
    ("alpha", "much", TypeError, "got 'much'"),
    ("l1", -1, ValueError, "a finite number ≥ 0"),
    ("weight_decay", -0.1, ValueError, "a finite number ≥ 0 or None"),
    ("max_norm", 0, ValueError, "a finite number > 0 or None; got 0"),
    ("max_norm", "3", TypeError, "got '3'"),
    ("max_norm", 1e300, ValueError, "at most 3.4e+38 for dtype float32"),
    ("input_noise", -0.1, ValueError, "a finite number ≥ 0"),
    ("input_noise", None, TypeError, "a finite number ≥ 0; got None"),
    ("gradient_noise", np.inf, ValueError, "a finite number ≥ 0; got inf"),
    ("gradient_noise", 1e300, ValueError, "at most 3.4e+38 for dtype float32"),
    ("gradient_noise_decay", -1, ValueError, "a finite number ≥ 0; got -1"),
    ("clip_value", -1, ValueError, "a finite number > 0 or None"),
    ("clip_value", True, TypeError, "got True"),
    ("clip_norm", 0.0, ValueError, "a finite number > 0 or None; got 0.0"),
    ("clip_norm", np.nan, ValueError, "got nan"),
    ("batch_size", 0, ValueError, "an integer ≥ 1 or 'auto'; got 0"),
    ("batch_size", "all", TypeError, "got 'all'"),
    ("batch_size", 3.0, TypeError, "an integer"),
    ("learning_rate", "cosin", ValueError, "one of constant, invscaling, adaptive"),
    ("learning_rate_init", 0, ValueError, "a finite number > 0; got 0"),
    ("learning_rate_init", np.nan, ValueError, "got nan"),
    ("learning_rate_init", 1j, TypeError, "got 1j"),
    ("power_t", -0.5, ValueError, "a finite number ≥ 0"),
    ("max_iter", 0, ValueError, "an integer ≥ 1"),
    ("max_iter", True, TypeError, "got True"),
    ("shuffle", "yes", TypeError, "True or False"),
    ("random_state", "seed", ValueError, "numpy.random.RandomState; got 'seed'"),
    ("tol", -1, ValueError, "a finite number ≥ 0"),
    ("verbose", "loud", TypeError, "True, False or an integer, or 'bar'; got 'loud'"),
    ("time_limit", 0, ValueError, "a finite number > 0 or None; got 0"),
    ("warm_start", 1, TypeError, "True or False"),
    ("momentum", 1.1, ValueError, "≥ 0 and ≤ 1"),
    ("nesterovs_momentum", None, TypeError, "True or False"),
    ("early_stopping", "no", TypeError, "True or False"),
    ("validation_fraction", 1.0, ValueError, "≥ 0 and < 1"),
    ("validation_split", 5, TypeError, "a list of one (train, test) pair; got 5"),
    ("validation_split", ([0], [1]), TypeError, "got ([0], [1]): write [(train, test)]"),
    ("validation_split", KFold, TypeError, "got a class: write KFold(…)"),
    ("scoring", "acuracy", ValueError, "got 'acuracy'. Did you mean 'accuracy'?"),
    ("scoring", 5, TypeError, "or a callable(estimator, X, y); got 5"),
    ("restore_best", "yes", TypeError, "True or False"),
    ("averaging", "mean", ValueError, "one of ema, swa"),
    ("parametric_activation", "yes", TypeError, "a bool, or a list"),
    ("parametrization", "np", ValueError, "standard, ntk; got 'np'"),
    ("learning_rate_factors", {"bias": 1}, ValueError, "Did you mean 'biases'?"),
    ("scaling_layer", "yes", TypeError, "got 'yes'"),
    ("numeric_embedding", "plb", ValueError, "Did you mean 'plr'?"),
    ("categorical_features", "a", TypeError, "a list of columns, by number or by name"),
    ("category_embedding", 8, TypeError, "an object of fastmlp.embeddings.Categories"),
    ("n_members", 0, ValueError, "must be an integer ≥ 1; got 0"),
    ("members", "tabm", ValueError, "Did you mean 'tabm-mini'?"),
    ("own_batches", "yes", TypeError, "True or False"),
    ("class_weight", "balance", ValueError, "or None; got 'balance'. Did you mean 'balanced'?"),
    ("class_weight", {"up": "2"}, TypeError, "['up'] must be a finite number ≥ 0; got '2': write"),
    ("class_weight", [1, 2], ValueError, "or None; got [1, 2]"),
    ("beta_1", 1.0, ValueError, "≥ 0 and < 1"),
    ("beta_2", -0.1, ValueError, "≥ 0 and < 1"),
    ("epsilon", 0.0, ValueError, "> 0"),
    ("n_iter_no_change", 0, ValueError, "an integer ≥ 1 or inf"),
    ("max_fun", 0, ValueError, "an integer ≥ 1"),
    ("dropout", 1.0, ValueError, "≥ 0 and < 1"),
    ("dropout", [-0.1], ValueError, "[0] must be"),
    ("dropout", [0.1, 0.2], ValueError, "2 entries, but hidden_layer_sizes has 1 layers"),
    ("dropout", None, TypeError, "got None"),
    ("input_dropout", [0.1], TypeError, "a number"),
    ("init", "glorot_truncated", ValueError, "one of auto, normal, uniform, zeros"),
    ("init_std", -1, ValueError, "≥ 0"),
    ("init_range", -0.1, ValueError, "a finite number ≥ 0"),
    ("init_range", (0, 1), TypeError, "a finite number"),
    ("dtype", "float16", ValueError, "one of float32, float64, auto; got 'float16'"),
    ("dtype", "complex64", ValueError, "one of float32, float64, auto"),
    ("dtype", "number", ValueError, "one of float32, float64, auto"),
    ("dtype", None, ValueError, "got None"),
    ("n_threads", 0, ValueError, "an integer ≥ 1 and ≤ 256 or None; got 0"),
    ("n_threads", 10**9, ValueError, "got 1000000000"),
    ("n_threads", -1, ValueError, "got -1"),
    ("n_threads", 1.5, TypeError, "got 1.5"),
    ("hidden_layer_sizes", None, TypeError, "an integer ≥ 1, or a list or tuple of these, "),
    ("hidden_layer_sizes", {3}, TypeError, "of these, such as (50, 50); got {3}"),
    ("batch_size", np.array([1, 2]), TypeError, "got array([1, 2])"),
    ("n_threads", np.array([1, 2]), TypeError, "got array([1, 2])"),
    ("weight_decay", np.array([1, 2]), TypeError, "got array([1, 2])"),
    ("n_iter_no_change", np.array([1, 2]), TypeError, "got array([1, 2])"),
    ("dropout", [0.1, [0.2]], TypeError, "[1] must be a number ≥ 0 and < 1; got [0.2]"),
    ("alpha", 10**400, ValueError, "a finite number ≥ 0"),
    ("alpha", np.inf, ValueError, "a finite number ≥ 0; got inf"),
    ("learning_rate_init", 10**400, ValueError, "a finite number > 0"),
    ("dtype", ",", ValueError, "one of float32, float64, auto; got ','"),
    ("alpha", 1e300, ValueError, "at most 3.4e+38 for dtype float32; got 1e+300"),
    ("l1", 1e300, ValueError, "at most 3.4e+38 for dtype float32"),
    ("learning_rate_init", 1e300, ValueError, "at most 3.4e+38 for dtype float32"),
    ("init_std", 1e300, ValueError, "at most 3.4e+38 for dtype float32"),
    ("weight_decay", 1e300, ValueError, "at most 3.4e+38 for dtype float32"),
    ("epsilon", 1e300, ValueError, "at most 3.4e+38 for dtype float32"),
    ("callbacks", print, TypeError, "a list of callables"),
    ("callbacks", [1], TypeError, "a list of callables"),
    ("normalization", "spectral", ValueError, "got 'spectral'"),
    ("n_groups", 0, ValueError, "an integer ≥ 1 or None; got 0"),
    ("n_channels", 2.5, TypeError, "an integer ≥ 1 or None; got 2.5"),
    ("batch_norm_momentum", 0, ValueError, "a number > 0 and ≤ 1; got 0"),
]


@pytest.mark.parametrize(("name", "value", "error", "text"), WRONG_PARAMETERS)
@pytest.mark.parametrize("fitted", [False, True])
def test_parameters(name, value, error, text, fitted):
    model = classifier()
    if fitted:
        model.fit(X, LABELS)
    model.set_params(**{name: value})
    assert_rejected(model, (X, LABELS), error, f"^{name}.*{re.escape(text)}")


def test_every_parameter_has_a_wrong_value():
    tried = {name for name, *_ in WRONG_PARAMETERS + OF_LOSSES}
    assert {row.name for row in PARAMETERS} - tried == {
        "loss",
        "backend",
    }  # see the test below, test_bad_losses


def test_unknown_backend_lists_the_known_ones():
    with pytest.raises(ValueError, match="backend must be one of compiled, numba, numpy; got 'c'"):
        classifier(backend="c").fit(X, LABELS)


@pytest.mark.parametrize("value", [0, -3, 2.5, "x", np.array([1, 2])])
def test_threads_of_later_calls(value):
    model = classifier().fit(X, LABELS).set_params(n_threads=value)
    error = ValueError if isinstance(value, int) else TypeError
    text = "^n_threads must be an integer ≥ 1 and ≤ 256 or None; got"
    for method in ("predict", "predict_proba", "predict_log_proba"):
        assert_rejected(model, (X,), error, text, method=method)
    for method in ("score", "cost", "objective", "loss_per_sample"):
        assert_rejected(model, (X, LABELS), error, text, method=method)


@pytest.mark.parametrize("backend", BACKENDS)
def test_backend_of_later_calls(backend):
    model = regressor(backend=backend).fit(X, Y).set_params(backend="zzz")
    text = "^backend must be one of compiled, numba, numpy; got 'zzz'"
    for method, arguments in [("predict", ()), ("score", (Y,)), ("cost", (Y,))]:
        with pytest.raises(ValueError, match=text):
            getattr(model, method)(X, *arguments)


def test_a_solver_with_a_decay_of_its_own_takes_no_other():
    model = regressor(solver=SGD(weight_decay=0.1), weight_decay=0.2)
    assert_rejected(
        model,
        (X, Y),
        ValueError,
        r"weight_decay=0.2 conflicts with the solver, which has an option",
    )


@pytest.mark.parametrize(
    ("name", "off"),
    [
        ("l1", 0),
        ("dropout", 0),
        ("input_dropout", 0),
        ("weight_decay", 0),
        ("max_norm", None),
        ("input_noise", 0),
        ("gradient_noise", 0),
        ("clip_value", None),
        ("clip_norm", None),
    ],
)
def test_lbfgs_needs_a_smooth_objective_and_its_gradient(name, off):
    model = regressor(solver="lbfgs", **{name: 0.1})
    text = rf"solver='lbfgs' .* set {name}={off} \(got 0.1\) or choose another solver"
    assert_rejected(model, (X, Y), ValueError, text)


def test_lbfgs_has_no_partial_fit():
    model = regressor(solver="lbfgs")
    assert not hasattr(model, "partial_fit")
    with pytest.raises(AttributeError, match="has no attribute 'partial_fit'"):
        model.partial_fit(X, Y)


def test_partial_fit_cannot_stop_early():
    model = regressor(early_stopping=True)
    assert_rejected(model, (X, Y), ValueError, "early_stopping=True", method="partial_fit")


@pytest.mark.parametrize("parameters", [{"n_threads": 0}, {"backend": "fast"}, {"solver": 3}])
@pytest.mark.parametrize("make", [classifier, regressor])
def test_wrong_parameters_can_be_looked_at(make, parameters):
    model = make(**parameters)
    assert "fit" in dir(model)
    assert next(iter(parameters)) in repr(model)


@pytest.mark.parametrize("fraction", [0.0, 0.001, 0.99])
def test_validation_fraction_must_leave_rows_on_both_sides(fraction):
    model = regressor(early_stopping=True, validation_fraction=fraction)
    assert_rejected(model, (X, Y), ValueError, f"validation_fraction={fraction:g} of 40 rows")


def test_validation_rows_of_a_rare_class():
    labels = np.array(["rare", *["common"] * 39])
    model = classifier(early_stopping=True, validation_fraction=0.2)
    assert_rejected(
        model,
        (X, labels),
        ValueError,
        r"^The least populated classes in y have only 1 member: 'rare'\..* early_stopping=False\. ",
    )


# -- X ---------------------------------------------------------------------------------------------


def spoilt(value, row=7, column=2, dtype=np.float64):
    out = X.astype(dtype)
    out[row, column] = value
    return out


@pytest.mark.parametrize(
    ("value", "text"), [(np.nan, "NaN"), (np.inf, "infinity"), (-np.inf, "infinity")]
)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("order", ["C", "F"])
def test_values_that_are_not_finite(value, text, dtype, order):
    wrong = np.asarray(spoilt(value, dtype=dtype), order=order)
    text = rf"Input X contains {text} \(column 2, row 7\)"
    assert_rejected(classifier(), (wrong, LABELS), ValueError, text)
    fitted = classifier().fit(X, LABELS)
    assert_rejected(fitted, (wrong,), ValueError, text, method="predict")


def test_the_column_is_named():
    frame = FRAME.copy()
    frame.loc[3, "height"] = np.nan
    text = r"Input X contains NaN \(column 'height', row 3\)"
    assert_rejected(classifier(), (frame, LABELS), ValueError, text)
    assert_rejected(classifier().fit(FRAME, LABELS), (frame,), ValueError, text, method="predict")


@pytest.mark.parametrize("value", [1e39, -1e300])
def test_overflow_of_single_precision(value):
    text = rf"Input X contains {re.escape(f'{value:g}')}, too large for dtype float32"
    assert_rejected(classifier(), (spoilt(value), LABELS), ValueError, text)
    fitted = classifier().fit(X, LABELS)
    assert_rejected(fitted, (spoilt(value),), ValueError, text, method="predict_proba")
    classifier(dtype="float64", activation="logistic").fit(spoilt(1e39), LABELS)


@pytest.mark.parametrize(
    ("wrong", "error", "text"),
    [
        (
            X[0],
            ValueError,
            r"X must have two dimensions; got shape \(3,\). Reshape your d",
        ),
        (
            X[None],
            ValueError,
            r"got shape \(1, 40, 3\): X.reshape\(len\(X\), -1\) makes eac",
        ),
        (np.empty((0, 3)), ValueError, r"X: Found array with 0 sample\(s\)"),
        (np.empty((40, 0)), ValueError, r"X: Found array with 0 feature\(s\)"),
        (X + 1j, ValueError, "column 0 has dtype complex128 .*: Complex data not supported; use "),
        (np.full((40, 3), "a"), ValueError, "column 0 has dtype <U1 .*: encode it with OneHotEnc"),
        (np.full((40, 3), "a", dtype=object), ValueError, r"object \('a' in row 0\): encode it"),
        (sparse.csr_array(X + 1j), ValueError, "X must hold .* got a sparse matrix of complex128"),
        (X[:-1], ValueError, "X and y must have the same number of rows; got 39 and 40"),
        (None, ValueError, "X must be a table of numbers, of shape .*; got None."),
        (X.astype("M8[s]"), ValueError, r"has dtype datetime64\[s\] .*: convert dates to numbers"),
        (
            FRAME.assign(height=pd.Timestamp(0)),
            ValueError,
            r"X must hold real numbers; column 'height' has dtype datetime64",
        ),
        (FRAME.assign(height="tall"), ValueError, "X must hold real numbers; column 'height' has"),
        (
            pa.Table.from_pandas(FRAME.assign(height="tall")),
            ValueError,
            "X must hold real numbers; column 'height' has",
        ),
    ],
)
def test_shapes_and_types_of_X(wrong, error, text):
    assert_rejected(classifier(), (wrong, LABELS), error, text)
    assert_rejected(classifier().fit(X, LABELS), (wrong, LABELS), error, text)


def test_number_of_features():
    model = classifier().fit(X, LABELS)
    for method, arguments in [
        ("predict", ()),
        ("predict_proba", ()),
        ("partial_fit", (LABELS,)),
        ("score", (LABELS,)),
    ]:
        text = "X has 2 features, but MLPClassifier is expecting 3 features as input"
        assert_rejected(model, (X[:, :2], *arguments), ValueError, text, method=method)
    model.set_params(warm_start=True)
    assert_rejected(model, (X[:, :2], LABELS), ValueError, "X has 2 features")
    texts = X[:, :2].astype(str).astype(object)  # which scikit-learn reads as numbers
    assert_rejected(model, (texts, LABELS), ValueError, "X has 2 features")


def test_names_of_features():
    model = classifier().fit(FRAME, LABELS)
    other = FRAME.rename(columns={"age": "years"})
    text = "(?s)X: The feature names should match.*- years.*- age"
    assert_rejected(model, (other,), ValueError, text, method="predict")
    assert_rejected(model, (other, LABELS), ValueError, text, method="partial_fit")


def test_prediction_before_a_fit():
    for method in ("predict", "predict_proba", "predict_log_proba"):
        assert_rejected(classifier(), (X,), NotFittedError, "not fitted yet", method=method)
    assert_rejected(regressor(), (X, Y), NotFittedError, "not fitted yet", method="cost")


# -- y ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wrong", "text"),
    [
        (np.where(np.arange(40) == 5, np.nan, Y), r"Input y contains NaN \(row 5\)"),
        (np.where(np.arange(40) == 5, np.inf, Y), r"Input y contains infinity \(row 5\)"),
        (np.where(np.arange(40) == 5, 1e40, Y), r"Input y contains 1e\+40, too large for dtype"),
        (np.full(40, "a"), "^y must hold real numbers; it has dtype <U1 .* use a classifier"),
        (np.full(40, "a", dtype=object), r"^y must .* object \('a' in row 0\): use a classifier"),
        (Y.astype("M8[s]"), r"y must hold real numbers; it has dtype datetime64\[s\]"),
        (Y + 1j, "^y must hold real numbers; .* Complex data not supported"),
        (np.zeros((40, 0)), "y has no columns|0 feature"),
        (np.zeros((40, 1, 1)), r"^y must be an array of shape \(n_samples,\) or \(n_samples, n_"),
        (None, "requires y to be passed"),
    ],
)
def test_targets_of_regression(wrong, text):
    assert_rejected(regressor(), (X, wrong), ValueError, text)
    assert_rejected(regressor().fit(X, Y), (X, wrong), ValueError, text, method="partial_fit")


def test_number_of_targets_when_going_on():
    model = regressor().fit(X, Y)
    text = "y has 2 columns, but the network was made for 1"
    assert_rejected(model, (X, np.c_[Y, Y]), ValueError, text, method="partial_fit")
    assert_rejected(model, (X, np.c_[Y, Y]), ValueError, text, method="cost")


@pytest.mark.parametrize(
    ("wrong", "text"),
    [
        (Y, "Unknown label type: continuous"),
        (np.where(np.arange(40) == 5, np.nan, 1.0), r"Input y contains NaN \(row 5\)"),
        (np.c_[Y > 0, np.arange(40) % 3], "y is a multiclass-multioutput target"),
        (
            np.array(["up", 1] * 20, dtype=object),
            r"y holds objects \(int, str\)",
        ),
        (np.array(["up", None] * 20, dtype=object), r"y holds objects \(NoneType, str\)"),
        (None, "requires y to be passed"),
    ],
)
def test_targets_of_classification(wrong, text):
    assert_rejected(classifier(), (X, wrong), ValueError, text)


@pytest.mark.parametrize(
    ("classes", "text"),
    [
        (None, "classes must be given on the first call of partial_fit"),
        (["up"], r"y has labels that are not in classes \['up'\]: \['down'\]"),
        ([["up", "down"]], "classes must be a flat list of labels"),
        (["up", "left"], r"y has labels that are not in classes \['left', 'up'\]: \['down'\]"),
    ],
)
def test_classes_of_a_first_partial_fit(classes, text):
    assert_rejected(
        classifier(), (X, LABELS), ValueError, text, method="partial_fit", classes=classes
    )


def test_classes_of_later_partial_fits():
    model = classifier().partial_fit(X, LABELS, classes=["up", "down"])
    text = r"classes=\['down', 'left', 'up'\] differs from the classes of the earlier fit"
    three = ["up", "down", "left"]
    assert_rejected(model, (X, LABELS), ValueError, text, method="partial_fit", classes=three)
    left = np.where(Y > 0, "left", "up")
    text = r"y has labels that are not in classes \['down', 'up'\]: \['left'\]"
    assert_rejected(model, (X, left), ValueError, text, method="partial_fit")


def test_a_warm_start_needs_the_same_classes():
    model = classifier(warm_start=True).fit(X, LABELS)
    for labels in (np.where(Y > 0, "left", "up"), np.full(40, "up")):
        text = "warm_start can only be used where `y` has the same classes as in the previous call"
        assert_rejected(model, (X, labels), ValueError, text)


def messages(call):
    """Return what a call warns of."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        call()
    return {str(warning.message) for warning in caught}


def test_a_first_part_with_a_few_of_many_classes():
    """What warns of a fit on real numbers, and rightly so, says nothing of a part."""
    numbers = np.arange(40)
    for y in (numbers, numbers.astype(float)):
        model = classifier().partial_fit(X, y, classes=np.arange(100))
        assert model.partial_fit(X[::-1], y).n_outputs_ == 100
        few = RosenblattPerceptron().partial_fit(X, y, classes=np.arange(100))
        assert len(few.coef_) == 100
    theirs = messages(lambda: check_classification_targets(numbers))  # none before version 1.7
    for model in (classifier(), RosenblattPerceptron(max_iter=1)):
        assert theirs <= messages(lambda model=model: model.fit(X, numbers))


def test_indicators_and_labels_do_not_mix():
    indicators = np.c_[Y > 0, Y < 1].astype(int)
    text = "y has 2 columns, but the network was fitted with one label per row"
    single = classifier().fit(X, LABELS)
    assert_rejected(single, (X, indicators), ValueError, text, method="partial_fit")
    several = classifier().fit(X, indicators)
    text = r"y must be an indicator matrix with 2 columns; got shape \(40,\)"
    assert_rejected(several, (X, (Y > 0).astype(int)), ValueError, text, method="partial_fit")
    text = "y is a multiclass-multioutput target"
    counts = np.c_[np.arange(40) % 3, np.arange(40) % 2]
    assert_rejected(several, (X, counts), ValueError, text, method="partial_fit")


def test_other_layers_when_going_on():
    model = classifier().fit(X, LABELS).set_params(hidden_layer_sizes=(5,))
    text = r"hidden_layer_sizes is now \(5,\), but the network .* has \(4,\)"
    assert_rejected(model, (X, LABELS), ValueError, text, method="partial_fit")


# -- sample_weight ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wrong", "text"),
    [
        (np.ones(39), r"sample_weight must have shape \(40,\).*got shape \(39,\)"),
        (np.ones((40, 1)), r"sample_weight must have shape \(40,\)"),
        (1.0, r"sample_weight must be an array of shape \(n_samples,\); got 1.0"),
        (-np.arange(40.0), "sample_weight must not be negative; got -39"),
        (np.zeros(40), "sample_weight is zero for every row"),
        (np.where(np.arange(40) == 3, np.nan, 1), r"Input sample_weight contains NaN \(row 3\)"),
        (np.full(40, np.inf), r"Input sample_weight contains infinity \(row 0\)"),
        (np.full(40, 1e39), "Input sample_weight contains 1e.39, too large for dtype float32"),
        ([[1.0], [1.0, 2.0]] * 20, r"^sample_weight .* row 0 \(\[1.0\]\) and row 1 have different"),
        (np.full(40, 3e37), "sample_weight sums to .*, which is too large for dtype float32"),
        (["a"] * 40, "^sample_weight must hold real numbers; it has 'a' in row 0"),
    ],
)
def test_sample_weights(wrong, text):
    assert_rejected(classifier(), (X, LABELS), ValueError, text, sample_weight=wrong)
    fitted = regressor().fit(X, Y)
    assert_rejected(fitted, (X, Y), ValueError, text, method="partial_fit", sample_weight=wrong)


def test_held_out_rows_without_weight():
    weights = np.zeros(40)
    weights[:3] = 1.0
    model = regressor(early_stopping=True, random_state=0)
    text = "sample_weight is zero for every held-out row"
    assert_rejected(model, (X, Y), ValueError, text, sample_weight=weights)


# -- what is no error ------------------------------------------------------------------------------


def read_only(array):
    array = array.copy()
    array.flags.writeable = False
    return array


@pytest.mark.parametrize(
    "odd",
    [
        read_only,
        unaligned,
        np.asfortranarray,
        lambda a: np.repeat(a, 2, axis=1)[:, ::2],
        lambda a: np.repeat(a, 2, axis=0)[::2],
        lambda a: a[::-1].copy()[::-1],
        lambda a: a.astype(">f8"),
        lambda a: a.astype(np.longdouble),
        lambda a: a.astype(object),
        lambda a: a.tolist(),
        pd.DataFrame,
    ],
)
@pytest.mark.parametrize("backend", BACKENDS)
def test_odd_arrays_are_accepted(odd, backend):
    plain = classifier(backend=backend, random_state=0, dtype="float64").fit(X, LABELS)
    other = classifier(backend=backend, random_state=0, dtype="float64").fit(odd(X), LABELS)
    assert_array_equal(other.coefs_[0], plain.coefs_[0])
    assert_array_equal(other.predict_proba(odd(X)), plain.predict_proba(X))


# -- what lists hide -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("labels", "text"),
    [
        (
            ["a", np.nan],
            "y must hold labels of one kind: nan at index 1 is not a text, but",
        ),
        ([0, "a"], "y must hold labels of one kind: 0 at index 0 is not a text, but others are"),
    ],
)
def test_labels_beside_texts(labels, text):
    assert_rejected(classifier(), (X, labels * 20), ValueError, text)
    known = text.replace("y must", "classes must")
    arguments = {"method": "partial_fit", "classes": labels}
    assert_rejected(classifier(), (X, np.full(40, "a")), ValueError, known, **arguments)


def test_none_in_lists_is_a_missing_value():
    rows = X.tolist()
    rows[3][1] = None
    text = r"Input X contains NaN \(column 1, row 3\): fill missing values with sklearn"
    assert_rejected(regressor(), (rows, Y), ValueError, text)
    targets = [*Y[:-1].tolist(), None]
    assert_rejected(regressor(), (X, targets), ValueError, r"Input y contains NaN \(row 39\)")
