# mypy: disable-error-code="no-untyped-def,no-untyped-call"
# (compiled functions take their types from their arguments)
"""Phase two of a batch: a tile of parameters gets its gradient over all rows and is updated.

Tiles depend on the shape of the network alone and one thread computes all of a tile, so the number
of threads changes nothing. After an update the tile is copied into the panels that the next batch's
products read.
"""

from __future__ import annotations

from fastmlp.backends.numba_jit.jit import kernel
from fastmlp.backends.numba_jit.normalized_layers import (
    is_batch_norm,
    is_normalized,
    sum_of_tiles,
)
from fastmlp.backends.numba_jit.optimizers import (
    add_penalty_gradient,
    follow_direction,
    l2_of,
    penalty_sums,
    set_direction,
    trust_ratio,
    update,
)
from fastmlp.backends.numba_jit.products import (
    add_column_sums,
    multiply,
    pack,
    pack_transposed,
    panel_width,
)
from fastmlp.backends.numba_jit.shaping import bounded_squares
from fastmlp.backends.numba_jit.stretches import copy, fill

__all__ = [
    "accumulate_tile",
    "add_norms_of_tiles",
    "apply_tile",
    "direct_tile",
    "follow_tile",
    "form_tile",
    "pack_tile",
    "update_tile",
]

# Parts of a layer's parameters, in the order of their tiles.
_WEIGHTS, _BIASES, _GAINS, _SHIFTS, _ALPHAS = -1, 0, 1, 2, 3

#: Rows of the batch per product: their columns of dz stay in the first cache.
_BATCH_BLOCK = 256

_panel_width = kernel(panel_width)


@kernel
def _locate(layers, work, tile):
    """Return (layer, part, first row, last row, start, stop) of a tile; only weights have rows.

    ``start`` and ``stop`` are positions in the flat parameter vector.
    """
    layer = layers.size - 1
    while tile < work.blocks[layer].first_tile:
        layer -= 1
    row, block = layers[layer], work.blocks[layer]
    index = tile - block.first_tile
    if index >= block.n_weight_tiles:
        part = index - block.n_weight_tiles
        if part == _GAINS and not is_normalized(row):
            part = _ALPHAS
        start = row.bias_offset
        if part == _GAINS:
            start = row.gain_offset
        elif part == _SHIFTS:
            start = row.shift_offset
        elif part == _ALPHAS:
            start = row.alpha_offset
        return layer, part, 0, 0, start, start + row.fan_out
    first = index * block.tile_rows
    last = min(first + block.tile_rows, row.fan_in)
    start = row.weight_offset + first * row.fan_out
    return layer, _WEIGHTS, first, last, start, start + (last - first) * row.fan_out


@kernel
def _group_of(work, layer, part):
    """Return the group of a part of a layer's parameters."""
    return work.slot_groups[layer, part - _WEIGHTS]


@kernel
def _close_gaps(gradient, n_rows, n_columns, stride):
    """Move rows that lie ``stride`` apart together; the targets never lie behind the sources."""
    if stride == n_columns:
        return
    for row in range(1, n_rows):
        target, source = gradient[row * n_columns :], gradient[row * stride :]
        for column in range(n_columns):
            target[column] = source[column]


@kernel
def _weight_gradient(work, layer, first, last, n_rows, gradient):
    """Set ``gradient`` to rows ``first`` … ``last`` of xᵀ · dz over the batch, without gaps."""
    x, dz = work.nodes[layer], work.nodes[layer + 1]
    width = _panel_width(gradient.itemsize)
    for k in range(0, n_rows, _BATCH_BLOCK):
        multiply(
            (work.values, x.values + k * x.stride + first, 1, x.stride),
            (work.slopes, dz.slopes + k * dz.stride, dz.stride),
            width,
            (work.zeros, 0, 0) if k == 0 else (gradient, 0, dz.stride),
            (gradient, 0, dz.stride),
            last - first,
            dz.width,
            min(_BATCH_BLOCK, n_rows - k),
        )
    _close_gaps(gradient, last - first, dz.width, dz.stride)


@kernel
def _gradient(layers, work, layer, part, first, last, n_rows, gradient):
    """Set ``gradient`` to the gradient of a tile; that of biases in front of batch norm is 0."""
    dz = work.nodes[layer + 1]
    if part == _WEIGHTS:
        _weight_gradient(work, layer, first, last, n_rows, gradient)
    elif part == _BIASES:
        sums = gradient[: dz.width]
        fill(0, sums)
        if not is_batch_norm(layers[layer]):
            add_column_sums(work.slopes, dz.slopes, dz.stride, n_rows, sums)
    elif part == _ALPHAS:
        sums = gradient[: dz.width]
        fill(0, sums)
        add_column_sums(work.bends, dz.slopes, dz.stride, n_rows, sums)
    else:
        sum_of_tiles(layer, work, n_rows, part - _GAINS, gradient[: dz.width])


@kernel
def _measure_penalty(settings, work, tile, group, parameters):
    """Keep Σw² and Σ|w| of a tile times its group's factors, as they are before its update."""
    factors = work.groups[group]
    if settings.l2 * factors.l2 != 0 or settings.l1 * factors.l1 != 0:
        squares, magnitudes = penalty_sums(parameters)
        work.penalties[tile, 0] = factors.l2 * squares
        work.penalties[tile, 1] = factors.l1 * magnitudes


@kernel
def _pack(layers, work, parameters, layer, part, first, last, start):
    """Copy a tile of parameters, from ``start`` on, to where the next batch reads it."""
    row, block = layers[layer], work.blocks[layer]
    if part != _WEIGHTS:
        place = block.biases
        if part == _GAINS:
            place = block.gains
        elif part == _SHIFTS:
            place = block.shifts
        elif part == _ALPHAS:
            place = block.alphas
        copy(parameters[start : start + row.fan_out], work.panels[place : place + row.fan_out])
        return
    weights = parameters[row.weight_offset : row.weight_offset + row.fan_in * row.fan_out]
    pack(weights, row.fan_in, row.fan_out, first, last, work.panels[block.panels :])
    if layer > 0:
        transposed = work.panels[block.transposed :]
        pack_transposed(weights, row.fan_in, row.fan_out, first, last, transposed)


@kernel
def pack_tile(layers, work, parameters, tile):
    """Copy tile number ``tile`` of the parameters (P,) to where the products read it."""
    layer, part, first, last, start, _ = _locate(layers, work, tile)
    _pack(layers, work, parameters, layer, part, first, last, start)


@kernel
def _settle(layers, work, settings, coefficients, shaping, parameters, moments, gradient, tile):
    """Update a tile by its ``gradient``, which is overwritten, and pack it."""
    layer, part, first, last, start, stop = _locate(layers, work, tile)
    numbers = work.group_numbers[_group_of(work, layer, part)]
    update(
        settings, numbers, coefficients, shaping, start, parameters[start:stop],
        gradient[: stop - start], moments[:, start:stop],
    )  # fmt: skip
    _pack(layers, work, parameters, layer, part, first, last, start)


@kernel
def update_tile(
    layers, work, settings, coefficients, shaping, parameters, moments, n_rows, gradient, tile
):
    """Update tile number ``tile`` by its gradient over the ``n_rows`` rows of the batch.

    ``gradient`` is this thread's scratch.
    """
    layer, part, first, last, start, stop = _locate(layers, work, tile)
    _gradient(layers, work, layer, part, first, last, n_rows, gradient)
    _measure_penalty(settings, work, tile, _group_of(work, layer, part), parameters[start:stop])
    _settle(layers, work, settings, coefficients, shaping, parameters, moments, gradient, tile)


@kernel
def form_tile(layers, work, settings, shaping, parameters, n_rows, gradient, tile):
    """Keep a tile's gradient, and its sum of squares, until the norm of the whole is known."""
    layer, part, first, last, start, stop = _locate(layers, work, tile)
    _gradient(layers, work, layer, part, first, last, n_rows, gradient)
    w, group = parameters[start:stop], _group_of(work, layer, part)
    _measure_penalty(settings, work, tile, group, w)
    gradient = gradient[: stop - start]
    copy(gradient, work.whole_gradient[start:stop])
    l2 = l2_of(work.group_numbers[group])
    work.squares[tile] = bounded_squares(shaping.bound, l2, w, gradient)


@kernel
def apply_tile(layers, work, settings, coefficients, shaping, parameters, moments, tile):
    """Update a tile by the gradient that was kept."""
    _, _, _, _, start, stop = _locate(layers, work, tile)
    gradient = work.whole_gradient[start:stop]
    _settle(layers, work, settings, coefficients, shaping, parameters, moments, gradient, tile)


@kernel
def direct_tile(layers, work, settings, coefficients, shaping, parameters, moments, tile):
    """Replace the gradient that was kept by a direction, and measure both norms of the tile."""
    layer, part, _, _, start, stop = _locate(layers, work, tile)
    numbers = work.group_numbers[_group_of(work, layer, part)]
    set_direction(
        settings, numbers, coefficients, shaping, start, parameters[start:stop],
        work.whole_gradient[start:stop], moments[:, start:stop], work.norms[tile],
    )  # fmt: skip


@kernel
def add_norms_of_tiles(layers, work, n_tiles):
    """Add the sums of squares of all tiles, in their order, to those of their slots."""
    fill(0, work.slot_norms.reshape(-1))
    for tile in range(n_tiles):
        layer, part, _, _, _, _ = _locate(layers, work, tile)
        slot = work.slot_norms[layer, part - _WEIGHTS]
        slot[0] += work.norms[tile, 0]
        slot[1] += work.norms[tile, 1]


@kernel
def follow_tile(layers, work, parameters, tile):
    """Make the step of a tile along its direction, and pack it."""
    layer, part, first, last, start, stop = _locate(layers, work, tile)
    numbers = work.group_numbers[_group_of(work, layer, part)]
    trust = trust_ratio(work.slot_norms[layer, part - _WEIGHTS])
    follow_direction(numbers, trust, parameters[start:stop], work.whole_gradient[start:stop])
    _pack(layers, work, parameters, layer, part, first, last, start)


@kernel
def accumulate_tile(
    layers, work, settings, scale, parameters, n_rows, is_first, gradient, tile, out
):
    """Add a tile's gradient to ``out`` (P,); the first time, set it and add the penalties'.

    ``scale`` is 1 / sum of sample weights, ``gradient`` is this thread's scratch.
    """
    layer, part, first, last, start, stop = _locate(layers, work, tile)
    _gradient(layers, work, layer, part, first, last, n_rows, gradient)
    result = out[start:stop]
    if not is_first:
        for i in range(result.size):
            result[i] += gradient[i]
        return
    copy(gradient, result)
    real, w, group = parameters.dtype.type, parameters[start:stop], _group_of(work, layer, part)
    _measure_penalty(settings, work, tile, group, w)
    factors = work.groups[group]
    l2, l1 = settings.l2 * factors.l2 * scale, settings.l1 * factors.l1 * scale
    if l2 != 0 or l1 != 0:
        add_penalty_gradient(real(l2), real(l1), w, result)
