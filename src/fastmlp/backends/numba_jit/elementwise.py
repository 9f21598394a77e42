# mypy: disable-error-code="no-untyped-def,no-untyped-call"
# (compiled functions take their types from their arguments)
"""Losses, links, dropout and updates of whole arrays: loops over the network's own functions."""

from __future__ import annotations

from fastmlp.backends.numba_jit.dropout import ROWS_PER_BLOCK, draw_bits, drop_rows
from fastmlp.backends.numba_jit.jit import entry_point
from fastmlp.backends.numba_jit.losses import link_row, loss_row
from fastmlp.backends.numba_jit.max_norm import COLUMNS_AT_ONCE, limit_columns
from fastmlp.backends.numba_jit.noise import NORMAL_ROWS, add_normal_rows
from fastmlp.backends.numba_jit.optimizers import (
    follow_direction,
    has_trust_ratio,
    l2_of,
    set_direction,
    set_group_numbers,
    trust_ratio,
    update,
)
from fastmlp.backends.numba_jit.shaping import bounded_squares, shaping_of_step, with_norm
from fastmlp.backends.numba_jit.stretches import scale

__all__ = [
    "add_standard_normals",
    "apply_dropout",
    "apply_link",
    "limit_norms",
    "losses_and_gradients",
    "update_all",
]


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
def add_standard_normals(seed, stream, step, matrix, bits):
    """Add noise to ``matrix`` (B, O), B a multiple of NORMAL_ROWS; ``bits`` as above."""
    n_rows, width = matrix.shape
    flat = matrix.reshape(-1)
    one = matrix.dtype.type(1)
    for block in range(n_rows // NORMAL_ROWS):
        start = block * NORMAL_ROWS * width
        add_normal_rows(flat, start, width, block, one, seed, stream, step, bits)


@entry_point
def limit_norms(w, max_norm):
    """Scale the columns of w (I, O) that are longer than ``max_norm`` down to it."""
    fan_in, fan_out = w.shape
    for first in range(0, fan_out, COLUMNS_AT_ONCE):
        limit_columns(w.reshape(-1), fan_in, fan_out, first, w.dtype.type(max_norm))


@entry_point
def update_all(
    settings, record, coefficients, parameters, gradient, moments, runs, groups, numbers, norms,
    weight_sum,
):  # fmt: skip
    """One update of all parameters (P,).

    ``runs`` (R, 3) are (begin, end, group) of stretches of one of the ``groups``, of single slots
    for an optimiser with a trust ratio; ``numbers`` (R, N_NUMBERS) and ``norms`` (2,) are scratch.
    """
    shaping = shaping_of_step(settings, record, parameters)
    for r in range(len(runs)):
        set_group_numbers(settings, record, weight_sum, groups[runs[r, 2]], numbers[r])
    if settings.clip_norm > 0:
        squares = 0.0
        for r in range(len(runs)):
            part = slice(runs[r, 0], runs[r, 1])
            l2 = l2_of(numbers[r])
            squares += bounded_squares(shaping.bound, l2, parameters[part], gradient[part])
        shaping = with_norm(shaping, settings.clip_norm, squares)
    for r in range(len(runs)):
        begin, part = runs[r, 0], slice(runs[r, 0], runs[r, 1])
        if has_trust_ratio(settings.optimizer):
            set_direction(
                settings, numbers[r], coefficients, shaping, begin, parameters[part],
                gradient[part], moments[:, part], norms,
            )  # fmt: skip
            follow_direction(numbers[r], trust_ratio(norms), parameters[part], gradient[part])
        else:
            update(
                settings, numbers[r], coefficients, shaping, begin, parameters[part],
                gradient[part], moments[:, part],
            )  # fmt: skip
