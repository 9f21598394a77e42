# mypy: disable-error-code="no-untyped-def,no-untyped-call,call-arg"
# (compiled functions take their types from their arguments)
"""Phase one of a batch: a tile of rows goes through gather, forward, loss and backward.

Rows are independent, so a thread carries its tiles through all layers without meeting another.
Only batch norm needs the whole batch: a network with k of them is passed in 2k + 1 *segments*, from
one to the next, to the loss, and back; in between the statistics, or gradients, are combined.
``layers`` (L,) is the plan's, ``work`` a ``Workspace``; a tile is rows ``first`` … ``last`` of the
batch, and of the buffers.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from fastmlp.backends.numba_jit.activations import activate
from fastmlp.backends.numba_jit.addresses import activate_by_address
from fastmlp.backends.numba_jit.dropout import (
    ROWS_PER_BLOCK,
    WORDS_PER_BLOCK,
    draw_bits,
    drop_rows,
)
from fastmlp.backends.numba_jit.jit import kernel
from fastmlp.backends.numba_jit.losses import link_row, loss_row
from fastmlp.backends.numba_jit.noise import add_input_noise
from fastmlp.backends.numba_jit.normalized_layers import (
    batch_gradient,
    finish_gradient,
    is_batch_norm,
    measure_tile,
    normalize_tile,
    weigh_rows,
)
from fastmlp.backends.numba_jit.parametric import bend_rows, keep_z, parametric_gradient
from fastmlp.backends.numba_jit.products import multiply, multiply_scaled, panel_width
from fastmlp.backends.numba_jit.stretches import copy, fill, scale
from fastmlp.plan.layout import DROPOUT_LEVELS
from fastmlp.registry import CUSTOM, LOSSES

__all__ = ["Batch", "Samples", "predict_tile", "train_tile"]

_panel_width = kernel(panel_width)
_BINARY_CROSS_ENTROPY = LOSSES["binary_cross_entropy"].code


class Samples(NamedTuple):
    """The data of a call. One compiled function serves all kinds of X: what it lacks is empty."""

    # Of a dense X (N, I), one of three; of a sparse one, its Z stored values as one row (1, Z).
    x_uint8: np.ndarray
    x_float32: np.ndarray
    x_float64: np.ndarray
    # Of a sparse X, the columns of its values, (Z,) of one of two types, and where rows start.
    columns32: np.ndarray
    columns64: np.ndarray
    starts: np.ndarray  # (N + 1,) int64, or (0,) for a dense X
    target: np.ndarray  # (N, T) real
    sample_weight: np.ndarray  # (N,) real, or (0,) for ones


class Batch(NamedTuple):
    """Which rows are in the batch and how they count."""

    rows: Any  # (B,) int64: numbers of samples
    first_row: Any  # number of the first one for the random bits
    step: Any  # number of the update for the random bits
    seed: Any
    loss: Any  # code in LOSSES
    loss_parameters: Any  # (K,)
    scale: Any  # 1 / sum of the batch's sample weights
    input_noise: Any  # standard deviation
    dropout: Any  # factor of the layers' thresholds
    label_smoothing: Any  # share of a label's certainty that is spread over all classes


@kernel
def _stored_value(samples, entry):
    """Return a stored value of a sparse X."""
    if samples.x_uint8.size > 0:
        return np.float64(samples.x_uint8[0, entry])
    if samples.x_float32.size > 0:
        return np.float64(samples.x_float32[0, entry])
    return samples.x_float64[0, entry]


@kernel
def _gather_sparse_row(samples, row, out):
    """Set ``out`` (I,) to row ``row`` of a sparse X; a stored −0 becomes 0, as in a dense copy."""
    fill(0, out)
    for entry in range(samples.starts[row], samples.starts[row + 1]):
        narrow = samples.columns32.size > 0
        column = np.int64(samples.columns32[entry]) if narrow else samples.columns64[entry]
        out[column] += out.dtype.type(_stored_value(samples, entry))


@kernel
def _gather_row(samples, row, out):
    """Copy row ``row`` of X into ``out`` (I,), converted."""
    if samples.starts.size > 0:
        _gather_sparse_row(samples, row, out)
    elif samples.x_uint8.size > 0:
        copy(samples.x_uint8[row], out)
    elif samples.x_float32.size > 0:
        copy(samples.x_float32[row], out)
    else:
        copy(samples.x_float64[row], out)


@kernel
def _gather(samples, rows, work, first, last):
    node = work.nodes[0]
    for row in range(first, last):
        start = node.values + row * node.stride
        _gather_row(samples, rows[row], work.values[start : start + node.width])


@kernel
def _gather_targets(samples, batch, work, first, last):
    n_targets = work.targets.shape[1]
    real = work.targets.dtype.type
    share = real(batch.label_smoothing)
    even = real(1) / real(2 if batch.loss == _BINARY_CROSS_ENTROPY else n_targets)
    for row in range(first, last):
        target = work.targets[row]
        copy(samples.target[batch.rows[row]], target)
        if share > 0:
            for j in range(n_targets):
                target[j] += share * (even - target[j])


@kernel
def _threshold(layer, batch):
    """Return below which of DROPOUT_LEVELS an input of the layer is dropped."""
    scaled = layer.dropout_threshold * batch.dropout + 0.5
    return np.int32(scaled) if scaled < DROPOUT_LEVELS else np.int32(DROPOUT_LEVELS - 1)


@kernel
def _drop(layers, layer, threshold, work, batch, bits, first, last):
    """Apply the dropout of a layer's input to its values and its slopes."""
    node = work.nodes[layer]
    bits = bits[: WORDS_PER_BLOCK * node.width]
    for row in range(first, last, ROWS_PER_BLOCK):
        n = min(ROWS_PER_BLOCK, last - row)
        block = (batch.first_row + row) // ROWS_PER_BLOCK
        draw_bits(block, batch.seed, layer, batch.step, bits)
        start = row * node.stride
        drop_rows(work.values, node.values + start, node.stride, n, threshold, bits)
        if layer > 0:
            drop_rows(work.slopes, node.slopes + start, node.stride, n, threshold, bits)
            if layers[layer - 1].is_parametric:
                drop_rows(work.bends, node.slopes + start, node.stride, n, threshold, bits)


@kernel
def _dense(layers, layer, work, first, last):
    """Set a layer's rows to z = h · W + b."""
    source, target = work.nodes[layer], work.nodes[layer + 1]
    block, fan_in = work.blocks[layer], layers[layer].fan_in
    width = _panel_width(work.values.itemsize)
    multiply(
        (work.values, source.values + first * source.stride, source.stride, 1),
        (work.panels, block.panels, width),
        fan_in * width,
        (work.panels, block.biases, 0),
        (work.values, target.values + first * target.stride, target.stride),
        last - first,
        layers[layer].fan_out,
        fan_in,
    )


@kernel
def _activate(layers, index, work, first, last):
    """Turn rows of a layer's z into h and its slope; the padding goes along."""
    normalize_tile(layers, index, work, first, last)
    layer, node = layers[index], work.nodes[index + 1]
    n = (last - first) * node.stride
    values, slopes = node.values + first * node.stride, node.slopes + first * node.stride
    h, slope = work.values[values : values + n], work.slopes[slopes : slopes + n]
    if layer.is_parametric:
        keep_z(index, work, first, last)
    if layer.activation == CUSTOM:
        activate_by_address(layer.custom, h, slope)
    else:
        activate(layer.activation, h, slope)
    if layer.is_parametric:
        bend_rows(index, work, first, last)


@kernel
def _losses(samples, batch, work, first, last):
    """Set the losses of rows, and in the logits' slopes their gradients, both weighted."""
    node = work.nodes[work.nodes.size - 1]
    for row in range(first, last):
        values, slopes = node.values + row * node.stride, node.slopes + row * node.stride
        gradient = work.slopes[slopes : slopes + node.width]
        sample = batch.rows[row]
        weight = 1.0 if samples.sample_weight.size == 0 else float(samples.sample_weight[sample])
        logits = work.values[values : values + node.width]
        value = loss_row(batch.loss, batch.loss_parameters, logits, work.targets[row], gradient)
        work.losses[row] = weight * value
        scale(weight * batch.scale, gradient)


@kernel
def _backward(layers, layer, work, first, last):
    """Turn the slopes of a layer's input into ∂L/∂z: slope · (dz · Wᵀ)."""
    source, target = work.nodes[layer + 1], work.nodes[layer]
    fan_in, fan_out = layers[layer].fan_in, layers[layer].fan_out
    width = _panel_width(work.values.itemsize)
    if layers[layer - 1].is_parametric:
        multiply(
            (work.slopes, source.slopes + first * source.stride, source.stride, 1),
            (work.panels, work.blocks[layer].transposed, width),
            fan_out * width,
            (work.zeros, 0, 0),
            (work.dh, target.slopes + first * target.stride, target.stride),
            last - first,
            fan_in,
            fan_out,
        )
        parametric_gradient(layer - 1, work, first, last)
        return
    multiply_scaled(
        (work.slopes, source.slopes + first * source.stride, source.stride, 1),
        (work.panels, work.blocks[layer].transposed, width),
        fan_out * width,
        (work.zeros, 0, 0),
        (work.slopes, target.slopes + first * target.stride, target.stride),
        last - first,
        fan_in,
        fan_out,
    )


@kernel
def _forward_segment(layers, work, batch, bits, segment, tile, first, last):
    """Go on to the next batch norm's z, whose statistics are left, or to the logits."""
    begin = 0
    if segment > 0:
        begin = work.batch_norms[segment - 1] + 1
        _activate(layers, begin - 1, work, first, last)
    for layer in range(begin, layers.size):
        if layers[layer].dropout_threshold > 0:
            threshold = _threshold(layers[layer], batch)
            _drop(layers, layer, threshold, work, batch, bits, first, last)
        _dense(layers, layer, work, first, last)
        if is_batch_norm(layers[layer]):
            measure_tile(layer, work, tile, first, last)
            return
        if layer + 1 < layers.size:
            _activate(layers, layer, work, first, last)


@kernel
def _backward_segment(layers, work, segment, tile, first, last):
    """Go back to ∂L/∂y of the next batch norm below, or to the bottom."""
    top, n_batch_norms = layers.size - 1, work.batch_norms.size
    if segment > n_batch_norms:
        top = work.batch_norms[2 * n_batch_norms - segment]
        batch_gradient(top, work, first, last)
    for layer in range(top, 0, -1):
        _backward(layers, layer, work, first, last)
        finish_gradient(layers, layer - 1, work, tile, first, last)
        if is_batch_norm(layers[layer - 1]):
            return


@kernel
def train_tile(layers, work, samples, batch, bits, segment, tile, first, last):
    """Take tile number ``tile`` through a segment of the network.

    After the last one h of every node is in the values, ∂L/∂z in the slopes, and the rows' losses
    are known.
    """
    n_batch_norms = work.batch_norms.size
    if segment == 0:
        _gather(samples, batch.rows, work, first, last)
        _gather_targets(samples, batch, work, first, last)
        if batch.input_noise > 0:
            add_input_noise(work, batch, bits, first, last)
        weigh_rows(samples, batch, work, first, last)
    if segment <= n_batch_norms:
        _forward_segment(layers, work, batch, bits, segment, tile, first, last)
    if segment == n_batch_norms:
        _losses(samples, batch, work, first, last)
    if segment >= n_batch_norms:
        _backward_segment(layers, work, segment, tile, first, last)


@kernel
def predict_tile(layers, work, samples, rows, link, parameters, first, last, out):
    """Set rows of ``out`` to the network at X[rows]; ``link`` is a code in LOSSES or negative.

    Negative is no link, and so is the code of a user's own loss.
    """
    _gather(samples, rows, work, first, last)
    for layer in range(layers.size):
        _dense(layers, layer, work, first, last)
        if layer + 1 < layers.size:
            _activate(layers, layer, work, first, last)
    node = work.nodes[layers.size]
    for row in range(first, last):
        start = node.values + row * node.stride
        logits = work.values[start : start + node.width]
        if link < 0:
            copy(logits, out[row])
        else:
            link_row(link, parameters, logits, out[row])
