"""How far a result may be from the float64 reference, in multiples of the type's eps.

One table for every operation: a new registry row must state its error here before its tests run.
"""

from __future__ import annotations

import numpy as np

#: |error of h| ≤ multiple · eps · |h|: relative, so tiny outputs keep their digits.
ACTIVATION = {
    "identity": 0,
    "logistic": 5,
    "tanh": 5,
    "relu": 0,
    "leaky_relu": 2,
    "elu": 5,
    "selu": 5,
    "softplus": 5,
    "gelu": 9,
    "gelu_tanh": 5,  # and what `activation_multiple` adds
    "silu": 9,
    "mish": 9,
    "hard_sigmoid": 2,
    "hard_swish": 4,
    "softsign": 4,
}

#: |error of dh/dz| ≤ multiple · eps: absolute, because 1 - h² and h (1 - h) cancel.
DERIVATIVE = {
    "identity": 0,
    "logistic": 2,
    "tanh": 6,
    "relu": 0,
    "leaky_relu": 1,
    "elu": 5,
    "selu": 5,
    "softplus": 5,
    "gelu": 9,
    "gelu_tanh": 9,
    "silu": 5,
    "mish": 5,
    "hard_sigmoid": 1,
    "hard_swish": 4,
    "softsign": 4,
}

#: |error of ẑ| ≤ multiple · eps · √(values in a mean) · (|ẑ| + 1) · (1 + largest |z| / σ).
NORMALIZATION = {"batch": 2, "layer": 2, "instance": 2, "group": 2}

#: |error of ∂L/∂z, ∂L/∂γ, ∂L/∂β| ≤ multiple · eps · largest term · √(terms in a sum).
NORMALIZATION_GRADIENT = {"batch": 4, "layer": 4, "instance": 4, "group": 4}

#: |error of a loss| ≤ multiple · eps · (largest |logit| + loss + 1).
LOSS = {
    "softmax_cross_entropy": 6,
    "binary_cross_entropy": 6,
    "squared_error": 12,
    "soft_cross_entropy": 6,
    "kl_divergence": 6,
    "focal": 6,
    "binary_focal": 6,
    "multi_margin": 6,
    "squared_hinge": 12,
    "absolute_error": 6,
    "huber": 12,
    "smooth_l1": 12,
    "log_cosh": 6,
    "poisson": 12,
    "gamma": 12,
    "tweedie": 12,
    "gaussian_nll": 12,
    "pinball": 6,
}

#: |error of a gradient| ≤ multiple · eps · weight · (largest |logit| + largest |gradient| + 1).
LOSS_GRADIENT = {
    "softmax_cross_entropy": 6,
    "binary_cross_entropy": 5,
    "squared_error": 2,
    "soft_cross_entropy": 6,
    "kl_divergence": 6,
    "focal": 8,
    "binary_focal": 6,
    "multi_margin": 2,
    "squared_hinge": 4,
    "absolute_error": 0,
    "huber": 2,
    "smooth_l1": 2,
    "log_cosh": 5,
    "poisson": 8,
    "gamma": 8,
    "tweedie": 12,
    "gaussian_nll": 12,
    "pinball": 6,
}

#: |error of a prediction| ≤ multiple · eps · |prediction|. Softmax also has to round z - max z,
#: which exp turns into a relative error of eps/2 · |z - max z|: added where it is tested.
#: "gaussian" and "quantiles": · (|prediction| + 1).
LINK = {
    "softmax": 8,
    "logistic": 5,
    "identity": 0,
    "exp": 4,
    "gaussian": 4,
    "quantiles": 4,
}

#: |error of a measure of information| ≤ multiple · eps · (|value| + largest |argument|).
MEASURE = {
    "self_information": 3,
    "entropy": 6,
    "cross_entropy": 6,
    "kl_divergence": 8,
    "softmax": 24,
    "log_softmax": 6,
}

#: |error| ≤ multiple · eps · (|value| + 1) after three updates of parameters of order 1.
OPTIMIZER = {
    "sgd": 8,
    "adam": 24,
    "adamw": 24,
    "rmsprop": 24,
    "adagrad": 24,
    "adadelta": 24,
    "nadam": 24,
    "radam": 24,
    "lion": 8,
    "lamb": 32,
}

#: |error of a normal number| ≤ multiple · eps · (1 + |number|).
NORMALS = 8

#: |error| ≤ multiple · eps after some ten updates of a network with parameters of order 1.
TRAJECTORY = 400


def activation_multiple(name: str, z: np.ndarray) -> np.ndarray | float:
    """Return the multiple of ``ACTIVATION`` at z: more where the formula itself is ill-conditioned.

    "gelu_tanh" is z · logistic(w) with w = √(8/π) (z + 0.044715 z³). Where w is far below 0,
    logistic(w) is exp(w), and the rounding of w, in relative terms that of some operations, counts
    |w| times. At −745 it is 0.
    """
    if name != "gelu_tanh":
        return ACTIVATION[name]
    z = np.clip(np.asarray(z, np.float64), -100, 100)
    w = np.sqrt(8 / np.pi) * (z + 0.044715 * z**3)
    return ACTIVATION[name] + 2.5 * np.clip(-w, 0, 745)


def eps(dtype: np.dtype) -> float:
    return float(np.finfo(dtype).eps)


def tiny(dtype: np.dtype) -> float:
    """Results below this may lose digits or become 0: subnormal numbers are not promised."""
    return 4 * float(np.finfo(dtype).tiny)


def relative_bound(
    multiple: np.ndarray | float, expected: np.ndarray, dtype: np.dtype
) -> np.ndarray:
    """Return multiple · eps · |expected|, and 0 where nothing can be near: at Inf."""
    sizes = np.where(np.isfinite(expected), np.abs(expected), 0)
    return multiple * eps(dtype) * sizes + tiny(dtype)


def dot_bound(
    a: np.ndarray, b: np.ndarray, bias: np.ndarray | float, dtype: np.dtype
) -> np.ndarray:
    """Return the rounding error that a product (M, K) · (K, N) + bias can have in any order.

    |error| ≤ (K + 1) · eps/2 · (|a| · |b| + |bias|), element by element (Higham 2002, section
    3.1): a missing, doubled or misplaced term is far beyond it.
    """
    n_terms = a.shape[1] + 1
    return n_terms * eps(dtype) / 2 * (np.abs(a) @ np.abs(b) + np.abs(bias)) + tiny(dtype)


def assert_within(actual: np.ndarray, expected: np.ndarray, bound: np.ndarray | float) -> None:
    """Assert |actual - expected| ≤ bound, Inf and NaN in the same places."""
    actual, expected = np.asarray(actual, np.float64), np.asarray(expected, np.float64)
    assert actual.shape == expected.shape
    np.testing.assert_array_equal(np.isnan(actual), np.isnan(expected))
    infinite = np.isinf(expected)
    np.testing.assert_array_equal(actual[infinite], expected[infinite])
    finite = np.isfinite(expected)
    error = np.abs(actual[finite] - expected[finite])
    excess = error - np.broadcast_to(bound, expected.shape)[finite]
    assert np.all(excess <= 0), f"largest error {error.max():.3g}, {excess.max():.3g} too much"
