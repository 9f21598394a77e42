"""The table of the estimators' parameters beside their constructors, and beside what fits do."""

from __future__ import annotations

import inspect

import numpy as np
import pytest

from fastmlp import MLPClassifier, MLPRegressor
from fastmlp.registry import SOLVERS
from fastmlp.validation.parameter_table import BY_TASK, PARAMETERS

CLASSES = {"classifier": MLPClassifier, "regressor": MLPRegressor}
RNG = np.random.RandomState(3)
X = RNG.uniform(-2, 2, size=(30, 3))
Y = X[:, 0] + np.sin(3 * X[:, 1])

#: Parameter → another value than the default, which changes a fit that uses it, and, where it needs
#: them, values of others.
OTHER_VALUES = {
    "own_batches": (True, {"n_members": 2}),
    "batch_size": (7, {}),
    "learning_rate": ("exponential", {}),
    "power_t": (0.1, {"learning_rate": "invscaling"}),
    "learning_rate_init": (0.02, {}),
    "shuffle": (False, {}),
    "momentum": (0.3, {}),
    "nesterovs_momentum": (False, {}),
    "early_stopping": (True, {}),
    "validation_fraction": (0.4, {"early_stopping": True}),
    "validation_split": ([(range(3, 20), range(3))], {"early_stopping": True}),
    # Judged so, the first epoch is the best.
    "restore_best": (False, {"early_stopping": True, "scoring": lambda model, *_: -model.n_iter_}),
    "averaging": ("ema", {}),
    "learning_rate_factors": ({"biases": 0.1}, {}),
    "parametrization": ("ntk", {"alpha": 0.1}),
    "beta_1": (0.5, {}),
    "beta_2": (0.8, {}),
    "epsilon": (0.1, {}),
    "n_iter_no_change": (1, {"tol": 1e3}),
    "max_fun": (2, {}),
    "gradient_noise_decay": (2.0, {"gradient_noise": 0.5}),
    "batch_norm_momentum": (0.7, {"normalization": "batch"}),
    "dropout": (0.5, {}),
    "input_dropout": (0.5, {}),
    "l1": (0.5, {}),
    "weight_decay": (0.5, {}),
    "max_norm": (0.1, {}),
    "input_noise": (0.5, {}),
    "gradient_noise": (0.5, {}),
    "clip_value": (0.001, {}),
    "clip_norm": (0.001, {}),
}
OF_SOME_SOLVERS = [row for row in PARAMETERS if row.solvers != tuple(SOLVERS)]


@pytest.mark.parametrize("task", CLASSES)
def test_constructor_is_as_the_table_says(task):
    _, *arguments = inspect.signature(CLASSES[task].__init__).parameters.values()
    kinds = {True: inspect.Parameter.POSITIONAL_OR_KEYWORD, False: inspect.Parameter.KEYWORD_ONLY}
    wanted = [
        inspect.Parameter(
            row.name, kinds[row.positional], default=row.default, annotation=row.annotation
        )
        for row in BY_TASK[task].values()
    ]
    assert arguments == wanted
    assert [type(each.default) for each in arguments] == [type(each.default) for each in wanted]


@pytest.mark.parametrize("task", CLASSES)
def test_every_parameter_is_documented(task):
    text = inspect.getdoc(CLASSES[task])
    for row in BY_TASK[task].values():
        assert text.count(f"\n{row.documentation}\n") == 1
        assert len(row.documentation.splitlines()) > 1
    assert "{" not in text.replace('{"', "")  # no gap is left


@pytest.mark.parametrize("row", PARAMETERS, ids=lambda row: f"{row.name}-{row.task}")
def test_defaults_pass_their_rules(row):
    assert row.rule(row.name, row.default) == row.default


def predictions(solver, **others):
    """Return what a short fit predicts for its rows."""
    settings = {"hidden_layer_sizes": (4,), "max_iter": 4, "batch_size": 8, "random_state": 0}
    return MLPRegressor(solver=solver, **{**settings, **others}).fit(X, Y).predict(X)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("row", OF_SOME_SOLVERS, ids=lambda row: row.name)
def test_the_solvers_of_a_parameter_use_it_and_others_do_not(row):
    value, others = OTHER_VALUES[row.name]
    for solver in SOLVERS:
        if row.refused_by(solver, value) or (solver == "lbfgs" and "gradient_noise" in others):
            with pytest.raises(ValueError, match=r"^solver='lbfgs' needs"):
                predictions(solver, **others, **{row.name: value})
            continue
        same = np.array_equal(
            predictions(solver, **others), predictions(solver, **others, **{row.name: value})
        )
        assert same == (solver not in row.solvers), solver


def test_values_of_all_parameters_that_some_solvers_use_are_tried():
    assert OTHER_VALUES.keys() == {row.name for row in OF_SOME_SOLVERS}


@pytest.mark.parametrize("name", [row.name for row in PARAMETERS if row.real])
def test_real_parameters_must_fit_the_network_type(name):
    task = next(row.task for row in PARAMETERS if row.name == name) or "regressor"
    model = CLASSES[task](**{name: 1e300})
    with pytest.raises(ValueError, match=rf"^{name} must be at most 3.4e\+38 for dtype float32"):
        model.fit(X, Y > 0 if task == "classifier" else Y)


@pytest.mark.parametrize("name", [row.name for row in PARAMETERS if row.divisor])
def test_divisors_must_not_vanish_in_the_network_type(name):
    with pytest.raises(ValueError, match=rf"^{name} must be at least 1.2e-38 for dtype float32"):
        MLPRegressor(**{name: 1e-300}).fit(X, Y)
