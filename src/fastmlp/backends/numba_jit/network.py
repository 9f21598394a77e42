# mypy: disable-error-code="no-untyped-def,no-untyped-call"
# (compiled functions take their types from their arguments)
"""Whole stretches of training and prediction: batches one after another, two phases each.

``n_workers`` shares of a phase run in parallel; a single share runs in a plain loop, which does not
touch Numba's threads. Shares take their tiles in turn, and who computes a tile does not matter.
``settings`` is an array (1,) of SETTINGS_DTYPE, since a parallel loop takes no single record.
"""

from __future__ import annotations

import numpy as np
from numba import prange

from fastmlp.backends.numba_jit.jit import entry_point, kernel, parallel_kernel
from fastmlp.backends.numba_jit.max_norm import COLUMNS_AT_ONCE, limit_columns
from fastmlp.backends.numba_jit.normalized_layers import (
    combine_gradients,
    combine_statistics,
    follow_batch,
    use_running,
)
from fastmlp.backends.numba_jit.optimizers import has_trust_ratio, set_group_numbers
from fastmlp.backends.numba_jit.parameter_tiles import (
    accumulate_tile,
    add_norms_of_tiles,
    apply_tile,
    direct_tile,
    follow_tile,
    form_tile,
    pack_tile,
    update_tile,
)
from fastmlp.backends.numba_jit.rows import Batch, predict_tile, train_tile
from fastmlp.backends.numba_jit.shaping import shaping_of_step, with_norm
from fastmlp.backends.numba_jit.stretches import fill
from fastmlp.backends.numba_jit.workspace import rows_of_tile

__all__ = ["objective", "predict", "train"]

_row_tile = kernel(rows_of_tile)
# The number of a share is int64 everywhere: a parallel loop's index is unsigned and a literal has a
# type of its own, and Numba would compile everything below once for each.
_ONLY = np.int64(0)
#: Parts of an update: all at once, or with a meeting of all threads in between.
_WHOLE, _FORM, _APPLY = np.int64(0), np.int64(1), np.int64(2)
#: For an optimiser with a trust ratio, in the place of _APPLY.
_DIRECT, _FOLLOW = np.int64(3), np.int64(4)


@kernel
def _n_tiles(work):
    last = work.blocks[work.blocks.size - 1]
    return last.first_tile + last.n_weight_tiles + 1


@kernel
def _train_share(worker, n_workers, layers, work, samples, batch, segment):
    size, n_rows = _row_tile(batch.rows.size), batch.rows.size
    for first in range(worker * size, n_rows, n_workers * size):
        last = min(first + size, n_rows)
        tile = first // size
        train_tile(layers, work, samples, batch, work.bits[worker], segment, tile, first, last)


@parallel_kernel
def _pass_segment(n_workers, layers, work, samples, batch, segment):
    """Take all rows of a batch through a segment of the network."""
    if n_workers == 1:
        _train_share(_ONLY, n_workers, layers, work, samples, batch, segment)
    else:
        for worker in prange(n_workers):
            _train_share(np.int64(worker), n_workers, layers, work, samples, batch, segment)


@kernel
def _count_rows(samples, rows, weight_sum):
    """Return how many rows a batch stands for: weights count rows, but none for less than one."""
    if samples.sample_weight.size == 0:
        return weight_sum
    n_weighty = 0.0
    for row in rows:
        n_weighty += samples.sample_weight[row] != 0
    return max(weight_sum, n_weighty)


@kernel
def _forward_and_backward(n_workers, layers, work, samples, batch, momentum, parameters):
    """Phase one for all rows of a batch; running statistics in ``parameters`` (V,) follow."""
    n_batch_norms, n_rows = work.batch_norms.size, batch.rows.size
    for segment in range(2 * n_batch_norms):
        _pass_segment(n_workers, layers, work, samples, batch, segment)
        if segment < n_batch_norms:
            layer = work.batch_norms[segment]
            combine_statistics(layer, work, n_rows)
            count = _count_rows(samples, batch.rows, 1 / batch.scale)
            follow_batch(layers, layer, work, count, momentum, parameters)
        else:
            combine_gradients(work.batch_norms[2 * n_batch_norms - 1 - segment], work, n_rows)
    _pass_segment(n_workers, layers, work, samples, batch, 2 * n_batch_norms)


@kernel
def _update_share(
    worker, n_workers, part, layers, work, settings, coefficients, shaping, parameters, moments,
    n_rows,
):  # fmt: skip
    gradient = work.gradients[worker]
    for tile in range(worker, _n_tiles(work), n_workers):
        if part == _FORM:
            form_tile(layers, work, settings[0], shaping, parameters, n_rows, gradient, tile)
        elif part == _APPLY:
            apply_tile(layers, work, settings[0], coefficients, shaping, parameters, moments, tile)
        elif part == _DIRECT:
            direct_tile(layers, work, settings[0], coefficients, shaping, parameters, moments, tile)
        elif part == _FOLLOW:
            follow_tile(layers, work, parameters, tile)
        else:
            update_tile(
                layers, work, settings[0], coefficients, shaping, parameters, moments, n_rows,
                gradient, tile,
            )  # fmt: skip


@parallel_kernel
def _update(
    n_workers, part, layers, work, settings, coefficients, shaping, parameters, moments, n_rows
):
    """Phase two, or a part of it: update all parameters."""
    if n_workers == 1:
        _update_share(
            _ONLY, n_workers, part, layers, work, settings, coefficients, shaping, parameters,
            moments, n_rows,
        )  # fmt: skip
    else:
        for worker in prange(n_workers):
            _update_share(
                np.int64(worker), n_workers, part, layers, work, settings, coefficients,
                shaping, parameters, moments, n_rows,
            )  # fmt: skip


@kernel
def _limit_share(worker, n_workers, layers, settings, parameters):
    """Bound the columns of the hidden layers, each n_workers-th block of them."""
    limit, block = parameters.dtype.type(settings[0].max_norm), worker
    for layer in range(layers.size - 1):
        row = layers[layer]
        w = parameters[row.weight_offset : row.weight_offset + row.fan_in * row.fan_out]
        n_blocks = -(-row.fan_out // COLUMNS_AT_ONCE)
        while block < n_blocks:
            limit_columns(w, row.fan_in, row.fan_out, block * COLUMNS_AT_ONCE, limit)
            block += n_workers
        block -= n_blocks


@parallel_kernel
def _limit_norms(n_workers, layers, settings, parameters):
    """Phase three, with max-norm only."""
    if n_workers == 1:
        _limit_share(_ONLY, n_workers, layers, settings, parameters)
    else:
        for worker in prange(n_workers):
            _limit_share(np.int64(worker), n_workers, layers, settings, parameters)


@kernel
def _pack_share(worker, n_workers, layers, work, parameters):
    for tile in range(worker, _n_tiles(work), n_workers):
        pack_tile(layers, work, parameters, tile)


@parallel_kernel
def _pack_again(n_workers, layers, work, parameters):
    """Copy all parameters to where the products read them."""
    if n_workers == 1:
        _pack_share(_ONLY, n_workers, layers, work, parameters)
    else:
        for worker in prange(n_workers):
            _pack_share(np.int64(worker), n_workers, layers, work, parameters)


@kernel
def _learn(
    n_workers, layers, work, settings, update, coefficients, weight_sum, parameters, moments, n_rows
):
    """Update all parameters; norms of the gradient or of slots need all of the gradient first."""
    for group in range(work.groups.size):
        numbers = work.group_numbers[group]
        set_group_numbers(settings[0], update, weight_sum, work.groups[group], numbers)
    shaping, part = shaping_of_step(settings[0], update, parameters), _WHOLE
    clips, trusts = settings[0].clip_norm > 0, has_trust_ratio(settings[0].optimizer)
    if clips or trusts:
        _update(
            n_workers, _FORM, layers, work, settings, coefficients, shaping, parameters,
            moments, n_rows,
        )  # fmt: skip
        part = _APPLY
    if clips:
        shaping = with_norm(shaping, settings[0].clip_norm, work.squares.sum())
    if trusts:
        _update(
            n_workers, _DIRECT, layers, work, settings, coefficients, shaping, parameters,
            moments, n_rows,
        )  # fmt: skip
        add_norms_of_tiles(layers, work, _n_tiles(work))
        part = _FOLLOW
    _update(
        n_workers, part, layers, work, settings, coefficients, shaping, parameters, moments,
        n_rows,
    )  # fmt: skip
    if settings[0].max_norm > 0:
        _limit_norms(n_workers, layers, settings, parameters)
        _pack_again(n_workers, layers, work, parameters)


@kernel
def _accumulate_share(
    worker, n_workers, layers, work, settings, scale, parameters, n_rows, is_first, out
):
    for tile in range(worker, _n_tiles(work), n_workers):
        accumulate_tile(
            layers, work, settings[0], scale, parameters, n_rows, is_first, work.gradients[worker],
            tile, out,
        )  # fmt: skip


@parallel_kernel
def _accumulate(n_workers, layers, work, settings, scale, parameters, n_rows, is_first, out):
    """Phase two without an update: add the gradient of all parameters to ``out`` (P,)."""
    if n_workers == 1:
        _accumulate_share(
            _ONLY, n_workers, layers, work, settings, scale, parameters, n_rows, is_first, out
        )
    else:
        for worker in prange(n_workers):
            _accumulate_share(
                np.int64(worker),
                n_workers,
                layers,
                work,
                settings,
                scale,
                parameters,
                n_rows,
                is_first,
                out,
            )


@kernel
def _predict_share(worker, n_workers, layers, work, samples, rows, link, parameters, out):
    size, n_rows = _row_tile(rows.size), rows.size
    for first in range(worker * size, n_rows, n_workers * size):
        last = min(first + size, n_rows)
        predict_tile(layers, work, samples, rows, link, parameters, first, last, out)


@parallel_kernel
def _predict(n_workers, layers, work, samples, rows, link, parameters, out):
    if n_workers == 1:
        _predict_share(_ONLY, n_workers, layers, work, samples, rows, link, parameters, out)
    else:
        for worker in prange(n_workers):
            _predict_share(
                np.int64(worker), n_workers, layers, work, samples, rows, link, parameters, out
            )


@kernel
def _weight_sum(samples, rows):
    if samples.sample_weight.size == 0:
        return float(rows.size)
    total = 0.0
    for row in rows:
        total += samples.sample_weight[row]
    return total


@kernel
def _add_losses(total, work, n_rows):
    """Return ``total`` plus the weighted losses, in row order."""
    for row in range(n_rows):
        total += work.losses[row]
    return total


@kernel
def _penalty(settings, work):
    """Return l2/2 · Σw² + l1 · Σ|w| from the sums of the tiles, in their order."""
    if settings.l2 == 0 and settings.l1 == 0:
        return 0.0
    squares, magnitudes = 0.0, 0.0
    for tile in range(work.penalties.shape[0]):
        squares += work.penalties[tile, 0]
        magnitudes += work.penalties[tile, 1]
    return settings.l2 / 2 * squares + settings.l1 * magnitudes


@entry_point
def train(
    layers,
    loss,
    loss_parameters,
    settings,
    updates,
    coefficients,
    parameters,
    moments,
    samples,
    order,
    batch_size,
    work,
    n_workers,
):
    """Train on the rows ``order`` (K,) of the samples; return the sums of cost and penalty.

    ``coefficients`` (n, N_COEFFICIENTS) are those of ``updates`` (n,), one for each batch.
    """
    _pack_share(_ONLY, 1, layers, work, parameters)
    cost, penalty = 0.0, 0.0
    for number in range(updates.size):
        rows = order[number * batch_size : (number + 1) * batch_size]
        weight_sum = _weight_sum(samples, rows)
        if weight_sum != 0:
            update = updates[number]
            batch = Batch(
                rows, 0, update.step, settings[0].seed, loss, loss_parameters, 1 / weight_sum,
                settings[0].input_noise,
            )  # fmt: skip
            momentum = settings[0].batch_norm_momentum
            _forward_and_backward(n_workers, layers, work, samples, batch, momentum, parameters)
            _learn(
                n_workers, layers, work, settings, update, coefficients[number], weight_sum,
                parameters, moments, rows.size,
            )  # fmt: skip
            cost += rows.size * _add_losses(0.0, work, rows.size) / weight_sum
            penalty += rows.size * _penalty(settings[0], work) / weight_sum
    return cost, penalty


@entry_point
def objective(
    layers,
    loss,
    loss_parameters,
    settings,
    step,
    parameters,
    samples,
    rows,
    work,
    n_workers,
    gradient,
):
    """Set ``gradient`` (P,) for the rows as one batch; return the sums of cost and penalty.

    Rows go through the workspace in blocks of its size; batch norm needs all of them in one.
    """
    weight_sum = _weight_sum(samples, rows)
    if weight_sum == 0:
        fill(0, gradient)
        return 0.0, 0.0
    _pack_share(_ONLY, 1, layers, work, parameters)
    cost, scale = 0.0, 1 / weight_sum
    for first in range(0, rows.size, work.n_rows):
        block = rows[first : first + work.n_rows]
        batch = Batch(
            block, first, step, settings[0].seed, loss, loss_parameters, scale,
            settings[0].input_noise,
        )  # fmt: skip
        _forward_and_backward(n_workers, layers, work, samples, batch, 1.0, parameters)
        _accumulate(
            n_workers, layers, work, settings, scale, parameters, block.size, first == 0, gradient
        )
        cost = _add_losses(cost, work, block.size)
    return rows.size * cost / weight_sum, rows.size * _penalty(settings[0], work) / weight_sum


@entry_point
def predict(layers, parameters, samples, rows, link, loss_parameters, work, n_workers, out):
    """Set out (K, C) to the network at X[rows]; ``link`` is a code in LOSSES or negative."""
    _pack_share(_ONLY, 1, layers, work, parameters)
    use_running(layers, work, parameters)
    for first in range(0, rows.size, work.n_rows):
        block = rows[first : first + work.n_rows]
        _predict(
            n_workers,
            layers,
            work,
            samples,
            block,
            link,
            loss_parameters,
            out[first : first + block.size],
        )
