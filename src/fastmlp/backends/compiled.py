"""The compiled backend: the C core behind the protocol.

The instruction set is chosen once, when the first backend object is made: the fastest that CPU and
OS support, or the one that the environment variable ``FASTMLP_ISA`` names. Likewise
``FASTMLP_MEDIUM`` says what products of ``matmul_precision="medium"`` round their operands to,
"bfloat16" or "float32", where it shall not be measured what is faster, and ``FASTMLP_L2`` for which
size of the level-2 cache products are cut into blocks, where that shall not be what the machine
says.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from fastmlp.backends import _core
from fastmlp.backends.probe import pays
from fastmlp.backends.protocol import PREDICTION_WORK, Rows, Totals
from fastmlp.backends.row_shares import row_shares
from fastmlp.plan.front import starts_and_widths
from fastmlp.plan.inputs import Inputs
from fastmlp.plan.layout import Plan
from fastmlp.plan.parameters import REAL_TYPES, aligned_zeros
from fastmlp.plan.records import SCALES
from fastmlp.registry import MATMUL_PRECISIONS
from fastmlp.threads import default_threads

__all__ = [
    "WAYS_OF_EXCHANGE",
    "CompiledBackend",
    "Exchange",
    "attainable_rate",
    "available_isas",
    "barrier_seconds",
    "fma_peak",
    "level_2_cache",
    "operation_codes",
]

#: Rows that a thread predicts at once: enough to fill register tiles, few enough for the cache.
_ROWS_PER_THREAD = 96

#: Of a sparse X, what its rows that are dense at a time may take, with any number of threads.
_DENSE_BYTES = 1 << 24


def available_isas() -> list[str]:
    """Return the instruction sets that this machine can run, slowest first."""
    return list(_core.available_isas())


def operation_codes() -> dict[str, dict[str, int]]:
    """Return the codes compiled into the core: {"activations": {name: code}, …}."""
    return {table: dict(codes) for table, codes in _core.OPERATION_CODES.items()}


def _bound(plan: Plan, dtype: np.dtype) -> tuple[np.ndarray, np.ndarray]:
    """Return a plan's rows (L,) and its loss's parameters (K,), with addresses of user functions.

    Numba, which compiles those, is imported for a plan that has some.
    """
    if not plan.has_user_functions:
        return plan.layers, plan.loss_parameters
    from fastmlp.backends.numba_jit.binding import (  # noqa: PLC0415
        bound_layers,
        bound_loss_parameters,
    )

    return bound_layers(plan, dtype), bound_loss_parameters(plan, dtype)


def fma_peak(dtype: np.dtype | type = np.float32, seconds: float = 0.1) -> float:
    """Measure what one thread of this machine can do at most.

    Parameters
    ----------
    dtype : {float32, float64}
        Real type of the fused multiply-adds.
    seconds : float
        How long to measure.

    Returns
    -------
    float
        GFLOP/s; the best of the rounds that fit into ``seconds``.
    """
    kernels = CompiledBackend().kernels(np.dtype(dtype))
    return _best_rate(lambda: kernels.fma_rounds(200_000), seconds)


def attainable_rate(dtype: np.dtype | type = np.float32, seconds: float = 0.1) -> float:
    """Measure what one thread's products can reach at most.

    Parameters
    ----------
    dtype : {float32, float64}
        Real type of the operands.
    seconds : float
        How long to measure.

    Returns
    -------
    float
        GFLOP/s of the core's microkernel on packed operands in the caches; the best of the rounds
        that fit into ``seconds``.
    """
    kernels = CompiledBackend().kernels(np.dtype(dtype))
    return _best_rate(lambda: kernels.microkernel_rounds(1_000), seconds)


def _best_rate(rounds: Callable[[], float], seconds: float) -> float:
    """Return GFLOP/s of rounds that say how many operations they have done."""
    best, end = 0.0, time.perf_counter() + seconds
    while time.perf_counter() < end:
        start = time.perf_counter()
        flops = rounds()
        best = max(best, flops / (time.perf_counter() - start))
    return best / 1e9


def barrier_seconds(n_threads: int, rounds: int = 10_000) -> float:
    """Measure one barrier of a team of ``n_threads``.

    The team's start and end are spread over ``rounds`` barriers: some nanoseconds for each.
    """
    kernels = CompiledBackend().kernels(np.dtype(np.float32))
    start = time.perf_counter()
    kernels.barrier_rounds(n_threads, rounds)
    return (time.perf_counter() - start) / rounds


def _forced_isa() -> str | None:
    """Return what FASTMLP_ISA names, None when it is not set; ValueError if it can't run here."""
    isa = os.environ.get("FASTMLP_ISA") or None
    if isa is not None and isa not in available_isas():
        known = ", ".join(available_isas())
        raise ValueError(f"FASTMLP_ISA must be one of {known} on this machine; got {isa!r}.")
    return isa


#: Sizes of the level-2 cache that the core's blocks are made for.
_L2_SIZES = {"256K": 256 << 10, "512K": 512 << 10, "1M": 1 << 20, "2M": 2 << 20}


def _forced_l2() -> int:
    """Return what FASTMLP_L2 says, in bytes, 0 when it is not set; ValueError for other sizes."""
    size = os.environ.get("FASTMLP_L2") or None
    if size is not None and size not in _L2_SIZES:
        raise ValueError(f"FASTMLP_L2 must be {' or '.join(_L2_SIZES)}; got {size!r}.")
    return 0 if size is None else _L2_SIZES[size]


def level_2_cache() -> str:
    """Return the size of the level-2 cache that the core's blocks are made for, such as "1M"."""
    return next(name for name, n_bytes in _L2_SIZES.items() if n_bytes == _core.l2_bytes())


#: What travels between the threads of a team: activations and new weights, sums of gradients and
#: new weights, or sums of gradients only, with which each thread updates a replica of the weights.
WAYS_OF_EXCHANGE = ("activations", "gradients", "gradients to replicas")


class Exchange(NamedTuple):
    """How the threads of a fit exchange what they learn from a batch.

    Attributes
    ----------
    n_groups : int
        Groups of rows whose gradients are summed; 1 where activations travel for every number of
        threads.
    way : str
        The one of ``WAYS_OF_EXCHANGE`` that is taken.
    n_bytes : dict of str to int
        By each way, what each thread reads of what others have written, for a batch.
    """

    n_groups: int
    way: str
    n_bytes: dict[str, int]


class CompiledExecutor:
    """See :class:`fastmlp.backends.Executor`."""

    def __init__(self, trainer: _core.Trainer, n_rows: int) -> None:
        self._trainer, self._n_rows = trainer, n_rows
        trainer.use(aligned_zeros(trainer.workspace_bytes(n_rows), np.uint8))

    def exchange(self, n_rows: int) -> Exchange:
        """Return how threads exchange what they learn from batches of ``n_rows`` rows."""
        n_groups, way, n_bytes = self._trainer.exchange(n_rows)
        by_way = dict(zip(WAYS_OF_EXCHANGE, n_bytes, strict=True))
        return Exchange(n_groups, WAYS_OF_EXCHANGE[way], by_way)

    def train(
        self,
        parameters: np.ndarray,
        moments: np.ndarray,
        rows: Rows,
        order: np.ndarray,
        batch_size: int,
        updates: np.ndarray,
    ) -> Totals:
        """See :meth:`fastmlp.backends.Executor.train`."""
        X, target, weight = rows
        return Totals(
            *self._trainer.train(parameters, moments, X, target, weight, order, batch_size, updates)
        )

    def gradient(
        self,
        parameters: np.ndarray,
        rows: Rows,
        gradient: np.ndarray,
        step: int = 0,
        order: np.ndarray | None = None,
    ) -> Totals:
        """See :meth:`fastmlp.backends.Executor.gradient`."""
        X, target, weight = rows
        return Totals(
            *self._trainer.gradient(
                parameters, X, target, weight, gradient, step, order, self._n_rows
            )
        )


class CompiledBackend:
    """C kernels for one instruction set.

    Parameters
    ----------
    isa : str, optional
        One of ``available_isas()``; by default ``FASTMLP_ISA`` or else the fastest.
    measures_pace : bool, default=True
        Use fewer threads where more would not pay, and shorter operands of products only where they
        do. False: always all threads, and all precisions that there are kernels for; for tests.
    """

    name = "compiled"

    def __init__(self, isa: str | None = None, measures_pace: bool = True) -> None:
        self._measures_pace = measures_pace
        isa = isa or _forced_isa()
        if forced := _forced_l2():
            _core.set_l2_bytes(forced)
        self._kernels = {real: _core.Kernels(isa, real.itemsize) for real in REAL_TYPES}
        self._rounding = {
            name: _core.Kernels(self.isa, 4, name)
            for name in MATMUL_PRECISIONS
            if name != "highest" and _core.has_kernels(self.isa, 4, name)
        }
        self._rounds_medium = self._forced_medium()

    def _forced_medium(self) -> bool | None:
        """Return whether "medium" rounds; None where that is to be measured."""
        operand = os.environ.get("FASTMLP_MEDIUM") or None
        known = ["float32", *(["bfloat16"] if "medium" in self._rounding else [])]
        if operand is not None and operand not in known:
            names = " or ".join(known)
            raise ValueError(f"FASTMLP_MEDIUM must be {names} on this machine; got {operand!r}.")
        always = None if self._measures_pace else "bfloat16"
        return None if (operand or always) is None else (operand or always) == "bfloat16"

    @property
    def isa(self) -> str:
        """Name of the instruction set in use."""
        return str(self._kernels[np.dtype(np.float32)].isa)

    def kernels(self, dtype: np.dtype, precision: str = "highest") -> _core.Kernels:
        """Return the kernel table of a real type, and of what its products run as."""
        return self._kernels[dtype] if precision == "highest" else self._rounding[precision]

    def runs_as(self, precision: str, dtype: np.dtype) -> str:
        """See :meth:`fastmlp.backends.Backend.runs_as`.

        What is faster is measured, once in a process.
        """
        if precision not in self._rounding or dtype != np.float32:
            return "highest"
        known = self._rounds_medium if precision == "medium" else None
        return precision if (pays(self.isa, precision) if known is None else known) else "highest"

    def dense_forward(self, x: np.ndarray, w: np.ndarray, b: np.ndarray, out: np.ndarray) -> None:
        """See :meth:`fastmlp.backends.Backend.dense_forward`."""
        self.kernels(w.dtype).dense_forward(x, w, b, out)

    def dense_backward_input(self, dz: np.ndarray, w: np.ndarray, out: np.ndarray) -> None:
        """See :meth:`fastmlp.backends.Backend.dense_backward_input`."""
        self.kernels(w.dtype).dense_backward_input(dz, np.ascontiguousarray(w.T), out)

    def dense_backward_weights(
        self, x: np.ndarray, dz: np.ndarray, dw: np.ndarray, db: np.ndarray
    ) -> None:
        """See :meth:`fastmlp.backends.Backend.dense_backward_weights`."""
        self.kernels(dw.dtype).dense_backward_weights(x, dz, dw, db)

    def activate(self, activation: int, z: np.ndarray, h: np.ndarray, dh_dz: np.ndarray) -> None:
        """See :meth:`fastmlp.backends.Backend.activate`."""
        self.kernels(z.dtype).activate(activation, z, h, dh_dz)

    def normalize_forward(
        self,
        normalization: int,
        n_groups: int,
        z: np.ndarray,
        sample_weight: np.ndarray | None,
        gain: np.ndarray,
        shift: np.ndarray,
        normalized: np.ndarray,
        mean: np.ndarray,
        scale: np.ndarray,
        y: np.ndarray,
    ) -> None:
        """See :meth:`fastmlp.backends.Backend.normalize_forward`."""
        self.kernels(z.dtype).normalize_forward(
            normalization,
            n_groups,
            z,
            row_shares(sample_weight, len(z), z.dtype),
            gain,
            shift,
            normalized,
            mean,
            scale,
            y,
        )

    def normalize_backward(
        self,
        normalization: int,
        n_groups: int,
        dy: np.ndarray,
        sample_weight: np.ndarray | None,
        gain: np.ndarray,
        normalized: np.ndarray,
        scale: np.ndarray,
        dz: np.ndarray,
        dgain: np.ndarray,
        dshift: np.ndarray,
    ) -> None:
        """See :meth:`fastmlp.backends.Backend.normalize_backward`."""
        sums = np.empty((2, len(gain)), gain.dtype)
        self.kernels(dy.dtype).normalize_backward(
            normalization,
            n_groups,
            dy,
            row_shares(sample_weight, len(dy), dy.dtype),
            gain,
            normalized,
            scale,
            dz,
            sums,
        )
        dgain[:], dshift[:] = sums

    def loss_and_gradient(
        self,
        loss: int,
        parameters: np.ndarray,
        logits: np.ndarray,
        target: np.ndarray,
        sample_weight: np.ndarray | None,
        values: np.ndarray,
        gradient: np.ndarray,
    ) -> None:
        """See :meth:`fastmlp.backends.Backend.loss_and_gradient`."""
        self.kernels(logits.dtype).loss_and_gradient(
            loss, parameters, logits, target, sample_weight, values, gradient
        )

    def link(self, loss: int, parameters: np.ndarray, logits: np.ndarray, out: np.ndarray) -> None:
        """See :meth:`fastmlp.backends.Backend.link`."""
        self.kernels(logits.dtype).link(loss, parameters, logits, out)

    def dropout_factors(
        self, threshold: int, seed: int, layer: int, step: int, out: np.ndarray
    ) -> None:
        """See :meth:`fastmlp.backends.Backend.dropout_factors`."""
        out.fill(1)
        self.kernels(out.dtype).apply_dropout(threshold, seed, layer, step, out)

    def standard_normals(self, stream: int, seed: int, step: int, out: np.ndarray) -> None:
        """See :meth:`fastmlp.backends.Backend.standard_normals`."""
        self.kernels(out.dtype).standard_normals(stream, seed, step, out)

    def limit_norms(self, w: np.ndarray, max_norm: float) -> None:
        """See :meth:`fastmlp.backends.Backend.limit_norms`."""
        self.kernels(w.dtype).limit_norms(w, max_norm)

    def optimizer_update(
        self,
        settings: np.ndarray,
        update: np.void,
        parameters: np.ndarray,
        gradient: np.ndarray,
        moments: np.ndarray,
        slots: np.ndarray,
        groups: np.ndarray,
        weight_sum: float,
    ) -> None:
        """See :meth:`fastmlp.backends.Backend.optimizer_update`."""
        self.kernels(parameters.dtype).optimizer_update(
            settings, np.asarray(update), parameters, gradient, moments, slots, groups, weight_sum
        )

    def measure_information(
        self, measure: int, p: np.ndarray, q: np.ndarray | None, out: np.ndarray
    ) -> None:
        """See :meth:`fastmlp.backends.Backend.measure_information`."""
        self.kernels(p.dtype).measure_information(measure, p, q, out)

    def perceptron_scores(
        self, x: np.ndarray, w: np.ndarray, b: np.ndarray, out: np.ndarray
    ) -> None:
        """See :meth:`fastmlp.backends.Backend.perceptron_scores`."""
        self.kernels(w.dtype).perceptron_scores(x, w, b, out)

    def perceptron_epoch(
        self,
        x: np.ndarray,
        target: np.ndarray,
        rates: np.ndarray,
        order: np.ndarray,
        w: np.ndarray,
        b: np.ndarray,
    ) -> int:
        """See :meth:`fastmlp.backends.Backend.perceptron_epoch`."""
        return self.kernels(w.dtype).perceptron_epoch(x, target, rates, order, w, b)

    def _network(self, plan: Plan, dtype: np.dtype) -> _core.Network:
        """Return the plan as the core takes it, which never changes; it refers to the arrays."""
        if plan.has_user_functions:  # whose addresses are in copies
            return self._new_network(plan, dtype)
        # By the kernels, not by this object: each Predictor has a backend of its own.
        key = self.isa, dtype, self.runs_as(plan.precision, dtype)
        known: _core.Network | None = plan.bound.get(key)
        if known is None:
            known = plan.bound[key] = self._new_network(plan, dtype)
        return known

    def _new_network(self, plan: Plan, dtype: np.dtype) -> _core.Network:
        layers, loss_parameters = _bound(plan, dtype)
        return _core.Network(
            self.kernels(dtype, self.runs_as(plan.precision, dtype)),
            layers,
            plan.trained_slots,
            plan.groups,
            plan.loss,
            loss_parameters,
            plan.target_width,
            plan.n_members * plan.products_of_row,
            plan.n_parameters,
            plan.n_inputs,
            plan.n_members,
            plan.n_scales,
            int(plan.slots["offset"][plan.slots["kind"] == SCALES].sum()),
            plan.features,
            starts_and_widths(plan.columns),
        )

    def bind(
        self, plan: Plan, settings: np.ndarray, dtype: np.dtype, n_rows: int, n_threads: int
    ) -> CompiledExecutor:
        """See :meth:`fastmlp.backends.Backend.bind`."""
        network = self._network(plan, np.dtype(dtype))
        trainer = _core.Trainer(network, settings.copy(), n_threads, self._measures_pace)
        return CompiledExecutor(trainer, n_rows)

    def sample_losses(
        self, plan: Plan, logits: np.ndarray, target: np.ndarray, out: np.ndarray
    ) -> None:
        """See :meth:`fastmlp.backends.Backend.sample_losses`."""
        _, parameters = _bound(plan, logits.dtype)
        self.loss_and_gradient(
            plan.loss, parameters, logits, target, None, out, np.empty_like(logits)
        )

    def predict(
        self,
        plan: Plan,
        parameters: np.ndarray,
        X: Inputs,
        rows: np.ndarray | None,
        out: np.ndarray,
        apply_link: bool,
        n_threads: int,
    ) -> None:
        """See :meth:`fastmlp.backends.Backend.predict`."""
        predictor = self.predictor(plan, parameters)
        predictor.fill(X, rows, out, apply_link, n_threads, not self._measures_pace)

    def predictor(self, plan: Plan, parameters: np.ndarray) -> _core.Predictor:
        """See :meth:`fastmlp.backends.Backend.predictor`.

        It refers to the ``parameters``, and goes by what they are when it is called.
        """
        return self._predictor(plan, parameters, packs=False)

    def packed_predictor(self, plan: Plan, parameters: np.ndarray) -> _core.Predictor:
        """Return what predicts with the present values of ``parameters`` (V,), from any thread.

        It keeps a copy of the weights, in the order in which calls read them fastest.
        """
        return self._predictor(plan, parameters, packs=True)

    def _predictor(self, plan: Plan, parameters: np.ndarray, *, packs: bool) -> _core.Predictor:
        network = self._network(plan, parameters.dtype)
        work = 2 * plan.n_members * plan.products_of_row
        return _core.Predictor(
            network,
            parameters,
            _packed(network, parameters) if packs else None,
            plan.n_inputs,
            plan.n_outputs,
            _ROWS_PER_THREAD,
            max(_ROWS_PER_THREAD, PREDICTION_WORK // work),
            _DENSE_BYTES // (plan.n_inputs * parameters.itemsize),
            default_threads,
        )


def _packed(network: _core.Network, parameters: np.ndarray) -> np.ndarray:
    """Return a copy of the weights in the order in which the core's products read them."""
    packed = aligned_zeros(network.packed_bytes(), np.uint8)
    network.pack_weights(parameters, packed)
    return packed
