# mypy: disable-error-code="no-untyped-def,no-untyped-call"
# (compiled functions take their types from their arguments)
"""Normalisations: z becomes ẑ = (z − μ) · scale and y = γ ⊙ ẑ + β; and the way back.

A *run* is the units of a row that share μ and scale (layer, instance, group norm). Batch norm takes
the columns of a *tile*: ``n_rows`` rows that lie ``stride`` apart in a flat array, the first one at
``start``. ẑ lies at ``kept``, with the same stride. Stretches are (O,) unless said otherwise.
"""

from __future__ import annotations

import math

from fastmlp.backends.numba_jit.jit import entry_point, kernel, reduction_kernel
from fastmlp.plan.layout import NORMALIZATION_EPSILON

__all__ = [
    "add_to_statistics",
    "columns_gradient",
    "measure_columns",
    "measure_run",
    "normalize_by_batch",
    "normalize_by_runs",
    "normalize_columns",
    "normalize_gradient_by_batch",
    "normalize_gradient_by_runs",
    "normalize_run",
    "run_gradient",
    "scales",
    "sum_gains_and_shifts",
]


@kernel
def _scale(variance, real):
    return real(1 / math.sqrt(variance + NORMALIZATION_EPSILON))


# -- runs of a row ------------------------------------------------------------------------------


@reduction_kernel
def measure_run(z):
    """Return μ and scale of a run z (n,)."""
    real = z.dtype.type
    total, squares = real(0), real(0)
    for i in range(z.size):
        total += z[i]
    mean = total / real(z.size)
    for i in range(z.size):
        squares += (z[i] - mean) * (z[i] - mean)
    return mean, _scale(squares / real(z.size), real)


@kernel
def normalize_run(mean, scale, gain, shift, z, normalized):
    """Turn z (n,) into y and set ẑ (n,)."""
    for i in range(z.size):
        value = (z[i] - mean) * scale
        normalized[i] = value
        z[i] = gain[i] * value + shift[i]


@reduction_kernel
def _means_of_run(dy, gain, normalized):
    """Return the means of g = γ ⊙ dy and of g ⊙ ẑ."""
    real = dy.dtype.type
    total, products = real(0), real(0)
    for i in range(dy.size):
        g = gain[i] * dy[i]
        total += g
        products += g * normalized[i]
    return total / real(dy.size), products / real(dy.size)


@kernel
def run_gradient(scale, gain, normalized, dy):
    """Turn ∂L/∂y (n,) into ∂L/∂z."""
    mean, slope = _means_of_run(dy, gain, normalized)
    for i in range(dy.size):
        dy[i] = scale * (gain[i] * dy[i] - mean - slope * normalized[i])


# -- columns of a batch -------------------------------------------------------------------------


@kernel
def measure_columns(values, start, stride, n_rows, weights, mean, squares):
    """Set μ and Σ w (z − μ)² of a tile; return the sum of its ``weights`` (n_rows,)."""
    zero = mean.dtype.type(0)
    total = 0.0
    for i in range(mean.size):
        mean[i], squares[i] = zero, zero
    for row in range(n_rows):
        total += weights[row]
        z, w = values[start + row * stride :], weights[row]
        for i in range(mean.size):
            mean[i] += w * z[i]
    inverse = mean.dtype.type(1 / total if total > 0 else 0.0)
    for i in range(mean.size):
        mean[i] *= inverse
    for row in range(n_rows):
        z, w = values[start + row * stride :], weights[row]
        for i in range(mean.size):
            squares[i] += w * (z[i] - mean[i]) * (z[i] - mean[i])
    return total


@kernel
def add_to_statistics(before, mean, squares, weight, tile_mean, tile_squares):
    """Take a tile of this weight into μ and Σ w (z − μ)² of what weighs ``before``.

    Chan, Golub & LeVeque 1979, "Updating formulae and a pairwise algorithm for computing sample
    variances", eq. 2.1.
    """
    if weight == 0:
        return
    real = mean.dtype.type
    share, both = real(weight / (before + weight)), real(before * weight / (before + weight))
    for i in range(mean.size):
        apart = tile_mean[i] - mean[i]
        mean[i] += share * apart
        squares[i] += tile_squares[i] + both * apart * apart


@kernel
def scales(variance, out):
    """Set out to 1 / √(σ² + ε)."""
    for i in range(out.size):
        out[i] = _scale(variance[i], out.dtype.type)


@kernel
def normalize_columns(values, start, stride, n_rows, mean, scale, gain, shift, normalized, kept):
    """Turn z of a tile into y and set ẑ."""
    for row in range(n_rows):
        z, out = values[start + row * stride :], normalized[kept + row * stride :]
        for i in range(mean.size):
            value = (z[i] - mean[i]) * scale[i]
            out[i] = value
            z[i] = gain[i] * value + shift[i]


@kernel
def columns_gradient(slopes, start, stride, n_rows, weights, scale, gain, normalized, kept, sums):
    """Turn ∂L/∂y of a tile into ∂L/∂z; ``sums`` are Σ dy ⊙ ẑ and Σ dy over the batch."""
    products, total = sums
    for row in range(n_rows):
        dy, z_hat = slopes[start + row * stride :], normalized[kept + row * stride :]
        w = weights[row]
        for i in range(scale.size):
            away = w * (total[i] + z_hat[i] * products[i])
            dy[i] = gain[i] * scale[i] * (dy[i] - away)


@kernel
def sum_gains_and_shifts(slopes, start, stride, n_rows, normalized, kept, gains, shifts):
    """Set Σ dy ⊙ ẑ and Σ dy over the rows of a tile: the gradients of γ and β."""
    zero = gains.dtype.type(0)
    for i in range(gains.size):
        gains[i], shifts[i] = zero, zero
    for row in range(n_rows):
        dy, z_hat = slopes[start + row * stride :], normalized[kept + row * stride :]
        for i in range(gains.size):
            gains[i] += dy[i] * z_hat[i]
            shifts[i] += dy[i]


# -- whole arrays -------------------------------------------------------------------------------


@entry_point
def normalize_by_runs(n_groups, gain, shift, y, normalized, mean, scale):
    """Turn z in ``y`` (B, O) into y, set ẑ (B, O) and the statistics (B, n_groups)."""
    size = y.shape[1] // n_groups
    for row in range(y.shape[0]):
        for group in range(n_groups):
            run = slice(group * size, (group + 1) * size)
            z = y[row, run]
            mean[row, group], scale[row, group] = measure_run(z)
            normalize_run(
                mean[row, group], scale[row, group], gain[run], shift[run], z, normalized[row, run]
            )


@entry_point
def normalize_by_batch(weights, gain, shift, y, normalized, mean, scale):
    """Turn z in ``y`` (B, O) into y, set ẑ (B, O) and the statistics (O,)."""
    n_rows, width = y.shape
    flat, kept = y.reshape(-1), normalized.reshape(-1)
    total = measure_columns(flat, 0, width, n_rows, weights, mean, scale)
    for i in range(width):
        scale[i] /= scale.dtype.type(total)
    scales(scale, scale)
    normalize_columns(flat, 0, width, n_rows, mean, scale, gain, shift, kept, 0)


@entry_point
def normalize_gradient_by_runs(n_groups, gain, normalized, scale, dz, dgain, dshift):
    """Turn ∂L/∂y in ``dz`` (B, O) into ∂L/∂z and set the gradients of γ and β."""
    n_rows, width = dz.shape
    size = width // n_groups
    sum_gains_and_shifts(dz.reshape(-1), 0, width, n_rows, normalized.reshape(-1), 0, dgain, dshift)
    for row in range(n_rows):
        for group in range(n_groups):
            run = slice(group * size, (group + 1) * size)
            run_gradient(scale[row, group], gain[run], normalized[row, run], dz[row, run])


@entry_point
def normalize_gradient_by_batch(weights, gain, normalized, scale, dz, dgain, dshift):
    """Turn ∂L/∂y in ``dz`` (B, O) into ∂L/∂z and set the gradients of γ and β."""
    n_rows, width = dz.shape
    flat, kept = dz.reshape(-1), normalized.reshape(-1)
    sum_gains_and_shifts(flat, 0, width, n_rows, kept, 0, dgain, dshift)
    columns_gradient(flat, 0, width, n_rows, weights, scale, gain, kept, 0, (dgain, dshift))
