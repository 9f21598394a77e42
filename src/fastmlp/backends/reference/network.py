"""A whole network forwards and backwards: what a plan means."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from fastmlp.backends.reference.activations import activate
from fastmlp.backends.reference.losses import loss_and_gradient
from fastmlp.backends.reference.philox import (
    dropout_bits,
    dropout_factors,
    standard_normals,
)
from fastmlp.parameters import bias_views, weight_views
from fastmlp.plan import INPUT_NOISE_STREAM, Plan

__all__ = ["Batch", "Draw", "backward", "cost_and_gradient", "forward", "take_batch"]


class Draw(NamedTuple):
    """Which random bits a batch gets, and how much noise."""

    seed: int
    step: int
    input_noise: float


class Batch(NamedTuple):
    """Rows of a data set in the network's precision; ``weight_sum`` is W_b of the contract."""

    x: np.ndarray  # (B, I)
    target: np.ndarray  # (B, T)
    sample_weight: np.ndarray | None  # (B,)
    weight_sum: float


class Trace(NamedTuple):
    """What the backward pass needs of the forward pass, one entry a layer."""

    inputs: list[np.ndarray]  # (B, fan_in) each, dropout applied
    slopes: list[np.ndarray]  # (B, fan_in) each: ∂input/∂(what the layer below computed, z)


def take_batch(
    X: np.ndarray,
    target: np.ndarray,
    sample_weight: np.ndarray | None,
    rows: np.ndarray | slice,
    dtype: np.dtype,
) -> Batch:
    """Copy rows of X (N, I), target (N, T) and weights (N,) and convert X to ``dtype``."""
    x = X[rows].astype(dtype)
    if sample_weight is None:
        return Batch(x, target[rows], None, float(len(x)))
    weights = sample_weight[rows]
    return Batch(x, target[rows], weights, float(weights.sum(dtype=np.float64)))


def _factors(threshold: int, draw: Draw, layer: int, shape: tuple[int, int]) -> np.ndarray:
    return dropout_factors(dropout_bits(*shape, draw.seed, layer, draw.step), threshold)


def _noise(draw: Draw, shape: tuple[int, int]) -> np.ndarray:
    normals = standard_normals(*shape, draw.seed, INPUT_NOISE_STREAM, draw.step)
    return draw.input_noise * normals


def forward(
    plan: Plan, parameters: np.ndarray, x: np.ndarray, draw: Draw | None = None
) -> tuple[np.ndarray, Trace]:
    """Return the logits (B, C) for ``x`` (B, I) and the trace; nothing random without a draw."""
    trace = Trace([], [])
    if draw is not None and draw.input_noise > 0:
        x = x + _noise(draw, x.shape).astype(x.dtype)
    h, slope = x, np.ones_like(x)
    ws, bs = weight_views(plan, parameters), bias_views(plan, parameters)
    for index, (layer, w, b) in enumerate(zip(plan.layers, ws, bs, strict=True)):
        if draw is not None and layer["dropout_threshold"] > 0:
            factors = _factors(int(layer["dropout_threshold"]), draw, index, h.shape)
            h, slope = h * factors.astype(h.dtype), slope * factors.astype(h.dtype)
        trace.inputs.append(h)
        trace.slopes.append(slope)
        custom = plan.custom.get(index)
        z = h @ w + b
        h, slope = activate(layer["activation"], z) if custom is None else custom.each(z)
    return h, trace


def backward(plan: Plan, parameters: np.ndarray, trace: Trace, dz: np.ndarray) -> np.ndarray:
    """Return the gradient (P,) that belongs to ``dz`` (B, C), the gradient of the logits."""
    gradient = np.empty_like(parameters)
    dws, dbs = weight_views(plan, gradient), bias_views(plan, gradient)
    ws = weight_views(plan, parameters)
    for w, dw, db, x, slope in reversed(list(zip(ws, dws, dbs, *trace, strict=True))):
        dw[:] = x.T @ dz
        db[:] = dz.sum(axis=0)
        dz = (dz @ w.T) * slope
    return gradient


def _losses(plan: Plan, logits: np.ndarray, batch: Batch) -> tuple[np.ndarray, np.ndarray]:
    """Return each sample's loss (B,) and its weighted gradient (B, C)."""
    weight = batch.sample_weight
    if plan.custom_loss is None:
        return loss_and_gradient(plan.loss, plan.loss_parameters, logits, batch.target, weight)
    terms, gradient = plan.custom_loss.each(logits, batch.target)
    return terms.sum(axis=1), gradient if weight is None else weight[:, np.newaxis] * gradient


def cost_and_gradient(
    plan: Plan, parameters: np.ndarray, batch: Batch, draw: Draw
) -> tuple[float, np.ndarray]:
    """Return the weighted mean loss of a batch and its gradient (P,), penalties left out."""
    logits, trace = forward(plan, parameters, batch.x, draw)
    values, dz = _losses(plan, logits, batch)
    cost = np.average(values.astype(np.float64), weights=batch.sample_weight)
    return float(cost), backward(plan, parameters, trace, dz) / batch.weight_sum
