# mypy: disable-error-code="no-untyped-def,no-untyped-call"
# (compiled functions take their types from their arguments)
"""What happens to a gradient before the optimiser: clipped, scaled to a norm, with noise."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from fastmlp.backends.numba_jit.jit import kernel, reduction_kernel
from fastmlp.backends.numba_jit.noise import add_gradient_noise

__all__ = ["Shaping", "bounded_squares", "shape", "shaping_of_step", "with_norm"]


class Shaping(NamedTuple):
    """The numbers of one update, in the precision of the parameters."""

    is_needed: Any
    bound: Any  # of each element; infinite without one
    scale: Any  # of the whole, so that its norm is bounded
    deviation: Any  # of the noise; 0 without any
    seed: Any
    step: Any


@kernel
def shaping_of_step(settings, update, parameters):
    """Return the shaping of an update; the norm is not known yet."""
    real = parameters.dtype.type
    return Shaping(
        settings.clip_value > 0 or settings.clip_norm > 0 or update.gradient_noise > 0,
        real(settings.clip_value if settings.clip_value > 0 else np.inf),
        real(1),
        real(update.gradient_noise),
        settings.seed,
        update.step,
    )


@kernel
def with_norm(shaping, clip_norm, squares):
    """Return the shaping that scales a gradient with this sum of squares; NaN stays."""
    scale = clip_norm / (np.sqrt(squares) + 1e-6)
    scale = 1.0 if scale > 1 else scale
    return Shaping(
        shaping.is_needed,
        shaping.bound,
        type(shaping.scale)(scale),
        shaping.deviation,
        shaping.seed,
        shaping.step,
    )


@reduction_kernel
def bounded_squares(bound, l2, weights, gradient):
    """Return Σ of the squares of the clipped gradient + l2 · w, in float64."""
    squares = 0.0
    for i in range(gradient.size):
        g = gradient[i] + l2 * weights[i]
        g = bound if g > bound else (-bound if g < -bound else g)
        squares += np.float64(g) * np.float64(g)
    return squares


@kernel
def shape(shaping, start, gradient):
    """Clip, scale and disturb ``gradient``, elements ``start`` … of the flat vector, in place."""
    bound, scale = shaping.bound, shaping.scale
    for i in range(gradient.size):
        g = gradient[i]
        g = bound if g > bound else (-bound if g < -bound else g)  # NaN stays
        gradient[i] = scale * g
    if shaping.deviation > 0:
        add_gradient_noise(shaping.deviation, shaping.seed, shaping.step, start, gradient)
