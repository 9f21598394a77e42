"""What an epoch consists of: the least traffic that it needs, and its kernels alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from bandwidth import copy_bandwidth
from products import KINDS, Operands, Shape, core_call, packed_call

from fastmlp.backends import get_backend
from fastmlp.backends.compiled import CompiledBackend, Exchange
from fastmlp.cli.epochs import GridCell
from fastmlp.cli.timing import interleave
from fastmlp.plan.parameters import aligned_zeros
from fastmlp.plan.records import make_settings
from fastmlp.registry import OPTIMIZERS
from fastmlp.training.updates import UpdateRule

__all__ = [
    "PARTS",
    "Traffic",
    "batch_seconds",
    "exchange_of",
    "kernels_of_batch",
    "n_batches",
    "traffic_of",
]

PARTS = ("products", "element-wise", "optimiser")


class Traffic(NamedTuple):
    """Bytes that an epoch has to move, and the size of the set in which they lie."""

    what: str
    n_bytes: int
    set_bytes: int

    def seconds(self, n_threads: int) -> float:
        """Return how long a copy of so many bytes takes within such a set."""
        return self.n_bytes / copy_bandwidth(self.set_bytes, n_threads) / 1e9


def n_batches(cell: GridCell) -> int:
    """Return the number of updates of an epoch."""
    return -(-cell.n_samples // cell.batch_size)


def traffic_of(cell: GridCell) -> list[Traffic]:
    """Return what no implementation of mini-batches can avoid to read and write.

    - rows: X once an epoch, from where all of X lies;
    - activations: of each batch, every layer's input written by the forward pass and read for the
      gradient of its weights, and ∂L/∂z alike;
    - parameters: of each batch, weights read forward and backward, and by the update read and
      written with the optimiser's moments.
    """
    real = np.dtype(cell.dtype).itemsize
    plan, batches = cell.plan, n_batches(cell)
    widths = int(plan.layers["fan_in"].sum() + plan.layers["fan_out"].sum())
    n_moments = OPTIMIZERS[cell.optimizer].n_moments
    x_bytes = cell.n_samples * plan.n_inputs * real
    activations = 2 * cell.batch_size * widths * real
    backward = int(plan.n_weights - plan.layers["fan_in"][0] * plan.layers["fan_out"][0])
    parameters = (plan.n_weights + backward + 2 * (1 + n_moments) * plan.n_parameters) * real
    return [
        Traffic("rows", x_bytes, x_bytes),
        Traffic("activations", activations * batches, activations // 2),
        Traffic("parameters", parameters * batches, (1 + n_moments) * plan.n_parameters * real),
    ]


def exchange_of(cell: GridCell, n_threads: int) -> Exchange:
    """Return what a batch moves between the caches of ``n_threads``, counted from shapes."""
    settings = make_settings(cell.optimizer)
    executor = CompiledBackend().bind(
        cell.plan, settings, np.dtype(cell.dtype), cell.batch_size, n_threads
    )
    return executor.exchange(cell.batch_size)


def batch_seconds(cell: GridCell, n_rounds: int, min_seconds: float) -> dict[str, float]:
    """Measure, for each of ``PARTS``, all its kernels alone at the shapes of one batch.

    What the calls from Python cost is subtracted: it is measured on a network of the same layers,
    all of them of width 1, whose kernels have next to nothing to do.
    """
    nothing = replace(cell, layer_sizes=(1,) * len(cell.layer_sizes), batch_size=1)
    calls = kernels_of_batch(cell)
    calls |= {f"{part}, empty": call for part, call in kernels_of_batch(nothing).items()}
    timings = interleave(calls, n_rounds=n_rounds, min_seconds=min_seconds)
    seconds = {name: timing.median for name, timing in timings.items()}
    return {part: max(0.0, seconds[part] - seconds[f"{part}, empty"]) for part in PARTS}


def kernels_of_batch(cell: GridCell) -> dict[str, Callable[[], None]]:
    """Return, for each of ``PARTS``, a call of all its kernels at the shapes of one batch."""
    dtype = np.dtype(cell.dtype)
    products = list(_products(cell, dtype))
    element_wise = [*_activations(cell, dtype), _loss(cell, dtype)]
    groups = (products, element_wise, [_update(cell, dtype)])
    return {part: _in_turn(calls) for part, calls in zip(PARTS, groups, strict=True)}


def _in_turn(calls: list[Callable[[], object]]) -> Callable[[], None]:
    def run() -> None:
        for call in calls:
            call()

    return run


def _products(cell: GridCell, dtype: np.dtype) -> Iterator[Callable[[], object]]:
    """Yield the products from packed weights where there are such; layer 0 needs no input's."""
    for number, row in enumerate(cell.plan.layers):
        shape = Shape(cell.batch_size, int(row["fan_in"]), int(row["fan_out"]))
        operands = Operands(shape, dtype)
        for kind in KINDS if number > 0 else KINDS[:2]:
            yield (packed_call(kind, operands) or core_call(kind, operands)).run


def _activations(cell: GridCell, dtype: np.dtype) -> Iterator[Callable[[], object]]:
    """Yield each hidden layer's activation, and its dropout where there is some."""
    backend = get_backend("compiled")
    for row in cell.plan.layers[:-1]:
        z, h, slope = (aligned_zeros((cell.batch_size, int(row["fan_out"])), dtype) for _ in "zhs")
        z[...] = np.random.default_rng(0).standard_normal(z.shape)
        yield lambda code=int(row["activation"]), arrays=(z, h, slope): backend.activate(
            code, *arrays
        )
        if threshold := int(cell.plan.layers["dropout_threshold"][-1]):
            yield lambda threshold=threshold, out=h: backend.dropout_factors(
                threshold, 0, 1, 1, out
            )


def _loss(cell: GridCell, dtype: np.dtype) -> Callable[[], object]:
    backend, plan, rows = get_backend("compiled"), cell.plan, cell.batch_size
    logits, gradient = (aligned_zeros((rows, plan.n_outputs), dtype) for _ in range(2))
    target, values = aligned_zeros((rows, plan.target_width), dtype), aligned_zeros(rows, dtype)
    numbers = plan.loss_parameters
    return lambda: backend.loss_and_gradient(
        plan.loss, numbers, logits, target, None, values, gradient
    )


def _update(cell: GridCell, dtype: np.dtype) -> Callable[[], object]:
    backend, plan = get_backend("compiled"), cell.plan
    settings = make_settings(cell.optimizer)
    update = UpdateRule(cell.optimizer_object).numbers(0, 1, 1e-3)[0]
    n_moments = OPTIMIZERS[cell.optimizer].n_moments
    parameters, gradient = (aligned_zeros(plan.n_parameters, dtype) for _ in range(2))
    moments = aligned_zeros((n_moments, plan.n_parameters), dtype)
    gradient.fill(1e-3)
    return lambda: backend.optimizer_update(
        settings, update, parameters, gradient, moments, plan.trained_slots, plan.groups, 1.0
    )
