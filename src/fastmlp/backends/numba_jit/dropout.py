# mypy: disable-error-code="no-untyped-def,no-untyped-call"
# (compiled functions take their types from their arguments)
"""Inverted dropout from counted random bits: no state, the same bits in any order of work.

Philox-4×32 with 7 rounds: J. K. Salmon, M. A. Moraes, R. O. Dror, D. E. Shaw, "Parallel random
numbers: as easy as 1, 2, 3", SC 2011. The multipliers and key increments are the paper's. One block
of four words serves eight rows of one column: 16 bits each.
"""

from __future__ import annotations

import numpy as np

from fastmlp.backends.numba_jit.jit import entry_point, kernel
from fastmlp.plan.layout import DROPOUT_LEVELS

__all__ = ["ROWS_PER_BLOCK", "WORDS_PER_BLOCK", "draw_bits", "drop_rows", "philox"]

ROWS_PER_BLOCK = 8
WORDS_PER_BLOCK = 4
_ROUNDS = 7
_MULTIPLIER_0, _MULTIPLIER_1 = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)
_INCREMENT_0, _INCREMENT_1 = np.uint64(0x9E3779B9), np.uint64(0xBB67AE85)
_LOW_WORD, _WORD_BITS = np.uint64(0xFFFFFFFF), np.uint64(32)
_HALF_MASK = np.uint32(0xFFFF)


@entry_point
def philox(c0, c1, c2, c3, k0, k1):
    """Return the four words for a counter and a key; all are uint64 below 2³²."""
    for _ in range(_ROUNDS):
        # The full products of 32-bit words: high and low word.
        product_0, product_1 = _MULTIPLIER_0 * c0, _MULTIPLIER_1 * c2
        c0, c1, c2, c3 = (
            (product_1 >> _WORD_BITS) ^ c1 ^ k0,
            product_1 & _LOW_WORD,
            (product_0 >> _WORD_BITS) ^ c3 ^ k1,
            product_0 & _LOW_WORD,
        )
        k0 = (k0 + _INCREMENT_0) & _LOW_WORD
        k1 = (k1 + _INCREMENT_1) & _LOW_WORD
    return c0, c1, c2, c3


@kernel
def draw_bits(block, seed, layer, step, bits):
    """Set bits (4, width) uint32 to the words of rows 8·block … 8·block + 7, column by column."""
    width = bits.size // WORDS_PER_BLOCK
    word_0, word_1 = bits[:width], bits[width : 2 * width]
    word_2, word_3 = bits[2 * width : 3 * width], bits[3 * width :]
    c1, c2, c3 = np.uint64(block), np.uint64(step) & _LOW_WORD, np.uint64(layer)
    k0, k1 = np.uint64(seed) & _LOW_WORD, np.uint64(seed) >> _WORD_BITS
    for column in range(width):
        w0, w1, w2, w3 = philox(np.uint64(column), c1, c2, c3, k0, k1)
        word_0[column], word_1[column] = np.uint32(w0), np.uint32(w1)
        word_2[column], word_3[column] = np.uint32(w2), np.uint32(w3)


@kernel
def drop_rows(matrix, start, stride, n_rows, threshold, bits):
    """Multiply up to eight rows of ``matrix`` by their dropout factors.

    ``bits`` (4, width) uint32 are those of the rows' block; the first row is the block's first.
    """
    width = bits.size // WORDS_PER_BLOCK
    limit = np.uint32(threshold)
    real = matrix.dtype.type
    zero, scale = real(0), real(DROPOUT_LEVELS / (DROPOUT_LEVELS - threshold))
    for row in range(n_rows):
        words = bits[row // 2 * width : (row // 2 + 1) * width]
        shift = np.uint32(16 * (row % 2))
        values = matrix[start + row * stride : start + row * stride + width]
        for column in range(width):
            half = (words[column] >> shift) & _HALF_MASK
            values[column] *= scale if half >= limit else zero
