"""The specification: the contract in whole-array NumPy, written to be read.

It shares no code and no style with the other two backends, so that a mistake in one shows as a
difference. Everything is computed in the type of the arrays; sums of costs in float64.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fastmlp.backends.protocol import Rows, Totals
from fastmlp.backends.reference import (
    activations,
    front,
    information,
    losses,
    network,
    normalizations,
    optimizers,
    perceptron,
    philox,
)
from fastmlp.plan.inputs import Inputs, gather
from fastmlp.plan.layout import Plan
from fastmlp.plan.parameters import weight_views

__all__ = ["ReferenceBackend"]

#: Rows of X that ``predict`` converts at a time: bounds its memory.
PREDICT_ROWS = 4096


class ReferenceBackend:
    """The ``numpy`` backend; every method as documented in ``Backend``.

    A network that diverges gives Inf and NaN, as in the other backends, and no warnings.
    """

    name = "numpy"

    def runs_as(self, precision: str, dtype: np.dtype) -> str:
        """Return ``precision``: this is the specification of all of them."""
        return precision if dtype == np.float32 else "highest"

    # -- kernels --------------------------------------------------------------------------------

    @np.errstate(all="ignore")
    def dense_forward(self, x: np.ndarray, w: np.ndarray, b: np.ndarray, out: np.ndarray) -> None:
        """Set out (B, O) = x (B, I) · w (I, O) + b (O,)."""
        out[:] = x @ w + b

    @np.errstate(all="ignore")
    def dense_backward_input(self, dz: np.ndarray, w: np.ndarray, out: np.ndarray) -> None:
        """Set out (B, I) = dz (B, O) · w (I, O)ᵀ."""
        out[:] = dz @ w.T

    @np.errstate(all="ignore")
    def dense_backward_weights(
        self, x: np.ndarray, dz: np.ndarray, dw: np.ndarray, db: np.ndarray
    ) -> None:
        """Set dw (I, O) = x (B, I)ᵀ · dz (B, O); db (O,) = column sums of dz."""
        dw[:] = x.T @ dz
        db[:] = dz.sum(axis=0)

    @np.errstate(all="ignore")
    def activate(self, activation: int, z: np.ndarray, h: np.ndarray, dh_dz: np.ndarray) -> None:
        """Set h = f(z) and dh_dz = f'(z), all (B, O)."""
        h[:], dh_dz[:] = activations.activate(activation, z)

    @np.errstate(all="ignore")
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
        result = normalizations.normalize(normalization, n_groups, z, sample_weight)
        normalized[:], mean[:], scale[:] = result.normalized, result.mean, result.scale
        y[:] = gain * result.normalized + shift

    @np.errstate(all="ignore")
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
        dz[:], dgain[:], dshift[:] = normalizations.normalize_gradient(
            n_groups, dy, sample_weight, gain, normalized, scale
        )

    @np.errstate(all="ignore")
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
        """Set values (B,) = loss of each sample; gradient (B, C) = w_r · ∂loss_r/∂logits."""
        values[:], gradient[:] = losses.loss_and_gradient(
            loss, parameters, logits, target, sample_weight
        )

    @np.errstate(all="ignore")
    def link(self, loss: int, parameters: np.ndarray, logits: np.ndarray, out: np.ndarray) -> None:
        """Set out (B, C) = the loss's natural prediction for ``logits`` (B, C)."""
        out[:] = losses.link(loss, parameters, logits)

    def dropout_factors(
        self, threshold: int, seed: int, layer: int, step: int, out: np.ndarray
    ) -> None:
        """Set out (B, O) = 0 where dropped, else 1/keep."""
        n_rows, n_columns = out.shape
        bits = philox.dropout_bits(n_rows, n_columns, seed, layer, step)
        out[:] = philox.dropout_factors(bits, threshold)

    @np.errstate(all="ignore")
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
        """One update in place: parameters (P,), gradient (P,), moments (M, P)."""
        optimizers.optimizer_update(
            settings, update, parameters, gradient, moments, slots, groups, weight_sum
        )

    @np.errstate(all="ignore")
    def measure_information(
        self, measure: int, p: np.ndarray, q: np.ndarray | None, out: np.ndarray
    ) -> None:
        """Set out (B, K) or (B,) to the measure of p (B, K) and q (B, K)."""
        out[:] = information.measure_information(measure, p, q)

    @np.errstate(all="ignore")
    def perceptron_scores(
        self, x: np.ndarray, w: np.ndarray, b: np.ndarray, out: np.ndarray
    ) -> None:
        """Set out (B, K) = x (B, I) · w (K, I)ᵀ + b (K,)."""
        out[:] = perceptron.scores(x, w, b)

    @np.errstate(all="ignore")
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
        return perceptron.epoch(x, target, rates, order, w, b)

    def standard_normals(self, stream: int, seed: int, step: int, out: np.ndarray) -> None:
        """Set out (B, O) = independent standard normal numbers."""
        n_rows, n_columns = out.shape
        out[:] = philox.standard_normals(n_rows, n_columns, seed, stream, step)

    @np.errstate(all="ignore")
    def limit_norms(self, w: np.ndarray, max_norm: float) -> None:
        """Scale each column of w (I, O) that is longer than ``max_norm`` down to it."""
        optimizers.limit_norms(w, max_norm)

    # -- networks -------------------------------------------------------------------------------

    def bind(
        self, plan: Plan, settings: np.ndarray, dtype: np.dtype, n_rows: int, n_threads: int
    ) -> ReferenceExecutor:
        """Return what trains: whole arrays are made as they are needed."""
        return ReferenceExecutor(plan, settings.copy())

    @np.errstate(all="ignore")
    def sample_losses(
        self, plan: Plan, logits: np.ndarray, target: np.ndarray, out: np.ndarray
    ) -> None:
        """Set out (B,) = the plan's loss of each sample, the user's own or not."""
        out[:] = network.losses_of(plan, logits, target, None)[0]

    @np.errstate(all="ignore")
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
        for start in range(0, len(out), PREDICT_ROWS):
            chunk = slice(start, start + PREDICT_ROWS)
            x = gather(X, chunk if rows is None else rows[chunk], parameters.dtype)
            outputs = network.predict(plan, parameters, network.virtual(plan, x))
            if apply_link and plan.custom_loss is None:
                outputs = losses.link(plan.loss, plan.loss_parameters, outputs)
            by_member = outputs.reshape(plan.n_members, len(x), -1)
            if apply_link:
                out[chunk] = outputs if plan.n_members == 1 else _mean_of(plan, by_member)
            else:
                out[chunk] = by_member.transpose(1, 0, 2).reshape(len(x), -1)

    def predictor(self, plan: Plan, parameters: np.ndarray) -> None:
        """Return None: there is nothing quicker than ``predict``."""


@dataclass(frozen=True)
class ReferenceExecutor:
    """See :class:`fastmlp.backends.Executor`."""

    plan: Plan
    settings: np.ndarray

    @np.errstate(all="ignore")
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
        totals = Totals(0.0, 0.0, 0)
        starts = range(0, order.shape[-1], batch_size)
        for start, update in zip(starts, updates, strict=True):
            chosen = order[..., start : start + batch_size]
            batch = network.virtual_batch(self.plan, rows, chosen, parameters.dtype)
            totals = _add(totals, self._train_batch(update, parameters, moments, batch))
        return totals

    def _train_batch(
        self, update: np.void, parameters: np.ndarray, moments: np.ndarray, batch: network.Batch
    ) -> Totals:
        plan, settings = self.plan, self.settings
        if batch.weight_sum == 0:
            return Totals(0.0, 0.0, len(batch.x) // plan.n_members)
        momentum = float(settings["batch_norm_momentum"])
        draw = self._draw(int(update["step"]))._replace(dropout=float(update["dropout"]))
        batch = network.smoothed(plan, batch, float(update["label_smoothing"]))
        cost, gradient = network.cost_and_gradient(plan, parameters, batch, draw, momentum)
        totals = _totals(plan, settings, parameters, batch, cost)
        optimizers.optimizer_update(
            settings,
            update,
            parameters[: plan.n_parameters],
            gradient,
            moments,
            plan.trained_slots,
            plan.groups,
            batch.weight_sum,
            front.touched(plan, batch.x),
        )
        if settings["max_norm"] > 0:
            for weights in weight_views(plan, parameters)[:-1]:
                for w in weights.reshape(-1, *weights.shape[-2:]):
                    optimizers.limit_norms(w, float(settings["max_norm"]))
        return totals

    @np.errstate(all="ignore")
    def gradient(
        self,
        parameters: np.ndarray,
        rows: Rows,
        gradient: np.ndarray,
        step: int = 0,
        order: np.ndarray | None = None,
    ) -> Totals:
        """Set gradient (P,) of cost + penalty for one batch, the rows ``order`` (K,)."""
        plan, settings = self.plan, self.settings
        chosen = slice(None) if order is None else order
        batch = network.virtual_batch(plan, rows, chosen, parameters.dtype)
        if batch.weight_sum == 0:
            gradient[:] = 0
            return Totals(0.0, 0.0, len(batch.x) // plan.n_members)
        cost, gradient[:] = network.cost_and_gradient(
            plan, parameters, batch, self._draw(step), momentum=1.0
        )
        trained = parameters[: plan.n_parameters]
        gradient += optimizers.penalty_gradient(settings, plan, trained) / batch.weight_sum
        return _totals(plan, settings, parameters, batch, cost)

    def _draw(self, step: int) -> network.Draw:
        return network.Draw(int(self.settings["seed"]), step, float(self.settings["input_noise"]))


def _mean_of(plan: Plan, outputs: np.ndarray) -> np.ndarray:
    """Return the mean (B, C) of members' outputs (k, B, C); a mixture's variance for variances."""
    mean: np.ndarray = outputs.mean(axis=0)
    if plan.loss_row.link == "gaussian":
        n_targets = mean.shape[1] // 2
        mean[:, n_targets:] += outputs[..., :n_targets].var(axis=0)
    return mean


def _totals(
    plan: Plan, settings: np.ndarray, parameters: np.ndarray, batch: network.Batch, cost: float
) -> Totals:
    """Return one batch's share, with the penalty of the weights as they are now."""
    n_rows = len(batch.x) // plan.n_members
    penalty = optimizers.penalty(settings, plan, parameters) / batch.weight_sum
    return Totals(n_rows * cost, n_rows * penalty, n_rows)


def _add(a: Totals, b: Totals) -> Totals:
    return Totals(a.cost + b.cost, a.penalty + b.penalty, a.n_samples + b.n_samples)
