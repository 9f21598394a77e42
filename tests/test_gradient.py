"""``gradient`` of both estimators, held against differences, hand values and steps of training."""

from __future__ import annotations

from inspect import signature

import numpy as np
import pytest
from helpers_custom import log_cosh, log_cosh_slope
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.exceptions import NotFittedError
from sklearn.neural_network import MLPClassifier as SklearnClassifier

from fastmlp import MLPClassifier, MLPRegressor, custom_loss
from fastmlp.backends import BACKENDS

RNG = np.random.default_rng(0)
X = RNG.normal(size=(12, 3))
WEIGHTS = RNG.uniform(0, 2, size=12)
LABELS = np.repeat([0, 1, 2], 4)
REAL = RNG.normal(size=(12, 2))

#: Kind of model → (estimator, parameters, y).
KINDS = {
    "classes": (MLPClassifier, {}, LABELS),
    "two classes": (MLPClassifier, {"activation": "tanh"}, LABELS > 1),
    "labels": (MLPClassifier, {"activation": ["gelu", "silu"]}, (REAL > 0).astype(int)),
    "smoothed": (MLPClassifier, {"label_smoothing": 0.2}, LABELS),
    "focal": (MLPClassifier, {"loss": "focal"}, LABELS),
    "one target": (MLPRegressor, {}, REAL[:, 0]),
    "two targets": (MLPRegressor, {}, REAL),
    "quantiles": (MLPRegressor, {"loss": "pinball", "quantiles": (0.2, 0.7)}, REAL),
    "mean and deviation": (MLPRegressor, {"loss": "gaussian_nll"}, REAL),
    "layer norm": (MLPRegressor, {"normalization": ["layer", None]}, REAL),
    "standardised": (MLPRegressor, {"loss": "huber", "huber_delta": 0.3}, 3 * REAL[:, 0] + 7),
    "standardised squares": (MLPRegressor, {"standardize_target": True}, 3 * REAL[:, 0] + 7),
    "own": (MLPRegressor, {"loss": custom_loss(log_cosh, log_cosh_slope)}, REAL),
    # None of these has a part in the cost.
    "regularised": (
        MLPRegressor,
        {"alpha": 0.3, "l1": 0.2, "dropout": 0.5, "input_dropout": 0.2, "input_noise": 0.3},
        REAL,
    ),
}


def model_of(kind, **more):
    """Return a model (N, 3) → 4 → 3 → outputs after one small step, in float64, with its y."""
    estimator, parameters, y = KINDS[kind]
    options = {"solver": "sgd", "learning_rate_init": 0.01, "dtype": "float64", "random_state": 1}
    model = estimator(hidden_layer_sizes=(4, 3), **{**options, **parameters, **more})
    classes = {"classes": np.unique(y)} if y.ndim == 1 and estimator is MLPClassifier else {}
    return model.partial_fit(X, y, **classes), y


def arrays_of(model):
    """Return the lists of arrays in the order of a gradient's parts."""
    return (
        model.coefs_,
        model.intercepts_,
        model.norm_gains_,
        model.norm_shifts_,
        model.activation_shares_,
    )


def differences(model, y, sample_weight):
    """Return ∂cost/∂parameter of each array, list by list."""
    found = []
    for kind in arrays_of(model):
        found.append([None if array is None else np.empty_like(array) for array in kind])
        for array, slopes in zip(kind, found[-1], strict=True):
            for place in np.ndindex(() if array is None else array.shape):
                if array is None:
                    continue
                before, costs = array[place], []
                for step in (1e-5, -1e-5):
                    array[place] = before + step
                    costs.append(model.cost(X, y, sample_weight))
                array[place] = before
                slopes[place] = (costs[0] - costs[1]) / 2e-5
    return found


@pytest.mark.parametrize("name", BACKENDS)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("sample_weight", [None, WEIGHTS], ids=["alike", "weighted"])
def test_it_is_the_slope_of_the_cost(kind, name, sample_weight):
    model, y = model_of(kind, backend=name)
    gradient = model.gradient(X, y, sample_weight)
    for parts, expected in zip(gradient, differences(model, y, sample_weight), strict=True):
        for part, slopes in zip(parts, expected, strict=True):
            if slopes is None:
                assert part is None
            else:
                assert_allclose(part, slopes, atol=1e-8)


def test_scikit_learn_computes_the_same():
    theirs = SklearnClassifier((4, 3), alpha=0, random_state=0, max_iter=1)
    with pytest.warns(match="iterations"):
        theirs.fit(X, LABELS)
    layers = list(zip(theirs.coefs_, theirs.intercepts_, strict=True))
    ours = MLPClassifier(
        (4, 3), init=layers, dtype="float64", learning_rate_init=1e-300
    ).partial_fit(X, LABELS, classes=[0, 1, 2])
    coefs, intercepts, *_ = ours.gradient(X, LABELS)
    activations = [X, *(np.empty((12, w.shape[1])) for w in theirs.coefs_)]
    buffers = [
        [np.empty_like(part) for part in parts] for parts in (activations[1:], coefs, intercepts)
    ]
    theirs._forward_pass(activations)
    weights = [None] if "sample_weight" in signature(theirs._backprop).parameters else []
    *_, their_coefs, their_intercepts = theirs._backprop(
        X, np.eye(3)[LABELS], *weights, activations, *buffers
    )
    for ours_, theirs_ in zip(coefs + intercepts, their_coefs + their_intercepts, strict=True):
        assert_allclose(ours_, theirs_, atol=1e-14)


@pytest.mark.parametrize("name", BACKENDS)
@pytest.mark.parametrize("sample_weight", [None, WEIGHTS], ids=["alike", "weighted"])
def test_a_step_of_descent_follows_it(name, sample_weight):
    """With batch norm too, whose statistics are those of the batch."""
    model = MLPRegressor(
        hidden_layer_sizes=(4, 3),
        normalization=["batch", "layer"],
        parametric_activation=True,
        solver="sgd",
        momentum=0,
        alpha=0,
        learning_rate_init=0.1,
        dtype="float64",
        backend=name,
        random_state=0,
    ).partial_fit(X, REAL)
    model.norm_gains_[0][:] = [1, 2, -1, 0.5]
    kinds = arrays_of(model)
    before = [[part.copy() for part in parts] for parts in kinds]
    gradient = model.gradient(X, REAL, sample_weight)
    statistics = model.running_means_[0].copy()
    for parts, parts_before in zip(kinds, before, strict=True):
        for part, part_before in zip(parts, parts_before, strict=True):
            assert_array_equal(part, part_before)
    assert_array_equal(model.gradient(X, REAL, sample_weight).coefs[0], gradient.coefs[0])
    assert_array_equal(model.running_means_[0], statistics)
    model.partial_fit(X, REAL, sample_weight=sample_weight)
    after = arrays_of(model)
    for old, new, slopes in zip(before, after, gradient, strict=True):
        for a, b, slope in zip(old, new, slopes, strict=True):
            assert_allclose(a - b, 0.1 * 2 * slope, atol=1e-15)  # two targets, along their sum


def test_fact_11_by_hand():
    """x = (1, 2), target 1, relu, z = (2, 1) = h, output 0: ∂L/∂output = −1."""
    layers = [
        (np.array([[1.0, -1], [0.5, 1]]), np.zeros(2)),
        (np.array([[1.0], [-2]]), np.zeros(1)),
    ]
    model = MLPRegressor(
        hidden_layer_sizes=(2,), init=layers, dtype="float64", learning_rate_init=1e-300
    ).partial_fit([[1.0, 2.0]], [1.0])
    coefs, intercepts, gains, shifts, shares = model.gradient([[1.0, 2.0]], [1.0])
    assert_array_equal(coefs[1], [[-2], [-1]])
    assert_array_equal(coefs[0], [[-1, 2], [-2, 4]])
    assert_array_equal(intercepts[0], [-1, 2])
    assert_array_equal(intercepts[1], [-1])
    assert gains == shifts == shares == [None]


def test_float32_and_bytes():
    pixels = np.arange(36, dtype=np.uint8).reshape(12, 3)
    model, _ = model_of("classes", dtype="float32")
    expected = model.gradient(pixels.astype(float), LABELS)
    for part, same in zip(model.gradient(pixels, LABELS).coefs, expected.coefs, strict=True):
        assert part.dtype == np.float32
        assert_array_equal(part, same)


def test_what_it_needs():
    with pytest.raises(NotFittedError):
        MLPRegressor().gradient(X, REAL)
    model, y = model_of("one target")
    with pytest.raises(ValueError, match="X has 2 features"):
        model.gradient(X[:, :2], y)
    with pytest.raises(ValueError, match="y has 2 columns, but the network was made for 1"):
        model.gradient(X, REAL)
    with pytest.raises(ValueError, match=r"sample_weight must have shape \(12,\)"):
        model.gradient(X, y, WEIGHTS[:3])
    with pytest.raises(ValueError, match="sample_weight is zero for every row"):
        model.gradient(X, y, np.zeros(12))
    normalized, _ = model_of("one target", normalization="batch")
    with pytest.raises(ValueError, match="batch"):
        normalized.gradient(X[:1], y[:1])


def test_batch_norm_of_one_row_with_a_weight():
    X, y = np.random.RandomState(0).normal(size=(2, 20, 3))
    model = MLPRegressor(hidden_layer_sizes=(4,), normalization="batch").partial_fit(X, y)
    weights = np.zeros(20)
    weights[3] = 1.0
    with pytest.raises(ValueError, match="two rows or more to train on; sample_weight leaves one"):
        model.gradient(X, y, weights)
