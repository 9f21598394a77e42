"""What is kept of parameters for further fits by equal ones: results, checks and errors stay."""

from __future__ import annotations

import gc
import pickle
import warnings
import weakref
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from scipy import sparse
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV

from fastmlp import MLPClassifier, MLPRegressor
from fastmlp.estimators import memo
from fastmlp.optimizers import Adam
from fastmlp.schedules import Cosine

RNG = np.random.default_rng(0)
X = RNG.normal(size=(40, 3)).astype(np.float32)
LABELS = np.resize(["a", "b", "c"], 40)
Y = X[:, 0] - X[:, 1] ** 2

#: One fit after the other by the same model, with these parameters changed in between.
CHANGES: list[dict] = [
    {},
    {"alpha": 0.1},
    {"alpha": 0.0},
    {"alpha": -0.0},
    {"alpha": np.float64(0.1)},
    {"hidden_layer_sizes": (5,)},
    {"hidden_layer_sizes": [5]},
    {"hidden_layer_sizes": (5, 4), "activation": ("tanh", "relu")},
    {"hidden_layer_sizes": 5, "activation": "relu"},
    {"solver": "sgd", "momentum": 0.5},
    {"solver": Adam(betas=(0.5, 0.9)), "momentum": 0.9},
    {"solver": "lbfgs"},
    {"solver": "adam", "learning_rate": Cosine()},
    {"learning_rate": "cosine"},
    {"learning_rate": "constant", "dropout": 0.5},
    {"dropout": 0.0, "normalization": "batch"},
    {"normalization": None, "early_stopping": True},
    {"early_stopping": False, "n_members": 3},
    {"n_members": 1, "dtype": "float64"},
    {"dtype": "auto", "callbacks": [lambda record: record.epoch == 2]},
    {"callbacks": None, "warm_start": True},
    {"warm_start": False, "random_state": 3},
    {"random_state": np.random.RandomState(5)},
    {"random_state": 0, "backend": "numpy"},
    {"backend": "compiled", "batch_size": 7, "shuffle": False},
    {"numeric_embedding": "piecewise_linear"},
    {"numeric_embedding": None},
]


def model_of(kind, **parameters):
    cls, y = (MLPClassifier, LABELS) if kind == "classifier" else (MLPRegressor, Y)
    model = cls(hidden_layer_sizes=(4,), max_iter=3, random_state=0, n_threads=1)
    return model.set_params(**parameters), y


def learnt_and_said(model, *arguments, **options):
    """Return all numbers that a fit leaves, and what it warns of."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model.fit(*arguments, **options)
    network = model._learnt.network
    texts = [str(warning.message) for warning in caught]
    curve = {name: column for name, column in model.history_.items() if name != "seconds"}
    return network.parameters, network.moments, curve, model.stop_reason_, texts


def assert_alike(one, other):
    assert_array_equal(one[0], other[0])
    assert_array_equal(one[1], other[1])
    for name, column in one[2].items():
        assert_array_equal(column, other[2][name])
    assert one[3:] == other[3:]


def afresh(call):
    """Return what a call does where nothing is kept."""
    memo._kept.cache_clear()
    return call()


@pytest.mark.parametrize("kind", ["classifier", "regressor"])
def test_results_are_those_of_a_first_fit(kind):
    """Each set of parameters comes after all others, and once more when it is known."""
    kept, y = model_of(kind)
    other, _ = model_of(kind)
    for changes in CHANGES:
        first = deepcopy(other).set_params(**deepcopy(changes))
        expected = afresh(lambda first=first: learnt_and_said(first, X, y))
        for earlier in CHANGES[:5]:
            learnt_and_said(model_of(kind, **earlier)[0], X, y)
        kept.set_params(**deepcopy(changes))
        for model in (clone(kept) if not kept.warm_start else deepcopy(kept), deepcopy(kept)):
            assert_alike(learnt_and_said(model, X, y), expected)
        learnt_and_said(kept, X, y)
        learnt_and_said(other.set_params(**deepcopy(changes)), X, y)


@pytest.mark.parametrize("kind", ["classifier", "regressor"])
def test_other_data_make_another_network(kind):
    model, y = model_of(kind)
    weights = np.linspace(0.5, 2, 40)
    two = y == "a" if kind == "classifier" else np.c_[y, -y]
    cases = [
        ((X, y), {}),
        ((X[:, :2].copy(), y), {}),
        ((X, two), {}),
        ((X[:30].astype(np.float64), y[:30]), {}),
        ((X, y, weights), {}),
        ((sparse.csr_array(X), y), {}),
        ((X, y), {"X_val": X[:9], "y_val": y[:9]}),
        ((X.tolist(), list(y)), {}),
    ]
    expected = [
        afresh(lambda given=given, own=own: learnt_and_said(clone(model), *given, **own))
        for given, own in cases
    ]
    for _ in range(2):
        for (given, own), result in zip(cases, expected, strict=True):
            assert_alike(learnt_and_said(model, *given, **own), result)


WRONG = [
    {"hidden_layer_sizes": (4.0,)},
    {"hidden_layer_sizes": (True,)},
    {"hidden_layer_sizes": 4.0},
    {"max_iter": 3.0},
    {"max_iter": True},
    {"alpha": False},
    {"alpha": np.nan},
    {"alpha": "0.1"},
    {"shuffle": 1},
    {"shuffle": 1.0},
    {"random_state": -1},
    {"random_state": 1.5},
    {"solver": "adamm"},
    {"solver": "lbfgs", "dropout": 0.5},
    {"learning_rate_init": 1e300},
    {"dropout": (0.5, 0.5)},
    {"n_threads": 0},
    {"backend": "cuda"},
    {"beta_1": 1},
]


@pytest.mark.parametrize("wrong", WRONG, ids=repr)
def test_what_is_wrong_is_found_after_good_fits(wrong):
    model, y = model_of("classifier", alpha=0.0, shuffle=True, beta_1=0.9)
    for _ in range(2):
        learnt_and_said(model, X, y)
    with pytest.raises((TypeError, ValueError)) as first:
        afresh(lambda: clone(model).set_params(**wrong).fit(X, y))
    for _ in range(2):
        learnt_and_said(model, X, y)
        with pytest.raises(type(first.value)) as later:
            clone(model).set_params(**wrong).fit(X, y)
        assert str(later.value) == str(first.value)


@pytest.mark.parametrize(
    "given",
    [
        (np.where(X > 1, np.nan, X), LABELS),
        (X, LABELS[:-1]),
        (X[:0], LABELS[:0]),
        (X, None),
        (X, Y),
        (X, LABELS, np.full(40, -1.0)),
        (np.full(X.shape, "x"), LABELS),
    ],
)
def test_wrong_data_are_found_after_good_fits(given):
    model, y = model_of("classifier")
    with pytest.raises((TypeError, ValueError)) as first:
        afresh(lambda: clone(model).fit(*given))
    learnt_and_said(model, X, y)
    with pytest.raises(type(first.value)) as later:
        model.fit(*given)
    assert str(later.value) == str(first.value)


def test_parameters_that_change_by_themselves_are_looked_at_each_time():
    sizes, weight = [4], {"a": 1.0, "b": 1.0, "c": 1.0}
    model, y = model_of("classifier", hidden_layer_sizes=sizes, class_weight=weight)
    before = learnt_and_said(model, X, y)
    weight["a"] = 5.0
    assert not np.array_equal(learnt_and_said(model, X, y)[0], before[0])
    sizes[0] = 6
    learnt_and_said(model, X, y)
    assert model.coefs_[0].shape == (3, 6)
    sizes[0] = -1
    with pytest.raises(ValueError, match="hidden_layer_sizes"):
        model.fit(X, y)


def test_eight_threads_at_once():
    grid = [{"alpha": alpha, "hidden_layer_sizes": (n,)} for alpha in (0.0, 0.1) for n in (3, 4, 5)]
    expected = [
        afresh(lambda p=p: learnt_and_said(model_of("regressor", **p)[0], X, Y)) for p in grid
    ]
    memo._kept.cache_clear()

    def fit(number):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model, y = model_of("regressor", **grid[number % len(grid)])
            return model.fit(X, y)._learnt.network.parameters

    warnings.simplefilter("ignore")
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(fit, range(48)))
    for number, parameters in enumerate(found):
        assert_array_equal(parameters, expected[number % len(grid)][0])


def test_nothing_of_a_fit_is_kept_alive_or_pickled():
    model, y = model_of("classifier", max_iter=1)
    memo._kept.cache_clear()
    sizes = []
    for _ in range(2):
        learnt_and_said(model, X, y)
        sizes.append(len(pickle.dumps(model._learnt.network)))
    assert sizes[0] == sizes[1]
    own = X.copy()
    learnt_and_said(model, own, y)
    references = [weakref.ref(each) for each in (own, model, model._learnt.network)]
    del own, model
    gc.collect()
    assert [reference() for reference in references] == [None, None, None]


def test_a_memo_is_bounded_and_forgets_errors():
    one, calls = memo.Memo(), []
    for key in range(3 * memo.MOST_OF_EACH):
        assert one.once(key, lambda key=key: calls.append(key) or key) == key
        assert one.once(key, lambda: calls.append(None)) == key
    assert calls == list(range(3 * memo.MOST_OF_EACH))
    assert len(one._made) <= memo.MOST_OF_EACH
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            one.once("wrong", lambda: 1 / 0)
    assert memo._kept.cache_info().maxsize == memo.MOST_MEMOS


def test_equal_values_that_differ_are_told_apart():
    alike = [(1,), (1.0,), (True,), (np.int64(1),), ((1,),), ((1.0,),), ((True,),), ("1",)]
    memos = [memo.memo_of(values) for values in alike]
    assert len(set(map(id, memos))) == len(alike)
    assert [memo.memo_of(values) for values in alike] == memos
    assert memo.memo_of((1,), "other") is not memos[0]
    for changing in ([1], {}, np.ones(1), object(), ((1, [2]),), Adam()):
        assert memo.memo_of((changing,)) is not memo.memo_of((changing,))


def test_a_search_lays_a_network_out_once_for_each_set_of_parameters(monkeypatch):
    """Its clones have equal parameters, and so have the folds."""
    from fastmlp.estimators import preparation

    calls, plain = [], preparation._check_parameters
    monkeypatch.setattr(
        preparation, "_check_parameters", lambda *a: calls.append(None) or plain(*a)
    )
    memo._kept.cache_clear()
    model, y = model_of("classifier")
    search = GridSearchCV(model, {"alpha": [0.0, 0.1, np.float64(0.2)]}, cv=4, refit=False)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        search.fit(X, y)
    assert len(calls) == 3
