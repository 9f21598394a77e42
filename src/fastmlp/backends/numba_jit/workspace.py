"""Scratch memory: laid out once for a plan, so that no batch allocates.

A *node* is what flows between layers: node 0 is the network's input, node l the output of layer
l - 1, node L holds the logits. A *tile* is a stretch of a layer's parameters that one thread
updates at a time: whole rows of W, or the biases.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from fastmlp.backends.numba_jit.dropout import WORDS_PER_BLOCK
from fastmlp.backends.numba_jit.microkernel import TILE_ROWS
from fastmlp.backends.numba_jit.optimizers import N_NUMBERS
from fastmlp.backends.numba_jit.products import padded_width, panel_width
from fastmlp.plan.layout import Plan
from fastmlp.plan.parameters import aligned_zeros
from fastmlp.registry import NORMALIZATIONS

__all__ = ["ROW_TILE", "Workspace", "make_workspace", "rows_of_tile"]

#: Rows that a thread carries through all layers at a time: whole blocks of dropout bits, whole
#: register tiles, and few enough for their activations to stay in cache.
ROW_TILE = 32
#: Batches below 4 ROW_TILE rows are cut finer, so that several threads get some.
_SMALL_ROW_TILE = 8
#: Rows of W in a parameter tile: many reuse dz while it is in the first cache, few spread over more
#: threads. The choice depends on the shape of the layer alone.
_LARGE_TILE, _SMALL_TILE = 32, 8
_LARGE_LAYER = 1 << 16  # weights

_NODE_DTYPE = np.dtype(
    [
        ("width", np.int64),
        ("stride", np.int64),  # from row to row in values and slopes
        ("values", np.int64),  # where the node's rows start
        ("slopes", np.int64),  # likewise; the input has none
    ],
    align=True,
)
_BLOCK_DTYPE = np.dtype(
    [
        ("tile_rows", np.int64),
        ("first_tile", np.int64),
        ("n_weight_tiles", np.int64),  # one of b follows, with a norm of γ and β, and one of α
        ("panels", np.int64),  # where the panels of W (I, O) start
        ("transposed", np.int64),  # those of Wᵀ (O, I), which layer 0 does not need
        ("biases", np.int64),  # b, padded
        ("gains", np.int64),  # γ, likewise
        ("shifts", np.int64),  # β, likewise
        ("alphas", np.int64),  # α, likewise
        ("run_scales", np.int64),  # where (n_rows, n_groups) scales start, without batch norm
        ("tile_sums", np.int64),  # where (row tiles, 2, O) start, with any norm
        ("statistics", np.int64),  # where (5, O) of the whole batch start, with batch norm
    ],
    align=True,
)


class Workspace(NamedTuple):
    """Buffers for batches of up to ``n_rows`` rows; ``real`` is the type of the parameters."""

    nodes: np.ndarray  # (L + 1,) where each node lies
    blocks: np.ndarray  # (L,) where each layer's copies and tiles lie
    values: np.ndarray  # real: h of each node (n_rows, stride); the last one's are the logits
    slopes: np.ndarray  # real: ∂h/∂z · dropout factor, later ∂L/∂z, likewise
    # Where the slopes lie, in a network with parametric activations:
    bends: np.ndarray  # real: ∂h/∂α · dropout factor, later what rows add to ∂L/∂α
    dh: np.ndarray  # real: ∂L/∂h
    panels: np.ndarray  # real: W and Wᵀ in panels, and padded biases
    zeros: np.ndarray  # real: a row of zeros, where a product starts
    gradients: np.ndarray  # (n_threads, largest tile) real: a gradient on its way to the update
    targets: np.ndarray  # (n_rows, T) real: of the batch
    bits: np.ndarray  # (n_threads, 4 · widest) uint32: dropout bits of eight rows
    losses: np.ndarray  # (n_rows,) float64: each row's weighted loss
    batch_norms: np.ndarray  # int64: the layers with batch norm
    normalized: np.ndarray  # real: ẑ where the slopes lie, in a network with norms
    run_scales: np.ndarray  # real: 1 / √(σ² + ε) of each row and group
    row_weights: np.ndarray  # (n_rows,) real: what a row counts in the statistics of its batch
    tile_weights: np.ndarray  # (row tiles,) float64: their sums over tiles of rows
    tile_sums: np.ndarray  # real: what tiles of rows contribute to a batch's sums
    statistics: np.ndarray  # real: those of the whole batch
    penalties: np.ndarray  # (tiles, 2) float64: Σw² and Σ|w| of each tile
    squares: np.ndarray  # (tiles,) float64: Σ of the squares of each tile's gradient
    whole_gradient: np.ndarray  # (P,) real: where no tile may be updated before all are known
    norms: np.ndarray  # (tiles, 2) float64: Σ of the squares of each tile and of its direction
    slot_norms: np.ndarray  # (L, 5, 2) float64: the same of each layer's W, b, γ, β and α
    groups: np.ndarray  # (G,) of GROUP_DTYPE
    slot_groups: np.ndarray  # (L, 5) int64: the groups of each layer's W, b, γ, β and α
    group_numbers: np.ndarray  # (G, N_NUMBERS) real: those of one update
    n_rows: int


def rows_of_tile(n_rows: int) -> int:
    """Return how many rows of a batch of ``n_rows`` go through the layers together."""
    return ROW_TILE if n_rows >= 4 * ROW_TILE else _SMALL_ROW_TILE


def _most_row_tiles(n_rows: int) -> int:
    """Return the largest number of row tiles of a batch of up to ``n_rows`` rows."""
    return max(4 * ROW_TILE // _SMALL_ROW_TILE, -(-n_rows // ROW_TILE))


def _layout_nodes(plan: Plan, itemsize: int, n_rows: int) -> np.ndarray:
    """Return the nodes (L + 1,) of ``n_rows`` rows each."""
    nodes = np.zeros(len(plan.layers) + 1, dtype=_NODE_DTYPE)
    nodes["width"] = [plan.n_inputs, *plan.layers["fan_out"]]
    nodes["stride"] = [padded_width(int(width), itemsize) for width in nodes["width"]]
    sizes = nodes["stride"] * n_rows
    nodes["values"] = np.cumsum(sizes) - sizes
    nodes["slopes"] = nodes["values"] - sizes[0]
    return nodes


def _round_up(number: Any, step: int) -> Any:
    return -(-number // step) * step


def _layout_blocks(plan: Plan, itemsize: int) -> tuple[np.ndarray, int]:
    """Return the blocks (L,) and the length of the panels' buffer."""
    width, layers = panel_width(itemsize), plan.layers
    blocks = np.zeros(len(layers), dtype=_BLOCK_DTYPE)
    fan_in, fan_out = layers["fan_in"], layers["fan_out"]
    blocks["tile_rows"] = np.where(fan_in * fan_out >= _LARGE_LAYER, _LARGE_TILE, _SMALL_TILE)
    blocks["n_weight_tiles"] = -(-fan_in // blocks["tile_rows"])
    n_tiles = _tiles_of_layers(layers, blocks)
    blocks["first_tile"] = np.cumsum(n_tiles) - n_tiles
    straight = fan_in * _round_up(fan_out, width)
    transposed = fan_out * _round_up(fan_in, width)
    transposed[0] = 0
    biases = _round_up(fan_out, width)
    sizes = straight + transposed + 4 * biases
    blocks["panels"] = np.cumsum(sizes) - sizes
    blocks["transposed"] = blocks["panels"] + straight
    blocks["biases"] = blocks["transposed"] + transposed
    blocks["gains"] = blocks["biases"] + biases
    blocks["shifts"] = blocks["gains"] + biases
    blocks["alphas"] = blocks["shifts"] + biases
    return blocks, int(sizes.sum())


def _is(layers: np.ndarray, normalization: str) -> np.ndarray:
    """Return which layers (L,) have this normalisation."""
    found: np.ndarray = layers["normalization"] == NORMALIZATIONS[normalization].code
    return found


def _tiles_of_layers(layers: np.ndarray, blocks: np.ndarray) -> np.ndarray:
    """Return how many tiles of parameters (L,) the layers have."""
    n_vectors = np.where(_is(layers, "none"), 1, 3) + layers["is_parametric"]
    n_tiles: np.ndarray = blocks["n_weight_tiles"] + n_vectors
    return n_tiles


def _starts(sizes: np.ndarray) -> np.ndarray:
    starts: np.ndarray = np.cumsum(sizes) - sizes
    return starts


def _normalization_buffers(
    layers: np.ndarray, blocks: np.ndarray, dtype: np.dtype, n_rows: int, n_slopes: int
) -> dict[str, np.ndarray]:
    """Set where the layers' parts start; return the buffers, empty ones without norms."""
    width, none, batch = layers["fan_out"], _is(layers, "none"), _is(layers, "batch")
    n_tiles = _most_row_tiles(n_rows)
    run_scales = np.where(none | batch, 0, layers["n_groups"]) * n_rows
    tile_sums = np.where(none, 0, 2 * width * n_tiles)
    statistics = np.where(batch, 5 * width, 0)
    blocks["run_scales"], blocks["tile_sums"] = _starts(run_scales), _starts(tile_sums)
    blocks["statistics"] = _starts(statistics)
    return {
        "batch_norms": np.flatnonzero(batch).astype(np.int64),
        "normalized": aligned_zeros(0 if none.all() else n_slopes, dtype),
        "run_scales": aligned_zeros(int(run_scales.sum()), dtype),
        "row_weights": aligned_zeros(n_rows, dtype),
        "tile_weights": aligned_zeros(n_tiles, np.float64),
        "tile_sums": aligned_zeros(int(tile_sums.sum()), dtype),
        "statistics": aligned_zeros(int(statistics.sum()), dtype),
    }


def _slot_groups(plan: Plan) -> np.ndarray:
    """Return the groups (L, 5) of W, b, γ, β and α of each layer; 0 for what it lacks."""
    groups = np.zeros((len(plan.layers), 5), np.int64)
    slots = plan.trained_slots
    groups[slots["layer"], slots["kind"]] = slots["group"]
    return groups


def make_workspace(plan: Plan, dtype: np.dtype, n_rows: int, n_threads: int) -> Workspace:
    """Return the buffers of ``plan`` for calls with up to ``n_rows`` rows and ``n_threads``.

    Parameters
    ----------
    plan : Plan
        The network.
    dtype : {float32, float64}
        Type of the parameters.
    n_rows : int
        Rows of the largest batch.
    n_threads : int
        The most threads that a call will use.
    """
    itemsize, n_rows = np.dtype(dtype).itemsize, _round_up(max(n_rows, 1), ROW_TILE)
    nodes = _layout_nodes(plan, itemsize, n_rows)
    blocks, n_panels = _layout_blocks(plan, itemsize)
    n_values = int((nodes["stride"] * n_rows).sum())
    n_tiles = int(_tiles_of_layers(plan.layers, blocks).sum())
    widest = int(nodes["stride"].max())
    n_slopes = n_values - int(nodes["stride"][0]) * n_rows
    n_bends = n_slopes if plan.layers["is_parametric"].any() else 0
    largest_tile = int((_round_up(blocks["tile_rows"], TILE_ROWS) * nodes["stride"][1:]).max())
    return Workspace(
        nodes=nodes,
        blocks=blocks,
        values=aligned_zeros(n_values, dtype),
        slopes=aligned_zeros(n_slopes, dtype),
        bends=aligned_zeros(n_bends, dtype),
        dh=aligned_zeros(n_bends, dtype),
        panels=aligned_zeros(n_panels, dtype),
        zeros=aligned_zeros(widest, dtype),
        gradients=aligned_zeros((n_threads, largest_tile), dtype),
        targets=aligned_zeros((n_rows, plan.target_width), dtype),
        bits=aligned_zeros((n_threads, WORDS_PER_BLOCK * widest), np.uint32),
        losses=aligned_zeros(n_rows, np.float64),
        penalties=aligned_zeros((n_tiles, 2), np.float64),
        squares=aligned_zeros(n_tiles, np.float64),
        whole_gradient=aligned_zeros(plan.n_parameters, dtype),
        norms=aligned_zeros((n_tiles, 2), np.float64),
        slot_norms=aligned_zeros((len(plan.layers), 5, 2), np.float64),
        groups=plan.groups,
        slot_groups=_slot_groups(plan),
        group_numbers=aligned_zeros((len(plan.groups), N_NUMBERS), dtype),
        **_normalization_buffers(plan.layers, blocks, np.dtype(dtype), n_rows, n_slopes),
        n_rows=n_rows,
    )
