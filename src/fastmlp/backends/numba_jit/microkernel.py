# mypy: disable-error-code="no-untyped-def,no-untyped-call,import-untyped,index"
# (Numba and llvmlite declare few types for those who extend them)
"""A register tile of a matrix product, written in LLVM's vector IR.

Left to itself, LLVM keeps a tile's sums in memory: every multiply-add then costs a load and a
store. This module therefore emits the innermost loop itself. One generator yields all variants;
LLVM still picks the instructions of the machine.

Matrices are tuples: ``(array, start, row_stride)`` where columns are contiguous, and
``(array, start, row_stride, column_stride)`` for the left operand, of which single items are read.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import llvmlite.binding
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

__all__ = ["TILE_ROWS", "VECTORS", "VECTOR_BYTES", "make_tile"]


def _vector_bytes() -> int:
    """Return the width of this machine's vector registers."""
    features = llvmlite.binding.get_host_cpu_features()
    if features.get("avx512f"):
        return 64
    return 32 if features.get("avx2") else 16


VECTOR_BYTES = _vector_bytes()
#: A tile's columns, in vectors.
VECTORS = 2
#: A tile's rows: 16 sums in registers where AVX-512 has 32 of them, else 8 of at least 16.
TILE_ROWS = 8 if VECTOR_BYTES == 64 else 4


class _Matrix:
    """Addresses of one operand's items."""

    def __init__(self, context: Any, builder: Any, kind: types.BaseTuple, value: Any):
        array, start, self.row_stride, *rest = cgutils.unpack_tuple(builder, value)
        self.column_stride = rest[0] if rest else None
        self.builder = builder
        data = context.make_array(kind[0])(context, builder, array).data
        self.first = builder.gep(data, [start], inbounds=True)

    def item(self, row: Any, column: Any) -> Any:
        """Return the address of the item at (row, column)."""
        if self.column_stride is not None:
            column = self.builder.mul(column, self.column_stride)
        index = self.builder.add(self.builder.mul(row, self.row_stride), column)
        return self.builder.gep(self.first, [index], inbounds=True)


class _Tile:
    """Emits ``TILE_ROWS`` rows by ``n_vectors`` vectors of a product, each sum in a register."""

    def __init__(self, builder: Any, real: types.Float, n_vectors: int):
        self.builder = builder
        self.bytes = real.bitwidth // 8
        self.lanes = VECTOR_BYTES // self.bytes
        self.vector = ir.VectorType(
            ir.FloatType() if real == types.float32 else ir.DoubleType(), self.lanes
        )
        self.cells = [(row, v) for row in range(TILE_ROWS) for v in range(n_vectors)]

    def address(self, matrix: _Matrix, row: Any, vector: int) -> Any:
        """Return where the vector number ``vector`` of a row lies; ``row`` is an int or a value."""
        index = matrix.row_stride.type
        row = index(row) if isinstance(row, int) else row
        item = matrix.item(row, index(vector * self.lanes))
        return self.builder.bitcast(item, self.vector.as_pointer())

    def load(self, matrix: _Matrix, row: Any, vector: int) -> Any:
        """Load a vector, which need not be aligned."""
        return self.builder.load(self.address(matrix, row, vector), align=self.bytes)

    def broadcast(self, address: Any) -> Any:
        """Load one item into every lane."""
        item = self.builder.load(address)
        nothing, lane = ir.Constant(self.vector, ir.Undefined), ir.IntType(32)
        single = self.builder.insert_element(nothing, item, lane(0))
        zeros = ir.Constant(ir.VectorType(lane, self.lanes), None)
        return self.builder.shuffle_vector(single, nothing, zeros)

    def multiply_add(self, x: Any, y: Any, z: Any) -> Any:
        """Return x · y + z, fused where the machine can."""
        name = f"llvm.fmuladd.v{self.lanes}f{8 * self.bytes}"
        kind = ir.FunctionType(self.vector, [self.vector] * 3)
        function = cgutils.get_or_insert_function(self.builder.module, kind, name)
        return self.builder.call(function, [x, y, z])

    def sums(self, left: _Matrix, right: _Matrix, first: _Matrix, n_k: Any) -> dict[Any, Any]:
        """Return first + left · right: the sum of every cell, over ascending k."""
        # LLVM turns these stack slots into registers.
        slots = {
            (row, v): cgutils.alloca_once_value(self.builder, self.load(first, row, v))
            for row, v in self.cells
        }
        with cgutils.for_range(self.builder, n_k) as loop:
            columns = {v: self.load(right, loop.index, v) for _, v in self.cells}
            factors = {
                row: self.broadcast(left.item(n_k.type(row), loop.index)) for row, _ in self.cells
            }
            for (row, v), slot in slots.items():
                total = self.multiply_add(factors[row], columns[v], self.builder.load(slot))
                self.builder.store(total, slot)
        return {cell: self.builder.load(slot) for cell, slot in slots.items()}

    def store(self, out: _Matrix, cell: tuple[int, int], value: Any, scale: bool) -> None:
        """Store one sum, times what stands in ``out`` if ``scale``."""
        if scale:
            value = self.builder.fmul(value, self.load(out, *cell))
        self.builder.store(value, self.address(out, *cell), align=self.bytes)


def make_tile(n_vectors: int, scale: bool) -> Callable[..., None]:
    """Return a function for use in compiled code that computes one tile of a product.

    Parameters
    ----------
    n_vectors : int
        The tile's columns, in vectors of ``VECTOR_BYTES``.
    scale : bool
        Multiply the result by what stands in ``out``.

    Returns
    -------
    callable
        ``tile(left (R, K), right (K, V), first (R, V), out (R, V), n_k)`` sets
        out = (out ·) (first + left · right), with R = ``TILE_ROWS`` rows.
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        *matrices, n_k = arguments
        left, right, first, out = (
            _Matrix(context, builder, kind, value)
            for kind, value in zip(signature.args, matrices, strict=False)
        )
        tile = _Tile(builder, signature.args[0][0].dtype, n_vectors)
        for cell, value in tile.sums(left, right, first, n_k).items():
            tile.store(out, cell, value, scale)
        return context.get_dummy_value()

    @intrinsic
    def tile(typing_context, left, right, first, out, n_k):
        matrices = [
            types.Tuple([matrix[0]] + [types.intp] * (len(matrix) - 1))
            for matrix in (left, right, first, out)
        ]
        return types.none(*matrices, types.intp), generate

    return tile
