"""Embeddings of columns and the scaling layer, as parameters of the estimators."""

from __future__ import annotations

import pickle

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_array
from sklearn.exceptions import ConvergenceWarning

from fastmlp import MLPClassifier, MLPRegressor, Predictor, embeddings
from fastmlp.backends import get_backend
from fastmlp.estimators.first_weights import _first_layers
from fastmlp.plan.front_values import column_views

pytestmark = pytest.mark.filterwarnings("ignore:.*has not converged")


RNG = np.random.RandomState(0)
X = RNG.normal(size=(400, 5))
Y = np.sin(2 * X[:, 0]) + X[:, 1]
COMMON = {"max_iter": 20, "learning_rate_init": 0.01, "random_state": 0, "n_iter_no_change": 99}


@pytest.fixture
def fitted() -> MLPRegressor:
    return _fitted(scaling_layer=True)


def _fitted(**parameters) -> MLPRegressor:
    return MLPRegressor(**{**COMMON, **parameters}).fit(X, Y)


def test_the_scales_of_a_fit_tell_what_matters(fitted):
    scales = fitted.scales_
    assert scales.shape == (5,)
    assert scales[:2].min() > scales[2:].max()
    assert _fitted().scales_ is None


def test_a_number_is_the_factor_of_the_rate(fitted):
    np.testing.assert_array_equal(_fitted(scaling_layer=6.0).scales_, fitted.scales_)
    slow = np.abs(_fitted(scaling_layer=0.01).scales_ - 1).max()
    assert slow < 0.01 < np.abs(fitted.scales_ - 1).max()


def test_pickles_and_predictors_keep_the_scales(fitted):
    again = pickle.loads(pickle.dumps(fitted))
    np.testing.assert_array_equal(again.scales_, fitted.scales_)
    expected = fitted.predict(X)
    np.testing.assert_array_equal(again.predict(X), expected)
    for rows in (X, X.astype(np.float32)):
        outputs = Predictor(fitted)(rows)[:, 0]
        np.testing.assert_allclose(outputs, fitted.predict(rows), rtol=1e-6)


def test_backends_agree_on_a_scaled_fit():
    values = [_fitted(scaling_layer=True, backend=name, dtype="float64").predict(X)
              for name in ("compiled", "numpy")]  # fmt: skip
    np.testing.assert_allclose(values[0], values[1], rtol=1e-8)


def test_lbfgs_learns_scales():
    model = MLPRegressor(solver="lbfgs", scaling_layer=True, hidden_layer_sizes=(5,), max_iter=500)
    model.set_params(random_state=0, tol=1e-3).fit(X, Y)
    assert np.abs(model.scales_ - 1).max() > 0.01


def test_partial_fits_go_on_with_the_scales():
    model = MLPClassifier((10,), scaling_layer=True, random_state=0)
    for _ in range(3):
        model.partial_fit(X, Y > 0, classes=[False, True])
    before = model.scales_.copy()
    assert np.any(model.partial_fit(X, Y > 0).scales_ != before)
    with pytest.raises(ValueError, match=r"scaling_layer is now False, .* has one"):
        model.set_params(scaling_layer=False).partial_fit(X, Y > 0)


@pytest.mark.parametrize("wrong", [0, -1.0, np.nan, np.inf, "yes", None])
def test_wrong_scaling_layers_are_refused(wrong):
    with pytest.raises((TypeError, ValueError), match="scaling_layer must be"):
        MLPRegressor(scaling_layer=wrong).fit(X, Y)


def test_numba_refuses_what_it_lacks(fitted):
    message = "backend='numba' has neither embeddings nor a scaling layer: use"
    with pytest.raises(ValueError, match=message):
        MLPRegressor(scaling_layer=True, backend="numba").fit(X, Y)
    with pytest.raises(ValueError, match=message):
        fitted.set_params(backend="numba").predict(X)


EMBEDDINGS_OF_NUMBERS = {
    "pbld": embeddings.PBLD(sigma=1.0, rate_factor=1.0),
    "plr": embeddings.PLR(sigma=0.5),
    "bins": embeddings.PiecewiseLinear(n_bins=12),
    "shares": embeddings.PiecewiseLinear(n_bins=12, width=None),
}
LEVELS = RNG.randint(0, 30, size=(400, 2))
LEVELS[:, 1] //= 8
EFFECTS = RNG.normal(size=30)
RAW = np.hstack([X, LEVELS])
WAVY = np.sin(5 * X[:, 0]) + EFFECTS[LEVELS[:, 0]] + (LEVELS[:, 1] == 2)
every_embedding = pytest.mark.parametrize(
    "embedding", EMBEDDINGS_OF_NUMBERS.values(), ids=EMBEDDINGS_OF_NUMBERS
)


def embedded(numbers: object = None, **parameters) -> MLPRegressor:
    """Return a model of two columns of levels behind five of numbers."""
    usual = {"max_iter": 60, "numeric_embedding": numbers, "categorical_features": [5, 6]}
    return MLPRegressor(**{**COMMON, **usual, **parameters})


@every_embedding
def test_embeddings_learn_what_raw_numbers_hide(embedding):
    plain = MLPRegressor(**{**COMMON, "max_iter": 60}).fit(RAW, WAVY).loss_
    assert embedded(embedding).fit(RAW, WAVY).loss_ < plain / 4


@every_embedding
def test_pickles_and_predictors_keep_embeddings(embedding):
    model = embedded(embedding, max_iter=3, scaling_layer=True).fit(RAW, WAVY)
    expected = model.predict(RAW)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(model)).predict(RAW), expected)
    outputs = Predictor(model)(RAW.astype(np.float32))[:, 0]
    np.testing.assert_allclose(outputs, model.predict(RAW.astype(np.float32)), rtol=1e-5, atol=1e-6)


@every_embedding
def test_backends_agree_on_an_embedded_fit(embedding):
    one, other = (
        embedded(embedding, max_iter=5, backend=name, dtype="float64").fit(RAW, WAVY)
        for name in ("compiled", "numpy")
    )
    np.testing.assert_allclose(one.predict(RAW), other.predict(RAW), rtol=1e-7, atol=1e-9)


def test_what_is_no_level_of_the_fit_is_level_0():
    model = embedded(max_iter=2).fit(RAW, WAVY)
    first, unknown = RAW.copy(), RAW.copy()
    first[:, 5:], unknown[:, 5] = 0, 31
    unknown[:, 6] = 1e6
    np.testing.assert_array_equal(model.predict(unknown), model.predict(first))


def test_columns_are_named_by_number_name_or_flag():
    frame = pd.DataFrame(RAW, columns=list("abcdefg"))
    by_number = embedded(max_iter=2).fit(frame, WAVY).predict(frame)
    for wanted in (["g", "f"], [False] * 5 + [True] * 2, np.array([-1, 5])):
        model = embedded(max_iter=2, categorical_features=wanted).fit(frame, WAVY)
        np.testing.assert_array_equal(model.predict(frame), by_number)


def test_small_categories_are_weights_of_the_first_layer():
    model = embedded(max_iter=2, category_embedding=embeddings.Categories(width=3)).fit(RAW, WAVY)
    assert model.coefs_[0].shape == (5 + 3, 100)
    model.set_params(category_embedding__one_hot=0).fit(RAW, WAVY)
    assert model.coefs_[0].shape == (5 + 3 + 3, 100)
    assert model.n_features_in_ == 7


@pytest.mark.parametrize("backend", ["numpy", "compiled"])
@pytest.mark.parametrize("embedding", [None, "plr"])
def test_small_categories_may_be_all_there_is(embedding, backend):
    levels = RNG.randint(0, 4, (200, 2)) % [2, 4]
    y = 1.0 * (levels[:, 0] == levels[:, 1])
    given = {"categorical_features": [0, 1], "numeric_embedding": embedding, "backend": backend}
    model = MLPRegressor(**{**COMMON, **given}).fit(levels, y)
    assert model.score(levels, y) > 0.9
    assert model.coefs_[0].shape == (8, 100)


def test_a_batch_leaves_levels_alone_that_it_does_not_hold():
    model = embedded(max_iter=1, weight_decay=0.5).fit(RAW, WAVY)
    before = _tables(model)
    model.partial_fit(RAW[:3], WAVY[:3])
    for column, old, new in zip(RAW[:3, 5:].T, before, _tables(model), strict=True):
        changed = np.flatnonzero(np.any(old != new, axis=1))
        assert changed.tolist() == sorted(set(column.astype(int)))


def _tables(model) -> list[np.ndarray]:
    network = model._network
    parts = [column_views(network.plan, network.parameters, i) for i in (5, 6)]
    return [part["table"].copy() for part in parts]


def test_warm_starts_go_on_with_the_same_embeddings():
    model = embedded("ple", warm_start=True, max_iter=2)
    first = model.fit(RAW, WAVY).loss_
    assert model.fit(RAW, WAVY).loss_ < first
    with pytest.raises(ValueError, match=r"numeric_embedding is now PBLD.*continues has Piece"):
        model.set_params(numeric_embedding="pbld").fit(RAW, WAVY)
    with pytest.raises(ValueError, match=r"categorical_features is now \(5,\), but"):
        model.set_params(numeric_embedding="ple", categorical_features=[5]).fit(RAW, WAVY)


def test_levels_have_no_scale():
    many = RAW * ([1] * 5 + [1000, 1])
    for columns, named in ((None, True), ([5, 6], False)):
        with pytest.warns(ConvergenceWarning, match="not converged") as caught:
            embedded(max_iter=1, categorical_features=columns).fit(many, WAVY)
        assert ("Column 5 of X is about" in str(caught[0].message)) == named


def test_constant_columns_have_no_bins():
    table = np.hstack([X, np.ones((len(X), 1))])
    model = embedded("ple", max_iter=1, categorical_features=None).fit(table, Y)
    assert model.coefs_[0].shape[0] == 5 * 8 + 1


@pytest.mark.parametrize(
    ("parameters", "message"),
    {
        "no level": ({"categorical_features": [0]}, r"Column 0 of X .* whole numbers from 0"),
        "no column": ({"categorical_features": [7]}, r"names 7, which is not a column"),
        "flags": ({"categorical_features": [True]}, r"has 1 bools, but X has 7 columns"),
        "mixed": ({"categorical_features": [1, "a"]}, r"must name all columns by number, or"),
        "text": ({"categorical_features": "ab"}, r"must be a list of columns"),
        "name": ({"numeric_embedding": "pbl"}, r"Did you mean 'pbld'"),
        "option": (
            {"numeric_embedding": embeddings.PBLD(sigma=-1)},
            r"numeric_embedding.sigma must",
        ),
        "terms": (
            {"numeric_embedding": embeddings.PLR(n_frequencies=257)},
            r"n_frequencies must be",
        ),
        "class": ({"category_embedding": "pbld"}, r"category_embedding must be an object of"),
        "noise": ({"input_noise": 0.1}, r"input_noise would change the levels"),
        "norms": ({"solver": "lamb"}, r"needs the norm of all levels"),
        "numba": ({"backend": "numba"}, r"backend='numba' has neither embeddings"),
    }.values(),
)
def test_wrong_embeddings_are_refused(parameters, message):
    with pytest.raises((TypeError, ValueError), match=message):
        embedded(**parameters).fit(RAW, WAVY)


def test_embeddings_need_dense_rows():
    for parameters in ({"numeric_embedding": "plr"}, {"categorical_features": [0]}):
        with pytest.raises(ValueError, match=r"needs a dense X: pass X.toarray\(\)"):
            MLPRegressor(**parameters).fit(csr_array(LEVELS), Y)


def test_first_weights_by_rows_scale_the_weights_of_levels_too():
    options = {"init": "data_driven", "learning_rate_init": 1e-30, "max_iter": 1}
    model = embedded("ple", **options, scaling_layer=True, hidden_layer_sizes=(8, 4))
    model.fit(RAW, WAVY)
    first = _first_layers(model._network, 1)
    z = first.forward(get_backend("numpy"), RAW, apply_link=False, n_threads=1)
    np.testing.assert_allclose(z.std(axis=0), 1, rtol=1e-4)
