"""Bad arguments of models of raw tables: one line that names them, and nothing has changed."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from helpers_rejection import Hostile
from numpy.testing import assert_array_equal
from scipy import sparse
from sklearn.cluster import KMeans
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import Ridge
from sklearn.svm import LinearSVC

from fastmlp import TabularClassifier, TabularRegressor
from fastmlp.tabular import Recipe

TINY = Recipe(hidden_layer_sizes=(4,), max_iter=2)
FRAME = pd.DataFrame({"n": [1.0, 2.0, 3.0, 4.0, 5.0, 6.0], "c": list("xyxyxy")})
Y = np.arange(6.0)
LABELS = np.array(["a", "b"] * 3)
BOTH = {
    TabularClassifier: TabularClassifier(recipe=TINY, random_state=0).fit(FRAME, LABELS),
    TabularRegressor: TabularRegressor(recipe=TINY, random_state=0).fit(FRAME, Y),
}


def refused(kind, error, text, X=FRAME, y=None, weights=None, **parameters):
    """Hold what ``fit`` raises, and that the model is as it was."""
    model = BOTH[kind]
    published, before = model._published, model.get_params()
    y = (LABELS if kind is TabularClassifier else Y) if y is None else y
    try:
        model.set_params(**parameters)
        with pytest.raises(error) as caught:
            model.fit(X, y, weights)
    finally:
        model.set_params(**before)
    said = str(caught.value)
    assert text in said
    assert "\n" not in said
    assert len(said) <= 300
    assert model._published is published


@pytest.mark.parametrize("kind", BOTH)
@pytest.mark.parametrize(
    ("parameter", "value", "error", "text"),
    [
        ("preset", "bset", ValueError, "preset must be one of fast, default, best; got 'bset'."),
        ("preset", None, ValueError, "preset must be one of"),
        ("preset", Hostile(), ValueError, "preset must be one of"),
        ("recipe", "fast", TypeError, "recipe must be None or a fastmlp.tabular.Recipe"),
        ("recipe", Recipe, TypeError, "recipe must be None or a fastmlp.tabular.Recipe"),
        ("metric", "rmsee", ValueError, "metric must be "),
        ("metric", 3, TypeError, "metric must be "),
        ("metric", Hostile(), TypeError, "metric must be "),
        ("time_limit", 0, ValueError, "time_limit must be a finite number > 0 or None; got 0."),
        ("time_limit", np.inf, ValueError, "time_limit must be a finite number"),
        ("time_limit", "60", TypeError, "write 60"),
        ("n_folds", 0, ValueError, "n_folds must be an integer ≥ 1 or None; got 0."),
        ("n_folds", 2.0, TypeError, "n_folds must be an integer ≥ 1 or None; got 2.0: write 2."),
        ("validation_fraction", 0.0, ValueError, "validation_fraction must be a number > 0"),
        ("validation_fraction", 1, ValueError, "validation_fraction must be a number > 0 and < 1"),
        ("validation_fraction", None, TypeError, "validation_fraction must be"),
        ("partners", "hist", TypeError, "partners must be None or a list of estimators"),
        ("partners", [3], TypeError, "with scikit-learn's interface; got 3."),
        ("partners", [LinearSVC], TypeError, "with scikit-learn's interface; got "),
        ("partners", KMeans(), TypeError, "partners must be None or a list of estimators"),
        ("partners", [KMeans()], ValueError, "got KMeans()."),
        ("callbacks", len, TypeError, "callbacks must be None or a list of callables"),
        ("callbacks", [1], TypeError, "callbacks must be None or a list of callables"),
        ("verbose", 1, TypeError, "verbose must be True or False; got 1."),
        ("verbose", "loud", TypeError, "verbose must be "),
        ("n_members", 0, ValueError, "n_members must be an integer ≥ 1 or None; got 0."),
        ("refit", 1, TypeError, "refit must be True or False; got 1."),
        ("random_state", "a", ValueError, "random_state must be None, an integer"),
        ("random_state", -1, ValueError, "random_state must be None, an integer"),
        ("n_threads", 0, ValueError, "n_threads must be an integer ≥ 1"),
        ("drop", ["no"], ValueError, "drop: X has no such column: 'no'"),
        ("drop", ["n", "c"], ValueError, "X has no column that tells rows apart"),
        ("categorical_features", 3, TypeError, "categorical_features must be a list"),
        ("ordinal_features", ["c"], ValueError, "ordinal_features must give the order"),
    ],
)
def test_parameters(kind, parameter, value, error, text):
    refused(kind, error, text, **{parameter: value})


@pytest.mark.parametrize(
    ("parameter", "value", "error", "text"),
    [
        ("partners", [Ridge()], ValueError, "partners[0] must be a classifier; got Ridge()."),
        ("partners", [LinearSVC()], ValueError, "LinearSVC() has no predict_proba: wrap it in"),
        ("calibrate", None, TypeError, "calibrate must be True or False"),
        ("class_weight", "balance", ValueError, "Did you mean 'balanced'?"),
        ("class_weight", {"a": -1}, ValueError, "class_weight['a'] must be a finite number ≥ 0"),
        ("class_weight", {"a": 1, "z": 1}, ValueError, "are not in class_weight"),
        ("class_weight", [{"a": 1}], ValueError, "class_weight must be one dict or 'balanced'"),
        ("class_weight", {"a": 0, "b": 0}, ValueError, "class_weight is zero for every row"),
        ("metric", "rmse", ValueError, "metric must be 'error', 'log_loss', 'auc', 'brier', "),
        ("metric", None, TypeError, "metric must be 'error', 'log_loss', 'auc', 'brier', "),
    ],
)
def test_parameters_of_the_classifier(parameter, value, error, text):
    refused(TabularClassifier, error, text, **{parameter: value})


QUANTILES = {"loss": "pinball", "quantiles": (0.1, 0.9)}


@pytest.mark.parametrize(
    ("parameters", "error", "text"),
    [
        ({"loss": "mse2"}, ValueError, "loss must be one of squared_error, "),
        ({"loss": None}, ValueError, "loss must be one of "),
        ({"loss": "gamma"}, ValueError, "loss='gamma' needs every y > 0"),
        ({"loss": "poisson", "target_transform": "log"}, ValueError, "can't be used with loss='p"),
        ({"quantiles": ()}, ValueError, "quantiles must be one level, or several that ascend"),
        ({"quantiles": (0.5, 0.4)}, ValueError, "quantiles must be one level, or several"),
        ({"quantiles": 1.0}, ValueError, "quantiles must be "),
        ({**QUANTILES, "metric": "rmse"}, ValueError, "can't judge several quantiles"),
        ({**QUANTILES, "metric": "r2"}, ValueError, "can't judge several quantiles"),
        ({"metric": "pinball"}, ValueError, "metric must be 'rmse', 'mae', a name"),
        ({"huber_delta": 0}, ValueError, "huber_delta must be a finite number > 0 or None"),
        ({"tweedie_power": 3}, ValueError, "tweedie_power must be a number ≥ 1 and ≤ 2"),
        ({"target_transform": "exp"}, ValueError, "target_transform must be one of auto, log, "),
        ({"target_transform": "log"}, ValueError, "target_transform='log' needs targets above 0"),
        ({"loss": "gaussian_nll", "partners": [Ridge()]}, ValueError, "no standard deviations"),
        ({**QUANTILES, "partners": [Ridge()]}, ValueError, "must have a parameter 'quantile' for"),
    ],
)
def test_parameters_of_the_regressor(parameters, error, text):
    refused(TabularRegressor, error, text, **parameters)


def test_a_deviation_that_was_not_learnt():
    with pytest.raises(ValueError, match="return_std=True needs a model fitted with"):
        BOTH[TabularRegressor].predict(FRAME, return_std=True)


def test_recipes_of_losses_that_are_not_transformed():
    text = "recipe.transform='log' can't be used with loss='gamma'"
    recipe = TINY.with_(transform="log")
    refused(TabularRegressor, ValueError, text, y=Y + 1, loss="gamma", recipe=recipe)


@pytest.mark.parametrize(
    ("settings", "error", "text"),
    [
        ({"inputs": "pieces"}, TypeError, "recipe.inputs must be a tuple of names"),
        ({"inputs": ("pieces", "bins")}, ValueError, "recipe.inputs[1] must be one of pieces, "),
        ({"inputs": (1,)}, ValueError, "recipe.inputs[0] must be one of pieces, "),
        ({"n_pieces": 0}, ValueError, "recipe.n_pieces must be an integer ≥ 1; got 0."),
        ({"max_iter": "40"}, TypeError, "recipe.max_iter must be an integer ≥ 1; got '40'"),
        ({"max_iter": None}, TypeError, "recipe.max_iter must be an integer ≥ 1; got None."),
        ({"max_levels": 2.5}, TypeError, "recipe.max_levels must be an integer ≥ 1"),
        ({"transform": 1}, ValueError, "recipe.transform must be one of log, quantile; got 1."),
        ({"transform": "log"}, ValueError, "recipe.transform='log' needs targets above 0"),
        ({"activation": "silo"}, ValueError, "activation must be one of"),
        ({"hidden_layer_sizes": (0,)}, ValueError, "hidden_layer_sizes[0] must be an integer"),
        ({"learning_rate_init": -1}, ValueError, "learning_rate_init must be"),
        ({"batch_size": "256"}, TypeError, "recipe.batch_size must be an integer ≥ 1"),
    ],
)
def test_recipes(settings, error, text):
    refused(TabularRegressor, error, text, recipe=TINY.with_(**settings))


def test_classes_are_not_transformed():
    text = "recipe.transform must be None for TabularClassifier; got 'log'"
    refused(TabularClassifier, ValueError, text, recipe=TINY.with_(transform="log"))


@pytest.mark.parametrize("kind", BOTH)
@pytest.mark.parametrize(
    ("X", "error", "text"),
    [
        (FRAME.iloc[:0], ValueError, "X is a table without rows: it has 0 sample(s)"),
        (FRAME[[]], ValueError, "0 feature(s)"),
        (FRAME.iloc[:1], ValueError, "X has no column that tells rows apart: X has 1"),
        (FRAME.iloc[:5], ValueError, "X and y must have the same number of rows; got 5 and 6."),
        (
            FRAME.assign(n=1, c=None),
            ValueError,
            "all columns are constant, empty, rare or left out",
        ),
        (FRAME.set_axis(["a", "a"], axis=1), ValueError, "'a' is used more than once"),
        (FRAME.assign(c=[[1]] * 6), TypeError, "X, column 'c', must hold numbers, texts"),
        (FRAME.assign(n=1j), ValueError, "X, column 'n', must hold numbers, texts"),
        (FRAME["n"], ValueError, "X.to_frame() if it is one feature"),
        (sparse.csr_array(np.eye(6)), TypeError, "pass X.toarray()"),
        (None, ValueError, "X"),
    ],
)
def test_tables(kind, X, error, text):
    refused(kind, error, text, X=X)


@pytest.mark.parametrize("kind", BOTH)
@pytest.mark.parametrize(
    ("weights", "text"),
    [
        (np.zeros(6), "sample_weight is zero for every row"),
        (-np.ones(6), "sample_weight must not be negative"),
        (np.ones(5), "sample_weight must have shape (6,)"),
        ([1, 1, 1, 1, 1, np.nan], "sample_weight contains NaN"),
        ([1, 0, 0, 0, 0, 0], "X has 1 sample with a positive weight"),
    ],
)
@pytest.mark.filterwarnings("ignore:y has only one class")
def test_weights(kind, weights, text):
    refused(kind, ValueError, text, weights=weights)


def test_labels():
    for y, text in [
        (np.where(Y == 3, np.nan, 1.0), "y contains NaN (row 3)"),
        (["a", None, "b", "a", "b", "a"], "row 1 has no label"),
        (Y + 0.5, "Unknown label type: continuous"),
        (["a", 1, "b", 2, "a", 1], "y must hold labels of one kind: 1 at index 1"),
        (np.stack([LABELS, LABELS], axis=1), "y must have one label per row; got 2 columns"),
        (pd.Series([*"abab", None, "a"], dtype="category"), "row 4 has no label"),
        (pd.Series([*"abab", None, "a"], dtype="string"), "row 4 has no label"),
        (pd.Series([1, 2, 1, 2, None, 1], dtype="Int64"), "y contains NaN (row 4)"),
        (list("abcdef"), "y has only one row of each class"),
    ]:
        refused(TabularClassifier, ValueError, text, y=y)
        refused(TabularClassifier, ValueError, text, y=y, n_folds=1)


def test_no_target():
    for kind in BOTH:
        with pytest.raises(ValueError, match="requires y to be passed"):
            kind(recipe=TINY).fit(FRAME, None)


@pytest.mark.parametrize(
    ("y", "text"),
    [
        (np.where(Y == 3, np.nan, Y), "y contains NaN (row 3)"),
        (np.where(Y == 3, np.inf, Y), "y contains infinity (row 3)"),
        (np.where(Y == 3, 1e300, Y), "too large for dtype float32"),
        (LABELS, "y must hold real numbers; it has"),
        (np.empty((6, 0)), "y: Found array with 0 feature(s)"),
        (pd.Series(Y).astype("datetime64[ns]"), "y must hold real numbers"),
    ],
)
def test_real_targets(y, text):
    refused(TabularRegressor, ValueError, text, y=y)


def test_scorers_that_can_not_judge():
    def raises(model, X, y):
        raise ZeroDivisionError("own")

    refused(TabularClassifier, ZeroDivisionError, "own", metric=raises)
    refused(TabularClassifier, TypeError, "must give a number", metric=lambda model, X, y: "good")
    text = "metric='neg_mean_squared_log_error' can't judge the held-out rows: "
    refused(TabularRegressor, ValueError, text, metric="neg_mean_squared_log_error", y=Y - 10)
    refused(TabularClassifier, ValueError, "metric='r2' can't judge", metric="r2")


@pytest.mark.parametrize("kind", BOTH)
@pytest.mark.parametrize(
    ("X", "error", "text"),
    [
        (FRAME[["c"]], ValueError, "the columns that it had in fit, but 'n' is missing."),
        (FRAME.assign(n="word"), TypeError, "X, column 'n', held numbers in fit; got texts"),
        (FRAME.to_numpy()[:, :1], ValueError, "X has 1 features, but Tabular"),
        (FRAME.iloc[:0], ValueError, "X is a table without rows: it has 0 sample(s)"),
        (FRAME["n"], ValueError, "X.to_frame()"),
    ],
)
def test_tables_at_prediction(kind, X, error, text):
    with pytest.raises(error) as caught:
        BOTH[kind].predict(X)
    assert text in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("kind", BOTH)
def test_names_where_the_fit_saw_some(kind):
    with pytest.warns(UserWarning, match=f"but {kind.__name__} was fitted with feature names"):
        answer = BOTH[kind].predict(FRAME.to_numpy())
    assert_array_equal(answer, BOTH[kind].predict(FRAME))


@pytest.mark.parametrize("kind", BOTH)
@pytest.mark.parametrize(
    "name", ["leaderboard_", "columns_", "n_features_in_", "feature_names_in_", "predict"]
)
def test_before_a_fit(kind, name):
    model = kind()
    with pytest.raises(NotFittedError, match=f"This {kind.__name__} instance is not fitted yet"):
        model.predict(FRAME) if name == "predict" else getattr(model, name)


def test_a_setting_that_recipes_do_not_have():
    with pytest.raises(TypeError, match="n_peices"):
        TINY.with_(n_peices=3)
