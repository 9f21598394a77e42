"""
One hidden layer can follow any curve
=====================================

With enough units, one hidden layer with an activation comes as close as you like to any continuous
function on an interval (Cybenko 1989, Hornik 1991). The theorem says that the weights exist, not
how many units it takes nor that training finds them; this page tries. With ReLU each unit adds one
corner to a broken line:
"""

import matplotlib.pyplot as plt
import numpy as np

from fastmlp import MLPRegressor

x = np.linspace(-3, 3, 400)


def curve(x: np.ndarray) -> np.ndarray:
    """Return two waves of different length, the faster one growing, and a kink at 1."""
    return np.sin(2 * x) + 0.15 * (x + 3) * np.sin(5 * x) / 2 + np.abs(x - 1) / 2


def fit(width: int, activation: str, seed: int) -> np.ndarray:
    """Return the curve of one hidden layer of so many units, trained on all of x."""
    model = MLPRegressor(
        hidden_layer_sizes=(width,),
        activation=activation,
        solver="lbfgs",
        alpha=0,
        max_iter=20_000,
        max_fun=30_000,
        dtype="float64",
        n_threads=1,  # too little work to share
        random_state=seed,
    )
    return model.fit(x[:, np.newaxis], curve(x)).predict(x[:, np.newaxis])


figure, axes = plt.subplots(1, 4, figsize=(11, 3.2), sharey=True)
for ax, width in zip(axes, (2, 4, 8, 32), strict=True):
    ax.plot(x, curve(x), color="0.6", linewidth=5, label="the curve")
    ax.plot(x, fit(width, "relu", 0), label="the network")
    ax.set(title=f"{width} units", xlabel="x")
axes[0].legend(loc="lower left")
plt.show()

# %%
# The error falls as the layer widens, faster with the smooth tanh until training, not width, is the
# limit. Without an activation it does not fall at all: such a network draws a straight line.

widths = 2 ** np.arange(6)
figure, ax = plt.subplots()
for activation, marker in (("tanh", "o"), ("relu", "s"), ("identity", "^")):
    errors = [
        min(np.sqrt(np.mean((fit(w, activation, seed) - curve(x)) ** 2)) for seed in range(3))
        for w in widths
    ]
    ax.loglog(widths, errors, marker=marker, label=activation, base=2)
    if activation == "identity":
        np.testing.assert_allclose(errors, errors[0], rtol=1e-3)
    else:
        assert errors[-1] < errors[0] / 10
ax.set(
    xlabel="hidden units",
    ylabel="error (root mean square)",
    title="Error against width, best of three fits",
)
ax.set_xticks(widths, widths)
ax.set_yscale("log", base=10)
ax.legend(title="activation")
plt.show()
