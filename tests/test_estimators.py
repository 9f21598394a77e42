"""The estimators as users meet them: targets, attributes, dtype, memory, options of their own."""

from __future__ import annotations

import copy
import inspect
import pickle
import re
import tracemalloc

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.exceptions import DataConversionWarning
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from fastmlp import MLPClassifier, MLPRegressor
from fastmlp.backends import BACKENDS
from fastmlp.estimators.documentation import fill_gaps
from fastmlp.plan.parameters import ALIGNMENT
from fastmlp.validation import resolve_dtype

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

RNG = np.random.RandomState(0)
X = RNG.normal(size=(120, 4))
Y = np.tanh(X[:, 0]) - 0.5 * X[:, 1]
CLASSES = np.array(["ash", "beech", "cedar"])
LABELS = CLASSES[np.digitize(Y, [-0.3, 0.3])]
INDICATORS = np.c_[X[:, 0] > 0, X[:, 1] > 0, X[:, 2] > 0].astype(int)


@pytest.fixture(params=BACKENDS)
def backend_name(request):
    return request.param


def make(cls, backend="numpy", **parameters):
    defaults = {
        "hidden_layer_sizes": (16,),
        "max_iter": 60,
        "learning_rate_init": 0.02,
        "random_state": 0,
    }
    return cls(backend=backend, **{**defaults, **parameters})


# -- targets ---------------------------------------------------------------------------------------


def test_two_classes(backend_name):
    labels = LABELS == "ash"
    model = make(MLPClassifier, backend_name).fit(X, labels)
    assert model.score(X, labels) > 0.95
    assert model.predict(X).dtype == bool
    assert_array_equal(model.classes_, [False, True])
    assert (model.n_outputs_, model.out_activation_) == (1, "logistic")
    probabilities = model.predict_proba(X)
    assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-6)
    assert_array_equal(probabilities[:, 1] > 0.5, model.predict(X))


def test_several_classes(backend_name):
    model = make(MLPClassifier, backend_name).fit(X, LABELS)
    assert model.score(X, LABELS) > 0.95
    assert_array_equal(model.classes_, CLASSES)
    assert (model.n_outputs_, model.out_activation_) == (3, "softmax")
    probabilities = model.predict_proba(X)
    assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-6)
    assert_array_equal(CLASSES[probabilities.argmax(axis=1)], model.predict(X))


@pytest.mark.parametrize("form", [np.asarray, np.ndarray.tolist, sparse.csr_array])
def test_several_labels(form, backend_name):
    model = make(MLPClassifier, backend_name).fit(X, form(INDICATORS))
    assert (model.n_outputs_, model.out_activation_) == (3, "logistic")
    assert_array_equal(model.classes_, [0, 1, 2])
    assert model.score(X, INDICATORS) > 0.8
    assert_array_equal(model.predict_proba(X) > 0.5, model.predict(X))


@pytest.mark.parametrize("labels", [LABELS, LABELS == "ash", INDICATORS])
def test_log_probabilities(labels, backend_name):
    model = make(MLPClassifier, backend_name, max_iter=5).fit(X, labels)
    logs, probabilities = model.predict_log_proba(X), model.predict_proba(X)
    assert_allclose(np.exp(logs), probabilities, rtol=1e-5)
    model.coefs_[-1][...] *= 1e4
    assert (model.predict_proba(X) == 0).any()
    assert np.isfinite(model.predict_log_proba(X)).all()


def test_one_target(backend_name):
    model = make(MLPRegressor, backend_name).fit(X, Y)
    assert model.predict(X).shape == Y.shape
    assert model.score(X, Y) > 0.95


def test_several_targets(backend_name):
    targets = np.c_[Y, -Y, Y**2]
    model = make(MLPRegressor, backend_name, max_iter=150).fit(X, targets)
    assert model.predict(X).shape == targets.shape
    assert model.score(X, targets) > 0.9


@pytest.mark.parametrize(("cls", "target"), [(MLPRegressor, Y), (MLPClassifier, LABELS)])
def test_a_column_counts_as_flat_with_a_warning(cls, target):
    with pytest.warns(DataConversionWarning, match="column-vector y was passed"):
        model = make(cls, max_iter=3).fit(X, target.reshape(-1, 1))
    assert_array_equal(model.predict(X), make(cls, max_iter=3).fit(X, target).predict(X))


@pytest.mark.parametrize(
    "labels",
    [
        np.where(Y > 0, 7, -3),
        np.where(Y > 0, 0.5, 0.25) * 4,
        np.where(Y > 0, "yes", "no").astype(object),
        pd.Series(np.where(Y > 0, "yes", "no")),
        list(np.where(Y > 0, "yes", "no")),
    ],
)
def test_kinds_of_labels(labels):
    model = make(MLPClassifier).fit(X, labels)
    assert set(model.predict(X)) == set(labels)
    assert model.score(X, labels) > 0.95


def test_classes_that_come_late():
    model = make(MLPClassifier)
    first = LABELS != "cedar"
    model.partial_fit(X[first], LABELS[first], classes=CLASSES[::-1])
    assert_array_equal(model.classes_, CLASSES)
    for _ in range(60):
        model.partial_fit(X, LABELS)
    assert model.score(X, LABELS) > 0.9


@pytest.mark.parametrize("classes", [None, [0, 1, 2]])
def test_indicators_announce_themselves(classes):
    model = make(MLPClassifier).partial_fit(X, INDICATORS, classes=classes)
    assert_array_equal(model.classes_, [0, 1, 2])


# -- attributes ------------------------------------------------------------------------------------


def test_parameters_are_views_of_one_aligned_vector(backend_name):
    model = make(MLPClassifier, backend_name, hidden_layer_sizes=(5, 3)).fit(X, LABELS)
    assert [w.shape for w in model.coefs_] == [(4, 5), (5, 3), (3, 3)]
    assert [b.shape for b in model.intercepts_] == [(5,), (3,), (3,)]
    addresses = [a.ctypes.data for a in model.coefs_ + model.intercepts_]
    sizes = [a.nbytes for a in model.coefs_ + model.intercepts_]
    assert addresses[0] % ALIGNMENT == 0
    assert_array_equal(np.diff(addresses), sizes[:-1])
    model.coefs_[-1][...] = 0
    model.intercepts_[-1][...] = 0
    assert_allclose(model.predict_proba(X), 1 / 3, rtol=1e-6)


@pytest.mark.parametrize("how", [copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))])
def test_copies_are_aligned_and_equal(how):
    model = make(MLPClassifier, max_iter=3).fit(X, LABELS)
    twin = how(model)
    assert twin.coefs_[0].ctypes.data % ALIGNMENT == 0
    assert_array_equal(twin.predict_proba(X), model.predict_proba(X))
    assert twin.get_params() == model.get_params()


def test_a_clone_is_unfitted():
    model = make(MLPClassifier, max_iter=3).fit(X, LABELS)
    assert not hasattr(clone(model), "coefs_")
    assert clone(model).get_params() == model.get_params()


def test_changing_a_parameter_after_the_fit_changes_no_prediction():
    model = make(MLPClassifier, max_iter=3).fit(X, LABELS)
    before = model.predict_proba(X)
    model.set_params(activation="tanh", hidden_layer_sizes=(3,), dropout=0.5)
    assert_array_equal(model.predict_proba(X), before)


def test_no_hidden_layer_is_a_linear_model():
    model = make(MLPRegressor, hidden_layer_sizes=(), solver="lbfgs", alpha=0, dtype="float64")
    model.set_params(tol=1e-9, max_iter=500).fit(X, Y)
    design = np.c_[X, np.ones(len(X))]
    expected = np.linalg.lstsq(design, Y, rcond=None)[0]
    # SciPy ends the search when the objective falls by less than 2e-9 of itself: the parameters
    # are then right to about the root of that.
    assert_allclose(np.r_[model.coefs_[0].ravel(), model.intercepts_[0]], expected, atol=5e-5)


@pytest.mark.parametrize("value", [7, np.int64(7), [7], (7,), np.array([7])])
def test_forms_of_hidden_layer_sizes(value):
    model = make(MLPRegressor, hidden_layer_sizes=value, max_iter=2).fit(X, Y)
    assert model.coefs_[0].shape == (4, 7)


def test_names_of_features():
    frame = pd.DataFrame(X, columns=list("abcd"))
    model = make(MLPRegressor, max_iter=2).fit(frame, Y)
    assert_array_equal(model.feature_names_in_, list("abcd"))
    assert model.n_features_in_ == 4
    with pytest.warns(UserWarning, match="does not have valid feature names"):
        without = model.predict(X)
    assert_array_equal(without, model.predict(frame))


def test_documentation_is_complete():
    for cls in (MLPClassifier, MLPRegressor):
        text = inspect.getdoc(cls)
        assert "{" not in text.replace('{"', "")
        attributes = [name for name in dir(cls) if name.endswith("_") and name[0] != "_"]
        assert {"coefs_", "stop_reason_"} <= set(attributes)
        for name in [*cls().get_params(), *attributes]:
            assert re.search(rf"\n(\w+, )?{name}(, \w+)? : ", text), name


@pytest.mark.parametrize("margin", ["", "    "])  # Python 3.13 takes it away
def test_gaps_of_docstrings_are_filled_as_far_in_as_they_stand(margin):
    class Documented:
        __doc__ = f"What it is.\n\n{margin}{{parts}}\n{margin}The end of {{parts}}."

    fill_gaps(Documented, {"parts": "a : int\n    A number.\n"})
    lines = ["a : int", "    A number.", "The end of {parts}."]
    assert Documented.__doc__ == "\n".join(["What it is.", "", *(margin + each for each in lines)])


# -- loss, cost, objective -------------------------------------------------------------------------


@pytest.mark.parametrize("weights", [None, np.linspace(0.1, 2, 120)])
@pytest.mark.parametrize("target", ["one", "many", "binary", "classes", "labels"])
def test_loss_cost_and_objective(target, weights, backend_name):
    y = {
        "one": Y,
        "many": np.c_[Y, -Y],
        "binary": LABELS == "ash",
        "classes": LABELS,
        "labels": INDICATORS,
    }[target]
    cls = MLPRegressor if target in ("one", "many") else MLPClassifier
    model = make(cls, backend_name, max_iter=5, alpha=0.3, l1=0.02, dtype="float64").fit(X, y)
    losses = model.loss_per_sample(X, y)
    assert_allclose(losses, losses_by_hand(model, y), rtol=1e-9)
    cost = model.cost(X, y, weights)
    assert_allclose(cost, np.average(losses, weights=weights))
    squares = sum((w**2).sum() for w in model.coefs_)
    sizes = sum(np.abs(w).sum() for w in model.coefs_)
    total = len(X) if weights is None else weights.sum()
    penalty = (0.3 / 2 * squares + 0.02 * sizes) / total
    assert_allclose(model.objective(X, y, weights) - cost, penalty, rtol=1e-9)


def losses_by_hand(model, y):
    if isinstance(model, MLPRegressor):
        errors = (model.predict(X) - y).reshape(len(y), -1)
        return (errors**2).mean(axis=1) / 2
    logs = model.predict_log_proba(X)
    if y.ndim == 1:
        return -logs[np.arange(len(y)), np.searchsorted(model.classes_, y)]
    return -(np.where(y, logs, np.log1p(-model.predict_proba(X)))).sum(axis=1)


def test_curves_are_those_of_the_objective_and_the_cost(backend_name):
    # A vanishing step size leaves the parameters in place, so the first epoch measures them.
    model = make(MLPRegressor, backend_name, alpha=0.5, l1=0.1, solver="sgd", max_iter=1)
    model.set_params(learning_rate_init=1e-300, batch_size=120, dtype="float64").fit(X, Y)
    assert_allclose(model.loss_curve_, model.objective(X, Y), rtol=1e-12)
    assert_allclose(model.cost_curve_, model.cost(X, Y), rtol=1e-12)
    assert model.loss_ == model.loss_curve_[-1]


# -- real type and memory --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("dtype", "X_dtype", "expected"),
    [
        ("float32", np.float64, np.float32),
        ("float64", np.float32, np.float64),
        (np.float64, np.uint8, np.float64),
        ("auto", np.float64, np.float64),
        ("auto", np.float32, np.float32),
        ("auto", np.float16, np.float32),
        ("auto", np.uint8, np.float32),
        ("auto", np.bool_, np.float32),
        ("auto", np.int32, np.float64),
        ("auto", np.longdouble, np.float64),
    ],
)
def test_real_type(dtype, X_dtype, expected):
    assert resolve_dtype(dtype, np.dtype(X_dtype)) == expected
    images = (16 * np.abs(X)).astype(X_dtype)
    model = make(MLPRegressor, dtype=dtype, max_iter=2).fit(images, Y)
    assert model.coefs_[0].dtype == expected
    assert model.predict(images).dtype == expected


def test_a_network_keeps_its_real_type():
    model = make(MLPRegressor, dtype="auto", max_iter=2).fit(X, Y)
    model.partial_fit(X.astype(np.float32), Y)
    assert model.coefs_[0].dtype == np.float64
    model.set_params(dtype="float32").partial_fit(X, Y)
    assert model.coefs_[0].dtype == np.float32


@pytest.mark.parametrize("X_dtype", [np.uint8, np.float32, np.float64])
def test_input_types_agree(X_dtype, backend_name):
    pixels = np.random.RandomState(0).randint(0, 17, size=X.shape)
    model = make(MLPRegressor, backend_name, max_iter=4)
    expected = clone(model).fit(pixels.astype(np.float32), Y)
    given = model.fit(pixels.astype(X_dtype), Y)
    assert_allclose(given.coefs_[0], expected.coefs_[0], rtol=1e-6)
    assert_allclose(given.predict(pixels.astype(X_dtype)), expected.predict(pixels), rtol=1e-5)


def peak_of(function):
    tracemalloc.start()
    try:
        function()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("early_stopping", [False, True])
@pytest.mark.parametrize("dtype", [np.uint8, np.float32, np.float64])
def test_rows_are_read_in_place(dtype, early_stopping):
    # The NumPy reference is free to make temporaries.
    wide = np.random.RandomState(0).randint(0, 255, size=(20_000, 600)).astype(dtype)
    wide.flags.writeable = False
    labels = np.arange(20_000) % 10
    model = make(MLPClassifier, "compiled", max_iter=1, early_stopping=early_stopping)
    model.set_params(hidden_layer_sizes=(8,)).fit(wide[:100], labels[:100])  # imports are no cost
    a_copy_in_bytes = wide.size  # of uint8; of the real type it would be four times as much
    assert peak_of(lambda: model.fit(wide, labels)) < a_copy_in_bytes / 2
    assert peak_of(lambda: model.predict(wide)) < a_copy_in_bytes / 2


def test_other_layouts_are_converted_once():
    wide = np.asfortranarray(np.random.RandomState(0).rand(20_000, 300))
    model = make(MLPRegressor, "compiled", max_iter=1, hidden_layer_sizes=(4,))
    model.fit(wide[:100], wide[:100, 0])
    peak = peak_of(lambda: model.fit(wide, wide[:, 0]))
    one_copy = wide.size * np.dtype(np.float32).itemsize
    assert one_copy < peak < 1.3 * one_copy


# -- options of our own ----------------------------------------------------------------------------


@pytest.mark.parametrize("option", [{"dropout": 0.5}, {"input_dropout": 0.3}])
def test_dropout_changes_training_but_not_prediction(option, backend_name):
    plain = make(MLPRegressor, backend_name, max_iter=5).fit(X, Y)
    model = make(MLPRegressor, backend_name, max_iter=5, **option).fit(X, Y)
    assert not np.array_equal(model.coefs_[0], plain.coefs_[0])
    assert_array_equal(model.predict(X), model.predict(X))
    again = clone(model).fit(X, Y)
    assert_array_equal(again.coefs_[0], model.coefs_[0])
    other = clone(model).set_params(random_state=1).fit(X, Y)
    assert not np.array_equal(other.coefs_[0], model.coefs_[0])


def test_dropout_per_layer(backend_name):
    layers = {"hidden_layer_sizes": (6, 5), "max_iter": 3}
    one = make(MLPRegressor, backend_name, dropout=0.4, **layers).fit(X, Y)
    each = make(MLPRegressor, backend_name, dropout=[0.4, 0.4], **layers).fit(X, Y)
    first = make(MLPRegressor, backend_name, dropout=(0.4, 0.0), **layers).fit(X, Y)
    assert_array_equal(each.coefs_[0], one.coefs_[0])
    assert not np.array_equal(first.coefs_[0], one.coefs_[0])


@pytest.mark.parametrize("option", [{}, {"dropout": 0.3, "input_dropout": 0.1}])
def test_the_number_of_threads_changes_nothing(option, backend_name):
    vectors = []
    for n_threads in (1, 2, 3, 5):
        model = make(MLPClassifier, backend_name, max_iter=4, n_threads=n_threads, **option)
        model.fit(X, LABELS)
        vectors.append(np.r_[model.coefs_[0].ravel(), model.loss_curve_])
    for vector in vectors[1:]:
        assert_array_equal(vector, vectors[0])


def test_l1_makes_exact_zeros(backend_name):
    noise = np.random.RandomState(1).normal(size=(120, 30))
    wide = np.c_[X, noise]
    model = make(MLPRegressor, backend_name, l1=10.0, max_iter=400, tol=0.0).fit(wide, Y)
    assert (model.coefs_[0][4:] == 0).mean() > 0.5
    assert model.score(wide, Y) > 0.7
    assert model.set_params(l1=0.0).fit(wide, Y).coefs_[0].all()


def test_decay_of_adamw(backend_name):
    def norm(**options):
        model = make(MLPRegressor, backend_name, max_iter=20, alpha=0.0, **options).fit(X, Y)
        return sum((w.astype(float) ** 2).sum() for w in model.coefs_)

    assert norm(solver="adamw", weight_decay=0.0) == norm(solver="adam")
    assert norm(solver="adamw") == norm(solver="adam", weight_decay=0.01)
    assert norm(solver="adamw", weight_decay=1.0) < 0.9 * norm(solver="adam")


def test_zero_initialisation_keeps_units_alike(backend_name):
    model = make(MLPRegressor, backend_name, init="zeros", activation="logistic").fit(X, Y)
    assert_array_equal(model.coefs_[0], np.repeat(model.coefs_[0][:, :1], 16, axis=1))


def test_initial_spread_is_a_parameter():
    # A vanishing step size leaves the first weights in place.
    options = {"init": "normal", "init_std": 0.3, "hidden_layer_sizes": (2000,)}
    model = make(MLPRegressor, solver="sgd", learning_rate_init=1e-30, max_iter=1, **options)
    assert model.fit(X, Y).coefs_[0].std() == pytest.approx(0.3, rel=0.05)


# -- with the rest of scikit-learn -----------------------------------------------------------------


def test_real_digits(backend_name):
    digits, labels = load_digits(return_X_y=True)
    model = make(MLPClassifier, backend_name, hidden_layer_sizes=(64,), max_iter=30)
    model.set_params(learning_rate_init=0.005).fit(digits[::2], labels[::2])
    assert model.score(digits[1::2], labels[1::2]) > 0.95


def test_pipeline_search_and_cross_validation():
    pipeline = make_pipeline(StandardScaler(), make(MLPClassifier, max_iter=20))
    assert cross_val_score(pipeline, X, LABELS, cv=3, n_jobs=2).mean() > 0.7
    search = GridSearchCV(pipeline, {"mlpclassifier__alpha": [1e-4, 1e3]}, cv=3).fit(X, LABELS)
    assert search.best_params_ == {"mlpclassifier__alpha": 1e-4}
