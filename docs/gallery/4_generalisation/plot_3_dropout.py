"""
Dropout, and the scale it must keep
===================================

In each training step every hidden unit is dropped with probability p, so that no unit can rely on
another. Prediction uses all of them. A sum over the units would then be larger than anything the
next layer met in training, and one side has to give way: the *classic* form multiplies by the keep
probability at prediction, the *inverted* form, which this library and others use, divides by it in
training.
"""

# sphinx_gallery_thumbnail_number = 3
import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import make_moons

from fastmlp import MLPClassifier, dropout
from fastmlp.plots import DecisionRegionDisplay, NetworkDiagramDisplay

# %%
# Four steps, four networks
# -------------------------
# Half of eight hidden units at a time: the kernel is the one that training calls.

P, N_STEPS = 0.5, 4000
units = dropout(np.ones((N_STEPS, 100)), rate=P, random_state=1)

figure, axes = plt.subplots(1, 4, figsize=(12, 3.8))
for step, ax in enumerate(axes):
    kept = (units[step, :8] > 0).astype(float)
    coefs = [np.tile(kept, (3, 1)), np.outer(kept, [1, 1])]
    NetworkDiagramDisplay([3, 8, 2], coefs=coefs).plot(ax=ax)
    ax.get_legend().remove()
    ax.set_title(f"step {step + 1}: {kept.sum():.0f} of 8 kept")
plt.show()

# %%
# One hundred units of 1
# ----------------------
# All of them together make 100. Classic: in training about 50 are left, and at prediction
# 0.5 · 100 = 50. Inverted: those left count double, which makes 100 on average, and so does
# prediction.

classic, inverted = (units > 0).sum(axis=1), units.sum(axis=1)
assert abs(classic.mean() - 0.5 * 100) < 0.3
assert abs(inverted.mean() - 100) < 0.6

figure, axes = plt.subplots(1, 2, figsize=(10, 3.8), sharey=True)
for ax, sums, at_prediction, title in (
    (axes[0], classic, 50, "classic: scaled at prediction"),
    (axes[1], inverted, 100, "inverted: scaled in training"),
):
    values, counts = np.unique(sums, return_counts=True)
    ax.bar(values, counts, width=np.diff(values).min(), label="4,000 training steps")
    ax.axvline(at_prediction, color="C5", label=f"prediction: {at_prediction}")
    ax.set(title=f"{title}, mean {sums.mean():.1f}", xlabel="sum over 100 units of 1")
    ax.legend(loc="upper left", fontsize="x-small")
plt.show()

# %%
# What it is good for
# -------------------
# Sixty noisy points and a network of two layers of 200 units, trained for 1,500 epochs. Without
# dropout it gets every training point right, and pays for it on new ones.

X, y = make_moons(60, noise=0.35, random_state=1)
X_new, y_new = make_moons(4000, noise=0.35, random_state=9)

figure, axes = plt.subplots(1, 2, figsize=(11, 4.4), sharey=True)
scores = {}
for ax, rate in zip(axes, (0.0, 0.5), strict=True):
    model = MLPClassifier(
        hidden_layer_sizes=(200, 200), dropout=rate, alpha=0, n_threads=1, random_state=0
    )
    for _ in range(1500):
        model.partial_fit(X, y, classes=(0, 1))
    scores[rate] = model.score(X, y), model.score(X_new, y_new)
    seen, new = (f"{100 * score:.0f} %" for score in scores[rate])
    DecisionRegionDisplay.from_estimator(model, X, y, ax=ax, legend=rate > 0)
    ax.set_title(f"dropout {rate:g}: {seen} of these points right, {new} of new ones")
axes[1].set_ylabel("")
plt.show()

assert scores[0.0][0] > scores[0.5][0]
assert scores[0.5][1] > scores[0.0][1] + 0.02
