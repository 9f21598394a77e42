"""The best constant prediction: what it is, and what is said of fits that are worse."""

from __future__ import annotations

import re
import tracemalloc
import warnings

import numpy as np
import pandas as pd
import pytest
from helpers_custom import half_square, half_square_slope
from numpy.testing import assert_allclose
from scipy.optimize import minimize
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning

from fastmlp import MLPClassifier, MLPRegressor, custom_loss
from fastmlp.estimators import constants
from fastmlp.estimators.learnt import learnt_by
from fastmlp.network import Network
from fastmlp.registry import CLASSIFIER_LOSSES, LOSSES, REGRESSOR_LOSSES

N = 60
RNG = np.random.RandomState(0)
X = RNG.normal(size=(N, 2))
Y = X[:, 0] - X[:, 1]
ROWS = np.arange(N)
LABELS = {
    "binary": ROWS % 10 < 2,
    "multiclass": np.repeat([0, 1, 2, 3], [28, 18, 12, 2]),
    "multilabel": np.c_[ROWS % 10 < 2, ROWS % 3 < 1].astype(int),
    "distribution": RNG.dirichlet((2, 1, 0.5), size=N),
}
AMOUNTS = RNG.gamma(1.5, size=(N, 2)) * (0.5, 2) + 0.01
SOME_WEIGHTS = RNG.exponential(size=N)

OF_LABELS = [(name, kind) for name, kinds in CLASSIFIER_LOSSES.items() for kind in kinds]
weighted = pytest.mark.parametrize("weights", [None, SOME_WEIGHTS], ids=["plain", "weighted"])


def network_of(model, y, weights):
    """Return the network, the coder and the target of a model that has hardly been trained."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.set_params(max_iter=1, backend="numpy", dtype="float64").fit(X, y, weights)
    learnt = model._learnt
    return learnt.network, learnt.coder, learnt.coder.encode(np.asarray(y)), model._get_backend()


def cost_of_constant(model, y, weights):
    """Return the cost of ``constant_logits``, and the least that a search from there finds."""
    network, coder, target, backend = network_of(model, y, weights)

    def cost(logits):
        everywhere = np.ascontiguousarray(np.broadcast_to(logits, (N, len(logits))))
        return np.average(network.losses(backend, everywhere, target), weights=weights)

    constant = coder.constant_logits(target, weights, network.plan.loss_parameters)
    options = {"xatol": 1e-8, "fatol": 1e-12, "maxiter": 1500, "maxfev": 1500}
    searches = [
        minimize(cost, constant + shift, method="Nelder-Mead", options=options)
        for shift in (0.0, 0.4 * np.cos(np.arange(len(constant))))
    ]
    return cost(constant), min(search.fun for search in searches)


@weighted
@pytest.mark.parametrize(("loss", "kind"), OF_LABELS)
def test_no_constant_is_better_for_labels(loss, kind, weights):
    model = MLPClassifier((2,), loss=loss, focal_gamma=1.5)
    constant, least = cost_of_constant(model, LABELS[kind], weights)
    assert_allclose(constant, least, rtol=1e-7)


@pytest.mark.parametrize("gamma", [0.0, 0.5, 10.0])
@pytest.mark.parametrize("kind", ["binary", "multiclass"])
def test_no_constant_is_better_for_any_focus(kind, gamma):
    model = MLPClassifier((2,), loss="focal", focal_gamma=gamma)
    constant, least = cost_of_constant(model, LABELS[kind], None)
    assert_allclose(constant, least, rtol=1e-6)


@weighted
@pytest.mark.parametrize("loss", dict.fromkeys(REGRESSOR_LOSSES.values()))
def test_no_constant_is_better_for_numbers(loss, weights):
    model = MLPRegressor(loss, (2,), quantiles=[0.1, 0.6, 0.9], huber_delta=0.3, smooth_l1_beta=0.4)
    constant, least = cost_of_constant(model, AMOUNTS, weights)
    assert_allclose(constant, least, rtol=1e-6)


@pytest.mark.parametrize("loss", ["huber", "smooth_l1", "log_cosh"])
def test_a_loss_whose_slope_is_not_known_is_asked_for_it(loss, monkeypatch):
    row, parameters, levels = LOSSES[loss], LOSSES[loss].default_parameters, np.array([0.5])
    target = np.random.RandomState(1).gamma(1, size=(30, 2))
    known = constants.real_constant(row, target, None, levels, parameters)
    monkeypatch.setattr(constants, "_SLOPES", {})
    found = constants.real_constant(row, target, None, levels, parameters)
    assert_allclose(found, known, rtol=1e-9)
    assert np.abs(known - target.mean(axis=0)).min() > 0.01


def test_quantiles_that_coincide_come_close():
    """Softplus makes no steps of 0."""
    y = np.where(ROWS < 3, 1.0, 0.0)
    model = MLPRegressor("pinball", (2,), quantiles=[0.1, 0.5, 0.9])
    constant, least = cost_of_constant(model, y, None)
    assert least < constant < least + 0.01 * y.std()


def test_a_name_makes_no_loss():
    """The constant for a loss of the user's is the mean, whatever it is called."""
    own = custom_loss(half_square, half_square_slope, name="absolute_error")
    network, coder, target, _ = network_of(MLPRegressor(own, (2,)), AMOUNTS[:, 0], None)
    constant = coder.constant_logits(target, None, network.plan.loss_parameters)
    assert_allclose(constant, AMOUNTS[:, 0].mean())


# -- fits that are worse ---------------------------------------------------------------------------


def said_of(model, y, X=X, weights=None):
    """Return what a fit warns of, but for epochs that were too few."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model.set_params(random_state=0).fit(X, y, weights)
    texts = [str(warning.message) for warning in caught]
    assert all(warning.category is ConvergenceWarning for warning in caught)
    return [text for text in texts if not text.endswith("loosen tol.")]


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_a_target_out_of_scale(solver):
    model = MLPRegressor(hidden_layer_sizes=(4,), max_iter=2, solver=solver, max_fun=1)
    (text,) = said_of(model, 1000 + Y)
    assert text.startswith("The fit has not converged: ")
    assert "predicts the training rows worse than a constant does: its cost is " in text
    assert text.endswith(
        f"y has the mean 1e+03 and the standard deviation {Y.std():.2g}: set "
        "standardize_target=True."
    )
    (text,) = said_of(model, np.c_[Y, Y - 500])
    assert "Column 1 of y has the mean -5e+02" in text


@pytest.mark.parametrize("scale", [1e5, 1e-4])
def test_features_out_of_scale(scale):
    frame = pd.DataFrame({"metres": X[:, 0] * scale, "share": X[:, 1] * min(scale, 1)})
    model = MLPClassifier((4,), max_iter=20)
    (text,) = said_of(model, LABELS["binary"], frame)
    size = np.sqrt((frame["metres"] ** 2).mean())
    assert (
        f"Column 'metres' of X is about {size:.2g} in size, but networks learn best from values of "
        "about 1: put" in text
    )
    (text,) = said_of(model, LABELS["binary"], frame.to_numpy())
    assert "Column 0 of X" in text


def test_a_fit_that_ended_by_itself_can_be_worse_too():
    model = MLPRegressor(hidden_layer_sizes=(4,), tol=1e9, n_iter_no_change=1)
    (text,) = said_of(model, Y)
    assert text.startswith("Training loss did not improve more than tol=")
    assert text.endswith("Lower learning_rate_init or train for longer.")


def test_a_density_whose_cost_is_negative():
    """As much as a constant is nothing to warn of, a little less is."""
    y = np.random.RandomState(1).normal(scale=0.15, size=N)
    model = MLPRegressor("gaussian_nll", (4,), init="zeros", learning_rate_init=1e-30, max_iter=1)
    model.set_params(standardize_target=False)
    assert said_of(model, y) == []
    assert model.cost(X, y) < -1
    (text,) = said_of(model.set_params(init="normal", init_std=0.2), y)
    assert "worse than a constant does: its cost is -1" in text


def test_the_network_that_early_stopping_keeps_is_judged():
    """Nothing of 50 is held out, so that the first epoch, which has learnt nothing, is kept."""
    rng = np.random.RandomState(6)
    y, far = np.zeros(300), rng.normal(size=(300, 3))
    paid = np.random.RandomState(1).choice(300, 12, replace=False)
    y[paid], far[paid, 0] = 50, far[paid, 0] + 4
    model = MLPRegressor(hidden_layer_sizes=(20,), learning_rate_init=0.01, early_stopping=True)
    with pytest.warns(UserWarning, match="raise validation_fraction|worse") as caught:
        model.set_params(random_state=1).fit(far, y)
    assert "Stopping. The network predicts the training rows worse" in str(caught[1].message)
    # Of 12 in 270 rows a constant explains nothing, and the last epoch much.
    assert model.loss_curve_[-1] < 0.9 * np.var([50] * 12 + [0] * 258) / 2


@pytest.mark.parametrize(
    ("y", "weights"),
    [
        (Y, None),
        (np.full(N, 3.0), None),
        (np.where(ROWS < 5, 9.0, 3.0), (ROWS >= 5).astype(float)),
    ],
    ids=["learnt", "constant", "constant where it counts"],
)
def test_nothing_is_said_of_other_fits(y, weights):
    model = MLPRegressor(hidden_layer_sizes=(8,), solver="lbfgs")
    assert said_of(model, y, weights=weights) == []


def test_memory_does_not_grow_with_the_rows_times_the_classes():
    y = np.arange(40_000) % 100
    few = np.random.RandomState(0).normal(size=(40_000, 1)).astype(np.float32)
    model = MLPClassifier((), max_iter=1, backend="compiled", learning_rate_init=1e-30)
    said_of(model, y[:500], few[:500])
    tracemalloc.start()
    try:
        said_of(model, y, few)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 40_000 * 100 * 4


# -- many rows -------------------------------------------------------------------------------------


def unlearnt(n_rows, weight, **parameters):
    """Return a line y = w x that has seen its rows once and learnt nothing, the rows and targets.

    The targets have the mean 0 and the variance 1, so the constant's cost is ½ and the line's
    ½ (1 + w²).
    """
    table = np.resize([[-1.0], [1.0]], (n_rows, 1))
    y = np.resize([-1.0, -1.0, 1.0, 1.0], n_rows)
    init = [(np.array([[weight]]), np.zeros(1))]
    model = MLPRegressor(hidden_layer_sizes=(), init=init, learning_rate_init=1e-30, max_iter=1)
    return model.set_params(**parameters), table, y


def test_the_rows_that_judge_a_fit_are_few(monkeypatch):
    """One in 64 that the epochs went through, 1024 at least: the forecast of all cost a third."""
    predicted = []
    plain = Network.forward

    def forward(self, backend, X, rows=None, **options):
        predicted.append(len(X) if rows is None else len(rows))
        return plain(self, backend, X, rows, **options)

    monkeypatch.setattr(Network, "forward", forward)
    for n_rows, n_epochs, expected in (
        (1024, 1, 1024),
        (6000, 1, 1024),
        (20_000, 1, 1024),
        (20_000, 4, 1250),
        (6000, 70, 6000),
        (600_000, 2, 16_384),
    ):
        predicted.clear()
        model, table, y = unlearnt(n_rows, 0.5, max_iter=n_epochs, n_iter_no_change=n_epochs)
        (text,) = said_of(model, y, table)
        assert predicted == [expected]
        some = "" if expected == n_rows else f"on {expected} of them "
        assert f" worse than a constant does: {some}its cost is " in text


@pytest.mark.parametrize("shuffle", [True, False])
def test_rows_that_come_by_turns_are_judged_as_all_are(shuffle):
    """Every fourth row, or every eighth, has one target only, which would be no constant's."""
    for n_rows in (4096, 8192, 10_001):
        model, table, y = unlearnt(n_rows, 0.5, shuffle=shuffle)
        (text,) = said_of(model, y, table)
        numbers = re.findall(r"(?:is|constant's) ([0-9.]+\d)", text)
        cost, constant = map(float, numbers)
        assert cost == pytest.approx(0.625, rel=0.02)
        assert constant == pytest.approx(0.5, rel=0.02)


def test_what_may_be_due_to_the_choice_of_rows_is_nothing_to_warn_of():
    """A line of slope w costs w²/2 more: on 1024 rows the error of that is about w/32."""
    for weight, n_texts in ((0.01, 0), (-0.01, 0), (0.2, 1), (-0.2, 1)):
        model, table, y = unlearnt(20_000, weight)
        assert len(said_of(model, y, table)) == n_texts
        model, table, y = unlearnt(1000, weight)  # all of which are looked at
        assert len(said_of(model, y, table)) == 1


def test_a_fit_hardly_better_on_some_rows_names_what_is_out_of_scale():
    model, table, y = unlearnt(20_000, 0.0, init=[(np.array([[1e-7]]), np.zeros(1))])
    (text,) = said_of(model, y, 1e3 * table)
    assert re.search(r"(no|hardly) better than a constant does: on 1024 of them its cost is", text)
    assert "Column 0 of X is about 1e+03 in size, but" in text


def test_every_loss_is_a_row():
    rows = {name for kinds in CLASSIFIER_LOSSES.values() for name in kinds.values()}
    assert rows | set(REGRESSOR_LOSSES.values()) == set(LOSSES.names)


@pytest.mark.parametrize("loss", ["squared_error", "poisson"])
def test_one_of_several_targets_is_not_learnt(loss):
    """Its cost is nothing beside that of the other one, so the sum does not show it."""
    rng = np.random.RandomState(0)
    table = rng.normal(size=(400, 3))
    y = np.c_[table[:, 0], table[:, 1] * 0.001]
    y = np.abs(y) + 1e-6 if loss == "poisson" else y
    model = MLPRegressor(loss, (20,), learning_rate_init=0.01, max_iter=400)
    (text,) = said_of(model, y, table)
    assert "predicts column 1 of y worse than a constant does: its error is " in text
    assert " times the constant's. " in text
    assert text.endswith("Set standardize_target=True, so that all columns count equally.")
    assert said_of(model.set_params(standardize_target=True), y, table) == []


def test_a_target_of_noise_beside_one_of_the_same_scale():
    """Its column is not to blame, so the advice is not to standardise."""
    rng = np.random.RandomState(0)
    table = rng.normal(size=(400, 3))
    y = np.c_[table[:, 0], rng.normal(size=400)]
    model = MLPRegressor("squared_error", (20,), learning_rate_init=0.01, max_iter=40)
    assert said_of(model, y, table) == []
    coder = learnt_by(model).coder
    assert coder.worst_target(model.predict(table), y, None) is None
    text = coder.worst_target(np.c_[y[:, 0], 2 * y.mean(0)[1] - y[:, 1]], y, np.ones(400))
    assert text.startswith("The network predicts column 1 of y worse than a constant does: ")
    assert text.endswith(
        "error is 4 times the constant's. Train for longer, or lower learning_rate_init."
    )


def test_a_target_that_is_learnt_in_sorted_data():
    """The first rows alone have a target that hardly varies, and would look unlearnt."""
    rng = np.random.RandomState(0)
    table = rng.normal(size=(20000, 2))
    table = table[np.argsort(table[:, 0])]
    y = np.c_[np.maximum(table[:, 0], -0.8) + 0.02 * rng.normal(size=20000), table[:, 1]]
    model = MLPRegressor("squared_error", (8,), shuffle=False, max_iter=12)
    assert said_of(model, y, table) == []
    spread = np.mean((model.predict(table[:4096]) - y[:4096]) ** 2, axis=0) / y[:4096].var(axis=0)
    assert spread[0] > 1  # else the test would show nothing


@pytest.mark.parametrize("parameters", [{"standardize_target": "mean"}, {"loss": "gaussian_nll"}])
def test_a_row_without_weight_is_not_out_of_scale(parameters):
    rng = np.random.RandomState(0)
    table, y, weights = rng.normal(size=(200, 3)), rng.normal(size=200), np.r_[np.ones(199), 0]
    table[-1], y[-1] = 1e6, 1e6
    model = MLPRegressor(hidden_layer_sizes=(3,), max_iter=20, **parameters)
    named = ("of X is about", "far from the center", "has the mean")
    assert not any(name in text for text in said_of(model, y, table, weights) for name in named)
    assert any(name in text for text in said_of(model, y, table) for name in named)


def test_quantiles_do_not_begin_at_a_row_without_weight():
    rng = np.random.RandomState(0)
    table, y = rng.normal(size=(201, 3)), np.r_[rng.normal(size=200), 1e4]
    weights = np.r_[np.ones(200), 0]
    model = MLPRegressor("pinball", quantiles=[0.1, 0.101, 0.5], learning_rate_init=1e-12)
    model.set_params(random_state=0, batch_size=200)
    biases = model.partial_fit(table[:-1], y[:-1]).intercepts_[-1].copy()
    again = clone(model).set_params(batch_size=201).partial_fit(table, y, weights)
    assert_allclose(again.intercepts_[-1], biases, rtol=1e-5)
