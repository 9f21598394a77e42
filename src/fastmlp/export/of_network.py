"""From a network to steps."""

from __future__ import annotations

from itertools import groupby
from typing import Any

import numpy as np

from fastmlp.export.program import Builder
from fastmlp.export.steps import (
    Activate,
    Add,
    Bins,
    Concatenate,
    Dense,
    Embed,
    Link,
    MeanOfMembers,
    Normalize,
    Scale,
    Select,
    Waves,
    Weights,
)
from fastmlp.export.values import Value
from fastmlp.network import Network
from fastmlp.plan.front import ONE_HOT, PERIODIC, PIECEWISE, PLAIN, TABLE, starts_and_widths
from fastmlp.plan.front_values import column_views
from fastmlp.plan.layout import NORMALIZATION_EPSILON, Plan
from fastmlp.plan.parameters import (
    alpha_views,
    bias_views,
    gain_views,
    running_mean_views,
    running_variance_views,
    scales_view,
    shift_views,
    weight_views,
)
from fastmlp.registry import ACTIVATIONS, NORMALIZATIONS

__all__ = ["add_link", "add_network"]

_BATCH, _NONE = NORMALIZATIONS["batch"].code, NORMALIZATIONS["none"].code


def add_network(to: Builder, network: Network, x: Value) -> Value:
    """Write down what a network makes of a row x (1, columns of X); return its logits (k, C).

    The network has no activation that the user wrote. Factors of the inputs go into the weights of
    the first layer where these are as many, and so does each batch normalisation into the layer
    before it: as products in float64, rounded to the network's type.
    """
    plan, parameters = network.plan, network.parameters
    h, one_hots = _add_front(to, plan, parameters, x)
    h, factors = _add_scales(to, plan, parameters, h)
    for index in range(len(plan.layers)):
        tables = one_hots if index == 0 else []
        h = _add_layer(to, plan, parameters, index, h, factors if index == 0 else None, tables)
    return h


#: A number of a one-hot column, and the table (K, O) of its levels.
_OneHots = list[tuple[Value, np.ndarray, str]]


def _add_front(to: Builder, plan: Plan, parameters: np.ndarray, x: Value) -> tuple[Value, _OneHots]:
    """Write down what is made of each column; return the inputs of layer 0, and one-hot columns."""
    if not plan.columns:
        return x, []
    made: list[Value] = []
    one_hots: _OneHots = []
    kinds = plan.features["kind"].tolist()
    for is_plain, places in groupby(range(len(kinds)), lambda i: kinds[i] == PLAIN):
        if is_plain:
            chosen = np.array(list(places))
            made.append(to.add(Select, x, "plain", len(chosen), places=chosen))
            continue
        for place in places:
            one = to.add(Select, x, f"x{place}", 1, places=np.array([place]))
            views = column_views(plan, parameters, place)
            if kinds[place] == ONE_HOT:
                one_hots.append((one, views["table"], f"one-hot column {place}"))
            else:
                made += _add_column(to, plan, place, one, views)
    width = sum(each.width for each in made)
    return to.add(Concatenate, made, "inputs", width, remark="inputs of layer 0"), one_hots


def _add_column(
    to: Builder, plan: Plan, place: int, x: Value, views: dict[str, np.ndarray]
) -> list[Value]:
    """Write down what is made of a column that is neither plain nor one-hot; return its inputs."""
    feature, column, name = plan.features[place], plan.columns[place], f"column{place}"
    remark = f"column {place}"
    if feature["kind"] == TABLE:
        table = Weights(views["table"].copy())
        remark = f"{remark}: a row of its table ({column.n_terms}, {column.width})"
        return [to.add(Embed, x, name, column.width, table=table, remark=remark)]
    beside = [x] if column.beside else []
    terms = _add_terms(to, plan, place, x, views, remark)
    if column.width == 0:
        return [*beside, terms]
    weights = Weights(views["weights"][np.newaxis].copy())
    out = to.add(
        Dense,
        terms,
        name,
        column.width,
        weights=weights,
        biases=views["biases"][np.newaxis].copy(),
        remark=f"{remark}: {terms.width} terms to {column.width} inputs",
    )
    if column.rectified:
        out = to.add(Activate, out, f"{name}_positive", function="relu")
    return [*beside, out]


def _add_terms(
    to: Builder, plan: Plan, place: int, x: Value, views: dict[str, np.ndarray], remark: str
) -> Value:
    """Write down the terms of a column of numbers."""
    feature, column, name = plan.features[place], plan.columns[place], f"terms{place}"
    if feature["kind"] == PIECEWISE:
        first = int(feature["bin_offset"])
        starts, scales = starts_and_widths(plan.columns)[first : first + column.n_terms].T
        return to.add(
            Bins,
            x,
            name,
            column.n_terms,
            starts=starts.astype(x.dtype),
            scales=scales.astype(x.dtype),
            remark=f"{remark}: {column.n_terms} bins",
        )
    periodic = feature["kind"] == PERIODIC
    return to.add(
        Waves,
        x,
        name,
        column.total_terms,
        frequencies=views["frequencies"].copy(),
        phases=views["phases"].copy() if periodic else None,
        remark=f"{remark}: {column.n_terms} frequencies",
    )


def _add_scales(
    to: Builder, plan: Plan, parameters: np.ndarray, h: Value
) -> tuple[Value, np.ndarray | None]:
    """Write the scaling layer down where weights can't take it; else return factors (m, I)."""
    if not plan.n_scales:
        return h, None
    factors = scales_view(plan, parameters).copy()
    if len(factors) == 1 or plan.layers["n_copies"][0] == len(factors):
        return h, factors
    scaled = to.add(
        Scale, h, "scaled", rows=len(factors), factors=factors, remark="factors of each member"
    )
    return scaled, None


def _add_layer(
    to: Builder,
    plan: Plan,
    parameters: np.ndarray,
    index: int,
    h: Value,
    factors: np.ndarray | None,
    one_hots: _OneHots,
) -> Value:
    """Write down a layer with its normalisation and its activation; return what it gives."""
    layer, width = plan.layers[index], int(plan.layers["fan_out"][index])
    weights, biases, tables, remark = _folded(plan, parameters, index, factors, one_hots)
    rows = max(h.rows, len(weights))
    z = to.add(
        Dense,
        h,
        f"z{index}",
        width,
        rows=rows,
        weights=Weights(weights),
        biases=biases,
        remark=remark,
    )
    for (x, _, which), table in zip(one_hots, tables, strict=True):
        row = to.add(Embed, x, f"level_{x.name}", width, table=Weights(table), remark=which)
        z = to.add(Add, (z, row), f"z{index}")
    if layer["normalization"] not in (_NONE, _BATCH):
        z = _add_norm(to, plan, parameters, index, z)
    shares = alpha_views(plan, parameters)[index]
    name = ACTIVATIONS.by_code(layer["activation"]).name
    if name == "identity":
        return z
    return to.add(
        Activate,
        z,
        f"h{index}",
        function=name,
        shares=None if shares is None else shares.copy(),
        remark=name if shares is None else f"z + alpha ({name}(z) - z)",
    )


def _add_norm(to: Builder, plan: Plan, parameters: np.ndarray, index: int, z: Value) -> Value:
    layer = plan.layers[index]
    gain, shift = gain_views(plan, parameters)[index], shift_views(plan, parameters)[index]
    assert gain is not None
    assert shift is not None
    return to.add(
        Normalize,
        z,
        f"y{index}",
        n_groups=int(layer["n_groups"]),
        gains=gain.copy(),
        shifts=shift.copy(),
        remark=f"{NORMALIZATIONS.by_code(layer['normalization']).name} normalisation",
    )


def _folded(
    plan: Plan,
    parameters: np.ndarray,
    index: int,
    factors: np.ndarray | None,
    one_hots: _OneHots,
) -> tuple[np.ndarray, np.ndarray, list[np.ndarray], str]:
    """Return a layer's weights (m, I, O), biases (m, O) and tables (K, O) of one-hot columns.

    They have taken in the factors (m, I) of the inputs, and the batch normalisation. The last is a
    remark that says so.
    """
    layer, fan_out = plan.layers[index], int(plan.layers["fan_out"][index])
    w = weight_views(plan, parameters)[index].reshape(-1, int(layer["fan_in"]), fan_out)
    b = bias_views(plan, parameters)[index].reshape(-1, fan_out)
    tables = [table.copy() for _, table, _ in one_hots]
    remark = f"layer {index}: {layer['fan_in']} -> {fan_out}"
    dtype = parameters.dtype
    if factors is not None:
        w = (w.astype(np.float64) * factors[..., np.newaxis]).astype(dtype)
        remark += ", factors of the inputs taken in"
    if layer["normalization"] == _BATCH:
        scale, mean, shift = _batch_norm(plan, parameters, index)
        w, tables = (w * scale).astype(dtype), [(each * scale).astype(dtype) for each in tables]
        b = ((b - mean) * scale + shift).astype(dtype)
        remark += ", batch normalisation taken in"
    return w.copy(), b.copy(), tables, remark


def _batch_norm(plan: Plan, parameters: np.ndarray, index: int) -> tuple[Any, Any, Any]:
    """Return γ / √(σ² + ε), the running mean and β of a layer, (O,) each, float64."""
    views = (gain_views, shift_views, running_mean_views, running_variance_views)
    found = [view(plan, parameters)[index] for view in views]
    gain, shift, mean, variance = (np.asarray(each, np.float64) for each in found)
    return gain / np.sqrt(variance + NORMALIZATION_EPSILON), mean, shift


def add_link(to: Builder, plan: Plan, logits: Value) -> Value:
    """Write down the loss's link of logits (k, C), and the mean of the members; return it (1, C).

    Without a link these are the logits, or their mean.
    """
    link, n_quantiles = plan.loss_row.link, 0
    if link == "quantiles":
        n_quantiles = len(plan.loss_parameters)
    out = logits
    if link != "identity":
        out = to.add(Link, logits, "outputs", function=link, n_quantiles=n_quantiles, remark=link)
    if logits.rows == 1:
        return out
    gaussian = link == "gaussian"
    remark = f"the mean of {logits.rows} members"
    return to.add(MeanOfMembers, out, "mean", rows=1, of_gaussians=gaussian, remark=remark)
