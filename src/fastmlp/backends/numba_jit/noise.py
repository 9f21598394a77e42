# mypy: disable-error-code="no-untyped-def,no-untyped-call"
# (compiled functions take their types from their arguments)
"""Normal noise from counted random bits, in streams of its own.

G. E. P. Box, M. E. Muller, "A note on the generation of random normal deviates", 1958: a point with
an exponential squared radius and a uniform angle has normal coordinates. One Philox block makes two
points, whose coordinates serve four rows of one column.
"""

from __future__ import annotations

from math import factorial
from typing import Any

import numpy as np
from numba import types
from numba.extending import overload

from fastmlp.backends.numba_jit.dropout import WORDS_PER_BLOCK, draw_bits, philox
from fastmlp.backends.numba_jit.jit import kernel, scalar_kernel
from fastmlp.backends.numba_jit.logarithm import log
from fastmlp.plan.layout import GRADIENT_NOISE_STREAM, INPUT_NOISE_STREAM

__all__ = ["NORMAL_ROWS", "add_gradient_noise", "add_input_noise", "add_normal_rows"]

#: Rows of a column that one block of bits serves.
NORMAL_ROWS = 4
#: Of a flat vector, a chunk is four rows of so many columns.
_CHUNK_COLUMNS = 16
_CHUNK = NORMAL_ROWS * _CHUNK_COLUMNS
#: The upper 24 bits of a word: all types hold such fractions exactly.
_DROPPED_BITS, _FRACTION = np.uint32(8), 2.0**-24
_LOW_WORD, _WORD_BITS = np.uint64(0xFFFFFFFF), np.uint64(32)


def _make_circle(real: Any, integer: Any, mantissa_bits: int, degree: int) -> Any:
    """Return t ↦ (cos 2πt, sin 2πt) for 0 ≤ t < 1.

    t is cut into quarters exactly; the rest, an angle of at most π/4, goes into Taylor's series up
    to ``degree``, whose remainder is below half an ulp.
    """
    terms = range(degree // 2, -1, -1)
    cosine_terms = np.array([(-1) ** k / factorial(2 * k) for k in terms], dtype=real)
    sine_terms = np.array([(-1) ** k / factorial(2 * k + 1) for k in terms], dtype=real)
    four, half_pi, n_steps = real(4), real(np.pi / 2), degree // 2
    rounder = real(1.5 * 2.0**mantissa_bits)
    rounder_bits, one, two = rounder.view(integer), integer(1), integer(2)

    @scalar_kernel
    def circle(t):
        shifted = four * t + rounder
        quarter = integer(real(shifted).view(integer) - rounder_bits)
        angle = (four * t - (shifted - rounder)) * half_pi
        square = angle * angle
        cosine, sine = cosine_terms[0], sine_terms[0]
        for k in range(n_steps):
            cosine = cosine * square + cosine_terms[k + 1]
            sine = sine * square + sine_terms[k + 1]
        sine *= angle
        swapped = (quarter & one) != 0
        x, y = (sine, cosine) if swapped else (cosine, sine)
        return (
            -x if ((quarter + one) & two) != 0 else x,
            -y if (quarter & two) != 0 else y,
        )

    return circle


_CIRCLE = {
    types.float32: _make_circle(np.float32, np.int32, 23, 10),
    types.float64: _make_circle(np.float64, np.int64, 52, 18),
}


def circle(t: Any) -> Any:
    """Return cos 2πt and sin 2πt in the precision of t, 0 ≤ t < 1."""
    return np.cos(2 * np.pi * t), np.sin(2 * np.pi * t)


@overload(circle, jit_options={"forceinline": True})
def _overload_circle(t):
    return _CIRCLE[t].py_func


@scalar_kernel
def _normal_point(radius_word, angle_word, scale):
    """Return two independent normal numbers of deviation ``scale``, of its type."""
    real = type(scale)
    fraction = real(_FRACTION)
    u = real(np.int32(radius_word >> _DROPPED_BITS)) * fraction
    x, y = circle(real(np.int32(angle_word >> _DROPPED_BITS)) * fraction)
    radius = scale * np.sqrt(real(-2) * log(u + fraction))
    return radius * x, radius * y


@kernel
def _add_points(radius_words, angle_words, deviation, first, second):
    """Add the two coordinates of a point for each column to two rows."""
    for column in range(radius_words.size):
        x, y = _normal_point(radius_words[column], angle_words[column], deviation)
        first[column] += x
        second[column] += y


@kernel
def add_normal_rows(matrix, start, stride, block, deviation, seed, stream, step, bits):
    """Add noise to the four rows of a block, of which ``matrix`` must have all.

    ``bits`` (4, width) uint32 is scratch; ``deviation`` has the type of the matrix.
    """
    width = bits.size // WORDS_PER_BLOCK
    draw_bits(block, seed, stream, step, bits)
    for pair in range(NORMAL_ROWS // 2):
        words = bits[2 * pair * width : 2 * (pair + 1) * width]
        first = matrix[start + 2 * pair * stride : start + 2 * pair * stride + width]
        second = matrix[start + (2 * pair + 1) * stride : start + (2 * pair + 1) * stride + width]
        _add_points(words[:width], words[width:], deviation, first, second)


@kernel
def add_input_noise(work, batch, bits, first, last):
    """Add noise to rows ``first`` … ``last`` of the network's input.

    Buffers are padded to whole tiles: a last block may reach beyond the batch.
    """
    node = work.nodes[0]
    deviation = work.values.dtype.type(batch.input_noise)
    bits = bits[: WORDS_PER_BLOCK * node.width]
    for row in range(first, last, NORMAL_ROWS):
        block = (batch.first_row + row) // NORMAL_ROWS
        start = node.values + row * node.stride
        add_normal_rows(
            work.values, start, node.stride, block, deviation, batch.seed, INPUT_NOISE_STREAM,
            batch.step, bits,
        )  # fmt: skip


@scalar_kernel
def _column_of_chunk(column, deviation, seed, step):
    """Return the four numbers of a column of the flat vector."""
    c2, c3 = np.uint64(step) & _LOW_WORD, np.uint64(GRADIENT_NOISE_STREAM)
    k0, k1 = np.uint64(seed) & _LOW_WORD, np.uint64(seed) >> _WORD_BITS
    w0, w1, w2, w3 = philox(np.uint64(column), np.uint64(0), c2, c3, k0, k1)
    x0, y0 = _normal_point(np.uint32(w0), np.uint32(w1), deviation)
    x1, y1 = _normal_point(np.uint32(w2), np.uint32(w3), deviation)
    return x0, y0, x1, y1


@kernel
def _add_to_chunk(number, deviation, seed, step, chunk):
    """Add noise to a whole chunk (64,)."""
    row_0, row_1 = chunk[:_CHUNK_COLUMNS], chunk[_CHUNK_COLUMNS : 2 * _CHUNK_COLUMNS]
    row_2, row_3 = chunk[2 * _CHUNK_COLUMNS : 3 * _CHUNK_COLUMNS], chunk[3 * _CHUNK_COLUMNS :]
    for lane in range(_CHUNK_COLUMNS):
        column = number * _CHUNK_COLUMNS + lane
        x0, y0, x1, y1 = _column_of_chunk(column, deviation, seed, step)
        row_0[lane] += x0
        row_1[lane] += y0
        row_2[lane] += x1
        row_3[lane] += y1


@kernel
def _add_to_part(number, deviation, seed, step, at, part):
    """Add noise to ``part``, elements ``at`` … of a chunk."""
    for lane in range(_CHUNK_COLUMNS):
        column = number * _CHUNK_COLUMNS + lane
        normals = _column_of_chunk(column, deviation, seed, step)
        for row in range(NORMAL_ROWS):
            place = row * _CHUNK_COLUMNS + lane - at
            if 0 <= place < part.size:
                part[place] += normals[row]


@kernel
def add_gradient_noise(deviation, seed, step, start, gradient):
    """Add noise to ``gradient``, elements ``start`` … of the flat vector."""
    done = 0
    while done < gradient.size:
        number, at = (start + done) // _CHUNK, (start + done) % _CHUNK
        n = min(_CHUNK - at, gradient.size - done)
        part = gradient[done : done + n]
        if n == _CHUNK:
            _add_to_chunk(number, deviation, seed, step, part)
        else:
            _add_to_part(number, deviation, seed, step, at, part)
        done += n
