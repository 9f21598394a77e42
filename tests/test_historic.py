"""McCulloch and Pitts's neuron and Rosenblatt's perceptron as scikit-learn estimators."""

from __future__ import annotations

import pickle
import warnings
from fractions import Fraction

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from helpers_rejection import state_of
from matplotlib import pyplot as plt
from numpy.testing import assert_array_equal
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.model_selection import GridSearchCV
from sklearn.utils.estimator_checks import estimator_checks_generator

from fastmlp import DivergenceError, McCullochPittsNeuron, RosenblattPerceptron
from fastmlp.backends import BACKENDS
from fastmlp.plots import DecisionRegionDisplay

RNG = np.random.RandomState(0)
X = RNG.normal(size=(60, 2))
Y = np.where(X @ [1.0, -2.0] > 0.3, "up", "down")
AND = ([[0, 0], [0, 1], [1, 0], [1, 1]], [0, 0, 0, 1])

#: Check → why it cannot pass.
EXPECTED_FAILURES = {
    "check_sample_weight_equivalence_on_dense_data": (
        "A weight is a factor of the step: a row of weight 2 is visited once an epoch and moves "
        "the weights twice as far, whereas two equal rows are visited twice, and the second visit "
        "need not find a mistake."
    )
}


def checks(estimator):
    """Return scikit-learn's checks as test cases; those that must fail are marked so."""
    cases = estimator_checks_generator(
        estimator, expected_failed_checks=EXPECTED_FAILURES, mark="xfail"
    )
    return [
        pytest.param(
            *(case.values if hasattr(case, "values") else case),
            marks=getattr(case, "marks", ()),
            id=f"{type(estimator).__name__}-{number}",
        )
        for number, case in enumerate(cases)
    ]


@pytest.mark.parametrize(
    ("estimator", "check"),
    # Every backend trains to the same bits, as a test below and those of the kernels hold.
    [*checks(McCullochPittsNeuron()), *checks(RosenblattPerceptron(max_iter=10))],
)
def test_scikit_learns_checks(estimator, check):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        check(estimator)


# -- McCulloch and Pitts --------------------------------------------------------------------------


def test_one_weight_for_all_inputs():
    neuron = McCullochPittsNeuron(weights=2, threshold=3)
    assert_array_equal(neuron.predict([[1, 0, 0], [1, 0.5, 0]]), [0, 1])


def test_a_prediction_leaves_no_trace():
    neuron = McCullochPittsNeuron.and_gate()
    before = dict(vars(neuron))
    neuron.predict(AND[0])
    neuron.predict([[1, 1]])
    assert vars(neuron) == before


def test_classes_are_known_without_a_fit():
    neuron = McCullochPittsNeuron.and_gate()
    assert_array_equal(neuron.classes_, [0, 1])
    assert neuron.classes_[0:1].dtype == neuron.predict(AND[0]).dtype
    neuron.fit(AND[0], ["no", "no", "no", "yes"])
    assert_array_equal(clone(neuron).classes_, [0, 1])
    assert_array_equal(pickle.loads(pickle.dumps(neuron)).classes_, ["no", "yes"])


def test_a_gate_is_drawn_without_a_fit():
    mpl.use("Agg")
    inputs, truth = np.array(AND[0]), np.array(AND[1])
    display = DecisionRegionDisplay.from_estimator(McCullochPittsNeuron.and_gate(), inputs, truth)
    plt.close("all")
    assert_array_equal(display.classes, [0, 1])
    assert_array_equal(display.proba[-1, -1], [0, 1])
    assert_array_equal(display.proba[0, 0], [1, 0])


def test_fit_takes_labels_and_the_number_of_inputs():
    neuron = McCullochPittsNeuron.and_gate().fit(AND[0], ["no", "no", "no", "yes"])
    assert_array_equal(neuron.classes_, ["no", "yes"])
    assert_array_equal(neuron.predict(AND[0]), ["no", "no", "no", "yes"])
    assert neuron.score(*[AND[0], ["no", "no", "no", "yes"]]) == 1
    assert neuron.n_features_in_ == 2
    with pytest.raises(ValueError, match="X has 1 features, but McCullochPittsNeuron"):
        neuron.predict([[1]])


def test_gates_are_estimators():
    gate = clone(McCullochPittsNeuron.nor_gate(3))
    assert gate.get_params() == {"weights": [-1, -1, -1], "threshold": 0}


@pytest.mark.parametrize(
    ("weights", "threshold", "error", "text"),
    [
        ([1, 2, 3], 1, ValueError, r"one for each of the 2 features of X; got shape \(3,\)"),
        ([[1, 2]], 1, ValueError, r"got shape \(1, 2\)"),
        ("1", 1, TypeError, "weights must hold real numbers; got '1'"),
        ([1, None], 1, TypeError, "weights must hold real numbers; got None at index 1"),
        ([1, np.nan], 1, ValueError, "weights must be finite"),
        ([1, [2, 3]], 1, ValueError, "weights must be one value or an array whose rows"),
        (1, np.inf, ValueError, "threshold must be finite; got inf"),
        (1, [1, 2], ValueError, "threshold must be one number"),
        (1, "1", TypeError, "threshold must hold real numbers"),
    ],
)
def test_bad_neurons(weights, threshold, error, text):
    neuron = McCullochPittsNeuron(weights, threshold)
    for act in (neuron.fit, neuron.predict):
        with pytest.raises(error, match=text):
            act(AND[0])
    assert not hasattr(neuron, "n_features_in_")


@pytest.mark.parametrize(
    ("n_inputs", "error", "text"),
    [
        (0, ValueError, "n_inputs must be an integer ≥ 1"),
        (-1, ValueError, "n_inputs must be an integer ≥ 1"),
        (np.timedelta64(2, "s"), TypeError, "n_inputs must be an integer ≥ 1"),
        (2**60, MemoryError, "n_inputs=1152921504606846976 needs as many weights, for which"),
        (10**400, MemoryError, r"n_inputs=10+\.\.\.0+ needs as many weights, for which"),
    ],
)
def test_gates_have_a_number_of_inputs(n_inputs, error, text):
    with pytest.raises(error, match=text):
        McCullochPittsNeuron.and_gate(n_inputs)


def test_sums_beyond_floats_are_refused():
    neuron = McCullochPittsNeuron([1e308, 1e308], 1)
    assert_array_equal(neuron.predict([[0, 0], [1, -1], [0.5, 0.5]]), [0, 0, 1])
    with pytest.raises(ValueError, match=r"sum of row 1 of X is too large for a float; scale"):
        neuron.predict([[0, 0], [10, -10]])


def test_a_threshold_may_be_a_fraction():
    assert_array_equal(McCullochPittsNeuron(1, Fraction(3, 2)).predict(AND[0]), AND[1])


def test_three_labels_are_too_many_for_a_neuron():
    neuron = McCullochPittsNeuron()
    with pytest.raises(ValueError, match="a neuron either rests or fires, but y has 3 classes"):
        neuron.fit(AND[0], [0, 1, 2, 1])


# -- Rosenblatt -----------------------------------------------------------------------------------


def test_and_by_hand():
    """Rows in order from zero weights: each line is (w₀, w₁, b) after an epoch."""
    model = RosenblattPerceptron(shuffle=False, max_iter=6).fit(*AND)
    # Epoch 1: only (1, 1) is wrong → (1, 1, 1). Epoch 2: (0, 0) → b 0, (0, 1) → (1, 0, -1),
    # (1, 1): 0 does not fire → (2, 1, 0). Epoch 3: (0, 1) → (2, 0, -1), (1, 0) → (1, 0, -2),
    # (1, 1) → (2, 1, -1). Epoch 4: (1, 0) → (1, 1, -2), (1, 1) → (2, 2, -1). Epoch 5: (0, 1) →
    # (2, 1, -2). Epoch 6: all are right.
    assert model.mistakes_curve_ == [1, 3, 3, 2, 1, 0]
    assert_array_equal(model.coef_, [[2, 1]])
    assert_array_equal(model.intercept_, [-2])
    assert model.n_iter_ == 6
    assert model.converged_ is True


def test_every_backend_gives_the_same_bits():
    features, labels = load_iris(return_X_y=True)
    models = []
    for name in BACKENDS:
        model = RosenblattPerceptron(0.3, max_iter=30, random_state=0, backend=name)
        with pytest.warns(ConvergenceWarning):
            models.append(model.fit(features, labels))
    for other in models[1:]:
        assert other.mistakes_curve_ == models[0].mistakes_curve_
        assert_array_equal(other.coef_, models[0].coef_)
        assert_array_equal(other.intercept_, models[0].intercept_)
        assert_array_equal(other.decision_function(features), models[0].decision_function(features))


def test_multiclass_is_one_against_the_rest():
    rng = np.random.default_rng(0)
    corners = np.array([[0, 9], [9, 0], [-9, -9]])
    labels = rng.integers(3, size=90)
    features = corners[labels] + rng.normal(size=(90, 2))
    model = RosenblattPerceptron(random_state=0).fit(features, labels)
    assert model.coef_.shape == (3, 2)
    assert model.intercept_.shape == (3,)
    assert model.converged_
    assert model.score(features, labels) == 1
    for unit in range(3):
        alone = RosenblattPerceptron(random_state=0).fit(features, labels == unit)
        assert_array_equal(alone.coef_, model.coef_[[unit]])
        assert model.decision_line(unit) == alone.decision_line()
    scores = model.decision_function(features)
    assert scores.shape == (90, 3)
    assert_array_equal(scores.argmax(axis=1), labels)


@pytest.mark.parametrize(
    ("given", "kept"), [("f4", "f4"), ("f8", "f8"), ("i8", "f8"), ("u1", "f4"), ("f2", "f4")]
)
def test_real_types(given, kept):
    model = RosenblattPerceptron(shuffle=False).fit(np.array(AND[0], given), AND[1])
    assert model.coef_.dtype == model.intercept_.dtype == kept
    assert model.decision_function(AND[0]).dtype == kept
    assert_array_equal(model.predict(AND[0]), AND[1])


def test_eta0_scales_the_weights_only():
    small, large = (RosenblattPerceptron(eta, random_state=0).fit(X, Y) for eta in (0.25, 4))
    assert_array_equal(16 * small.coef_, large.coef_)
    assert small.mistakes_curve_ == large.mistakes_curve_


def test_rows_of_weight_zero_are_left_out():
    weights = np.where(np.arange(60) % 3, 1, 0)
    wrong = np.where(weights > 0, Y, "up")
    weighted = RosenblattPerceptron(shuffle=False).fit(X, wrong, sample_weight=weights)
    removed = RosenblattPerceptron(shuffle=False).fit(X[weights > 0], Y[weights > 0])
    assert weighted.converged_
    assert_array_equal(weighted.coef_, removed.coef_)


def test_a_weight_is_a_factor_of_the_step():
    doubled = RosenblattPerceptron(shuffle=False).fit(X, Y, sample_weight=np.full(60, 2.0))
    assert_array_equal(doubled.coef_, 2 * RosenblattPerceptron(shuffle=False).fit(X, Y).coef_)


def test_partial_fit_by_epochs_is_a_fit():
    whole = RosenblattPerceptron(shuffle=False).fit(X, Y)
    parts = RosenblattPerceptron(shuffle=False)
    for _ in range(whole.n_iter_):
        parts.partial_fit(X, Y, classes=["down", "up"])
    assert_array_equal(parts.coef_, whole.coef_)
    assert parts.mistakes_curve_ == whole.mistakes_curve_
    assert parts.converged_


def test_shuffling_depends_on_the_seed_alone():
    first, same, other = (RosenblattPerceptron(random_state=s).fit(X, Y) for s in (0, 0, 1))
    assert_array_equal(first.coef_, same.coef_)
    assert first.mistakes_curve_ != other.mistakes_curve_


def test_in_scikit_learns_hands():
    model = pickle.loads(pickle.dumps(RosenblattPerceptron(random_state=0).fit(X, Y)))
    assert model.score(X, Y) == 1
    search = GridSearchCV(RosenblattPerceptron(random_state=0), {"eta0": [1, 2]}, cv=3)
    assert search.fit(X, Y).best_score_ > 0.9
    frame = pd.DataFrame(X, columns=["a", "b"])
    assert list(RosenblattPerceptron().fit(frame, Y).feature_names_in_) == ["a", "b"]


@pytest.mark.parametrize(
    ("parameters", "error", "text"),
    [
        ({"eta0": 0}, ValueError, "eta0 must be a finite number > 0; got 0"),
        ({"eta0": "1"}, TypeError, "eta0 must be a finite number > 0"),
        ({"eta0": np.timedelta64(1, "s")}, TypeError, "eta0 must be a finite number > 0"),
        ({"eta0": 10**5000}, ValueError, r"eta0 must be a finite number > 0; got int\(…\)"),
        ({"eta0": Fraction(1, 10**400)}, ValueError, "eta0 must be a finite number > 0; got 0"),
        ({"max_iter": 0}, ValueError, "max_iter must be an integer ≥ 1"),
        ({"shuffle": 1}, TypeError, "shuffle must be True or False"),
        ({"random_state": "x"}, ValueError, "random_state must be None"),
        ({"backend": "cuda"}, ValueError, "backend must be one of compiled, numba, numpy"),
    ],
)
def test_bad_parameters(parameters, error, text):
    model = RosenblattPerceptron(**parameters)
    with pytest.raises(error, match=text):
        model.fit(X, Y)
    assert vars(model) == vars(RosenblattPerceptron(**parameters))


@pytest.mark.parametrize("name", BACKENDS)
@pytest.mark.parametrize(
    ("arguments", "error", "text"),
    [
        ((X[:, 0], Y), ValueError, "X must have two dimensions"),
        ((np.where(X > 2, np.nan, X), Y), ValueError, "X contains NaN"),
        ((X, Y[:5]), ValueError, "same number of rows"),
        ((X, np.full(60, "up")), ValueError, "one class"),
        ((X, np.zeros((60, 2), int)), ValueError, "indicator matrix|one label"),
        ((X, X[:, 0]), ValueError, "y"),
        ((X, Y, np.full(60, -1.0)), ValueError, "sample_weight must not be negative"),
        ((X, Y, (Y == "up").astype(float)), ValueError, "one class"),
        ((X, Y, np.zeros(60)), ValueError, "sample_weight is zero for every row"),
        ((X.astype("f4"), Y, np.full(60, 1e-60)), ValueError, "zero for every row"),
        ((np.sign(X) * 1.5e308, Y), DivergenceError, "became infinite or NaN in epoch"),
    ],
)
def test_bad_data(name, arguments, error, text):
    model = RosenblattPerceptron(backend=name, random_state=0).fit(X[:, :1], X[:, 0] > 0)
    before, learnt = dict(vars(model)), state_of(model)
    with pytest.raises(error, match=text):
        model.fit(*arguments)
    assert vars(model) == before
    np.testing.assert_equal(state_of(model), learnt)


@pytest.mark.parametrize("eta0", [1e300, 1e-300])
def test_steps_beyond_the_real_type(eta0):
    model = RosenblattPerceptron(eta0)
    with pytest.raises(ValueError, match="steps that are too large or too small for float32"):
        model.fit(X.astype(np.float32), Y)
    assert model.fit(X, Y).converged_


def test_bad_partial_fits():
    model = RosenblattPerceptron(random_state=0)
    with pytest.raises(ValueError, match="classes must be given on the first call"):
        model.partial_fit(X, Y)
    model.partial_fit(X, Y, classes=["down", "up"])
    with pytest.raises(ValueError, match="differs from the classes"):
        model.partial_fit(X, Y, classes=["down", "left"])
    with pytest.raises(ValueError, match="labels that are not in classes"):
        model.partial_fit(X, np.where(Y == "up", "left", Y))
    with pytest.raises(ValueError, match="X has 3 features"):
        model.partial_fit(np.ones((60, 3)), Y)


@pytest.mark.parametrize("name", BACKENDS)
@pytest.mark.parametrize(
    ("attributes", "text"),
    [
        ({"coef_": np.ones((1, 1))}, r"coef_ must have shape \(1, 2\)"),
        ({"coef_": np.ones(2)}, r"coef_ must have shape \(1, 2\)"),
        ({"coef_": [["1", "2"]]}, "coef_ must hold real numbers"),
        ({"intercept_": np.ones(0)}, r"intercept_ must have shape \(1,\)"),
        ({"classes_": np.array(["down", "left", "up"])}, "no setter"),
        ({"n_features_in_": 3}, "no setter"),
    ],
)
def test_attributes_that_do_not_fit_are_refused(name, attributes, text):
    model = RosenblattPerceptron(backend=name).fit(X, Y)
    before = model.decision_function(X)
    ((attribute, value),) = attributes.items()
    with pytest.raises((AttributeError, TypeError, ValueError), match=text):
        setattr(model, attribute, value)
    assert_array_equal(model.decision_function(X), before)


@pytest.mark.parametrize(
    ("part", "value", "text"),
    [
        ("coef", np.ones((1, 1)), r"coef_ must have shape \(1, 2\)"),
        ("coef", np.ones((1, 2), int), "coef_ must be an array of float32 or float64"),
        ("intercept", np.ones(1, np.float32), "intercept_ must be an array of"),
        ("classes", np.array(["down", "left", "up"]), r"coef_ must have shape \(3, 2\)"),
        ("n_features", 3, r"coef_ must have shape \(1, 3\)"),
    ],
)
def test_parts_that_do_not_fit_together_are_an_error(part, value, text):
    model = RosenblattPerceptron().fit(X, Y)
    object.__setattr__(model._published, part, value)  # as out of a damaged pickle
    for call in (
        lambda: model.predict(np.ones((3, model.n_features_in_))),
        lambda: model.partial_fit(np.ones((3, model.n_features_in_)), Y[:3]),
    ):
        with pytest.raises(ValueError, match=text):
            call()


def test_a_failed_fit_changes_nothing():
    model = RosenblattPerceptron().fit(X, Y)
    published = model._published
    with pytest.raises(ValueError, match="only one class"):
        model.fit(np.ones((4, 3)), ["up"] * 4)
    assert model._published is published
    assert model.n_features_in_ == 2


def test_weights_set_by_hand_are_used():
    model = RosenblattPerceptron().fit(X, Y)
    model.coef_, model.intercept_ = np.array([[0.0, 1.0]], order="F"), np.array([-0.5])
    assert_array_equal(model.decision_function([[7, 2], [7, 0]]), [1.5, -0.5])


def test_lines_that_are_not_there():
    with pytest.raises(NotFittedError):
        RosenblattPerceptron().decision_line()
    wide = RosenblattPerceptron().fit(np.hstack([X, X]), Y)
    with pytest.raises(ValueError, match="needs two features; the model has 4"):
        wide.decision_line()
    vertical = RosenblattPerceptron().fit([[-1.0, 0], [1.0, 0]], [0, 1])
    with pytest.raises(ValueError, match="w₁ is 0, so it is vertical"):
        vertical.decision_line()
    model = RosenblattPerceptron().fit(X, Y)
    for unit in (1, -1, 0.0, False, np.timedelta64(0, "s")):
        with pytest.raises(ValueError, match="unit must be a row of coef_, 0 to 0"):
            model.decision_line(unit)
