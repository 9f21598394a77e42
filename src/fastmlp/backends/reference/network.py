"""A whole network forwards and backwards: what a plan means."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from fastmlp.backends.protocol import Rows
from fastmlp.backends.reference.activations import activate
from fastmlp.backends.reference.front import FrontTrace, front_backward, front_forward, scaled
from fastmlp.backends.reference.losses import loss_and_gradient
from fastmlp.backends.reference.normalizations import (
    Normalized,
    follow_batch,
    normalize,
    normalize_by_running,
    normalize_gradient,
)
from fastmlp.backends.reference.operands import product
from fastmlp.backends.reference.philox import (
    dropout_bits,
    dropout_factors,
    standard_normals,
)
from fastmlp.plan.inputs import gather
from fastmlp.plan.layout import DROPOUT_LEVELS, INPUT_NOISE_STREAM, Plan
from fastmlp.plan.parameters import (
    alpha_views,
    bias_views,
    gain_views,
    running_mean_views,
    running_variance_views,
    shift_views,
    weight_views,
)
from fastmlp.registry import NORMALIZATIONS

__all__ = [
    "Batch",
    "Draw",
    "backward",
    "cost_and_gradient",
    "follow_statistics",
    "forward",
    "predict",
    "smoothed",
    "take_batch",
    "virtual",
    "virtual_batch",
]

_NONE, _BATCH = NORMALIZATIONS["none"].code, NORMALIZATIONS["batch"].code


class Draw(NamedTuple):
    """Which random bits a batch gets, and how much noise."""

    seed: int
    step: int
    input_noise: float
    dropout: float = 1.0  # factor of the layers' thresholds

    def threshold(self, layer: np.void) -> int:
        """Return below which of ``DROPOUT_LEVELS`` an input of the layer is dropped."""
        scaled = float(layer["dropout_threshold"]) * self.dropout
        return min(int(scaled + 0.5), DROPOUT_LEVELS - 1)


class Batch(NamedTuple):
    """Rows of a data set in the network's precision; ``weight_sum`` is W_b of the contract."""

    x: np.ndarray  # (B, I)
    target: np.ndarray  # (B, T)
    sample_weight: np.ndarray | None  # (B,)
    weight_sum: float


class Trace(NamedTuple):
    """What the backward pass needs of the forward pass, one entry a layer."""

    inputs: list[np.ndarray]  # (B, fan_in) each, dropout applied
    slopes: list[np.ndarray]  # (B, fan_in) each: ∂input/∂(what the layer below computed, y)
    norms: list[Normalized | None]  # None for a layer without normalisation
    bends: list[np.ndarray | None]  # (B, fan_in) each: ∂input/∂α of the layer below, if it has any
    front: FrontTrace


def take_batch(rows: Rows, chosen: np.ndarray | slice, dtype: np.dtype) -> Batch:
    """Copy the ``chosen`` rows and convert X to ``dtype``."""
    x, target = gather(rows.X, chosen, dtype), rows.target[chosen]
    if rows.sample_weight is None:
        return Batch(x, target, None, float(len(x)))
    weights = rows.sample_weight[chosen]
    return Batch(x, target, weights, float(weights.sum(dtype=np.float64)))


def virtual_batch(plan: Plan, rows: Rows, chosen: Any, dtype: np.dtype) -> Batch:
    """Return a batch of virtual rows, (k · B, …), of all members.

    ``chosen`` are the rows (B,) of all members, or (k, B) of each. The sum of weights becomes that
    of a member's rows, in the mean.
    """
    if plan.n_members == 1:
        return take_batch(rows, chosen, dtype)
    if isinstance(chosen, slice):
        chosen = np.arange(len(rows.X))[chosen]
    every = np.broadcast_to(chosen, (plan.n_members, chosen.shape[-1])).reshape(-1)
    batch = take_batch(rows, every, dtype)
    return batch._replace(weight_sum=batch.weight_sum / plan.n_members)


def smoothed(plan: Plan, batch: Batch, share: float) -> Batch:
    """Return the batch with a ``share`` of each label's certainty spread over all classes."""
    if share == 0:
        return batch
    n_classes = 2 if plan.loss_row.target == "share" else plan.target_width
    target = (1 - share) * batch.target + share / n_classes
    return batch._replace(target=target.astype(batch.target.dtype))


def _factors(threshold: int, draw: Draw, layer: int, shape: tuple[int, int]) -> np.ndarray:
    return dropout_factors(dropout_bits(*shape, draw.seed, layer, draw.step), threshold)


def _noise(draw: Draw, shape: tuple[int, int]) -> np.ndarray:
    normals = standard_normals(*shape, draw.seed, INPUT_NOISE_STREAM, draw.step)
    return draw.input_noise * normals


def virtual(plan: Plan, x: np.ndarray) -> np.ndarray:
    """Return rows x (B, …) once for each member, (k · B, …): the virtual rows, member by member."""
    return np.concatenate([x] * plan.n_members) if plan.n_members > 1 else x


def _multiply(plan: Plan, x: np.ndarray, w: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return x W + b, (k · B, O), for virtual rows x (k · B, I), at the plan's precision.

    W (I, O) and b (O,) serve all of them; of W (k, I, O) and b (k, O), each member has its own.
    """
    if w.ndim == 2:
        z: np.ndarray = product(plan.precision, x, w) + b
        return z
    z = product(plan.precision, x.reshape(len(w), -1, x.shape[1]), w) + b[:, np.newaxis]
    return z.reshape(len(x), -1)


def _multiply_back(
    plan: Plan, x: np.ndarray, dz: np.ndarray, w: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the gradients of W, of b and of x, all shaped as they are, given that of z."""
    precision = plan.precision
    if w.ndim == 2:
        return product(precision, x.T, dz), dz.sum(axis=0), product(precision, dz, w.T)
    xs, dzs = (rows.reshape(len(w), -1, rows.shape[1]) for rows in (x, dz))
    dx = product(precision, dzs, w.transpose(0, 2, 1)).reshape(x.shape)
    return product(precision, xs.transpose(0, 2, 1), dzs), dzs.sum(axis=1), dx


def predict(plan: Plan, parameters: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Return the logits (k · B, C) for virtual rows x (k · B, I).

    By running statistics and without dropout.
    """
    layers = zip(plan.layers, _layer_values(plan, parameters), strict=True)
    front = front_forward(plan, parameters, x)
    x = scaled(plan, parameters, front.rows)
    for index, (layer, (w, b, gain, shift, alpha, mean, variance)) in enumerate(layers):
        z = _multiply(plan, x, w, b)
        if index == 0:
            z += front.added
        if layer["normalization"] == _BATCH:
            z = gain * normalize_by_running(z, mean, variance) + shift
        elif layer["normalization"] != _NONE:
            z = gain * _normalize(layer, z, None).normalized + shift
        x = _activate(plan, index, z, alpha)[0]
    return x


def _activate(
    plan: Plan, index: int, z: np.ndarray, alpha: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    """Return h, ∂h/∂z and, with ``alpha`` (O,), ∂h/∂α, each (B, O)."""
    custom = plan.custom.get(index)
    code = plan.layers[index]["activation"]
    h, slope = activate(code, z) if custom is None else custom.each(z)
    if alpha is None:
        return h, slope, None
    bend = h - z
    return z + alpha * bend, 1 + alpha * (slope - 1), bend


def _layer_values(plan: Plan, parameters: np.ndarray) -> list[tuple[Any, ...]]:
    """Return (W, b, γ, β, α, running mean and variance) of each layer, None for what it lacks."""
    kinds = (
        weight_views, bias_views, gain_views, shift_views, alpha_views, running_mean_views,
        running_variance_views,
    )  # fmt: skip
    return list(zip(*(views(plan, parameters) for views in kinds), strict=True))


def _normalize(layer: np.void, z: np.ndarray, sample_weight: np.ndarray | None) -> Normalized:
    return normalize(layer["normalization"], int(layer["n_groups"]), z, sample_weight)


def forward(
    plan: Plan, parameters: np.ndarray, batch: Batch, draw: Draw
) -> tuple[np.ndarray, Trace]:
    """Return the logits (B, C) of a batch in training and the trace."""
    x = batch.x
    if draw.input_noise > 0:
        x = x + _noise(draw, x.shape).astype(x.dtype)
    front = front_forward(plan, parameters, x)
    h = scaled(plan, parameters, front.rows)
    trace, slope, bend = Trace([], [], [], [], front), np.ones_like(h), None
    values = _layer_values(plan, parameters)
    layers = zip(plan.layers, values, strict=True)
    for index, (layer, (w, b, gain, shift, alpha, *_)) in enumerate(layers):
        if layer["dropout_threshold"] > 0:
            factors = _factors(draw.threshold(layer), draw, index, h.shape).astype(h.dtype)
            h, slope = h * factors, slope * factors
            bend = None if bend is None else bend * factors
        trace.inputs.append(h)
        trace.slopes.append(slope)
        trace.bends.append(bend)
        y, norm = _multiply(plan, h, w, b), None
        if index == 0:
            y += front.added
        if layer["normalization"] != _NONE:
            norm = _normalize(layer, y, batch.sample_weight)
            y = gain * norm.normalized + shift
        trace.norms.append(norm)
        h, slope, bend = _activate(plan, index, y, alpha)
    return h, trace


def backward(
    plan: Plan, parameters: np.ndarray, batch: Batch, trace: Trace, dy: np.ndarray
) -> np.ndarray:
    """Return the gradient (P,) that belongs to ``dy`` (B, C), the gradient of the logits."""
    gradient, dz = np.empty(plan.n_parameters, parameters.dtype), dy
    values = _layer_values(plan, parameters)
    slots = zip(
        weight_views(plan, gradient), bias_views(plan, gradient), gain_views(plan, gradient),
        shift_views(plan, gradient), strict=True,
    )  # fmt: skip
    alphas_below = [None, *alpha_views(plan, gradient)[:-1]]
    steps = zip(plan.layers, values, slots, alphas_below, *trace[:-1], strict=True)
    for layer, (w, _, gain, *_), (dw, db, dgain, dshift), dalpha, x, slope, norm, bend in reversed(
        list(steps)
    ):
        dz = dy
        if norm is not None:
            dz, dgain[:], dshift[:] = normalize_gradient(
                int(layer["n_groups"]), dy, batch.sample_weight, gain, norm.normalized, norm.scale
            )
        dw[:], db[:], dh = _multiply_back(plan, x, dz, w)
        if layer["normalization"] == _BATCH:
            db[:] = 0  # the batch's mean takes a bias away again; not what rounding leaves
        if dalpha is not None:
            dalpha[:] = (dh * bend).sum(axis=0)
        dy = dh * slope
    front_backward(plan, parameters, trace.front, dy, dz, gradient)
    return gradient


def losses_of(
    plan: Plan, logits: np.ndarray, target: np.ndarray, weight: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray]:
    """Return each sample's loss (B,) and its weighted gradient (B, C) for ``target`` (B, T)."""
    if plan.custom_loss is None:
        return loss_and_gradient(plan.loss, plan.loss_parameters, logits, target, weight)
    terms, gradient = plan.custom_loss.each(logits, target)
    return terms.sum(axis=1), gradient if weight is None else weight[:, np.newaxis] * gradient


def follow_statistics(
    plan: Plan, parameters: np.ndarray, batch: Batch, trace: Trace, momentum: float
) -> None:
    """Move the running statistics in ``parameters`` (V,) towards those of a batch."""
    means, variances = (
        running_mean_views(plan, parameters),
        running_variance_views(plan, parameters),
    )
    for mean, variance, norm in zip(means, variances, trace.norms, strict=True):
        if mean is not None and variance is not None and norm is not None:
            follow_batch(mean, variance, norm, batch.sample_weight, momentum)


def cost_and_gradient(
    plan: Plan, parameters: np.ndarray, batch: Batch, draw: Draw, momentum: float
) -> tuple[float, np.ndarray]:
    """Return the weighted mean loss of a batch and its gradient (P,), penalties left out.

    Running statistics in ``parameters`` (V,) follow the batch's by ``momentum``.
    """
    logits, trace = forward(plan, parameters, batch, draw)
    values, dz = losses_of(plan, logits, batch.target, batch.sample_weight)
    cost = np.average(values.astype(np.float64), weights=batch.sample_weight)
    count = plan.n_members * batch.weight_sum
    if plan.precision == "highest" or dz.dtype != np.float32:
        gradient = backward(plan, parameters, batch, trace, dz) / count
    else:  # what is rounded is each row's share of the mean
        gradient = backward(plan, parameters, batch, trace, dz * dz.dtype.type(1 / count))
    follow_statistics(plan, parameters, batch, trace, momentum)
    return float(cost), gradient
