"""
Without activations a network is one layer
==========================================

Stack two layers without an activation between them, and the second multiplies what the first
multiplied:

.. math:: O = (X W_h + b_h) W_o + b_o = X (W_h W_o) + (b_h W_o + b_o).

However deep, the network is one affine map, and its boundary one straight line. An activation
between the layers is what makes depth worth its weights.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import make_moons

from fastmlp import MLPClassifier
from fastmlp.plots import DecisionRegionDisplay

X, y = make_moons(200, noise=0.15, random_state=0)


def fit(activation: str) -> MLPClassifier:
    """Train two hidden layers of sixteen units."""
    model = MLPClassifier(
        (16, 16), activation, solver="lbfgs", alpha=1, dtype="float64", random_state=0
    )
    return model.fit(X, y)


models = {activation: fit(activation) for activation in ("identity", "tanh")}

# %%
# Three layers of weights multiplied together give the same probabilities as the network without
# activations, but for rounding.

deep = models["identity"]
weights, bias = np.eye(2), np.zeros(2)
for w, b in zip(deep.coefs_, deep.intercepts_, strict=True):
    weights, bias = weights @ w, bias @ w + b

probability = 1 / (1 + np.exp(-(X @ weights + bias)))
np.testing.assert_allclose(deep.predict_proba(X)[:, 1:], probability, rtol=0, atol=1e-12)
n_parameters = sum(w.size + b.size for w, b in zip(deep.coefs_, deep.intercepts_, strict=True))
print(f"{n_parameters} parameters do the work of {weights.size + bias.size}")

# %%
# The same layers, the same data, with and without an activation:

figure, axes = plt.subplots(1, 2, figsize=(10, 4.4), sharey=True)
for ax, (activation, model) in zip(axes, models.items(), strict=True):
    DecisionRegionDisplay.from_estimator(model, X, y, ax=ax, legend=activation == "tanh")
    ax.set_title(f"{activation}: {100 * model.score(X, y):.0f} % right")
axes[1].set_ylabel("")
plt.show()

assert models["identity"].score(X, y) < 0.92
assert models["tanh"].score(X, y) > 0.98
