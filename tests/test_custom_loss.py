"""Losses that the user writes: compiled, checked, trained with, pickled."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest
from helpers import REFERENCE, make_problem, objective_and_gradient, predict, train
from helpers_custom import half_square, half_square_slope, log_cosh, log_cosh_slope
from sklearn.base import clone

from fastmlp import MLPRegressor, Predictor, custom_loss
from fastmlp.backends.numba_jit import binding
from fastmlp.backends.numba_jit.binding import evaluate_loss

X = np.random.default_rng(0).normal(size=(90, 3))
Y = np.stack([np.sin(X[:, 0]), X[:, 1] * X[:, 2]], axis=1)
OWN = custom_loss(half_square, half_square_slope)
LOG_COSH = custom_loss(log_cosh, log_cosh_slope)


def fit(loss, y=Y, **parameters):
    model = MLPRegressor(loss, (8,), dtype="float64", random_state=0, max_iter=6, tol=0)
    with pytest.warns(match="not converged"):
        return model.set_params(**parameters).fit(X, y, sample_weight=np.linspace(0.5, 2, len(X)))


@pytest.mark.parametrize("shape", [(1, 1), (17, 1), (64, 1), (1, 5), (3, 16), (5, 33)])
def test_the_loop_adds_over_outputs(dtype, shape):
    rng = np.random.default_rng(0)
    z, y = rng.normal(size=shape).astype(dtype), rng.normal(size=shape).astype(dtype)
    values, gradient = evaluate_loss(LOG_COSH, z, y)
    expected = np.log(np.cosh(z.astype(np.float64) - y)).sum(axis=1)
    tolerance = 8 * np.finfo(dtype).eps
    np.testing.assert_allclose(values, expected, rtol=tolerance, atol=tolerance * shape[1])
    np.testing.assert_allclose(gradient, np.tanh(z - y), atol=tolerance)
    terms, each = LOG_COSH.each(z, y)
    np.testing.assert_allclose(terms.sum(axis=1), expected, atol=tolerance * shape[1])
    np.testing.assert_allclose(each, gradient, atol=tolerance)


@pytest.mark.parametrize("n_outputs", [1, 3])
@pytest.mark.parametrize("weighted", [False, True])
def test_training_equals_the_built_in_loss(backend, weighted, n_outputs):
    same = {"layer_sizes": (6, 9, 5, n_outputs), "weighted": weighted, "learning_rate": 0.05}
    built_in, own = make_problem(loss="squared_error", **same), make_problem(loss=OWN, **same)
    expected, trained = train(REFERENCE, built_in), train(backend, own, n_threads=2)
    np.testing.assert_allclose(trained.parameters, expected.parameters, rtol=0, atol=1e-10)
    np.testing.assert_allclose(trained.totals, expected.totals, rtol=1e-12)
    expected_prediction = predict(REFERENCE, built_in)
    np.testing.assert_allclose(predict(backend, own), expected_prediction, rtol=0, atol=1e-13)
    totals, gradient = objective_and_gradient(backend, own)
    expected_totals, expected_gradient = objective_and_gradient(REFERENCE, built_in)
    np.testing.assert_allclose(totals, expected_totals, rtol=1e-12)
    np.testing.assert_allclose(gradient, expected_gradient, atol=1e-12)


@pytest.mark.parametrize("n_outputs", [1, 3])
def test_threads_change_no_bit(threaded_backend, dtype, n_outputs):
    problem = make_problem((6, 9, 5, n_outputs), loss=LOG_COSH, dtype=dtype, n_rows=300)
    one, two = (train(threaded_backend, problem, n_threads=n) for n in (1, 2))
    np.testing.assert_array_equal(one.parameters, two.parameters)


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_an_estimator_reports_the_sum_over_outputs(backend, solver):
    built_in, own = (
        fit(loss, backend=backend.name, solver=solver) for loss in ("squared_error", OWN)
    )
    np.testing.assert_allclose(own.predict(X), built_in.predict(X), rtol=1e-6)
    np.testing.assert_allclose(own.cost_curve_, 2 * np.array(built_in.cost_curve_), rtol=1e-9)
    np.testing.assert_allclose(own.loss_per_sample(X, Y), 2 * built_in.loss_per_sample(X, Y))
    assert own.out_activation_ == "identity"


def test_the_numpy_backend_compiles_nothing(monkeypatch):
    methods = ("loss_per_sample", "cost", "objective")
    model = fit(LOG_COSH)
    expected = [getattr(model, method)(X, Y) for method in methods]

    def refuse(*arguments):
        raise AssertionError("compiled")

    monkeypatch.setattr(binding, "loss_callback", refuse)
    with pytest.raises(AssertionError, match="compiled"):
        MLPRegressor(LOG_COSH).fit(X, Y)
    model = fit(LOG_COSH, backend="numpy")
    for method, value in zip(methods, expected, strict=True):
        np.testing.assert_allclose(getattr(model, method)(X, Y), value, rtol=1e-9)


def test_early_stopping_and_predictor():
    model = fit(LOG_COSH, early_stopping=True)
    np.testing.assert_allclose(Predictor(model)(X), model.predict(X))


def test_it_is_cloned_copied_and_pickled(backend):
    model = fit(LOG_COSH, y=Y[:, 0], backend=backend.name)
    again = pickle.loads(pickle.dumps(model))
    assert again.loss == clone(model).loss == copy.deepcopy(LOG_COSH) == LOG_COSH
    np.testing.assert_array_equal(again.predict(X), model.predict(X))
    with pytest.warns(match="not converged"):
        again.set_params(warm_start=True).fit(X, Y[:, 0])


def test_repr_equality_and_name():
    assert repr(OWN) == "custom_loss(half_square, half_square_slope)"
    named = custom_loss(half_square, half_square_slope, name="mine")
    assert repr(named) == "custom_loss(half_square, half_square_slope, name='mine')"
    assert len({OWN, LOG_COSH, custom_loss(half_square, half_square_slope)}) == 2


# -- bad input ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "grad", "message"),
    [
        (half_square, lambda p, t: t - p, r"at prediction = .*, target = .* it gives .*, but diff"),
        (
            half_square,
            lambda p, t: 2 * (p - t),
            r"grad \(.*\) is not the derivative of value \(half",
        ),
        (lambda p, t: [p, t], half_square_slope, "Numba cannot compile value|must return one real"),
        (half_square, lambda p, t: (p, t), r"grad \(.*\) must return one real number"),
    ],
)
def test_wrong_functions(value, grad, message):
    with pytest.raises(ValueError, match=message):
        custom_loss(value, grad)


def test_functions_of_one_number_are_refused():
    with pytest.raises(TypeError, match=r"custom_loss: grad must take 2 number\(s\)"):
        custom_loss(half_square, lambda p: p)


def test_kinks_and_targets_outside_the_domain_pass():
    custom_loss(lambda p, t: abs(p - t), lambda p, t: 1.0 if p > t else -1.0)
    custom_loss(lambda p, t: abs(p - t) if t > 0 else np.nan, lambda p, t: 1.0 if p > t else -1.0)


def refusing_negative_targets(prediction, target):
    if target < -20:
        raise ValueError("target")
    return prediction - target


def test_what_can_raise_is_refused(capfd):
    for role, functions in (
        ("value", (refusing_negative_targets, half_square_slope)),
        ("grad", (half_square, refusing_negative_targets)),
    ):
        with pytest.raises(ValueError, match=rf"^custom_loss: {role} \(refusing.* can raise"):
            custom_loss(*functions)
    assert capfd.readouterr().err == ""


TABLE = np.arange(201.0)


def looked_up(prediction, target):
    return TABLE[int(abs(prediction - target))]


def test_what_could_read_foreign_memory_is_refused():
    for role, functions in (
        ("value", (looked_up, half_square_slope)),
        ("grad", (half_square, looked_up)),
    ):
        message = rf"^custom_loss: {role} \(looked_up\) uses the array TABLE \(line \d+\); use .*"
        with pytest.raises(ValueError, match=message):
            custom_loss(*functions)


@pytest.mark.parametrize("loss", [half_square, "squared", None])
@pytest.mark.parametrize("name", ["compiled", "numba", "numpy"])
def test_no_loss(loss, name):
    with pytest.raises(ValueError, match=r"loss must be one of .*, or made by custom_loss; got "):
        MLPRegressor(loss, backend=name).fit(X, Y)
