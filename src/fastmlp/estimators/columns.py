"""What is made of each column of X, from the parameters of a fit and its data."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np

from fastmlp import validation
from fastmlp.embeddings import PBLD, PLR, Categories, NumericEmbedding, PiecewiseLinear
from fastmlp.plan.front import PLAIN_COLUMN, Column, front_width
from fastmlp.plan.inputs import Inputs
from fastmlp.plan.layout import Plan
from fastmlp.plan.records import (
    EMBEDDING_BIASES,
    EMBEDDING_WEIGHTS,
    FREQUENCIES,
    PHASES,
    SCALES,
    TABLES,
)

__all__ = ["columns_of", "with_rates"]

#: Values of a column among which quantiles are sought, at most.
MOST_VALUES = 2**20


def columns_of(
    parameters: SimpleNamespace, X: Inputs, dtype: np.dtype, names: np.ndarray | None
) -> tuple[Column, ...]:
    """Return what becomes of each column of X (N, I), empty if all stay as they are.

    Layer 0 needs an input: where none is left, the largest category gives some.
    """
    numeric, wanted = parameters.numeric_embedding, parameters.categorical_features
    if numeric is None and not wanted:
        return ()
    assert isinstance(X, np.ndarray)
    numbers = validation.chosen_columns(wanted, X.shape[1], names)
    counts = validation.check_levels(X, numbers, names)
    levels = dict(zip(numbers, counts, strict=True))
    embedding = parameters.category_embedding or Categories()
    columns = [
        _of_levels(embedding, levels[i]) if i in levels else _of_numbers(numeric, X[:, i], dtype)
        for i in range(X.shape[1])
    ]
    if front_width(columns) == 0:
        largest = max(levels, key=lambda i: levels[i])
        columns[largest] = _table(embedding, levels[largest])
    return tuple(columns)


def _of_levels(embedding: Categories, n_levels: int) -> Column:
    if n_levels <= embedding.one_hot:
        return Column("one_hot", n_terms=n_levels)
    return _table(embedding, n_levels)


def _table(embedding: Categories, n_levels: int) -> Column:
    return Column("table", n_terms=n_levels, width=embedding.width)


def _of_numbers(embedding: NumericEmbedding | None, x: np.ndarray, dtype: np.dtype) -> Column:
    """Return what becomes of a column of numbers (N,)."""
    if isinstance(embedding, PBLD):
        return Column("periodic", embedding.n_frequencies, embedding.width, beside=True)
    if isinstance(embedding, PLR):
        return Column("waves", embedding.n_frequencies, embedding.width, rectified=True)
    if isinstance(embedding, PiecewiseLinear):
        edges = _edges(x, embedding.n_bins, dtype)
        width = embedding.width or 0
        if len(edges) > 1:
            rectified = embedding.rectified and width > 0
            return Column("piecewise", len(edges) - 1, width, rectified=rectified, edges=edges)
    return PLAIN_COLUMN


def _edges(x: np.ndarray, n_bins: int, dtype: np.dtype) -> tuple[float, ...]:
    """Return distinct quantiles of numbers (N,), by whose steps ``dtype`` can divide."""
    step = -(-len(x) // MOST_VALUES)
    shares = np.linspace(0, 1, n_bins + 1)
    quantiles = np.quantile(x[::step].astype(dtype), shares, method="nearest")
    edges = [float(quantiles[0])]
    for edge in map(float, quantiles[1:]):
        with np.errstate(all="ignore"):
            scale = dtype.type(1) / (dtype.type(edge) - dtype.type(edges[-1]))
        if edge > edges[-1] and 0 < scale < np.inf:
            edges.append(edge)
    return tuple(edges)


def with_rates(plan: Plan, parameters: SimpleNamespace) -> Plan:
    """Return a plan with groups for what is learnt before layer 0, of which only tables decay."""
    rate = getattr(parameters.numeric_embedding, "rate_factor", 1.0)
    factors = {
        SCALES: (parameters.scaling_layer, 0.0, 0.0, 0.0),
        **dict.fromkeys(
            (FREQUENCIES, PHASES, EMBEDDING_WEIGHTS, EMBEDDING_BIASES), (rate, 0.0, 0.0, 0.0)
        ),
        TABLES: (getattr(parameters.category_embedding, "rate_factor", 1.0), 0.0, 0.0, 1.0),
    }
    there = set(plan.trained_slots["kind"].tolist())
    for kind in there & set(factors):
        plan = plan.with_own_group(kind, factors[kind])
    return plan
