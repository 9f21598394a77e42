"""Whole epochs on synthetic data: the grid of networks that the benchmarks run."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from fastmlp.backends import Backend, Rows
from fastmlp.network import Network
from fastmlp.optimizers import SGD, Adam, Optimizer
from fastmlp.plan.initializers import initialize
from fastmlp.plan.layout import Plan, make_plan
from fastmlp.plan.records import make_settings
from fastmlp.registry import OPTIMIZERS
from fastmlp.training.shuffling import shuffle
from fastmlp.training.updates import UpdateRule

__all__ = ["CELLS", "EXTRA", "GRID", "WIDE", "EpochRun", "GridCell"]

LEARNING_RATE = 1e-3


@dataclass(frozen=True)
class GridCell:
    """A network, its data's size and how it is trained.

    Attributes
    ----------
    name : str
    n_samples : int
    layer_sizes : tuple of int
        From the input to the output. One output means regression, three or more mean classes: two
        classes are one output to estimators like scikit-learn's, and two to other peers.
    batch_size : int
    optimizer : {"adam", "sgd"}
        sgd runs with momentum 0.9, without Nesterov's form.
    activation : str
        Of the hidden layers.
    dropout : float
        Of the hidden layers' outputs.
    normalization : str or None
        Of the hidden layers.
    dtype : {"float32", "float64"}
        What the peers compute in.
    several_targets : bool
        Several outputs are real targets, not classes.
    n_members : int
        Of TabM-mini; 1 for a plain network.
    """

    name: str
    n_samples: int
    layer_sizes: tuple[int, ...]
    batch_size: int
    optimizer: str = "adam"
    activation: str = "relu"
    dropout: float = 0.0
    normalization: str | None = None
    dtype: str = "float32"
    several_targets: bool = False
    n_members: int = 1

    @property
    def is_regression(self) -> bool:
        """Whether the target is a real number, or several."""
        return self.several_targets or self.layer_sizes[-1] == 1

    @property
    def plan(self) -> Plan:
        """The network in the backends' form."""
        loss = "squared_error" if self.is_regression else "softmax_cross_entropy"
        n_hidden = len(self.layer_sizes) - 2
        dropouts = [0.0] + [self.dropout] * n_hidden
        return make_plan(
            self.layer_sizes,
            [self.activation] * n_hidden,
            loss,
            dropouts,
            normalizations=[self.normalization or "none"] * n_hidden,
            n_members=self.n_members,
            n_scales=self.n_members if self.n_members > 1 else 0,
        )

    @property
    def optimizer_object(self) -> Optimizer:
        """The optimiser with its options."""
        return SGD(momentum=0.9) if self.optimizer == "sgd" else Adam()

    @property
    def flops(self) -> int:
        """Useful floating-point operations of one epoch: 2·N·(3·ΣIO − I₁O₁)."""
        return self.n_samples * self.plan.flops_per_sample()

    def describe(self) -> str:
        """Return the cell in one line."""
        sizes = "-".join(str(size) for size in self.layer_sizes)
        parts = [f"{self.n_samples} × {sizes}", f"batch {self.batch_size}", self.optimizer]
        parts += [self.activation] if self.activation != "relu" else []
        parts += [f"dropout {self.dropout:g}"] if self.dropout else []
        parts += [f"{self.normalization} norm"] if self.normalization else []
        parts += [self.dtype] if self.dtype != "float32" else []
        parts += ["squared error"] if self.several_targets else []
        parts += [f"{self.n_members} members"] if self.n_members > 1 else []
        return ", ".join(parts)

    def data(self, dtype: np.dtype, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
        """Return X (N, I) and y, which a network of this size can learn from X.

        y is (N,), or (N, C) for several targets.
        """
        rng = np.random.default_rng(seed)
        X = rng.standard_normal((self.n_samples, self.layer_sizes[0]), dtype=np.float32)
        scores = X @ rng.standard_normal((X.shape[1], self.layer_sizes[-1]), dtype=np.float32)
        scores /= np.float32(np.sqrt(X.shape[1]))
        if not self.is_regression:
            y = scores.argmax(axis=1)
        else:
            y = np.tanh(scores if self.several_targets else scores[:, 0]).astype(dtype)
        return X.astype(dtype, copy=False), y


#: From nets so small that overhead rules to one that the products rule.
GRID = {
    cell.name: cell
    for cell in (
        GridCell("tab32", 100_000, (8, 32, 32, 1), 64),
        GridCell("tab64", 200_000, (16, 64, 64, 1), 256),
        GridCell("digits", 1_797, (64, 100, 10), 200),
        GridCell("deep128", 50_000, (32, *[128] * 8, 10), 256, "sgd"),
        GridCell("mnist100", 60_000, (784, 100, 10), 200),
        GridCell("mnist512", 30_000, (784, 512, 512, 10), 128),
        GridCell("wide2048", 8_192, (784, 2048, 2048, 10), 1024),
    )
}

_PLAIN = GridCell("plain", 50_000, (64, 128, 128, 10), 128)

#: What the grid leaves out, so that nothing is tuned to it; the last ones differ from ``plain`` in
#: one respect each.
EXTRA = {
    cell.name: cell
    for cell in (
        GridCell("odd32", 50_000, (13, 37, 53, 3), 32),
        GridCell("odd4096", 200_000, (13, 37, 53, 3), 4096),
        _PLAIN,
        replace(_PLAIN, name="tanh", activation="tanh"),
        replace(_PLAIN, name="dropout", dropout=0.2),
        replace(_PLAIN, name="float64", dtype="float64"),
        replace(_PLAIN, name="targets64", layer_sizes=(64, 128, 128, 64), several_targets=True),
    )
}

#: Shapes of well-known tables and of networks wider than the caches, with odd batches and solvers.
WIDE = {
    cell.name: cell
    for cell in (
        GridCell("odd96", 60_000, (13, 37, 53, 3), 96),
        GridCell("tanh48", 150_000, (10, 48, 1), 128, activation="tanh"),
        GridCell("cover100", 60_000, (54, 100, 7), 200),
        GridCell("triple256", 40_000, (28, 256, 256, 256, 3), 256),
        GridCell("year128", 40_000, (90, *[128] * 4, 1), 512, "sgd", "tanh"),
        GridCell("taper700", 20_000, (400, 700, 300, 10), 160),
        GridCell("wide1536", 6_000, (512, 1536, 1536, 20), 512, "sgd"),
        GridCell("wide1536_64", 3_000, (512, 1536, 1536, 20), 512, "sgd", dtype="float64"),
        GridCell("wide4096", 2_048, (512, 4096, 4096, 10), 512),
    )
}

CELLS = GRID | EXTRA | WIDE


class EpochRun:
    """A network in training on one backend; each call runs one epoch, its shuffle included.

    Parameters
    ----------
    cell : GridCell
    backend : Backend
    dtype : dtype
    n_threads : int
    """

    def __init__(self, cell: GridCell, backend: Backend, dtype: np.dtype, n_threads: int) -> None:
        self.cell, self.plan = cell, cell.plan
        X, y = cell.data(dtype)
        self.rows = Rows(X, np.ascontiguousarray(y.reshape(len(y), -1), dtype=dtype))
        self.rule = UpdateRule(cell.optimizer_object)
        self.rng, self.order = np.random.RandomState(1), np.arange(cell.n_samples)
        self.network = Network.zeros(self.plan, dtype, OPTIMIZERS[cell.optimizer].n_moments)
        initialize(self.plan, self.network.parameters, "kaiming_uniform", self.rng)
        settings = make_settings(cell.optimizer)
        self.executor = backend.bind(self.plan, settings, dtype, cell.batch_size, n_threads)

    def __call__(self) -> float:
        """Shuffle, run one epoch and return the mean loss per sample."""
        shuffle(self.rng, self.order)
        return self.on_order(self.order)

    def on_order(self, order: np.ndarray) -> float:
        """Run one epoch on the rows ``order`` (N,) int64; return the mean loss per sample."""
        network, batch_size = self.network, self.cell.batch_size
        updates = self.rule.numbers(network.step, -(-len(order) // batch_size), LEARNING_RATE)
        totals = self.executor.train(
            network.parameters, network.moments, self.rows, order, batch_size, updates
        )
        network.step += len(updates)
        return totals.cost / totals.n_samples
