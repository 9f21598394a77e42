"""Partial fits that repeat: the short way gives what the long way gives, and sees every change."""

from __future__ import annotations

import copy
import pickle
import threading

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from sklearn.exceptions import DataConversionWarning

from fastmlp import DivergenceError, MLPClassifier, MLPRegressor
from fastmlp.backends import BACKENDS
from fastmlp.estimators.stream import Stream
from fastmlp.training.history import LATEST_PARTIAL_FITS
from fastmlp.training.loop import TrainingRun

RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 6)).astype(np.float32)
Y = np.tanh(X[:, :2]) @ np.array([1.0, -0.5])
LABELS = np.array(["a", "b", "c"])[np.digitize(Y, [-0.3, 0.3])]


def state(model):
    learnt = model._learnt
    network, history = learnt.network, learnt.history
    return (
        network.parameters.tobytes(),
        network.moments.tobytes(),
        (network.step, learnt.rate.value, history.n_samples_seen, history.n_epochs),
        (history.curve("loss"), history.curve("cost"), learnt.best_loss),
    )


def taught(model, parts, **first):
    """Return a model after partial fits of rows (begin, end)."""
    for begin, end in parts:
        y = LABELS if isinstance(model, MLPClassifier) else Y
        model.partial_fit(X[begin:end], y[begin:end], **first)
    return model


@pytest.fixture
def short_ways(monkeypatch):
    """Count the partial fits that went the short way."""
    taken = []
    go_on = Stream.go_on

    def counted(*arguments):
        learnt = go_on(*arguments)
        taken.append(learnt is not None)
        return learnt

    monkeypatch.setattr(Stream, "go_on", counted)
    return taken


ROW_BY_ROW = [(i, i + 1) for i in range(12)]
PARTS = [(0, 1), (1, 2), (2, 9), (9, 10), (10, 30), (30, 31)]


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("parts", [ROW_BY_ROW, PARTS], ids=["rows", "parts"])
@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"solver": "sgd", "learning_rate": "invscaling", "random_state": 3},
        {"solver": "adamw", "shuffle": False, "dtype": "float64"},
        {"normalization": "layer", "max_norm": 1.0, "clip_norm": 0.5, "l1": 1e-3},
    ],
    ids=["adam", "sgd", "adamw", "regularised"],
)
@pytest.mark.parametrize("cls", [MLPClassifier, MLPRegressor])
def test_short_and_long_way_agree(cls, parameters, parts, backend, short_ways, monkeypatch):
    settings = {"random_state": 0, "backend": backend, **parameters}
    first = {"classes": ["a", "b", "c"]} if cls is MLPClassifier else {}
    models = []
    for takes_short_way in (True, False):
        if not takes_short_way:
            monkeypatch.setattr(Stream, "after", lambda *_: None)
        models.append(taught(cls(hidden_layer_sizes=(9, 5), **settings), parts, **first))
    assert short_ways == [True] * (len(parts) - 1)
    assert state(models[0]) == state(models[1])


def test_aliases_and_numbers_of_any_type_go_the_short_way(short_ways):
    plain = {"loss": "squared_error", "batch_size": 1, "learning_rate_init": 0.25, "shuffle": True}
    other = {
        "loss": "mse",
        "batch_size": np.int8(1),
        "learning_rate_init": np.float16(0.25),
        "shuffle": np.True_,
    }
    models = [
        taught(MLPRegressor(hidden_layer_sizes=(4,), **given, random_state=0), ROW_BY_ROW)
        for given in (plain, other)
    ]
    assert short_ways == [True] * 2 * (len(ROW_BY_ROW) - 1)
    assert state(models[0]) == state(models[1])


@pytest.mark.parametrize(
    ("change", "effect"),
    [
        ({"learning_rate_init": 0.5}, True),
        ({"alpha": 10.0}, True),
        ({"random_state": 7}, False),
        ({"n_threads": 1}, False),
    ],
)
def test_a_changed_parameter_is_seen(change, effect):
    plain = taught(MLPRegressor(hidden_layer_sizes=(5,), random_state=0), ROW_BY_ROW[:4])
    changed = copy.deepcopy(plain).set_params(**change)
    for model in (plain, changed):
        taught(model, ROW_BY_ROW[4:6])
    assert (state(plain)[0] != state(changed)[0]) == effect


@pytest.mark.parametrize(
    "parameters",
    [
        {"hidden_layer_sizes": [5]},  # a list may be changed in place
        {"dropout": 0.3},
        {"input_noise": 0.1},
        {"verbose": True},
        {"callbacks": [print]},
    ],
)
def test_the_long_way_where_more_than_rows_may_change(parameters, short_ways):
    taught(MLPRegressor(random_state=0).set_params(**parameters), ROW_BY_ROW[:3])
    assert short_ways == []


@pytest.mark.parametrize(
    ("wrong_X", "wrong_y", "text"),
    [
        (X[:1, :4], Y[:1], "X has 4 features, but MLPRegressor is expecting 6"),
        (np.full((1, 6), np.nan), Y[:1], "Input X contains NaN"),
        (X[:1], [np.nan], "Input y contains NaN"),
        (X[:1], [1e300], "too large for dtype float32"),
        (X[:1], Y[:2], "same number of rows"),
        (X[:1], [[1.0, 2.0]], "y has 2 columns"),
        (X[:2], [[1], [2, 3]], r"y must be an array of shape .* different lengths"),
        (X[:1], [], "y: Found array with 0 sample"),
        (X[:1], None, "requires y to be passed"),
    ],
)
def test_wrong_data_is_refused_in_the_words_of_the_long_way(wrong_X, wrong_y, text):
    model = taught(MLPRegressor(hidden_layer_sizes=(5,), random_state=0), ROW_BY_ROW[:3])
    before = state(model)
    with pytest.raises(ValueError, match=text):
        model.partial_fit(wrong_X, wrong_y)
    assert state(model) == before


def test_a_column_warns_each_time():
    model = taught(MLPRegressor(hidden_layer_sizes=(5,), random_state=0), ROW_BY_ROW[:3])
    for _ in range(2):
        with pytest.warns(DataConversionWarning, match="column-vector y"):
            model.partial_fit(X[:2], Y[:2, np.newaxis])


def test_names_are_compared_once_whatever_y_is():
    table = pd.DataFrame(X, columns=list("abcdef"))
    model = MLPRegressor(hidden_layer_sizes=(5,), random_state=0).partial_fit(table, Y)
    for y in (Y[:1], pd.Series(Y[:1])):
        with pytest.warns(UserWarning, match="feature names") as caught:
            model.partial_fit(X[:1], y)
        assert len(caught) == 1


def test_the_short_way_says_why_it_ended(monkeypatch):
    def interrupted(run):
        raise KeyboardInterrupt

    model = MLPRegressor(hidden_layer_sizes=(5,), random_state=0)
    with monkeypatch.context() as patched:
        patched.setattr(TrainingRun, "_epoch", interrupted)
        with pytest.warns(UserWarning, match="interrupted"):
            model.partial_fit(X, Y)
    assert model.stop_reason_ == "Training was interrupted."
    assert model.partial_fit(X, Y).stop_reason_ == "A partial fit is one epoch."


def test_an_unknown_label_is_refused():
    model = MLPClassifier((5,), random_state=0)
    taught(model, ROW_BY_ROW[:3], classes=["a", "b", "c"])
    with pytest.raises(ValueError, match=r"not in classes .*'d'"):
        model.partial_fit(X[:1], ["d"])


def test_divergence_is_seen():
    huge = MLPRegressor(hidden_layer_sizes=(), solver="sgd", learning_rate_init=1e30)
    huge.partial_fit(X[:1], Y[:1])
    before = state(huge)
    with pytest.raises(DivergenceError):
        taught(huge, [(i, i + 1) for i in range(1, 9)])
    assert np.isfinite(huge._network.parameters).all()
    assert before[2][0] == 1


def test_curves_and_pickles_of_a_stream_are_bounded():
    model = MLPRegressor(hidden_layer_sizes=(3,), max_iter=5, tol=0, random_state=0)
    with pytest.warns(UserWarning, match="converged"):
        model.fit(X, Y)
    for i in range(LATEST_PARTIAL_FITS + 5):
        model.partial_fit(X[i % 60][None], Y[i % 60][None])
    length, size = len(model.loss_curve_), len(pickle.dumps(model))
    for i in range(50):
        model.partial_fit(X[i][None], Y[i][None])
    assert length == len(model.loss_curve_) == 5 + LATEST_PARTIAL_FITS
    assert abs(len(pickle.dumps(model)) - size) < 100
    assert model.t_ == 5 * 60 + LATEST_PARTIAL_FITS + 55


def test_several_threads_in_one_stream():
    model = taught(MLPRegressor(hidden_layer_sizes=(5,), random_state=0), ROW_BY_ROW[:3])
    threads = [threading.Thread(target=taught, args=(model, ROW_BY_ROW * 20)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert np.isfinite(model.predict(X)).all()
    assert 3 < model.t_ <= 3 + 4 * 20 * len(ROW_BY_ROW)  # updates may replace each other's, whole
    assert model.t_ == len(model.loss_curve_) == model._learnt.network.step


def test_earlier_states_are_left_alone():
    model = taught(MLPRegressor(hidden_layer_sizes=(5,), random_state=0), ROW_BY_ROW[:3])
    shallow = copy.copy(model)
    before = state(shallow)
    taught(model, ROW_BY_ROW[3:8])
    assert state(shallow) == before
    assert_array_equal(shallow.predict(X), pickle.loads(pickle.dumps(shallow)).predict(X))
