"""JAX: a whole epoch as one compiled scan over the mini-batches."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from candidates.base import Layers
from candidates.epochwise import BY_BATCH, BY_EPOCH, Epoch, EpochwisePeer, Predict
from fastmlp.cli.epochs import GridCell

__all__ = ["Scan"]

ACTIVATIONS = {"relu": jax.nn.relu, "tanh": jnp.tanh}
LEARNING_RATE, MOMENTUM, BETA_1, BETA_2, EPSILON = 1e-3, 0.9, 0.9, 0.999, 1e-8

#: Parameters [(W, b), …], what the optimiser keeps of them, and the number of updates made.
State = tuple[Any, Any, Array]


def forward(cell: GridCell, layers: Any, x: Array, key: Array | None = None) -> Array:
    """Return the logits (B, C) at x (B, I); with a key, hidden units are dropped."""
    *hidden, (last_weights, last_biases) = layers
    for number, (weights, biases) in enumerate(hidden):
        x = ACTIVATIONS[cell.activation](x @ weights + biases)
        if key is not None:
            x = drop(x, cell.dropout, jax.random.fold_in(key, number))
    return x @ last_weights + last_biases


def drop(x: Array, probability: float, key: Array) -> Array:
    """Return x with a share of its elements zero; 16 bits each, as fastmlp draws them."""
    bits = jax.random.bits(key, x.shape, jnp.uint16)
    return jnp.where(bits >= round(probability * 2**16), x / (1 - probability), 0)


def mean_loss(layers: Any, cell: GridCell, x: Array, target: Array, number: Array) -> Array:
    """Return half the squared error, or the cross-entropy; its mean over the batch."""
    key = jax.random.fold_in(jax.random.key(0, impl="rbg"), number.astype(jnp.uint32))
    logits = forward(cell, layers, x, key if cell.dropout else None)
    if cell.is_regression:
        return 0.5 * jnp.mean(jnp.sum((logits - target) ** 2, axis=1))
    logits_of_target = jnp.take_along_axis(logits, target[:, None], axis=1)[:, 0]
    return jnp.mean(jax.nn.logsumexp(logits, axis=1) - logits_of_target)


def adam(layers: Any, moments: Any, gradients: Any, number: Array) -> tuple[Any, Any]:
    """Return the layers and moments after update ``number``, counted from 1."""
    rate = LEARNING_RATE * jnp.sqrt(1 - BETA_2**number) / (1 - BETA_1**number)
    means = jax.tree.map(lambda m, g: BETA_1 * m + (1 - BETA_1) * g, moments[0], gradients)
    squares = jax.tree.map(lambda v, g: BETA_2 * v + (1 - BETA_2) * g * g, moments[1], gradients)
    layers = jax.tree.map(
        lambda w, m, v: w - rate * m / (jnp.sqrt(v) + EPSILON), layers, means, squares
    )
    return layers, (means, squares)


def sgd(layers: Any, moments: Any, gradients: Any, number: Array) -> tuple[Any, Any]:
    """Return the layers and velocities after an update."""
    velocity = jax.tree.map(lambda v, g: MOMENTUM * v - LEARNING_RATE * g, moments[0], gradients)
    return jax.tree.map(jnp.add, layers, velocity), (velocity,)


def start(cell: GridCell, layers: Layers) -> State:
    """Return a state that may be donated: no two buffers in it are one."""
    n_moments = 2 if cell.optimizer == "adam" else 1
    moments = tuple(jax.tree.map(jnp.zeros_like, layers) for _ in range(n_moments))
    return jax.tree.map(jnp.array, layers), moments, jnp.zeros((), cell.dtype)


@cache
def epoch_function(cell: GridCell, gather: str) -> Callable[..., tuple[State, Array]]:
    """Return (state, X, y, order) → (state, mean loss), compiled; the old state is used up."""
    update = adam if cell.optimizer == "adam" else sgd
    whole, rest = divmod(cell.n_samples, cell.batch_size)

    def step(state: State, batch: tuple[Array, Array]) -> tuple[State, Array]:
        layers, moments, number = state
        loss, gradients = jax.value_and_grad(mean_loss)(layers, cell, *batch, number)
        layers, moments = update(layers, moments, gradients, number + 1)
        return (layers, moments, number + 1), loss

    def scan(state: State, X: Array, y: Array, rows: Array) -> tuple[State, Array]:
        if gather == BY_BATCH:
            return jax.lax.scan(lambda state, b: step(state, (X[b], y[b])), state, rows)
        return jax.lax.scan(step, state, (X[rows], y[rows]))

    def epoch(state: State, X: Array, y: Array, order: Array) -> tuple[State, Array]:
        rows, left = jnp.split(order, [whole * cell.batch_size])
        state, losses = scan(state, X, y, rows.reshape(whole, cell.batch_size))
        total = losses.sum() * cell.batch_size
        if rest:
            state, loss = step(state, (X[left], y[left]))
            total += loss * rest
        return state, total / cell.n_samples

    return jax.jit(epoch, donate_argnums=0)


class Scan(EpochwisePeer):
    """One call of a compiled function an epoch; XLA's threads are set by its environment."""

    def epoch_settings(self) -> Mapping[str, str]:
        """Return the ways to gather."""
        return {gather: gather for gather in (BY_EPOCH, BY_BATCH)}

    def epoch(
        self, cell: GridCell, X: np.ndarray, y: np.ndarray, layers: Layers, setting: Any
    ) -> Epoch:
        """Return a call that keeps the state on JAX's side."""
        jax.config.update("jax_enable_x64", cell.dtype == "float64")
        run, state = epoch_function(cell, setting), start(cell, layers)
        target = y.reshape(len(y), -1) if cell.is_regression else y.astype(np.int32)
        data = jnp.asarray(X), jnp.asarray(target)

        def epoch(order: np.ndarray) -> float:
            nonlocal state
            state, loss = run(state, *data, jnp.asarray(order, jnp.int32))
            return float(loss)

        return epoch

    def predictions(self, cell: GridCell, layers: Layers) -> Mapping[str, Predict]:
        """Return the compiled forward pass, its parameters constants."""
        jax.config.update("jax_enable_x64", cell.dtype == "float64")

        @jax.jit
        def outputs(x: Array) -> Array:
            logits = forward(cell, layers, x)
            return logits if cell.is_regression else jax.nn.softmax(logits)

        return {"": lambda rows: np.asarray(outputs(rows))}
