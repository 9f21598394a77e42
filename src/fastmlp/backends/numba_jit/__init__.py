"""The ``numba`` backend: the plan interpreted by parallel JIT-compiled Python.

A second implementation, independent of the C core, and the one to read in order to see how a batch
runs: ``network`` (the loop over batches), ``rows`` (phase one: forward and backward), and
``parameter_tiles`` (phase two: gradients and updates) call one file per concept: ``products``,
``activations``, ``losses``, ``dropout``, ``normalizations``, ``optimizers``.

Compiled code is cached beside the sources, or in the user's cache directory; it is made anew when a
source of this package changes.
"""

from __future__ import annotations

import numpy as np

from fastmlp.backends.numba_jit import (
    activations,
    dense,
    elementwise,
    information,
    network,
    normalizations,
    perceptron,
)
from fastmlp.backends.numba_jit.binding import (
    bound_layers,
    bound_loss_parameters,
    evaluate_loss,
)
from fastmlp.backends.numba_jit.dropout import WORDS_PER_BLOCK
from fastmlp.backends.numba_jit.noise import NORMAL_ROWS
from fastmlp.backends.numba_jit.optimizers import N_NUMBERS
from fastmlp.backends.numba_jit.rows import Samples
from fastmlp.backends.numba_jit.threading_layer import launch, team
from fastmlp.backends.numba_jit.workspace import make_workspace
from fastmlp.backends.protocol import Rows, Totals
from fastmlp.backends.row_shares import row_shares
from fastmlp.plan.inputs import Inputs, SparseRows
from fastmlp.plan.layout import Plan
from fastmlp.plan.records import group_runs
from fastmlp.registry import NORMALIZATIONS, OPTIMIZERS

__all__ = ["NumbaBackend"]


def _read_only(array: np.ndarray) -> np.ndarray:
    """Return a read-only view, so that both kinds of input share one compiled function."""
    view = array.view()
    view.flags.writeable = False
    return view


def _weights_or_none(sample_weight: np.ndarray | None, dtype: np.dtype) -> np.ndarray:
    """Return the weights (N,), or (0,) in the place of None."""
    return _read_only(np.empty(0, dtype=dtype) if sample_weight is None else sample_weight)


def _one_of(array: np.ndarray, *dtypes: type) -> list[np.ndarray]:
    """Return the array in the place of its own type, and an empty one of each other type."""
    return [
        _read_only(array if array.dtype == each else np.empty((0,) * array.ndim, dtype=each))
        for each in dtypes
    ]


def _samples(rows: Rows, dtype: np.dtype) -> Samples:
    X = rows.X
    if isinstance(X, SparseRows):
        x, columns, starts = X.values.reshape(1, -1), X.columns, X.starts
    else:
        x, columns, starts = X, _NO_INDEX, _NO_INDEX
    x_uint8, x_float32, x_float64 = _one_of(x, np.uint8, np.float32, np.float64)
    columns32, columns64 = _one_of(columns, np.int32, np.int64)
    return Samples(
        x_uint8=x_uint8,
        x_float32=x_float32,
        x_float64=x_float64,
        columns32=columns32,
        columns64=columns64,
        starts=_read_only(starts),
        target=_read_only(rows.target),
        sample_weight=_weights_or_none(rows.sample_weight, dtype),
    )


def _rows(rows: np.ndarray | None, n_rows: int) -> np.ndarray:
    return _read_only(np.arange(n_rows, dtype=np.int64) if rows is None else rows)


#: What a dense X has for indices.
_NO_INDEX = np.empty(0, dtype=np.int64)

_BATCH_NORM = NORMALIZATIONS["batch"].code

#: Rows that prediction takes through the network at once.
PREDICTION_ROWS = 256


class NumbaExecutor:
    """See :class:`fastmlp.backends.Executor`."""

    def __init__(
        self, plan: Plan, settings: np.ndarray, dtype: np.dtype, n_rows: int, n_threads: int
    ) -> None:
        self._work_per_row = plan.flops_per_sample() / 2
        self._n_threads = n_threads
        self._workspace = make_workspace(plan, dtype, n_rows, n_threads)
        self._bound = (
            bound_layers(plan, dtype),
            plan.loss,
            _read_only(bound_loss_parameters(plan, dtype)),
            _read_only(settings.copy().reshape(1)),
        )

    def train(
        self,
        parameters: np.ndarray,
        moments: np.ndarray,
        rows: Rows,
        order: np.ndarray,
        batch_size: int,
        updates: np.ndarray,
    ) -> Totals:
        """Train on the rows ``order``, batch by batch; shapes as in ``Executor.train``."""
        with team(self._n_threads, batch_size * self._work_per_row) as n_workers:
            cost, penalty = network.train(
                *self._bound,
                _read_only(updates),
                _read_only(updates["coefficients"].astype(parameters.dtype)),
                parameters,
                moments,
                _samples(rows, parameters.dtype),
                _rows(order, len(order)),
                batch_size,
                self._workspace,
                n_workers,
            )
        return Totals(cost, penalty, len(order))

    def gradient(
        self,
        parameters: np.ndarray,
        rows: Rows,
        gradient: np.ndarray,
        step: int = 0,
        order: np.ndarray | None = None,
    ) -> Totals:
        """Set gradient (P,) of cost and penalty for one batch, the rows ``order`` (K,)."""
        n_rows = len(rows.X if order is None else order)
        with team(self._n_threads, n_rows * self._work_per_row) as n_workers:
            cost, penalty = network.objective(
                *self._bound,
                step,
                parameters,
                _samples(rows, parameters.dtype),
                _rows(order, n_rows),
                self._workspace,
                n_workers,
                gradient,
            )
        return Totals(cost, penalty, n_rows)


class NumbaBackend:
    """Compiled on first use; every method as documented in ``Backend``."""

    name = "numba"

    def __init__(self) -> None:
        launch()

    def runs_as(self, precision: str, dtype: np.dtype) -> str:
        """Return "highest": LLVM has no better products of shorter operands for this code."""
        return "highest"

    # -- kernels --------------------------------------------------------------------------------

    def dense_forward(self, x: np.ndarray, w: np.ndarray, b: np.ndarray, out: np.ndarray) -> None:
        """Set out (B, O) = x (B, I) · w (I, O) + b (O,)."""
        dense.forward(x, w, b, out)

    def dense_backward_input(self, dz: np.ndarray, w: np.ndarray, out: np.ndarray) -> None:
        """Set out (B, I) = dz (B, O) · w (I, O)ᵀ."""
        dense.backward_input(dz, w, out)

    def dense_backward_weights(
        self, x: np.ndarray, dz: np.ndarray, dw: np.ndarray, db: np.ndarray
    ) -> None:
        """Set dw (I, O) = x (B, I)ᵀ · dz (B, O) and db (O,) = column sums of dz."""
        dense.backward_weights(x, dz, dw, db)

    def activate(self, activation: int, z: np.ndarray, h: np.ndarray, dh_dz: np.ndarray) -> None:
        """Set h = f(z) and dh_dz = f'(z), all (B, O)."""
        h[:] = z
        activations.activate(activation, h.reshape(-1), dh_dz.reshape(-1))

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
        """Set normalized (B, O), mean and scale (S), and y (B, O) = γ ⊙ normalized + β."""
        y[:] = z
        gain, shift = _read_only(gain), _read_only(shift)
        if normalization == _BATCH_NORM:
            shares = row_shares(sample_weight, len(z), z.dtype)
            normalizations.normalize_by_batch(shares, gain, shift, y, normalized, mean, scale)
        else:
            normalizations.normalize_by_runs(n_groups, gain, shift, y, normalized, mean, scale)

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
        """Set dz (B, O), dgain (O,) and dshift (O,), the gradients for dy (B, O)."""
        dz[:] = dy
        given = _read_only(gain), _read_only(normalized), _read_only(scale), dz, dgain, dshift
        if normalization == _BATCH_NORM:
            shares = row_shares(sample_weight, len(dy), dy.dtype)
            normalizations.normalize_gradient_by_batch(shares, *given)
        else:
            normalizations.normalize_gradient_by_runs(n_groups, *given)

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
        """Set values (B,) = loss of each sample and gradient (B, C) = w_r · ∂loss_r/∂logits."""
        elementwise.losses_and_gradients(
            loss,
            _read_only(parameters),
            np.array(logits),
            _read_only(target),
            _weights_or_none(sample_weight, logits.dtype),
            values,
            gradient,
        )

    def link(self, loss: int, parameters: np.ndarray, logits: np.ndarray, out: np.ndarray) -> None:
        """Set out (B, C) = the loss's natural prediction."""
        elementwise.apply_link(loss, _read_only(parameters), np.array(logits), out)

    def dropout_factors(
        self, threshold: int, seed: int, layer: int, step: int, out: np.ndarray
    ) -> None:
        """Set out (B, O) = 0 where dropped, else 1/keep."""
        out.fill(1)
        bits = np.empty(WORDS_PER_BLOCK * out.shape[1], dtype=np.uint32)
        elementwise.apply_dropout(threshold, np.uint64(seed), layer, step, out, bits)

    def standard_normals(self, stream: int, seed: int, step: int, out: np.ndarray) -> None:
        """Set out (B, O) = independent standard normal numbers."""
        n_rows, width = out.shape
        padded = np.zeros((-(-n_rows // NORMAL_ROWS) * NORMAL_ROWS, width), out.dtype)
        bits = np.empty(WORDS_PER_BLOCK * width, dtype=np.uint32)
        elementwise.add_standard_normals(np.uint64(seed), stream, step, padded, bits)
        out[:] = padded[:n_rows]

    def limit_norms(self, w: np.ndarray, max_norm: float) -> None:
        """Scale each column of w (I, O) that is longer than ``max_norm`` down to it."""
        elementwise.limit_norms(w, float(max_norm))

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
        """Update the parameters (P,) and moments (M, P) in place by the gradient (P,)."""
        row = OPTIMIZERS.by_code(int(settings["optimizer"]))
        runs = _read_only(group_runs(slots, slot_by_slot=row.has_trust_ratio))
        elementwise.update_all(
            settings[()],
            update,
            _read_only(update["coefficients"].astype(parameters.dtype)),
            parameters,
            gradient,
            moments,
            runs,
            _read_only(groups),
            np.empty((len(runs), N_NUMBERS), parameters.dtype),
            np.empty(2),
            float(weight_sum),
        )

    def measure_information(
        self, measure: int, p: np.ndarray, q: np.ndarray | None, out: np.ndarray
    ) -> None:
        """Set out (B, K) or (B,) to the measure of p (B, K) and q (B, K)."""
        if out.ndim == p.ndim:
            information.measure_each(measure, _read_only(p), out)
        else:
            information.measure_rows(measure, _read_only(p), _read_only(p if q is None else q), out)

    def perceptron_scores(
        self, x: np.ndarray, w: np.ndarray, b: np.ndarray, out: np.ndarray
    ) -> None:
        """Set out (B, K) = x (B, I) · w (K, I)ᵀ + b (K,)."""
        sums = np.empty(perceptron.CHAINS, w.dtype)
        perceptron.scores(_read_only(x), _read_only(w), _read_only(b), out, sums)

    def perceptron_epoch(
        self,
        x: np.ndarray,
        target: np.ndarray,
        rates: np.ndarray,
        order: np.ndarray,
        w: np.ndarray,
        b: np.ndarray,
    ) -> int:
        """Learn from the rows ``order`` (M,) in turn and return the mistakes."""
        sums = np.empty(perceptron.CHAINS, w.dtype)
        x, target, rates, order = map(_read_only, (x, target, rates, order))
        return int(perceptron.epoch(x, target, rates, order, w, b, sums))

    # -- networks -------------------------------------------------------------------------------

    def bind(
        self, plan: Plan, settings: np.ndarray, dtype: np.dtype, n_rows: int, n_threads: int
    ) -> NumbaExecutor:
        """Return what trains, with the buffers of all calls with up to ``n_rows`` rows a batch."""
        _refuse_front(plan)
        return NumbaExecutor(plan, settings, np.dtype(dtype), n_rows, n_threads)

    def sample_losses(
        self, plan: Plan, logits: np.ndarray, target: np.ndarray, out: np.ndarray
    ) -> None:
        """Set out (B,) = the plan's loss of each sample, the user's own or not."""
        if plan.custom_loss is not None:
            out[:] = evaluate_loss(plan.custom_loss, logits, target)[0]
            return
        self.loss_and_gradient(
            plan.loss, plan.loss_parameters, logits, target, None, out, np.empty_like(logits)
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
        """Set out (K, C) = the network at rows of X (N, I) (all when None), without dropout."""
        _refuse_front(plan)
        dtype = parameters.dtype
        samples = _samples(Rows(X, np.empty((0, 1), dtype=dtype)), dtype)
        workspace = make_workspace(plan, dtype, min(len(out), PREDICTION_ROWS), n_threads)
        with team(n_threads, len(out) * plan.flops_per_sample() / 3) as n_workers:
            network.predict(
                bound_layers(plan, parameters.dtype),
                parameters,
                samples,
                _rows(rows, len(out)),
                plan.loss if apply_link else -1,
                _read_only(bound_loss_parameters(plan, parameters.dtype)),
                workspace,
                n_workers,
                out,
            )

    def predictor(self, plan: Plan, parameters: np.ndarray) -> None:
        """Return None: there is nothing quicker than ``predict``."""


def _refuse_front(plan: Plan) -> None:
    """Raise ValueError for members, and for what is made of a row before its first layer."""
    if plan.has_members or plan.has_front:
        lacking = "neither embeddings nor a scaling layer"
        if plan.has_members:
            lacking = f"no n_members={plan.n_members}"
        raise ValueError(
            f"backend='numba' has {lacking}: use backend='compiled' or backend='numpy'."
        )
