"""First values of the weights: one function per rule, all drawing from one RandomState.

Legend: I fan-in, O fan-out of a layer; W (I, O) its weights, b (O,) its biases.
"""

from __future__ import annotations

from collections.abc import Callable
from types import MappingProxyType

import numpy as np

from fastmlp.parameters import bias_views, weight_views
from fastmlp.plan import Plan

__all__ = ["INITIALIZERS", "initialize"]

Draw = Callable[[np.random.RandomState, int, int], np.ndarray]


def _glorot_uniform(rng: np.random.RandomState, fan_in: int, fan_out: int) -> np.ndarray:
    """U(−a, a) with a = √(6 / (I + O)) (Glorot & Bengio 2010, eq. 16)."""
    bound = np.sqrt(6.0 / (fan_in + fan_out))
    return rng.uniform(-bound, bound, (fan_in, fan_out))


def _glorot_normal(rng: np.random.RandomState, fan_in: int, fan_out: int) -> np.ndarray:
    """N(0, 2 / (I + O)) (Glorot & Bengio 2010, eq. 12)."""
    return rng.normal(0.0, np.sqrt(2.0 / (fan_in + fan_out)), (fan_in, fan_out))


def _kaiming_uniform(rng: np.random.RandomState, fan_in: int, fan_out: int) -> np.ndarray:
    """U(−a, a) with a = √(6 / I): the variance 2 / I of ``kaiming_normal``."""
    bound = np.sqrt(6.0 / fan_in)
    return rng.uniform(-bound, bound, (fan_in, fan_out))


def _kaiming_normal(rng: np.random.RandomState, fan_in: int, fan_out: int) -> np.ndarray:
    """N(0, 2 / I), which keeps the variance through ReLU layers (He et al. 2015, eq. 10)."""
    return rng.normal(0.0, np.sqrt(2.0 / fan_in), (fan_in, fan_out))


def _zeros(rng: np.random.RandomState, fan_in: int, fan_out: int) -> np.ndarray:
    """Return zeros; all units of a layer then stay alike, which is why nobody should use it."""
    return np.zeros((fan_in, fan_out))


#: Rules that need nothing but the sizes; ``"auto"`` and ``"normal"`` take one number more.
_BY_SIZE: MappingProxyType[str, Draw] = MappingProxyType(
    {
        "zeros": _zeros,
        "glorot_uniform": _glorot_uniform,
        "glorot_normal": _glorot_normal,
        "kaiming_uniform": _kaiming_uniform,
        "kaiming_normal": _kaiming_normal,
    }
)

#: Every name that ``init`` may have.
INITIALIZERS = ("auto", "normal", *_BY_SIZE)


def initialize(
    plan: Plan,
    parameters: np.ndarray,
    init: str,
    rng: np.random.RandomState,
    activation: str = "relu",
    std: float = 0.01,
) -> None:
    """Fill a flat parameter vector.

    Values are drawn in double precision and rounded to the vector's dtype, so float32 and float64
    networks start from the same point.

    Parameters
    ----------
    plan : Plan
        The network.
    parameters : ndarray, shape (P,)
        Filled in place.
    init : str
        One of ``INITIALIZERS``. ``"auto"`` is scikit-learn's rule: weights and biases of a layer
        from U(−a, a), a = √(f / (I + O)), f = 2 for logistic hidden units, else 6. With every
        other rule the biases are zero.
    rng : numpy.random.RandomState
        Source of the draws; ``"zeros"`` takes none.
    activation : str, default="relu"
        The hidden activation, for ``"auto"``.
    std : float, default=0.01
        Standard deviation for ``"normal"``.

    Examples
    --------
    >>> import numpy as np
    >>> from fastmlp.plan import make_plan
    >>> plan = make_plan([4, 5, 3], ["relu"], "softmax_cross_entropy")
    >>> vector = np.zeros(plan.n_parameters)
    >>> initialize(plan, vector, "glorot_uniform", np.random.RandomState(0))
    >>> bool(np.abs(vector[:20]).max() < np.sqrt(6 / 9)), float(vector[plan.n_weights :].sum())
    (True, 0.0)
    """
    layers = zip(weight_views(plan, parameters), bias_views(plan, parameters), strict=True)
    for weights, biases in layers:
        if init == "auto":
            bound = np.sqrt((2.0 if activation == "logistic" else 6.0) / sum(weights.shape))
            weights[...] = rng.uniform(-bound, bound, weights.shape)
            biases[...] = rng.uniform(-bound, bound, biases.shape)
            continue
        biases[...] = 0.0
        if init == "normal":
            weights[...] = rng.normal(0.0, std, weights.shape)
        else:
            weights[...] = _BY_SIZE[init](rng, *weights.shape)
