"""
Normalisation on a bad initialisation
=====================================

Weights drawn far too wide push units into saturation, and little is learnt. A normalisation takes
the scale of each hidden layer away again: batch norm over the rows of a batch, layer norm over the
units of a row, group norm over groups of units, instance norm over the positions of one channel.
"""

import warnings

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning

from fastmlp import MLPClassifier

# %%
# Five networks that differ in one parameter
# ------------------------------------------
# Two hidden tanh layers of 64 units, first weights with a standard deviation of 2. For instance and
# group norm the 64 units are read as 8 channels of 8 positions.

X, y = load_digits(return_X_y=True)
BAD_START = {"activation": "tanh", "init": "normal", "init_std": 2.0, "random_state": 0}


def cost_curve(**normalization):
    """Return the cost (30,) of each epoch from the bad start."""
    model = MLPClassifier((64, 64), max_iter=30, tol=0, **BAD_START, **normalization)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # thirty epochs are all it gets
        return model.fit(X / 16, y).cost_curve_


curves = {
    "none": cost_curve(),
    "batch": cost_curve(normalization="batch"),
    "layer": cost_curve(normalization="layer"),
    "instance, 8 channels": cost_curve(normalization="instance", n_channels=8),
    "group, 4 of 8 channels": cost_curve(normalization="group", n_groups=4, n_channels=8),
}

figure, ax = plt.subplots(figsize=(8, 4.5))
for (name, curve), shade in zip(curves.items(), np.linspace(0, 0.9, len(curves)), strict=True):
    ax.plot(range(1, 31), curve, color=plt.cm.cividis(shade), label=name, linewidth=2.5)
ax.set(xlabel="epoch", ylabel="cross-entropy", title="With a norm the bad start is overcome sooner")
ax.legend(title="normalization")
plt.show()

assert all(curve[-1] < curves["none"][-1] / 2 for name, curve in curves.items() if name != "none")

# %%
# Two of them are limits of the third
# -----------------------------------
# Group norm with one group is layer norm; with a group for each channel it is instance norm.

one_group = cost_curve(normalization="group", n_groups=1, n_channels=8)
own_groups = cost_curve(normalization="group", n_groups=8, n_channels=8)
assert one_group == curves["layer"]
assert own_groups == curves["instance, 8 channels"]
