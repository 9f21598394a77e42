"""What is made of a row of X before layer 0: the front of a network, column by column.

``fastmlp.plan.front`` has the formulas.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from fastmlp.plan.front import ONE_HOT, PERIODIC, PIECEWISE, PLAIN, TABLE, WAVES, starts_and_widths
from fastmlp.plan.layout import Plan
from fastmlp.plan.parameters import scales_view

__all__ = ["FrontTrace", "front_backward", "front_forward", "scaled", "touched"]


class FrontTrace(NamedTuple):
    """What the way back needs of the way forward."""

    x: np.ndarray  # (B, columns of X)
    rows: np.ndarray  # (B, I): what the scales multiply
    added: np.ndarray | float  # (B, width of layer 0): what is added to its z


class Terms(NamedTuple):
    """The terms of a column of numbers, and how they change with these."""

    values: np.ndarray  # (B, M)
    slopes: np.ndarray  # (B, M): by 2π w x, and by the phases


def front_forward(plan: Plan, parameters: np.ndarray, x: np.ndarray) -> FrontTrace:
    """Return what is made of rows x (B, columns of X)."""
    if not plan.columns:
        return FrontTrace(x, x, 0.0)
    parts, added = [], np.zeros((len(x), int(plan.layers["fan_out"][0])), x.dtype)
    for feature, column in zip(plan.features, x.T, strict=True):
        if feature["beside"]:
            parts.append(column[:, np.newaxis])
        if feature["kind"] == TABLE:
            parts.append(_table(feature, parameters)[_levels(feature, column)])
        elif feature["kind"] == ONE_HOT:
            added += _table(feature, parameters)[_levels(feature, column)]
        elif feature["kind"] != PLAIN:
            parts.append(_outputs(feature, parameters, _terms(plan, feature, parameters, column)))
    return FrontTrace(x, np.concatenate(parts, axis=1), added)


def scaled(plan: Plan, parameters: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Return the inputs (B, I) of layer 0, given what the scales multiply (B, I)."""
    if not plan.n_scales:
        return rows
    scales = scales_view(plan, parameters)
    inputs: np.ndarray = (_by_scales(plan, rows) * scales[:, np.newaxis]).reshape(rows.shape)
    return inputs


def _by_scales(plan: Plan, rows: np.ndarray) -> np.ndarray:
    """Return virtual rows (k · B, I) as (n_scales, …, I)."""
    return rows.reshape(plan.n_scales, -1, rows.shape[1])


def front_backward(
    plan: Plan,
    parameters: np.ndarray,
    trace: FrontTrace,
    dh: np.ndarray,
    dz: np.ndarray,
    gradient: np.ndarray,
) -> None:
    """Set the front's part of a gradient (P,).

    Parameters
    ----------
    dh : ndarray, shape (B, I)
        The gradient of the inputs of layer 0.
    dz : ndarray, shape (B, O)
        The gradient of its z.
    """
    if plan.n_scales:
        scales, drows = scales_view(plan, parameters), dh * trace.rows
        scales_view(plan, gradient)[...] = _by_scales(plan, drows).sum(axis=1)
        dh = (_by_scales(plan, dh) * scales[:, np.newaxis]).reshape(dh.shape)
    for feature, column in zip(plan.features, trace.x.T, strict=False):
        first = int(feature["offset"] + feature["beside"])
        if feature["kind"] == ONE_HOT:
            _add_to_table(feature, column, dz, gradient)
        elif feature["kind"] == TABLE:
            _add_to_table(feature, column, dh[:, first : first + feature["width"]], gradient)
        elif feature["kind"] != PLAIN:
            _column_backward(plan, feature, parameters, column, dh[:, first:], gradient)


def touched(plan: Plan, x: np.ndarray) -> np.ndarray | None:
    """Return which parameters (P,) an update of rows x changes, bool; None for all of them.

    Of tables, these are the rows that x (B, columns of X) names.
    """
    tables = [i for i, kind in enumerate(plan.features["kind"]) if kind in (TABLE, ONE_HOT)]
    if not tables:
        return None
    which = np.ones(plan.n_parameters, bool)
    for i in tables:
        table = _table(plan.features[i], which)
        table[...] = False
        table[_levels(plan.features[i], x[:, i])] = True
    return which


def _view(vector: np.ndarray, offset: int, *shape: int) -> np.ndarray:
    return vector[offset : offset + np.prod(shape, dtype=int)].reshape(shape)


def _table(feature: np.void, vector: np.ndarray) -> np.ndarray:
    """Return a table (K, d) as a view of ``vector`` (P,) or (V,)."""
    shape = int(feature["n_terms"]), int(feature["width"])
    return _view(vector, int(feature["table_offset"]), *shape)


def _levels(feature: np.void, column: np.ndarray) -> np.ndarray:
    """Return the levels (B,) that numbers (B,) name: level 0 for what is none."""
    known = (column >= 0) & (column < feature["n_terms"])
    return np.where(known, column, 0).astype(np.int64)


def _terms(plan: Plan, feature: np.void, parameters: np.ndarray, column: np.ndarray) -> Terms:
    x, n = column[:, np.newaxis], int(feature["n_terms"])
    if feature["kind"] == PIECEWISE:
        first = int(feature["bin_offset"])
        starts, scales = starts_and_widths(plan.columns)[first : first + n].T.astype(x.dtype)
        filled = (x - starts) * scales
        lowest, highest = np.zeros(n, x.dtype), np.ones(n, x.dtype)
        lowest[0], highest[-1] = -np.inf, np.inf
        return Terms(np.clip(filled, lowest, highest), filled[:, :0])
    angles = x * _view(parameters, int(feature["frequency_offset"]), n) * x.dtype.type(2 * np.pi)
    if feature["kind"] == WAVES:
        cosines, sines = np.cos(angles), np.sin(angles)
        return Terms(np.hstack([cosines, sines]), np.hstack([-sines, cosines]))
    angles += _view(parameters, int(feature["phase_offset"]), n)
    return Terms(np.cos(angles), -np.sin(angles))


def _weights_and_biases(
    feature: np.void, vector: np.ndarray, n_terms: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return W (M, d) and c (d,) as views of ``vector``."""
    width = int(feature["width"])
    weights = _view(vector, int(feature["weight_offset"]), n_terms, width)
    return weights, _view(vector, int(feature["bias_offset"]), width)


def _outputs(feature: np.void, parameters: np.ndarray, terms: Terms) -> np.ndarray:
    """Return the inputs of layer 0 (B, d) that terms become."""
    if feature["width"] == 0:
        return terms.values
    weights, biases = _weights_and_biases(feature, parameters, terms.values.shape[1])
    outputs: np.ndarray = terms.values @ weights + biases
    return np.maximum(outputs, 0) if feature["rectified"] else outputs


def _column_backward(
    plan: Plan,
    feature: np.void,
    parameters: np.ndarray,
    column: np.ndarray,
    dh: np.ndarray,
    gradient: np.ndarray,
) -> None:
    """Set the gradient of what a column of numbers (B,) learns; dh (B, …) begins at its inputs."""
    terms, width = _terms(plan, feature, parameters, column), int(feature["width"])
    dterms = dh[:, : terms.values.shape[1]]
    if width > 0:
        outputs, dh = _outputs(feature, parameters, terms), dh[:, :width]
        if feature["rectified"]:
            dh = dh * (outputs > 0)
        weights, _ = _weights_and_biases(feature, parameters, terms.values.shape[1])
        dweights, dbiases = _weights_and_biases(feature, gradient, terms.values.shape[1])
        dweights[...], dbiases[...] = terms.values.T @ dh, dh.sum(axis=0)
        dterms = dh @ weights.T
    if feature["kind"] == PIECEWISE:
        return
    dangles, n = dterms * terms.slopes, int(feature["n_terms"])
    if feature["kind"] == PERIODIC:
        _view(gradient, int(feature["phase_offset"]), n)[...] = dangles.sum(axis=0)
    else:
        dangles = dangles[:, :n] + dangles[:, n:]
    by_frequency = column[:, np.newaxis] * dangles * column.dtype.type(2 * np.pi)
    _view(gradient, int(feature["frequency_offset"]), n)[...] = by_frequency.sum(axis=0)


def _add_to_table(
    feature: np.void, column: np.ndarray, drows: np.ndarray, gradient: np.ndarray
) -> None:
    """Set the gradient of a table, given that of the rows (B, d) that were taken out of it."""
    table = _table(feature, gradient)
    table[...] = 0
    np.add.at(table, _levels(feature, column), drows)
