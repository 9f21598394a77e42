"""First values of what the columns of X learn."""

from __future__ import annotations

import numpy as np

from fastmlp.plan.front import ONE_HOT, PERIODIC, PIECEWISE, PLAIN, TABLE, WAVES
from fastmlp.plan.layout import Plan
from fastmlp.plan.records import rows_of

__all__ = ["column_views", "initialize_columns"]


def column_views(plan: Plan, vector: np.ndarray, number: int) -> dict[str, np.ndarray]:
    """Return what a column of X learns by name, as views of ``vector`` (P,) or (V,).

    These are "frequencies" (K,), "phases" (K,), "weights" (M, d), "biases" (d,) and "table" (K, d),
    as far as it has them.
    """
    feature, column = rows_of(plan.features[number:][:1])[0], plan.columns[number]
    n, m, width = column.n_terms, column.total_terms, column.width
    shapes: dict[str, tuple[int, ...]] = {}
    if feature["kind"] in (PERIODIC, WAVES):
        shapes["frequency"] = (n,)
    if feature["kind"] == PERIODIC:
        shapes["phase"] = (n,)
    if feature["kind"] in (PERIODIC, WAVES, PIECEWISE) and width > 0:
        shapes["weight"], shapes["bias"] = (m, width), (width,)
    if feature["kind"] in (TABLE, ONE_HOT):
        shapes["table"] = n, feature["width"]
    names = {
        "frequency": "frequencies",
        "phase": "phases",
        "weight": "weights",
        "bias": "biases",
        "table": "table",
    }
    return {
        names[part]: vector[feature[f"{part}_offset"] :][: np.prod(shape)].reshape(shape)
        for part, shape in shapes.items()
    }


def initialize_columns(
    plan: Plan, parameters: np.ndarray, rng: np.random.RandomState, sigma: float
) -> None:
    """Give ``parameters`` (V,) first values of what the columns learn.

    Frequencies are from N(0, sigma²), phases from U(−π, π), weights and biases from U(−a, a) with
    a = 1/√M, as PyTorch has them for a layer of M inputs. Rows of tables are from N(0, 1); those of
    one-hot columns are weights of layer 0, from Glorot's uniform distribution.
    """
    if not plan.columns:
        return
    n_one_hot = int(np.sum(plan.features["kind"] == ONE_HOT))
    layer = rows_of(plan.layers[:1])[0]
    glorot = np.sqrt(6.0 / (layer["fan_in"] + n_one_hot + layer["fan_out"]))
    for number, kind in enumerate(plan.features["kind"]):
        if kind == PLAIN:
            continue
        bound = 1 / np.sqrt(max(1, plan.columns[number].total_terms))
        for name, view in column_views(plan, parameters, number).items():
            if name == "frequencies":
                view[...] = rng.normal(0.0, sigma, view.shape)
            elif name == "phases":
                view[...] = rng.uniform(-np.pi, np.pi, view.shape)
            elif kind == TABLE:
                view[...] = rng.normal(size=view.shape)
            else:
                a = glorot if kind == ONE_HOT else bound
                view[...] = rng.uniform(-a, a, view.shape)
