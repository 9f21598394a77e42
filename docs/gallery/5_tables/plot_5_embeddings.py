"""
What an embedding of a number lets a network learn
==================================================

A network on a number as it is learns smooth functions first and rough ones slowly. An embedding
puts waves or pieces of the number before the first layer, and what these are is learnt too.
"""

import matplotlib.pyplot as plt
import numpy as np

from fastmlp import MLPRegressor
from fastmlp.embeddings import PBLD, PiecewiseLinear

# %%
# A wave that grows shorter, then a step
# --------------------------------------
# 1200 noisy points of one column, and the same network of two layers for the same epochs each time:
# on the number itself, on waves of learnt frequencies beside it (Holzmüller et al. 2024), and on
# how far it fills each of its bins (Gorishniy et al. 2022).


def rough(x):
    """Return a wave that grows shorter up to 1, and a step there."""
    return np.where(x < 1, np.sin(2 * np.pi * (x + 2) ** 2), 1.5)


rng = np.random.default_rng(0)
x = rng.uniform(-2, 2, 1200)
y = rough(x) + 0.1 * rng.normal(size=x.size)
grid = np.linspace(-2, 2, 1000)
embeddings = {
    "the number as it is": None,
    "PBLD, learnt waves": PBLD(sigma=1.0),
    "PiecewiseLinear, learnt pieces": PiecewiseLinear(n_bins=48),
}
figure, axes = plt.subplots(3, 1, figsize=(9, 8), sharex=True, sharey=True)
errors = {}
for ax, (name, embedding) in zip(axes, embeddings.items(), strict=True):
    model = MLPRegressor(
        hidden_layer_sizes=(64, 64),
        activation="silu",
        solver="adamw",
        learning_rate_init=0.005,
        numeric_embedding=embedding,
        n_threads=1,
        random_state=0,
    )
    for _ in range(200):
        model.partial_fit(x[:, np.newaxis], y)
    learnt = model.predict(grid[:, np.newaxis])
    errors[name] = float(np.sqrt(np.mean((learnt - rough(grid)) ** 2)))
    ax.scatter(x, y, s=3, color="0.75")
    ax.plot(grid, learnt)
    ax.set(title=f"{name}: off by {errors[name]:.2f}", ylabel="target")
axes[-1].set(xlabel="the column")
plt.show()

plain, *embedded = errors.values()
assert max(embedded) < 0.5 * plain
