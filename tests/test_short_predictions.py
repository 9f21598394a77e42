"""Predictions of plain arrays take a short way, which nobody can tell from the long one."""

from __future__ import annotations

import copy
import pickle
import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import pytest
import scipy.sparse
from numpy.testing import assert_array_equal
from sklearn import config_context
from threadpoolctl import threadpool_limits

from fastmlp import MLPClassifier, MLPRegressor, Predictor
from fastmlp.backends import compiled
from fastmlp.estimators.base import BaseMLP
from fastmlp.network import Network

pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    pytest.mark.filterwarnings("ignore:y has only one class:RuntimeWarning"),
]

X = np.random.default_rng(0).normal(size=(300, 5)).astype(np.float32)
SMALL = {"hidden_layer_sizes": (17,), "max_iter": 2, "random_state": 0}
INDICATORS = (X[:, :3] > 0).astype(int)
SHARES = np.exp(X[:, :3]) / np.exp(X[:, :3]).sum(axis=1, keepdims=True)
FOURTHS = np.arange(len(X)) % 4


def classifier(y, **parameters):
    return MLPClassifier(**SMALL, **parameters).fit(X, y)


def regressor(y=X[:, 0], **parameters):
    return MLPRegressor(**SMALL, **parameters).fit(X, y)


MODELS = {
    "two classes": lambda: classifier(np.where(X[:, 0] > 0, "up", "down")),
    "four classes": lambda: classifier(FOURTHS),
    "one class": lambda: classifier(np.ones(len(X))),
    "labels": lambda: classifier(INDICATORS),
    "distributions": lambda: classifier(SHARES),
    "margins": lambda: classifier(FOURTHS % 2, loss="multi_margin"),
    "float64": lambda: classifier(FOURTHS % 2, dtype="float64"),
    "batch norm": lambda: classifier(FOURTHS, normalization="batch"),
    "members": lambda: classifier(FOURTHS % 2, n_members=3),
    "embeddings": lambda: classifier(FOURTHS, numeric_embedding="pbld"),
    "target": regressor,
    "targets": lambda: regressor(X[:, :2]),
    "gaussian": lambda: regressor(loss="gaussian_nll"),
    "quantiles": lambda: regressor(loss="pinball", quantiles=(0.1, 0.9)),
    "numpy": lambda: classifier(FOURTHS, backend="numpy"),
}
LARGEST = float(np.finfo(np.float32).max)
METHODS = ("predict", "predict_proba", "predict_log_proba", "decision_function")


def unaligned(array):
    memory = np.empty(array.nbytes + 1, np.uint8)[1:]
    memory[:] = array.view(np.uint8).ravel()
    return memory.view(array.dtype).reshape(array.shape)


def with_number(number, dtype=np.float32):
    table = X[:3].astype(dtype)
    table[1, 2] = number
    return table


def read_only(array):
    array = array.copy()
    array.flags.writeable = False
    return array


PLAIN = {
    "row": X[:1],
    "rows": X,
    "float64": X[:7].astype(np.float64),
    "uint8": np.abs(3 * X[:7]).astype(np.uint8),
    "read only": read_only(X[:7]),
    "just fits": with_number(LARGEST / 1e30, np.float64),
}
OTHERS = {
    "list": X[:3].tolist(),
    "float16": X[:3].astype(np.float16),
    "int64": np.arange(15).reshape(3, 5),
    "bool": X[:3] > 0,
    "other byte order": X[:3].astype(">f4"),
    "fortran": np.asfortranarray(X[:3]),
    "strided": X[:9:3],
    "unaligned": unaligned(X[:3]),
    "masked": np.ma.masked_less(X[:3], 0),
    "a subclass": X[:3].view(np.recarray),
    "sparse": scipy.sparse.csr_array(X[:3]),
    "frame": pd.DataFrame(X[:3], columns=list("abcde")),
    "no rows": X[:0],
    "a row alone": X[0],
    "three axes": X[:3, None],
    "too narrow": X[:3, :4],
    "too wide": np.ones((3, 6)),
    "NaN": with_number(np.nan),
    "infinity": with_number(-np.inf, np.float64),
    "NaN at the end": np.vstack([X, with_number(np.nan)]),
    "too large for float32": with_number(1e39, np.float64),
    "hardly too large": with_number(np.nextafter(LARGEST, np.inf), np.float64),
    "outputs overflow": with_number(3e38),
    "objects": X[:3].astype(object),
    "texts": np.full((3, 5), "a"),
    "complex": X[:3] + 1j,
    "dates": np.full((3, 5), "2020-01-01", "datetime64[D]"),
    "None": None,
}


def answer(call):
    """Return what a call gives: its result, or its error; and its warnings."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            result = call()
        except Exception as error:
            result = type(error), str(error)
    return result, [(each.category, str(each.message), each.filename) for each in caught]


@pytest.mark.parametrize("name", MODELS)
def test_both_ways_answer_alike(name, monkeypatch):
    model = MODELS[name]()
    calls = {
        (method, case): lambda method=method, given=given: getattr(model, method)(given)
        for method in METHODS
        for case, given in {**PLAIN, **OTHERS}.items()
    }
    short = {key: answer(call) for key, call in calls.items()}
    monkeypatch.setattr(Network, "at_once", lambda *_, **__: None)
    for key, call in calls.items():
        (expected, warned), (given, said) = answer(call), short[key]
        assert said == warned, key
        assert type(given) is type(expected), key
        if isinstance(expected, np.ndarray):
            assert given.dtype == expected.dtype
            assert given.flags.c_contiguous == expected.flags.c_contiguous
            assert_array_equal(given, expected, strict=True, err_msg=str(key))
        else:
            assert given == expected, key


def refuse(*_):
    raise AssertionError("the long way")


@pytest.mark.parametrize("case", PLAIN)
@pytest.mark.parametrize("name", ["two classes", "four classes", "embeddings", "quantiles"])
def test_plain_arrays_take_the_short_way(name, case, monkeypatch):
    model = MODELS[name]()
    monkeypatch.setattr(BaseMLP, "_checked_forward", refuse)
    model.predict(PLAIN[case])


def test_a_memory_map_takes_the_short_way(tmp_path, monkeypatch):
    np.save(tmp_path / "x.npy", X)
    model, mapped = MODELS["two classes"](), np.load(tmp_path / "x.npy", mmap_mode="r")
    assert type(mapped) is np.memmap
    expected = model.predict_proba(X)
    monkeypatch.setattr(BaseMLP, "_checked_forward", refuse)
    assert_array_equal(model.predict_proba(mapped), expected)
    assert type(model.predict_proba(mapped)) is np.ndarray


@pytest.mark.parametrize("value", [1, 2, 500, None])
def test_numbers_of_threads_change_nothing(value):
    model = MODELS["four classes"]()
    expected = model.predict_proba(X)
    assert_array_equal(model.set_params(n_threads=value).predict_proba(X), expected)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("n_threads", value) for value in (0, "two", True, np.nan)),
        *(("backend", value) for value in ("cuda", None, ["compiled"])),
    ],
)
def test_parameters_are_checked_at_each_call(name, value, monkeypatch):
    model = MODELS["four classes"]().set_params(**{name: value})
    given = answer(lambda: model.predict(X[:1]))
    assert name in given[0][1]
    monkeypatch.setattr(Network, "at_once", lambda *_, **__: None)
    assert answer(lambda: model.predict(X[:1])) == given


def test_names_of_columns_are_checked():
    frame = pd.DataFrame(X, columns=list("abcde"))
    model = MLPClassifier(**SMALL).fit(frame, FOURTHS)
    with pytest.warns(UserWarning, match="X does not have valid feature names"):
        model.predict(X)
    with pytest.raises(ValueError, match="feature names should match"):
        model.predict(frame[list("edcba")])


def test_scikit_learns_settings_change_nothing():
    model = MODELS["four classes"]()
    expected = model.predict_proba(X)
    with config_context(assume_finite=True, transform_output="pandas"):
        assert_array_equal(model.predict_proba(X), expected)
        with pytest.raises(ValueError, match="Input X contains NaN"):
            model.predict_proba(with_number(np.nan))


def test_written_weights_are_followed():
    model = MODELS["four classes"]()
    before = model.predict_proba(X[:1])
    model.coefs_[1][:] = 0
    model.intercepts_[1] = [0, 0, 0, 0]
    assert_array_equal(model.predict_proba(X[:1]), np.full((1, 4), 0.25, np.float32))
    model.intercepts_[1][2] = np.nan
    with pytest.warns(RuntimeWarning, match=r"infinite or NaN in 300 of 300 rows \(first: row 0\)"):
        model.predict_proba(X)
    assert not np.isnan(before).any()


def test_later_fits_are_followed():
    model = MODELS["two classes"]()
    model.predict(X[:1])
    model.set_params(max_iter=5).fit(X[:, :3], FOURTHS)
    again = MLPClassifier(**{**SMALL, "max_iter": 5}).fit(X[:, :3], FOURTHS)
    assert_array_equal(model.predict_proba(X[:1, :3]), again.predict_proba(X[:1, :3]))
    with pytest.raises(ValueError, match="X has 5 features, but MLPClassifier is expecting 3"):
        model.predict(X[:1])


@pytest.mark.parametrize(
    "copied", [copy.copy, copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))]
)
def test_what_is_kept_for_calls_is_not_copied(copied):
    model = MODELS["two classes"]()
    size = len(pickle.dumps(model))
    expected = model.predict_proba(X)
    assert len(pickle.dumps(model)) == size
    again = copied(model)
    assert_array_equal(again.predict_proba(X), expected)
    if copied is not copy.copy:  # which shares what was learnt
        model.coefs_[0][:] = 0
        assert_array_equal(again.predict_proba(X), expected)


def test_several_threads_predict_with_one_model():
    model = MODELS["two classes"]()
    rows = [X[i : i + 1 + i % 200] for i in range(100)]
    expected = [model.predict_proba(each) for each in rows]
    model = pickle.loads(pickle.dumps(model))  # to which nothing is bound yet
    with ThreadPoolExecutor(4) as pool:
        for given, wanted in zip(pool.map(model.predict_proba, rows), expected, strict=True):
            assert_array_equal(given, wanted)


# -- many rows ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["two classes", "four classes", "embeddings", "members"])
def test_rows_go_in_several_calls_of_the_core(name, monkeypatch):
    """As they do in tables so large that Ctrl-C has to be seen in between."""
    model = MODELS[name]()
    expected, sparse = model.predict_proba(X), scipy.sparse.csr_array(X)
    monkeypatch.setattr(compiled, "PREDICTION_WORK", 1)
    model = pickle.loads(pickle.dumps(model))
    assert_array_equal(model.predict_proba(X), expected)
    assert_array_equal(model.predict_proba(X.astype(np.float64)), expected)
    assert_array_equal(Predictor(model)(X), expected)
    assert_array_equal(Predictor(model)(sparse), expected)
    assert_array_equal(model.predict_proba(sparse), expected)


def test_calls_of_the_core_have_work_for_every_thread(monkeypatch):
    """Rows of a very wide network would otherwise be a few for each thread of a large team."""
    monkeypatch.setattr(compiled, "PREDICTION_WORK", 1)
    core = Predictor(MODELS["two classes"]())._run
    assert core.rows_of(1) == compiled._ROWS_PER_THREAD
    assert core.rows_of(64) == 64 * core.rows_of(1)


def test_a_predictor_takes_threads_when_the_work_is_worth_them(monkeypatch):
    asked = []
    monkeypatch.setattr(compiled, "default_threads", lambda: asked.append(1) or 2)
    network = MLPRegressor(hidden_layer_sizes=(2048,), max_iter=1, tol=1).fit(X, X[:, 0])
    predict, alone = Predictor(network), Predictor(network, n_threads=1)
    expected = alone(X)
    assert_array_equal(predict(X[:100]), expected[:100])
    assert not asked
    many = np.tile(X, (8, 1))  # 2,400 rows of 12,288 products
    assert_array_equal(predict(many), np.tile(expected, (8, 1)))
    assert asked == [1]


def test_a_predictor_keeps_within_the_limit_on_threads(monkeypatch):
    predict = Predictor(MODELS["four classes"]())
    expected = predict(X)
    with threadpool_limits(1):
        assert_array_equal(predict(X), expected)
