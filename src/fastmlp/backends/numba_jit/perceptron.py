# mypy: disable-error-code="no-untyped-def,no-untyped-call"
# (compiled functions take their types from their arguments)
"""Rosenblatt's perceptron: no product may fuse with a sum, so that all backends round alike."""

from __future__ import annotations

from fastmlp.backends.numba_jit.jit import exact_entry_point, exact_kernel

__all__ = ["CHAINS", "epoch", "scores"]

#: Sums that a dot product is made of.
CHAINS = 16


@exact_kernel
def _score(x, w, b, sums):
    """Return x · w + b for x and w (I,); ``sums`` (CHAINS,) is scratch."""
    for j in range(CHAINS):
        sums[j] = 0
    whole = x.size - x.size % CHAINS
    for i in range(0, whole, CHAINS):
        for j in range(CHAINS):
            sums[j] += x[i + j] * w[i + j]
    for i in range(whole, x.size):
        sums[i - whole] += x[i] * w[i]
    n = CHAINS // 2
    while n > 0:
        for j in range(n):
            sums[j] += sums[j + n]
        n //= 2
    return sums[0] + b


@exact_entry_point
def scores(x, w, b, out, sums):
    """Set out (B, K) = x (B, I) · w (K, I)ᵀ + b (K,)."""
    for row in range(x.shape[0]):
        for unit in range(w.shape[0]):
            out[row, unit] = _score(x[row], w[unit], b[unit], sums)


@exact_entry_point
def epoch(x, target, rates, order, w, b, sums):
    """Learn from the rows ``order`` (M,) in turn; return the mistakes. Shapes: see ``Backend``."""
    mistakes, zero = 0, w.dtype.type(0)
    for row in order:
        if rates[row] == zero:
            continue
        for unit in range(w.shape[0]):
            fires = _score(x[row], w[unit], b[unit], sums) > zero
            if fires == (target[row, unit] > zero):
                continue
            step = -rates[row] if fires else rates[row]
            for i in range(x.shape[1]):
                w[unit, i] += step * x[row, i]
            b[unit] += step
            mistakes += 1
    return mistakes
