"""PyTorch: eager, and with the whole step of a training compiled."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from functools import cache, partial
from itertools import product
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from candidates.base import Layers
from candidates.choice import thread_counts
from candidates.epochwise import BY_BATCH, BY_EPOCH, Epoch, EpochwisePeer, Predict
from fastmlp.cli.epochs import GridCell

__all__ = ["Autocast", "Compiled", "Eager", "Medium"]

#: In place: nothing else reads the values before.
ACTIVATIONS = {"relu": Tensor.relu_, "tanh": Tensor.tanh_}
LEARNING_RATE, MOMENTUM, BETA_1, BETA_2, EPSILON = 1e-3, 0.9, 0.9, 0.999, 1e-8

#: One mini-batch: inputs (B, I) and targets (B, C) or (B,) in, the mean loss () out.
Step = Callable[[Tensor, Tensor], Tensor]


def tensors(layers: Layers) -> list[Tensor]:
    """Return weights (fan_out, fan_in), as PyTorch likes them, and biases (fan_out,) in turn."""
    return [torch.from_numpy(np.array(array.T, order="C")) for layer in layers for array in layer]


def forward(cell: GridCell, parameters: list[Tensor], x: Tensor, dropout: float = 0.0) -> Tensor:
    """Return the logits (B, C) at x (B, I), without the overhead of modules."""
    *hidden, last = zip(parameters[::2], parameters[1::2], strict=True)
    for weights, biases in hidden:
        x = ACTIVATIONS[cell.activation](functional.linear(x, weights, biases))
        if dropout:
            x = functional.dropout(x, dropout)
    return functional.linear(x, *last)


def mean_loss(cell: GridCell, parameters: list[Tensor], x: Tensor, target: Tensor) -> Tensor:
    """Return half the squared error, or the cross-entropy; its mean over the batch."""
    logits = forward(cell, parameters, x, cell.dropout)
    if cell.is_regression:
        return 0.5 * cell.layer_sizes[-1] * functional.mse_loss(logits, target)
    return functional.cross_entropy(logits, target)


def with_autocast(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """Return the function with bfloat16 wherever PyTorch takes it for safe."""

    def call(*arguments: Any) -> Tensor:
        with torch.autocast("cpu", torch.bfloat16):
            return function(*arguments)

    return call


def eager_step(cell: GridCell, layers: Layers) -> Step:
    """Return a step by autograd and the optimiser's fused kernel."""
    parameters = [tensor.requires_grad_() for tensor in tensors(layers)]
    if cell.optimizer == "adam":
        optimizer = torch.optim.Adam(parameters, lr=LEARNING_RATE, fused=True)
    else:
        optimizer = torch.optim.SGD(parameters, lr=LEARNING_RATE, momentum=MOMENTUM, fused=True)

    def step(x: Tensor, target: Tensor) -> Tensor:
        optimizer.zero_grad(set_to_none=True)
        loss = mean_loss(cell, parameters, x, target)
        loss.backward()
        optimizer.step()
        return loss.detach()

    return step


def adam(parameters: list[Tensor], state: list[Tensor], gradients: list[Tensor]) -> None:
    """Update in place; ``state`` holds the step's number () and both moments of each tensor."""
    number, *moments = state
    number += 1
    rate = LEARNING_RATE * torch.sqrt(1 - BETA_2**number) / (1 - BETA_1**number)
    pairs = zip(moments[::2], moments[1::2], strict=True)
    for tensor, gradient, (mean, square) in zip(parameters, gradients, pairs, strict=True):
        mean.lerp_(gradient, 1 - BETA_1)
        square.mul_(BETA_2).addcmul_(gradient, gradient, value=1 - BETA_2)
        tensor.sub_(rate * mean / (square.sqrt() + EPSILON))


def sgd(parameters: list[Tensor], state: list[Tensor], gradients: list[Tensor]) -> None:
    """Update in place; ``state`` holds the velocity of each tensor."""
    for tensor, velocity, gradient in zip(parameters, state, gradients, strict=True):
        velocity.mul_(MOMENTUM).sub_(gradient, alpha=LEARNING_RATE)
        tensor.add_(velocity)


def optimizer_state(cell: GridCell, parameters: list[Tensor]) -> list[Tensor]:
    """Return zeros: what ``adam`` or ``sgd`` keeps."""
    if cell.optimizer == "sgd":
        return [torch.zeros_like(tensor) for tensor in parameters]
    pairs = [torch.zeros_like(tensor) for tensor in parameters for _ in range(2)]
    return [torch.zeros((), dtype=parameters[0].dtype), *pairs]


@cache
def compiled_step(cell: GridCell, autocast: bool) -> Callable[..., Tensor]:
    """Return forward, backward and update as one graph without Python between its kernels."""
    torch.compiler.reset()  # what was compiled for another network counts against a limit
    update = adam if cell.optimizer == "adam" else sgd
    loss = with_autocast(mean_loss) if autocast else mean_loss
    gradients_and_loss = torch.func.grad_and_value(partial(loss, cell))

    def step(parameters: list[Tensor], state: list[Tensor], x: Tensor, target: Tensor) -> Tensor:
        gradients, loss = gradients_and_loss(parameters, x, target)
        update(parameters, state, gradients)
        return loss

    return torch.compile(step, fullgraph=True, dynamic=False, options={"cpp_wrapper": True})


class Batches:
    """X (N, I) and y (N,) as tensors, and their mini-batches in a given order of rows."""

    def __init__(self, cell: GridCell, X: np.ndarray, y: np.ndarray, gather: str) -> None:
        self._size, self._gather = cell.batch_size, gather
        self._X, self._y = torch.from_numpy(X), torch.from_numpy(y)
        if cell.is_regression:
            self._y = self._y.reshape(len(X), -1)
        # Memory that is written again and again spares the page faults of fresh memory.
        self._shuffled = [torch.empty_like(self._X), torch.empty_like(self._y)]
        whole, rest = divmod(cell.n_samples, cell.batch_size)
        sizes = [cell.batch_size] * whole + [rest] * (rest > 0)
        self._shares = torch.tensor(sizes) / torch.tensor(cell.n_samples, dtype=self._X.dtype)

    def __call__(self, order: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield inputs and targets of each batch of the epoch."""
        if self._gather == BY_BATCH:
            for rows in order.split(self._size):
                yield self._X.index_select(0, rows), self._y.index_select(0, rows)
            return
        for array, out in zip((self._X, self._y), self._shuffled, strict=True):
            torch.index_select(array, 0, order, out=out)
        yield from zip(*(array.split(self._size) for array in self._shuffled), strict=True)

    def mean(self, losses: list[Tensor]) -> float:
        """Return the mean over the samples of the batches' mean losses."""
        return float(torch.stack(losses) @ self._shares)


class Eager(EpochwisePeer):
    """An operation at a time."""

    def epoch_settings(self) -> Mapping[str, tuple[int, str]]:
        """Return threads and ways to gather."""
        return {
            f"{words}, {gather}": (n_threads, gather)
            for (words, n_threads), gather in product(thread_counts().items(), (BY_EPOCH, BY_BATCH))
        }

    def step(self, cell: GridCell, layers: Layers) -> Step:
        """Return a step that trains a copy of ``layers``."""
        return eager_step(cell, layers)

    def epoch(
        self, cell: GridCell, X: np.ndarray, y: np.ndarray, layers: Layers, setting: Any
    ) -> Epoch:
        """Return a loop over the batches."""
        n_threads, gather = setting
        batches, step = Batches(cell, X, y, gather), self.step(cell, layers)

        def run(order: np.ndarray) -> float:
            torch.set_num_threads(n_threads)
            losses = [step(x, target) for x, target in batches(torch.from_numpy(order))]
            return batches.mean(losses)

        return run

    def prediction_mode(self) -> AbstractContextManager[Any]:
        """Return the mode without any book-keeping for gradients."""
        return torch.inference_mode()

    def outputs(self, cell: GridCell, layers: Layers) -> Callable[[Tensor], Tensor]:
        """Return a call from rows (K, I) to outputs (K, C)."""
        parameters = tensors(layers)

        def outputs(x: Tensor) -> Tensor:
            logits = forward(cell, parameters, x)
            return logits if cell.is_regression else logits.softmax(1)

        return outputs

    def predictions(self, cell: GridCell, layers: Layers) -> Mapping[str, Predict]:
        """Return one call for each number of threads."""
        outputs = self.outputs(cell, layers)
        return {
            words: _on_threads(n_threads, outputs) for words, n_threads in thread_counts().items()
        }


class Compiled(Eager):
    """Graphs turned into C++ by TorchInductor."""

    autocast: ClassVar[bool] = False

    def step(self, cell: GridCell, layers: Layers) -> Step:
        """Return the compiled step on a copy of ``layers``."""
        parameters, step = tensors(layers), compiled_step(cell, self.autocast)
        state = optimizer_state(cell, parameters)
        return lambda x, target: step(parameters, state, x, target)

    def outputs(self, cell: GridCell, layers: Layers) -> Callable[[Tensor], Tensor]:
        """Return the forward pass as one graph."""
        torch.compiler.reset()
        outputs = super().outputs(cell, layers)
        if self.autocast:
            outputs = with_autocast(outputs)
        return torch.compile(outputs, fullgraph=True, dynamic=False)


class Medium(Compiled):
    """Products of float32 numbers may be bfloat16 ones."""

    def __init__(self) -> None:
        super().__init__()
        torch.set_float32_matmul_precision("medium")


class Autocast(Compiled):
    """Products and what follows them in bfloat16, parameters and updates in float32."""

    autocast = True


def _on_threads(n_threads: int, outputs: Callable[[Tensor], Tensor]) -> Predict:
    def predict(rows: np.ndarray) -> np.ndarray:
        torch.set_num_threads(n_threads)
        return outputs(torch.from_numpy(rows)).float().numpy()

    return predict
