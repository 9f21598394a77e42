"""First weights that follow from rows: what each unit sees has a standard deviation of 1."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from fastmlp.backends import Backend
from fastmlp.network import Network
from fastmlp.plan.description import DEFAULT_FACTORS
from fastmlp.plan.front import ONE_HOT
from fastmlp.plan.front_values import column_views
from fastmlp.plan.inputs import Inputs
from fastmlp.plan.layout import Plan, lay_out

__all__ = ["fit_first_weights"]

#: Rows that are looked at, at most.
ROWS = 1024
#: Rows among which a unit's bias puts its zero.
CORNERS = 5
#: The least spread of a unit, as a share of its size, that is not taken for rounding.
LEAST_SPREAD = 1e-5


def fit_first_weights(
    network: Network,
    backend: Backend,
    X: Inputs,
    order: np.ndarray,
    rng: np.random.RandomState,
    n_threads: int,
) -> np.ndarray:
    """Scale each unit's weights and set its bias, layer by layer, by what some rows make of it.

    z = xW of a unit gets the standard deviation 1 over these rows, and its bias is -z of a random
    point amid them: of a mean of five rows, whose weights are uniformly distributed. So the bends
    of the units lie where the data is. This is how RealMLP begins (Holzmüller et al. 2024); the
    rule for the biases is due to Steinwart (2019), "A sober look at neural network
    initializations".

    Parameters
    ----------
    network : Network
        Its weights are random and its biases 0; both change in place.
    backend : Backend
        What computes.
    X : Inputs, shape (N, I)
    order : ndarray of int64, shape (K,)
        Rows of X to choose from.
    rng : numpy.random.RandomState
    n_threads : int

    Returns
    -------
    ndarray of float64, shape (C,)
        The mean of the outputs over these rows, before the last biases.
    """
    rows = order if len(order) <= ROWS else rng.choice(order, ROWS, replace=False)
    rows, mean = np.ascontiguousarray(rows), np.zeros(0)
    for layer, (weights, biases) in enumerate(zip(network.weights, network.biases, strict=True)):
        part = _first_layers(network, layer + 1)
        z = part.forward(backend, X, rows, apply_link=False, n_threads=n_threads)
        scale = _scales(z.astype(np.float64))
        for array in [weights, *(one_hot_tables(network) if layer == 0 else ())]:
            np.multiply(array, scale, out=array, casting="same_kind")
        z = z * scale
        biases[...] = -_points_amid(z, rng)
        mean = z.mean(axis=0)
    return mean


def one_hot_tables(network: Network) -> list[np.ndarray]:
    """Return the weights (K, O) of layer 0 that columns of levels have, as views."""
    plan = network.plan
    numbers = np.flatnonzero(plan.features["kind"] == ONE_HOT).tolist()
    return [column_views(plan, network.parameters, i)["table"] for i in numbers]


def _scales(z: np.ndarray) -> np.ndarray:
    """Return what makes the standard deviation of each column of z (n, O) 1; 1 for constants."""
    with np.errstate(all="ignore"):
        spread, size = z.std(axis=0), np.abs(z).max(axis=0)
        varies = np.isfinite(spread) & (spread > LEAST_SPREAD * size)
        return np.where(varies, 1 / np.where(varies, spread, 1.0), 1.0)


def _points_amid(z: np.ndarray, rng: np.random.RandomState) -> np.ndarray:
    """Return for each column of z (n, O) a random mean of a few of its values."""
    n_rows, n_units = z.shape
    shares = rng.dirichlet(np.ones(CORNERS), n_units)
    chosen = rng.randint(0, n_rows, (n_units, CORNERS))
    points: np.ndarray = (shares * z[chosen, np.arange(n_units)[:, np.newaxis]]).sum(axis=1)
    return points


def _first_layers(network: Network, n_layers: int) -> Network:
    """Return a network whose outputs are z of a layer: a copy of the layers up to it."""
    plan = _plan_of_first_layers(network.plan, n_layers)
    part = Network.zeros(plan, network.dtype, 0)
    for kind in np.unique(plan.slots["kind"]):
        own = network.plan.slots[network.plan.slots["kind"] == kind]
        for target, source in zip(plan.slots[plan.slots["kind"] == kind], own, strict=False):
            size = target["rows"] * target["columns"]
            begin = source["offset"]
            part.parameters[target["offset"] :][:size] = network.parameters[begin : begin + size]
    return part


def _plan_of_first_layers(plan: Plan, n_layers: int) -> Plan:
    """Return the plan of a network of the first layers, the last of them without activation."""
    whole, n_hidden = plan.description, n_layers - 1
    return lay_out(
        replace(
            whole,
            layer_sizes=whole.layer_sizes[: n_layers + 1],
            activations=whole.activations[:n_hidden],
            dropout_thresholds=whole.dropout_thresholds[:n_layers],
            normalizations=whole.normalizations[:n_hidden],
            groups=whole.groups[:n_hidden],
            parametric=whole.parametric[:n_hidden],
            loss="squared_error",
            loss_parameters=(),
            factors=DEFAULT_FACTORS,
            slot_groups=(),
        )
    )
