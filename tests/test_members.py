"""Networks that are trained together, as members of one: TabM-mini, and independent ones."""

from __future__ import annotations

import pickle
from dataclasses import replace

import numpy as np
import pytest
from helpers import (
    REFERENCE,
    Problem,
    make_problem,
    objective_and_gradient,
    outputs_for,
    predict,
    train,
)
from helpers_tolerances import TRAJECTORY, eps

from fastmlp import MLPClassifier, MLPRegressor, Predictor
from fastmlp.backends.protocol import Backend
from fastmlp.network import Network
from fastmlp.plan.layout import make_plan
from fastmlp.plan.members import joint_logits
from fastmlp.plan.parameters import bias_views, weight_views
from fastmlp.plan.records import SCALES
from fastmlp.registry import LOSSES

ADAM = {"optimizer": "adam", "learning_rate": 0.02, "eps": 1e-2}
WITH_ALL = {
    "l1": 0.1,
    "l2": 0.5,
    "weight_decay": 0.1,
    "max_norm": 0.9,
    "input_noise": 0.3,
    "gradient_noise": 0.05,
    "clip_value": 0.02,
    "clip_norm": 0.3,
    "dropouts": (0.2, 0.3, 0.1),
    "weighted": True,
}
MINI = {"n_members": 4, "n_scales": 4, **ADAM}
INDEPENDENT = {"n_members": 3, "n_shared": 0, **ADAM}
LARGE = {"layer_sizes": (96, 520, 33, 10), "n_epochs": 1}
WIDE = {"layer_sizes": (5, 140, 3), "batch_size": 1024, "n_rows": 2100, "n_epochs": 2}
DROPPING = {"dropouts": (0.3, 0.5, 0.2)}

SCENARIOS = {
    "heads only": {"n_members": 2, **ADAM, **DROPPING},
    "mini": MINI,
    "mini and dropout": {**MINI, **DROPPING},
    "mini with all": {**MINI, **WITH_ALL},
    "mini, own batches": {**MINI, **WITH_ALL, "own_batches": True},
    "mini of one layer": {**MINI, "layer_sizes": (70, 9)},
    "mini by norms": {**MINI, "normalizations": ["batch", "layer"], "weighted": True},
    "mini, batch norm, own batches": {
        **MINI, "normalizations": ["batch", "batch"], "weighted": True, "own_batches": True,
    },
    "mini by lamb": {**MINI, "optimizer": "lamb", "clip_norm": 0.3},
    "one output": {**MINI, "layer_sizes": (6, 9, 5, 1), "loss": "squared_error"},
    "large mini": {**MINI, **LARGE},
    "mini that widens": {**MINI, "layer_sizes": (6, 128, 128, 1), "loss": "squared_error"},
    "large mini by lamb": {**MINI, **LARGE, "optimizer": "lamb", "clip_norm": 0.3},
    "wide mini": {**MINI, **WIDE},
    "parametric mini": {**MINI, **DROPPING, "parametric": True},
    "half shared": {**MINI, "n_shared": 1, "n_scales": 1},
    "independent": INDEPENDENT,
    "independent with all": {**INDEPENDENT, **WITH_ALL, "n_scales": 3, "own_batches": True},
    "large independent": {**INDEPENDENT, **LARGE, "max_norm": 0.9},
}  # fmt: skip
every_scenario = pytest.mark.parametrize("scenario", SCENARIOS.values(), ids=SCENARIOS)


@pytest.fixture
def able_backend(backend: Backend) -> Backend:
    """Each backend that has members; the other's refusal has a test of its own."""
    return REFERENCE if backend.name == "numba" else backend


def problem_of(scenario: dict, dtype: np.dtype | type = np.float64) -> Problem:
    """Return a problem whose scales, if it has some, learn twice as fast as all else."""
    problem = make_problem(dtype=dtype, **scenario)
    return replace(problem, plan=problem.plan.with_own_group(SCALES, (2.0, 0.5, 2.0, 1.0)))


@every_scenario
def test_trajectory(able_backend: Backend, dtype, scenario):
    problem = problem_of(scenario, dtype)
    expected = train(REFERENCE, problem.as_float64())
    trained, tolerance = train(able_backend, problem), TRAJECTORY * eps(dtype)
    np.testing.assert_allclose(trained.parameters, expected.parameters, rtol=0, atol=tolerance)
    np.testing.assert_allclose(trained.moments, expected.moments, rtol=0, atol=tolerance)
    np.testing.assert_allclose(trained.totals, expected.totals, rtol=tolerance)


@every_scenario
def test_prediction_and_gradient(able_backend: Backend, dtype, scenario):
    problem = problem_of(scenario, dtype)
    rows = np.random.default_rng(0).integers(len(problem.X), size=237)
    tolerance = 100 * eps(dtype)
    for apply_link in (True, False):
        expected = predict(REFERENCE, problem.as_float64(), apply_link=apply_link)
        for n_threads in (1, 3):
            found = predict(able_backend, problem, None, apply_link, n_threads)
            np.testing.assert_allclose(found, expected, rtol=0, atol=tolerance)
            found = predict(able_backend, problem, rows, apply_link, n_threads)
            np.testing.assert_allclose(found, expected[rows], rtol=0, atol=tolerance)
    _, gradient = objective_and_gradient(able_backend, problem)
    _, expected = objective_and_gradient(REFERENCE, problem.as_float64())
    np.testing.assert_allclose(gradient, expected, rtol=0, atol=tolerance)


@every_scenario
def test_every_number_of_threads(compiled_backend: Backend, dtype, scenario):
    problem = problem_of(scenario, dtype)
    expected = train(compiled_backend, problem, 1)
    for n_threads in (2, 3, 5):
        trained = train(compiled_backend, problem, n_threads)
        np.testing.assert_array_equal(trained.parameters, expected.parameters)
        np.testing.assert_array_equal(trained.moments, expected.moments)
        assert trained.totals == expected.totals


@every_scenario
def test_calls_of_some_batches(compiled_backend: Backend, scenario):
    problem = replace(problem_of(scenario), batch_size=8)
    problem = replace(problem, order=np.ascontiguousarray(problem.order[..., :44]))
    whole, parts = train(compiled_backend, problem), train(compiled_backend, problem, 1, 2)
    np.testing.assert_array_equal(parts.parameters, whole.parameters)


@every_scenario
def test_numerical_gradient(scenario):
    """Of the reference, which the tests above hold the other backends to."""
    small = {"layer_sizes": (4, 6, 3), "dropouts": (0.2, 0.3), "n_rows": 7}
    keys = ("weighted", "l1", "l2", "n_members", "n_scales", "n_shared", "input_noise")
    kept = {key: value for key, value in scenario.items() if key in keys}
    problem, step = problem_of({**small, **kept}), 1e-6
    _, gradient = objective_and_gradient(REFERENCE, problem)
    for index in range(len(gradient)):
        sides = []
        for side in (step, -step):
            moved = problem.parameters.copy()
            moved[index] += side
            totals, _ = objective_and_gradient(REFERENCE, replace(problem, parameters=moved))
            sides.append((totals.cost + totals.penalty) / totals.n_samples)
        slope = (sides[0] - sides[1]) / (2 * step)
        np.testing.assert_allclose(gradient[index], slope, rtol=1e-6, atol=2e-9)


def test_independent_members_are_networks_of_their_own(able_backend: Backend, dtype):
    """Each learns what it would learn alone, by a loss that is a third as steep."""
    scenario = {"optimizer": "sgd", "learning_rate": 0.1}
    together = make_problem(dtype=dtype, n_members=3, n_shared=0, own_batches=True, **scenario)
    trained = train(able_backend, together)
    alone = make_problem(dtype=dtype, **{**scenario, "learning_rate": 0.1 / 3})
    for member, order in enumerate(together.order):
        parameters = alone.parameters.copy()
        copy_member(member, together, together.parameters, alone, parameters)
        problem = replace(alone, X=together.X, target=together.target, order=order.copy())
        found = train(able_backend, replace(problem, parameters=parameters)).parameters
        expected = parameters.copy()
        copy_member(member, together, trained.parameters, alone, expected)
        np.testing.assert_allclose(found, expected, rtol=0, atol=TRAJECTORY * eps(dtype))


def copy_member(member: int, several: Problem, source: np.ndarray, one: Problem, into: np.ndarray):
    """Copy what a member has for itself of ``source`` to a plain network's vector."""
    for views in (weight_views, bias_views):
        pairs = zip(views(several.plan, source), views(one.plan, into), strict=True)
        for all_members, own in pairs:
            own[...] = all_members[member]


@pytest.mark.parametrize("loss", [row.name for row in LOSSES])
def test_joint_logits_have_the_mean_as_their_link(able_backend: Backend, dtype, loss):
    problem = make_problem(loss=loss, dtype=dtype, n_members=5, n_scales=5)
    network = Network(problem.plan, problem.parameters * 3, problem.moments)
    logits = network.forward(able_backend, problem.X, apply_link=False, n_threads=1)
    outputs = network.forward(able_backend, problem.X, apply_link=True, n_threads=1)
    linked = np.empty_like(logits)
    REFERENCE.link(problem.plan.loss, problem.plan.loss_parameters, logits, linked)
    np.testing.assert_allclose(linked, outputs, rtol=1000 * eps(dtype), atol=100 * eps(dtype))


ONE = np.log(np.e - 1)  # softplus of this is 1
SURE = 790 + np.log(2) - np.log1p(np.exp(-10))  # the mean of e⁻⁸⁰⁰ and e⁻⁷⁹⁰ is e to minus this


@pytest.mark.parametrize(
    ("loss", "logits", "expected"),
    [
        ("squared_error", [[1.0], [4.0]], [2.5]),
        ("softmax_cross_entropy", [[800.0, 0.0], [790.0, 0.0]], [0.0, -SURE]),
        ("binary_cross_entropy", [[800.0], [790.0]], [SURE]),
        ("poisson", [[0.0], [np.log(3)]], [np.log(2)]),
        ("gaussian_nll", [[1.0, ONE], [3.0, ONE]], [2.0, np.log(np.expm1(2))]),
        ("pinball", [[0.0, ONE, 0.0], [2.0, ONE, 0.0]], [1.0, ONE, 0.0]),
    ],
)
def test_joint_logits_by_hand(loss, logits, expected):
    quantiles = {"loss_parameters": (0.1, 0.5, 0.9)} if loss == "pinball" else {}
    plan = make_plan([1, len(expected)], [], loss, n_members=2, **quantiles)
    found = joint_logits(plan, np.array(logits).reshape(1, -1))
    np.testing.assert_allclose(found[0], expected, rtol=1e-12, atol=1e-12)


def test_the_variance_of_a_mixture(able_backend: Backend):
    """Means 0 and 2, variances of 1 each: the mixture has mean 1 and variance 2."""
    plan = make_plan([1, outputs_for(LOSSES["gaussian_nll"], 1)], [], "gaussian_nll", n_members=2)
    network = Network.zeros(plan, np.dtype(np.float64), 0)
    network.biases[-1][...] = [[0.0, ONE], [2.0, ONE]]
    outputs = network.forward(able_backend, np.zeros((3, 1)), apply_link=True, n_threads=1)
    np.testing.assert_allclose(outputs, np.tile([1.0, 2.0 + 1e-6], (3, 1)), rtol=1e-12)


# -- estimators -----------------------------------------------------------------------------------

RNG = np.random.RandomState(0)
X = RNG.normal(size=(300, 5))
Y = np.sin(2 * X[:, 0]) + X[:, 1]
CLASSES = np.digitize(Y, [-0.5, 0.5])
COMMON = {
    "max_iter": 15,
    "batch_size": 25,
    "learning_rate_init": 0.01,
    "random_state": 0,
    "n_iter_no_change": 99,
}
FORMS = {
    "mini": {"n_members": 4},
    "mini, own batches": {"n_members": 4, "own_batches": True},
    "mini, scaling": {"n_members": 4, "scaling_layer": True},
    "independent": {"n_members": 3, "members": "independent", "own_batches": True},
}
every_form = pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
unconverged = pytest.mark.filterwarnings("ignore:.*has not converged")


@unconverged
@every_form
def test_a_classifier_of_members(form):
    model = MLPClassifier((20,), **COMMON, **form).fit(X, CLASSES)
    shares = model.predict_proba(X)
    assert model.score(X, CLASSES) > 0.6  # the largest class is 0.4 of all rows
    np.testing.assert_allclose(shares.sum(axis=1), 1, rtol=1e-5)
    np.testing.assert_array_equal(model.predict(X), shares.argmax(axis=1))
    assert model.coefs_[-1].shape == (form["n_members"], 20, 3)
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again.predict_proba(X), shares)
    for rows in (X, X.astype(np.float32)):
        np.testing.assert_allclose(Predictor(model)(rows), model.predict_proba(rows), rtol=1e-6)


@unconverged
@every_form
@pytest.mark.parametrize("loss", ["squared_error", "gaussian_nll", "absolute_error"])
def test_a_regressor_of_members(form, loss):
    weights = RNG.uniform(0.5, 2, len(X))
    model = MLPRegressor(loss, (20,), early_stopping=True, **COMMON, **form)
    model.fit(X, Y, sample_weight=weights)
    assert model.score(X, Y) > 0.5
    assert len(model.validation_scores_) == model.n_iter_


@unconverged
def test_own_batches_differ_from_shared_ones():
    shared, own, again = (
        MLPRegressor(hidden_layer_sizes=(9,), n_members=2, own_batches=own, **COMMON).fit(X, Y)
        for own in (False, True, True)
    )
    assert np.any(shared.coefs_[0] != own.coefs_[0])
    np.testing.assert_array_equal(own.coefs_[0], again.coefs_[0])


@unconverged
@every_form
def test_backends_agree_on_a_fit_of_members(form):
    values = [
        MLPRegressor(hidden_layer_sizes=(9,), backend=name, dtype="float64", **COMMON, **form)
        .fit(X, Y)
        .predict(X)
        for name in ("compiled", "numpy")
    ]
    np.testing.assert_allclose(values[0], values[1], rtol=1e-8)


@unconverged
@pytest.mark.parametrize("members", ["tabm-mini", "independent"])
def test_one_member_is_the_plain_network(members):
    plain, one = (
        MLPClassifier((20,), **COMMON, **more).fit(X, CLASSES)
        for more in ({}, {"n_members": 1, "members": members, "own_batches": True})
    )
    assert one.scales_ is None
    for expected, found in zip(plain.coefs_, one.coefs_, strict=True):
        np.testing.assert_array_equal(found, expected)


@unconverged
def test_members_begin_apart():
    model = MLPRegressor(hidden_layer_sizes=(9,), n_members=6, max_iter=1, random_state=0)
    model.set_params(learning_rate_init=1e-9).fit(X, Y)
    np.testing.assert_allclose(np.abs(model.scales_), 1, atol=1e-6)
    assert len(np.unique(np.sign(model.scales_), axis=0)) > 3
    assert np.all(model.coefs_[-1][0] != model.coefs_[-1][1])


@every_form
def test_partial_fits_go_on_with_the_members(form):
    model = MLPClassifier((9,), random_state=0, learning_rate_init=0.01, **form)
    for _ in range(3):
        model.partial_fit(X, CLASSES, classes=[0, 1, 2])
    assert model.loss_curve_[-1] < model.loss_curve_[0]
    before = [w.copy() for w in model.coefs_]
    with pytest.raises(ValueError, match=r"n_members is now 2, but the network .* has"):
        model.set_params(n_members=2).partial_fit(X, CLASSES)
    for expected, found in zip(before, model.coefs_, strict=True):
        np.testing.assert_array_equal(found, expected)


def test_members_of_another_kind_are_refused():
    model = MLPClassifier((9,), n_members=2).partial_fit(X, CLASSES, classes=[0, 1, 2])
    with pytest.raises(ValueError, match="members or scaling_layer differs from"):
        model.set_params(members="independent").partial_fit(X, CLASSES)


def test_lbfgs_learns_members():
    model = MLPRegressor(solver="lbfgs", n_members=3, hidden_layer_sizes=(5,), max_iter=500)
    assert model.set_params(random_state=0, tol=1e-3).fit(X, Y).score(X, Y) > 0.9


def test_arrays_for_each_member():
    heads = np.arange(12.0).reshape(2, 3, 2)
    init = [np.ones((5, 3)), (heads, np.zeros((2, 2)))]
    model = MLPRegressor(hidden_layer_sizes=(3,), n_members=2, init=init, learning_rate_init=1e-9)
    model.partial_fit(X, np.c_[Y, Y])
    np.testing.assert_allclose(model.coefs_[-1], heads, atol=1e-6)
    model = model.set_params(init=[np.ones((5, 3)), heads[0]])
    with pytest.raises(ValueError, match=r"init\[1\]: the weights must have shape \(2, 3, 2\)"):
        model.fit(X, np.c_[Y, Y])


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ({"n_members": 0}, "n_members must be"),
        ({"n_members": 2.5}, "n_members must be"),
        ({"members": "shared"}, "members must be"),
        ({"n_members": 10**15}, "more parameters than fastmlp can address"),
        (
            {"n_members": 2, "members": "independent", "normalization": "layer"},
            "normalization='layer' needs members='tabm-mini'",
        ),
        ({"n_members": 2, "init": "data_driven"}, "init='data_driven' needs n_members=1"),
        ({"n_members": 2, "backend": "numba"}, "backend='numba' has no n_members=2: use"),
    ],
)
def test_wrong_members_are_refused(wrong, error):
    with pytest.raises((TypeError, ValueError), match=error):
        MLPRegressor(**wrong).fit(X, Y)


def test_numba_predicts_no_members():
    model = MLPRegressor(hidden_layer_sizes=(3,), n_members=2).partial_fit(X, Y)
    with pytest.raises(ValueError, match="backend='numba' has no n_members=2: use"):
        model.set_params(backend="numba").predict(X)
