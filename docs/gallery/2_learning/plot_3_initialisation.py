r"""
First weights: zero, too small, and right
=========================================

A signal goes through ten layers of 256 tanh units, and a gradient comes back. What is left of both
depends on the first weights:

* all zero: every unit of a layer is and stays the same, and here all of them are silent;
* :math:`N(0, 0.01^2)`: each layer shrinks the signal, the last ones hardly hear anything;
* Xavier, variance :math:`2/(fan_{in} + fan_{out})`: made for S-shaped activations;
* Kaiming, variance :math:`2/fan_{in}`: made for ReLU, which silences one half of the signal.
"""

import matplotlib.pyplot as plt
import numpy as np

from fastmlp import activation, activation_derivative, initial_weights
from fastmlp.plots import WeightDistributionDisplay

DEPTH, WIDTH = 10, 256
CASES = {
    "zeros, tanh": ("zeros", "tanh", 0),
    "N(0, 0.01²), tanh": ("normal", "tanh", 0.01),
    "N(0, 1), tanh": ("normal", "tanh", 1.0),
    "Xavier, tanh": ("glorot_uniform", "tanh", 0),
    "Xavier, ReLU": ("glorot_normal", "relu", 0),
    "Kaiming, ReLU": ("kaiming_normal", "relu", 0),
}


def through_the_net(init: str, f: str, std: float) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Return activations and gradients (100, WIDTH) of each layer, first weights as told."""
    rng = np.random.RandomState(0)
    weights = [
        initial_weights(WIDTH, WIDTH, init, init_std=std, random_state=rng) for _ in range(DEPTH)
    ]
    h, sums, signals, gradients = rng.normal(size=(100, WIDTH)), [], [], []
    for w in weights:
        sums.append(h @ w)
        h = activation(f, sums[-1])
        signals.append(h)
    gradient = rng.normal(size=h.shape)
    for w, z in zip(reversed(weights), reversed(sums), strict=True):
        gradients.insert(0, gradient * activation_derivative(f, z))
        gradient = gradients[0] @ w.T
    return signals, gradients


results = {name: through_the_net(*case) for name, case in CASES.items()}

# %%
# Activations, layer by layer
# ---------------------------

shown = [0, 2, 5, 9]
names = [f"layer {i + 1}" for i in shown]
figure, axes = plt.subplots(2, 3, figsize=(13, 7.5))
for ax, (name, (signals, _)) in zip(axes.flat, results.items(), strict=True):
    layers = [signals[i] for i in shown]
    WeightDistributionDisplay(layers, names=names, quantity="activation").plot(ax=ax)
    ax.set_title(name)
plt.show()

# %%
# Gradients, layer by layer
# -------------------------
# The gradient arrives at layer 10 and travels to layer 1. With large weights tanh saturates: its
# activations pile up at −1 and 1, where its slope is nothing. Most gradients end there, a fifth of
# them at exactly zero, and the large weights blow up the few that pass.

figure, axes = plt.subplots(2, 3, figsize=(13, 7.5))
for ax, (name, (_, gradients)) in zip(axes.flat, results.items(), strict=True):
    layers = [gradients[i] for i in shown]
    WeightDistributionDisplay(layers, names=names, quantity="gradient").plot(ax=ax, color="C1")
    ax.set_title(name)
plt.show()

# %%
# The whole story in two pictures
# -------------------------------
# Standard deviations of both on a logarithmic scale. Level lines are what a deep network needs.
# Weights of zero pass nothing on: no signal at all, and a gradient in the last layer only.

figure, axes = plt.subplots(1, 2, figsize=(11, 4), sharex=True)
for (name, kinds), marker in zip(results.items(), "xosD^v", strict=True):
    for ax, layers in zip(axes, kinds, strict=True):
        spread = np.array([layer.std() for layer in layers])
        spread[spread == 0] = np.nan  # has no place on a logarithmic scale
        ax.semilogy(range(1, DEPTH + 1), spread, marker=marker, label=name)
axes[0].set(title="Signal: std of the activations", xlabel="layer")
axes[1].set(title="Gradient: std, to be read from right to left", xlabel="layer")
axes[1].legend(loc="upper left", bbox_to_anchor=(1, 1))
plt.show()

signals, gradients = results["Kaiming, ReLU"]
assert 0.5 < signals[-1].std() / signals[0].std() < 2
assert results["N(0, 0.01²), tanh"][0][-1].std() < 1e-6
assert np.mean(np.abs(results["N(0, 1), tanh"][0][-1]) > 0.99) > 0.8
