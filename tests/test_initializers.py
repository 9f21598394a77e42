"""First values: distributions, formulas, and independence of the real type."""

from __future__ import annotations

from itertools import chain

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import stats

from fastmlp import MLPClassifier, MLPRegressor
from fastmlp.plan.initializers import INITIALIZERS, initialize
from fastmlp.plan.layout import make_plan
from fastmlp.plan.parameters import bias_views, weight_views

SIZES = [300, 200, 50]


def drawn(init, seed=0, dtype=np.float64, sizes=SIZES, **options):
    """Return (weights, biases) of a network of ``sizes``."""
    plan = make_plan(sizes, ["relu"] * (len(sizes) - 2), "squared_error")
    vector = np.full(plan.n_parameters, np.nan, dtype)
    initialize(plan, vector, init, np.random.RandomState(seed), **options)
    return weight_views(plan, vector), bias_views(plan, vector)


def glorot(fan_in, fan_out):
    return np.sqrt(2 / (fan_in + fan_out))


def kaiming(fan_in, fan_out):
    return np.sqrt(2 / fan_in)


def lecun(fan_in, fan_out):
    return np.sqrt(1 / fan_in)


@pytest.mark.parametrize("init", INITIALIZERS)
def test_every_parameter_is_set_and_reproducible(init):
    first, again = ([*chain(*drawn(init, seed=0))] for _ in range(2))
    for values, same in zip(first, again, strict=True):
        assert np.isfinite(values).all()
        assert_array_equal(values, same)


@pytest.mark.parametrize("init", [name for name in INITIALIZERS if name != "zeros"])
def test_seeds_differ(init):
    for values, others in zip(drawn(init, seed=0)[0], drawn(init, seed=1)[0], strict=True):
        assert (values != others).all()


@pytest.mark.parametrize(
    ("init", "std", "shape"),
    [
        ("glorot_uniform", glorot, "uniform"),
        ("glorot_normal", glorot, "norm"),
        ("kaiming_uniform", kaiming, "uniform"),
        ("kaiming_normal", kaiming, "norm"),
        ("lecun_uniform", lecun, "uniform"),
        ("lecun_normal", lecun, "norm"),
        ("normal", lambda *fans: 0.01, "norm"),
        ("uniform", lambda *fans: 0.05 / np.sqrt(3), "uniform"),
        ("auto", glorot, "uniform"),
    ],
)
def test_distribution(init, std, shape):
    for weights in drawn(init)[0]:
        expected = std(*weights.shape)
        # The standard error of a standard deviation of n values is below std/√(2n).
        assert_allclose(weights.std(), expected, rtol=5 / np.sqrt(2 * weights.size))
        assert abs(weights.mean()) < 5 * expected / np.sqrt(weights.size)
        low, width = -expected * np.sqrt(3), 2 * expected * np.sqrt(3)
        arguments = (low, width) if shape == "uniform" else (0, expected)
        assert stats.kstest(weights.ravel(), shape, arguments).pvalue > 1e-4


@pytest.mark.parametrize("init", [name for name in INITIALIZERS if name != "auto"])
def test_biases_start_at_zero(init):
    assert all((biases == 0).all() for biases in drawn(init)[1])


def test_auto_draws_biases_too():
    for weights, biases in zip(*drawn("auto"), strict=True):
        bound = np.sqrt(6 / sum(weights.shape))
        assert 0.5 * bound < np.abs(biases).max() <= bound


def test_auto_is_narrower_for_logistic_units():
    wide, narrow = (drawn("auto", activation=name)[0] for name in ("tanh", "logistic"))
    for weights, others in zip(wide, narrow, strict=True):
        assert_allclose(weights, np.sqrt(3) * others)


def test_std_of_normal():
    near, far = (drawn("normal", std=std)[0] for std in (0.01, 1.0))
    assert_allclose(100 * near[0], far[0])


def test_range_of_uniform():
    near, far = (drawn("uniform", half_range=half)[0][0] for half in (0.05, 2.0))
    assert_allclose(40 * near, far)
    assert 1.99 < np.abs(far).max() <= 2


@pytest.mark.parametrize("sizes", [(7, 7), (64, 10), (10, 64), (1, 5), (5, 1), (1, 1)])
def test_orthogonal_keeps_lengths(sizes):
    (weights,), _ = drawn("orthogonal", sizes=sizes)
    short = weights if sizes[0] >= sizes[1] else weights.T
    assert_allclose(short.T @ short, np.eye(min(sizes)), atol=1e-14)


def test_orthogonal_prefers_no_direction():
    """Without the signs of R, LAPACK's Q has a diagonal of mostly negative numbers."""
    matrices = np.array([drawn("orthogonal", seed, sizes=(3, 3))[0][0] for seed in range(2000)])
    # Each element of a uniformly distributed rotation or reflection in 3-D is uniform on [-1, 1].
    for element in matrices.reshape(-1, 9).T:
        assert stats.kstest(element, "uniform", (-1, 2)).pvalue > 1e-4
    assert abs(np.mean(np.linalg.det(matrices))) < 5 / np.sqrt(2000)


def test_orthogonal_keeps_signals_through_a_hundred_linear_layers():
    h = np.random.RandomState(1).normal(size=(50, 30))
    lengths = np.linalg.norm(h, axis=1)
    for weights in drawn("orthogonal", sizes=[30] * 101)[0]:
        h = h @ weights
    assert_allclose(np.linalg.norm(h, axis=1), lengths, rtol=1e-12)


def test_three_sigma_rule():
    weights = drawn("normal", std=0.01)[0][0]
    share = (np.abs(weights) < 0.03).mean()
    assert share == pytest.approx(0.9973, abs=0.002)


@pytest.mark.parametrize("init", INITIALIZERS)
def test_real_types_start_from_the_same_point(init):
    for wide, narrow in zip(drawn(init)[0], drawn(init, dtype=np.float32)[0], strict=True):
        assert_array_equal(wide.astype(np.float32), narrow)


def test_kaiming_keeps_the_variance_through_twenty_relu_layers():
    rng = np.random.RandomState(1)
    h = rng.normal(size=(200, 400))
    before = (h**2).mean()
    for weights in drawn("kaiming_normal", sizes=[400] * 21)[0]:
        h = np.maximum(h @ weights, 0)
    assert (h**2).mean() == pytest.approx(before, rel=0.5)


# -- your own values -------------------------------------------------------------------------------

X = np.random.RandomState(0).normal(size=(30, 4))
Y = X[:, 0] - X[:, 1]
W_HIDDEN, W_OUTPUT = np.arange(1.0, 13).reshape(4, 3) / 10, np.array([[1.0], [-2.0], [0.5]])
B_HIDDEN, B_OUTPUT = np.array([0.1, -0.2, 0.3]), np.array([4.0])


def untrained(cls=MLPRegressor, **parameters):
    """Return a model that was fitted by steps too small to move its float64 parameters."""
    options = {"solver": "sgd", "learning_rate_init": 1e-300, "max_iter": 1, "dtype": "float64"}
    return cls(hidden_layer_sizes=(3,), **{**options, **parameters})


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("backend", ["compiled", "numba", "numpy"])
def test_arrays(backend):
    model = untrained(init=[W_HIDDEN, W_OUTPUT.tolist()], backend=backend).fit(X, Y)
    assert_allclose(model.coefs_[0], W_HIDDEN, rtol=1e-15)
    assert_allclose(model.coefs_[1], W_OUTPUT, rtol=1e-15)
    assert all(np.abs(b).max() < 1e-200 for b in model.intercepts_)
    expected = np.maximum(X @ W_HIDDEN, 0) @ W_OUTPUT
    assert_allclose(model.predict(X), expected[:, 0], rtol=1e-12, atol=1e-200)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_arrays_with_biases():
    model = untrained(init=[(W_HIDDEN, B_HIDDEN), (W_OUTPUT, B_OUTPUT)]).fit(X, Y)
    expected = np.maximum(X @ W_HIDDEN + B_HIDDEN, 0) @ W_OUTPUT + B_OUTPUT
    assert_allclose(model.predict(X), expected[:, 0], rtol=1e-12)
    assert_array_equal(W_HIDDEN, np.arange(1.0, 13).reshape(4, 3) / 10)  # not trained in place


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_a_function():
    def init(fan_in, fan_out, rng):
        return rng.standard_t(3, (fan_in, fan_out)), np.full(fan_out, 0.25)

    model = untrained(init=init, random_state=5).fit(X, Y)
    rng = np.random.RandomState(5)
    for weights, biases in zip(model.coefs_, model.intercepts_, strict=True):
        assert_allclose(weights, rng.standard_t(3, weights.shape), rtol=1e-15)
        assert_allclose(biases, 0.25, rtol=1e-15)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_range_reaches_the_estimator():
    model = untrained(init="uniform", init_range=0.5, random_state=0).fit(X, Y)
    largest = max(np.abs(w).max() for w in model.coefs_)
    assert 0.3 < largest <= 0.5


NOT_FINITE = np.where(np.arange(3).reshape(3, 1) == 1, np.nan, W_OUTPUT)


@pytest.mark.parametrize(
    ("init", "error", "text"),
    [
        (3, TypeError, "init must be a name, a function, or a list with an array"),
        (None, ValueError, "init must be one of auto, normal, uniform, zeros"),
        ([W_HIDDEN], ValueError, "init has 1 entries; the network has 2 layers"),
        ([W_HIDDEN.T, W_OUTPUT], ValueError, r"init\[0\]: the weights must have shape \(4, 3\)"),
        ([W_HIDDEN, W_OUTPUT[:, 0]], ValueError, r"init\[1\].* shape \(3, 1\); got \(3,\)"),
        (
            [W_HIDDEN, [[1], [2, 3], [4]]],
            ValueError,
            r"init\[1\]: the weights .* have the same length",
        ),
        ([(W_HIDDEN, B_OUTPUT), W_OUTPUT], ValueError, r"init\[0\]: the biases .* \(3,\)"),
        ([(W_HIDDEN, B_HIDDEN, 1), W_OUTPUT], ValueError, r"init\[0\]: the weights"),
        ([W_HIDDEN, NOT_FINITE], ValueError, r"init\[1\].* finite in float32"),
        ([W_HIDDEN * 1e300, W_OUTPUT], ValueError, r"init\[0\].* finite in float32"),
        ([W_HIDDEN * 1j, W_OUTPUT], TypeError, "real numbers; got dtype complex128"),
        (lambda i, o, rng: np.zeros((o, i)), ValueError, r"init\(4, 3, rng\).* shape \(4, 3\)"),
    ],
)
def test_own_values_that_do_not_fit(init, error, text):
    for model, target in ((MLPRegressor, Y), (MLPClassifier, Y > 0)):
        trial = model(hidden_layer_sizes=(3,), init=init)
        with pytest.raises(error, match=text):
            trial.fit(X, target)
        assert not trial.__sklearn_is_fitted__()
        assert not hasattr(trial, "n_features_in_")
