"""Random configurations of the estimators and small data to fit, the same for the same seed.

A configuration is a dictionary of plain values, whose repr names it for ever: names are written out
here, and what is new in the library is no part of an old recording. It has

- ``task``, ``kind`` of target, ``data`` (how X is given), ``weights``, ``way`` (how it is trained);
- ``parameters`` of the constructor, of which what is not named has its default.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import numpy as np

__all__ = ["Data", "draw_configuration", "make_data"]

T = TypeVar("T")
#: What a configuration is drawn from.
Configuration = dict[str, Any]
#: X, y and sample weights.
Data = tuple[Any, Any, "np.ndarray | None"]

SOLVERS = (
    "sgd",
    "adam",
    "adamw",
    "rmsprop",
    "adagrad",
    "adadelta",
    "nadam",
    "radam",
    "lion",
    "lbfgs",
    # As objects: the class's name and its options.
    ("SGD", {"momentum": 0.8, "nesterov": True, "weight_decay": 0.02}),
    ("Adam", {"betas": (0.8, 0.95), "eps": 1e-6}),
    ("AdamW", {"weight_decay": 0.1}),
    ("RMSprop", {"momentum": 0.5, "centered": True}),
    ("Adagrad", {"lr_decay": 0.01, "initial_accumulator_value": 0.1}),
    ("Adadelta", {"rho": 0.8}),
    ("NAdam", {"momentum_decay": 0.01}),
    ("RAdam", {"weight_decay": 0.05}),
    ("Lion", {"betas": (0.8, 0.9), "weight_decay": 0.1}),
)
ACTIVATIONS = (
    "identity",
    "logistic",
    "tanh",
    "relu",
    "leaky_relu",
    "elu",
    "selu",
    "softplus",
    "gelu",
    "gelu_tanh",
    "silu",
    "mish",
    "hard_sigmoid",
    "hard_swish",
    "softsign",
)
CLASSIFIER_LOSSES = {
    "cross_entropy": ("binary", "multiclass", "multilabel", "distribution"),
    "focal": ("binary", "multiclass", "multilabel"),
    "kl_divergence": ("distribution",),
    "multi_margin": ("binary", "multiclass"),
    "squared_hinge": ("binary", "multiclass", "multilabel"),
}
#: Loss → kinds of target.
REGRESSOR_LOSSES = {
    "squared_error": ("real", "several"),
    "absolute_error": ("real", "several"),
    "huber": ("real", "several"),
    "smooth_l1": ("real", "several"),
    "log_cosh": ("real", "several"),
    "poisson": ("count",),
    "gamma": ("positive",),
    "tweedie": ("count",),
    "gaussian_nll": ("real", "several"),
    "pinball": ("real", "several"),
}
RULES = (
    "auto",
    "normal",
    "uniform",
    "glorot_uniform",
    "glorot_normal",
    "kaiming_uniform",
    "kaiming_normal",
    "lecun_uniform",
    "lecun_normal",
    "orthogonal",
)
#: Divisible by eight, for groups and channels; beyond 64 KiB of parameters a team works otherwise.
EVEN_WIDTHS = ((8,), (16, 8), (64, 40), (160, 120), (24, 24, 24))
WIDTHS = ((), (1,), (3,), (7, 5), (33,), (100,), (17, 31), (130, 150), (9, 9, 9, 9))
INPUTS = (
    "float32",
    "float64",
    "float16",
    "int64",
    "uint8",
    "bool",
    "Fortran",
    "every other column",
    "reversed rows",
    "list",
    "DataFrame",
)
WEIGHTS = ("none", "none", "real", "with zeros", "int")
WAYS = ("fit", "fit", "fit", "early stopping", "partial fits", "warm start", "stopped by tol")


def draw_configuration(seed: int, number: int, backend: str = "compiled") -> Configuration:
    """Return configuration ``number`` of those that ``seed`` stands for, whatever the others are.

    Each tenth of the backend "compiled" is of "numpy" instead.
    """
    rng = np.random.default_rng([seed, number])
    solver = SOLVERS[number % len(SOLVERS)]
    task = _one(rng, ("classifier", "regressor"))
    losses = CLASSIFIER_LOSSES if task == "classifier" else REGRESSOR_LOSSES
    loss = _one(rng, tuple(losses))
    ways = tuple(w for w in WAYS if solver != "lbfgs" or w in ("fit", "warm start"))
    way = _one(rng, ways)
    parameters = {
        "loss": loss,
        "solver": solver,
        "random_state": int(rng.integers(1000)),
        **_network(rng),
        "backend": "numpy" if backend == "compiled" and number % 10 == 7 else backend,
        "n_threads": _one(rng, (1, 2)),
        **_loss_numbers(rng, loss),
    }
    parameters |= _training(rng, way, _sgd(solver))
    if not isinstance(solver, str):  # an object has options of its own
        parameters = {name: v for name, v in parameters.items() if name not in OF_NAMED_SOLVERS}
    if solver != "lbfgs":
        parameters |= _regularisers(rng, len(parameters["hidden_layer_sizes"]))
        if isinstance(solver, str):
            parameters |= _some(rng, 0.3, {"weight_decay": 0.05})
    if parameters.get("normalization") and parameters["batch_size"] == 1:
        parameters["batch_size"] = 2
    return {
        "task": task,
        "kind": _one(rng, losses[loss]),
        "data": _one(rng, INPUTS),
        "weights": _one(rng, WEIGHTS),
        "way": way,
        "rows": int(rng.choice([23, 60, 97, 300])),
        "columns": int(rng.choice([1, 2, 5, 16, 19])),
        "parameters": parameters,
    }


def _one(rng: np.random.Generator, values: Sequence[T]) -> T:
    return values[int(rng.integers(len(values)))]


def _some(rng: np.random.Generator, share: float, options: dict[str, Any]) -> dict[str, Any]:
    """Return the options that are not left out, each of which stays with probability ``share``."""
    return {name: value for name, value in options.items() if rng.random() < share}


def _network(rng: np.random.Generator) -> dict[str, Any]:
    normalization = _one(rng, (*[None] * 6, "batch", "layer", "instance", "group"))
    sizes = _one(rng, EVEN_WIDTHS if normalization else WIDTHS)
    activation: Any = _one(rng, ACTIVATIONS)
    if len(sizes) > 1 and rng.random() < 0.3:
        activation = tuple(_one(rng, ACTIVATIONS) for _ in sizes)
    network = {
        "hidden_layer_sizes": sizes,
        "activation": activation,
        "init": _one(rng, RULES),
        "dtype": _one(rng, ("float32", "float32", "float64")),
    }
    if normalization:
        network["normalization"] = normalization
    if normalization == "group":
        network["n_groups"] = 2
    if normalization == "instance":
        network["n_channels"] = 4
    if normalization == "batch" and rng.random() < 0.5:
        network["batch_norm_momentum"] = 0.3
    return network


def _loss_numbers(rng: np.random.Generator, loss: str) -> dict[str, Any]:
    numbers: dict[str, dict[str, Any]] = {
        "cross_entropy": {"label_smoothing": _one(rng, (0.0, 0.0, 0.1))},
        "focal": {"focal_gamma": _one(rng, (0.0, 1.5, 2.0))},
        "huber": {"huber_delta": 0.5},
        "smooth_l1": {"smooth_l1_beta": 0.5},
        "tweedie": {"tweedie_power": _one(rng, (1.3, 1.7))},
        "pinball": {"quantiles": _one(rng, (0.3, (0.1, 0.5, 0.9)))},
        "squared_error": {"standardize_target": _one(rng, (True, False))},
        "absolute_error": {"standardize_target": _one(rng, ("mean", "median"))},
    }
    return numbers.get(loss, {})


#: Options that only solvers given by name take.
OF_NAMED_SOLVERS = ("momentum", "nesterovs_momentum", "beta_1", "beta_2", "epsilon")


def _sgd(solver: Any) -> bool:
    return solver == "sgd" or solver[0] == "SGD"


def _training(rng: np.random.Generator, way: str, sgd: bool) -> dict[str, Any]:
    training = {
        "max_iter": int(rng.integers(3, 8)),
        "batch_size": _one(rng, ("auto", 1, 7, 32, 64, 1000)),
        "alpha": _one(rng, (0.0, 0.0001, 0.01)),
        "learning_rate_init": _one(rng, (0.001, 0.003, 0.01)),
    }
    training |= _some(rng, 0.15, {"shuffle": False})
    if sgd:
        training["learning_rate"] = _one(rng, ("constant", "invscaling", "adaptive"))
        training |= _some(rng, 0.4, {"momentum": 0.5, "nesterovs_momentum": False, "power_t": 0.3})
    else:
        training |= _some(rng, 0.2, {"beta_1": 0.8, "beta_2": 0.95, "epsilon": 1e-6})
    if way == "early stopping":
        training |= {"early_stopping": True, "validation_fraction": 0.2, "n_iter_no_change": 2}
        training["max_iter"] = 20
    elif way == "stopped by tol":
        training |= {"tol": 0.05, "n_iter_no_change": 2, "max_iter": 30}
    elif way == "warm start":
        training["warm_start"] = True
    return training


def _regularisers(rng: np.random.Generator, n_hidden: int) -> dict[str, Any]:
    dropout = tuple(round(0.1 * (i + 1), 1) for i in range(n_hidden)) or 0.2
    options = {
        "l1": 0.001,
        "dropout": _one(rng, (0.3, dropout)),
        "input_dropout": 0.2,
        "input_noise": 0.1,
        "gradient_noise": 0.01,
        "clip_value": 0.05,
        "clip_norm": 0.5,
        "max_norm": 1.0,
        "gradient_noise_decay": 0.55,
    }
    return _some(rng, 0.15, options)


# -- data -----------------------------------------------------------------------------------------


def make_data(configuration: Configuration, seed: int, number: int) -> Data:
    """Return X (N, I), y (N,) or (N, O) and weights (N,) or None for a configuration."""
    rng = np.random.default_rng([seed, number, 1])
    N, columns = configuration["rows"], configuration["columns"]
    X = rng.normal(size=(N, columns))
    signal = np.sin(X @ rng.normal(size=(columns, 3))) + 0.1 * rng.normal(size=(N, 3))
    y = TARGETS[configuration["kind"]](signal, rng)
    weights = None if configuration["weights"] == "none" else rng.uniform(0.5, 2, N)
    if configuration["weights"] == "with zeros":
        weights = np.where(rng.random(N) < 0.2, 0, weights)
    elif configuration["weights"] == "int":
        weights = rng.integers(1, 4, N)
    return _as_given(X, configuration["data"]), y, weights


def _of_classes(signal: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return np.array(["a", "b", "c"])[np.argmax(signal, axis=1)]


def _of_distributions(signal: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    shares = np.abs(signal) + 0.1
    return shares / shares.sum(axis=1, keepdims=True)


#: Kind of target → what makes it of a signal (N, 3) and a generator.
TARGETS: dict[str, Callable[[np.ndarray, np.random.Generator], np.ndarray]] = {
    "binary": lambda signal, rng: (signal[:, 0] > 0).astype(int),
    "multiclass": _of_classes,
    "multilabel": lambda signal, rng: (signal > 0).astype(int),
    "distribution": _of_distributions,
    "real": lambda signal, rng: 3 * signal[:, 0] + 10,
    "several": lambda signal, rng: signal * [1, 20, 0.1],
    "count": lambda signal, rng: rng.poisson(2 + signal[:, 0]).astype(float),
    "positive": lambda signal, rng: 1.5 + signal[:, 0] + 0.5 * rng.random(len(signal)),
}


def _frame(X: np.ndarray) -> Any:
    import pandas as pd

    return pd.DataFrame(X, columns=[f"x{i}" for i in range(X.shape[1])])


def _as_given(X: np.ndarray, form: str) -> Any:
    """Return X in another real type, order or container; some forms round it."""
    if form in FORMS:
        return FORMS[form](X)
    return X.astype(form) if form.startswith("float") else np.rint(X * 3 + 20).astype(form)


FORMS: dict[str, Callable[[np.ndarray], Any]] = {
    "bool": lambda X: X > 0,
    "Fortran": np.asfortranarray,
    "every other column": lambda X: np.repeat(X, 2, axis=1)[:, ::2],
    "reversed rows": lambda X: X[::-1],
    "list": np.ndarray.tolist,
    "DataFrame": _frame,
}
