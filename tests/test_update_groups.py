"""Factors of the learning rate for parts of a network, and the parametrisation by W' = √I W."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from helpers import REFERENCE, all_weights, make_recipe
from helpers_rejection import LABELS, X, Y, assert_rejected, classifier, regressor
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone

from fastmlp.optimizers import CLASSES
from fastmlp.plan.layout import make_plan
from fastmlp.plan.update_groups import PARTS, with_factors

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

#: One step of plain descent along −lr · gradient, so that a factor is seen as it is.
ONE_STEP = {
    "solver": "sgd",
    "momentum": 0.0,
    "alpha": 0.0,
    "max_iter": 1,
    "batch_size": 40,
    "normalization": "layer",
    "parametric_activation": True,
    "hidden_layer_sizes": (6, 5),
    "activation": "tanh",
    "learning_rate_init": 0.1,
    "random_state": 0,
    "dtype": "float64",
}
LISTS = ("coefs_", "intercepts_", "norm_gains_", "norm_shifts_", "activation_shares_")


def arrays_of(model):
    """Return all arrays (name, layer) by name and layer."""
    return {
        (name, layer): array
        for name in LISTS
        for layer, array in enumerate(getattr(model, name))
        if array is not None
    }


@pytest.fixture(scope="module")
def steps():
    """Return the first values and the step of each array, without factors."""
    first = arrays_of(regressor(**{**ONE_STEP, "learning_rate_init": 1e-300}).fit(X, Y))
    after = arrays_of(regressor(**ONE_STEP).fit(X, Y))
    return {key: (array, after[key] - array) for key, array in first.items()}


#: The lists that the parts stand for, and the layers.
CONCERNED = {
    "weights": (("coefs_",), (0, 1, 2)),
    "biases": (("intercepts_",), (0, 1, 2)),
    "norms": (("norm_gains_", "norm_shifts_"), (0, 1, 2)),
    "activations": (("activation_shares_",), (0, 1, 2)),
    "first_layer": (LISTS, (0,)),
    "last_layer": (LISTS, (2,)),
}


@pytest.mark.parametrize("part", PARTS)
def test_a_part_learns_at_its_own_rate(part, steps):
    model = regressor(learning_rate_factors={part: 0.25}, **ONE_STEP).fit(X, Y)
    names, layers = CONCERNED[part]
    for (name, layer), array in arrays_of(model).items():
        before, step = steps[name, layer]
        factor = 0.25 if name in names and layer in layers else 1
        assert_allclose(array - before, factor * step, rtol=1e-9, atol=1e-14, err_msg=name)


def test_factors_are_multiplied(steps):
    factors = {"weights": 0.5, "first_layer": 4.0, "biases": 0.0}
    model = regressor(learning_rate_factors=factors, **ONE_STEP).fit(X, Y)
    for (name, layer), array in arrays_of(model).items():
        before, step = steps[name, layer]
        factor = {"coefs_": 0.5, "intercepts_": 0.0}.get(name, 1.0) * (4.0 if layer == 0 else 1)
        assert_allclose(array - before, factor * step, rtol=1e-9, atol=1e-14, err_msg=name)


def test_no_factors_change_no_bit():
    plain = classifier(random_state=0).fit(X, LABELS)
    for factors in ({}, {"biases": 1.0}):
        model = clone(plain).set_params(learning_rate_factors=factors).fit(X, LABELS)
        assert_array_equal(model.predict_proba(X), plain.predict_proba(X))


#: The moments of the others shrink with the gradient, so that the two ways agree but for ε.
OF_OPTIMIZERS = {name: {} for name in CLASSES if name != "radam"} | {
    "sgd": {"momentum": 0.9},
    "adagrad": {"initial_accumulator_value": 0.0},
    "adadelta": {"learning_rate": 1.0},
    "lamb": {"learning_rate": 0.05},
}


@pytest.mark.parametrize("optimizer", OF_OPTIMIZERS)
def test_weights_move_as_if_their_multiples_were_trained(optimizer):
    """W and W' = 3 W (I = 9) on a quadratic, W' by plain updates along ∂L/∂W' = ∂L/∂W / 3."""
    fan_in, fan_out, rng = 9, 4, np.random.default_rng(0)
    n, options = fan_in * fan_out, {"eps": 1e-14, "l2": 0.3, "weight_decay": 0.1}
    options = {"learning_rate": 0.02, **options, **OF_OPTIMIZERS[optimizer]}
    known = vars(CLASSES[optimizer]())
    if "eps" not in known:
        options.pop("eps")
    recipe = make_recipe(optimizer, **options)
    plan = make_plan([fan_in, fan_out], [], "squared_error")
    plan = with_factors(plan, None, "ntk", recipe.rule.optimizer)
    slot, groups = plan.trained_slots[:1], plan.groups
    curvature, target = rng.uniform(0.5, 2, n), rng.normal(size=n)
    w = rng.normal(size=n)
    multiple, moments, others = 3 * w, *(np.zeros((len(recipe.rule.optimizer.moments), n)),) * 2
    others = others.copy()
    start = w.copy()
    for update in recipe.updates(20):
        gradient = curvature * (w - target)
        REFERENCE.optimizer_update(recipe.settings, update, w, gradient, moments, slot, groups, 5.0)
        gradient = curvature * (multiple / 3 - target) / 3
        REFERENCE.optimizer_update(
            recipe.settings, update, multiple, gradient, others, *all_weights(n), 5.0
        )
    assert_allclose(w, multiple / 3, rtol=1e-6, atol=1e-7)
    assert np.abs(w - start).max() > 1e-6


def test_penalties_are_those_of_the_multiples():
    settings = {"hidden_layer_sizes": (6,), "random_state": 0, "dtype": "float64"}
    model = regressor(parametrization="ntk", alpha=0.5, l1=0.3, **settings).fit(X, Y)
    multiples = [np.sqrt(len(w)) * w for w in model.coefs_]
    squares, sizes = (sum((f(w)).sum() for w in multiples) for f in (np.square, np.abs))
    penalty = (0.25 * squares + 0.3 * sizes) / len(X)
    assert_allclose(model.objective(X, Y), model.cost(X, Y) + penalty, rtol=1e-12)


def test_layers_of_all_widths_learn_at_one_relative_rate():
    model = classifier(hidden_layer_sizes=(64, 4), parametrization="ntk", init="lecun_normal")
    model.set_params(random_state=0, max_iter=1, batch_size=40, dtype="float64", epsilon=1e-14)
    first = clone(model).set_params(learning_rate_init=1e-300).fit(X, LABELS)
    model.fit(X, LABELS)
    for before, after in zip(first.coefs_, model.coefs_, strict=True):
        step = np.abs(after - before) * np.sqrt(len(after))  # Adam's first step is the rate
        assert_allclose(step[step > 0], 0.001, rtol=1e-3)


def test_factors_go_with_the_network():
    settings = {"warm_start": True, "parametrization": "ntk", "random_state": 0}
    model = classifier(learning_rate_factors={"biases": 0.1}, **settings).fit(X, LABELS)
    twin = pickle.loads(pickle.dumps(model))
    assert_array_equal(twin.fit(X, LABELS).predict_proba(X), model.fit(X, LABELS).predict_proba(X))
    model.partial_fit(X, LABELS)
    before = model.intercepts_[0].copy()
    model.set_params(learning_rate_factors={"Biases": 0}).partial_fit(X, LABELS)
    assert_array_equal(model.intercepts_[0], before)


@pytest.mark.parametrize(
    ("value", "error", "text"),
    [
        ({"bias": 0.1}, ValueError, "learning_rate_factors: a key must be one of weights, .*Did"),
        ({"biases": -1}, ValueError, r"learning_rate_factors\['biases'\] must be"),
        (
            {"biases": "fast"},
            TypeError,
            r"learning_rate_factors\['biases'\] must be a finite number",
        ),
        (0.1, TypeError, "learning_rate_factors must be a dict of factors"),
    ],
    ids=["key", "sign", "text", "number"],
)
def test_wrong_factors(value, error, text):
    assert_rejected(regressor(learning_rate_factors=value), (X, Y), error, text)


@pytest.mark.parametrize(
    ("name", "value"), [("parametrization", "ntk"), ("learning_rate_factors", {"biases": 0.1})]
)
def test_lbfgs_has_no_rates(name, value):
    text = f"solver='lbfgs' needs a smooth, fixed objective .* set {name}="
    assert_rejected(regressor(solver="lbfgs", **{name: value}), (X, Y), ValueError, text)
