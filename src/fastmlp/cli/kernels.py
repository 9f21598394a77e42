"""Every kernel of the contract as a case that can be checked and timed on any backend.

The cases for activations, losses and optimisers come from the registry, so a new row is benchmarked
without a line here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np

from fastmlp.backends import Backend
from fastmlp.cli.timing import WrongResultError
from fastmlp.optimizers import CLASSES
from fastmlp.plan.layout import dropout_threshold
from fastmlp.plan.parameters import aligned_zeros
from fastmlp.plan.records import default_groups, make_settings, prefix_slots
from fastmlp.registry import ACTIVATIONS, LOSSES, OPTIMIZERS, Loss
from fastmlp.training.updates import UpdateRule

__all__ = ["KernelCase", "check", "elementwise_cases", "kernel_cases"]

#: Largest deviation from the reference, as a fraction of the reference's largest value. A sum of
#: some hundred products in another order differs by a few dozen units in the last place.
TOLERANCES = {np.dtype(np.float32): 1e-5, np.dtype(np.float64): 1e-13}
N_CLASSES = 10


@dataclass(frozen=True)
class KernelCase:
    """One kernel on one set of arrays.

    Attributes
    ----------
    name : str
    detail : str
        Shapes, for people.
    call : callable
        Runs the kernel of the backend that it is given.
    outputs : tuple of ndarray
        What the call writes; results of successive backends land in the same arrays.
    n_elements : int
        Elements of the result.
    flops : int
        Floating-point operations of a matrix product, 0 for element-wise kernels.
    n_bytes : int
        Least traffic with memory: each array once.
    state : tuple of ndarray
        Arrays that the call changes in place; ``check`` puts them back.
    """

    name: str
    detail: str
    call: Callable[[Backend], None]
    outputs: tuple[np.ndarray, ...]
    n_elements: int
    n_bytes: int
    flops: int = 0
    state: tuple[np.ndarray, ...] = field(default=())


def check(case: KernelCase, backends: list[Backend], reference: Backend) -> None:
    """Compare every backend's result with the reference's.

    Raises
    ------
    WrongResultError
        It deviates by more than ``TOLERANCES``.
    """
    start = [array.copy() for array in case.state]
    case.call(reference)
    expected = [array.copy() for array in case.outputs]
    for backend in backends:
        for array, saved in zip(case.state, start, strict=True):
            array[...] = saved
        for array in case.outputs:
            if not any(array is kept for kept in case.state):
                array.fill(np.nan)  # so that an output left unwritten cannot pass
        case.call(backend)
        for array, wanted in zip(case.outputs, expected, strict=True):
            _compare(case.name, backend.name, array, wanted)


def _compare(case: str, backend: str, got: np.ndarray, wanted: np.ndarray) -> None:
    scale = max(float(np.abs(wanted).max()), np.finfo(wanted.dtype).tiny)
    deviation = float(np.abs(got - wanted).max()) / scale
    if not deviation <= TOLERANCES[wanted.dtype]:
        raise WrongResultError(
            f"{case} on {backend} is off by {deviation:.2g} of the largest value "
            f"(allowed: {TOLERANCES[wanted.dtype]:g})"
        )


def kernel_cases(
    dtype: np.dtype, n_rows: int = 256, fan_in: int = 512, fan_out: int = 512
) -> Iterator[KernelCase]:
    """Make the cases for a dense layer (fan_in, fan_out) on a batch of ``n_rows``."""
    yield from _dense(_Arrays(dtype, np.random.default_rng(0)), n_rows, fan_in, fan_out)
    yield from elementwise_cases(dtype, n_rows, fan_out, fan_in * fan_out)


def elementwise_cases(
    dtype: np.dtype, n_rows: int, width: int, n_weights: int
) -> Iterator[KernelCase]:
    """Make the cases for all but the products, on rows of ``width`` units and ``n_weights``."""
    arrays = _Arrays(dtype, np.random.default_rng(0))
    yield from _activations(arrays, n_rows, width)
    yield from _losses(arrays, n_rows)
    yield _dropout(arrays, n_rows, width)
    yield from _optimizers(arrays, n_weights, width)


@dataclass(frozen=True)
class _Arrays:
    """Aligned arrays of one type."""

    dtype: np.dtype
    rng: np.random.Generator

    def normal(self, *shape: int) -> np.ndarray:
        array = self.empty(*shape)
        array[...] = self.rng.standard_normal(shape)
        return array

    def empty(self, *shape: int) -> np.ndarray:
        return aligned_zeros(shape, self.dtype)


def _n_bytes(*arrays: np.ndarray) -> int:
    return sum(array.nbytes for array in arrays)


def _dense(arrays: _Arrays, B: int, fan_in: int, fan_out: int) -> Iterator[KernelCase]:
    """Yield the three products of a layer; they have the same number of operations."""
    x, w, b = arrays.normal(B, fan_in), arrays.normal(fan_in, fan_out), arrays.normal(fan_out)
    dz, z, dx = arrays.normal(B, fan_out), arrays.empty(B, fan_out), arrays.empty(B, fan_in)
    dw, db = arrays.empty(fan_in, fan_out), arrays.empty(fan_out)
    products: list[tuple[str, Callable[[Backend], None], tuple, tuple]] = [
        ("forward", lambda k: k.dense_forward(x, w, b, z), (x, w, b), (z,)),
        ("backward, input", lambda k: k.dense_backward_input(dz, w, dx), (dz, w), (dx,)),
        (
            "backward, weights",
            lambda k: k.dense_backward_weights(x, dz, dw, db),
            (x, dz),
            (dw, db),
        ),
    ]
    for name, call, read, written in products:
        yield KernelCase(
            f"dense {name}",
            f"{B}×{fan_in}×{fan_out}",
            call,
            written,
            written[0].size,
            _n_bytes(*read, *written),
            flops=2 * B * fan_in * fan_out,
        )


def _activations(arrays: _Arrays, B: int, width: int) -> Iterator[KernelCase]:
    z, h, dh_dz = arrays.normal(B, width), arrays.empty(B, width), arrays.empty(B, width)
    for row in ACTIVATIONS:
        yield KernelCase(
            f"activation {row.name}",
            f"{B}×{width}",
            lambda k, code=row.code: k.activate(code, z, h, dh_dz),  # type: ignore[misc]
            (h, dh_dz),
            z.size,
            _n_bytes(z, h, dh_dz),
        )


def _target(arrays: _Arrays, row: Loss, B: int) -> np.ndarray:
    """Return a target (B, T) that suits a loss."""
    if row.target == "class":
        return arrays.rng.integers(N_CLASSES, size=(B, 1)).astype(arrays.dtype)
    if row.target == "share":
        return (arrays.normal(B, N_CLASSES) > 0).astype(arrays.dtype)
    positive = np.exp(arrays.normal(B, N_CLASSES))
    if row.target == "distribution":
        return np.asarray(positive / positive.sum(axis=1, keepdims=True))
    return np.asarray(positive)


def _losses(arrays: _Arrays, B: int) -> Iterator[KernelCase]:
    values = arrays.empty(B)
    for row in LOSSES:
        n_outputs = N_CLASSES * row.outputs_of_one(len(row.default_parameters))
        logits, gradient = arrays.normal(B, n_outputs), arrays.empty(B, n_outputs)
        target = _target(arrays, row, B)
        yield KernelCase(
            f"loss {row.name}",
            f"{B}×{n_outputs}",
            lambda k, row=row, z=logits, y=target, g=gradient: k.loss_and_gradient(  # type: ignore[misc]
                row.code, row.default_parameters, z, y, None, values, g
            ),
            (values, gradient),
            logits.size,
            _n_bytes(logits, target, values, gradient),
        )


def _dropout(arrays: _Arrays, B: int, width: int) -> KernelCase:
    factors, threshold = arrays.empty(B, width), dropout_threshold(0.2)
    return KernelCase(
        "dropout factors",
        f"{B}×{width}",
        lambda k: k.dropout_factors(threshold, 1, 1, 1, factors),
        (factors,),
        factors.size,
        factors.nbytes,
    )


def _optimizers(arrays: _Arrays, n_weights: int, n_biases: int) -> Iterator[KernelCase]:
    n_parameters = n_weights + n_biases
    slots, groups = prefix_slots(n_weights, n_parameters), default_groups()
    for row in OPTIMIZERS:
        parameters, gradient = arrays.normal(n_parameters), arrays.normal(n_parameters)
        moments = arrays.empty(row.n_moments, n_parameters)
        settings = make_settings(row.name)
        update = UpdateRule(CLASSES[row.name]()).numbers(0, 1, 1e-3)[0]
        yield KernelCase(
            f"optimiser {row.name}",
            f"{n_parameters:,} parameters",
            lambda k, s=settings, u=update, p=parameters, g=gradient, m=moments: k.optimizer_update(  # type: ignore[misc]
                s, u, p, g, m, slots, groups, 1.0
            ),
            (parameters, moments),
            n_parameters,
            2 * _n_bytes(parameters, moments) + gradient.nbytes,
            state=(parameters, gradient, moments),
        )
