"""The prepared predictor gives what the model gives, from any thread, and outlives its model."""

from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import numpy as np
import pytest
from sklearn.exceptions import NotFittedError

from fastmlp import MLPClassifier, MLPRegressor, Predictor

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


def test_wrong_input():
    model = MLPRegressor(**QUICK)
    with pytest.raises(NotFittedError):
        Predictor(model)
    model.fit(X, X[:, 0])
    with pytest.raises(ValueError, match="n_threads"):
        Predictor(model, n_threads=0)
    with pytest.raises(ValueError, match="6 features"):
        Predictor(model)(X[:, :6])
    with pytest.raises(ValueError, match="2D"):
        Predictor(model)(X[0])


def test_a_model_whose_widths_are_not_its_networks():
    network = MLPRegressor(**QUICK).fit(X, X[:, 0])._network
    for n_features, n_outputs in ((6, 1), (7, 2)):
        model = SimpleNamespace(_network=network, n_features_in_=n_features, n_outputs_=n_outputs)
        with pytest.raises(ValueError, match="a network of 7 inputs and 1 outputs"):
            Predictor(model)
