"""Dropout: the bits are the generator's, and the same in every backend."""

from __future__ import annotations

import numpy as np
import pytest
from helpers import REFERENCE, size_pairs
from helpers_looped import looped

from fastmlp.backends.protocol import Backend
from fastmlp.backends.reference.philox import philox4x32
from fastmlp.plan.layout import DROPOUT_LEVELS, dropout_threshold

ONES = 0xFFFFFFFF

#: Known answers of philox4x32 with 7 rounds, published with the Random123 library.
KNOWN_ANSWERS = [
    ((0, 0, 0, 0), (0, 0), (0x5F6FB709, 0x0D893F64, 0x4F121F81, 0x4F730A48)),
    ((ONES,) * 4, (ONES,) * 2, (0x5207DDC2, 0x45165E59, 0x4D8EE751, 0x8C52F662)),
    (
        (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
        (0xA4093822, 0x299F31D0),
        (0x4DFCCABA, 0x190A87F0, 0xC47362BA, 0xB6B5242A),
    ),
]


def factors(
    backend: Backend, shape: tuple[int, int], dtype, threshold=20000, seed=3, layer=1, step=5
) -> np.ndarray:
    out = np.full(shape, np.nan, dtype)
    backend.dropout_factors(threshold, seed, layer, step, out)
    return out


@pytest.mark.parametrize(("counter", "key", "words"), KNOWN_ANSWERS)
def test_generator_gives_the_known_answers(counter, key, words):
    actual = philox4x32(np.array(counter, np.uint64), np.array(key, np.uint64))
    np.testing.assert_array_equal(actual, np.array(words, np.uint64))


def test_rows_take_the_half_words_of_the_known_answer(backend: Backend, dtype):
    # The first known answer, low half first: one value for each of the first eight rows.
    halves = [0xB709, 0x5F6F, 0x3F64, 0x0D89, 0x1F81, 0x4F12, 0x0A48, 0x4F73]
    for row, half in enumerate(halves):
        zero = {"seed": 0, "layer": 0, "step": 0}
        assert factors(backend, (8, 1), dtype, threshold=half, **zero)[row, 0] > 0
        assert factors(backend, (8, 1), dtype, threshold=half + 1, **zero)[row, 0] == 0


@looped("shape", size_pairs())
def test_same_bits_in_every_backend(backend: Backend, dtype, shape):
    np.testing.assert_array_equal(factors(backend, shape, dtype), factors(REFERENCE, shape, dtype))


@looped(
    "place",
    [
        {"threshold": 1},
        {"threshold": DROPOUT_LEVELS - 1},
        {"seed": 2**64 - 1},
        {"seed": 2**32},
        {"layer": 7},
        {"step": 2**32 - 1},
        {"step": 2**32 + 5},
    ],
)
def test_same_bits_for_every_place_of_the_counter(backend: Backend, dtype, place):
    actual = factors(backend, (33, 40), dtype, **place)
    np.testing.assert_array_equal(actual, factors(REFERENCE, (33, 40), dtype, **place))


@looped(
    "change",
    [{"seed": 4}, {"seed": 3 + 2**32}, {"layer": 2}, {"step": 6}, {"step": 5 + 2**31}],
)
def test_another_place_gives_other_bits(backend: Backend, change):
    plain = factors(backend, (32, 32), np.float32)
    changed = factors(backend, (32, 32), np.float32, **change)
    assert 0.3 < np.mean(plain != changed) < 0.6


def test_step_counts_modulo_32_bits(backend: Backend, dtype):
    first, wrapped = (factors(backend, (16, 9), dtype, step=s) for s in (5, 2**32 + 5))
    np.testing.assert_array_equal(first, wrapped)


def test_factors_are_zero_or_the_exact_inverse(backend: Backend, dtype):
    threshold = dropout_threshold(0.2)
    keep = dtype.type(1 - threshold / DROPOUT_LEVELS)
    actual = factors(backend, (64, 64), dtype, threshold=threshold)
    np.testing.assert_array_equal(np.unique(actual), [0, dtype.type(1) / keep])


def test_no_dropout_leaves_everything(backend: Backend, dtype):
    np.testing.assert_array_equal(factors(backend, (9, 9), dtype, threshold=0), 1)


@pytest.mark.parametrize("probability", [0.1, 0.5, 0.9])
def test_share_and_mean(backend: Backend, probability):
    actual = factors(backend, (400, 250), np.float64, threshold=dropout_threshold(probability))
    deviation = (probability * (1 - probability) / actual.size) ** 0.5
    assert abs(np.mean(actual == 0) - probability) < 4 * deviation
    assert abs(actual.mean() - 1) < 4 * deviation / (1 - probability)
