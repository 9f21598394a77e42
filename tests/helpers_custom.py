"""Functions that a user might write; a new process can import them without pytest or Numba."""

from __future__ import annotations

import math


def tanh(z):
    return math.tanh(z)


def tanh_slope(z):
    return 1 - math.tanh(z) ** 2


def relu(z):
    return z if z > 0 else 0.0


def relu_slope(z):
    return 1.0 if z > 0 else 0.0


def softplus(z):
    return math.log1p(math.exp(-abs(z))) + max(z, 0.0)


def softplus_slope(z):
    return 1.0 / (1.0 + math.exp(-z))


def half_square(prediction, target):
    return 0.5 * (prediction - target) ** 2


def half_square_slope(prediction, target):
    return prediction - target


def log_cosh(prediction, target):
    e = abs(prediction - target)
    return e + math.log1p(math.exp(-2 * e)) - math.log(2)


def log_cosh_slope(prediction, target):
    return math.tanh(prediction - target)


def asserting(z):
    # Here because pytest rewrites what test modules assert.
    assert z < 1e6
    return 2.0 * z
