"""``coefs_`` and its like are lists to write to: what is assigned counts from then on."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest
from helpers_rejection import LABELS, X, Y
from numpy.testing import assert_allclose, assert_array_equal

from fastmlp import MLPClassifier, MLPRegressor, Predictor
from fastmlp.backends import BACKENDS

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

every_backend = pytest.mark.parametrize("backend", BACKENDS)

#: Each of these lists has an array for the first hidden layer of ``fitted()``.
NAMES = (
    "coefs_",
    "intercepts_",
    "norm_gains_",
    "norm_shifts_",
    "activation_shares_",
    "running_means_",
    "running_variances_",
)
each_name = pytest.mark.parametrize("name", NAMES)


def make(cls=MLPRegressor, **parameters):
    return cls(**{"hidden_layer_sizes": (4, 3), "max_iter": 3, "random_state": 0, **parameters})


def fitted(**parameters):
    """Return a model that has something in each of the lists, and None in some."""
    settings = {"normalization": ["batch", None], "parametric_activation": (True, False)}
    return make(**settings, **parameters).fit(X, Y)


def values_of(model):
    """Return copies of all arrays."""
    arrays = [array for name in NAMES for array in getattr(model, name) if array is not None]
    return [array.copy() for array in arrays]


def assert_unwritten(model, before):
    for now, then in zip(values_of(model), before, strict=True):
        assert_array_equal(now, then)


# -- what is assigned counts -----------------------------------------------------------------------


@each_name
def test_an_item_is_written_into_the_network(name):
    model = fitted()
    before = model.predict(X)
    value = np.linspace(0.5, 1, getattr(model, name)[0].size).reshape(getattr(model, name)[0].shape)
    getattr(model, name)[0] = value
    assert_allclose(getattr(model, name)[0], value, rtol=1e-7)
    assert not np.allclose(model.predict(X), before)


@each_name
def test_a_whole_list_is_written_into_the_network(name):
    model = fitted()
    values = [value if value is None else 2 * value for value in getattr(model, name)]
    setattr(model, name, values)
    for now, value in zip(getattr(model, name), values, strict=True):
        assert_array_equal(now, value)
    twin = fitted()
    setattr(twin, name, getattr(model, name))  # a list of another model
    assert_array_equal(twin.predict(X), model.predict(X))


def test_indices_slices_and_operators():
    model = fitted()
    first, second, last = (array.copy() for array in model.coefs_)
    model.coefs_[-1] = last + 1
    model.coefs_[np.int64(0)] = (first * 2).tolist()
    model.coefs_[1] += 0.5
    assert_array_equal(model.coefs_[2], last + 1)
    assert_array_equal(model.coefs_[0], first * 2)
    assert_array_equal(model.coefs_[1], second + 0.5)
    model.coefs_[:2] = [first, second]
    model.coefs_[::2] = (first, last)
    assert_unwritten(model, values_of(fitted()))


def test_layers_can_change_places():
    model = make(hidden_layer_sizes=(3, 3)).fit(X, Y)
    first, second = (array.copy() for array in model.coefs_[:2])
    model.coefs_[:2] = [model.coefs_[1], model.coefs_[0]]
    assert_array_equal(model.coefs_[0], second)
    assert_array_equal(model.coefs_[1], first)


@every_backend
def test_predictions_are_those_of_the_weights_assigned(backend):
    model = make(backend=backend, hidden_layer_sizes=(2,), dtype="float64").fit(X, Y)
    model.coefs_ = W = [np.arange(6).reshape(3, 2) / 5, np.array([[1.0], [-2.0]])]
    model.intercepts_ = b = [[0.1, -0.2], [0.3]]
    expected = (np.maximum(X @ W[0] + b[0], 0) @ W[1] + b[1]).ravel()
    assert_allclose(model.predict(X), expected, rtol=1e-12)
    assert_allclose(model.cost(X, Y), ((expected - Y) ** 2).mean() / 2, rtol=1e-12)


def test_a_predictor_takes_the_weights_that_there_are_when_it_is_made():
    model = fitted()
    predict, before = Predictor(model), model.predict(X)
    model.intercepts_[-1] += 1
    assert_array_equal(predict(X).ravel(), before)
    assert_array_equal(Predictor(model)(X).ravel(), model.predict(X))


def moved(backend):
    """Return two models, the second of which has been given the weights of the first."""
    settings = {"backend": backend, "batch_size": 7, "warm_start": True}
    first, second = (fitted(**settings).set_params(random_state=n) for n in (0, 1))
    second.fit(2 * X, Y)
    for name in NAMES:
        setattr(second, name, getattr(first, name))
    return first.set_params(random_state=2), second.set_params(random_state=2)


@every_backend
def test_a_warm_start_begins_with_the_weights_assigned(backend):
    first, second = moved(backend)
    assert_array_equal(first.fit(X, Y).predict(X), second.fit(X, Y).predict(X))


@every_backend
def test_a_partial_fit_goes_on_from_the_weights_assigned(backend):
    """By plain gradient descent, which has no memory of other weights."""
    first, second = moved(backend)
    for model in (first, second):
        model.set_params(solver="sgd", momentum=0.0, learning_rate_init=0.01).partial_fit(X, Y)
    assert_array_equal(first.predict(X), second.predict(X))
    assert not np.array_equal(first.coefs_[0], fitted(backend=backend).coefs_[0])


@every_backend
def test_training_goes_on_from_what_a_callback_assigns(backend):
    model = make(backend=backend, solver="sgd", learning_rate_init=1e-30)

    def halve(record):
        if record.epoch == 1:
            model.coefs_ = [w / 2 for w in model.coefs_]

    still = make(backend=backend, solver="sgd", learning_rate_init=1e-30).fit(X, Y)
    model.set_params(callbacks=[halve]).fit(X, Y)
    for now, then in zip(model.coefs_, still.coefs_, strict=True):
        assert_array_equal(now, then / 2)
    assert model.loss_curve_[0] == still.loss_curve_[0] != model.loss_curve_[1]


def test_federated_averaging():
    """The mean of linear networks predicts the mean of their predictions."""
    settings = {"hidden_layer_sizes": (), "max_iter": 20, "dtype": "float64"}
    members = [make(**settings).fit(X[::2], Y[::2]), make(**settings).fit(X[1::2], 3 * Y[1::2])]
    mean = make(**settings).fit(X, Y)
    for name in ("coefs_", "intercepts_"):
        layers = zip(*(getattr(member, name) for member in members), strict=True)
        setattr(mean, name, [np.mean(arrays, axis=0) for arrays in layers])
    expected = np.mean([member.predict(X) for member in members], axis=0)
    assert_allclose(mean.predict(X), expected, rtol=1e-12)
    assert mean.partial_fit(X, Y).n_iter_ == 1


# -- what is refused -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "index", "value", "error", "text"),
    [
        ("coefs_", 0, np.ones((4, 3)), ValueError, r"^coefs_\[0\] must have shape \(3, 4\)"),
        ("coefs_", -1, 1.0, ValueError, r"^coefs_\[2\] must have shape \(3, 1\); got \(\)"),
        ("coefs_", 1, [[1], [1, 2]], ValueError, r"^coefs_\[1\] must be an array of shape \(4, 3"),
        ("coefs_", 0, np.full((3, 4), "a"), TypeError, r"^coefs_\[0\] must hold real numbers"),
        ("intercepts_", 0, [1j] * 4, TypeError, r"^intercepts_\[0\] .* got dtype complex128"),
        ("intercepts_", 3, np.ones(1), IndexError, r"there is no intercepts_\[3\]"),
        ("coefs_", -4, np.ones(1), IndexError, r"there is no coefs_\[-4\]"),
        ("norm_gains_", 1, np.ones(3), ValueError, r"^norm_gains_\[1\] must stay None"),
        ("running_means_", 0, None, ValueError, r"^running_means_\[0\] must have shape \(4,\)"),
        ("coefs_", slice(0, 2), [np.ones((3, 4))], ValueError, "^coefs_ needs 2 arrays.* got 1"),
        ("coefs_", slice(0, 0), [np.ones((3, 4))], ValueError, "^coefs_ needs 0 arrays.* got 1"),
        ("coefs_", slice(0, 1), 5, TypeError, "^coefs_ must be a list of arrays"),
    ],
)
def test_items_that_do_not_fit(name, index, value, error, text):
    model = fitted()
    before = values_of(model)
    with pytest.raises(error, match=text):
        getattr(model, name)[index] = value
    assert_unwritten(model, before)


@each_name
def test_lists_that_do_not_fit(name):
    model = fitted()
    before = values_of(model)
    ones = [value if value is None else np.ones_like(value) for value in getattr(model, name)]
    for values, error, text in [
        (ones[:-1], ValueError, f"^{name} needs {len(ones)} arrays, one per layer; got"),
        ([*ones, ones[0]], ValueError, f"^{name} needs {len(ones)} arrays, one per layer; got"),
        ([*ones[:-1], np.ones((1, 1, 1))], ValueError, rf"^{name}\[{len(ones) - 1}\] must"),
        (iter(ones), TypeError, f"^{name} must be a list of arrays, one per layer"),
        ("coefs", TypeError, f"^{name} must be a list of arrays, one per layer"),
    ]:
        with pytest.raises(error, match=text):
            setattr(model, name, values)
    assert_unwritten(model, before)


@pytest.mark.parametrize(
    "change",
    [
        lambda views: views.append(views[0]),
        lambda views: views.extend([]),
        lambda views: views.insert(0, views[0]),
        lambda views: views.pop(),
        lambda views: views.remove(None),
        lambda views: views.clear(),
        lambda views: views.sort(key=len),
        lambda views: views.reverse(),
        lambda views: views.__delitem__(0),
        lambda views: views.__iadd__([1]),
        lambda views: views.__imul__(2),
    ],
)
def test_the_number_and_order_of_layers_stay(change):
    views = fitted().coefs_
    with pytest.raises(TypeError, match=r"coefs_ has one array per layer of the network, 3 in all"):
        change(views)
    assert [view.shape for view in views] == [(3, 4), (4, 3), (3, 1)]


def test_an_unfitted_model_has_nothing_to_write_to():
    with pytest.raises(AttributeError, match="not fitted yet"):
        make().coefs_ = [np.ones((3, 1))]


# -- they are lists --------------------------------------------------------------------------------


def test_they_are_lists():
    views = fitted().coefs_
    assert isinstance(views, list)
    assert (len(views), len(views[1:]), len(views + views)) == (3, 2, 6)
    assert [view.shape for view in views] == [(3, 4), (4, 3), (3, 1)]
    assert next(reversed(views)) is views[-1]
    assert repr(views) == repr(list(views))


@pytest.mark.parametrize(
    "how", [copy.copy, list, list.copy, copy.deepcopy, lambda v: pickle.loads(pickle.dumps(v))]
)
def test_copies_are_plain_lists(how):
    model = fitted()
    copied = how(model.coefs_)
    assert type(copied) is list
    copied.append(copied.pop())
    assert_array_equal(copied[0], model.coefs_[0])


def test_deep_copies_are_arrays_of_their_own():
    model = fitted()
    before = values_of(model)
    for array in [*copy.deepcopy(model.coefs_), *pickle.loads(pickle.dumps(model.coefs_))]:
        array[...] = 7
    assert_unwritten(model, before)


def test_a_classifier_has_them_too():
    model = make(MLPClassifier).fit(X, LABELS)
    model.coefs_[-1] = np.zeros((3, 1))
    model.intercepts_[-1][...] = np.log(3)
    assert_allclose(model.predict_proba(X), [[0.25, 0.75]] * 40, rtol=1e-6)


def test_masks_are_not_lost():
    model = MLPRegressor(hidden_layer_sizes=(3,)).partial_fit(np.eye(4), np.arange(4.0))
    with pytest.raises(ValueError, match=r"coefs_\[0\] has masked entries"):
        model.coefs_[0] = np.ma.masked_less(np.ones((4, 3)), 2)
