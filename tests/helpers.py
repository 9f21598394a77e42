"""Problems to train on, and short ways to run them on a backend."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np

from fastmlp.backends import get_backend
from fastmlp.backends.protocol import Backend, Rows, Totals
from fastmlp.optimizers import CLASSES
from fastmlp.plan.front import Column
from fastmlp.plan.layout import Plan, make_plan
from fastmlp.plan.parameters import (
    aligned_zeros,
    alpha_views,
    gain_views,
    running_variance_views,
    scales_view,
    weight_views,
)
from fastmlp.plan.records import FREQUENCIES, TABLES, default_groups, make_settings, prefix_slots
from fastmlp.registry import LOSSES, Loss
from fastmlp.training.updates import UpdateRule

REFERENCE = get_backend("numpy")

#: Around the vector widths, and none of them a multiple of all.
SIZES = (1, 2, 3, 5, 7, 15, 16, 17, 31, 32, 33, 63, 64, 65, 97)


def size_pairs() -> list[tuple[int, int]]:
    """Return each size once in each place, paired with others."""
    return [(SIZES[i], SIZES[(4 * i + 7) % len(SIZES)]) for i in range(len(SIZES))]


def size_triples() -> list[tuple[int, int, int]]:
    """Return (B, I, O) with each size once in each place, and some beyond a cache block."""
    n = len(SIZES)
    awkward = [(SIZES[i], SIZES[(4 * i + 7) % n], SIZES[(7 * i + 3) % n]) for i in range(n)]
    return [
        *awkward,
        (1, 1, 1),
        (3, 1030, 5),
        (130, 520, 70),
        (700, 6, 9),
        (1100, 305, 203),
        (60, 700, 210),
    ]


def offset_array(values: np.ndarray) -> np.ndarray:
    """Return a contiguous copy that starts one element beyond a cache line."""
    room = aligned_zeros(values.size + 1, values.dtype)
    copy = room[1:].reshape(values.shape)
    copy[...] = values
    return copy


def unaligned(array: np.ndarray) -> np.ndarray:
    """Return a C-contiguous copy that begins one byte after a multiple of its numbers' size."""
    memory = np.zeros(array.nbytes + 17, np.uint8)
    start = -memory.ctypes.data % 16 + 1
    copy = memory[start : start + array.nbytes].view(array.dtype).reshape(array.shape)
    copy[...] = array
    assert copy.flags.c_contiguous
    assert not copy.flags.aligned
    return copy


def all_weights(n: int) -> tuple[np.ndarray, np.ndarray]:
    """Return slots and groups of a vector (n,) that is all weights."""
    return prefix_slots(n, n), default_groups()


@dataclass(frozen=True)
class Recipe:
    """How to update: what is the same for all updates, and what gives the numbers of each."""

    settings: np.ndarray
    rule: UpdateRule
    learning_rate: float
    step: int
    scheduled: Mapping[str, float] = field(default_factory=dict)

    def updates(self, n_updates: int, first: int = 0) -> np.ndarray:
        """Return the records of so many updates after ``first`` others."""
        rate = self.learning_rate
        if not self.scheduled:
            return self.rule.numbers(self.step + first, n_updates, rate)
        wave = (1 + np.sin(np.arange(first, first + n_updates))) / 2
        wave = np.rint(wave * 2**24) / 2**24
        moving = {name: largest * wave for name, largest in self.scheduled.items()}
        rate = moving.pop("learning_rate", rate)
        return self.rule.numbers(self.step + first, n_updates, rate, moving)


def make_recipe(
    optimizer: str = "adam",
    *,
    learning_rate: float = 1e-3,
    step: int = 0,
    gradient_noise: float = 0.0,
    gradient_noise_decay: float = 0.0,
    scheduled: Mapping[str, float] | None = None,
    **fields: Any,
) -> Recipe:
    """Return how an optimiser updates; ``fields`` are its options, and settings.

    ``scheduled`` are the largest values of numbers that go up and down from update to update.
    Weights decay only where they are told to, by AdamW too.
    """
    cls = CLASSES[optimizer]
    known = vars(cls())
    options = {"weight_decay": 0.0, **{k: v for k, v in fields.items() if k in known}}
    settings = {k: v for k, v in fields.items() if k not in known}
    rule = UpdateRule(cls(**options), gradient_noise, gradient_noise_decay)
    return Recipe(make_settings(optimizer, **settings), rule, learning_rate, step, scheduled or {})


@dataclass(frozen=True)
class Problem:
    """All that training needs; names and shapes as in ``Executor.train``."""

    plan: Plan
    recipe: Recipe
    parameters: np.ndarray
    moments: np.ndarray
    X: np.ndarray
    target: np.ndarray
    sample_weight: np.ndarray | None
    order: np.ndarray
    batch_size: int

    @property
    def settings(self) -> np.ndarray:
        return self.recipe.settings

    @property
    def rows(self) -> Rows:
        return Rows(self.X, self.target, self.sample_weight)

    @property
    def dtype(self) -> np.dtype:
        return self.parameters.dtype

    def as_float64(self) -> Problem:
        """Return the same numbers in float64."""
        weight = self.sample_weight
        return replace(
            self,
            parameters=self.parameters.astype(np.float64),
            moments=self.moments.astype(np.float64),
            target=self.target.astype(np.float64),
            sample_weight=None if weight is None else weight.astype(np.float64),
        )


class Trained(NamedTuple):
    parameters: np.ndarray
    moments: np.ndarray
    totals: Totals


def make_target(plan: Plan, n_rows: int, rng: np.random.Generator) -> np.ndarray:
    """Return a random target (N, T), float64, that fits the plan's loss."""
    kind, shape = plan.loss_row.target, (n_rows, plan.target_width)
    if kind == "class":
        return rng.integers(plan.n_outputs, size=shape).astype(np.float64)
    if kind == "share":
        return rng.integers(2, size=shape).astype(np.float64)
    if kind == "distribution":
        shares = rng.exponential(size=shape) * rng.integers(2, size=shape)
        shares[:, 0] += 0.1
        return shares / shares.sum(axis=1, keepdims=True)
    if kind == "non_negative":
        return rng.poisson(1.5, size=shape).astype(np.float64)
    return np.exp(rng.normal(size=shape)) if kind == "positive" else rng.normal(size=shape)


def outputs_for(loss: Loss, n_targets: int) -> int:
    """Return how many outputs ``n_targets`` targets, or classes, have under a loss's defaults."""
    return n_targets * loss.outputs_of_one(len(loss.default_parameters))


def make_inputs(n_rows: int, n_inputs: int, dtype: np.dtype, rng: np.random.Generator):
    """Return X (N, I): small whole numbers as uint8, else standard normal values."""
    if np.dtype(dtype) == np.uint8:
        return rng.integers(4, size=(n_rows, n_inputs), dtype=np.uint8)
    return rng.normal(size=(n_rows, n_inputs)).astype(dtype)


def make_parameters(plan: Plan, dtype: np.dtype, rng: np.random.Generator) -> np.ndarray:
    """Return an aligned vector (V,) whose layers keep the variance of their inputs."""
    vector = aligned_zeros(plan.n_values, dtype)
    vector[:] = rng.normal(scale=0.1, size=plan.n_values)
    for w in weight_views(plan, vector):
        w[:] = rng.normal(scale=w.shape[-2] ** -0.5, size=w.shape)
    for views in (gain_views, alpha_views, running_variance_views):
        for view in (view for view in views(plan, vector) if view is not None):
            np.add(view, 1, out=view)
    scales_view(plan, vector)[...] += 1
    for slot in plan.slots[np.isin(plan.slots["kind"], range(FREQUENCIES, TABLES + 1))]:
        vector[slot["offset"] :][: slot["rows"] * slot["columns"]] *= 5
    return vector


def make_order(rng: np.random.Generator, n_rows: int, n_epochs: int, n_orders: int) -> np.ndarray:
    """Return the order (M,) of some epochs, or several orders (k, M)."""
    orders = [
        np.concatenate([rng.permutation(n_rows) for _ in range(n_epochs)])
        for _ in range(max(1, n_orders))
    ]
    return np.array(orders) if n_orders else orders[0]


def put_levels(X: np.ndarray, columns: Sequence[Column], rng: np.random.Generator) -> np.ndarray:
    """Return X (N, I) with numbers of levels, and some of none, where there are tables."""
    for i, column in enumerate(columns):
        if column.kind in ("table", "one_hot"):
            X[:, i] = rng.integers(-1, column.n_terms + 2, len(X))
    return X


def make_problem(
    layer_sizes: Sequence[int] = (6, 9, 5, 3),
    activations: Sequence[str] | str = "tanh",
    loss: str = "softmax_cross_entropy",
    optimizer: str = "sgd",
    dtype: np.dtype | type = np.float64,
    *,
    dropouts: Sequence[float] | None = None,
    normalizations: Sequence[str] | str | None = None,
    n_groups: int | None = None,
    n_channels: int | None = None,
    parametric: Sequence[bool] | bool = False,
    n_scales: int = 0,
    n_members: int = 1,
    n_shared: int | None = None,
    own_batches: bool = False,
    columns: Sequence[Column] = (),
    matmul_precision: str = "highest",
    weighted: bool = False,
    n_rows: int = 50,
    batch_size: int = 16,
    n_epochs: int = 3,
    x_dtype: np.dtype | type | None = None,
    seed: int = 0,
    **settings: Any,
) -> Problem:
    """Return a random problem, the same for the same arguments up to rounding to ``dtype``.

    The last entry of ``layer_sizes`` counts targets, or classes.
    """
    rng = np.random.default_rng(seed)
    if isinstance(activations, str):
        activations = [activations] * (len(layer_sizes) - 2)
    if loss in LOSSES:
        layer_sizes = [*layer_sizes[:-1], outputs_for(LOSSES[loss], layer_sizes[-1])]
    if isinstance(normalizations, str):
        normalizations = [normalizations] * (len(layer_sizes) - 2)
    if isinstance(parametric, bool):
        parametric = [parametric] * (len(layer_sizes) - 2)
    plan = make_plan(
        layer_sizes,
        activations,
        loss,
        dropouts,
        normalizations=normalizations,
        n_groups=n_groups,
        n_channels=n_channels,
        parametric=parametric,
        n_scales=n_scales,
        n_members=n_members,
        n_shared=n_shared,
        columns=columns,
        matmul_precision=matmul_precision,
    )
    recipe = make_recipe(optimizer, **{"seed": 2**40 + 7, **settings})
    n_moments = len(recipe.rule.optimizer.moments)
    return Problem(
        plan=plan,
        recipe=recipe,
        parameters=make_parameters(plan, np.dtype(dtype), rng),
        moments=aligned_zeros((n_moments, plan.n_parameters), dtype),
        X=put_levels(
            make_inputs(n_rows, layer_sizes[0], np.dtype(x_dtype or dtype), rng), columns, rng
        ),
        target=make_target(plan, n_rows, rng).astype(dtype),
        sample_weight=rng.uniform(0.2, 3, n_rows).astype(dtype) if weighted else None,
        order=make_order(rng, n_rows, n_epochs, n_members if own_batches else 0),
        batch_size=batch_size,
    )


def train(
    backend: Backend,
    problem: Problem,
    n_threads: int = 1,
    chunk_batches: int | None = None,
    workspace_rows: int | None = None,
) -> Trained:
    """Train on copies; with ``chunk_batches``, by several calls of so many batches each."""
    parameters, moments = problem.parameters.copy(), problem.moments.copy()
    n_rows = workspace_rows or problem.batch_size
    executor = backend.bind(problem.plan, problem.settings, problem.dtype, n_rows, n_threads)
    n_order = problem.order.shape[-1]
    chunk = n_order if chunk_batches is None else chunk_batches * problem.batch_size
    sums, n_done = np.zeros(3), 0
    for start in range(0, n_order, chunk):
        order = np.ascontiguousarray(problem.order[..., start : start + chunk])
        updates = problem.recipe.updates(-(-order.shape[-1] // problem.batch_size), n_done)
        sums += executor.train(
            parameters, moments, problem.rows, order, problem.batch_size, updates
        )
        n_done += len(updates)
    return Trained(parameters, moments, Totals(sums[0], sums[1], int(sums[2])))


def objective_and_gradient(
    backend: Backend,
    problem: Problem,
    n_threads: int = 1,
    order: np.ndarray | None = None,
    workspace_rows: int | None = None,
) -> tuple[Totals, np.ndarray]:
    """Return the totals and the gradient (P,) over the rows ``order`` (K,), or over all."""
    parameters = problem.parameters.copy()
    gradient = np.full(problem.plan.n_parameters, np.nan, problem.dtype)
    n_rows = workspace_rows or len(problem.X)
    executor = backend.bind(problem.plan, problem.settings, problem.dtype, n_rows, n_threads)
    totals = executor.gradient(parameters, problem.rows, gradient, problem.recipe.step, order)
    return totals, gradient


def predict(
    backend: Backend,
    problem: Problem,
    rows: np.ndarray | None = None,
    apply_link: bool = True,
    n_threads: int = 1,
) -> np.ndarray:
    """Return the predictions (K, C) for X[rows], or for all of X."""
    n_rows = len(problem.X) if rows is None else len(rows)
    n_outputs = problem.plan.n_outputs * (1 if apply_link else problem.plan.n_members)
    out = np.full((n_rows, n_outputs), np.nan, problem.dtype)
    backend.predict(problem.plan, problem.parameters, problem.X, rows, out, apply_link, n_threads)
    return out
