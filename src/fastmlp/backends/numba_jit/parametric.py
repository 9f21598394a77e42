# mypy: disable-error-code="no-untyped-def,no-untyped-call"
# (compiled functions take their types from their arguments)
"""Parametric activations, h = z + α (f(z) − z): what happens around f, to tiles of rows."""

from __future__ import annotations

from fastmlp.backends.numba_jit.jit import kernel

__all__ = ["bend_rows", "keep_z", "parametric_gradient"]


@kernel
def keep_z(layer, work, first, last):
    """Keep z of a tile, whose place f(z) is to take."""
    node = work.nodes[layer + 1]
    for row in range(first, last):
        z, kept = node.values + row * node.stride, node.slopes + row * node.stride
        for j in range(node.width):
            work.bends[kept + j] = work.values[z + j]


@kernel
def bend_rows(layer, work, first, last):
    """Turn f(z) and f'(z) into h and its slopes by z and by α."""
    node, alphas = work.nodes[layer + 1], work.blocks[layer].alphas
    one = work.slopes.dtype.type(1)
    for row in range(first, last):
        values, slopes = node.values + row * node.stride, node.slopes + row * node.stride
        for j in range(node.width):
            z, alpha = work.bends[slopes + j], work.panels[alphas + j]
            bend = work.values[values + j] - z
            work.values[values + j] = z + alpha * bend
            work.slopes[slopes + j] = one + alpha * (work.slopes[slopes + j] - one)
            work.bends[slopes + j] = bend


@kernel
def parametric_gradient(layer, work, first, last):
    """Multiply both slopes of a tile by ∂L/∂h: they become ∂L/∂z and what rows add to ∂L/∂α."""
    node = work.nodes[layer + 1]
    for row in range(first, last):
        start = node.slopes + row * node.stride
        for j in range(start, start + node.width):
            work.slopes[j] *= work.dh[j]
            work.bends[j] *= work.dh[j]
