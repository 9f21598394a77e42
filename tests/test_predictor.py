"""The prepared predictor gives what the model gives, from any thread, and outlives its model."""

import copy
import multiprocessing
import pickle
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import TransformedTargetRegressor
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import GridSearchCV, RandomizedSearchCV
from sklearn.neural_network import MLPRegressor as OtherMLPRegressor
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler

from fastmlp import MLPClassifier, MLPRegressor, Predictor, TabularClassifier

X = np.random.default_rng(0).normal(size=(300, 7)).astype(np.float32)
QUICK = {"hidden_layer_sizes": (9,), "max_iter": 3, "random_state": 0}
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def labels(n_classes: int) -> np.ndarray:
    return np.arange(len(X)) % n_classes


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("n_rows", [1, 2, 300])
def test_probabilities_are_those_of_the_model(n_classes, n_rows, dtype):
    model = MLPClassifier(**QUICK, dtype=dtype).fit(X, labels(n_classes))
    for n_threads in (1, 2):
        outputs = Predictor(model, n_threads)(X[:n_rows])
        np.testing.assert_array_equal(outputs, model.predict_proba(X[:n_rows]))
        assert outputs.dtype == dtype


def test_multilabel_and_targets():
    y = np.column_stack([X[:, 0] > 0, X[:, 1] > 0]).astype(int)
    model = MLPClassifier(**QUICK).fit(X, y)
    np.testing.assert_array_equal(Predictor(model)(X), model.predict_proba(X))
    model = MLPRegressor(**QUICK).fit(X, X[:, :2])
    np.testing.assert_array_equal(Predictor(model)(X), model.predict(X))


@pytest.mark.parametrize(
    "rows",
    [X[:5].tolist(), X[:5].astype(np.float64), np.asfortranarray(X[:5]), X[:10:2], X[:5] > 0],
    ids=["list", "float64", "fortran", "strided", "bool"],
)
def test_other_inputs_are_converted(rows):
    model = MLPRegressor(**QUICK).fit(X, X[:, 0])
    np.testing.assert_array_equal(Predictor(model)(rows).ravel(), model.predict(rows))


def test_a_later_fit_does_not_change_it():
    model = MLPRegressor(**QUICK).fit(X, X[:, 0])
    predict = Predictor(model)
    before = predict(X)
    model.fit(X[:, :3], X[:, 0])
    np.testing.assert_array_equal(predict(X), before)
    np.testing.assert_array_equal(predict(X.tolist()), before)


def test_several_threads_at_once():
    predict = Predictor(MLPClassifier(**QUICK).fit(X, labels(3)), n_threads=2)
    expected = predict(X)
    with ThreadPoolExecutor(4) as pool:
        for outputs in pool.map(lambda _: predict(X), range(50)):
            np.testing.assert_array_equal(outputs, expected)


def test_masks_are_not_lost():
    model = MLPRegressor(**QUICK).fit(X, X[:, 0])
    predict = Predictor(model)
    np.testing.assert_array_equal(predict(np.ma.array(X)).ravel(), model.predict(X))
    with pytest.raises(ValueError, match=r"^X has masked entries"):
        predict(np.ma.masked_less(X, X.mean()))


# -- copies and other processes -------------------------------------------------------------------


@pytest.mark.parametrize(
    "copied", [copy.copy, copy.deepcopy, lambda predict: pickle.loads(pickle.dumps(predict))]
)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_copies_give_the_same_bits(copied, dtype):
    model = MLPClassifier(**QUICK, dtype=dtype).fit(X, labels(2))
    predict = Predictor(model, n_threads=2)
    expected = predict(X)
    again = copied(predict)
    model.coefs_[0][:] = 0
    del predict, model
    np.testing.assert_array_equal(again(X), expected)
    np.testing.assert_array_equal(again(X.tolist()), expected)
    with pytest.raises(ValueError, match="X has 6 features, but MLPClassifier is expecting 7"):
        again(X[:, :6])


def test_it_works_in_another_process():
    predict = Predictor(make_pipeline(StandardScaler(), MLPRegressor(**QUICK)).fit(X, X[:, 0]))
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        np.testing.assert_array_equal(pool.submit(predict, X).result(), predict(X))


# -- what wraps a model ---------------------------------------------------------------------------

NETWORK = MLPRegressor(**QUICK)
SCALED = make_pipeline(StandardScaler(), "passthrough", NETWORK)
GRID = {"hidden_layer_sizes": [(3,), (5,)]}
SINH = {"func": np.arcsinh, "inverse_func": np.sinh, "check_inverse": False}
WRAPPED = {
    "pipeline": SCALED,
    "nested": make_pipeline(MinMaxScaler(), SCALED),
    "alone": make_pipeline(NETWORK),
    "target": TransformedTargetRegressor(NETWORK, transformer=StandardScaler()),
    "pipeline in target": TransformedTargetRegressor(SCALED, **SINH),
    "target in pipeline": make_pipeline(
        StandardScaler(), TransformedTargetRegressor(NETWORK, transformer=MinMaxScaler())
    ),
    "target in target": TransformedTargetRegressor(
        TransformedTargetRegressor(NETWORK, transformer=MinMaxScaler()), **SINH
    ),
    "search": GridSearchCV(NETWORK, GRID, cv=2),
    "search of pipelines": RandomizedSearchCV(
        SCALED, {"mlpregressor__hidden_layer_sizes": [(3,), (5,)]}, n_iter=1, cv=2
    ),
    "search in pipeline": make_pipeline(StandardScaler(), GridSearchCV(NETWORK, GRID, cv=2)),
    "frozen": make_pipeline(FrozenEstimator(StandardScaler().fit(X)), NETWORK),
}


@pytest.mark.parametrize("wrapped", WRAPPED.values(), ids=WRAPPED)
@pytest.mark.parametrize("y", [X[:, 0], X[:, :2]], ids=["one target", "two targets"])
def test_what_wraps_a_model_is_seen_through(wrapped, y):
    model = copy.deepcopy(wrapped).fit(X, y)
    expected = model.predict(X)
    predict = Predictor(model)
    outputs = predict(X)
    np.testing.assert_array_equal(outputs, expected.reshape(len(X), -1))
    model.fit(2 * X + 1, -y)
    np.testing.assert_array_equal(predict(X), outputs)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(predict))(X), outputs)


def test_a_frozen_model_is_seen_through():
    model = FrozenEstimator(MLPRegressor(**QUICK).fit(X, X[:, :2]))
    np.testing.assert_array_equal(Predictor(model)(X), model.predict(X))


def test_probabilities_of_a_pipeline_and_its_data_frames():
    frame = pd.DataFrame(X, columns=list("abcdefg"))
    model = make_pipeline(StandardScaler().set_output(transform="pandas"), MLPClassifier(**QUICK))
    model.fit(frame, labels(3))
    np.testing.assert_array_equal(Predictor(model)(frame), model.predict_proba(frame))


def test_quantiles_are_transformed_back_one_by_one():
    network = MLPRegressor("pinball", **QUICK, quantiles=(0.1, 0.5, 0.9))
    outer = TransformedTargetRegressor(network, transformer=MinMaxScaler()).fit(X, X[:, :2])
    outputs = Predictor(outer)(X).reshape(len(X), 2, 3)
    inner = outer.regressor_.predict(X)
    for level in range(3):
        expected = outer.transformer_.inverse_transform(inner[:, :, level])
        np.testing.assert_array_equal(outputs[:, :, level], expected)


def test_of_a_gaussian_the_means_are_transformed_back():
    network = MLPRegressor("gaussian_nll", **QUICK)
    outer = TransformedTargetRegressor(network, transformer=StandardScaler()).fit(X, X[:, :2])
    np.testing.assert_array_equal(Predictor(outer)(X), outer.predict(X))


# -- bad input ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("model", "got"),
    [
        (None, "an object of builtins.NoneType"),
        (MLPRegressor, "the class fastmlp.estimators.regressor.MLPRegressor"),
        (X, "an object of numpy.ndarray"),
        (OtherMLPRegressor(), "an object of sklearn.neural_network.*MLPRegressor"),
        (make_pipeline(StandardScaler(), LinearRegression()), "an object of .*LinearRegression"),
        (Pipeline([]), "an object of sklearn.pipeline.Pipeline"),
    ],
)
def test_what_is_no_model_is_refused(model, got):
    with pytest.raises(TypeError, match=rf"^model must be a fitted .* GridSearchCV; got {got}.$"):
        Predictor(model)


def test_a_model_of_raw_tables_is_refused_with_a_way_out():
    what = r"got an object of TabularClassifier, .* or export it with to_onnx or to_c"
    with pytest.raises(TypeError, match=what):
        Predictor(TabularClassifier())


def test_targets_of_a_classifier_are_not_transformed_back():
    model = TransformedTargetRegressor(MLPClassifier(**QUICK)).fit(X, labels(2))
    with pytest.raises(TypeError, match=r"got an object of .*MLPClassifier"):
        Predictor(model)


@pytest.mark.parametrize("model", WRAPPED.values(), ids=WRAPPED)
def test_what_is_not_fitted_is_refused(model):
    with pytest.raises(NotFittedError):
        Predictor(model)


def test_a_search_without_a_model_is_refused():
    search = GridSearchCV(NETWORK, GRID, cv=2, refit=False).fit(X, X[:, 0])
    with pytest.raises(ValueError, match=r"GridSearchCV has kept no .* refit=False; fit it with"):
        Predictor(search)


def test_wrong_input():
    model = MLPRegressor(**QUICK)
    with pytest.raises(NotFittedError):
        Predictor(model)
    model.fit(X, X[:, 0])
    with pytest.raises(ValueError, match="n_threads"):
        Predictor(model, n_threads=0)
    with pytest.raises(ValueError, match="6 features"):
        Predictor(model)(X[:, :6])
    with pytest.raises(ValueError, match="two dimensions"):
        Predictor(model)(X[0])
