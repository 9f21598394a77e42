"""Random bits from a counter: Philox-4×32, and the dropout factors and noise made of it.

A block is a pure function of (counter, key), so any unit of any step can be drawn alone, in any
order and by any thread. Source: Salmon, Moraes, Dror and Shaw (2011), "Parallel random numbers:
as easy as 1, 2, 3", SC'11.
"""

from __future__ import annotations

import numpy as np
from scipy.special import cosdg, sindg

from fastmlp.plan.layout import DROPOUT_LEVELS

__all__ = ["dropout_bits", "dropout_factors", "philox4x32", "standard_normals"]

#: Rounds with which the generator passes BigCrush, by the paper's table 2, are 7.
ROUNDS = 7

_MULTIPLIERS = (np.uint64(0xD2511F53), np.uint64(0xCD9E8D57))
_KEY_STEPS = (np.uint64(0x9E3779B9), np.uint64(0xBB67AE85))
_LOW_WORD = np.uint64(0xFFFFFFFF)
_WORD = np.uint64(32)

#: One block has eight 16-bit halves: they serve eight rows of one column.
_ROWS_PER_BLOCK = 8

#: Or four normal numbers, for four rows of one column.
_NORMAL_ROWS_PER_BLOCK = 4


def philox4x32(counter: np.ndarray, key: np.ndarray, rounds: int = ROUNDS) -> np.ndarray:
    """Return the random words of every block.

    Parameters
    ----------
    counter : ndarray of uint64, shape (4, ...)
        Four 32-bit words a block.
    key : ndarray of uint64, shape (2,)
        Two 32-bit words, the same for all blocks.
    rounds : int
        How often the words are mixed.

    Returns
    -------
    ndarray of uint64, shape (4, ...)
        Four 32-bit words a block.
    """
    c0, c1, c2, c3 = counter
    k0, k1 = key
    for _ in range(rounds):
        product_0, product_2 = c0 * _MULTIPLIERS[0], c2 * _MULTIPLIERS[1]
        c0, c1, c2, c3 = (
            (product_2 >> _WORD) ^ c1 ^ k0,
            product_2 & _LOW_WORD,
            (product_0 >> _WORD) ^ c3 ^ k1,
            product_0 & _LOW_WORD,
        )
        k0, k1 = (k0 + _KEY_STEPS[0]) & _LOW_WORD, (k1 + _KEY_STEPS[1]) & _LOW_WORD
    return np.stack([c0, c1, c2, c3])


def _block_words(n_blocks: int, n_columns: int, seed: int, stream: int, step: int) -> np.ndarray:
    """Return the words of a column of blocks for each of some columns, (4, n_blocks, n_columns)."""
    block, column = np.indices((n_blocks, n_columns), dtype=np.uint64)
    seed_words = np.array([seed & 0xFFFFFFFF, seed >> 32], dtype=np.uint64)
    counter = np.stack(
        [
            column,
            block,
            np.full_like(column, step % 2**32),
            np.full_like(column, stream),
        ]
    )
    return philox4x32(counter, seed_words)


def dropout_bits(n_rows: int, n_columns: int, seed: int, layer: int, step: int) -> np.ndarray:
    """Return 16 random bits for every unit of a batch, uint64 (n_rows, n_columns)."""
    n_blocks = -(-n_rows // _ROWS_PER_BLOCK)
    words = _block_words(n_blocks, n_columns, seed, layer, step)
    halves = np.stack([words & np.uint64(0xFFFF), words >> np.uint64(16)], axis=1)
    # (word, half, block, column) → (block, word, half, column): rows run through the halves.
    by_row = halves.transpose(2, 0, 1, 3).reshape(n_blocks * _ROWS_PER_BLOCK, n_columns)
    return by_row[:n_rows]


def dropout_factors(bits: np.ndarray, threshold: int) -> np.ndarray:
    """Return 0 where ``bits`` (B, O) are below the threshold, else 1/keep, float64 (B, O)."""
    keep = 1.0 - threshold / DROPOUT_LEVELS
    return np.where(bits >= threshold, 1.0 / keep, 0.0)


def standard_normals(n_rows: int, n_columns: int, seed: int, stream: int, step: int) -> np.ndarray:
    """Return independent standard normal numbers, float64 (n_rows, n_columns).

    Box and Muller (1958), "A note on the generation of random normal deviates": a point whose
    squared distance from 0 is exponential and whose angle is uniform has normal coordinates.
    """
    n_blocks = -(-n_rows // _NORMAL_ROWS_PER_BLOCK)
    words = _block_words(n_blocks, n_columns, seed, stream, step)
    # 24 bits: float32 holds these fractions exactly, so all types see the same point.
    fractions = (words >> np.uint64(8)) / 2**24
    radius = np.sqrt(-2 * np.log(fractions[0::2] + 2.0**-24))
    degrees = 360 * fractions[1::2]  # exact, unlike a multiple of π
    points = np.stack([radius * cosdg(degrees), radius * sindg(degrees)], axis=1)
    # (pair, coordinate, block, column) → (block, pair, coordinate, column)
    by_row = points.transpose(2, 0, 1, 3).reshape(-1, n_columns)
    return by_row[:n_rows]
