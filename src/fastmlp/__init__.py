"""fastmlp: multi-layer perceptrons on CPUs, scikit-learn's manners on a compiled core.

``MLPClassifier`` and ``MLPRegressor`` check what they are given once and describe the network as
a *plan*, one structured array with a row per layer. A *backend* then runs whole stretches of an
epoch on flat, aligned buffers without returning to Python::

    estimators ─ validation ─ plan + flat parameters ─▶ executor.train ─▶ C / Numba / NumPy
        │                                                     ▲
        └── training loop: shuffling, schedules, stopping ────┘ a stretch of an epoch per call

Three backends interpret the same plan: ``"compiled"`` (C, the default), ``"numba"`` (a second,
independent one) and ``"numpy"`` (the specification). ``docs/ARCHITECTURE.md`` says more.

Examples
--------
>>> from sklearn.datasets import load_digits
>>> from fastmlp import MLPClassifier
>>> X, y = load_digits(return_X_y=True)
>>> model = MLPClassifier(hidden_layer_sizes=(64,), early_stopping=True, random_state=0)
>>> model = model.fit(X[::2], y[::2])
>>> model.score(X[1::2], y[1::2]) > 0.9
True
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from fastmlp._version import __version__
from fastmlp.estimators import MLPClassifier, MLPRegressor
from fastmlp.threads import register_core

if TYPE_CHECKING:
    from fastmlp.averaged import average_models
    from fastmlp.config import show_config
    from fastmlp.custom import custom_activation, custom_loss
    from fastmlp.files.loading import load
    from fastmlp.historic import McCullochPittsNeuron, RosenblattPerceptron
    from fastmlp.modules import from_torch
    from fastmlp.predictor import Predictor
    from fastmlp.tabular import TabularClassifier, TabularRegressor
    from fastmlp.teaching.descent import gradient_descent
    from fastmlp.teaching.information import (
        cross_entropy,
        entropy,
        kl_divergence,
        log_softmax,
        self_information,
        softmax,
    )
    from fastmlp.teaching.pieces import activation, activation_derivative, dropout, initial_weights
    from fastmlp.training.callbacks import EpochRecord
    from fastmlp.training.divergence import DivergenceError

__all__ = [
    "DivergenceError",
    "EpochRecord",
    "MLPClassifier",
    "MLPRegressor",
    "McCullochPittsNeuron",
    "Predictor",
    "RosenblattPerceptron",
    "TabularClassifier",
    "TabularRegressor",
    "__version__",
    "activation",
    "activation_derivative",
    "average_models",
    "cross_entropy",
    "custom_activation",
    "custom_loss",
    "dropout",
    "entropy",
    "from_torch",
    "gradient_descent",
    "initial_weights",
    "kl_divergence",
    "load",
    "log_softmax",
    "self_information",
    "show_config",
    "softmax",
]

# threadpoolctl limits only what is loaded when the limit is set, be it before the first fit.
register_core()


#: Public names that are loaded when they are asked for, to keep ``import fastmlp`` cheap.
_LOADED_ON_DEMAND = {
    "DivergenceError": "fastmlp.training.divergence",
    "EpochRecord": "fastmlp.training.callbacks",
    "McCullochPittsNeuron": "fastmlp.historic",
    "Predictor": "fastmlp.predictor",
    "RosenblattPerceptron": "fastmlp.historic",
    "TabularClassifier": "fastmlp.tabular",
    "TabularRegressor": "fastmlp.tabular",
    "activation": "fastmlp.teaching.pieces",
    "activation_derivative": "fastmlp.teaching.pieces",
    "average_models": "fastmlp.averaged",
    "cross_entropy": "fastmlp.teaching.information",
    "custom_activation": "fastmlp.custom",
    "custom_loss": "fastmlp.custom",
    "dropout": "fastmlp.teaching.pieces",
    "entropy": "fastmlp.teaching.information",
    "from_torch": "fastmlp.modules",
    "gradient_descent": "fastmlp.teaching.descent",
    "initial_weights": "fastmlp.teaching.pieces",
    "kl_divergence": "fastmlp.teaching.information",
    "load": "fastmlp.files.loading",
    "log_softmax": "fastmlp.teaching.information",
    "self_information": "fastmlp.teaching.information",
    "show_config": "fastmlp.config",
    "softmax": "fastmlp.teaching.information",
}


def __getattr__(name: str) -> Any:
    """Load a public name of another module."""
    if name in _LOADED_ON_DEMAND:
        return getattr(import_module(_LOADED_ON_DEMAND[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
