# mypy: disable-error-code="no-untyped-def,no-untyped-call"
# (compiled functions take their types from their arguments)
"""Losses, links, dropout and updates of whole arrays: loops over the network's own functions."""

from __future__ import annotations

from fastmlp.backends.numba_jit.dropout import ROWS_PER_BLOCK, draw_bits, drop_rows
from fastmlp.backends.numba_jit.jit import entry_point
from fastmlp.backends.numba_jit.losses import link_row, loss_row
from fastmlp.backends.numba_jit.optimizers import Penalties, batch_rates, update
from fastmlp.backends.numba_jit.stretches import scale

__all__ = ["apply_dropout", "apply_link", "losses_and_gradients", "update_all"]


@entry_point
def losses_and_gradients(loss, parameters, logits, target, sample_weight, values, gradient):
    """Set values (B,) and the weighted gradient (B, C); no sample weights (0,) count as ones."""
    for row in range(logits.shape[0]):
        values[row] = loss_row(loss, parameters, logits[row], target[row], gradient[row])
        if sample_weight.size > 0:
            scale(sample_weight[row], gradient[row])


@entry_point
def apply_link(loss, parameters, logits, out):
    """Set out (B, C) to the prediction for the logits (B, C)."""
    for row in range(logits.shape[0]):
        link_row(loss, parameters, logits[row], out[row])


@entry_point
def apply_dropout(threshold, seed, layer, step, matrix, bits):
    """Multiply ``matrix`` (B, O) by its dropout factors; ``bits`` (4 · O,) uint32 is scratch."""
    n_rows, width = matrix.shape
    flat = matrix.reshape(-1)
    for row in range(0, n_rows, ROWS_PER_BLOCK):
        draw_bits(row // ROWS_PER_BLOCK, seed, layer, step, bits)
        n = min(ROWS_PER_BLOCK, n_rows - row)
        drop_rows(flat, row * width, width, n, threshold, bits)


@entry_point
def update_all(settings, parameters, gradient, moments, n_weights, weight_sum):
    """One update of all parameters (P,), of which the first ``n_weights`` carry the penalties."""
    rates, penalties = batch_rates(settings, settings.step, weight_sum, parameters)
    first, second = moments[0], moments[moments.shape[0] - 1]
    w, b = slice(0, n_weights), slice(n_weights, parameters.size)
    update(settings, rates, penalties, parameters[w], gradient[w], first[w], second[w])
    real = parameters.dtype.type
    none = Penalties(real(0), real(1), real(0))
    update(settings, rates, none, parameters[b], gradient[b], first[b], second[b])
