"""Numbers of other types as parameters: the same fit as with Python's own, without a warning."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from helpers_rejection import LABELS, X, Y

from fastmlp import MLPClassifier, MLPRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

#: Parameter → a number that every type has exactly, and what makes it count.
REAL_PARAMETERS = {
    "alpha": (0.5, {}),
    "l1": (0.25, {}),
    "weight_decay": (0.5, {}),
    "max_norm": (0.5, {}),
    "input_noise": (0.5, {}),
    "gradient_noise": (0.5, {}),
    "gradient_noise_decay": (0.5, {"gradient_noise": 0.1}),
    "clip_value": (0.5, {}),
    "clip_norm": (0.5, {}),
    "learning_rate_init": (0.25, {}),
    "power_t": (0.25, {"solver": "sgd", "learning_rate": "invscaling"}),
    "tol": (0.5, {"n_iter_no_change": 1}),
    "momentum": (0.5, {"solver": "sgd"}),
    "validation_fraction": (0.25, {"early_stopping": True}),
    "beta_1": (0.5, {}),
    "beta_2": (0.5, {}),
    "epsilon": (0.5, {}),
    "dropout": (0.25, {}),
    "time_limit": (4096.0, {}),
    "input_dropout": (0.25, {}),
    "batch_norm_momentum": (0.25, {"normalization": "batch"}),
    "init_std": (0.25, {"init": "normal"}),
    "init_range": (0.25, {"init": "uniform"}),
    "label_smoothing": (0.25, {}),
    "focal_gamma": (1.5, {"loss": "focal"}),
    "huber_delta": (0.5, {"loss": "huber"}),
    "smooth_l1_beta": (0.5, {"loss": "smooth_l1"}),
    "tweedie_power": (1.25, {"loss": "tweedie"}),
    "quantiles": (0.25, {"loss": "pinball"}),
}
COUNTS = {
    "hidden_layer_sizes": (5, {}),
    "batch_size": (8, {}),
    "max_iter": (3, {}),
    "n_iter_no_change": (2, {"tol": 1e3, "max_iter": 6}),
    "max_fun": (5, {"solver": "lbfgs"}),
    "n_groups": (2, {"normalization": "group"}),
    "n_channels": (2, {"normalization": "instance"}),
    "n_threads": (2, {}),
    "verbose": (0, {}),
    "random_state": (7, {}),
}
#: Other values that must give other results.
ANOTHER = {"tol": 0.0, "n_iter_no_change": 3, "momentum": 0.0, "power_t": 0.5, "max_fun": 2}
FLOATS = [np.float16, np.float32, np.float64, np.longdouble, np.array, Fraction, Decimal]
INTEGERS = [np.int8, np.uint8, np.int16, np.uint32, np.int64, np.uint64, np.array]


def results(model):
    """Return what a fit gives, with all that reads the parameters once more."""
    y = np.abs(Y) if hasattr(model, "huber_delta") else LABELS
    model.fit(X, y)
    seen = [model.score(X, y), model.cost(X, y), model.objective(X, y), model.loss_curve_]
    if model.solver != "lbfgs" and not model.early_stopping:
        seen += model.partial_fit(X, y).coefs_
    model.set_params(warm_start=True).fit(X, y)
    return [*seen, *model.coefs_, *model.intercepts_]


@pytest.mark.parametrize("name", [*REAL_PARAMETERS, *COUNTS])
def test_numbers_of_any_type(name):
    """No overflow of a narrow type, no warning, and the same result as for Python's number."""
    number, others = {**REAL_PARAMETERS, **COUNTS}[name]
    make = MLPRegressor if hasattr(MLPRegressor(), name) else MLPClassifier
    others = {"hidden_layer_sizes": (4,), "random_state": 0, "max_iter": 4, **others}
    expected = results(make(**{**others, name: number}))
    if name in ANOTHER:  # else the settings would not show that the number counts
        another = results(make(**{**others, name: ANOTHER[name]}))
        assert not all(map(np.array_equal, another, expected))
    for kind in FLOATS if name in REAL_PARAMETERS else INTEGERS:
        if name == "random_state" and kind is np.array:
            continue  # scikit-learn takes none
        if name == "verbose" and kind is np.array:
            continue  # printing is no number
        model = make(**{**others, name: kind(number)})
        for one, other in zip(results(model), expected, strict=True):
            np.testing.assert_array_equal(one, other, err_msg=f"{name}: {kind.__name__}")
