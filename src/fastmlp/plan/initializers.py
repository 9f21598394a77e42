"""First values of the weights: one function per rule, all drawing from one RandomState.

Legend: I fan-in, O fan-out of a layer; W (I, O) its weights, b (O,) its biases.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from fastmlp.names import Names
from fastmlp.plan.layout import Plan
from fastmlp.plan.parameters import bias_views, reset_factors, scales_view, weight_views
from fastmlp.registry import ACTIVATIONS

__all__ = ["INITIALIZERS", "Initializer", "initialize", "split_layer"]

#: A rule's name; a function (fan_in, fan_out, rng) → layer; or one layer each. A layer is an array
#: W (I, O), or a tuple (W, b) with b (O,).
Initializer = str | Callable[[int, int, np.random.RandomState], Any] | Sequence[Any]

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


def _lecun_uniform(rng: np.random.RandomState, fan_in: int, fan_out: int) -> np.ndarray:
    """U(−a, a) with a = √(3 / I): the variance 1 / I of ``lecun_normal``."""
    bound = np.sqrt(3.0 / fan_in)
    return rng.uniform(-bound, bound, (fan_in, fan_out))


def _lecun_normal(rng: np.random.RandomState, fan_in: int, fan_out: int) -> np.ndarray:
    """N(0, 1 / I): inputs of variance 1 give z of variance 1 (LeCun et al. 1998, eq. 16)."""
    return rng.normal(0.0, np.sqrt(1.0 / fan_in), (fan_in, fan_out))


def _orthogonal(rng: np.random.RandomState, fan_in: int, fan_out: int) -> np.ndarray:
    """Return orthonormal columns or, where I < O, rows (Saxe et al. 2014, section 3).

    Q of the factorisation QR of normal numbers is uniformly distributed only if the diagonal of R
    is positive (Mezzadri 2007, "How to generate random matrices from the classical compact groups",
    section 5), which LAPACK does not see to.
    """
    tall = rng.normal(size=(max(fan_in, fan_out), min(fan_in, fan_out)))
    q, r = np.linalg.qr(tall)
    q *= np.where(np.diag(r) < 0, -1.0, 1.0)
    return q if fan_in >= fan_out else q.T


def _zeros(rng: np.random.RandomState, fan_in: int, fan_out: int) -> np.ndarray:
    """Return zeros; all units of a layer then stay alike, which is why nobody should use it."""
    return np.zeros((fan_in, fan_out))


#: Every name that ``init`` may have, with the rules that need nothing but the sizes; ``"auto"``,
#: ``"normal"`` and ``"uniform"`` take one number more. Without a distribution, Glorot's name means
#: the uniform and He's the normal one, as in their papers.
INITIALIZERS: Names[Draw | None] = Names(
    [
        ("auto", None, ()),
        ("normal", None, ()),
        ("uniform", None, ()),
        ("zeros", _zeros, ()),
        ("glorot_uniform", _glorot_uniform, ("xavier_uniform", "glorot", "xavier")),
        ("glorot_normal", _glorot_normal, ("xavier_normal",)),
        ("kaiming_uniform", _kaiming_uniform, ("he_uniform",)),
        ("kaiming_normal", _kaiming_normal, ("he_normal", "kaiming", "he")),
        ("lecun_uniform", _lecun_uniform, ()),
        ("lecun_normal", _lecun_normal, ()),
        ("orthogonal", _orthogonal, ()),
        ("data_driven", _lecun_normal, ()),  # and then by rows: estimators/first_weights.py
    ]
)


def split_layer(layer: Any) -> tuple[Any, Any]:
    """Return the weights and the biases that a layer of ``Initializer`` gives; 0 for no biases."""
    return layer if isinstance(layer, tuple) and len(layer) == 2 else (layer, 0.0)


def initialize(
    plan: Plan,
    parameters: np.ndarray,
    init: Initializer,
    rng: np.random.RandomState,
    activation: str | Sequence[object] = "relu",
    std: float = 0.01,
    half_range: float = 0.05,
    member_scales: str = "signs",
) -> None:
    """Fill a flat parameter vector.

    Values are drawn in double precision and rounded to the vector's dtype, so float32 and float64
    networks start from the same point.

    Parameters
    ----------
    plan : Plan
        The network.
    parameters : ndarray, shape (V,)
        Filled in place. Normalisations begin with gain 1, shift 0, running mean 0 and variance 1,
        parametric activations with α = 1, scales with 1 or as ``member_scales`` says. Each
        member's weights are drawn for themselves.
    init : Initializer
        One of ``INITIALIZERS``, a function, or the values themselves. ``"auto"`` is scikit-learn's
        rule: weights and biases of a layer from U(−a, a), a = √(f / (I + O)), f = 2 for logistic
        units, else 6. With every other rule the biases are zero.
    rng : numpy.random.RandomState
        Source of the draws; ``"zeros"`` and given values take none.
    activation : str or sequence of str, length L, default="relu"
        The hidden activation, for ``"auto"``: of all layers or for each.
    std : float, default=0.01
        Standard deviation for ``"normal"``.
    half_range : float, default=0.05
        Largest absolute value for ``"uniform"``.
    member_scales : {"signs", "normal", "ones"}, default="signs"
        What the members' scales, if there are some, are drawn from: ±1 or N(0, 1); or none drawn.

    Examples
    --------
    >>> import numpy as np
    >>> from fastmlp.plan.layout import make_plan
    >>> plan = make_plan([4, 5, 3], ["relu"], "softmax_cross_entropy")
    >>> vector = np.zeros(plan.n_parameters)
    >>> initialize(plan, vector, "glorot_uniform", np.random.RandomState(0))
    >>> bool(np.abs(vector[:20]).max() < np.sqrt(6 / 9)), float(vector[plan.n_weights :].sum())
    (True, 0.0)
    """
    activations = [activation] * len(plan.layers) if isinstance(activation, str) else activation
    reset_factors(plan, parameters)
    layers = zip(weight_views(plan, parameters), bias_views(plan, parameters), strict=True)
    for number, (weights, biases) in enumerate(layers):
        copies, shape = int(plan.layers["n_copies"][number]), weights.shape[-2:]
        if not isinstance(init, str) and not callable(init):
            weights[...], biases[...] = split_layer(init[number])
            continue
        each = zip(weights.reshape(copies, *shape), biases.reshape(copies, -1), strict=True)
        for w, b in each:
            w[...], b[...] = _draw(init, rng, shape, activations[number], (std, half_range))
    if plan.n_scales > 1 and member_scales != "ones":
        _draw_scales(scales_view(plan, parameters), rng, member_scales)


def _draw(
    init: Any,
    rng: np.random.RandomState,
    shape: tuple[int, ...],
    activation: object,
    spreads: tuple[float, float],
) -> tuple[Any, Any]:
    """Return the weights (I, O) and the biases (O,) of a layer, by a function or a rule's name."""
    fan_in, fan_out = shape
    if callable(init):
        return split_layer(init(fan_in, fan_out, rng))
    if (draw := INITIALIZERS[init]) is not None:
        return draw(rng, fan_in, fan_out), 0.0
    name, (std, half_range) = INITIALIZERS.name_of(init), spreads
    if name == "auto":
        factor = 2.0 if _is_logistic(activation) else 6.0
        bound = math.sqrt(factor / (fan_in + fan_out))
        return rng.uniform(-bound, bound, shape), rng.uniform(-bound, bound, fan_out)
    if name == "normal":
        return rng.normal(0.0, std, shape), 0.0
    return rng.uniform(-half_range, half_range, shape), 0.0


def _draw_scales(scales: np.ndarray, rng: np.random.RandomState, rule: str) -> None:
    """Fill the scales (k, I) of members, by which these differ from the beginning."""
    normal = rule == "normal"
    scales[...] = rng.normal(size=scales.shape) if normal else rng.choice([-1, 1], scales.shape)


def _is_logistic(activation: Any) -> bool:
    """Return whether an activation is the logistic one, which the user's own never is."""
    return activation in ACTIVATIONS and ACTIVATIONS[activation].name == "logistic"
