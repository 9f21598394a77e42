"""The mean of models that have learnt apart."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.exceptions import NotFittedError

from fastmlp import MLPClassifier, MLPRegressor, average_models
from fastmlp.custom import custom_activation

RNG = np.random.default_rng(0)
X = RNG.normal(size=(400, 4)).astype(np.float32)
Y = np.where(X[:, 0] + X[:, 1] > 0, "yes", "no")
PARTS = [slice(0, 100), slice(100, 400)]
SIZES = [100, 300]


def begun(**parameters):
    given = {"hidden_layer_sizes": (8,), "random_state": 0, "learning_rate_init": 0.01}
    model = MLPClassifier(**{**given, **parameters})
    return model.partial_fit(X[:50], Y[:50], classes=["no", "yes"])


def apart(model):
    return [copy.deepcopy(model).partial_fit(X[part], Y[part]) for part in PARTS]


def test_the_mean_is_that_of_the_parameters_by_weight():
    learnt = apart(begun(normalization="batch"))
    mean = average_models(learnt, weights=SIZES)
    networks = [each._learnt.network for each in learnt]
    expected = 0.25 * networks[0].parameters + 0.75 * networks[1].parameters
    assert_allclose(mean._learnt.network.parameters, expected, rtol=1e-6, atol=1e-7)
    assert_allclose(
        mean._learnt.network.moments,
        0.25 * networks[0].moments + 0.75 * networks[1].moments,
        rtol=1e-6,
        atol=1e-9,
    )
    assert mean._learnt.network.step == round(0.25 * networks[0].step + 0.75 * networks[1].step)


def test_without_weights_all_count_alike():
    learnt = apart(begun())
    assert_array_equal(
        average_models(learnt).coefs_[0], average_models(learnt, weights=[2, 2]).coefs_[0]
    )


def test_a_mean_of_one_model_is_that_model():
    model = begun()
    same = average_models([model])
    assert_array_equal(same.predict_proba(X), model.predict_proba(X))
    assert same is not model
    same.partial_fit(X, Y)
    again = begun()
    assert_array_equal(model.coefs_[0], again.coefs_[0])
    assert_array_equal(same.coefs_[0], again.partial_fit(X, Y).coefs_[0])


def test_rounds_of_two_that_learn_apart_reach_what_one_reaches():
    model, alone = begun(batch_size=25), begun(batch_size=25)
    for _ in range(20):
        model = average_models(apart(model), weights=SIZES)
        alone.partial_fit(X, Y)
    assert alone.score(X, Y) > 0.97
    assert model.score(X, Y) > alone.score(X, Y) - 0.02


def test_the_models_can_come_from_other_processes():
    learnt = apart(begun())
    sent = [pickle.loads(pickle.dumps(each)) for each in learnt]
    assert_array_equal(average_models(sent).coefs_[0], average_models(learnt).coefs_[0])


def test_functions_of_the_users_are_compared_by_name():
    def square(z):
        return z * z

    def slope(z):
        return 2 * z

    learnt = apart(begun(activation=custom_activation(square, slope)))
    assert average_models(learnt).score(X, Y) >= 0


@pytest.mark.parametrize(
    ("other", "text"),
    [
        (begun(hidden_layer_sizes=(9,)), "its network has another shape"),
        (begun(solver="sgd"), "its optimiser has another memory"),
        (begun(dtype="float64"), "its numbers have another type"),
        (
            MLPClassifier(hidden_layer_sizes=(8,)).partial_fit(X, Y == "no", classes=[False, True]),
            "other classes",
        ),
    ],
)
def test_models_that_do_not_go_back_to_one_are_refused(other, text):
    with pytest.raises(ValueError, match=rf"models\[1\] can't be averaged.*{text}"):
        average_models([begun(), other])


def test_another_unit_of_the_target_is_refused():
    target = X[:, 0]
    models = [
        MLPRegressor(standardize_target=True, random_state=0).partial_fit(X, scale * target)
        for scale in (1, 10)
    ]
    with pytest.raises(ValueError, match="another unit of the target"):
        average_models(models)


@pytest.mark.parametrize(
    ("models", "weights", "error", "text"),
    [
        ([], None, ValueError, "at least one model"),
        (3, None, TypeError, "sequence of fitted models"),
        ([begun(), "model"], None, TypeError, r"models\[1\] is a str"),
        ([begun(), MLPRegressor()], None, TypeError, "all be of one class"),
        ([MLPClassifier()], None, NotFittedError, r"models\[0\] has learnt nothing"),
        ([begun()], [1, 2], ValueError, "one number for each of the 1 models"),
        ([begun()], [-1], ValueError, "must not be negative"),
        ([begun()], [0], ValueError, "sum must be a number above 0"),
        ([begun()], [np.nan], ValueError, "weights must be finite"),
        ([begun()], "a", TypeError, "weights must"),
    ],
)
def test_what_is_wrong_is_named(models, weights, error, text):
    with pytest.raises(error, match=text):
        average_models(models, weights)
