# mypy: disable-error-code="no-untyped-def,no-untyped-call"
# (compiled functions take their types from their arguments)
"""Calls of C functions whose addresses are known only when the code runs."""

from __future__ import annotations

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

__all__ = ["activate_by_address", "loss_by_address"]

_BYTES = ir.IntType(8).as_pointer()
_COUNT = ir.IntType(64)


def _data(context, builder, kinds, values):
    """Return the pointers to the elements of arrays, and the number of the first one's elements."""
    arrays = [
        context.make_array(k)(context, builder, v) for k, v in zip(kinds, values, strict=True)
    ]
    return [builder.bitcast(array.data, _BYTES) for array in arrays], arrays[0].nitems


@intrinsic
def activate_by_address(typing_context, address, h, slope):
    """Call a ``fastmlp_layer.custom`` of csrc/fastmlp.h: h (n,) holds z before and f(z) after."""

    def generate(context, builder, signature, arguments):
        pointers, n = _data(context, builder, signature.args[1:], arguments[1:])
        kind = ir.FunctionType(ir.VoidType(), [_COUNT, _COUNT, _BYTES, _BYTES])
        function = builder.inttoptr(arguments[0], kind.as_pointer())
        builder.call(function, [n, n, *pointers])
        return context.get_dummy_value()

    return types.void(address, h, slope), generate


@intrinsic
def loss_by_address(typing_context, address, logits, target, gradient):
    """Call a ``fastmlp_custom_loss`` of csrc/fastmlp.h for one row and return its loss.

    ``address`` is a double with the bits of the address; the arrays are (C,).
    """

    def generate(context, builder, signature, arguments):
        (z, y, slope), n = _data(context, builder, signature.args[1:], arguments[1:])
        value = cgutils.alloca_once(builder, context.get_value_type(logits.dtype))
        pointer = builder.bitcast(arguments[0], _COUNT)
        kind = ir.FunctionType(ir.VoidType(), [_COUNT, _COUNT, _BYTES, _BYTES, _BYTES, _BYTES])
        function = builder.inttoptr(pointer, kind.as_pointer())
        row = ir.Constant(_COUNT, 1)
        builder.call(function, [row, n, z, y, builder.bitcast(value, _BYTES), slope])
        return builder.load(value)

    return logits.dtype(address, logits, target, gradient), generate
