r"""
Four normalisations that forgive bad first weights
==================================================

A normalisation shifts and scales the sums of a layer to mean 0 and variance 1,

.. math:: \hat z = \frac{z - \mu}{\sqrt{\sigma^2 + \epsilon}}, \qquad y = \gamma \hat z + \beta,

so that no weights can silence or saturate the units behind it; γ and β are learnt. The four kinds
differ in what μ and σ² are taken over.
"""

# sphinx_gallery_thumbnail_number = 2
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import ListedColormap
from sklearn.datasets import load_digits

from fastmlp import MLPClassifier

# %%
# Who shares a mean and a variance
# --------------------------------
# Six rows of a batch and twelve units, which instance and group norm see as four channels of three
# positions. Cells of one colour that touch are normalised together: a column for batch norm, a row
# for layer norm, a channel of a row for instance norm, a group of channels (here two) for group
# norm.

row, unit = np.mgrid[:6, :12]
kinds = {
    "batch": unit,
    "layer": row,
    "instance, 4 channels": 2 * row + unit // 3,
    "group, 2 groups": 2 * row + unit // 6,
}
figure, axes = plt.subplots(1, 4, figsize=(12, 2.6), sharey=True)
for ax, (name, color) in zip(axes, kinds.items(), strict=True):
    ax.pcolormesh(
        color % 6, cmap=ListedColormap([f"C{i}" for i in range(6)]), edgecolors="white", alpha=0.8
    )
    ax.set(title=name, xlabel="units", xticks=[], yticks=[])
axes[0].set_ylabel("rows of a batch")
plt.show()

# %%
# Deep, and badly started
# -----------------------
# Six hidden layers of 64 tanh units learn to read digits. On the left the first weights are far too
# small, hardly any signal gets through; on the right far too large, every unit is saturated. Any of
# the four normalisations mends both.

X, y = load_digits(return_X_y=True)
X = X / 16
N_EPOCHS = 30
NORMS = {
    "none": {},
    "batch": {"normalization": "batch"},
    "layer": {"normalization": "layer"},
    "instance, 8 channels": {"normalization": "instance", "n_channels": 8},
    "group, 4 groups of 2": {"normalization": "group", "n_channels": 8, "n_groups": 4},
}


def costs(std: float, **norm: str | int) -> list[float]:
    """Return the cross-entropy after each epoch, first weights from N(0, std²)."""
    model = MLPClassifier(
        (64,) * 6, "tanh", init="normal", init_std=std, batch_size=100, random_state=0, **norm
    )
    return [model.partial_fit(X, y, classes=range(10)).cost(X, y) for _ in range(N_EPOCHS)]


figure, axes = plt.subplots(1, 2, figsize=(11, 4.2), sharey=True)
for ax, std in zip(axes, (0.01, 1.0), strict=True):
    curves = {name: costs(std, **norm) for name, norm in NORMS.items()}
    for (name, curve), marker in zip(curves.items(), "xosD^", strict=True):
        ax.semilogy(range(1, N_EPOCHS + 1), curve, marker=marker, markevery=5, label=name)
    ax.axhline(np.log(10), color="0.7", linewidth=1, linestyle="--", zorder=0)
    ax.set(title=f"first weights from N(0, {std:g}²)", xlabel="epoch")
    final = {name: curve[-1] for name, curve in curves.items()}
    assert all(cost < final["none"] / 2 for name, cost in final.items() if name != "none")
axes[0].text(N_EPOCHS, np.log(10), "guessing: log 10", ha="right", va="bottom", color="0.4")
axes[0].set_ylabel("cross-entropy")
axes[1].legend(title="normalisation", loc="upper left", bbox_to_anchor=(1, 1))
plt.show()

# %%
# Two of them are limits of the third
# -----------------------------------
# Group norm with one group is layer norm; with a group for each channel it is instance norm.

one_group = costs(1.0, normalization="group", n_channels=8, n_groups=1)
own_groups = costs(1.0, normalization="group", n_channels=8, n_groups=8)
assert one_group == curves["layer"]
assert own_groups == curves["instance, 8 channels"]
