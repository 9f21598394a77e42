"""The three matrix products of a layer, by fastmlp's core and others: ready to be timed.

B rows, fan-in I, fan-out O:
    forward   z  (B, O) = x (B, I) · w (I, O)
    gradient  dw (I, O) = xᵀ · dz (B, O)
    input     dx (B, I) = dz · wᵀ
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from fastmlp.backends.compiled import CompiledBackend
from fastmlp.cli.timing import WrongResultError
from fastmlp.plan.layout import make_plan
from fastmlp.plan.parameters import aligned_zeros, weight_views

__all__ = [
    "KINDS",
    "Call",
    "Operands",
    "Shape",
    "check",
    "core_call",
    "numpy_call",
    "packed_call",
    "torch_call",
]

KINDS = ("forward", "gradient", "input")

#: Largest deviation from the float64 product in units of eps · √(length of the sums) · (the largest
#: factors): rounding errors add up like a random walk, and what is wrong is off by far more.
ROUNDING = 8


class Shape(NamedTuple):
    """Rows, fan-in and fan-out."""

    rows: int
    fan_in: int
    fan_out: int

    @property
    def flops(self) -> int:
        """Floating-point operations of each of the three products."""
        return 2 * self.rows * self.fan_in * self.fan_out

    def __str__(self) -> str:
        return f"{self.rows}×{self.fan_in}×{self.fan_out}"


class Operands:
    """x (B, I), w (I, O), b (O,) and dz (B, O), drawn for a shape."""

    def __init__(self, shape: Shape, dtype: np.dtype) -> None:
        rng = np.random.default_rng(0)
        self.shape, self.dtype = shape, dtype
        rows, fan_in, fan_out = shape
        self.x, self.w = (self._normal(rng, rows, fan_in), self._normal(rng, fan_in, fan_out))
        self.b, self.dz = (aligned_zeros(fan_out, dtype), self._normal(rng, rows, fan_out))

    def _normal(self, rng: np.random.Generator, *shape: int) -> np.ndarray:
        array = aligned_zeros(shape, self.dtype)
        array[...] = rng.standard_normal(shape, dtype=np.float32)
        return array

    def factors(self, kind: str) -> tuple[np.ndarray, np.ndarray]:
        """Return the left and the right factor of a product."""
        pairs = {
            "forward": (self.x, self.w),
            "gradient": (self.x.T, self.dz),
            "input": (self.dz, self.w.T),
        }
        return pairs[kind]


class Call(NamedTuple):
    """A product that is ready to be timed, and where its result lands."""

    run: Callable[[], object]
    out: np.ndarray


def core_call(kind: str, on: Operands) -> Call:
    """Return the core's kernel alone, on operands as they lie; wᵀ is made beforehand.

    The forward product adds a bias, the gradient's kernel sums the columns of dz as well.
    """
    kernels = CompiledBackend().kernels(on.dtype)
    left, right = on.factors(kind)
    out = aligned_zeros((len(left), right.shape[1]), on.dtype)
    if kind == "forward":
        return Call(lambda: kernels.dense_forward(on.x, on.w, on.b, out), out)
    if kind == "input":
        transposed = np.ascontiguousarray(on.w.T)
        return Call(lambda: kernels.dense_backward_input(on.dz, transposed, out), out)
    db = aligned_zeros(on.shape.fan_out, on.dtype)
    return Call(lambda: kernels.dense_backward_weights(on.x, on.dz, out, db), out)


def packed_call(kind: str, on: Operands) -> Call | None:
    """Return the product as a network makes it, from packed weights, by a network of one layer.

    A layer of weights wᵀ stands for the product with the transpose. None for the gradient, whose
    operands are activations: no call makes it alone.
    """
    if kind == "gradient":
        return None
    left, right = on.factors(kind)
    plan = make_plan(right.shape, [], "squared_error")
    parameters = aligned_zeros(plan.n_parameters, on.dtype)
    weight_views(plan, parameters)[0][...] = right
    out = aligned_zeros((len(left), right.shape[1]), on.dtype)
    predictor = CompiledBackend().packed_predictor(plan, parameters)
    return Call(lambda: predictor.fill(left, None, out, False, 1, False), out)


def numpy_call(kind: str, on: Operands) -> Call:
    """Return ``np.dot`` into memory that is there; BLAS takes a transpose as it lies."""
    left, right = on.factors(kind)
    out = aligned_zeros((len(left), right.shape[1]), on.dtype)
    return Call(lambda: np.dot(left, right, out=out), out)


def torch_call(kind: str, on: Operands) -> Call:
    """Return ``torch.mm`` into memory that is there; it takes a transpose as it lies, too."""
    import torch

    left, right = (torch.from_numpy(factor) for factor in on.factors(kind))
    out = aligned_zeros((len(left), right.shape[1]), on.dtype)
    result = torch.from_numpy(out)
    return Call(lambda: torch.mm(left, right, out=result), out)


def check(kind: str, on: Operands, call: Call, name: str) -> None:
    """Run the call once.

    Raises
    ------
    WrongResultError
        Its result is not the product.
    """
    call.out.fill(np.nan)
    call.run()
    left, right = (factor.astype(np.float64) for factor in on.factors(kind))
    scale = np.abs(left).max() * np.abs(right).max() * np.sqrt(left.shape[1])
    deviation = np.abs(call.out - left @ right).max() / scale / np.finfo(on.dtype).eps
    if not deviation <= ROUNDING:
        raise WrongResultError(f"{kind} {on.shape} by {name} is off by {deviation:.3g} eps")
