# mypy: disable-error-code="no-untyped-def,no-untyped-call"
# (compiled functions take their types from their arguments)
"""Normalisations inside a network: tiles of rows, and what batch norm needs of the whole batch.

Tile number ``tile`` of a batch leaves two vectors (O,) per layer in ``work.tile_sums``: for batch
norm on the way forward its mean and sum of squares, on the way back its sums for γ and β. One
thread combines them in the order of the tiles. Which rows make a tile follows from the batch's
size.
"""

from __future__ import annotations

from fastmlp.backends.numba_jit.jit import kernel, view_kernel
from fastmlp.backends.numba_jit.normalizations import (
    add_to_statistics,
    columns_gradient,
    measure_columns,
    measure_run,
    normalize_columns,
    normalize_run,
    run_gradient,
    scales,
    sum_gains_and_shifts,
)
from fastmlp.backends.numba_jit.stretches import copy, fill
from fastmlp.backends.numba_jit.workspace import rows_of_tile
from fastmlp.registry import NORMALIZATIONS

__all__ = [
    "batch_gradient",
    "combine_gradients",
    "combine_statistics",
    "finish_gradient",
    "follow_batch",
    "is_batch_norm",
    "is_normalized",
    "measure_tile",
    "normalize_tile",
    "sum_of_tiles",
    "use_running",
    "weigh_rows",
]

_NONE, _BATCH = NORMALIZATIONS["none"].code, NORMALIZATIONS["batch"].code
_rows_of_tile = kernel(rows_of_tile)


@kernel
def is_batch_norm(layer):
    """Return whether a layer (row of the plan) waits for the whole batch."""
    return layer.normalization == _BATCH


@kernel
def is_normalized(layer):
    """Return whether a layer (row of the plan) has a normalisation."""
    return layer.normalization != _NONE


@view_kernel
def _vector(array, start, index, width):
    """Return vector number ``index`` of those of ``width`` that begin at ``start``."""
    return array[start + index * width : start + (index + 1) * width]


@view_kernel
def _tile_vector(work, layer, tile, half):
    """Return what a tile has left: of batch norm its mean (0) or squares (1), or a gradient."""
    width = work.nodes[layer + 1].width
    return _vector(work.tile_sums, work.blocks[layer].tile_sums, 2 * tile + half, width)


@view_kernel
def _batch_vector(work, layer, which):
    """Return a vector of the whole batch: mean 0, scale 1, Σ dy ⊙ ẑ 2, Σ dy 3, variance 4."""
    width = work.nodes[layer + 1].width
    return _vector(work.statistics, work.blocks[layer].statistics, which, width)


@view_kernel
def _gain_and_shift(work, layer):
    block, width = work.blocks[layer], work.nodes[layer + 1].width
    gain = work.panels[block.gains : block.gains + width]
    return gain, work.panels[block.shifts : block.shifts + width]


@kernel
def weigh_rows(samples, batch, work, first, last):
    """Keep what rows count in the statistics of their batch."""
    for row in range(first, last):
        sample = batch.rows[row]
        weight = 1.0 if samples.sample_weight.size == 0 else float(samples.sample_weight[sample])
        work.row_weights[row] = weight * batch.scale


@kernel
def measure_tile(layer, work, tile, first, last):
    """Leave the statistics of a tile of z."""
    node = work.nodes[layer + 1]
    work.tile_weights[tile] = measure_columns(
        work.values,
        node.values + first * node.stride,
        node.stride,
        last - first,
        work.row_weights[first:last],
        _tile_vector(work, layer, tile, 0),
        _tile_vector(work, layer, tile, 1),
    )


@kernel
def _normalize_runs(layers, layer, work, first, last):
    node, gain_shift = work.nodes[layer + 1], _gain_and_shift(work, layer)
    n_groups = layers[layer].n_groups
    size = node.width // n_groups
    for row in range(first, last):
        for group in range(n_groups):
            at, unit = row * node.stride + group * size, group * size
            z = work.values[node.values + at : node.values + at + size]
            mean, scale = measure_run(z)
            work.run_scales[work.blocks[layer].run_scales + row * n_groups + group] = scale
            normalize_run(
                mean,
                scale,
                gain_shift[0][unit : unit + size],
                gain_shift[1][unit : unit + size],
                z,
                work.normalized[node.slopes + at : node.slopes + at + size],
            )


@kernel
def normalize_tile(layers, layer, work, first, last):
    """Turn rows of z into y; batch norm takes the statistics that are in the workspace."""
    if layers[layer].normalization == _NONE:
        return
    if layers[layer].normalization != _BATCH:
        _normalize_runs(layers, layer, work, first, last)
        return
    node = work.nodes[layer + 1]
    gain, shift = _gain_and_shift(work, layer)
    normalize_columns(
        work.values,
        node.values + first * node.stride,
        node.stride,
        last - first,
        _batch_vector(work, layer, 0),
        _batch_vector(work, layer, 1),
        gain,
        shift,
        work.normalized,
        node.slopes + first * node.stride,
    )


@kernel
def _runs_gradient(layers, layer, work, first, last):
    node, gain = work.nodes[layer + 1], _gain_and_shift(work, layer)[0]
    n_groups = layers[layer].n_groups
    size = node.width // n_groups
    for row in range(first, last):
        for group in range(n_groups):
            at = node.slopes + row * node.stride + group * size
            run_gradient(
                work.run_scales[work.blocks[layer].run_scales + row * n_groups + group],
                gain[group * size : (group + 1) * size],
                work.normalized[at : at + size],
                work.slopes[at : at + size],
            )


@kernel
def finish_gradient(layers, layer, work, tile, first, last):
    """Leave a tile's sums for γ and β; but for batch norm, turn its ∂L/∂y into ∂L/∂z."""
    if layers[layer].normalization == _NONE:
        return
    node = work.nodes[layer + 1]
    start = node.slopes + first * node.stride
    sum_gains_and_shifts(
        work.slopes,
        start,
        node.stride,
        last - first,
        work.normalized,
        start,
        _tile_vector(work, layer, tile, 0),
        _tile_vector(work, layer, tile, 1),
    )
    if layers[layer].normalization != _BATCH:
        _runs_gradient(layers, layer, work, first, last)


@kernel
def batch_gradient(layer, work, first, last):
    """Turn ∂L/∂y of a tile into ∂L/∂z by the sums of the whole batch."""
    node = work.nodes[layer + 1]
    start = node.slopes + first * node.stride
    columns_gradient(
        work.slopes,
        start,
        node.stride,
        last - first,
        work.row_weights[first:last],
        _batch_vector(work, layer, 1),
        _gain_and_shift(work, layer)[0],
        work.normalized,
        start,
        (_batch_vector(work, layer, 2), _batch_vector(work, layer, 3)),
    )


@kernel
def _n_tiles(n_rows):
    size = _rows_of_tile(n_rows)
    return (n_rows + size - 1) // size


@kernel
def combine_statistics(layer, work, n_rows):
    """Make the tiles' statistics the batch's."""
    mean, scale = _batch_vector(work, layer, 0), _batch_vector(work, layer, 1)
    variance = _batch_vector(work, layer, 4)
    fill(0, mean)
    fill(0, variance)
    total = 0.0
    for tile in range(_n_tiles(n_rows)):
        weight = work.tile_weights[tile]
        add_to_statistics(
            total,
            mean,
            variance,
            weight,
            _tile_vector(work, layer, tile, 0),
            _tile_vector(work, layer, tile, 1),
        )
        total += weight
    for i in range(variance.size):
        variance[i] /= variance.dtype.type(total)
    scales(variance, scale)


@kernel
def sum_of_tiles(layer, work, n_rows, half, out):
    """Set out (O,) to the gradient of γ (half 0) or β (half 1) over the batch."""
    fill(0, out)
    for tile in range(_n_tiles(n_rows)):
        part = _tile_vector(work, layer, tile, half)
        for i in range(out.size):
            out[i] += part[i]


@kernel
def combine_gradients(layer, work, n_rows):
    """Make the tiles' sums for γ and β the batch's."""
    for half in range(2):
        sum_of_tiles(layer, work, n_rows, half, _batch_vector(work, layer, 2 + half))


@kernel
def follow_batch(layers, layer, work, count, momentum, parameters):
    """Move the running statistics among ``parameters`` (V,) towards those of the batch.

    ``count`` is how many rows the batch stands for.
    """
    row, real = layers[layer], parameters.dtype.type
    mean, variance = _batch_vector(work, layer, 0), _batch_vector(work, layer, 4)
    running_mean = parameters[row.mean_offset : row.mean_offset + row.fan_out]
    running_variance = parameters[row.variance_offset : row.variance_offset + row.fan_out]
    share, unbiased = real(momentum), real(count / (count - 1) if count > 1 else 1.0)
    for i in range(mean.size):
        running_mean[i] += share * (mean[i] - running_mean[i])
        running_variance[i] += share * (unbiased * variance[i] - running_variance[i])


@kernel
def use_running(layers, work, parameters):
    """Let every batch norm take its running statistics, for prediction."""
    for layer in range(layers.size):
        row = layers[layer]
        if row.normalization == _BATCH:
            running = parameters[row.mean_offset : row.mean_offset + row.fan_out]
            copy(running, _batch_vector(work, layer, 0))
            running = parameters[row.variance_offset : row.variance_offset + row.fan_out]
            scales(running, _batch_vector(work, layer, 1))
