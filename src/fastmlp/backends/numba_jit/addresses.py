# mypy: disable-error-code="no-untyped-def,no-untyped-call"
# (compiled functions take their types from their arguments)
"""Calls of C functions whose addresses are known only when the code runs."""

from __future__ import annotations

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

__all__ = ["activate_by_address"]

_BYTES = ir.IntType(8).as_pointer()
_COUNT = ir.IntType(64)


@intrinsic
def activate_by_address(typing_context, address, h, slope):
    """Call a ``fastmlp_layer.custom`` of csrc/fastmlp.h: h (n,) holds z before and f(z) after."""

    def generate(context, builder, signature, arguments):
        pointer, arrays = arguments[0], zip(signature.args[1:], arguments[1:], strict=True)
        h, slope = (context.make_array(kind)(context, builder, value) for kind, value in arrays)
        kind = ir.FunctionType(ir.VoidType(), [_COUNT, _BYTES, _BYTES, _COUNT])
        function = builder.inttoptr(pointer, kind.as_pointer())
        data = [builder.bitcast(array.data, _BYTES) for array in (h, slope)]
        builder.call(function, [h.nitems, *data, slope.nitems])
        return context.get_dummy_value()

    return types.void(address, h, slope), generate
